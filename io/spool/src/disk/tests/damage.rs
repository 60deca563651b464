//! Files that were cut or damaged behind the store's back.

use std::collections::BTreeSet;

use postlane_mail::{Place, QueueId};

use super::super::faulty::Faulty;
use super::rig::{Opened, Rig, SETTINGS, id, message, progress, reply};
use crate::finding::Wrong;
use crate::store::{Change, Changes, Fate, Seq, Store as _, Urgency};

fn change(seq: u64, place: Place, fate: Fate) -> Changes {
    let change = Change { id: QueueId::from_bits(0), place, recipient: 0, fate };
    Changes { seq: Seq(seq), urgency: Urgency::Now, recipients: vec![change], ..Changes::default() }
}

/// A crashed spool of one segment, and where its records end: five messages, the third deferred,
/// the fourth done with a report that is owed for it, and a seventh.
fn written() -> (Faulty, Vec<usize>) {
    let volume = Faulty::default();
    let mut rig = Rig::open(&volume, SETTINGS).unwrap().rig;
    let mut ends = vec![volume.used() as usize];
    let mut places = Vec::new();
    for n in 1..=5 {
        let ticket = rig.disk.insert(message(n, 1, 40));
        rig.step();
        places.push(ticket.wait().unwrap());
        ends.push(volume.used() as usize);
    }
    let mut owed = change(2, places[3], Fate::Done);
    owed.insertions.push(message(6, 1, 30));
    let deferred = Fate::Waiting(progress(2), Some(reply(2)));
    for changes in [change(1, places[2], deferred), owed] {
        rig.disk.commit(changes);
        rig.step();
        ends.push(volume.used() as usize);
    }
    drop(rig.disk.insert(message(7, 1, 25)));
    rig.step();
    ends.push(volume.used() as usize);
    (volume.after_crash(1), ends)
}

const SEGMENT: &str = "00000001.seg";

fn numbers(opened: &Opened) -> BTreeSet<u64> {
    opened.recovered.iter().map(|recovered| recovered.id.bits() >> 8).collect()
}

/// What is there after so many whole records.
fn expected(records: usize) -> BTreeSet<u64> {
    match records {
        0..=5 => (1..=records as u64).collect(),
        6 => BTreeSet::from([1, 2, 3, 4, 5]),
        7 => BTreeSet::from([1, 2, 3, 5, 6]),
        _ => BTreeSet::from([1, 2, 3, 5, 6, 7]),
    }
}

#[test]
fn a_log_cut_at_any_octet_comes_back_to_its_last_whole_record() {
    let (volume, ends) = written();
    let mut files = volume.all();
    let whole = files[SEGMENT].clone();
    for length in 0..=whole.len() {
        files.insert(SEGMENT.to_owned(), whole[..length].to_vec());
        let cut = Faulty::with(&files);
        let opened = Rig::open(&cut, SETTINGS).unwrap();
        let records = ends.iter().filter(|end| **end <= length).count().saturating_sub(1);
        assert_eq!(numbers(&opened), expected(records), "cut at {length}");
        let wrong: Vec<Wrong> = opened.report.findings.iter().map(|f| f.wrong).collect();
        match length {
            ..32 => assert_eq!(wrong, [Wrong::Begun], "cut at {length}"),
            _ if ends.contains(&length) => assert_eq!(wrong, [], "cut at {length}"),
            _ => assert_eq!(wrong, [Wrong::Torn], "cut at {length}"),
        }
        // It can be written to, and comes back again.
        let mut rig = opened.rig;
        let ticket = rig.disk.insert(message(99, 1, 9));
        rig.step();
        assert!(ticket.wait().is_ok());
        let again = Rig::open(&cut.after_crash(1), SETTINGS).unwrap();
        let mut more = expected(records);
        more.insert(99);
        assert_eq!(numbers(&again), more, "cut at {length}");
        assert!(again.report.findings.iter().all(|f| !f.wrong.is_loss()));
    }
}

