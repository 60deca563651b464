//! The rules of the whole: what is appended can be read, survives a stop, and never waits.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use postlane_mail::{Code, Instant, QueueId, Span};
use tempfile::TempDir;

use super::*;
use crate::entry::tests::full;
use crate::error::Trouble;
use crate::filter::Codes;
use crate::kind::{Kind, Try};
use crate::log;

/// A ledger whose writer comes only when it is called.
fn settings() -> Settings {
    Settings { sync_every: Duration::from_secs(3_600), ..Settings::default() }
}

fn ledger() -> (TempDir, Ledger) {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(dir.path(), settings()).unwrap();
    (dir, ledger)
}

fn at(s: u64) -> Instant {
    Instant::from_unix_s(1_763_700_000 + s)
}

fn deferred(s: u64, provider: &str, attempt: u32) -> Entry {
    let mut entry = Entry::new(Kind::Deferred, at(s));
    entry.provider = provider.into();
    entry.attempt = Some(attempt);
    entry.code = Code::new(421);
    entry.id = Some(QueueId::from_bits(s));
    entry.delay_ms = Some(s * 1_000);
    entry
}

fn logs(dir: &TempDir) -> Vec<PathBuf> {
    let files = fs::read_dir(dir.path().join("open")).unwrap();
    let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    paths.sort_unstable();
    paths
}

#[test]
fn what_was_appended_can_be_read_and_its_sample_asked_for() {
    let (_dir, ledger) = ledger();
    assert!(ledger.append(full()));
    ledger.flush().unwrap();
    let page = ledger.latest(&Filter::default(), 10, None).unwrap();
    let [written] = &page.entries[..] else { panic!("{page:?}") };
    assert_eq!(written.entry, Entry { sample: None, ..full() });
    let sample = ledger.sample(written.seq).unwrap();
    assert_eq!(sample, full().sample.map(|sample| *sample));
    assert_eq!(ledger.figures().durable, 1);
}

#[test]
fn what_was_written_is_there_after_a_stop() {
    let (dir, ledger) = ledger();
    ledger.append(full());
    ledger.append(deferred(5, "gmail", 1));
    drop(ledger);
    let ledger = Ledger::open(dir.path(), settings()).unwrap();
    let before = ledger.newest();
    ledger.append(deferred(6, "gmail", 2));
    ledger.flush().unwrap();
    let followed = ledger.follow(Seq(0), &Filter::default(), 10).unwrap();
    assert_eq!(followed.entries.len(), 3);
    assert!(followed.entries.is_sorted_by(|a, b| a.seq < b.seq));
    assert_eq!(followed.entries[0].entry, Entry { sample: None, ..full() });
    assert!(ledger.newest() > before && followed.upto == ledger.newest());
    assert!(ledger.sample(followed.entries[0].seq).unwrap().is_some());
}

#[test]
fn a_torn_end_is_cut_and_told_and_the_rest_kept() {
    let (dir, ledger) = ledger();
    ledger.append(deferred(1, "gmail", 1));
    ledger.append(deferred(2, "gmail", 1));
    drop(ledger);
    let [log] = &logs(&dir)[..] else { panic!("one log") };
    let octets = fs::read(log).unwrap();
    fs::write(log, &octets[..octets.len() - 3]).unwrap();
    let told = Arc::new(Mutex::new(Vec::new()));
    let teller = Arc::clone(&told);
    let on_trouble =
        Box::new(move |trouble: &Trouble| teller.lock().unwrap().push(trouble.clone()));
    let ledger = Ledger::open(dir.path(), Settings { on_trouble, ..settings() }).unwrap();
    assert_eq!(ledger.figures().open, 1);
    assert!(matches!(told.lock().unwrap()[..], [Trouble::Cut { .. }]));
    let again = log::recover(&fs::read(log).unwrap());
    assert_eq!(again.whole_octets as u64, fs::metadata(log).unwrap().len());
}

#[test]
fn another_programs_file_is_set_aside() {
    let (dir, ledger) = ledger();
    drop(ledger);
    fs::write(dir.path().join("open/x.log"), "Nov 21 17:00:00 mail postfix/smtp").unwrap();
    let ledger = Ledger::open(dir.path(), settings()).unwrap();
    assert_eq!(ledger.figures().set_aside, 1);
    assert!(dir.path().join("open/x.log.broken").exists());
}

#[test]
fn what_finds_no_room_is_dropped_and_counted() {
    let dir = tempfile::tempdir().unwrap();
    let settings = Settings { waiting_octets_max: 3_000, ..settings() };
    let ledger = Ledger::open(dir.path(), settings).unwrap();
    let taken = (0..10).filter(|s| ledger.append(deferred(*s, "gmail", 1))).count() as u64;
    assert!(taken > 0 && taken < 10);
    ledger.flush().unwrap();
    let figures = ledger.figures();
    assert_eq!((figures.appended, figures.dropped, figures.open), (taken, 10 - taken, taken));
    assert!(ledger.append(deferred(11, "gmail", 1)), "there is room again");
}

#[test]
fn a_failing_disk_loses_nothing_that_still_fits_in_memory() {
    let (dir, ledger) = ledger();
    fs::remove_dir_all(dir.path().join("open")).unwrap();
    ledger.append(deferred(1, "gmail", 1));
    assert!(ledger.flush().is_err());
    assert_eq!(ledger.latest(&Filter::default(), 5, None).unwrap().entries.len(), 1);
    assert_eq!((ledger.figures().failures, ledger.figures().durable), (1, 0));
    fs::create_dir(dir.path().join("open")).unwrap();
    ledger.append(deferred(2, "gmail", 1));
    ledger.flush().unwrap();
    assert_eq!(ledger.figures().durable, 2);
    drop(ledger);
    let ledger = Ledger::open(dir.path(), settings()).unwrap();
    assert_eq!(ledger.figures().open, 2);
}

