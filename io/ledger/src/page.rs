//! What a reader is given.

use compact_str::CompactString;
use postlane_mail::Instant;

use crate::entry::Written;
use crate::field::Field;
use crate::position::{Cursor, Seq};

/// Entries, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// The entries; [`crate::Entry::sample`] is left out, [`crate::Ledger::sample`] has it.
    pub entries: Vec<Written>,
    /// Where older entries go on; nothing when there are none.
    pub next: Option<Cursor>,
    /// Set when the search was broken off before the page was full: everything from this moment on
    /// was looked through, and `next` goes on behind it.
    pub searched_until: Option<Instant>,
}

/// How often each value of a field occurs, most frequent first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counts {
    /// The field.
    pub field: Field,
    /// Values and how many entries have them; the empty value is "not known".
    pub values: Vec<(CompactString, u64)>,
    /// Entries with values that found no place in the list.
    pub others: u64,
    /// All entries that were counted.
    pub total: u64,
}

/// How many entries share their values of several fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The values, in the order in which the fields were asked for.
    pub values: Vec<CompactString>,
    /// How many entries.
    pub count: u64,
    /// Their [`crate::Entry::delay_ms`] together, in milliseconds.
    pub delay_ms: u64,
}

/// Entries in the order of writing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Followed {
    /// The entries, oldest first, without their samples.
    pub entries: Vec<Written>,
    /// Everything up to here was looked at: ask on from here.
    pub upto: Seq,
}
