//! From entries to a verdict.

use postlane_ledger::{Entry, Kind, Settings};
use postlane_mail::Code;
use postlane_triage::Class;

use super::*;

const NOON: Instant = Instant::from_unix_s(1_790_000_000);

/// A ledger in which a provider took some mail and deferred some, and another took all.
fn ledger(dir: &std::path::Path) -> Ledger {
    let ledger =
        Ledger::open(dir, Settings { keep: Span::from_h(24 * 36_500), ..Settings::default() });
    let ledger = ledger.unwrap();
    for n in 0..120_u64 {
        let mut entry = Entry::new(Kind::Delivered, NOON + Span::from_s(n * 30));
        entry.provider = "united-internet".into();
        entry.source = "a".into();
        entry.ehlo = "out.example.com".into();
        entry.source_ip = Some("192.0.2.1".parse().unwrap());
        entry.attempt = Some(1);
        if n % 2 == 0 {
            entry.kind = Kind::Deferred;
            entry.code = Code::new(421);
            entry.reply = format!("too many messages, id {n}").into();
            entry.label = "rate_limited".into();
            entry.rule = "united-internet/rate".into();
        }
        assert!(ledger.append(entry));
        let mut entry = Entry::new(Kind::Delivered, NOON + Span::from_s(n * 30));
        entry.provider = "google".into();
        entry.source = "a".into();
        entry.attempt = Some(1);
        assert!(ledger.append(entry));
    }
    let mut order = Entry::new(Kind::Lane, NOON + Span::from_s(10));
    order.provider = "united-internet".into();
    order.command = "pin 5/m".into();
    order.who = "jo".into();
    assert!(ledger.append(order));
    let mut rest = Entry::new(Kind::Lane, NOON + Span::from_s(20));
    rest.provider = "united-internet".into();
    rest.source = "a".into();
    rest.command = "rests".into();
    rest.who = "controller".into();
    rest.detail = "rests: the provider refuses at 2.0/s".into();
    assert!(ledger.append(rest));
    ledger.flush().unwrap();
    ledger
}

#[test]
fn what_the_ledger_remembers_becomes_a_verdict() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger(dir.path());
    let look = Look::back(NOON + Span::from_h(1), Span::from_h(1));
    let all = diagnose(&ledger, &look).unwrap();
    let classes: Vec<(&str, Class)> =
        all.iter().map(|of| (&*of.provider, of.verdict.class)).collect();
    assert_eq!(classes, [("google", Class::Healthy), ("united-internet", Class::Throttle)]);
    let throttled = &all[1];
    assert_eq!(throttled.figures.attempts(), 120);
    assert_eq!(throttled.elsewhere.attempts(), 120);
    let changed: Vec<&str> = throttled.changed.iter().map(|change| &*change.says).collect();
    assert_eq!(
        changed,
        ["pin 5/m by jo", "rests (a) by controller: the provider refuses at 2.0/s"]
    );
    // Replies that differ in numbers alone are one.
    assert_eq!(throttled.samples.len(), 1);
    assert_eq!(throttled.samples[0].count, 60);
}

#[test]
fn one_provider_is_compared_with_the_others_even_when_it_alone_is_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger(dir.path());
    let provider = Some("united-internet".into());
    let look = Look { provider, ..Look::back(NOON + Span::from_h(1), Span::from_h(1)) };
    let one = diagnose(&ledger, &look).unwrap();
    assert_eq!(one.len(), 1);
    assert_eq!(one[0].elsewhere.attempts(), 120);
}

#[test]
fn slots_are_minutes_for_a_look_of_hours_and_never_too_many() {
    for (span, slot) in [(Span::from_h(1), 1), (Span::from_h(24), 5), (Span::from_h(24 * 30), 60)] {
        let look = Look::back(NOON, span);
        assert_eq!(look.slot(), Span::from_min(slot));
        assert!(span.0 / look.slot().0 <= 720);
    }
}
