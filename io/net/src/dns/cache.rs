//! Answers that are still good.
//!
//! Positive and negative ones are kept as long as they say, within bounds (RFC 2308 §5); that
//! a question could not be answered is kept for a moment, so that ten thousand messages for a
//! domain whose servers are down ask once (RFC 9520 §3.2). When it is full, what would go first
//! goes.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use postlane_mail::Span;

use super::answer::{Answer, DnsError};

/// How long answers are kept, and how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheBounds {
    /// Records kept of MX sets, and as many of addresses; an answer without records counts as
    /// one. Chosen, not measured: with the longest names there are it is 30 MB of each.
    pub records_max: usize,
    /// Records are kept for this long even if their TTL is shorter. Chosen, not measured: mail
    /// does not need to follow a change within seconds.
    pub positive_min: Span,
    /// Records are not kept for longer than this.
    pub positive_max: Span,
    /// That there is nothing is kept for this long even if the zone says less, or nothing.
    pub negative_min: Span,
    /// That there is nothing is not kept for longer than this (RFC 2308 §5: one to three hours
    /// work well).
    pub negative_max: Span,
    /// That no answer was to be had is kept for this long; RFC 9520 §3.2 allows 1 second to
    /// 5 minutes.
    pub failure: Span,
}

/// For how long answers to checks are believed: as long as they say, and for five minutes at most;
/// that there is nothing for half a minute (RFC 2308 §5 allows hours), since it is what somebody is
/// about to publish. Chosen, not measured.
pub(super) const HEARD: CacheBounds = CacheBounds {
    records_max: 10_000,
    positive_min: Span::ZERO,
    positive_max: Span::from_min(5),
    negative_min: Span::ZERO,
    negative_max: Span::from_s(30),
    failure: Span::ZERO,
};

impl Default for CacheBounds {
    fn default() -> Self {
        Self {
            records_max: 100_000,
            positive_min: Span::from_s(10),
            positive_max: Span::from_h(24),
            negative_min: Span::from_s(10),
            negative_max: Span::from_h(1),
            failure: Span::from_s(10),
        }
    }
}

/// Answers by question.
#[derive(Debug)]
pub(super) struct Cache<K, T> {
    bounds: CacheBounds,
    entries: BTreeMap<K, Entry<T>>,
    by_end: BTreeMap<(Instant, u64), K>,
    inserted: u64,
    records: usize,
}

#[derive(Debug)]
struct Entry<T> {
    outcome: Result<Answer<T>, DnsError>,
    end: (Instant, u64),
}

impl<K: Ord + Clone, T> Cache<K, T> {
    pub(super) fn new(bounds: CacheBounds) -> Self {
        Self { bounds, entries: BTreeMap::new(), by_end: BTreeMap::new(), inserted: 0, records: 0 }
    }

    /// Keeps an outcome and hands it back with the time it is kept for.
    pub(super) fn insert(
        &mut self,
        now: Instant,
        question: K,
        outcome: Result<Answer<T>, DnsError>,
    ) -> Result<Answer<T>, DnsError> {
        let kept_for = self.bounds.of(&outcome);
        self.inserted += 1;
        let end = (now + kept_for.to_std(), self.inserted);
        self.by_end.insert(end, question.clone());
        let handed = with_ttl(&outcome, kept_for);
        self.records += weight(&outcome);
        if let Some(former) = self.entries.insert(question, Entry { outcome, end }) {
            self.by_end.remove(&former.end);
            self.records -= weight(&former.outcome);
        }
        while self.records > self.bounds.records_max {
            let Some((_, first)) = self.by_end.pop_first() else { break };
            let gone = self.entries.remove(&first).expect("what has an end is there");
            self.records -= weight(&gone.outcome);
        }
        handed
    }

    /// What is kept, if it is still good, with the time that is left to it.
    pub(super) fn get(&self, now: Instant, question: &K) -> Option<Result<Answer<T>, DnsError>> {
        let entry = self.entries.get(question)?;
        let left = entry.end.0.checked_duration_since(now).filter(|left| !left.is_zero())?;
        Some(with_ttl(&entry.outcome, span(left)))
    }
}

impl CacheBounds {
    fn of<T>(&self, outcome: &Result<Answer<T>, DnsError>) -> Span {
        match outcome {
            Ok(answer) => within(answer.ttl, self.positive_min, self.positive_max),
            Err(DnsError::NxDomain { ttl } | DnsError::NoData { ttl }) => {
                within(*ttl, self.negative_min, self.negative_max)
            }
            Err(_) => self.failure,
        }
    }
}

/// What an outcome counts for.
fn weight<T>(outcome: &Result<Answer<T>, DnsError>) -> usize {
    outcome.as_ref().map_or(1, |answer| answer.records.len().max(1))
}