#[test]
fn a_damaged_octet_anywhere_costs_at_most_its_record_and_is_told_by_name() {
    let (volume, ends) = written();
    let mut files = volume.all();
    let whole = files[SEGMENT].clone();
    let last = *ends.last().unwrap();
    for (at, bits) in (0..whole.len()).flat_map(|at| [0x01, 0x80, 0xff].map(|bits| (at, bits))) {
        let mut octets = whole.clone();
        octets[at] ^= bits;
        files.insert(SEGMENT.to_owned(), octets);
        let damaged = Faulty::with(&files);
        let opened = match Rig::open(&damaged, SETTINGS) {
            Ok(opened) => opened,
            Err(error) => panic!("octet {at}, bits {bits:#x}: {error}"),
        };
        let hit = ends.iter().filter(|end| **end <= at).count();
        let mut most = expected(8);
        let mut least = most.clone();
        match hit {
            // The segment's header, or how far a recipient has come.
            0 | 6 => {}
            // The outcome is forgotten with the report that it owes.
            7 => {
                least = BTreeSet::from([1, 2, 3, 4, 5, 7]);
                most = least.clone();
            }
            8 => drop((least.remove(&7), most.remove(&7))),
            4 => {}
            record => drop((least.remove(&(record as u64)), most.remove(&(record as u64)))),
        }
        let found = numbers(&opened);
        assert!(found == least || found == most, "octet {at}, bits {bits:#x}: {found:?}");
        let findings = &opened.report.findings;
        assert_eq!(findings.len(), 1, "octet {at}, bits {bits:#x}: {findings:?}");
        let Wrong::Torn = findings[0].wrong else {
            // What is damaged in the middle is kept, octet for octet.
            if hit > 0 {
                let kept = findings[0].kept.clone().unwrap();
                let range = ends[hit - 1]..ends[hit];
                assert_eq!(damaged.all()[&*kept], files[SEGMENT][range], "octet {at}");
            }
            continue;
        };
        assert!(at >= ends[ends.len() - 2] && at < last);
    }
}

#[test]
fn a_damaged_message_is_named_where_its_head_can_be_read() {
    let (volume, ends) = written();
    let mut files = volume.all();
    let segment = files.get_mut(SEGMENT).unwrap();
    segment[ends[2] - 1] ^= 1;
    let opened = Rig::open(&Faulty::with(&files), SETTINGS).unwrap();
    let finding = &opened.report.findings[0];
    assert_eq!(finding.wrong, Wrong::Message(Some(id(2))));
    let said = format!(
        "segment 00000001: message {} is damaged at octet {}, {} octets; kept as \
         quarantine/00000001-{:010}.bad",
        id(2),
        ends[1],
        ends[2] - ends[1],
        ends[1],
    );
    assert_eq!(finding.to_string(), said);
}

#[test]
fn an_index_damaged_anywhere_is_not_believed() {
    let volume = Faulty::default();
    let mut rig = Rig::open(&volume, SETTINGS).unwrap().rig;
    let places: Vec<_> = (1..=5).map(|n| rig.disk.insert(message(n, 1, 30))).collect();
    rig.step();
    let places: Vec<Place> = places.into_iter().map(|ticket| ticket.wait().unwrap()).collect();
    rig.disk.commit(change(1, places[0], Fate::Done));
    rig.end().unwrap();
    let whole = volume.all();
    let name = "00000001.idx";
    for at in 0..whole[name].len() {
        let mut files = whole.clone();
        files.get_mut(name).unwrap()[at] ^= 0x40;
        let opened = Rig::open(&Faulty::with(&files), SETTINGS).unwrap();
        assert_eq!(numbers(&opened), BTreeSet::from([2, 3, 4, 5]), "octet {at}");
        let wrong: Vec<Wrong> = opened.report.findings.iter().map(|f| f.wrong).collect();
        assert_eq!(wrong, [Wrong::Index], "octet {at}");
    }
}

#[test]
fn an_index_that_claims_more_messages_than_fit_is_not_believed() {
    let volume = Faulty::default();
    let rig = Rig::open(&volume, SETTINGS).unwrap().rig;
    drop(rig.disk.insert(message(1, 1, 30)));
    rig.end().unwrap();
    let mut files = volume.all();
    let index = files.get_mut("00000001.idx").unwrap();
    index[20..24].copy_from_slice(&u32::MAX.to_le_bytes());
    let crc = crc32c::crc32c(&index[..52]);
    index[52..56].copy_from_slice(&crc.to_le_bytes());
    let opened = Rig::open(&Faulty::with(&files), SETTINGS).unwrap();
    assert_eq!(numbers(&opened), BTreeSet::from([1]));
    assert_eq!(opened.report.findings[0].wrong, Wrong::Index);
}
