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
    pub(crate) fn of(word: &[u8]) -> Self {
        let length = u32::try_from(word.len()).unwrap_or(u32::MAX);
        match (word.first_chunk(), word.last_chunk()) {
            (Some(first), Some(last)) => {
                Self { first: u64::from_le_bytes(*first), last: u64::from_le_bytes(*last), length }
            }
            _ => {
                let first = word.iter().rev().fold(0, |all, octet| all << 8 | u64::from(*octet));
                Self::short(first, length)
            }
        }
    }

    /// Of a word with no more than eight octets, which begins so.
    #[inline]
    pub(super) fn short(begin: u64, length: u32) -> Self {
        let foreign = 64 - 8 * length.clamp(1, 8);
        let first = begin << foreign >> foreign;
        Self { first, last: first << foreign, length }
    }

    /// A hash that is good enough for words.
    #[inline]
    pub(crate) fn hash(self) -> usize {
        const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
        ((self.first ^ self.last.rotate_left(29)).wrapping_mul(FACTOR) >> 32) as usize
    }
}
