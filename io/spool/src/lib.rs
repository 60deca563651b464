//! The durable queue: what must still happen, safe on disk before anybody is told.
//!
//! It keeps messages, how far each recipient has come, and small keyed state, and gives
//! them back after a crash. It decides nothing: whether a recipient is tried again is the
//! engine's business.

mod disk;
mod error;
mod finding;
mod format;
mod memory;
mod recovered;
mod store;
mod table;
mod ticket;

pub use disk::{
    AGES_MIN, Checked, Disk, Exported, Imported, Lock, MoveError, OpenError, Opened, Recovery,
    Report, RoomAt, SegmentStats, Settings, Stats, Tally, check, export, import, stats,
};
pub use error::StoreError;
pub use finding::{Finding, Wrong};
pub use memory::{Kept, Memory};
pub use recovered::Recovered;
pub use store::{
    Change, Changes, Commits, Fate, Inserted, Insertion, Key, Seq, Store, Stored, Urgency, Usage,
};
pub use ticket::Ticket;
