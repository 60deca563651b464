//! An address that sends: its name, what it says in EHLO, and the lists it is on.

mod catalogue;
mod dynamic;
mod helo;
mod reverse;
mod sender;

pub use reverse::{Reverse, reverse_of};
pub use sender::{Sender, address_checks, check_address, check_address_for};
