//! Places in the ledger: of an entry, and of a reader that comes back.

use std::fmt;

use postlane_mail::Instant;

/// An entry's place in the order of writing: later entries have larger numbers, with gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Seq(pub u64);

/// Where a page of entries ended: the next one goes on with older entries.
///
/// Printed as 32 hexadecimal digits; nobody should read anything into them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cursor {
    pub(crate) at: Instant,
    pub(crate) seq: Seq,
}

impl Cursor {
    /// Reads a cursor as printed.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 32 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        let (at, seq) = text.split_at(16);
        Some(Self {
            at: Instant(u64::from_str_radix(at, 16).ok()?),
            seq: Seq(u64::from_str_radix(seq, 16).ok()?),
        })
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}{:016x}", self.at.0, self.seq.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_back_from_its_print() {
        let cursor = Cursor { at: Instant(1_763_000_000_000_000), seq: Seq(u64::MAX) };
        assert_eq!(Cursor::parse(&cursor.to_string()), Some(cursor));
        for text in ["", "0", "+123456789abcdef0123456789abcdef", &"é".repeat(16)] {
            assert_eq!(Cursor::parse(text), None, "{text}");
        }
    }
}
