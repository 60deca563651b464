//! The queue: what waits and why, and what is done with it.

mod act;
mod list;
mod which;

pub(crate) use act::{ask, give};
pub(crate) use list::{export, show};
