//! A queue that no server has open: verified, explained, and moved to another host.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Cursor;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use parking_lot::Mutex;
use postlane_mail::{Instant, LastReply, Place, Progress, QueueId, Span};
use postlane_spool::{
    AGES_MIN, Changes, Disk, Fate, Key, MoveError, OpenError, Settings, Store, Urgency, Wrong,
    check, export, import, stats,
};

use crate::fixture::{Ear, changes, message, progress};

const SETTINGS: Settings = Settings {
    segment_octets: 6_000,
    free_octets_min: 0,
    free_percent_min: 0,
    reserve_octets: 0,
    backlog_octets_max: 1 << 20,
};

fn id(number: u64) -> QueueId {
    message(number, 1, 0).id
}

fn keyed(key: &str, value: &'static [u8]) -> Changes {
    Changes {
        urgency: Urgency::Now,
        keyed: vec![(Key(key.into()), Some(Bytes::from_static(value)))],
        ..Changes::default()
    }
}

/// Thirty messages in several segments: every third is done, every fifth deferred, and of the
/// two recipients of the last one is done.
fn filled() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let store = Disk::open(dir.path(), SETTINGS, Ear::default()).unwrap().store;
    let insert = |n, recipients| store.insert(message(n, recipients, 900)).wait().unwrap();
    let places: Vec<Place> = (1..30).map(|n| insert(n, 1)).collect();
    let last = insert(30, 2);
    for (n, place) in (1..30u16).zip(places) {
        if n % 3 == 0 {
            store.commit(changes(u64::from(n), vec![(place, 0, Fate::Done)]));
        } else if n % 5 == 0 {
            let (p, reply) = progress(n);
            store.commit(changes(u64::from(n), vec![(place, 0, Fate::Waiting(p, reply))]));
        }
    }
    store.commit(changes(40, vec![(last, 0, Fate::Done)]));
    store.commit(keyed("lane/a", b"one"));
    store.commit(keyed("lane/b", b"two"));
    store.close();
    dir
}

/// What is known of a message.
#[derive(Debug, PartialEq)]
struct Known {
    message: Bytes,
    recipients: Vec<(u16, Progress)>,
    progress: Vec<(u16, Progress, Option<LastReply>)>,
}

/// Every message that lives.
fn all(dir: &Path) -> BTreeMap<QueueId, Known> {
    let opened = Disk::open(dir, SETTINGS, Ear::default()).unwrap();
    let found = Mutex::new(Vec::new());
    assert_eq!(opened.recovery.drain(|batch| found.lock().extend(batch)), []);
    let found = found.into_inner().into_iter().map(|recovered| {
        let stored = opened.store.read(recovered.place).unwrap();
        assert_eq!(stored.envelope, recovered.envelope);
        let progress = opened.store.progress(recovered.place).unwrap();
        let (message, recipients) = (stored.message, recovered.recipients);
        (recovered.id, Known { message, recipients, progress })
    });
    found.collect()
}

fn keys(dir: &Path) -> Vec<(Key, Bytes)> {
    Disk::open(dir, SETTINGS, Ear::default()).unwrap().store.keyed("")
}

fn files(dir: &Path) -> BTreeMap<std::ffi::OsString, Vec<u8>> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
    entries.map(|entry| (entry.file_name(), fs::read(entry.path()).unwrap())).collect()
}

fn exported(dir: &Path) -> Vec<u8> {
    let mut out = Vec::new();
    export(dir, Instant::from_unix_s(5000), None, &mut out, |_, _| ()).unwrap();
    out
}

#[test]
fn a_sound_spool_has_no_findings_and_a_check_changes_nothing() {
    let dir = filled();
    let before = files(dir.path());
    let heard = AtomicU32::new(0);
    let checked = check(dir.path(), |_, of| heard.store(of, Ordering::Relaxed)).unwrap();
    assert_eq!(checked.findings, []);
    assert_eq!(checked.messages, 21);
    assert!(checked.segments > 3, "{checked:?}");
    assert_eq!(heard.into_inner(), checked.segments);
    assert_eq!(files(dir.path()), before);
}

