//! When things happened, so that they can be counted over any span.

use std::collections::VecDeque;

use postlane_mail::{Instant, Span};

/// Moments, the oldest first, in bounded memory: exact for the youngest, in small heaps for older ones.
///
/// It is the arrival curve of what a lane has done: how many in any span that ends now.
#[derive(Debug, Clone, Default)]
pub(crate) struct History {
    heaps: VecDeque<Heap>,
    /// Everything that has been told to it.
    total: u64,
    /// Of that, what came before the oldest heap.
    before: u64,
}

/// Moments close to each other.
#[derive(Debug, Clone, Copy)]
struct Heap {
    first: Instant,
    last: Instant,
    /// Everything up to and with this heap.
    upto: u64,
}

/// A way through a history, from old to young: what is asked next is not far from what was asked
/// before, and is looked for from there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Walk<'h> {
    history: &'h History,
    /// The first heap that ends later than what was gone to last.
    place: usize,
}

/// What is older does not count for any limit that is learned: a day, and what a canary waits
/// beyond it.
const KEPT: Span = Span::from_h(27);

/// Beyond so many heaps the older half is put together in pairs. 4,096 of 24 octets are
/// 100 KB for the busiest lanes; the youngest two thousand moments are always exact.
const HEAPS_MAX: usize = 4096;

impl History {
    /// Something happened; not before what was told last.
    pub(crate) fn record(&mut self, at: Instant) {
        let at = self.heaps.back().map_or(at, |heap| at.max(heap.last));
        self.total += 1;
        self.heaps.push_back(Heap { first: at, last: at, upto: self.total });
        while let Some(heap) = self.heaps.front().filter(|heap| heap.last + KEPT < at) {
            self.before = heap.upto;
            self.heaps.pop_front();
        }
        if self.heaps.len() > HEAPS_MAX {
            self.thin();
        }
    }

    fn thin(&mut self) {
        let half = self.heaps.len() / 2;
        let mut thinned = VecDeque::with_capacity(HEAPS_MAX);
        let mut older = self.heaps.iter().take(half);
        while let Some(first) = older.next() {
            let second = older.next().unwrap_or(first);
            thinned.push_back(Heap { first: first.first, last: second.last, upto: second.upto });
        }
        thinned.extend(self.heaps.iter().skip(half));
        self.heaps = thinned;
    }

    /// Everything that has been told to it.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// Many at once, as they were kept; not before what was told last.
    pub(crate) fn restore(&mut self, at: Instant, many: u32) {
        if let Some(more) = many.checked_sub(1) {
            self.record(at);
            self.total += u64::from(more);
            if let Some(heap) = self.heaps.back_mut() {
                heap.upto = self.total;
            }
        }
    }

    /// Where the last heap ends that ends at a moment or before.
    pub(crate) fn last_end(&self, until: Instant) -> Option<Instant> {
        self.heaps.get(self.later(until).checked_sub(1)?).map(|heap| heap.last)
    }

    /// A way through it that begins behind a moment.
    pub(crate) fn walk(&self, since: Instant) -> Walk<'_> {
        Walk { history: self, place: self.later(since) }
    }

    /// How many after `since`, up to and at `until`.
    pub(crate) fn between(&self, since: Instant, until: Instant) -> u64 {
        self.upto(until).saturating_sub(self.upto(since))
    }

    /// How many in the window that ends at `until`.
    pub(crate) fn within(&self, window: Span, until: Instant) -> u64 {
        if window.0 > until.0 { self.upto(until) } else { self.between(until - window, until) }
    }

    /// The most in any window of that length.
    pub(crate) fn most_within(&self, window: Span) -> u64 {
        let mut first = 0;
        let ends = self.heaps.iter().enumerate().map(|(place, end)| {
            while first < place && end.last.since(self.heaps[first].last) >= window {
                first += 1;
            }
            end.upto - self.upto_place(first)
        });
        ends.max().unwrap_or_default()
    }

    /// How many up to and at a moment. A heap counts when all of it has happened.
    fn upto(&self, at: Instant) -> u64 {
        self.upto_place(self.later(at))
    }

    /// How many in the heaps before this place.
    fn upto_place(&self, place: usize) -> u64 {
        place.checked_sub(1).map_or(self.before, |last| self.heaps[last].upto)
    }

    /// The place of the first heap that ends after a moment: mostly behind all, since what is asked
    /// is how many there are by now.
    fn later(&self, at: Instant) -> usize {
        if self.heaps.back().is_none_or(|heap| heap.last <= at) {
            return self.heaps.len();
        }
        self.heaps.partition_point(|heap| heap.last <= at)
    }

    /// When there will be no more than `left` of them in a window, if nothing is added.
    pub(crate) fn falls_to(&self, window: Span, left: u64) -> Instant {
        let Some(gone) = self.total.checked_sub(left).filter(|gone| *gone > self.before) else {
            return Instant::default();
        };
        let place = self.heaps.partition_point(|heap| heap.upto < gone);
        self.heaps.get(place).map(|heap| heap.last + window).unwrap_or_default()
    }

    /// The moment of the one that had `n` behind it, up to a moment.
    pub(crate) fn nth_before(&self, until: Instant, n: u64) -> Option<Instant> {
        let number = self.upto(until).checked_sub(n).filter(|number| *number > self.before)?;
        let place = self.heaps.partition_point(|heap| heap.upto < number);
        self.heaps.get(place).map(|heap| heap.first)
    }
}

