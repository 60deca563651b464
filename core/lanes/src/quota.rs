//! A limit that a provider keeps: so many in so long.

use postlane_mail::{Instant, Span};

use crate::arrivals::Arrivals;
use crate::controller::Longer;
use crate::history::History;
use crate::windows::{self, permille};

/// A window and how many the provider takes in it, found out from its refusals.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quota {
    /// The span it counts in.
    pub window: Span,
    /// How many it takes in any such span; at least 1.
    pub messages: u32,
    /// How often it has been seen to hold: 2 or more are relied on.
    pub support: u32,
    /// The shortest window that explains the refusals, too.
    pub least: Span,
    /// When its window begins.
    pub reset: Reset,
    pub(crate) question: Question,
    /// The window it had before one yes made it this short; not kept over a restart.
    pub(crate) longer: Option<Longer>,
    /// How often it was taken to have fallen since it explained a rest, and when first; not kept over a restart.
    pub(crate) falls: Option<(u8, Instant)>,
}

/// When a window begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reset {
    /// It is taken to slide: a message counts for as long as the window is.
    #[default]
    Assumed,
    /// It slides: the provider took nothing in the middle of it.
    Slides,
    /// It begins anew by a clock, once in its length: after `from`, and at `to` at the latest.
    Clock {
        /// It has not begun anew at this moment.
        from: Instant,
        /// It has at this one.
        to: Instant,
    },
}

/// Whether a quota takes one more: asked seldom, since a wrong answer is a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Question {
    /// Questions in a row that were answered with yes.
    pub(crate) run: u32,
    /// Windows to wait after the next no.
    pub(crate) patience: u32,
    /// Not asked before.
    pub(crate) not_before: Instant,
    /// How many it took before the first of the run; 0 where there is none.
    pub(crate) held: u32,
}

/// Transactional mail may wait so long for a quota. Chosen, not measured.
const WAITS: Span = Span::from_min(2);

/// Another limit hardly ever refuses just when so much of a quota is used. Chosen by rehearsals (decision 036).
const FILLED: f64 = 0.97;

/// What a quota leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Room {
    Left,
    /// None, until then.
    After(Instant),
    /// None, until one that is under way is over.
    UnderWay,
}

/// What a lane has done, as far as quotas count it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counted {
    /// Everything but what was greylisted.
    pub(crate) all: History,
    pub(crate) accepted: History,
}

impl Quota {
    pub(crate) fn new(window: Span, messages: u64, support: u32) -> Self {
        let messages = u32::try_from(messages).unwrap_or(u32::MAX).max(1);
        let (reset, question) = (Reset::Assumed, Question::default());
        Self {
            window,
            messages,
            support,
            least: window,
            reset,
            question,
            longer: None,
            falls: None,
        }
    }

    /// Whether it is relied on.
    pub fn is_confirmed(&self) -> bool {
        self.support >= 2
    }

    /// Messages a second, over the whole window.
    pub fn pace(&self) -> f64 {
        f64::from(self.messages) / (self.window.0 as f64 / 1e6)
    }

    /// The middle of the shorter windows that explain the refusals as well.
    pub(crate) fn shorter(&self) -> Option<Span> {
        windows::between(self.least, self.window)
    }

    /// How many count at a moment.
    pub(crate) fn used(&self, history: &History, at: Instant) -> u64 {
        match self.last_reset(at) {
            Some(since) => history.between(since, at),
            None => history.within(with_margin(self.window), at),
        }
    }

    /// Whether one more fits, besides those under way.
    pub(crate) fn room(&self, history: &History, limit: u64, under_way: u64, now: Instant) -> Room {
        if self.used(history, now) + under_way < limit {
            return Room::Left;
        }
        match limit.checked_sub(1 + under_way) {
            Some(left) => Room::After(self.opens(history, left, now)),
            None if under_way > 0 => Room::UnderWay,
            None => Room::After(now + permille(self.window, 100)),
        }
    }

    /// Bulk leaves no more than two in five.
    pub(crate) fn reserve_most(&self) -> u64 {
        u64::from(self.messages) * 2 / 5
    }

    /// What bulk leaves, of so many that are free, for transactional mail: whatever may come of it
    /// before as much has left the window. What would wait for less than two minutes may wait.
    pub(crate) fn kept_free(
        &self,
        history: &History,
        arrivals: Arrivals,
        free: u64,
        now: Instant,
    ) -> u64 {
        const STEPS: u64 = 16;
        let most = self.reserve_most().min(free);
        let used = self.used(history, now);
        let needed = (1..=STEPS).map(|step| {
            let span = Span(self.window.0 / STEPS * step);
            let leaves = match self.next_reset(now) {
                Some((_, to)) if now + span < to => 0,
                Some(_) => used,
                None => {
                    let begins = now - with_margin(self.window).min(Span(now.0));
                    history.between(begins, begins + span)
                }
            };
            let until = Span(span.0.saturating_sub(WAITS.0));
            arrivals.at_most(until, most + leaves).saturating_sub(leaves)
        });
        needed.max().unwrap_or(0).min(most)
    }

