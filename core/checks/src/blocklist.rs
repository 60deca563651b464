//! Block lists in the DNS (RFC 5782): who is on one, and whether the list can be believed.
//!
//! A list is believed only if it lists what every list must and does not list what none may; one
//! that refuses us, or is gone, says nothing about anybody.

mod answer;
mod catalogue;
mod list;
mod listing;

pub use answer::{Entry, Reading, Unclear};
pub(crate) use catalogue::{CHECKS, of_address};
pub use list::{Dead, Keys, List, ListFault, Lists, Weight};
pub use listing::{Listing, Subject, is_healthy, look_up};
