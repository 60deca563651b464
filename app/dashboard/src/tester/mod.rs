//! Email tests for people who are signed in: made, waited for, read, and held against the one before.

mod list;
mod show;

pub(crate) use list::{list, make};
pub(crate) use show::{live, show};
