//! Reading an append log after a stop, orderly or not.

use crate::entry::Written;
use crate::log::record::{BODY_OCTETS_MAX, HEAD_OCTETS, decode};

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

/// Reads the octets of an append log: everything complete, and never an error. A torn end is left
/// off; one damaged record is passed over when a sound one follows it.
pub fn recover(octets: &[u8]) -> Recovered {
    let mut found = Recovered { is_log: true, ..Recovered::default() };
    let Some(mut rest) = octets.strip_prefix(HEADER) else {
        found.is_log = HEADER.starts_with(octets);
        return found;
    };
    while let Some((body, is_sound, after)) = next(rest) {
        if !is_sound && !next(after).is_some_and(|(_, is_sound, _)| is_sound) {
            break;
        }
        match decode(body) {
            Some(written) if is_sound => found.entries.push(written),
            _ => found.passed_over += 1,
        }
        rest = after;
    }
    found.whole_octets = octets.len() - rest.len();
    found
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
    use crate::position::Seq;
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
