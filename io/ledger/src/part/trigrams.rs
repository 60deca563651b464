//! Which three octets stand beside each other in a part's texts, so that a search for words reads
//! only the columns of the parts in which they can stand.
//!
//! For each column that words are looked for in there is a set: every three octets of every text
//! in it, ASCII letters in lower case, each at a place of a bit field that its octets are hashed
//! to. Words stand nowhere in a column if three octets of theirs are not in its set. The other way
//! round nothing is promised: two at one place, or octets of different texts, only cost a reading.
//!
//! A file is a head, then for each column the length of its name, the name, the binary logarithm of
//! its bits and the bits, lowest first; at the end the CRC-32C of everything before it (u32,
//! little-endian). A part whose file is missing (it was sealed by an older Postlane) or broken is
//! read as if the words could stand everywhere.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use crate::entry::Written;
use crate::filter::{TEXT_COLUMNS, texts};
use crate::private::create;

/// The first octets of a file.
const HEAD: &[u8; 8] = b"PLTRIGR\x01";
/// Bits for each three octets, at least, as long as there are no more than the most: one in eight
/// of those that are not there is believed to be. Chosen, not measured.
const BITS_EACH: usize = 8;
/// The fewest bits of a column, as a binary logarithm: eight octets.
const BITS_LOG_MIN: u32 = 6;
/// The most: 16 KiB. Random letters and digits make 46,656 different threes, and fill 30 % of it.
const BITS_LOG_MAX: u32 = 17;
/// No file is longer: all columns at their most, with their names.
const FILE_OCTETS_MAX: u64 = (TEXT_COLUMNS.len() as u64) * ((1 << (BITS_LOG_MAX - 3)) + 64) + 64;

/// The sets of a part's columns.
#[derive(Debug)]
pub(crate) struct Trigrams {
    octets: Vec<u8>,
    /// Each column's name and bits.
    columns: Vec<(String, std::ops::Range<usize>)>,
}

/// Writes the sets of `entries` to `path`, durably with its name, or not at all.
pub(crate) fn write(path: &Path, entries: &[&Written]) -> io::Result<()> {
    let whole = path.with_extension("tmp");
    let mut file = create(&whole)?;
    file.write_all(&encode(entries))?;
    file.sync_all()?;
    fs::rename(&whole, path)?;
    match path.parent() {
        Some(dir) => File::open(dir)?.sync_all(),
        None => Ok(()),
    }
}

fn encode(entries: &[&Written]) -> Vec<u8> {
    let mut out = HEAD.to_vec();
    // A bit for every three octets there can be, to find the different ones: 2 MiB, of which few
    // texts touch much.
    let mut seen = vec![0_u64; 1 << 18];
    let mut different: Vec<u32> = Vec::new();
    for (column, name) in TEXT_COLUMNS.iter().enumerate() {
        let mut last = "";
        for written in entries {
            let text = texts(&written.entry)[column].as_str();
            if text == last {
                continue;
            }
            last = text;
            for gram in grams(text.as_bytes()) {
                let bits = &mut seen[gram as usize >> 6];
                if *bits & (1 << (gram & 63)) == 0 {
                    *bits |= 1 << (gram & 63);
                    different.push(gram);
                }
            }
        }
        let log = (different.len() * BITS_EACH).max(1).next_power_of_two().ilog2();
        let log = log.clamp(BITS_LOG_MIN, BITS_LOG_MAX);
        out.push(name.len() as u8);
        out.extend_from_slice(name.as_bytes());
        out.push(log as u8);
        let start = out.len();
        out.resize(start + (1 << (log - 3)), 0);
        for gram in different.drain(..) {
            seen[gram as usize >> 6] = 0;
            let place = place(gram, log);
            out[start + place / 8] |= 1 << (place % 8);
        }
    }
    let sum = crc32c::crc32c(&out);
    out.extend_from_slice(&sum.to_le_bytes());
    out
}

impl Trigrams {
    /// Reads a file; nothing when there is none, or it is not what was written.
    pub(crate) fn read(path: &Path) -> io::Result<Option<Self>> {
        match fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
            Ok(file) if file.len() > FILE_OCTETS_MAX => return Ok(None),
            Ok(_) => {}
        }
        Ok(Self::decode(fs::read(path)?))
    }

    fn decode(octets: Vec<u8>) -> Option<Self> {
        let (body, sum) = octets.split_last_chunk::<4>()?;
        if crc32c::crc32c(body) != u32::from_le_bytes(*sum) {
            return None;
        }
        let mut rest = body.strip_prefix(HEAD)?;
        let mut columns = Vec::new();
        while let Some((length, after)) = rest.split_first() {
            let (name, after) = after.split_at_checked(usize::from(*length))?;
            let (log, after) = after.split_first()?;
            if !(BITS_LOG_MIN..=BITS_LOG_MAX).contains(&u32::from(*log)) {
                return None;
            }
            let start = body.len() - after.len();
            let (bits, after) = after.split_at_checked(1 << (log - 3))?;
            columns.push((str::from_utf8(name).ok()?.to_owned(), start..start + bits.len()));
            rest = after;
        }
        Some(Self { octets, columns })
    }

    /// Whether `words` may stand in a text of `column`; yes for a column that has no set.
    pub(crate) fn may_have(&self, column: &str, words: &str) -> bool {
        let Some((_, range)) = self.columns.iter().find(|(name, _)| name == column) else {
            return true;
        };
        let bits = &self.octets[range.clone()];
        let log = bits.len().ilog2() + 3;
        grams(words.as_bytes()).all(|gram| {
            let place = place(gram, log);
            bits[place / 8] & (1 << (place % 8)) != 0
        })
    }
}

