//! A column, as it is declared and as it is held in memory.

use bytes::Bytes;

/// A column's declaration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Column {
    /// The name, as DuckDB shows it.
    pub(crate) name: &'static str,
    /// What is in it.
    pub(crate) form: Form,
}

/// What is in a column, and how it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// A moment in microseconds.
    Moment,
    /// A number from 0.
    Number,
    /// A number from 0 of which there are few.
    Small,
    /// A text that mostly differs from row to row, with a Bloom filter.
    Name,
    /// A text that mostly repeats, with a dictionary and a Bloom filter.
    Word,
    /// A text that mostly repeats and is not looked for by itself.
    Phrase,
    /// A longer text that repeats in part.
    Prose,
    /// A long text that differs from row to row and is not looked for.
    Long,
}

/// One column's values, to be written.
#[derive(Debug)]
pub(crate) enum Values {
    /// For [`Form::Name`], [`Form::Word`] and [`Form::Phrase`].
    Texts(Vec<Option<Bytes>>),
    /// For [`Form::Number`] and [`Form::Moment`].
    Numbers(Vec<Option<u64>>),
}

/// Texts that were read: each row says which word it has.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    /// The words, in no order; one may stand twice.
    pub(crate) words: Vec<Bytes>,
    /// Per row the word's index, or [`Self::NONE`].
    pub(crate) rows: Vec<u32>,
}

/// Numbers that were read.
#[derive(Debug, Default)]
pub(crate) struct Numbers {
    /// Per row the number, if there is one.
    pub(crate) rows: Vec<Option<u64>>,
}

impl Column {
    pub(crate) const fn new(name: &'static str, form: Form) -> Self {
        Self { name, form }
    }
}

impl Form {
    pub(crate) const fn is_text(self) -> bool {
        !matches!(self, Self::Moment | Self::Number | Self::Small)
    }

    /// Whether it is compressed. What is packed bits of a small dictionary is not: that would save
    /// a third, and cost more than all other reading.
    pub(crate) const fn is_compressed(self) -> bool {
        !matches!(self, Self::Word | Self::Phrase | Self::Small)
    }

    pub(crate) const fn has_bloom_filter(self) -> bool {
        matches!(self, Self::Name | Self::Word)
    }
}

impl Texts {
    /// No word.
    pub(crate) const NONE: u32 = u32::MAX;

    /// The text of a row; empty when it has none.
    pub(crate) fn text(&self, row: usize) -> &str {
        let word = self.rows.get(row).and_then(|word| self.words.get(*word as usize));
        // What is not UTF-8 is refused when it is read.
        word.map_or("", |word| str::from_utf8(word).unwrap_or_default())
    }

    /// A word as text; empty for [`Self::NONE`].
    pub(crate) fn word(&self, word: u32) -> &str {
        let word = self.words.get(word as usize);
        word.map_or("", |word| str::from_utf8(word).unwrap_or_default())
    }
}
