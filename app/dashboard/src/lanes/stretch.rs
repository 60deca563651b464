//! What a lane did in one stretch of time after the other, out of the ledger's counts.

use std::collections::BTreeMap;

use postlane_api::wire::{TallyPage, TallyRow};
use postlane_mail::{Instant, Span};

use crate::moments;

/// What happened in one stretch of time, in recipients.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Stretch {
    pub(crate) accepted: u64,
    /// Deferred at their first attempt.
    pub(crate) deferred_fresh: u64,
    /// Deferred at a later one.
    pub(crate) deferred_retry: u64,
    /// Refused for good.
    pub(crate) bounced: u64,
    /// Given up for age.
    pub(crate) expired: u64,
    /// First attempts, however they ended.
    pub(crate) fresh: u64,
}

impl Stretch {
    fn add(&mut self, row: &TallyRow) {
        let is_fresh = row.tried.as_deref() == Some("fresh");
        match row.kind.as_str() {
            "delivered" => self.accepted += row.count,
            "deferred" if is_fresh => self.deferred_fresh += row.count,
            // Without an attempt it was the lane or the route that made it wait.
            "deferred" if row.tried.is_some() => self.deferred_retry += row.count,
            "bounced" => self.bounced += row.count,
            "expired" => self.expired += row.count,
            _ => return,
        }
        if is_fresh {
            self.fresh += row.count;
        }
    }

    /// All attempts.
    pub(crate) fn attempts(&self) -> u64 {
        self.accepted + self.deferred() + self.bounced
    }

    /// Attempts that were deferred.
    pub(crate) fn deferred(&self) -> u64 {
        self.deferred_fresh + self.deferred_retry
    }

    /// Of first attempts those deferred, 0 to 1; none where there was none.
    pub(crate) fn fresh_deferral(&self) -> Option<f64> {
        (self.fresh > 0).then(|| self.deferred_fresh as f64 / self.fresh as f64)
    }

    /// Attempts for each recipient accepted; none where none was.
    pub(crate) fn pressure(&self) -> Option<f64> {
        (self.accepted > 0).then(|| self.attempts() as f64 / self.accepted as f64)
    }
}

impl std::ops::AddAssign for Stretch {
    fn add_assign(&mut self, other: Self) {
        self.accepted += other.accepted;
        self.deferred_fresh += other.deferred_fresh;
        self.deferred_retry += other.deferred_retry;
        self.bounced += other.bounced;
        self.expired += other.expired;
        self.fresh += other.fresh;
    }
}

/// Stretches one after the other, the oldest first; the last is not over yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Course {
    pub(crate) from: Instant,
    pub(crate) every: Span,
    pub(crate) stretches: Vec<Stretch>,
}

impl Course {
    /// Of so many stretches, the last of which has `now` in it, in which nothing happened yet.
    pub(crate) fn empty(now: Instant, every: Span, many: usize) -> Self {
        let last = moments::floored(now, every);
        let from = Instant(last.0.saturating_sub(every.0 * (many as u64).saturating_sub(1)));
        Self { from, every, stretches: vec![Stretch::default(); many] }
    }

    fn add(&mut self, row: &TallyRow) {
        let at = moments::read(&row.from);
        let place = at.filter(|at| *at >= self.from).map(|at| at.since(self.from).0 / self.every.0);
        let place = place.and_then(|place| usize::try_from(place).ok());
        if let Some(stretch) = place.and_then(|place| self.stretches.get_mut(place)) {
            stretch.add(row);
        }
    }

    /// When a stretch begins.
    pub(crate) fn begins(&self, place: usize) -> Instant {
        self.from + Span(self.every.0 * place as u64)
    }

    /// When the last one ends.
    pub(crate) fn ends(&self) -> Instant {
        self.begins(self.stretches.len())
    }

    /// Everything in it.
    pub(crate) fn sum(&self) -> Stretch {
        self.stretches.iter().fold(Stretch::default(), |mut sum, stretch| {
            sum += *stretch;
            sum
        })
    }

