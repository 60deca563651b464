//! The delivery log: searched, counted and exported, and the questions that were saved.

mod search;
mod views;

pub(crate) use search::{export, show};
pub(crate) use views::{ask_remove, remove, save};
