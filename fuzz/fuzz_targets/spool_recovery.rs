//! Any octets as the only segment of a spool, and then as its index: it is opened, read, changed
//! and opened again, and what came back the first time comes back the second.
//!
//! The first octet says what is done with the others: with 1 the records are summed up again, so
//! that what was changed inside of them is believed; with 2 the next two octets say how many
//! belong to the segment, and the rest is its index.

#![no_main]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Mutex;

use libfuzzer_sys::fuzz_target;
use postlane_mail::QueueId;
use postlane_spool::{
    Commits, Disk, Inserted, OpenError, Recovered, Seq, Settings, Store, StoreError,
};

const SETTINGS: Settings = Settings {
    segment_octets: 4096,
    free_octets_min: 0,
    free_percent_min: 0,
    reserve_octets: 0,
    backlog_octets_max: 1 << 20,
};

const SEGMENT_HEADER: usize = 32;
const HEADER: usize = 40;
const MAGIC: [u8; 4] = [0xb7, b'P', b'L', b'R'];

struct Deaf;

impl Commits for Deaf {
    fn inserted(&mut self, _: Vec<Inserted>) {}
    fn committed(&mut self, _: Seq) {}
    fn failed(&mut self, error: StoreError) {
        panic!("{error}");
    }
}

fuzz_target!(|octets: &[u8]| {
    let Some((how, octets)) = octets.split_first() else { return };
    let (mut segment, mut index) = (octets.to_vec(), None);
    if how & 2 != 0 {
        let Some((many, octets)) = octets.split_first_chunk() else { return };
        let many = usize::from(u16::from_le_bytes(*many)).min(octets.len());
        segment = octets[..many].to_vec();
        index = Some(octets[many..].to_vec());
    }
    if how & 1 != 0 {
        sum_up(&mut segment);
        index.iter_mut().for_each(|index| sum_up_index(index));
    }
    let dir = tempfile::tempdir_in(fastest()).expect("a directory");
    fs::write(dir.path().join("00000001.seg"), &segment).expect("a file");
    if let Some(index) = &index {
        fs::write(dir.path().join("00000001.idx"), index).expect("a file");
    }
    let Some(first) = come_back(dir.path()) else { return };
    let second = come_back(dir.path()).expect("it was opened before");
    // An index may tell what no segment tells.
    assert!(first == second || index.is_some());
});

/// Memory, where there is some.
fn fastest() -> &'static Path {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { memory } else { Path::new("/tmp") }
}

/// Opens the spool and reads all there is.
fn come_back(dir: &Path) -> Option<BTreeMap<QueueId, Vec<Recovered>>> {
    // What a check finds is not what a start finds: a start believes indexes.
    drop(postlane_spool::check(dir, |_, _| ()));
    let opened = match Disk::open(dir, SETTINGS, Deaf) {
        Ok(opened) => opened,
        Err(OpenError::Later { .. }) => return None,
        Err(error) => panic!("{error}"),
    };
    opened.recovery.report.findings.iter().for_each(|finding| drop(finding.to_string()));
    let all = Mutex::new(BTreeMap::<QueueId, Vec<Recovered>>::new());
    let findings = opened.recovery.drain(|batch| {
        let mut all = all.lock().expect("nobody panics here");
        batch.into_iter().for_each(|r| all.entry(r.id).or_default().push(r));
    });
    findings.iter().for_each(|finding| drop(finding.to_string()));
    let mut all = all.into_inner().expect("nobody panics here");
    for recovered in all.values().flatten() {
        // It may be damaged; it must not panic.
        drop(opened.store.read(recovered.place));
        drop(opened.store.progress(recovered.place));
    }
    drop(opened.store.keyed(""));
    opened.store.close();
    // What was moved meanwhile has another place.
    for many in all.values_mut() {
        many.iter_mut().for_each(|recovered| recovered.place.segment = 0);
        many.iter_mut().for_each(|recovered| recovered.place.ordinal = 0);
        many.sort_by_key(|recovered| format!("{recovered:?}"));
    }
    Some(all)
}

fn put(octets: &mut [u8], at: usize, number: u32) {
    if let Some(room) = octets.get_mut(at..at + 4) {
        room.copy_from_slice(&number.to_le_bytes());
    }
}

fn number(octets: &[u8], at: usize) -> usize {
    let taken = octets.get(at..at + 4).and_then(|four| four.try_into().ok());
    u32::from_le_bytes(taken.unwrap_or_default()) as usize
}

/// Gives the segment's header, its records and what is in them right checksums.
fn sum_up(segment: &mut [u8]) {
    if segment.len() < SEGMENT_HEADER {
        return;
    }
    let crc = crc32c::crc32c(&segment[..28]);
    put(segment, 28, crc);
    let mut at = SEGMENT_HEADER;
    while at + HEADER <= segment.len() {
        if segment[at..at + 4] != MAGIC {
            at += 1;
            continue;
        }
        let body = at + HEADER;
        let end = body.saturating_add(number(segment, at + 8)).min(segment.len());
        match segment[at + 4] {
            1 => sum_up_message(&mut segment[body..end]),
            2 => sum_up_entries(&mut segment[body..end]),
            _ => {}
        }
        let checked = body.saturating_add(number(segment, at + 12)).min(end);
        let check = crc32c::crc32c(&segment[body..checked]);
        put(segment, at + 16, check);
        let epoch = number(segment, 16) as u32;
        put(segment, at + 20, epoch);
        let crc = crc32c::crc32c(&segment[at..at + 36]);
        put(segment, at + 36, crc);
        at = end.max(at + 1);
    }
}

fn sum_up_message(message: &mut [u8]) {
    let head = number(message, 8);
    if (32..=message.len()).contains(&head) {
        let end = head.saturating_add(number(message, 12)).min(message.len());
        let crc = crc32c::crc32c(&message[head..end]);
        put(message, 16, crc);
        let crc = crc32c::crc32c(&message[..head - 4]);
        put(message, head - 4, crc);
    }
}

fn sum_up_entries(mut entries: &mut [u8]) {
    while entries.len() >= 5 {
        let kind = entries[0];
        let end = number(entries, 1).saturating_add(5).min(entries.len());
        let (entry, rest) = entries.split_at_mut(end);
        match kind {
            2 if entry.len() >= 9 => {
                let last = entry.len() - 4;
                let crc = crc32c::crc32c(&entry[5..last]);
                put(entry, last, crc);
            }
            5 => sum_up_message(&mut entry[5..]),
            6 if entry.len() >= 13 => sum_up_message(&mut entry[13..]),
            0x41 if entry.len() >= 17 => sum_up_message(&mut entry[17..]),
            0x42 if entry.len() >= 25 => sum_up_message(&mut entry[25..]),
            _ => {}
        }
        entries = rest;
    }
}

fn sum_up_index(index: &mut [u8]) {
    if index.len() >= 56 {
        sum_up_entries(&mut index[56..]);
        let crc = crc32c::crc32c(&index[56..]);
        put(index, 48, crc);
        let crc = crc32c::crc32c(&index[..52]);
        put(index, 52, crc);
    }
}
