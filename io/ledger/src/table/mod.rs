//! A Parquet file as the ledger uses it: one row group, texts and numbers, each of which may be missing.
//!
//! Written by the `parquet` crate. Read page by page with decoding of our own, because a question
//! mostly needs a few columns of many rows: a word of a column's dictionary is looked at once, and
//! its rows are counted as numbers.

mod column;
mod read;
mod rle;
mod write;

pub(crate) use column::{Column, Form, Numbers, Texts, Values};
pub(crate) use read::{Table, TableError};
pub(crate) use write::{Groups, write};
