//! What a receiver makes of one test message: the look at it, the report, and the report's page.
//!
//! A message that was sent to a test address is looked at as it came, with everything that only
//! its session tells. Strangers write these messages: nothing that they name is fetched or called,
//! the DNS alone is asked, and nothing that they wrote is more than text on the page.

mod arrival;
mod breakage;
mod compare;
mod headers;
mod look;
mod page;
mod report;
mod set;

pub use arrival::{Arrival, Line, Speaker, Tls};
pub use breakage::{Breakage, breakages};
pub use compare::{Changed, Comparison, compare};
pub use headers::{AddedBy, HeaderField};
pub use look::{NoReport, inspect};
pub use page::{Shown, Waiting, report_page, waiting_page};
pub use report::{Counts, Gate, Headline, Kind, Report, TestRow};
pub use set::{ADVISORIES, TESTS};
