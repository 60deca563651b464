//! A ledger and a plain list of the same entries, asked the same questions.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use compact_str::{CompactString, format_compact};
use postlane_mail::{Chance, Code, Instant, QueueId, Span, Stream};
use proptest::prelude::*;

use crate::entry::tests::any_entry;
use crate::{
    By, Codes, Cursor, Entry, Field, Filter, Group, Kind, Ledger, Seq, Settings, Tallies, Tally,
    Try,
};

/// The time the ledgers of these tests think it is, in seconds; nobody sets it back.
static NOW: AtomicU64 = AtomicU64::new(1_763_700_000);

pub(super) fn now() -> Instant {
    Instant::from_unix_s(NOW.load(Ordering::Relaxed))
}

/// A ledger whose writer comes only when it is called.
pub(super) fn settings() -> Settings {
    Settings { sync_every: Duration::from_secs(3_600), clock: now, ..Settings::default() }
}

pub(super) fn open(dir: &Path) -> Ledger {
    Ledger::open(dir, settings()).unwrap()
}

pub(super) fn all(ledger: &Ledger) -> Vec<Entry> {
    let followed = ledger.follow(Seq(0), &Filter::default(), usize::MAX).unwrap();
    followed.entries.into_iter().map(|written| written.entry).collect()
}

/// What is drawn from a seed.
pub(super) struct Draw(Chance);

impl Draw {
    pub(super) fn new(seed: u64) -> Self {
        Self(Chance::new(seed))
    }

    pub(super) fn below(&mut self, n: u64) -> u64 {
        self.0.draw() % n
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize]
    }

    /// An entry from a small world, so that questions about it find something.
    pub(super) fn entry(&mut self) -> Entry {
        let at = now().0 - 7_200_000_000 + self.below(7_200_000_000);
        let mut entry = Entry::new(self.one(&Kind::ALL), Instant(at));
        entry.provider = self.one(&["united-internet", "gmail", "yahoo", ""]).into();
        entry.label = self.one(&["rate", "policy", "ok", ""]).into();
        entry.source = self.one(&["a", "b"]).into();
        entry.source_ip = self.one(&["192.0.2.1", "2001:db8::2", ""]).parse().ok();
        entry.tenant = self.one(&["shop", "news", ""]).into();
        entry.campaign = format_compact!("c{}", self.below(5));
        entry.stream = self.one(&[Some(Stream::Cold), Some(Stream::Engaged), None]);
        entry.attempt = self.one(&[Some(1), Some(2), Some(9), None]);
        entry.code = Code::new(self.one(&[250, 421, 450, 550, 0]));
        entry.domain = self.one(&["web.de", "gmx.de", "gmail.com"]).into();
        entry.mx_host = format_compact!("mx{}.example.net", self.below(4));
        entry.recipient = format_compact!("user{}@{}", self.below(40), entry.domain);
        entry.id = Some(QueueId::from_bits(self.below(60) << 8));
        entry.message_id = format_compact!("<{}@example.com>", self.below(60));
        entry.reply = self.one(&["Too many messages", "ok", "Mailbox \"full\"", ""]).into();
        entry.delay_ms = self.one(&[None, Some(1_000), Some(86_400_000)]);
        entry.took_ms = Some(self.below(3_000) as u32);
        entry
    }

    fn texts(&mut self, of: &[&'static str]) -> Vec<CompactString> {
        let n = self.below(8);
        if n < 2 { (0..=n).map(|_| self.one(of).into()).collect() } else { Vec::new() }
    }

    /// A question; about half of them find something.
    fn filter(&mut self) -> Filter {
        let mut filter = Filter {
            providers: self.texts(&["united-internet", "gmail", "nobody", ""]),
            labels: self.texts(&["rate", "policy", ""]),
            sources: self.texts(&["a", "b"]),
            tenants: self.texts(&["shop", "news"]),
            campaigns: self.texts(&["c1", "c2", "c9"]),
            domains: self.texts(&["web.de", "gmail.com", "example.org"]),
            mx_hosts: self.texts(&["mx1.example.net", "mx7.example.net"]),
            ..Filter::default()
        };
        let start = now().0 - 7_200_000_000;
        match self.below(12) {
            0 => filter.from = Some(Instant(start + self.below(7_200_000_000))),
            1 => filter.to = Some(Instant(start + self.below(7_200_000_000))),
            2 => filter.kinds = vec![self.one(&Kind::ALL), self.one(&Kind::ALL)],
            3 => filter.tries = Some(self.one(&Try::ALL)),
            4 => filter.codes = vec![self.one(&[Codes::Class(4), Codes::Class(2)])],
            5 => filter.codes = Code::new(421).map(Codes::Exactly).into_iter().collect(),
            6 => filter.recipients = vec![format_compact!("user{}@web.de", self.below(50))],
            7 => filter.ids = vec![QueueId::from_bits(self.below(70) << 8)],
            8 => filter.message_ids = vec![format_compact!("<{}@example.com>", self.below(70))],
            9 => {
                let words = ["TOO many", "\"full\"", "user7@", "none", "mx1", "<1", "o", "xyz"];
                filter.text = Some(self.one(&words).into());
            }
            10 => filter.source_ips = vec!["2001:db8::2".parse().unwrap()],
            _ => filter.streams = vec![Stream::Cold],
        }
        filter
    }
}

