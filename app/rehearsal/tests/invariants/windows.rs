//! What a lane believes: a limit is never above what was accepted, and no rate rises while fresh
//! mail is deferred.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use postlane_mail::Span;
use postlane_receivers::Ms;

use crate::runs::hold;
use crate::scenarios::all;
use crate::trace::{Event, What};

/// `N messages in W` at the end of a reason.
fn limit(reason: &str) -> Option<(u64, Span)> {
    let said = ["confirmed: ", "the provider takes more: "];
    let rest = said.iter().find_map(|said| reason.strip_prefix(said))?;
    let (messages, window) = rest.split_once(" messages in ")?;
    Some((messages.parse().unwrap(), Ms::parse(window).unwrap().to_span()))
}

/// The most of these moments within any such span.
fn most(moments: &[u64], span_ms: u64) -> u64 {
    let mut within = VecDeque::new();
    let mut most = 0;
    for moment in moments {
        within.push_back(*moment);
        while within.front().is_some_and(|first| first + span_ms <= *moment) {
            within.pop_front();
        }
        most = most.max(within.len() as u64);
    }
    most
}

#[test]
fn no_limit_is_relied_on_above_what_was_accepted_in_its_window() {
    hold(&all(), |events| {
        let mut sent: BTreeMap<u64, u64> = BTreeMap::new();
        let mut accepted: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        for Event { t_ms, what } in events {
            match what {
                What::Dispatch { msg, .. } => {
                    sent.insert(*msg, *t_ms);
                }
                What::Reply { source, msg: Some(msg), code: 250, .. } => {
                    accepted.entry(source.clone()).or_default().push(sent[msg]);
                }
                What::Lane { source, reason, .. } => {
                    let Some((messages, window)) = limit(reason) else { continue };
                    let moments = accepted.entry(source.clone()).or_default();
                    moments.sort_unstable();
                    let seen = most(moments, window.as_ms() + window.as_ms() / 50);
                    // A question goes two percent, and one, beyond.
                    let step = 1 + seen / 50;
                    assert!(messages <= seen + step, "{reason} at {t_ms} ms, accepted {seen}");
                }
                _ => {}
            }
        }
    });
}

/// First attempts of a source: the last of them, and whether they were deferred.
#[derive(Debug, Default)]
struct Fresh {
    under_way: BTreeSet<u64>,
    last: VecDeque<bool>,
}

impl Fresh {
    fn end(&mut self, msg: u64, deferred: bool) {
        if self.under_way.remove(&msg) {
            self.last.push_back(deferred);
            if self.last.len() > 150 {
                self.last.pop_front();
            }
        }
    }

    fn deferred(&self) -> f64 {
        let deferred = self.last.iter().filter(|deferred| **deferred).count();
        deferred as f64 / self.last.len().max(1) as f64
    }
}

#[test]
fn no_rate_rises_while_more_than_two_percent_of_fresh_mail_is_deferred() {
    // Where all that is refused is refused for the rate.
    let rated: Vec<String> = all().into_iter().filter(|text| !text.contains("conns\"")).collect();
    hold(&rated, |events| {
        let mut tried = BTreeSet::new();
        let mut sources: BTreeMap<String, Fresh> = BTreeMap::new();
        for Event { t_ms, what } in events {
            match what {
                What::Dispatch { msg, source, .. } if tried.insert(*msg) => {
                    sources.entry(source.clone()).or_default().under_way.insert(*msg);
                }
                What::Reply { msg: Some(msg), code, source } => {
                    let deferred = (400..500).contains(code);
                    sources.entry(source.clone()).or_default().end(*msg, deferred);
                }
                What::Lane { reason, source, .. } if reason.starts_with("raises") => {
                    let share = sources.entry(source.clone()).or_default().deferred();
                    assert!(share <= 0.02, "{reason} at {t_ms} ms: {share} deferred");
                }
                _ => {}
            }
        }
    });
}