    /// When no more than `left` count any more.
    pub(crate) fn opens(&self, history: &History, left: u64, now: Instant) -> Instant {
        match self.next_reset(now) {
            Some((_, to)) => to,
            None => history.falls_to(with_margin(self.window), left),
        }
    }

    /// Where the clock's window is known to have begun last: what counts since then, for sure or
    /// perhaps.
    pub(crate) fn last_reset(&self, now: Instant) -> Option<Instant> {
        let Reset::Clock { from, to } = self.reset else { return None };
        let windows = now.since(to).0 / self.window.0.max(1);
        (now >= to).then(|| from + self.window.times(windows))
    }

    /// The same clock, as seen from `now`: what was kept may speak of a later time than this machine's.
    pub(crate) fn seen_from(mut self, now: Instant) -> Self {
        if let Reset::Clock { from, to } = &mut self.reset {
            let windows = to.since(now).0.div_ceil(self.window.0.max(1));
            let ahead = self.window.times(windows);
            (*from, *to) = (*from - ahead, *to - ahead);
        }
        self
    }

    /// Between which moments the clock's window begins next.
    pub(crate) fn next_reset(&self, now: Instant) -> Option<(Instant, Instant)> {
        let Reset::Clock { from, to } = self.reset else { return None };
        let windows = if now < to { 0 } else { now.since(to).0 / self.window.0.max(1) + 1 };
        let ahead = self.window.times(windows);
        Some((from + ahead, to + ahead))
    }

    /// Whether so many fill it to the last, or hardly any less.
    pub(crate) fn is_filled_by(&self, count: u64) -> bool {
        count as f64 >= FILLED * f64::from(self.messages)
    }

    /// Whether a count is this quota's, give or take (LANES §5).
    pub(crate) fn is_about(&self, count: u64) -> bool {
        let quota = f64::from(self.messages);
        let off = |from: f64| (0.15 * from).max(1.0);
        let held = if self.question.held > 0 { f64::from(self.question.held) } else { quota };
        let least = held.min(quota);
        let count = count as f64;
        least - off(least) <= count && count <= quota + off(quota)
    }
}

/// A window, and a little more: the provider's clock starts when it hears us, not when we speak.
/// Half a percent, five seconds at most, and half a second: chosen, not measured.
pub(crate) fn with_margin(window: Span) -> Span {
    window + permille(window, 5).min(Span::from_s(5)) + Span::from_ms(500)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten in an hour of transactional mail, and 60 messages of 100 used, the first `since` ago.
    fn kept_free(first: Span, quota: &Quota) -> u64 {
        let now = Instant::from_unix_s(1_000_000);
        let (mut mail, mut used) = (History::default(), History::default());
        for n in 0..60 {
            mail.record(now - Span::from_h(6) + Span::from_min(6).times(n));
        }
        for n in 0..60 {
            used.record(now - first + Span::from_s(n));
        }
        quota.kept_free(&used, Arrivals::lately(&mail, now), 40, now)
    }

    #[test]
    fn what_is_kept_free_shrinks_as_the_window_ends_and_is_nothing_in_its_last_minutes() {
        let quota = Quota::new(Span::from_h(1), 100, 2);
        let [full, half, end] = [2, 30, 59].map(|min| kept_free(Span::from_min(min), &quota));
        assert!(full >= 15 && half >= 6 && full > half, "{full} {half}");
        assert_eq!(end, 0);
    }

    #[test]
    fn bulk_keeps_three_in_five_however_much_is_expected() {
        let quota = Quota::new(Span::from_h(24), 60, 2);
        assert_eq!(kept_free(Span::from_min(2), &quota), 24);
    }

    #[test]
    fn a_clock_that_was_kept_by_a_later_time_strikes_when_it_always_did() {
        let hour = Span::from_h(1);
        let (from, to) = (Instant::from_unix_s(360_000), Instant::from_unix_s(360_060));
        let quota = Quota { reset: Reset::Clock { from, to }, ..Quota::new(hour, 200, 2) };
        let now = Instant::from_unix_s(100_000);
        let seen = quota.seen_from(now);
        assert_eq!(seen.last_reset(now), Some(Instant::from_unix_s(97_200)));
        assert_eq!(seen.next_reset(now).map(|(from, _)| from.unix_s()), Some(100_800));
        assert_eq!(quota.seen_from(to), quota);
    }

    #[test]
    fn a_refusal_within_a_run_of_questions_is_the_quotas_own() {
        let mut quota = Quota::new(Span::from_h(1), 200, 2);
        assert!(quota.is_about(190) && !quota.is_about(150));
        quota.question.held = 160;
        assert!(quota.is_about(150));
    }
}
