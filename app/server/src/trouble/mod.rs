//! What is wrong: found in what the ledger remembers, and kept as incidents until it is over.

pub(crate) mod incidents;
pub mod triage;
