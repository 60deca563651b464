//! Any octets as an append log of the ledger: what is complete is read, and reading only what was
//! found whole gives the same again.
//!
//! The first octet says what is done with the others: with 1 a log's header is put in front and the
//! records are summed up again, so that what was changed inside of them is believed.

#![no_main]

use libfuzzer_sys::fuzz_target;
use postlane_ledger::recover;

const HEADER: &[u8; 12] = b"PLLEDGER\x01\0\0\0";

/// Writes the right checksum into every record.
fn sum_up(log: &mut [u8]) {
    let mut at = HEADER.len();
    while let Some(head) = log.get(at..at + 8) {
        let length = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let Some(body) = at.checked_add(8 + length).and_then(|end| log.get(at + 8..end)) else {
            return;
        };
        let sum = crc32c::crc32c(body).to_le_bytes();
        log[at + 4..at + 8].copy_from_slice(&sum);
        at += 8 + length;
    }
}

fuzz_target!(|octets: &[u8]| {
    let Some((mode, octets)) = octets.split_first() else { return };
    let mut log = octets.to_vec();
    if *mode == 1 {
        log.splice(0..0, HEADER.iter().copied());
        sum_up(&mut log);
    }
    let found = recover(&log);
    assert!(found.whole_octets <= log.len());
    if found.is_log {
        let again = recover(&log[..found.whole_octets]);
        assert_eq!(again.entries, found.entries);
        assert_eq!(again.whole_octets, found.whole_octets);
    } else {
        assert!(found.entries.is_empty());
    }
});