#[test]
fn a_check_names_a_damaged_message_even_behind_a_sound_index() {
    let dir = filled();
    let first = dir.path().join("00000001.seg");
    let mut octets = fs::read(&first).unwrap();
    // In the second message's text.
    let at = 1_900;
    octets[at] ^= 1;
    fs::write(first, octets).unwrap();
    let checked = check(dir.path(), |_, _| ()).unwrap();
    let wrong: Vec<Wrong> = checked.findings.iter().map(|finding| finding.wrong).collect();
    assert_eq!(wrong, [Wrong::Message(Some(id(2)))]);
    assert_eq!(checked.findings[0].segment, 1);
}

#[test]
fn a_check_names_a_damaged_index() {
    let dir = filled();
    let index = dir.path().join("00000002.idx");
    let mut octets = fs::read(&index).unwrap();
    let last = octets.len() - 1;
    octets[last] ^= 1;
    fs::write(index, octets).unwrap();
    let checked = check(dir.path(), |_, _| ()).unwrap();
    let found: Vec<_> = checked.findings.iter().map(|f| (f.segment, f.wrong)).collect();
    assert_eq!(found, [(2, Wrong::Index)]);
    assert!(!checked.findings[0].wrong.is_loss());
}

#[test]
fn an_index_of_another_segment_is_named() {
    let dir = filled();
    fs::copy(dir.path().join("00000003.idx"), dir.path().join("00000002.idx")).unwrap();
    let checked = check(dir.path(), |_, _| ()).unwrap();
    let found: Vec<_> = checked.findings.iter().map(|f| (f.segment, f.wrong)).collect();
    assert_eq!(found, [(2, Wrong::Index)]);
}

#[test]
fn nobody_checks_or_exports_what_a_server_has_open_and_figures_are_given() {
    let dir = filled();
    let store = Disk::open(dir.path(), SETTINGS, Ear::default()).unwrap();
    let is_in_use = |error: &OpenError| matches!(error, OpenError::InUse { .. });
    assert!(check(dir.path(), |_, _| ()).is_err_and(|e| is_in_use(&e)));
    let tried = export(dir.path(), Instant(0), None, &mut Vec::new(), |_, _| ());
    assert!(matches!(tried, Err(MoveError::Open(e)) if is_in_use(&e)));
    let tried =
        import(dir.path(), SETTINGS, &mut Cursor::new(exported(filled().path())), |_, _| ());
    assert!(matches!(tried, Err(MoveError::Open(e)) if is_in_use(&e)));
    assert_eq!(stats(dir.path(), Instant(0)).unwrap().messages, 21);
    drop(store);
    assert!(check(dir.path(), |_, _| ()).is_ok());
}

