//! A crash between any two steps of sealing loses nothing and doubles nothing.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use postlane_mail::{Instant, Span};

use super::model::{Draw, all, now, open, settings};
use crate::entry::Entry;
use crate::log;
use crate::part::{self, Files, Step};
use crate::shared::{Batch, Closed};
use crate::{Filter, Ledger, Seq, Settings, Tallies};

/// What is in the append logs of `dir`, closed as the writer closes it.
fn closed(dir: &Path) -> Closed {
    let mut logs: Vec<_> =
        fs::read_dir(dir.join("open")).unwrap().map(|file| file.unwrap().path()).collect();
    logs.sort_unstable();
    let batch =
        |log| Arc::new(Batch::new(log::recover(&fs::read(log).unwrap()).entries.into_iter()));
    Closed { batches: logs.iter().map(batch).collect(), logs }
}

fn append(dir: &Path, draw: &mut Draw, n: usize) -> Vec<Entry> {
    let ledger = open(dir);
    let mut entries = Vec::new();
    for _ in 0..n {
        let mut entry = draw.entry();
        entry.sample = (draw.below(5) == 0).then(Box::default);
        ledger.append(entry.clone());
        entries.push(entry);
    }
    entries
}

fn check(dir: &Path, expected: &[Entry], what: &str) {
    let bare = |entry: &Entry| Entry { sample: None, ..entry.clone() };
    let ledger = open(dir);
    assert_eq!(all(&ledger), expected.iter().map(bare).collect::<Vec<_>>(), "{what}");
    let everything = Tallies::all(Instant(0), now() + Span::from_h(1), Span::from_h(1));
    let tallied: u64 = ledger.tallies(&everything).unwrap().iter().map(|tally| tally.count).sum();
    assert_eq!(tallied, expected.len() as u64, "tallies, {what}");
    let facets = ledger.facets(&Filter::default(), &[crate::Field::Kind], 99).unwrap();
    assert_eq!(facets[0].total, expected.len() as u64, "counts, {what}");
    let found = ledger.follow(Seq(0), &Filter::default(), usize::MAX).unwrap().entries;
    for (written, entry) in found.iter().zip(expected) {
        let sample = ledger.sample(written.seq).unwrap();
        assert_eq!(sample.is_some(), entry.sample.is_some(), "samples, {what}");
    }
}

#[test]
fn a_crash_between_any_two_steps_of_sealing_loses_and_doubles_nothing() {
    for crash in 0..=Step::ALL.len() {
        for seed in 0..2 {
            let what = format!("seed {seed}, crash after {crash} steps");
            let dir = tempfile::tempdir().unwrap();
            let mut draw = Draw::new(seed);
            let mut expected = append(dir.path(), &mut draw, 40);
            open(dir.path()).seal().unwrap();
            expected.extend(append(dir.path(), &mut draw, 30));
            let closed = closed(dir.path());
            let name = part::name(&closed).unwrap();
            for step in &Step::ALL[..crash] {
                part::step(&Files::new(dir.path()), &closed, &name, *step).unwrap();
            }
            // What was being written when the power went.
            fs::write(dir.path().join("events/x.tmp"), "PAR1").unwrap();
            check(dir.path(), &expected, &what);
            assert!(!dir.path().join("events/x.tmp").exists());
            let files = |folder| fs::read_dir(dir.path().join(folder)).unwrap().count();
            assert_eq!(files("trigrams"), files("events"), "{what}");
            // And life goes on.
            expected.extend(append(dir.path(), &mut draw, 10));
            open(dir.path()).seal().unwrap();
            check(dir.path(), &expected, &what);
            assert_eq!(fs::read_dir(dir.path().join("open")).unwrap().count(), 0, "{what}");
        }
    }
}

#[test]
fn a_part_that_cannot_be_sealed_stays_readable_and_is_sealed_later() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = open(dir.path());
    let entry = Draw::new(1).entry();
    ledger.append(entry.clone());
    ledger.flush().unwrap();
    fs::remove_dir_all(dir.path().join("events")).unwrap();
    assert!(ledger.seal().is_err());
    assert_eq!(all(&ledger)[..], *std::slice::from_ref(&entry));
    assert!(ledger.figures().failures > 0);
    fs::create_dir(dir.path().join("events")).unwrap();
    ledger.seal().unwrap();
    assert_eq!((ledger.figures().sealed, ledger.figures().open), (1, 0));
    assert_eq!(all(&ledger), [entry]);
}

/// Seals what is in the youngest append log alone, as it goes on with what is younger when older
/// entries cannot be sealed again and again.
fn seal_youngest(dir: &Path) {
    let mut closed = closed(dir);
    closed.batches.drain(..closed.batches.len() - 1);
    closed.logs.drain(..closed.logs.len() - 1);
    let name = part::name(&closed).unwrap();
    for step in Step::ALL {
        part::step(&Files::new(dir), &closed, &name, step).unwrap();
    }
}

/// Entries as their counts by the minute have them, after a start.
fn tallied(dir: &Path) -> u64 {
    let everything = Tallies::all(Instant(0), now() + Span::from_h(1), Span::from_h(1));
    let tallies = open(dir).tallies(&everything).unwrap();
    tallies.iter().map(|tally| tally.count).sum()
}

#[test]
fn what_is_sealed_late_costs_no_counts_of_what_was_sealed_before() {
    let dir = tempfile::tempdir().unwrap();
    let mut draw = Draw::new(5);
    append(dir.path(), &mut draw, 10);
    append(dir.path(), &mut draw, 20);
    seal_youngest(dir.path());
    assert_eq!(tallied(dir.path()), 30, "they come back");
    // In one part with what comes after, around what was sealed before.
    append(dir.path(), &mut draw, 5);
    open(dir.path()).seal().unwrap();
    assert_eq!((tallied(dir.path()), tallied(dir.path())), (35, 35));
    assert_eq!(all(&open(dir.path())).len(), 35);
}

#[test]
fn what_is_sealed_late_costs_no_counts_of_its_day() {
    let dir = tempfile::tempdir().unwrap();
    let yesterday = || Instant(now().0 - Span::from_h(24).0);
    let append = |n: u64| {
        let settings = Settings { clock: yesterday, ..settings() };
        let ledger = Ledger::open(dir.path(), settings).unwrap();
        (0..n).for_each(|n| assert!(ledger.append(Draw::new(n).entry())));
    };
    append(3);
    seal_youngest(dir.path());
    append(4);
    append(5);
    seal_youngest(dir.path());
    // The day's files become one, with those four in the midst of its places.
    let minutes = || fs::read_dir(dir.path().join("minutes")).unwrap().count();
    let (late, aside) = (closed(dir.path()).logs.remove(0), dir.path().join("late"));
    fs::rename(&late, &aside).unwrap();
    assert_eq!(minutes(), 2);
    open(dir.path()).seal().unwrap();
    assert_eq!(minutes(), 1);
    fs::rename(&aside, &late).unwrap();
    assert_eq!((tallied(dir.path()), tallied(dir.path())), (12, 12));
}
