//! A rest after a refusal, and when a canary asks whether it is over.

use postlane_mail::{Chance, Instant, Span};

use crate::controller::{Kind, Question};
use crate::windows::{NATURAL, permille};

/// One wave of refusals: from the first until a canary is accepted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rest {
    /// When the message went out that was refused first.
    pub(crate) refused: Instant,
    /// When the sending before it had begun.
    pub(crate) began: Instant,
    /// Messages a second before it, where there were enough to tell.
    pub(crate) pace: Option<f64>,
    /// How long the provider said to wait.
    pub(crate) hint: Option<Hinted>,
    /// The first canary's wait.
    pub(crate) first: Span,
    /// The canary before the first, where the last step alone may have been refused.
    pub(crate) early: Early,
    /// Canaries that were refused.
    pub(crate) canaries: u32,
    /// Of those, such as went before their time for transactional mail's sake: they put off no other.
    pub(crate) urgent: u32,
    /// Of those, the last ones in a row that another lane was refused.
    pub(crate) followed: u32,
    /// When the last of them was sent; the first refusal, as long as there was none.
    pub(crate) tried: Instant,
    /// The window the provider named, without a figure.
    pub(crate) window: Option<Span>,
    /// What its next canary asks of the quota that explains it.
    pub(crate) asks: Option<Question>,
    /// What was said is no limit by its words.
    pub(crate) doubt: Option<Kind>,
    /// It answered the question whether a higher rate holds.
    pub(crate) was_asked: bool,
    /// It came where a confirmed quota was full, or at a paid question.
    pub(crate) explained: Option<usize>,
    /// That quota was full to the last message: what opens again before its time is its doing.
    pub(crate) is_full: bool,
    /// It said that it is out of service, where mail had gone for a while and no quota was full: what is
    /// known of its limits stands.
    pub(crate) is_outage: bool,
    /// It began with the words of one who is out of service.
    pub(crate) says_outage: bool,
    /// Since when its canaries are told that the host is out of service, where it was something else before.
    pub(crate) unserved: Option<Instant>,
    /// The words that it began with are doubted: its first canary goes at once.
    pub(crate) appeal: Option<Kind>,
    /// How many were accepted in all before it: a canary more is little of them, or much.
    pub(crate) accepted: u32,
}

/// A canary before the first of a rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Early {
    /// None goes.
    #[default]
    No,
    /// It goes so long after the refusal.
    After(Span),
    /// It was refused, and the rest goes on as if it had not been sent.
    Refused,
}

/// How long a provider said to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hinted {
    /// How long.
    pub wait: Span,
    /// In figures ("in 5 minutes"), not in words ("a few hours").
    pub exact: bool,
}

/// The wait before the first canary where the provider says "a few hours" or the like: its words
/// are meant for people, and most limits are over sooner (LANES, Hints).
const WORDS: Span = Span::from_min(10);

/// Words that speak of hours; "later" says nothing.
const HOURS: Span = Span::from_h(1);

/// No canary is sent later than this after the first refusal or the canary before. Half a day:
/// a limit by the day is over by the second at the latest.
const LONGEST: Span = Span::from_h(12);

/// The first wait for a host that is out of service. Chosen, not measured.
const OUTAGE: Span = Span::from_min(3);

/// No count explains a rest that is longer: who asks may prolong it, and asks when it has lasted half as
/// long again.
pub(crate) const BEYOND_COUNTS: Span = Span::from_h(24);

/// A rest that was over so soon came from a limit of seconds or a minute, not from a long window.
pub(crate) const FAST: Span = Span::from_s(150);

/// Where so many were accepted, a canary between ten minutes and an hour is half a percent of them. Chosen by
/// rehearsals (decision 053).
const MUCH: u32 = 200;

/// Nor than this, where a canary is little of what was accepted. Chosen by rehearsals (decision 043).
const OFTEN: Span = Span::from_h(3);

impl Rest {
    /// The wait before the first canary (LANES §4).
    pub(crate) fn first_wait(hint: Option<Hinted>, burst: Span, base: Span) -> Span {
        match hint {
            Some(Hinted { wait, exact: true }) => permille(wait, 1050),
            Some(Hinted { wait, exact: false }) if wait >= HOURS => WORDS,
            _ if burst < Span::from_min(5) => base.min(Span::from_s(60)),
            _ => base,
        }
    }

