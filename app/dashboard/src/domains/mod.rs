//! Domains: what each publishes, what of it is amiss, what has changed, and a look at any other.

mod change;
mod detail;
mod list;
mod look;
mod sort;

pub(crate) use detail::{look_now, show};
pub(crate) use list::{export, list, reasons};
pub(crate) use look::check;
