//! What was looked at on the way to a verdict, record by record.

use crate::dns::Name;

/// One record that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Whose.
    pub domain: Box<str>,
    /// The record as published, what is beyond ASCII replaced; none if there was none to read.
    pub record: Option<Box<str>>,
    /// Its terms as far as they were looked at, in that order; the redirection last.
    pub terms: Vec<Seen>,
}

/// A term that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// As it is written.
    pub term: Box<str>,
    /// The name that was asked for, with macros expanded; none where none was.
    pub name: Option<Name>,
    /// Questions that this term cost of the ten there are (§4.6.4), without those of records below.
    pub lookups: u8,
    /// Whether the sender is whom the term means.
    pub matched: Match,
    /// The record it led to.
    pub below: Option<Box<Step>>,
}

/// Whether a term matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Match {
    /// It did, and that was the end.
    Yes,
    /// It did not.
    No,
    /// It could not be found out: the evaluation ended there.
    Broken,
}

impl Step {
    pub(super) fn new(domain: &str) -> Self {
        Self { domain: domain.into(), record: None, terms: Vec::new() }
    }

    /// How many records were looked at: this one and all below.
    pub fn records(&self) -> usize {
        let below = self.terms.iter().filter_map(|seen| seen.below.as_deref());
        1 + below.map(Self::records).sum::<usize>()
    }
}
