//! Words by their first and their last eight octets, one number each, and their length: that is
//! all there is to most of them.

/// The first and the last eight octets of a word, zeros behind or before them, and its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Eights {
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) length: u32,
}

impl Eights {
    pub(crate) const fn of(word: &[u8]) -> Self {
        let length = word.len() as u32;
        match (word.first_chunk(), word.last_chunk()) {
            (Some(first), Some(last)) => {
                Self { first: u64::from_le_bytes(*first), last: u64::from_le_bytes(*last), length }
            }
            _ => {
                let (mut first, mut at) = (0, word.len());
                while at > 0 {
                    at -= 1;
                    first = first << 8 | word[at] as u64;
                }
                Self::short(first, length)
            }
        }
    }

    /// Of a word with no more than eight octets, which begins so.
    #[inline]
    pub(crate) const fn short(begin: u64, length: u32) -> Self {
        let foreign = foreign(length);
        let first = begin << foreign >> foreign;
        Self { first, last: first << foreign, length }
    }

    /// The same word in lower case, all of it ASCII letters.
    #[inline]
    pub(crate) fn lower(self) -> Self {
        const LOWER: u64 = 0x2020_2020_2020_2020;
        let foreign = foreign(self.length);
        let (first, last) = (LOWER << foreign >> foreign, LOWER << foreign);
        Self { first: self.first | first, last: self.last | last, length: self.length }
    }

    /// A hash that is good enough for words.
    #[inline]
    pub(crate) const fn hash(self) -> usize {
        const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
        ((self.first ^ self.last.rotate_left(29)).wrapping_mul(FACTOR) >> 32) as usize
    }
}

/// How many bits of eight octets are not a word's that has so many octets.
const fn foreign(length: u32) -> u32 {
    match length {
        0 | 1 => 56,
        2..8 => 64 - 8 * length,
        _ => 0,
    }
}