    /// When the next canary is due.
    pub(crate) fn next(&self, chance: &mut Chance) -> Instant {
        if self.canaries == 0 && self.hint.is_some_and(|hint| hint.exact) {
            return self.refused + jittered(self.first, chance);
        }
        if let Early::After(wait) = self.early {
            return self.refused + jittered(wait, chance);
        }
        if self.is_outage {
            return self.tried + jittered(self.outage_wait(), chance);
        }
        let after = self.wait();
        let due = match self.window.filter(|_| self.canaries >= 2) {
            Some(window) if self.began + window > self.tried => {
                self.began + window + permille(window, 10).min(PAST)
            }
            _ => self.snapped(self.refused + after),
        };
        let least = self.tried + Span::from_s(30).min(self.first);
        // A window that began with the burst may end before the refusal is a minute old, and one by
        // a clock not: where the first canary is too early, the next goes after ten minutes.
        let first = self.refused + self.first;
        let least = if self.canaries == 0 { least.max(first) } else { least };
        // Many limits of a day begin by a clock, hours after the lane has filled them. None lasts longer.
        let counts = self.tried.since(self.refused) <= BEYOND_COUNTS;
        let due = if counts && self.is_little() { due.min(self.tried + OFTEN) } else { due };
        due.max(least) + jitter(after, chance)
    }

    /// When transactional mail that waits is worth an earlier canary: where something of this source's
    /// leaves a natural window, and the provider was seen to refuse for two thirds of the time until
    /// then at most.
    pub(crate) fn urgent_at(&self) -> Option<Instant> {
        let waited = self.tried.since(self.refused);
        let least = self.refused + permille(waited, 1600).max(Span::from_min(1));
        let ends = NATURAL.iter().filter(|window| **window <= SHORT).map(|window| {
            // No two lanes ask at the same moment.
            let apart = Span(window.0 / 100_000 * (self.refused.0 % 1000));
            self.began + *window + permille(*window, 10).min(PAST) + apart.min(PAST)
        });
        ends.filter(|at| *at >= least).min()
    }

    /// Canaries that were refused, the early one too.
    pub(crate) fn refused_canaries(&self) -> u32 {
        self.canaries + u32::from(self.early == Early::Refused)
    }

    /// Whether one canary more is little of what was accepted: half a percent of it at most.
    fn is_little(&self) -> bool {
        u64::from(self.accepted) >= 200 * (u64::from(self.canaries) + 1)
    }

    /// Who is out of service is asked after three minutes, and then when it has lasted half as long again:
    /// no count says when it is over, and a box may say the same, and grow with each canary.
    pub(crate) fn outage_wait(&self) -> Span {
        let since = self.unserved.unwrap_or(self.refused);
        OUTAGE.max(Span(self.tried.since(since).0 / 2))
    }

    /// From the first refusal to the next canary: a minute, ten minutes, an hour, as most limits
    /// are written, then two and a half times as long; after twenty minutes, too, where much was accepted.
    fn wait(&self) -> Span {
        let (ten_minutes, hour) = (Span::from_min(10), Span::from_min(62));
        let third = if self.accepted >= MUCH { Span::from_min(21) } else { ten_minutes };
        let waited = self.tried.since(self.refused);
        if waited > BEYOND_COUNTS {
            return permille(waited, 1500);
        }
        let mut wait = self.first;
        let mut step = 0;
        while step < self.canaries.saturating_sub(self.urgent) || wait <= permille(waited, 1250) {
            step += 1;
            wait = if wait < ten_minutes {
                wait.times(10).min(ten_minutes)
            } else if wait < third {
                third
            } else if wait < hour {
                hour
            } else {
                permille(wait, 2500)
            };
        }
        wait.min(waited + if self.is_little() { OFTEN } else { LONGEST })
    }

