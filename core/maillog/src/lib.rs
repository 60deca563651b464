//! Other mail servers' logs: octets of lines in, attempts and tallies out.
//!
//! Lines are joined by queue id and recipient, every reply is classified as our own are, and
//! what a provider took and refused is counted second by second, so that the limit behind the
//! refusals can be looked for. Files, compression and terminals are somebody else's business.
//! A line that cannot be read is counted and never fatal; whatever is kept has a limit.

mod analysis;
mod attempt;
mod exim;
mod format;
mod haraka;
mod hash;
mod judged;
mod kumomta;
mod limit;
mod open;
mod own;
mod pmta;
mod postfix;
mod record;
mod refusal;
mod report;
mod series;
mod slots;
mod stamp;
mod storm;
mod syslog;
mod tally;
mod whose;

pub use analysis::{Analysis, Limits, first_moment};
pub use attempt::{Outcome, Turn};
pub use format::Format;
pub use limit::{Counts, SuspectedLimit, Turns, suspected_limit};
pub use refusal::Refusal;
pub use report::{ProviderFigures, Report, SourceFigures, TopReply};
pub use series::Moment;
pub use slots::Slot;
pub use storm::Storm;
