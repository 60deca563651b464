//! The form of a message: what stands in its fields, read as strictly as the RFC has it and as
//! kindly as real mail needs it. Every reading says how far it had to go.

pub mod address;
mod catalogue;
pub mod date;
mod dates;
mod from;
mod header;
mod lines;
mod parts;
mod scan;
mod single;
mod trace;
pub mod words;

pub(crate) use catalogue::CHECKS;
pub(crate) use dates::span;
pub(crate) use from::{FREEMAIL, author, is_same_organisation};
pub(crate) use single::is_local;