/// Every three octets of `text` in 24 bits, ASCII letters in lower case.
fn grams(text: &[u8]) -> impl Iterator<Item = u32> {
    text.windows(3).map(|three| {
        three.iter().fold(0, |gram, b| (gram << 8) | u32::from(b.to_ascii_lowercase()))
    })
}

/// Where among 2^`log` bits a three has its place (Fibonacci hashing).
fn place(gram: u32, log: u32) -> usize {
    (gram.wrapping_mul(0x9e37_79b1) >> (32 - log)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::tests::any_entry;
    use crate::position::Seq;
    use crate::words::Words;
    use proptest::prelude::*;

    fn sets(entries: &[crate::Entry]) -> Trigrams {
        let written: Vec<Written> = (0..)
            .zip(entries)
            .map(|(seq, entry)| Written { seq: Seq(seq), entry: entry.clone() })
            .collect();
        Trigrams::decode(encode(&written.iter().collect::<Vec<_>>())).unwrap()
    }

    fn saying(reply: &str) -> crate::Entry {
        let mut entry = crate::Entry::new(crate::Kind::Deferred, postlane_mail::Instant(1));
        entry.reply = reply.into();
        entry
    }

    #[test]
    fn words_that_stand_nowhere_are_told_by_three_octets_of_theirs() {
        let sets = sets(&[saying("4.7.0 Too many messages"), saying("5.1.1 No such user here")]);
        for (words, is) in [
            ("TOO MANY", true),
            ("such user", true),
            ("words nobody said", false),
            ("too many users", false),
            ("xx", true),
            ("", true),
        ] {
            assert_eq!(sets.may_have("reply", words), is, "{words}");
        }
        assert!(!sets.may_have("recipient", "anna"));
        assert!(sets.may_have("a column of later", "anna"));
    }

    #[test]
    fn a_file_that_is_not_what_was_written_tells_nothing() {
        let entry = saying("Mailbox full");
        let octets = encode(&[&Written { seq: Seq(1), entry }]);
        assert!(Trigrams::decode(octets.clone()).is_some());
        for at in 0..octets.len() {
            let mut damaged = octets.clone();
            damaged[at] ^= 4;
            assert!(Trigrams::decode(damaged).is_none(), "octet {at}");
            assert!(Trigrams::decode(octets[..at].to_vec()).is_none(), "cut at {at}");
        }
    }

    #[test]
    fn no_file_is_longer_than_may_be_read() {
        let mut drawn = 1_u64;
        let entries: Vec<_> = (0..20_000)
            .map(|_| {
                let mut entry = saying("");
                for slot in [&mut entry.reply, &mut entry.recipient, &mut entry.message_id] {
                    drawn = drawn.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(99);
                    *slot = compact_str::format_compact!(
                        "{drawn:x}{}",
                        char::from((drawn >> 57) as u8)
                    );
                }
                Written { seq: Seq(0), entry }
            })
            .collect();
        let octets = encode(&entries.iter().collect::<Vec<_>>());
        assert!(octets.len() as u64 <= FILE_OCTETS_MAX);
    }

    proptest! {
        #[test]
        fn what_a_text_holds_is_never_denied(
            entries in proptest::collection::vec(any_entry(), 1..8),
            from in 0_usize..60, length in 0_usize..30, whose in 0_usize..8, column in 0_usize..7,
            is_upper: bool,
        ) {
            let sets = sets(&entries);
            let said = texts(&entries[whose % entries.len()])[column];
            let words: String = said.chars().skip(from % (said.len() + 1)).take(length).collect();
            let words = if is_upper { words.to_ascii_uppercase() } else { words };
            prop_assert!(Words::new(&words).stand_in(said.as_bytes()));
            prop_assert!(sets.may_have(TEXT_COLUMNS[column], &words));
        }

        #[test]
        fn foreign_octets_never_panic(octets in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut file = HEAD.to_vec();
            file.extend(octets);
            let sum = crc32c::crc32c(&file);
            file.extend(sum.to_le_bytes());
            if let Some(sets) = Trigrams::decode(file) {
                let _ = sets.may_have("reply", "words");
            }
        }
    }
}