impl Walk<'_> {
    /// Where the next heap ends.
    pub(crate) fn next_end(&self) -> Option<Instant> {
        self.history.heaps.get(self.place).map(|heap| heap.last)
    }

    /// Where the last heap ends that ends at a moment or before, not before where it stands.
    pub(crate) fn last_end(&self, until: Instant) -> Option<Instant> {
        self.history.heaps.get(self.later(until).checked_sub(1)?).map(|heap| heap.last)
    }

    /// Goes on to a moment; says how many there were on the way.
    pub(crate) fn go_to(&mut self, until: Instant) -> u64 {
        let before = self.history.upto_place(self.place);
        self.place = self.later(until);
        self.history.upto_place(self.place).saturating_sub(before)
    }

    /// The place of the first heap that ends after a moment, from here on: in steps that double,
    /// then between the last two.
    fn later(&self, at: Instant) -> usize {
        let heaps = &self.history.heaps;
        let (mut low, mut step) = (self.place, 1);
        while heaps.get(low + step - 1).is_some_and(|heap| heap.last <= at) {
            low += step;
            step *= 2;
        }
        let mut high = (low + step - 1).min(heaps.len());
        while low < high {
            let middle = low.midpoint(high);
            if heaps[middle].last <= at {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_window_is_open_at_its_old_end() {
        let mut history = History::default();
        for s in [100, 110, 120] {
            history.record(Instant::from_unix_s(s));
        }
        let now = Instant::from_unix_s(120);
        assert_eq!(history.within(Span::from_s(20), now), 2);
        assert_eq!(history.within(Span::from_s(21), now), 3);
        assert_eq!(history.falls_to(Span::from_s(60), 2), Instant::from_unix_s(160));
        assert_eq!(history.falls_to(Span::from_s(60), 3), Instant::default());
        assert_eq!(history.nth_before(now, 1), Some(Instant::from_unix_s(110)));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 32, ..ProptestConfig::default() })]

        #[test]
        fn counts_are_what_counting_says(gaps_s in proptest::collection::vec(0u64..500, 1..1500)) {
            let (mut history, mut at, mut all) = (History::default(), 100_000, Vec::new());
            for gap in gaps_s {
                at += gap;
                history.record(Instant::from_unix_s(at));
                all.push(at);
            }
            let kept: Vec<u64> = all.iter().copied().filter(|s| s + KEPT.as_s() >= at).collect();
            for window in [60, 600, 3600, 86_400] {
                let naive = all.iter().filter(|s| **s > at - window).count() as u64;
                let counted = history.within(Span::from_s(window), Instant::from_unix_s(at));
                prop_assert_eq!(counted, naive);
                let upto = |at: u64| kept.partition_point(|s| *s <= at);
                let most = kept.iter().map(|end| (upto(*end) - upto(end - window)) as u64).max();
                prop_assert_eq!(history.most_within(Span::from_s(window)), most.unwrap_or_default());
            }
        }

        #[test]
        fn a_walk_counts_what_is_counted_between_its_stations(
            gaps_s in proptest::collection::vec(0u64..50, 0..300),
            strides_s in proptest::collection::vec(0u64..900, 1..40),
        ) {
            let (mut history, mut at) = (History::default(), 100_000);
            for gap in gaps_s {
                at += gap;
                history.record(Instant::from_unix_s(at));
            }
            let mut since = Instant::from_unix_s(100_000);
            let mut walk = history.walk(since);
            for stride in strides_s {
                let until = since + Span::from_s(stride);
                let next = history.heaps.iter().map(|heap| heap.last).find(|last| *last > since);
                prop_assert_eq!(walk.next_end(), next);
                prop_assert_eq!(walk.last_end(until), history.last_end(until));
                prop_assert_eq!(walk.go_to(until), history.between(since, until));
                since = until;
            }
        }

        #[test]
        fn memory_is_bounded_and_young_counts_stay_exact(many in 5_000u64..60_000) {
            let mut history = History::default();
            for ms in 0..many {
                history.record(Instant::from_unix_s(100_000) + Span::from_ms(ms));
            }
            prop_assert!(history.heaps.len() <= HEAPS_MAX);
            prop_assert_eq!(history.total, many);
            let end = Instant::from_unix_s(100_000) + Span::from_ms(many - 1);
            prop_assert_eq!(history.within(Span::from_ms(1000), end), 1000);
            prop_assert_eq!(history.within(Span::from_h(1), end), many);
        }
    }
}
