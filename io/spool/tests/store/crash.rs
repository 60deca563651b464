//! What the store on the disk survives.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;
use postlane_mail::{Place, Progress, QueueId};
use postlane_spool::{Disk, Fate, OpenError, Recovered, Report, Settings, Store, StoreError};
use proptest::prelude::*;

use crate::fixture::{Ear, changes, message, progress};

fn open(dir: &Path) -> (Arc<Disk>, Vec<Recovered>, Report) {
    // Segments so small that every test has several of them.
    let settings = Settings { segment_octets: 6_000, ..Settings::default() };
    let opened = Disk::open(dir, settings, Ear::default()).unwrap();
    let report = opened.recovery.report.clone();
    let all = Mutex::new(Vec::new());
    assert_eq!(opened.recovery.drain(|batch| all.lock().extend(batch)), []);
    let mut all = all.into_inner();
    all.sort_by_key(|recovered| recovered.id);
    (opened.store, all, report)
}

/// What must be there: each message's recipients that are not done, with their progress.
fn shape(recovered: &[Recovered]) -> BTreeMap<QueueId, Vec<(u16, Progress)>> {
    recovered.iter().map(|r| (r.id, r.recipients.clone())).collect()
}

/// A copy of a spool as it would be found after a crash: no clean end, and no lock.
fn copy(from: &Path) -> tempfile::TempDir {
    loop {
        let to = tempfile::tempdir().unwrap();
        let mut entries = fs::read_dir(from).unwrap().map(|entry| entry.unwrap());
        let is_whole = entries.all(|entry| {
            // As it was listed: a file that has gone since is one that must be copied.
            let is_ours = entry.file_type().unwrap().is_file() && entry.file_name() != "lock";
            !is_ours || fs::copy(entry.path(), to.path().join(entry.file_name())).is_ok()
        });
        // The committer may have given a segment back meanwhile; then it is copied anew.
        if is_whole {
            return to;
        }
    }
}

fn last_segment(dir: &Path) -> std::path::PathBuf {
    let segments = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    segments.filter(|path| path.extension().is_some_and(|e| e == "seg")).max().unwrap()
}

