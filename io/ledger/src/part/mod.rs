//! A part: entries of about an hour, sealed into files that do not change any more.

mod catalogue;
mod columns;
mod cube;
mod files;
pub(crate) mod minutes;
mod name;
mod question;
mod samples;
mod seal;
mod trigrams;

pub(crate) use catalogue::{Part, carefully};
pub(crate) use columns::{ENTRY_COLUMNS, values};
pub(crate) use files::Files;
pub(crate) use name::Name;
pub(crate) use question::{Matches, Question, field_of};
pub(crate) use seal::{Step, name, step};