/// A ledger of several parts, and its entries with their places.
fn filled(dir: &Path, seed: u64) -> Ledger {
    let ledger = open(dir);
    let mut draw = Draw::new(seed);
    for part in 0..4 {
        for _ in 0..150 {
            ledger.append(draw.entry());
        }
        if part < 3 {
            ledger.seal().unwrap();
        }
    }
    ledger.flush().unwrap();
    ledger
}

fn groups(entries: &[&Entry], by: &[Field]) -> BTreeMap<Vec<CompactString>, (u64, u64)> {
    let mut groups: BTreeMap<_, (u64, u64)> = BTreeMap::new();
    for entry in entries {
        let key = by.iter().map(|field| field.of(entry)).collect();
        let sum = groups.entry(key).or_default();
        *sum = (sum.0 + 1, sum.1 + entry.delay_ms.unwrap_or(0));
    }
    groups
}

#[test]
fn pages_of_sealed_parts_are_those_of_a_list() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = filled(dir.path(), 1);
    let mut list = ledger.follow(Seq(0), &Filter::default(), usize::MAX).unwrap().entries;
    assert_eq!((list.len(), ledger.figures().parts), (600, 3));
    list.sort_by_key(|written| std::cmp::Reverse((written.entry.at, written.seq)));
    let mut draw = Draw::new(2);
    for round in 0..45 {
        let filter = draw.filter();
        let expected: Vec<_> =
            list.iter().filter(|written| filter.has(&written.entry)).cloned().collect();
        let (mut found, mut after): (Vec<_>, Option<Cursor>) = (Vec::new(), None);
        loop {
            let n = [4, 15, 50][round % 3];
            let page = ledger.latest(&filter, n, after).unwrap();
            assert!(page.entries.len() <= n);
            found.extend(page.entries);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(found, expected, "{filter:?}");
    }
}

#[test]
fn counts_of_sealed_parts_are_those_of_a_list() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = filled(dir.path(), 3);
    let list = all(&ledger);
    let mut draw = Draw::new(4);
    for _ in 0..60 {
        let filter = draw.filter();
        let fits: Vec<&Entry> = list.iter().filter(|entry| filter.has(entry)).collect();
        for counts in ledger.facets(&filter, &Field::ALL, 1_000).unwrap() {
            let expected = groups(&fits, &[counts.field]);
            assert_eq!(counts.values.len(), expected.len(), "{} of {filter:?}", counts.field);
            for (value, count) in counts.values {
                assert_eq!(expected[&vec![value]].0, count, "{} of {filter:?}", counts.field);
            }
            assert_eq!(counts.total, fits.len() as u64);
        }
        let by = [draw.one(&Field::ALL), draw.one(&Field::ALL)];
        let expected = groups(&fits, &by);
        let found = ledger.groups(&filter, &by, 10_000).unwrap();
        assert_eq!(found.len(), expected.len());
        for Group { values, count, delay_ms } in found {
            assert_eq!(expected[&values], (count, delay_ms), "{by:?} of {filter:?}");
        }
    }
}

#[test]
fn following_sealed_parts_in_small_steps_sees_everything_once() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = filled(dir.path(), 5);
    let list = ledger.follow(Seq(0), &Filter::default(), usize::MAX).unwrap().entries;
    let filter = Filter { kinds: vec![Kind::Deferred, Kind::Lane], ..Filter::default() };
    let (mut found, mut upto) = (Vec::new(), Seq(0));
    while upto < ledger.newest() {
        let followed = ledger.follow(upto, &filter, 3).unwrap();
        found.extend(followed.entries);
        upto = followed.upto;
    }
    let expected: Vec<_> = list.into_iter().filter(|written| filter.has(&written.entry)).collect();
    assert_eq!(found, expected);
}

#[test]
fn tallies_of_sealed_parts_are_those_of_a_list() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = filled(dir.path(), 6);
    let list = all(&ledger);
    let (from, to) = (Instant(now().0 - 5_000_000_000), Instant(now().0 - 1_000_000_000));
    let asked =
        Tallies { providers: vec!["gmail".into()], ..Tallies::all(from, to, Span::from_min(5)) };
    let minute = |at: Instant| Instant(at.0 / 60_000_000 * 60_000_000);
    let fits = list.iter().filter(|entry| {
        entry.provider == "gmail"
            && entry.at >= minute(from)
            && entry.at < minute(to) + Span::from_min(1)
    });
    let tally = |entry| {
        let tally = Tally::of(entry);
        Tally { from: Instant(tally.from.0 / 300_000_000 * 300_000_000), ..tally }
    };
    let expected = Tally::together(fits.map(tally).collect());
    assert!(!expected.is_empty());
    assert_eq!(ledger.tallies(&asked).unwrap(), expected);
}

