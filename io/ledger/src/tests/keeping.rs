//! What is kept, and for how long.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant as Moment};

use postlane_mail::{Instant, Span};

use super::model::{Draw, all, now, open, settings};
use crate::{Entry, Kind, Ledger, Settings, Tallies};

fn files(dir: &Path, folder: &str) -> usize {
    fs::read_dir(dir.join(folder)).unwrap().count()
}

fn entry(days_ago: u64) -> Entry {
    let mut entry = Draw::new(days_ago).entry();
    entry.kind = Kind::Deferred;
    entry.at = Instant(now().0 - Span::from_h(24 * days_ago).0);
    entry.sample = Some(Box::default());
    entry
}

fn tallied(ledger: &Ledger) -> u64 {
    let asked = Tallies::all(Instant(0), now() + Span::from_h(1), Span::from_h(1));
    ledger.tallies(&asked).unwrap().iter().map(|tally| tally.count).sum()
}

#[test]
fn old_parts_go_with_all_their_files_and_their_counts_by_the_minute_stay_longer() {
    let dir = tempfile::tempdir().unwrap();
    let settings =
        Settings { keep: Span::from_h(24 * 30), keep_tallies: Span::from_h(24 * 60), ..settings() };
    let ledger = Ledger::open(dir.path(), settings).unwrap();
    for days_ago in [90, 45, 5] {
        ledger.append(entry(days_ago));
        ledger.seal().unwrap();
    }
    assert_eq!(all(&ledger).len(), 1);
    assert_eq!(tallied(&ledger), 2);
    for (folder, n) in
        [("events", 1), ("samples", 1), ("counts", 1), ("trigrams", 1), ("minutes", 2)]
    {
        assert_eq!(files(dir.path(), folder), n, "{folder}");
    }
}

#[test]
fn the_oldest_parts_go_when_all_of_them_are_too_much() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = open(dir.path());
    for days_ago in [3, 2, 1] {
        ledger.append(entry(days_ago));
        ledger.seal().unwrap();
    }
    let octets = ledger.figures().octets;
    assert!(octets > 3_000);
    drop(ledger);
    let settings = Settings { octets_max: octets - 1, ..settings() };
    let ledger = Ledger::open(dir.path(), settings).unwrap();
    ledger.seal().unwrap();
    let left: Vec<Instant> = all(&ledger).iter().map(|entry| entry.at).collect();
    assert_eq!(left, [2, 1].map(|days_ago| entry(days_ago).at));
}

#[test]
fn counts_of_a_day_that_is_over_become_one_file() {
    let dir = tempfile::tempdir().unwrap();
    let yesterday = || Instant(now().0 - Span::from_h(24).0);
    let before = Settings { clock: yesterday, ..settings() };
    let ledger = Ledger::open(dir.path(), before).unwrap();
    for _ in 0..3 {
        ledger.append(entry(1));
        ledger.seal().unwrap();
    }
    assert_eq!(files(dir.path(), "minutes"), 3);
    drop(ledger);
    let ledger = open(dir.path());
    ledger.seal().unwrap();
    assert_eq!((files(dir.path(), "minutes"), tallied(&ledger)), (1, 3));
    drop(ledger);
    assert_eq!(tallied(&open(dir.path())), 3);
}

#[test]
fn files_that_were_merged_and_not_removed_are_not_counted_twice() {
    let dir = tempfile::tempdir().unwrap();
    let copy = tempfile::tempdir().unwrap();
    let yesterday = || Instant(now().0 - Span::from_h(24).0);
    let ledger = Ledger::open(dir.path(), Settings { clock: yesterday, ..settings() }).unwrap();
    for _ in 0..3 {
        ledger.append(entry(1));
        ledger.seal().unwrap();
    }
    drop(ledger);
    for file in fs::read_dir(dir.path().join("minutes")).unwrap() {
        let path = file.unwrap().path();
        fs::copy(&path, copy.path().join(path.file_name().unwrap())).unwrap();
    }
    open(dir.path()).seal().unwrap();
    for file in fs::read_dir(copy.path()).unwrap() {
        let path = file.unwrap().path();
        fs::copy(&path, dir.path().join("minutes").join(path.file_name().unwrap())).unwrap();
    }
    assert_eq!(files(dir.path(), "minutes"), 4);
    assert_eq!(tallied(&open(dir.path())), 3);
    assert_eq!(files(dir.path(), "minutes"), 1);
}

/// Days that have passed for the ledger of the test below.
static DAYS: AtomicU64 = AtomicU64::new(0);

#[test]
fn what_is_too_old_goes_although_nothing_happens_any_more() {
    let dir = tempfile::tempdir().unwrap();
    let later = || now() + Span::from_h(24 * DAYS.load(Ordering::Acquire));
    let keep = Span::from_h(24 * 30);
    let sync_every = Duration::from_millis(5);
    let settings = Settings { keep, clock: later, sync_every, ..settings() };
    let ledger = Ledger::open(dir.path(), settings).unwrap();
    ledger.append(entry(1));
    ledger.seal().unwrap();
    assert_eq!(files(dir.path(), "events"), 1);
    DAYS.store(31, Ordering::Release);
    let patience = Moment::now() + Duration::from_secs(60);
    while files(dir.path(), "events") > 0 {
        assert!(Moment::now() < patience, "it is still there");
        thread::yield_now();
    }
    assert!(all(&ledger).is_empty());
}

#[test]
fn nobody_else_on_the_machine_reads_it() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path().join("data/ledger");
    let ledger = open(&at);
    ledger.append(entry(1));
    ledger.seal().unwrap();
    ledger.append(entry(1));
    drop(ledger);
    let mut left = vec![dir.path().join("data")];
    let mut files = 0;
    while let Some(path) = left.pop() {
        let meta = fs::metadata(&path).unwrap();
        assert_eq!(meta.permissions().mode() & 0o077, 0, "{}", path.display());
        files += usize::from(meta.is_file());
        if meta.is_dir() {
            left.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
    assert!(files >= 5, "the lock, a log, and what was sealed: {files}");
}
