//! An address that sends: its name, what it says in EHLO, and the lists it is on.

mod catalogue;
mod dynamic;
mod helo;
mod look;
mod reverse;
mod sender;

pub use look::{address_checks, check_address, check_address_for};
pub use reverse::{Reverse, reverse_of};
pub use sender::Sender;
