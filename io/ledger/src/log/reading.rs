//! Reading an append log after a stop, orderly or not.

use crate::entry::Written;
use crate::log::record::{BODY_OCTETS_MAX, HEAD_OCTETS, decode};
use crate::position::Seq;

/// What begins every append log: the name and the version of the format.
pub(super) const HEADER: &[u8; 12] = b"PLLEDGER\x01\0\0\0";

/// What an append log held.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recovered {
    /// The entries, in the order of writing.
    pub entries: Vec<Written>,
    /// The log is whole up to here, in octets; what comes after was torn.
    pub whole_octets: usize,
    /// Records that are whole but were damaged or come from a later version, and were passed over.
    pub passed_over: usize,
    /// Whether it is an append log of a version that can be read. An empty file is one.
    pub is_log: bool,
}

/// Octets that are summed up to find a sound record behind damaged ones. Chosen, not measured:
/// random octets take a 65,536th of theirs, so it ends the search in files made to be slow only.
const SEARCHED_OCTETS_MAX: usize = 1 << 30;

/// Reads the octets of an append log: everything complete, and never an error. A torn end is left
/// off; what is damaged, a record or a whole page of the disk, is passed over where a sound record
/// follows it.
pub fn recover(octets: &[u8]) -> Recovered {
    let mut found = Recovered { is_log: true, ..Recovered::default() };
    let Some(mut rest) = octets.strip_prefix(HEADER) else {
        found.is_log = HEADER.starts_with(octets);
        return found;
    };
    let mut budget = SEARCHED_OCTETS_MAX;
    loop {
        let damaged = match next(rest) {
            Some((body, true, after)) => {
                match decode(body) {
                    Some(written) => found.entries.push(written),
                    None => found.passed_over += 1,
                }
                rest = after;
                continue;
            }
            Some((_, false, after)) => Some(after),
            None => None,
        };
        let last = found.entries.last().map(|written| written.seq);
        // Its length may be right: then the next record begins where it says.
        let follows = damaged.filter(|after| next(after).is_some_and(|(_, is_sound, _)| is_sound));
        let Some(sound) = follows.or_else(|| sound_behind(rest, last, &mut budget)) else { break };
        found.passed_over += 1;
        rest = sound;
    }
    found.whole_octets = octets.len() - rest.len();
    found
}

/// Where the next sound record begins that lies behind `last`, if its place cannot be known from
/// the record before it, which is damaged.
fn sound_behind<'o>(octets: &'o [u8], last: Option<Seq>, budget: &mut usize) -> Option<&'o [u8]> {
    (1..octets.len()).find_map(|at| {
        let rest = octets.get(at..)?;
        // Behind its place an entry says what it is, in one octet: all else is told without a sum.
        if rest.get(HEAD_OCTETS + 8..HEAD_OCTETS + 10) != Some(&[1, 1]) {
            return None;
        }
        let length = u32::from_le_bytes(*rest.first_chunk()?);
        let length = usize::try_from(length).ok().filter(|length| *length <= BODY_OCTETS_MAX)?;
        *budget = budget.checked_sub(length)?;
        let (body, is_sound, _) = next(rest)?;
        let written = decode(body).filter(|_| is_sound)?;
        (Some(written.seq) > last).then_some(rest)
    })
}

/// The next record's body, whether its checksum is right, and what comes behind it.
fn next(octets: &[u8]) -> Option<(&[u8], bool, &[u8])> {
    let (head, rest) = octets.split_first_chunk::<HEAD_OCTETS>()?;
    let [a, b, c, d, sum @ ..] = *head;
    let length = usize::try_from(u32::from_le_bytes([a, b, c, d])).ok()?;
    if length == 0 || length > BODY_OCTETS_MAX {
        return None;
    }
    let (body, after) = rest.split_at_checked(length)?;
    Some((body, crc32c::crc32c(body) == u32::from_le_bytes(sum), after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::tests::full;
    use crate::log::record::encode;
    use proptest::prelude::*;

    fn log(n: u64) -> (Vec<u8>, Vec<usize>) {
        let mut octets = HEADER.to_vec();
        let mut ends = vec![octets.len()];
        for seq in 0..n {
            encode(&Written { seq: Seq(seq), entry: full() }, None, &mut octets);
            ends.push(octets.len());
        }
        (octets, ends)
    }

    #[test]
    fn a_log_cut_anywhere_gives_every_complete_record() {
        let (octets, ends) = log(3);
        for end in 0..=octets.len() {
            let found = recover(&octets[..end]);
            let complete = ends.iter().filter(|at| **at <= end).count().saturating_sub(1);
            assert!(found.is_log);
            assert_eq!(found.entries.len(), complete, "cut at {end}");
            let whole = if end < HEADER.len() { 0 } else { ends[complete] };
            assert_eq!(found.whole_octets, whole, "cut at {end}");
        }
    }

    #[test]
    fn a_damaged_record_is_passed_over_and_the_next_one_kept() {
        let (mut octets, ends) = log(3);
        octets[ends[1] + 20] ^= 1;
        let found = recover(&octets);
        let seqs: Vec<_> = found.entries.iter().map(|written| written.seq).collect();
        assert_eq!(seqs, [Seq(0), Seq(2)]);
        assert_eq!((found.passed_over, found.whole_octets), (1, octets.len()));
    }

    #[test]
    fn a_damaged_page_costs_the_records_in_it_and_none_behind_it() {
        let (whole, ends) = log(40);
        let seqs = |octets: &[u8]| -> Vec<u64> {
            recover(octets).entries.iter().map(|written| written.seq.0).collect()
        };
        for damage in [0, 0xff, 0x5a] {
            let mut octets = whole.clone();
            octets[ends[3] + 5..ends[7] + 9].fill(damage);
            let left: Vec<u64> = (0..3).chain(8..40).collect();
            assert_eq!(seqs(&octets), left);
            assert_eq!(recover(&octets).whole_octets, octets.len());
        }
        // A length alone that is wrong costs its own record.
        let mut octets = whole;
        octets[ends[3]] ^= 4;
        assert_eq!(seqs(&octets), (0..3).chain(4..40).collect::<Vec<_>>());
        octets[ends[3] + 3] = 0xff;
        assert_eq!(seqs(&octets), (0..3).chain(4..40).collect::<Vec<_>>());
    }

    #[test]
    fn what_a_text_makes_up_is_no_record() {
        let mut forged = Vec::new();
        encode(&Written { seq: Seq(1), entry: full() }, None, &mut forged);
        let (mut octets, ends) = log(3);
        octets[ends[2]..].fill(0xff);
        octets.extend(forged);
        octets.extend(log(9).0.split_off(log(8).0.len()));
        let found: Vec<_> = recover(&octets).entries.iter().map(|written| written.seq).collect();
        assert_eq!(found, [Seq(0), Seq(1), Seq(8)], "places rise");
    }

    #[test]
    fn a_damaged_last_record_is_a_torn_end() {
        let (mut octets, ends) = log(2);
        octets[ends[1] + 20] ^= 1;
        assert_eq!(recover(&octets).whole_octets, ends[1]);
    }

    #[test]
    fn another_programs_file_is_no_log() {
        assert!(!recover(b"PAR1 and then something").is_log);
        assert!(!recover(b"PLLEDGER\x02\0\0\0").is_log);
        assert!(recover(b"").is_log);
    }

    proptest! {
        #[test]
        fn foreign_octets_never_panic(octets in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut log = HEADER.to_vec();
            log.extend(octets);
            let _ = recover(&log);
        }
    }
}
