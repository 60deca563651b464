//! What happened to every message, kept for as long as the operator wants to look back.
//!
//! One [`Entry`] per intake, attempt, lane change, bounce and complaint goes into an append log
//! and from there, hour by hour, into files that other programs can read. Truth and history do
//! not depend on each other: a crash loses at most the last second of this, a full or failing
//! disk loses more of it, and neither ever loses or stops a message.

mod entry;
mod error;
mod field;
mod figures;
mod filter;
mod kind;
mod ledger;
mod log;
mod mailbox;
mod page;
mod part;
mod position;
mod private;
mod read;
mod recovery;
mod sealer;
mod settings;
mod shared;
mod table;
mod tally;
mod words;
mod writer;

pub use entry::{Entry, LIMITS, Limits, Sample, Written};
pub use error::{LedgerError, Trouble};
pub use field::Field;
pub use figures::Figures;
pub use filter::{Codes, Filter};
pub use kind::{Kind, Try};
pub use ledger::Ledger;
pub use log::{Recovered, recover};
pub use page::{Counts, Followed, Group, Page};
pub use position::{Cursor, Seq};
pub use settings::Settings;
pub use tally::{By, Tallies, Tally};

#[cfg(test)]
mod tests;