#[test]
fn where_there_is_no_spool_none_is_made() {
    let dir = tempfile::tempdir().unwrap();
    let gone = dir.path().join("gone");
    for path in [dir.path(), &gone] {
        assert!(matches!(check(path, |_, _| ()), Err(OpenError::NoSpool { .. })));
        assert!(matches!(stats(path, Instant(0)), Err(OpenError::NoSpool { .. })));
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn figures_tell_what_waits_how_old_it_is_and_what_room_it_takes() {
    let dir = filled();
    // The ids' moments are 1 to 30 microseconds after the epoch.
    let found = stats(dir.path(), Instant(0) + Span::from_min(15)).unwrap();
    assert_eq!((found.messages, found.recipients, found.keyed), (21, 21, 2));
    // 5, 10, 20 and 25: 15 is done.
    assert_eq!(found.states, 4);
    let slot = AGES_MIN.iter().position(|most| *most > 14).unwrap();
    assert_eq!(found.by_age[slot], 21);
    assert_eq!(found.by_age.iter().sum::<u64>(), 21);
    assert_eq!(found.oldest, Span(Span::from_min(15).0 - 1));
    assert_eq!(found.segments.iter().map(|s| u64::from(s.live_messages)).sum::<u64>(), 21);
    let written: u64 = found.segments.iter().map(|s| u64::from(s.messages)).sum();
    assert!(written >= 21, "{written}");
    assert!(found.segments.iter().all(|s| s.live_octets <= s.octets), "{found:?}");
}

#[test]
fn a_queue_moves_to_another_host_with_ids_recipients_and_progress() {
    let dir = filled();
    let octets = exported(dir.path());
    let there = tempfile::tempdir().unwrap();
    let mut heard = Vec::new();
    let mut from = Cursor::new(octets);
    let took =
        import(there.path(), SETTINGS, &mut from, |done, of| heard.push((done, of))).unwrap();
    assert_eq!((took.messages, took.keyed), (21, 2));
    assert_eq!((took.known.len(), took.findings.len()), (0, 0));
    assert_eq!(heard.last(), Some(&(23, 23)));
    assert_eq!(check(there.path(), |_, _| ()).unwrap().findings, []);
    assert_eq!(all(there.path()), all(dir.path()));
    assert_eq!(keys(there.path()), keys(dir.path()));
    let opened = Disk::open(there.path(), SETTINGS, Ear::default()).unwrap();
    assert_eq!(opened.recovery.report.last_id, Some(id(30)));
}

#[test]
fn what_is_there_already_is_not_imported_twice() {
    let dir = filled();
    let octets = exported(dir.path());
    let before = all(dir.path());
    let took = import(dir.path(), SETTINGS, &mut Cursor::new(octets), |_, _| ()).unwrap();
    assert_eq!((took.messages, took.keyed, took.known.len()), (0, 0, 21));
    assert_eq!(all(dir.path()), before);
}

#[test]
fn two_queues_become_one() {
    let (dir, there) = (filled(), tempfile::tempdir().unwrap());
    let store = Disk::open(there.path(), SETTINGS, Ear::default()).unwrap().store;
    store.insert(message(77, 3, 50)).wait().unwrap();
    store.commit(keyed("lane/a", b"here"));
    drop(store);
    let mut from = Cursor::new(exported(dir.path()));
    let took = import(there.path(), SETTINGS, &mut from, |_, _| ()).unwrap();
    assert_eq!((took.messages, took.keyed), (21, 1));
    let mut expected: BTreeSet<QueueId> = all(dir.path()).into_keys().collect();
    expected.insert(id(77));
    assert_eq!(all(there.path()).into_keys().collect::<BTreeSet<_>>(), expected);
    assert_eq!(keys(there.path())[0].1, Bytes::from_static(b"here"));
    // And on to a third host: what was moved before is moved again.
    let third = tempfile::tempdir().unwrap();
    let mut from = Cursor::new(exported(there.path()));
    import(third.path(), SETTINGS, &mut from, |_, _| ()).unwrap();
    assert_eq!(all(third.path()), all(there.path()));
}

#[test]
fn only_what_is_named_is_exported() {
    let dir = filled();
    let only = BTreeSet::from([id(1), id(30), id(3)]);
    let mut out = Vec::new();
    let wrote = export(dir.path(), Instant(9), Some(&only), &mut out, |_, _| ()).unwrap();
    // 3 is done.
    assert_eq!((wrote.messages, wrote.recipients, wrote.keyed), (2, 2, 0));
    assert_eq!(wrote.octets, out.len() as u64);
    let there = tempfile::tempdir().unwrap();
    import(there.path(), SETTINGS, &mut Cursor::new(out), |_, _| ()).unwrap();
    assert_eq!(all(there.path()).into_keys().collect::<Vec<_>>(), [id(1), id(30)]);
}

#[test]
fn an_export_that_is_cut_or_damaged_changes_nothing() {
    let dir = filled();
    let only = BTreeSet::from([id(5)]);
    let mut whole = Vec::new();
    export(dir.path(), Instant(9), Some(&only), &mut whole, |_, _| ()).unwrap();
    let there = dir.path().join("there");
    let refused = |octets: Vec<u8>| {
        let refused = import(&there, SETTINGS, &mut Cursor::new(octets), |_, _| ()).unwrap_err();
        assert!(!there.exists());
        refused
    };
    for length in 0..whole.len() {
        let error = refused(whole[..length].to_vec());
        let is_named = matches!(error, MoveError::NoExport | MoveError::CutOff(_));
        assert!(is_named, "{length}: {error}");
    }
    for at in 0..whole.len() {
        let mut octets = whole.clone();
        octets[at] ^= 0x10;
        let error = refused(octets);
        let is_named = matches!(error, MoveError::NoExport | MoveError::Damaged(_));
        assert!(is_named, "{at}: {error}");
    }
}
