//! `cargo xtask bench ledger`: what an append costs its caller, and how long questions take among as
//! many entries as a busy month leaves behind.
//!
//! The entries are drawn (seeded, so that every run has the same), over thirty days with their nights:
//! twelve providers of very different size, ten thousand small domains, campaigns of three days,
//! deferrals that are tried again. They go the whole way: mailbox, append log, one sealed part an hour.

mod drawing;

use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant as Stopwatch};

use anyhow::Context as _;
use postlane_ledger::{Codes, Field, Filter, Kind, Ledger, Settings, Tallies, Try};
use postlane_mail::{Instant, Span};

use crate::ended::Ended;
use crate::root::root;
use drawing::{DAYS, Drawing, END};

/// How the ledger is measured.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Entries in it.
    #[arg(long, default_value_t = 20_000_000)]
    events: u64,
    /// How often each question is asked.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Where it lies while it is measured [default: target/bench]
    #[arg(long)]
    dir: Option<std::path::PathBuf>,
    /// Do not remove it afterwards.
    #[arg(long)]
    keep: bool,
}

/// What time it is in the month that is drawn, in microseconds.
static NOW: AtomicU64 = AtomicU64::new(0);

fn now() -> Instant {
    Instant(NOW.load(Ordering::Relaxed))
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Ended> {
    let home = arguments.dir.clone().unwrap_or_else(|| root().join("target/bench"));
    std::fs::create_dir_all(&home).with_context(|| format!("while making {}", home.display()))?;
    let dir = tempfile::tempdir_in(&home).context("while making a folder for the ledger")?;
    let mut out = std::io::stdout().lock();
    out.write_all(super::machine(&root()).as_bytes())?;
    fill(&mut out, dir.path(), arguments.events)?;
    let begun = Stopwatch::now();
    let ledger = open(dir.path())?;
    writeln!(out, "opening it             {:.0} ms", ms(begun.elapsed()))?;
    ask(&mut out, &ledger, arguments.rounds)?;
    writeln!(out, "memory now, and at most {}", memory())?;
    if arguments.keep {
        writeln!(out, "kept in {}", dir.keep().display())?;
    }
    Ok(Ended::Well)
}

fn open(dir: &Path) -> anyhow::Result<Ledger> {
    let settings = Settings {
        sync_every: Duration::from_secs(3_600),
        part_entries_max: 1 << 20,
        keep: Span(u64::MAX),
        octets_max: u64::MAX,
        waiting_octets_max: 1 << 30,
        clock: now,
        ..Settings::default()
    };
    Ledger::open(dir, settings).context("while opening the ledger")
}

/// Draws the month, hour by hour.
fn fill(out: &mut impl Write, dir: &Path, events: u64) -> anyhow::Result<()> {
    let ledger = open(dir)?;
    let mut drawing = Drawing::new(7);
    let mut spent = Vec::new();
    let begun = Stopwatch::now();
    let mut appended = 0;
    for hour in 0..DAYS * 24 {
        let entries = drawing.hour(hour, events);
        NOW.store(drawing.start(hour).0, Ordering::Relaxed);
        appended += entries.len();
        for (n, entry) in entries.into_iter().enumerate() {
            if n % 64 == 0 {
                let begun = Stopwatch::now();
                ledger.append(entry);
                spent.push(begun.elapsed());
            } else {
                ledger.append(entry);
            }
        }
        NOW.store(drawing.start(hour + 1).0 - 1, Ordering::Relaxed);
        ledger.seal().context("while sealing an hour")?;
    }
    let took = begun.elapsed();
    let figures = ledger.figures();
    anyhow::ensure!(figures.dropped == 0 && figures.open == 0, "entries were lost: {figures:?}");
    spent.sort_unstable();
    let share = |part: usize| spent.get(spent.len() * part / 1_000).copied().unwrap_or_default();
    let us = |spent: Duration| spent.as_secs_f64() * 1e6;
    let mb = figures.octets as f64 / 1e6;
    writeln!(out, "entries                {appended} in {} parts", figures.parts)?;
    writeln!(
        out,
        "on the disk            {mb:.0} MB, {:.1} octets each",
        mb * 1e6 / appended as f64
    )?;
    writeln!(out, "drawn and sealed in    {:.0} s", took.as_secs_f64())?;
    writeln!(
        out,
        "append, on the caller  {:.2} µs median, {:.2} µs 99 %, {:.2} µs 99.9 %",
        us(share(500)),
        us(share(990)),
        us(share(999)),
    )?;
    Ok(())
}

/// Asks everything the targets name, and what is harder than that.
fn ask(out: &mut impl Write, ledger: &Ledger, rounds: usize) -> anyhow::Result<()> {
    writeln!(
        out,
        "\n{:<50} {:>9} {:>9} {:>9} {:>10}",
        "question", "first", "best", "CPU", "found"
    )?;
    let all = Filter::default;
    let days_ago = |days: u64| Some(Instant(END.0 - Span::from_h(24 * days).0));
    let usual =
        [Field::Kind, Field::Provider, Field::Code, Field::Label, Field::Source, Field::Stream];
    let facets = |filter: Filter, fields: Vec<Field>| {
        move || -> anyhow::Result<u64> { Ok(ledger.facets(&filter, &fields, 50)?[0].total) }
    };
    let latest = |filter: Filter| {
        move || -> anyhow::Result<u64> {
            Ok(ledger.latest(&filter, 50, None)?.entries.len() as u64)
        }
    };
    let mut say =
        |name: &str, question: &dyn Fn() -> anyhow::Result<u64>| line(out, rounds, name, question);
    let refused = Filter { codes: vec![Codes::Class(4)], ..all() };
    let gmail = Filter { providers: vec!["gmail".into()], tries: Some(Try::Fresh), ..all() };
    let last_week = Filter { from: days_ago(7).map(|at| Instant(at.0 + 12_345_678)), ..all() };
    say("facets: six fields, everything", &facets(all(), usual.to_vec()))?;
    say("facets: six fields of 4xx", &facets(refused.clone(), usual.to_vec()))?;
    say("facets: six fields of fresh Gmail", &facets(gmail, usual.to_vec()))?;
    say("facets: six fields, last 7 days to the second", &facets(last_week, usual.to_vec()))?;
    say("facets: MX host, everything (no counts help)", &facets(all(), vec![Field::MxHost]))?;
    say("facets: domain, everything (no counts help)", &facets(all(), vec![Field::Domain]))?;
    let recipient = Filter { recipients: vec![drawing::somebody().into()], ..all() };
    let nobody = Filter { recipients: vec!["nobody@example.org".into()], ..all() };
    let message = Filter { message_ids: vec!["<1000@example.com>".into()], ..all() };
    say("exact recipient, 30 days", &latest(recipient))?;
    say("recipient that was never seen, 30 days", &latest(nobody))?;
    say("exact Message-ID, 30 days", &latest(message))?;
    say("latest 50: everything", &latest(all()))?;
    say("latest 50: 4xx of Gmail", &latest(Filter { providers: vec!["gmail".into()], ..refused }))?;
    let early = Filter { campaigns: vec!["shop-0".into()], ..all() };
    say("latest 50: a campaign of 4 weeks ago", &latest(early))?;
    let complaints = Filter { kinds: vec![Kind::Complaint], ..all() };
    say("latest 50: complaints", &latest(complaints))?;
    let small = Filter { domains: vec!["domain-777.example".into()], ..all() };
    say("latest 50: a small domain", &latest(small))?;
    let rare = Filter { mx_hosts: vec!["mx.domain-778.example".into()], ..all() };
    say("latest 50: a small domain's MX host", &latest(rare))?;
    let words = Filter { text: Some("temporarily deferred".into()), ..all() };
    say("latest 50: words in a reply", &latest(words))?;
    let missing = Filter { text: Some("words nobody said".into()), ..all() };
    say("latest 50: words nobody said", &latest(missing))?;
    // Threes of hexadecimal digits stand in every part: nothing helps but reading.
    let id = Filter { text: Some("0deadbeef0".into()), ..all() };
    say("latest 50: an id that no reply has (broken off)", &latest(id))?;
    let hours = Tallies::all(Instant(END.0 - Span::from_h(24 * DAYS).0), END, Span::from_h(1));
    say("tallies: 30 days by the hour", &|| Ok(ledger.tallies(&hours)?.len() as u64))?;
    let day = Tallies::all(Instant(END.0 - Span::from_h(24).0), END, Span::from_min(5));
    say("tallies: a day by five minutes", &|| Ok(ledger.tallies(&day)?.len() as u64))?;
    Ok(())
}

fn line(
    out: &mut impl Write,
    rounds: usize,
    name: &str,
    question: &dyn Fn() -> anyhow::Result<u64>,
) -> anyhow::Result<()> {
    let mut spent = Vec::new();
    let mut found = 0;
    let cpu = cpu_ms()?;
    for _ in 0..rounds.max(1) {
        let begun = Stopwatch::now();
        found = question()?;
        spent.push(begun.elapsed());
    }
    let cpu = (cpu_ms()? - cpu) / rounds.max(1) as f64;
    let first = spent[0];
    let least = spent.iter().min().copied().unwrap_or_default();
    writeln!(
        out,
        "{name:<50} {:>6.0} ms {:>6.0} ms {cpu:>6.0} ms {found:>10}",
        ms(first),
        ms(least),
    )?;
    Ok(out.flush()?)
}

fn ms(spent: Duration) -> f64 {
    spent.as_secs_f64() * 1e3
}

/// The CPU time of this process and all its threads so far, in milliseconds, as the kernel counts it
/// in hundredths of a second.
fn cpu_ms() -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").context("while reading the CPU time")?;
    let behind = stat.rsplit_once(')').map_or("", |(_, behind)| behind);
    let ticks: u64 =
        behind.split_whitespace().skip(11).take(2).filter_map(|n| n.parse::<u64>().ok()).sum();
    Ok(ticks as f64 * 10.0)
}

/// What this process takes, in words.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let of = |name| status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("?").trim();
    format!("{}, {}", of("VmRSS:"), of("VmHWM:"))
}