#[test]
fn a_disk_that_goes_on_failing_keeps_the_youngest_in_bounded_memory() {
    let dir = tempfile::tempdir().unwrap();
    let told = Arc::new(Mutex::new(0));
    let lost = Arc::clone(&told);
    let on_trouble = Box::new(move |trouble: &Trouble| {
        if let Trouble::Dropped(entries) = trouble {
            *lost.lock().unwrap() += entries;
        }
    });
    let waiting_octets_max = 20_000;
    let bounded = Settings { waiting_octets_max, on_trouble, ..settings() };
    let ledger = Ledger::open(dir.path(), bounded).unwrap();
    fs::remove_dir_all(dir.path().join("open")).unwrap();
    for s in 0..500 {
        assert!(ledger.append(deferred(s, "gmail", 1)));
        assert!(ledger.flush().is_err());
    }
    let figures = ledger.figures();
    assert!((5..100).contains(&figures.open), "{} entries in memory", figures.open);
    assert_eq!(figures.open + figures.dropped, 500);
    assert_eq!(*told.lock().unwrap(), figures.dropped);
    let latest = ledger.latest(&Filter::default(), 1, None).unwrap();
    assert_eq!(latest.entries[0].entry.at, at(499), "the youngest are there");
    // With room on the disk again they are kept.
    fs::create_dir(dir.path().join("open")).unwrap();
    ledger.append(deferred(500, "gmail", 1));
    ledger.flush().unwrap();
    assert_eq!(ledger.figures().durable, figures.open + 1);
    drop(ledger);
    let ledger = Ledger::open(dir.path(), settings()).unwrap();
    assert_eq!(ledger.figures().open, figures.open + 1);
}

#[test]
fn pages_go_from_new_to_old_and_miss_nothing() {
    let (_dir, ledger) = ledger();
    for s in [3, 1, 2, 2, 5, 4] {
        ledger.append(deferred(s, "gmail", 1));
    }
    ledger.append(deferred(9, "web.de", 1));
    ledger.flush().unwrap();
    let filter = Filter { providers: vec!["gmail".into()], ..Filter::default() };
    let mut times = Vec::new();
    let mut after = None;
    loop {
        let page = ledger.latest(&filter, 2, after).unwrap();
        times.extend(page.entries.iter().map(|written| written.entry.at));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(times, [5, 4, 3, 2, 2, 1].map(at));
}

#[test]
fn a_follower_that_asks_in_small_steps_sees_everything_once() {
    let (_dir, ledger) = ledger();
    for s in 0..7 {
        ledger.append(deferred(s, if s % 3 == 0 { "gmail" } else { "yahoo" }, 1));
    }
    ledger.flush().unwrap();
    let filter = Filter { providers: vec!["yahoo".into()], ..Filter::default() };
    let (mut upto, mut seen) = (Seq(0), Vec::new());
    while upto < ledger.newest() {
        let followed = ledger.follow(upto, &filter, 1).unwrap();
        seen.extend(followed.entries.iter().map(|written| written.entry.at));
        upto = followed.upto;
    }
    assert_eq!(seen, [1, 2, 4, 5].map(at));
}

#[test]
fn facets_count_what_the_filter_has() {
    let (_dir, ledger) = ledger();
    for s in 0..6 {
        ledger.append(deferred(s, if s < 4 { "gmail" } else { "yahoo" }, s as u32 + 1));
    }
    ledger.append(Entry::new(Kind::Accepted, at(1)));
    ledger.flush().unwrap();
    let filter = Filter { codes: vec![Codes::Class(4)], ..Filter::default() };
    let counts = ledger.facets(&filter, &[Field::Provider, Field::Try], 1).unwrap();
    assert_eq!(counts[0].values, [("gmail".into(), 4)]);
    assert_eq!((counts[0].others, counts[0].total), (2, 6));
    assert_eq!(counts[1].values, [("retry".into(), 5)]);
    let groups = ledger.groups(&filter, &[Field::Provider, Field::Try], 9).unwrap();
    assert_eq!(groups[0].values, ["gmail", "retry"]);
    assert_eq!((groups[0].count, groups[0].delay_ms), (3, 6_000));
}

#[test]
fn tallies_count_by_the_stretch_asked_for() {
    let (_dir, ledger) = ledger();
    for s in [0, 10, 70, 4_000] {
        ledger.append(deferred(s, "gmail", 1));
    }
    ledger.flush().unwrap();
    let all = |every| ledger.tallies(&Tallies::all(at(0), at(3_600), every)).unwrap();
    let minutes: Vec<_> = all(Span::ZERO).iter().map(|tally| (tally.from, tally.count)).collect();
    assert_eq!(minutes, [(at(0), 2), (at(60), 1)]);
    let [hour] = &all(Span::from_h(1))[..] else { panic!("one hour") };
    assert_eq!((hour.count, hour.delay_ms, hour.tried), (3, 80_000, Some(Try::Fresh)));
}

#[test]
fn a_folder_has_one_ledger_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let first = Ledger::open(dir.path(), Settings::default()).unwrap();
    let second = Ledger::open(dir.path(), Settings::default());
    assert!(matches!(second, Err(LedgerError::InUse { .. })), "{second:?}");
    drop(first);
    Ledger::open(dir.path(), Settings::default()).unwrap();
}
