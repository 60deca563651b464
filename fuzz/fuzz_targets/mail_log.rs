//! Any octets as the log of any program: nothing panics, every line is counted, and what is kept
//! stays within its limits.

#![no_main]

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use postlane_mail::Instant;
use postlane_maillog::{Analysis, Format, Limits, first_moment, suspected_limit};
use postlane_replies::{Providers, RuleBook};

static BOOK: LazyLock<Arc<RuleBook>> =
    LazyLock::new(|| Arc::new(RuleBook::built_in(&Providers::built_in())));

const LIMITS: Limits = Limits { waiting_max: 8, providers_max: 4, moments_max: 16, slots_max: 16 };

fuzz_target!(|octets: &[u8]| {
    let Some((first, octets)) = octets.split_first() else { return };
    let format = Format::ALL[usize::from(*first) % Format::ALL.len()];
    let _ = Format::detect(octets);
    let _ = first_moment(format, octets, 2026);
    let mut analysis = Analysis::new(Arc::clone(&BOOK), LIMITS, Instant(0), Instant::MAX);
    analysis.begin_file(format, 2026);
    // In two pieces, parted somewhere.
    let (head, tail) = octets.split_at(usize::from(*first) % (octets.len() + 1));
    analysis.feed(head);
    analysis.feed(tail);
    let report = analysis.finish();
    let ends = octets.iter().filter(|octet| **octet == b'\n').count() as u64;
    let has_rest = octets.last().is_some_and(|octet| *octet != b'\n');
    assert_eq!(report.lines, ends + u64::from(has_rest));
    assert!(report.bad_lines <= report.lines);
    assert!(report.providers.len() <= LIMITS.providers_max + 1);
    assert!(report.waiting <= LIMITS.waiting_max as u64);
    for one in &report.providers {
        assert!(one.first_accepted <= one.first_attempts);
        assert!(one.moments.len() <= LIMITS.moments_max + 1);
        let _ = suspected_limit(&one.moments, one.step_s);
    }
});
