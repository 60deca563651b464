//! The append log: what happened since the last part was sealed, as it would survive a crash.

mod append;
mod reading;
mod record;

pub(crate) use append::AppendLog;
pub use reading::{Recovered, recover};
