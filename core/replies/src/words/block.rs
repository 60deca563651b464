//! Texts sixty-four octets at a time: which of them are letters, in lower case, and which need a
//! look.
//!
//! Octets that are asked the same are asked together, several by one instruction where the
//! processor has such, and the answers are bits of one number each: so a word costs the same few
//! steps whatever its length, and the processor need not guess where it ends.

use std::ops::Range;

use super::Eights;

/// Sixty-four octets, blanks behind the end of the text.
pub(super) struct Block {
    /// Those that are ASCII letters in lower case, digits as they are; the others are not said.
    /// There are some behind the sixty-four so that eight can be read from any of them.
    lower: [u8; Self::OCTETS + 8],
    /// The ASCII letters and digits, from the lowest bit.
    pub(super) letters: u64,
    /// What may be more than the end of a word: `<`, `'`, a `-` behind an `e`, and whatever is
    /// not ASCII.
    pub(super) special: u64,
}

impl Block {
    /// How many octets a block has.
    pub(super) const OCTETS: usize = 64;

    /// The first octets of these.
    #[inline]
    pub(super) fn of(octets: &[u8]) -> Self {
        match octets.first_chunk() {
            Some(whole) => Self::whole(whole),
            None => {
                let mut padded = [b' '; Self::OCTETS];
                if let Some(begin) = padded.get_mut(..octets.len()) {
                    begin.copy_from_slice(octets);
                }
                Self::whole(&padded)
            }
        }
    }

    #[inline]
    fn whole(octets: &[u8; Self::OCTETS]) -> Self {
        let mut lower = [0; Self::OCTETS + 8];
        let mut before = [0; Self::OCTETS];
        if let Some((_, but_last)) = octets.split_last() {
            before[1..].copy_from_slice(but_last);
        }
        let mut letters = [0; Self::OCTETS];
        let mut special = [0; Self::OCTETS];
        for at in 0..Self::OCTETS {
            let octet = octets[at];
            let is_upper = octet.wrapping_sub(b'A') < 26;
            let low = octet | (u8::from(is_upper) << 5);
            lower[at] = low;
            letters[at] = u8::from((low.wrapping_sub(b'a') < 26) | (low.wrapping_sub(b'0') < 10));
            let is_hyphen = (octet == b'-') & (before[at] | 0x20 == b'e');
            let is_mark = (octet == b'<') | (octet == b'\'') | (octet >= 0x80);
            special[at] = u8::from(is_mark | is_hyphen);
        }
        Self { lower, letters: bits(&letters), special: bits(&special) }
    }

    /// The word that stands at a place.
    #[inline]
    pub(super) fn word(&self, place: Range<u32>) -> (&[u8], Eights) {
        let (start, end) = (place.start as usize, place.end as usize);
        let word = self.lower.get(start..end).unwrap_or_default();
        let begin = self.lower.get(start..).and_then(<[u8]>::first_chunk);
        let begin = u64::from_le_bytes(*begin.unwrap_or(&[0; 8]));
        match word.last_chunk() {
            Some(last) => {
                let (last, length) = (u64::from_le_bytes(*last), place.end - place.start);
                (word, Eights { first: begin, last, length })
            }
            None => (word, Eights::short(begin, place.end - place.start)),
        }
    }
}

/// The bits of octets that are 0 or 1 each, the first lowest.
#[inline]
fn bits(octets: &[u8; Block::OCTETS]) -> u64 {
    let (eights, _) = octets.as_chunks::<8>();
    // Each factor's bit brings the bit of one octet to its place in the highest octet.
    let of = |eight: &[u8; 8]| u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
    eights.iter().zip((0..).step_by(8)).fold(0, |all, (eight, place)| all | of(eight) << place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn letters_are_low_and_marked(octets in prop::collection::vec(prop_oneof![any::<u8>(), Just(b'-'), Just(b'e')], 0..70)) {
            let block = Block::of(&octets);
            for at in 0..Block::OCTETS {
                let octet = octets.get(at).copied().unwrap_or(b' ');
                let is_letter = block.letters >> at & 1 == 1;
                prop_assert_eq!(is_letter, octet.is_ascii_alphanumeric());
                prop_assert!(!is_letter || block.lower[at] == octet.to_ascii_lowercase());
                let before = at.checked_sub(1).and_then(|at| octets.get(at).copied());
                let is_special = matches!(octet, b'<' | b'\'' | 0x80..)
                    || octet == b'-' && matches!(before, Some(b'e' | b'E'));
                prop_assert_eq!(block.special >> at & 1 == 1, is_special);
            }
        }

        #[test]
        fn a_word_has_its_own_octets_and_no_others(
            octets in "[a-z0-9]{64}",
            start in 0_u32..64,
            length in 1_u32..64,
        ) {
            let block = Block::of(octets.as_bytes());
            let (word, eights) = block.word(start..(start + length).min(64));
            prop_assert_eq!(word, &octets.as_bytes()[start as usize..][..word.len()]);
            prop_assert_eq!(eights, Eights::of(word));
        }
    }
}
