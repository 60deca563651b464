//! What every store must do, and what the one on the disk must survive.
#![expect(clippy::unwrap_used, reason = "a test may fail by unwrapping")]

mod conformance;
mod crash;
mod fixture;
mod offline;