    /// The moment near `target` at which something would leave a natural window: a limit opens
    /// then or not at all. Counted from the end of a short burst, from the beginning of a long one.
    fn snapped(&self, target: Instant) -> Instant {
        let burst = self.refused.since(self.began);
        let aim = target.since(self.refused).0.max(1) as f64;
        let opens = NATURAL.iter().map(|window| {
            let from = if burst.0 < window.0 / 4 { self.refused } else { self.began };
            from + *window + permille(*window, 10).min(PAST)
        });
        let distance = |at: &Instant| (at.since(self.refused).0.max(1) as f64 / aim).ln().abs();
        let near =
            opens.filter(|at| *at > self.tried).min_by(|a, b| distance(a).total_cmp(&distance(b)));
        near.filter(|at| distance(at) < NEAR).unwrap_or(target)
    }
}

/// Transactional mail asks for the end of windows that are no longer: the next canaries of the schedule are
/// hours apart where it has come to longer ones, and it would ask for the end of a day.
const SHORT: Span = Span::from_min(15);

/// A canary goes so much after a window's end, at most.
const PAST: Span = Span::from_min(1);

/// A natural window's end is taken where it is no further from the schedule than this factor
/// (its logarithm). Chosen, not measured.
const NEAR: f64 = 0.7;

/// Nobody needs to wait five minutes longer for that.
const JITTER_MAX: Span = Span::from_min(5);

/// Up to 6 % later, so that no two lanes' canaries go out together.
fn jitter(wait: Span, chance: &mut Chance) -> Span {
    let most = permille(wait, 60).min(JITTER_MAX);
    Span((most.0 as f64 * chance.between(0.0, 1.0)) as u64)
}

fn jittered(wait: Span, chance: &mut Chance) -> Span {
    wait + jitter(wait, chance)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A rest as it begins, of a lane that had sent for a minute.
    pub(crate) fn rest(refused: Instant) -> Rest {
        Rest {
            refused,
            began: refused - Span::from_min(1),
            pace: None,
            hint: None,
            first: Span::from_s(60),
            early: Early::No,
            canaries: 0,
            urgent: 0,
            followed: 0,
            tried: refused,
            window: None,
            asks: None,
            doubt: None,
            was_asked: false,
            explained: None,
            is_full: false,
            is_outage: false,
            says_outage: false,
            unserved: None,
            appeal: None,
            accepted: 0,
        }
    }

    /// A box of half a day that begins anew with each canary is never over by threes of hours.
    #[test]
    fn where_a_day_was_not_enough_the_silence_grows_however_much_was_accepted() {
        let refused = Instant::from_unix_s(1_000_000);
        let after = |hours| {
            let tried = refused + Span::from_h(hours);
            let rest = Rest { accepted: 1_000_000, canaries: 9, tried, ..rest(refused) };
            rest.next(&mut Chance::new(1)).since(tried)
        };
        assert!(after(12) < Span::from_min(3 * 60 + 6), "{:?}", after(12));
        assert!(after(25) > Span::from_h(12), "{:?}", after(25));
    }

    /// Minutes from the first refusal to each canary, where the one before it was refused at its time.
    fn schedule(accepted: u32) -> Vec<u64> {
        let mut rest = Rest { accepted, ..rest(Instant::from_unix_s(1_000_000)) };
        let waits = (0..4).map(|canaries| {
            rest.canaries = canaries;
            let wait = rest.wait();
            rest.tried = rest.refused + wait;
            wait.0 / 60_000_000
        });
        waits.collect()
    }

    #[test]
    fn the_first_canary_waits_its_whole_wait_whenever_the_window_may_have_begun() {
        let refused = Instant::from_unix_s(1_000_000);
        for burst in 0..120 {
            let rest = Rest { began: refused - Span::from_s(burst), ..rest(refused) };
            let waits = rest.next(&mut Chance::new(burst)).since(refused);
            let most = rest.first.times(2);
            assert!(rest.first <= waits && waits < most, "{waits:?} after {burst} s");
        }
    }

    #[test]
    fn canaries_go_after_a_minute_ten_and_an_hour_and_after_twenty_where_much_was_accepted() {
        assert_eq!(schedule(199), [1, 10, 62, 155]);
        assert_eq!(schedule(200), [1, 10, 21, 62]);
    }
}