#[test]
fn tallies_that_are_not_kept_apart_are_those_that_are_put_together() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = filled(dir.path(), 6);
    let (from, to) = (Instant(now().0 - 5_000_000_000), Instant(now().0));
    let apart = Tallies {
        tenants: vec!["shop".into(), "".into()],
        ..Tallies::all(from, to, Span::from_min(5))
    };
    let all = ledger.tallies(&apart).unwrap();
    for by in [
        vec![By::Provider, By::Source, By::Try],
        vec![By::Label, By::Tenant],
        vec![By::Stream],
        vec![],
    ] {
        let asked = Tallies { by, ..apart.clone() };
        let expected = Tally::together(all.iter().cloned().map(|of| asked.rounded(of)).collect());
        let found = ledger.tallies(&asked).unwrap();
        assert_eq!(found, expected, "{:?}", asked.by);
        assert!(!found.is_empty() && found.len() < all.len(), "{:?}", asked.by);
    }
}

#[test]
fn words_that_stand_nowhere_are_told_without_reading_a_part() {
    let dir = tempfile::tempdir().unwrap();
    drop(filled(dir.path(), 9));
    // A search that reads the entries of a part is broken off after the first.
    let ledger =
        Ledger::open(dir.path(), Settings { search_entries_max: 1, ..settings() }).unwrap();
    ledger.seal().unwrap();
    let filter = Filter { text: Some("words nobody said".into()), ..Filter::default() };
    let page = ledger.latest(&filter, 50, None).unwrap();
    assert_eq!((page.entries.len(), page.next, page.searched_until), (0, None, None));
}

#[test]
fn parts_without_their_trigrams_or_with_broken_ones_are_searched_all_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = filled(dir.path(), 10);
    ledger.seal().unwrap();
    let filter = Filter { text: Some("TOO many".into()), ..Filter::default() };
    let expected = ledger.latest(&filter, 1_000, None).unwrap().entries;
    assert!(!expected.is_empty());
    let files: Vec<_> = std::fs::read_dir(dir.path().join("trigrams")).unwrap().collect();
    assert_eq!(files.len(), 4);
    for (n, file) in files.into_iter().enumerate() {
        let path = file.unwrap().path();
        match n {
            0 => std::fs::remove_file(path).unwrap(),
            1 => std::fs::write(path, "PLTRIGR\x01 and nothing else").unwrap(),
            2 => std::fs::write(path, vec![0; 1 << 20]).unwrap(),
            _ => {}
        }
    }
    assert_eq!(ledger.latest(&filter, 1_000, None).unwrap().entries, expected);
    assert_eq!(ledger.figures().parts, 4);
}

#[test]
fn a_search_that_takes_too_long_says_how_far_it_came_and_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    drop(filled(dir.path(), 7));
    let ledger =
        Ledger::open(dir.path(), Settings { search_entries_max: 1, ..settings() }).unwrap();
    ledger.seal().unwrap();
    let filter = Filter { text: Some("too many".into()), ..Filter::default() };
    let expected = all(&ledger).iter().filter(|entry| filter.has(entry)).count();
    let (mut found, mut after, mut broken_off) = (0, None, 0);
    loop {
        let page = ledger.latest(&filter, 1_000, after).unwrap();
        found += page.entries.len();
        broken_off += usize::from(page.searched_until.is_some());
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(found, expected);
    assert!(broken_off > 0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_appended_comes_back_from_sealed_parts(
        entries in proptest::collection::vec(any_entry(), 1..30)
    ) {
        let dir = tempfile::tempdir().unwrap();
        let settings = Settings { keep: Span(u64::MAX), ..settings() };
        let ledger = Ledger::open(dir.path(), settings).unwrap();
        for entry in &entries {
            ledger.append(entry.clone());
        }
        ledger.seal().unwrap();
        prop_assert_eq!(ledger.figures().open, 0);
        let found = ledger.follow(Seq(0), &Filter::default(), usize::MAX).unwrap().entries;
        prop_assert_eq!(found.len(), entries.len());
        for (written, entry) in found.into_iter().zip(entries) {
            let sample = ledger.sample(written.seq).unwrap().map(Box::new);
            prop_assert_eq!(Entry { sample, ..written.entry }, entry);
        }
    }
}

#[test]
fn an_export_holds_what_the_filter_has() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = filled(dir.path(), 8);
    let filter = Filter { providers: vec!["gmail".into()], ..Filter::default() };
    let mut octets = Vec::new();
    let n = ledger.export(&filter, &mut octets).unwrap();
    let path = dir.path().join("export.parquet");
    std::fs::write(&path, octets).unwrap();
    let table = crate::table::Table::open(&path, None).unwrap();
    let expected = ledger.follow(Seq(0), &filter, usize::MAX).unwrap().entries;
    assert_eq!((n, table.rows()), (expected.len() as u64, expected.len()));
    let mut seqs = table.numbers("seq", |_| true).unwrap().rows;
    seqs.sort_unstable();
    assert_eq!(seqs, expected.iter().map(|written| Some(written.seq.0)).collect::<Vec<_>>());
    let providers = table.texts("provider", |_| true).unwrap();
    assert!((0..table.rows()).all(|row| providers.text(row) == "gmail"));
}
