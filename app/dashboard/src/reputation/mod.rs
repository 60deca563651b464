//! Reputation: who of us is on which block list, who was, and a look at any address.

mod address;
mod cell;
mod history;
mod matrix;
mod state;

pub(crate) use address::check;
pub(crate) use cell::show as show_cell;
pub(crate) use history::{export as export_history, list as history};
pub(crate) use matrix::{ask_now, show};
