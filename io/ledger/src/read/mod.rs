//! Answers to questions about what happened.

mod count;
mod export;
mod follow;
mod latest;
mod parts;
mod tallies;

pub(crate) use count::{facets, groups};
pub(crate) use export::export;
pub(crate) use follow::{follow, sample};
pub(crate) use latest::latest;
pub(crate) use tallies::tallies;
