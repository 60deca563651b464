//! The limit that is found in a log, against the limit that was there: logs of a simulated Postfix
//! that sends to model receivers, drawn by seed.
//!
//!     SEEDS=200 cargo test --release -p postlane-maillog --test limits -- --nocapture

#![expect(clippy::print_stdout, reason = "its figures are asked for")]

mod receiver;
mod sender;

use std::sync::{Arc, LazyLock};

use postlane_mail::Instant;
use postlane_maillog::{Analysis, Format, Limits, SuspectedLimit, suspected_limit};
use postlane_replies::{Providers, RuleBook};

use crate::receiver::{Drawn, Known};

static BOOK: LazyLock<Arc<RuleBook>> =
    LazyLock::new(|| Arc::new(RuleBook::built_in(&Providers::built_in())));

/// What the log of a run shows.
fn found(drawn: &Drawn, seed: u64) -> Option<SuspectedLimit> {
    let log = sender::log(drawn, seed);
    let mut analysis =
        Analysis::new(Arc::clone(&BOOK), Limits::default(), Instant(0), Instant::MAX);
    analysis.begin_file(Format::Postfix, 2026);
    analysis.feed(log.as_bytes());
    let report = analysis.finish();
    assert_eq!(report.bad_lines, 0, "{:?}", report.bad_examples);
    let one = &report.providers[0];
    suspected_limit(&one.moments, one.step_s)
}

/// How the finder did.
#[derive(Default)]
struct Score {
    windows: u32,
    found: u32,
    window_right: u32,
    quota_right: u32,
    without: u32,
    invented: u32,
    /// By tenths of confidence: found, and right in window and quota.
    tenths: [(u32, u32); 10],
}

impl Score {
    fn of(seeds: impl Iterator<Item = u64>) -> Self {
        let mut score = Self::default();
        for seed in seeds {
            let drawn = receiver::draw(seed);
            let found = found(&drawn, seed);
            if std::env::var_os("TELL").is_some() {
                let told = found
                    .as_ref()
                    .map(|l| (l.window_s, l.quota, l.turns, l.counts, l.confidence, l.hit));
                println!("{seed}: {:?} {} {told:?}", drawn.known, drawn.kind);
            }
            score.add(drawn.known, found);
        }
        score
    }

    fn add(&mut self, known: Option<Known>, found: Option<SuspectedLimit>) {
        match (known, found) {
            (None, None) => self.without += 1,
            (None, Some(_)) => {
                self.without += 1;
                self.invented += 1;
            }
            (Some(_), None) => self.windows += 1,
            (Some(known), Some(found)) => {
                let is_window = known.window_s == found.window_s;
                let off = known.quota.abs_diff(found.quota) as f64 / known.quota as f64;
                self.windows += 1;
                self.found += 1;
                self.window_right += u32::from(is_window);
                self.quota_right += u32::from(is_window && off <= 0.1);
                let tenth = &mut self.tenths[((found.confidence * 10.0) as usize).min(9)];
                tenth.0 += 1;
                tenth.1 += u32::from(is_window && off <= 0.1);
            }
        }
    }

    fn print(&self) {
        println!(
            "windows {} found {} window right {} and quota within 10 % {}; without {} invented {}",
            self.windows,
            self.found,
            self.window_right,
            self.quota_right,
            self.without,
            self.invented
        );
        for (tenth, (found, right)) in self.tenths.iter().enumerate().filter(|(_, of)| of.0 > 0) {
            println!("confidence 0.{tenth}: {right} of {found} right");
        }
    }
}

/// Seeds from 1000 on were not looked at while the finder was made.
#[test]
fn most_limits_that_are_found_are_those_that_are_there() {
    let seeds: u64 = std::env::var("SEEDS").ok().and_then(|n| n.parse().ok()).unwrap_or(16);
    let first: u64 = std::env::var("FIRST").ok().and_then(|n| n.parse().ok()).unwrap_or(1_000);
    let score = Score::of(first..first + seeds);
    score.print();
    assert!(score.found * 10 >= score.windows * 4, "too few are found");
    assert!(score.window_right * 10 >= score.found * 7, "too many are wrong");
    assert!(score.invented * 2 <= score.without, "too many are invented");
}