/// A span within bounds; where they contradict each other the upper one holds.
fn within(span: Span, min: Span, max: Span) -> Span {
    span.max(min).min(max)
}

fn with_ttl<T>(outcome: &Result<Answer<T>, DnsError>, ttl: Span) -> Result<Answer<T>, DnsError> {
    match outcome {
        Ok(answer) => Ok(answer.with_ttl(ttl)),
        Err(error) => Err(error.with_ttl(ttl)),
    }
}

fn span(duration: Duration) -> Span {
    Span(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(records_max: usize) -> Cache<&'static str, u8> {
        Cache::new(CacheBounds { records_max, ..CacheBounds::default() })
    }

    fn answer(ttl_s: u64) -> Result<Answer<u8>, DnsError> {
        Ok(Answer { records: [1].into(), ttl: Span::from_s(ttl_s), authentic: false })
    }

    fn ttl(outcome: Result<Answer<u8>, DnsError>) -> u64 {
        match outcome {
            Ok(answer) => answer.ttl.as_s(),
            Err(DnsError::NxDomain { ttl } | DnsError::NoData { ttl }) => ttl.as_s(),
            Err(error) => panic!("{error} has no time to live"),
        }
    }

    #[test]
    fn an_answer_is_kept_as_long_as_it_says_and_its_time_runs_down() {
        let (mut cache, start) = (cache(9), Instant::now());
        assert_eq!(ttl(cache.insert(start, "a", answer(300))), 300);
        let later = start + Duration::from_secs(100);
        assert_eq!(ttl(cache.get(later, &"a").unwrap()), 200);
        assert_eq!(cache.get(start + Duration::from_secs(300), &"a"), None);
        assert_eq!(cache.get(start, &"b"), None);
    }

    #[test]
    fn times_to_live_are_bounded_on_both_sides() {
        let (mut cache, start) = (cache(9), Instant::now());
        assert_eq!(ttl(cache.insert(start, "a", answer(0))), 10);
        assert_eq!(ttl(cache.insert(start, "b", answer(u64::from(u32::MAX)))), 86_400);
        let nothing = |ttl_s| Err(DnsError::NoData { ttl: Span::from_s(ttl_s) });
        assert_eq!(ttl(cache.insert(start, "c", nothing(0))), 10);
        let unknown = |ttl_s| Err(DnsError::NxDomain { ttl: Span::from_s(ttl_s) });
        assert_eq!(ttl(cache.insert(start, "d", unknown(604_800))), 3_600);
    }

    #[test]
    fn a_server_that_failed_is_left_alone_for_a_moment() {
        let (mut cache, start) = (cache(9), Instant::now());
        assert_eq!(cache.insert(start, "a", Err(DnsError::ServFail)), Err(DnsError::ServFail));
        let soon = start + Duration::from_secs(9);
        assert_eq!(cache.get(soon, &"a"), Some(Err(DnsError::ServFail)));
        assert_eq!(cache.get(start + Duration::from_secs(10), &"a"), None);
    }

    #[test]
    fn a_full_cache_lets_go_of_what_would_go_first() {
        let (mut cache, start) = (cache(2), Instant::now());
        for (question, ttl_s) in [("a", 300), ("b", 60), ("c", 120)] {
            cache.insert(start, question, answer(ttl_s)).unwrap();
        }
        assert!(cache.get(start, &"a").is_some() && cache.get(start, &"c").is_some());
        assert_eq!(cache.get(start, &"b"), None);
        assert_eq!((cache.entries.len(), cache.by_end.len()), (2, 2));
    }

    #[test]
    fn an_answer_counts_as_many_times_as_it_has_records() {
        let (mut cache, start) = (cache(4), Instant::now());
        let wide =
            |n| Ok(Answer { records: vec![1; n].into(), ttl: Span::from_h(1), authentic: false });
        cache.insert(start, "a", answer(60)).unwrap();
        cache.insert(start, "b", wide(3)).unwrap();
        assert!(cache.get(start, &"a").is_some());
        cache.insert(start, "b", wide(4)).unwrap();
        assert!(cache.get(start, &"a").is_none() && cache.get(start, &"b").is_some());
        // One that is too wide for the whole is handed on and not kept.
        assert_eq!(cache.insert(start, "c", wide(5)).unwrap().records.len(), 5);
        assert_eq!((cache.entries.len(), cache.by_end.len(), cache.records), (0, 0, 0));
    }

    #[test]
    fn an_answer_replaces_the_former_one() {
        let (mut cache, start) = (cache(2), Instant::now());
        cache.insert(start, "a", answer(300)).unwrap();
        cache.insert(start, "a", answer(60)).unwrap();
        assert_eq!(ttl(cache.get(start, &"a").unwrap()), 60);
        assert_eq!((cache.entries.len(), cache.by_end.len()), (1, 1));
    }
}
