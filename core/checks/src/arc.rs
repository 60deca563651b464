//! What forwarders say they saw (ARC, RFC 8617): a chain of sets, each sealed over those before.
//!
//! A sender adds none. Who looks into mail that came through a list wants to know whether what
//! the list says of it can be believed.

mod set;
mod verify;

pub use set::{ChainFault, Cv, SETS_MAX, Seal, Set};
pub use verify::{Chain, verify};