    /// What was accepted an hour, over the last hour or the shortest time beyond that it has.
    pub(crate) fn accepted_per_h(&self, now: Instant) -> f64 {
        const HOUR: Span = Span::from_h(1);
        let hour_ago = Instant(now.0.saturating_sub(HOUR.0));
        let first =
            self.stretches.len().saturating_sub(1).min(
                usize::try_from(hour_ago.since(self.from).0 / self.every.0).unwrap_or_default(),
            );
        let accepted: u64 = self.stretches.iter().skip(first).map(|s| s.accepted).sum();
        let covered = now.since(self.begins(first)).0.max(1);
        // A server that began a minute ago has not accepted sixty times as much an hour.
        accepted as f64 * HOUR.0 as f64 / covered.max(HOUR.0) as f64
    }
}

/// Courses of lanes, by provider and source.
pub(crate) fn courses(
    page: &TallyPage,
    now: Instant,
    (every, span): (Span, Span),
) -> BTreeMap<(String, String), Course> {
    let many = usize::try_from(span.0 / every.0.max(1)).unwrap_or_default();
    let mut courses = BTreeMap::new();
    for row in &page.tallies {
        let key = (row.provider.clone(), row.source.clone());
        courses.entry(key).or_insert_with(|| Course::empty(now, every, many)).add(row);
    }
    courses
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant::from_unix_s(1_795_239_545);

    fn row(ago_min: u64, kind: &str, tried: Option<&str>, count: u64) -> TallyRow {
        let from = Instant(NOW.0 - Span::from_min(ago_min).0);
        let from = postlane_api::wire::timestamp(moments::floored(from, Span::from_min(5)));
        TallyRow {
            from,
            provider: "google".to_owned(),
            source: "ip1".to_owned(),
            stream: None,
            tenant: String::new(),
            kind: kind.to_owned(),
            tried: tried.map(str::to_owned),
            label: String::new(),
            count,
            delay_ms: 0,
            took_ms: 0,
        }
    }

    fn course(tallies: Vec<TallyRow>) -> Course {
        let page = TallyPage { every_s: 300, tallies };
        let every = (Span::from_min(5), Span::from_h(3));
        let mut courses = courses(&page, NOW, every);
        courses.remove(&("google".to_owned(), "ip1".to_owned())).unwrap()
    }

    #[test]
    fn counts_fall_into_their_stretch_and_first_attempts_are_told_apart() {
        let course = course(vec![
            row(0, "delivered", Some("fresh"), 6),
            row(0, "deferred", Some("fresh"), 2),
            row(0, "deferred", Some("retry"), 5),
            row(20, "delivered", Some("retry"), 1),
            row(20, "deferred", None, 9),
            row(600, "delivered", Some("fresh"), 100),
        ]);
        assert_eq!(course.stretches.len(), 36);
        let last = course.stretches[35];
        assert_eq!((last.accepted, last.deferred(), last.fresh), (6, 7, 8));
        assert_eq!(last.fresh_deferral(), Some(0.25));
        assert_eq!(course.stretches[31].attempts(), 1, "waiting without an attempt is none");
        assert_eq!(course.sum().accepted, 7);
        assert!(course.ends() > NOW && course.begins(35) <= NOW);
    }

    #[test]
    fn the_last_hour_is_what_an_hour_is() {
        let course = course(vec![
            row(10, "delivered", Some("fresh"), 30),
            row(50, "delivered", Some("fresh"), 30),
            row(120, "delivered", Some("fresh"), 1_000),
        ]);
        let per_h = course.accepted_per_h(NOW);
        assert!((50.0..=60.0).contains(&per_h), "{per_h}");
        assert_eq!(course.sum().pressure(), Some(1.0));
        let empty = Course::empty(NOW, Span::from_min(5), 36);
        assert_eq!((empty.sum().pressure(), empty.sum().fresh_deferral()), (None, None));
    }
}
