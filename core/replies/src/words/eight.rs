//! Texts eight octets at a time, as one number each: where letters end, and where blanks are.
//!
//! Most words have no more than eight letters, so a word is one step instead of one for each
//! letter, and the processor need not guess where it ends.

/// The highest bit of each octet.
const HIGH: u64 = octets(0x80);

/// The ASCII letters and digits at the beginning, letters in lower case, and how many there are;
/// what comes behind them is not said.
pub(super) fn letters(eight: [u8; 8]) -> ([u8; 8], usize) {
    let text = u64::from_le_bytes(eight);
    let upper = within(text, b'A', b'Z');
    let is_letter = upper | within(text, b'a', b'z') | within(text, b'0', b'9');
    // An upper-case letter and its lower-case one differ in the bit 0x20.
    let lower = text | (upper >> 2);
    let count = (!is_letter & HIGH).trailing_zeros() / 8;
    (lower.to_le_bytes(), count as usize)
}

/// The places of all blanks.
pub(crate) fn blanks(words: &[u8]) -> impl Iterator<Item = usize> {
    let (eights, rest) = words.as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let all = eights.iter().copied().chain([last]);
    all.zip((0..).step_by(8)).flat_map(|(eight, begin)| Marked {
        octets: within(u64::from_le_bytes(eight), b' ', b' '),
        begin,
    })
}

/// Octets of eight that are marked by their highest bits.
struct Marked {
    octets: u64,
    begin: usize,
}

impl Iterator for Marked {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let place = self.octets.trailing_zeros() as usize / 8;
        let is_one = self.octets != 0;
        self.octets &= self.octets.wrapping_sub(1);
        is_one.then_some(self.begin + place)
    }
}

/// The highest bits of those octets that are ASCII and neither below `first` nor above `last`.
fn within(text: u64, first: u8, last: u8) -> u64 {
    // With its highest bit set an octet is greater than any that is taken from it: nothing is
    // borrowed from its neighbour, and the bit stays where the octet was not less.
    let not_below = (text | HIGH) - octets(first);
    let above = (text | HIGH) - octets(last + 1);
    not_below & !above & !text & HIGH
}

/// The same octet eight times.
const fn octets(octet: u8) -> u64 {
    u64::from_le_bytes([octet; 8])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn letters_end_where_the_first_other_octet_stands(eight: [u8; 8], like: [bool; 8]) {
            let mut eight = eight;
            for (octet, like) in eight.iter_mut().zip(like) {
                *octet = if like { b'A' + *octet % 26 } else { *octet };
            }
            let (lower, count) = letters(eight);
            let end = eight.iter().position(|octet| !octet.is_ascii_alphanumeric()).unwrap_or(8);
            prop_assert_eq!(count, end);
            prop_assert_eq!(&lower[..count], &eight.to_ascii_lowercase()[..end]);
        }

        #[test]
        fn all_blanks_are_found(words in prop::collection::vec(prop_oneof![Just(b' '), any::<u8>()], 0..40)) {
            let places: Vec<_> = (0..words.len()).filter(|at| words[*at] == b' ').collect();
            prop_assert_eq!(blanks(&words).collect::<Vec<_>>(), places);
        }
    }
}