#[derive(Debug, Clone)]
enum Step {
    Insert { recipients: u16, octets: usize },
    Done { which: usize, recipient: u16 },
    Defer { which: usize, recipient: u16, attempts: u16 },
    Reopen,
    Crash,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1u16..4, 0usize..3000).prop_map(|(recipients, octets)| Step::Insert { recipients, octets }),
        8 => (any::<usize>(), 0u16..3).prop_map(|(which, recipient)| Step::Done { which, recipient }),
        4 => (any::<usize>(), 0u16..3, 1u16..9)
            .prop_map(|(which, recipient, attempts)| Step::Defer { which, recipient, attempts }),
        1 => Just(Step::Reopen),
        1 => Just(Step::Crash),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever happens, what was acknowledged is there after any restart, and nothing else.
    #[test]
    fn what_was_acknowledged_is_there_after_any_restart(steps in proptest::collection::vec(step(), 1..80)) {
        let mut dir = tempfile::tempdir().unwrap();
        let (mut store, ..) = open(dir.path());
        let mut places: BTreeMap<QueueId, Place> = BTreeMap::new();
        let mut model: BTreeMap<QueueId, Vec<(u16, Progress)>> = BTreeMap::new();
        let mut number = 0;
        for (seq, step) in (1..).zip(steps) {
            let pick = |which: usize| {
                let id = *model.keys().nth(which.checked_rem(model.len())?)?;
                Some((id, places[&id]))
            };
            match step {
                Step::Insert { recipients, octets } => {
                    number += 1;
                    let insertion = message(number, recipients, octets);
                    let id = insertion.id;
                    places.insert(id, store.insert(insertion).wait().unwrap());
                    model.insert(id, (0..recipients).map(|r| (r, Progress::default())).collect());
                }
                Step::Done { which, recipient } => {
                    let Some((id, place)) = pick(which) else { continue };
                    store.commit(changes(seq, vec![(place, recipient, Fate::Done)]));
                    let recipients = model.get_mut(&id).unwrap();
                    recipients.retain(|(r, _)| *r != recipient);
                    if recipients.is_empty() {
                        model.remove(&id);
                    }
                }
                Step::Defer { which, recipient, attempts } => {
                    let Some((id, place)) = pick(which) else { continue };
                    let (p, last) = progress(attempts);
                    store.commit(changes(seq, vec![(place, recipient, Fate::Waiting(p, last))]));
                    for known in model.get_mut(&id).unwrap().iter_mut().filter(|(r, _)| *r == recipient) {
                        known.1 = p;
                    }
                }
                Step::Reopen | Step::Crash => {
                    if matches!(step, Step::Crash) {
                        // What is acknowledged is synced; one more message pushes it all out.
                        number += 1;
                        let mark = store.insert(message(number, 1, 1)).wait().unwrap();
                        store.commit(changes(seq, vec![(mark, 0, Fate::Done)]));
                        number += 1;
                        let mark = store.insert(message(number, 1, 1)).wait().unwrap();
                        let crashed = copy(dir.path());
                        model.insert(message(number, 1, 1).id, vec![(0, Progress::default())]);
                        places.insert(message(number, 1, 1).id, mark);
                        drop(store);
                        dir = crashed;
                    } else {
                        drop(store);
                    }
                    let (reopened, recovered, report) = open(dir.path());
                    store = reopened;
                    // A copy may be taken while the committer begins a segment.
                    let lost = report.findings.iter().find(|finding| finding.wrong.is_loss());
                    prop_assert_eq!(lost, None);
                    prop_assert_eq!(shape(&recovered), model.clone());
                    for r in &recovered {
                        places.insert(r.id, r.place);
                        let stored = store.read(r.place).unwrap();
                        prop_assert_eq!(stored.id, r.id);
                        prop_assert_eq!(&stored.envelope, &r.envelope);
                        let kept: BTreeMap<_, _> =
                            store.progress(r.place).unwrap().into_iter().map(|(i, p, _)| (i, p)).collect();
                        for (index, p) in &r.recipients {
                            prop_assert_eq!(kept.get(index).copied().unwrap_or_default(), *p);
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn a_torn_tail_is_cut_off_its_file_and_what_is_damaged_is_kept_aside() {
    let dir = tempfile::tempdir().unwrap();
    let (store, ..) = open(dir.path());
    for n in 1..=4 {
        store.insert(message(n, 2, 40)).wait().unwrap();
    }
    let crashed = copy(dir.path());
    let path = last_segment(crashed.path());
    let mut octets = fs::read(&path).unwrap();
    let whole = octets.len();
    octets.truncate(whole - 3);
    let second = octets.windows(4).position(|name| name == b"r1@e").unwrap();
    octets[second] ^= 1;
    fs::write(&path, octets).unwrap();
    let (store, recovered, report) = open(crashed.path());
    let numbers: Vec<u64> = recovered.iter().map(|r| r.id.bits() >> 8).collect();
    assert_eq!(numbers, [2, 3]);
    assert_eq!(report.findings.len(), 2);
    let kept = report.findings[0].kept.clone().unwrap();
    let kept = fs::read(crashed.path().join(&*kept)).unwrap();
    assert_eq!(kept.len() as u64, report.findings[0].octets);
    assert_eq!(fs::metadata(&path).unwrap().len(), report.findings[1].offset);
    drop(store);
    assert_eq!(open(crashed.path()).2.findings, []);
}

#[test]
fn room_is_given_back_when_nothing_lives_in_a_segment() {
    let dir = tempfile::tempdir().unwrap();
    let (store, ..) = open(dir.path());
    // One straggler in the first segment, with a history that is told in many others.
    let straggler = store.insert(message(1, 2, 100)).wait().unwrap();
    for n in 2..400u64 {
        let place = store.insert(message(n, 1, 900)).wait().unwrap();
        store.commit(changes(n, vec![(place, 0, Fate::Done)]));
        let (p, last) = progress((n % 7) as u16 + 1);
        store.commit(changes(n, vec![(straggler, 0, Fate::Waiting(p, last))]));
        if n == 50 {
            store.commit(changes(n, vec![(straggler, 1, Fate::Done)]));
        }
    }
    // 400 messages of 900 octets were 60 segments.
    let place = store.insert(message(500, 1, 900)).wait().unwrap();
    store.commit(changes(500, vec![(place, 0, Fate::Done)]));
    // The committer cleans between two batches: a few more give it the occasion.
    let mut last = None;
    for n in 501..600 {
        if let Some(place) = last.replace(store.insert(message(n, 1, 1)).wait().unwrap()) {
            store.commit(changes(n, vec![(place, 0, Fate::Done)]));
        }
    }
    assert!(store.usage().segments <= 4, "{:?}", store.usage());
    assert_eq!(store.read(straggler).unwrap().id, message(1, 2, 100).id);
    let (p, last) = progress((399 % 7) as u16 + 1);
    assert_eq!(store.progress(straggler).unwrap(), [(0, p, last)]);
    drop(store);
    let (store, recovered, _) = open(dir.path());
    assert_eq!(recovered.len(), 2);
    assert_eq!(recovered[0].recipients, [(0, p)]);
    drop(store);
    let files = fs::read_dir(dir.path()).unwrap().count();
    assert!(files < 12, "{files} files");
}

#[test]
fn a_spool_is_opened_once() {
    let dir = tempfile::tempdir().unwrap();
    let _first = open(dir.path());
    let second = Disk::open(dir.path(), Settings::default(), Ear::default());
    let Err(OpenError::InUse { holder, .. }) = second else { panic!("it was opened twice") };
    assert_eq!(holder, std::process::id().to_string());
}

#[test]
fn below_the_watermark_new_mail_is_refused_and_delivery_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let (store, ..) = open(dir.path());
    let place = store.insert(message(1, 1, 10)).wait().unwrap();
    drop(store);
    let settings =
        Settings { free_octets_min: u64::MAX, free_percent_min: 100, ..Settings::default() };
    let ear = Ear::default();
    let store = Disk::open(dir.path(), settings, ear.clone()).unwrap().store;
    assert!(matches!(store.insert(message(2, 1, 10)).wait(), Err(StoreError::Full(_))));
    store.commit(changes(7, vec![(place, 0, Fate::Done)]));
    store.close();
    assert_eq!(ear.0.lock().committed.map(|seq| seq.0), Some(7));
    assert!(matches!(store.insert(message(3, 1, 10)).wait(), Err(StoreError::Closed)));
}
