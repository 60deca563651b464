//! Rehearsals: what a week with a provider would look like, in seconds and without sending.
//!
//! A scenario names a sender, its mail and one receiver; a policy decides when to send. Time is
//! made up, chance comes from a seed: the same file and seed give the same bytes. Nothing here can
//! open a socket or a file; what is read and written goes through the caller.

mod chart;
mod description;
mod destination;
mod explain;
mod floor;
mod measures;
mod oracle;
mod peers;
mod picture;
mod policy;
mod recorder;
mod rehearse;
mod run;
mod runs;
mod said;
mod suggestion;
mod summary;
mod watch;
mod world;

pub use chart::{Glyphs, pareto, svg, terminal};
pub use description::{Counts, Description, DescriptionError, KnownLimit};
pub use explain::{decisions, explain};
pub use measures::Measures;
pub use picture::{Band, Picture};
pub use policy::Policy;
pub use recorder::Recorder;
pub use rehearse::{Outcome, Rehearsal};
pub use run::{
    Believed, BelievedQuota, ConnectionNo, Fate, LaneMark, Left, MessageNo, Minute, Run, Sent,
};
pub use runs::{Engine, RunError, Tracing, run};
pub use said::Said;
pub use suggestion::Suggestion;
pub use summary::{RunSummary, Summary, Verdict};
pub use watch::{Going, Look, Sight};
pub use world::{CommandError, Knowledge, default_settings};
