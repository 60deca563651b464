//! How fast messages become durable, and how fast they come back.
//!
//! `cargo bench -p postlane-spool [-- DIR]`: 64 writers of 4 KiB, each waiting for its sync; the same
//! while segments are emptied; then a million small ones and a restart.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use postlane_mail::{BodyType, Envelope, Label, Mailbox, QueueId, Recipient, ReversePath, Stream};
use postlane_spool::{
    Change, Changes, Commits, Disk, Fate, Inserted, Insertion, Recovered, Seq, Settings, Store,
    StoreError,
};

struct Deaf;

impl Commits for Deaf {
    fn inserted(&mut self, _: Vec<Inserted>) {}
    fn committed(&mut self, _: Seq) {}
    fn failed(&mut self, error: StoreError) {
        eprintln!("{error}");
    }
}

fn message(number: u64, octets: usize) -> Insertion {
    let envelope = Envelope {
        reverse_path: ReversePath::parse("sender@example.com").expect("an address"),
        recipients: vec![Recipient::new(
            Mailbox::parse(&format!("r{number}@example.net")).expect("an address"),
        )],
        body: BodyType::SevenBit,
        smtputf8: false,
        ret: None,
        envid: None,
        stream: Stream::Engaged,
        tenant: Label::NONE,
        campaign: Label::NONE,
        engaged: None,
    };
    Insertion {
        id: QueueId::from_bits(number << 8),
        envelope: Arc::new(envelope),
        facts: Box::default(),
        message: vec![vec![b'x'; octets].into()],
        tag: 0,
    }
}

fn write(dir: &std::path::Path, writers: u64, messages: u64, octets: usize) {
    let store = Disk::open(dir, Settings::default(), Deaf).expect("a spool").store;
    let next = AtomicU64::new(1);
    let (begin, cpu) = (Instant::now(), cpu_s());
    std::thread::scope(|scope| {
        for _ in 0..writers {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number > messages {
                        return;
                    }
                    store.insert(message(number, octets)).wait().expect("it is durable");
                }
            });
        }
    });
    let (took, cpu) = (begin.elapsed().as_secs_f64(), cpu_s() - cpu);
    let syncs = store.tally().syncs.load(Ordering::Relaxed);
    println!(
        "{writers} writers, {octets} octets: {:.0} inserts/s, {:.1} us CPU each, {:.1} inserts a sync",
        messages as f64 / took,
        cpu / messages as f64 * 1e6,
        messages as f64 / syncs as f64,
    );
}

/// Messages come, and one in so many stays: segments are emptied all the while, unless all stay.
fn write_and_empty(dir: &std::path::Path, writers: u64, messages: u64, one_in: u64) {
    let settings = Settings { segment_octets: 16 << 20, ..Settings::default() };
    let opened = Disk::open(dir, settings, Deaf).expect("a spool");
    assert_eq!(opened.recovery.drain(drop), []);
    let store = opened.store;
    let (next, took) = (AtomicU64::new(1), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..writers {
            scope.spawn(|| {
                let mut waited = Vec::new();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number > messages {
                        return took.lock().expect("no writer panics").extend(waited);
                    }
                    let begin = Instant::now();
                    let place = store.insert(message(number, 4096)).wait().expect("it is durable");
                    waited.push(begin.elapsed().as_micros());
                    if number % one_in != 0 {
                        let id = QueueId::from_bits(number << 8);
                        let done = Change { id, place, recipient: 0, fate: Fate::Done };
                        let seq = Seq(number);
                        store.commit(Changes { seq, recipients: vec![done], ..Changes::default() });
                    }
                }
            });
        }
    });
    let mut took = took.into_inner().expect("no writer panics");
    took.sort_unstable();
    let share = |percent: usize| took[(took.len() - 1) * percent / 100] as f64 / 1000.0;
    println!(
        "{writers} writers, one in {one_in} stays: p50 {:.2} ms, p99 {:.2} ms, longest {:.1} ms; {} copied, \
         {} segments given back",
        share(50),
        share(99),
        share(100),
        store.tally().copied.load(Ordering::Relaxed),
        store.tally().removed.load(Ordering::Relaxed),
    );
}

fn main() {
    let base = std::env::args().skip(1).find(|arg| !arg.starts_with('-')).map(PathBuf::from);
    let base = base.unwrap_or_else(std::env::temp_dir);
    let dir = tempfile::tempdir_in(&base).expect("a directory");
    write(dir.path(), 64, 100_000, 4096);
    let dir = tempfile::tempdir_in(&base).expect("a directory");
    write_and_empty(dir.path(), 64, 100_000, 1);
    let dir = tempfile::tempdir_in(&base).expect("a directory");
    write_and_empty(dir.path(), 64, 100_000, 20);
    let dir = tempfile::tempdir_in(&base).expect("a directory");
    write(dir.path(), 2000, 1_000_000, 100);
    let begin = Instant::now();
    let before = rss_mib();
    let opened = Disk::open(dir.path(), Settings::default(), Deaf).expect("a spool");
    let opened_s = begin.elapsed().as_secs_f64();
    let many = AtomicU64::new(0);
    let count = |batch: Vec<Recovered>| {
        many.fetch_add(batch.len() as u64, Ordering::Relaxed);
    };
    let findings = opened.recovery.drain(count);
    assert_eq!(findings, []);
    println!(
        "{} messages: open after {opened_s:.2} s, all back after {:.2} s, {:.0} MiB kept",
        many.into_inner(),
        begin.elapsed().as_secs_f64(),
        rss_mib() - before,
    );
}

/// CPU seconds of this process, user and system.
fn cpu_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split(' ').collect();
    let ticks = |n: usize| fields.get(n).and_then(|f| f.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(12) + ticks(13)) / 100.0
}

fn rss_mib() -> f64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm.split(' ').nth(1).and_then(|p| p.parse::<f64>().ok()).unwrap_or(0.0);
    pages * 4096.0 / 1048576.0
}
