//! What a receiver would check of a sender, before it trusts them.
//!
//! Nothing here asks anybody anything. A check is a function of what is [`Known`]: where an
//! answer is missing it notes the question and stops, whoever runs it gets the answers, and runs
//! it again. So all independent questions of a round are asked together, every run can be
//! recorded and replayed, and a test needs no name server.

pub mod arc;
pub mod dkim;
pub mod dmarc;
mod dns;
pub mod format;
pub mod spf;

pub use dns::{Answer, Failure, Found, Kind, Known, Name, NameError, Question, Record};
