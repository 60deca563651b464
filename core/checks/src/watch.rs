//! Watching over time: who is on a block list since when, what a domain publishes and published,
//! what is wrong with it, and when is whom asked next.
//!
//! Nothing here asks or waits. A [`Board`] says which questions are due, hears what lists say,
//! and tells what has turned.

mod board;
mod budget;
mod cell;
mod issue;
mod record;
mod rhythm;
mod worth;

pub use board::{Board, Due, NotWatched};
pub use budget::{Budget, Limits, ListDay};
pub use cell::{Cell, Colour, Hearing, ListedAs, Shown, Standing, Turn};
pub use issue::{Issue, IssueTurn, Issues};
pub use record::{RecordChange, RecordSet, Records, Values, Version, observed};
pub use rhythm::Rhythm;
pub use worth::is_of_the_internet;
