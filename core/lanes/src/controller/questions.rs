//! Questions that are paid for: whether a quota takes one more, whether its window is shorter, when
//! it begins anew.

use postlane_mail::{Instant, Span};

use super::{Asked, Controller, Question, State};
use crate::decision::Decision;
use crate::history::History;
use crate::quota::{Quota, Reset, with_margin};
use crate::rest::{BEYOND_COUNTS, Rest};
use crate::windows::{self, permille};

/// Canaries for the sake of messages that expire go no more often; nor before a quarter of the time
/// has passed again that the provider was seen to refuse. Chosen, not measured.
const LAST_CANARIES: Span = Span::from_min(10);

/// Where so many were accepted, one more refusal is little. Chosen, not measured.
const ENOUGH: u32 = 300;

/// After a no nothing is asked of a quota for so long, however short its window: who counts refusals counts
/// those of some minutes, and shuts the door after a few. Chosen by rehearsals (decision 053).
const APART: Span = Span::from_min(10);

/// One refusal in so many is little, of a window's. Chosen, not measured.
const MANY: u32 = 40;

/// One refusal in so many is hardly anything. Chosen, not measured.
const HUNDRED: u32 = 100;

/// What came in so many thousandths of a window is in the provider's too, whatever the difference of our clocks.
/// Chosen, not measured.
const SURE: u64 = 970;

const AN_HOUR: Span = Span::from_h(1);

const A_MINUTE_S: f64 = 60.0;

/// A quota of a window so long is asked once in it at most, so that a refusal is little. Chosen, not measured.
const LONG: Span = Span::from_h(3);

/// A quota that has kept everything from being refused for so many of its windows may be too low, and nothing
/// else would tell: it is asked on credit. Chosen by rehearsals (decision 045).
const QUIET_WINDOWS: u64 = 4;

impl Controller {
    /// The canary of a rest goes at once; whether it was waiting for its time.
    pub(crate) fn ask_now(&mut self, now: Instant) -> bool {
        let waits = matches!(self.state, State::Cooling { until } if until > now);
        if waits {
            self.state = State::Cooling { until: now };
        }
        waits
    }

    /// When a canary goes that would go then, if it is transactional mail that waits for it.
    pub(super) fn urgent_canary(&self, until: Instant) -> Instant {
        let asks = |rest: &Rest| {
            let knows =
                rest.explained.is_some() || rest.hint.is_some() || self.last_refused.is_some();
            rest.canaries == 1
                && rest.urgent == 0
                && !knows
                && rest.doubt.is_none()
                && self.accepted_in_all() >= ENOUGH
        };
        let urgent = self
            .rest
            .filter(asks)
            .and_then(|rest| Some(rest.urgent_at()?.max(rest.refused + self.backoff)));
        urgent.map_or(until, |urgent| urgent.min(until))
    }

    /// A message expires soon, and no canary would go before then: one goes now. Not where an
    /// operator or the provider has said how long to wait, nor where a quota says it. Whether it does.
    pub(crate) fn ask_before(&mut self, now: Instant, expires: Instant) -> bool {
        let (State::Cooling { until }, Some(rest)) = (self.state, self.rest) else { return false };
        let was_told = rest.hint.is_some_and(|hint| hint.exact) && rest.canaries == 0;
        let knows = rest.explained.is_some() && rest.canaries == 0;
        // Many messages may expire one after the other, and a box may grow with each canary.
        let waited = rest.tried.since(rest.refused);
        let part = if waited > BEYOND_COUNTS { 2 } else { 4 };
        let asked = rest.tried + Span(waited.0 / part).max(LAST_CANARIES);
        let may = until > expires && now >= asked && now >= rest.refused + self.backoff;
        if may && !was_told && !knows {
            self.state = State::Cooling { until: now };
        }
        may && !was_told && !knows
    }

    /// Whether a canary may ask when a full quota opens, rather than wait until it does. Where two windows' worth
    /// of mail waits it is worth that to all of them; what is left of less waits for this one alone, and for
    /// nothing if the quota opens sooner, so that few refusals of many messages are worth it as well.
    pub(super) fn is_worth_a_canary(&self, quota: &Quota, rest: &Rest) -> bool {
        let is_much = self.left() >= 2.0 * quota.window.0 as f64 / 1e6;
        is_much || rest.is_full && quota.messages >= MANY && self.backlog >= u64::from(MANY)
    }

    /// The next question to a quota that is full, and when it may be asked.
    pub(super) fn question(&self, quota: &Quota, now: Instant) -> Option<(Instant, Question)> {
        // Where a quota is full a pace cannot be tried. A question is under way as long as something is: a session
        // that was opened for it may ask, and so may another where that one never came to it.
        let is_under_way = self.in_flight() + self.sessions_opening > 0;
        let asks = is_under_way && matches!(self.asked, Some(Asked::Quota { .. }));
        if asks || self.left() < quota.window.0 as f64 / 1e6 && !self.is_held_up_by(quota, now) {
            return None;
        }
        let not_before = quota.question.not_before;
        let more = || self.more_question(quota, now).map(|(at, more)| (at.max(not_before), more));
        let clock = || self.clock_question(quota, now);
        if let Reset::Clock { .. } = quota.reset {
            // How many is worth more than when: whatever the hour, it takes as many.
            let soon = more().filter(|(at, _)| *at <= now);
            return soon.or_else(clock).or_else(more);
        }
        let shorter = self.shorter_question(quota, now);
        shorter.map(|(at, shorter)| (at.max(not_before), shorter)).or_else(more)
    }

    /// Whether what waits waits for hours for this quota alone, though it is less than a window of it: what was
    /// believed of a day would keep a campaign until it expires.
    fn is_held_up_by(&self, quota: &Quota, now: Instant) -> bool {
        let opens = || {
            let left = u64::from(quota.messages).saturating_sub(1);
            quota.opens(&self.counted.accepted, left, now).since(now)
        };
        quota.window >= LONG
            && quota.messages >= HUNDRED
            && self.backlog >= u64::from(MANY)
            && opens() >= AN_HOUR
    }

    /// When there would be room if a shorter window were the right one, where that is much sooner.
    fn shorter_question(&self, quota: &Quota, now: Instant) -> Option<(Instant, Question)> {
        if matches!(quota.reset, Reset::Clock { .. }) || !self.credits.has_one() {
            return None;
        }
        let shorter = quota.shorter().filter(|_| self.is_really_full(quota, now))?;
        let left = u64::from(quota.messages).saturating_sub(1);
        let all = &self.counted.all;
        let at = all.falls_to(with_margin(shorter), left);
        let opens = all.falls_to(with_margin(quota.window), left);
        let sooner = opens.since(at.max(now)) > permille(quota.window, 100);
        sooner.then_some((at, Question::Shorter))
    }

    /// When the clock begins anew: half-way between what is known, where that is worth it.
    fn clock_question(&self, quota: &Quota, now: Instant) -> Option<(Instant, Question)> {
        let (from, to) = quota.next_reset(now)?;
        let is_wide = to.since(from) > permille(quota.window, 60);
        let middle = from + Span(to.since(from).0 / 2);
        (is_wide && self.credits.has_one()).then_some((middle, Question::Reset))
    }

    /// One more, only where the quota is really full, so that the answer says something.
    fn more_question(&self, quota: &Quota, now: Instant) -> Option<(Instant, Question)> {
        let asks = self.is_really_full(quota, now) && self.is_worth_one_more(quota, now);
        asks.then_some((now, Question::More))
    }

    fn is_worth_one_more(&self, quota: &Quota, now: Instant) -> bool {
        let is_long = quota.window >= LONG;
        // What is full until the clock turns loses nothing by a no; but the no is a refusal.
        let is_clock = matches!(quota.reset, Reset::Clock { .. }) && quota.messages >= MANY;
        let cost = if is_clock { A_MINUTE_S } else { self.cost() };
        // What is full for hours waits for them anyway, however long the last rest was.
        let pays = is_long || 0.25 * self.left() * 0.2 >= 0.8 * cost;
        let free = quota.question.run > 0 || is_long;
        let is_quiet =
            self.is_quiet(now) && now.since(self.began) >= quota.window.times(QUIET_WINDOWS);
        let may = free || self.credits.has_one() || is_quiet;
        pays && may
    }

    /// Only a full quota can be asked. A clock's is empty all at once, so that mail comes to its
    /// end early and what is kept free would keep it from ever being full: where it is time to
    /// ask, bulk has that, too, and transactional mail may wait for the clock to turn.
    pub(super) fn is_filled_to_ask(&self, quota: &Quota, now: Instant) -> bool {
        if !matches!(quota.reset, Reset::Clock { .. })
            || quota.messages < MANY
            || self.left() < quota.window.0 as f64 / 1e6
        {
            return false;
        }
        let more = quota.question.not_before <= now && self.is_worth_one_more(quota, now);
        more || self.clock_question(quota, now).is_some_and(|(at, _)| at <= now)
    }

    /// Whether the answer would say something: what is full only with the margin for our clocks
    /// may have room. What was refused for reasons of its own may have counted.
    fn is_really_full(&self, quota: &Quota, at: Instant) -> bool {
        let counted = |history: &History| match quota.last_reset(at) {
            Some(since) => history.between(since, at),
            None => history.within(permille(quota.window, SURE), at),
        };
        let accepted = counted(&self.counted.accepted);
        let others = counted(&self.counted.all).saturating_sub(accepted);
        accepted + others.min(u64::from(quota.messages / 20)) + 1 >= u64::from(quota.messages)
    }

    /// Something goes: it may be the one that asks.
    pub(super) fn note_question(&mut self, now: Instant) {
        if let Some(Asked::Quota { .. }) = self.asked {
            return;
        }
        let full = |q: &&Quota| q.used(&self.counted.all, now) >= u64::from(q.messages);
        let Some(quota) = self.quotas.iter().find(full) else { return };
        let Some((at, question)) = self.question(quota, now) else { return };
        if at <= now {
            if let Some(Asked::Pace { before }) = self.asked {
                self.pace.keep_to(before, now);
            }
            self.asked = Some(Asked::Quota { window: quota.window, at: now, question });
        }
    }

    /// The question was answered with yes.
    pub(super) fn answered_yes(&mut self, now: Instant, sent: Instant) {
        let Some(Asked::Quota { window, at, question }) = self.asked else { return };
        if sent < at {
            return;
        }
        self.asked = None;
        let Some(quota) = self.quotas.iter_mut().find(|q| q.window == window) else { return };
        let is_more_for_sure = quota.last_reset(sent).is_some()
            || self.counted.accepted.within(permille(window, SURE), sent)
                > u64::from(quota.messages);
        match question {
            // It was full only with what was refused for reasons of its own: that says little.
            Question::More | Question::Shorter
                if quota.used(&self.counted.accepted, sent) <= u64::from(quota.messages) =>
            {
                quota.messages = quota.messages.saturating_add(1);
            }
            // Without the margin for our clocks it was not full: one more fitted anyway, and the next may ask.
            Question::More if !is_more_for_sure => {}
            Question::More => {
                if quota.question.run == 0 {
                    quota.question.held = quota.messages;
                }
                let share = 0.02 * f64::from(1u32 << quota.question.run.min(5));
                let step = (share * f64::from(quota.messages)) as u32;
                quota.messages = quota.messages.saturating_add(step.max(1));
                quota.question.run += 1;
                quota.question.patience = 0;
                let messages = quota.messages;
                self.decide(now, Decision::TakesMore { window, messages });
            }
            Question::Reset => {
                if let Some((from, _)) = quota.next_reset(sent) {
                    quota.reset = Reset::Clock { from: from.min(sent), to: sent };
                }
            }
            // One more than it was thought to take may be all that was right about it.
            Question::Shorter => {
                quota.shorten(false);
                let (window, messages) = (quota.window, quota.messages);
                self.decide(now, Decision::Confirmed { window, messages });
            }
        }
    }

    /// What asked was told something else, which is no answer: it may be asked again.
    pub(super) fn ask_again(&mut self, sent: Instant) {
        let is_over = |asked: &Asked| matches!(asked, Asked::Quota { at, .. } if sent >= *at);
        self.asked = self.asked.filter(|asked| !is_over(asked));
    }

    /// It was answered with no: the quota that was asked.
    pub(super) fn answered_no(&mut self, now: Instant, sent: Instant) -> Option<usize> {
        match self.asked.take()? {
            Asked::Quota { window, at, question } if sent >= at => {
                let place = self.quotas.iter().position(|q| q.window == window)?;
                self.quotas[place].learn_from_no(now, sent, question);
                Some(place)
            }
            Asked::Pace { before } => {
                self.faster_failed(now, before);
                None
            }
            Asked::Quota { .. } => None,
        }
    }
}

impl Quota {
    /// What a no says.
    pub(super) fn learn_from_no(&mut self, now: Instant, sent: Instant, question: Question) {
        match question {
            Question::More => {
                self.question.run = 0;
                self.question.held = 0;
                self.question.patience = (2 * self.question.patience).max(1);
                let windows = u64::from(self.question.patience.min(64));
                self.question.not_before = now + self.window.times(windows).max(APART);
            }
            Question::Shorter => {
                self.question.run = 0;
                let longer = self.shorter().and_then(windows::above);
                self.least = longer.unwrap_or(self.window).min(self.window);
                self.question.not_before = self.question.not_before.max(now + APART);
            }
            Question::Reset => match (self.reset, self.next_reset(sent)) {
                (Reset::Clock { .. }, Some((_, to))) => {
                    self.reset = Reset::Clock { from: sent, to };
                }
                _ => {
                    self.question.run = 0;
                    self.reset = Reset::Slides;
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use postlane_mail::Stream;

    use super::*;
    use crate::controller::{FIRST_RATE, Gate, Wants};

    #[test]
    fn a_full_quota_is_asked_though_a_faster_pace_was_about_to_be_tried() {
        let mut controller = Controller::new(FIRST_RATE, 1);
        let now = Instant::from_unix_s(1_000_000);
        controller.state = State::Normal;
        let quota = Quota::new(Span::from_h(1), 20, 2);
        controller.quotas.push(quota);
        for s in 0..20 {
            let at = now - Span::from_s(20 - s);
            controller.counted.accepted.record(at);
            controller.counted.all.record(at);
        }
        controller.expect(10_000);
        controller.asked = Some(Asked::Pace { before: 0.5 });
        assert_eq!(controller.question(&quota, now), Some((now, Question::More)));
        controller.opening(now);
        assert!(matches!(controller.asked, Some(Asked::Quota { question: Question::More, .. })));
        assert!((controller.rate() - 0.5).abs() < 1e-9);
        assert_eq!(controller.question(&quota, now), None);
        // The session that was opened to ask may ask; and where it never came to it, another.
        controller.opening_is_over();
        assert_eq!(controller.gate(now, Stream::Engaged, Wants::Prepaid), Gate::Now);
        assert_eq!(controller.question(&quota, now), Some((now, Question::More)));
        controller.sending(now, Stream::Engaged, Wants::Prepaid);
        assert_eq!(controller.question(&quota, now), None);
    }

    #[test]
    fn a_yes_raises_a_quota_only_where_more_than_it_takes_came_within_its_window_for_sure() {
        let sent = Instant::from_unix_s(1_000_000);
        let after_yes = |first_s_ago: u64| {
            let mut controller = Controller::new(FIRST_RATE, 1);
            controller.state = State::Normal;
            controller.expect(10_000);
            controller.quotas.push(Quota::new(Span::from_min(10), 15, 2));
            let before = (1..15).rev().map(|s| sent - Span::from_s(s));
            for at in [sent - Span::from_s(first_s_ago)].into_iter().chain(before).chain([sent]) {
                controller.counted.accepted.record(at);
                controller.counted.all.record(at);
            }
            let (window, question) = (Span::from_min(10), Question::More);
            controller.asked = Some(Asked::Quota { window, at: sent, question });
            controller.answered_yes(sent, sent);
            (controller.quotas[0].messages, controller.quotas[0].question.run)
        };
        assert_eq!(after_yes(581), (16, 1), "sixteen in less than ten minutes");
        // By the provider's clock the first may have left its ten minutes.
        assert_eq!(after_yes(585), (15, 0));
    }

    #[test]
    fn a_quota_of_a_day_is_asked_where_a_little_mail_would_wait_for_hours() {
        let mut controller = Controller::new(FIRST_RATE, 1);
        let now = Instant::from_unix_s(1_000_000);
        controller.state = State::Normal;
        (0..700).for_each(|s| {
            controller.counted.accepted.record(now - Span::from_s(700 - s));
            controller.counted.all.record(now - Span::from_s(700 - s));
        });
        let asks = |controller: &Controller, quota| controller.question(&quota, now).is_some();
        let day = Quota::new(Span::from_h(24), 700, 2);
        controller.expect(40);
        assert!(asks(&controller, day));
        // A message in a hundred would be too much of less, and a window of less than hours opens soon.
        assert!(!asks(&controller, Quota { messages: 99, ..day }));
        assert!(!asks(&controller, Quota::new(Span::from_h(1), 700, 2)));
        controller.expect(39);
        assert!(!asks(&controller, day));
    }

    #[test]
    fn what_is_kept_free_of_a_clocks_quota_is_used_to_ask_whether_it_takes_more() {
        let now = Instant::from_unix_s(1_000_000);
        let mut controller = Controller::new(FIRST_RATE, 1);
        controller.state = State::Normal;
        controller.expect(10_000);
        let sliding = Quota::new(Span::from_h(1), 100, 2);
        let reset = Reset::Clock { from: now, to: now };
        let clock = Quota { reset, ..sliding };
        assert!(controller.is_filled_to_ask(&clock, now));
        assert!(!controller.is_filled_to_ask(&sliding, now));
        assert!(!controller.is_filled_to_ask(&Quota { messages: 39, ..clock }, now));
        let mut refused = clock;
        refused.learn_from_no(now, now, Question::More);
        assert!(!controller.is_filled_to_ask(&refused, now + Span::from_min(59)));
        controller.expect(10);
        assert!(!controller.is_filled_to_ask(&clock, now));
    }

    #[test]
    fn after_a_no_a_quota_of_a_minute_is_left_alone_for_ten() {
        let now = Instant::from_unix_s(1_000_000);
        for asked in [Question::More, Question::Shorter] {
            let mut quota = Quota::new(Span::from_min(1), 20, 2);
            quota.learn_from_no(now, now, asked);
            assert_eq!(quota.question.not_before, now + Span::from_min(10), "{asked:?}");
            // The patience of a longer window is longer.
            let mut quota = Quota::new(Span::from_h(1), 20, 2);
            quota.learn_from_no(now, now, Question::More);
            assert_eq!(quota.question.not_before, now + Span::from_h(1));
        }
    }

    #[test]
    fn a_quota_of_hours_is_asked_however_long_the_last_rest_was() {
        let now = Instant::from_unix_s(1_000_000);
        let mut controller = Controller::new(FIRST_RATE, 1);
        controller.state = State::Normal;
        controller.rested = Span::from_h(24);
        // Of a cap that grows by the day, 16 days at today's.
        controller.expect(2_400);
        let day = Quota::new(Span::from_h(24), 150, 2);
        assert_eq!(day.reset, Reset::Assumed);
        assert!(controller.is_worth_one_more(&day, now));
        // A short window opens sooner than a rest like the last would end.
        assert!(!controller.is_worth_one_more(&Quota::new(Span::from_h(1), 150, 2), now));
    }

    #[test]
    fn a_quota_under_which_nothing_was_refused_is_asked_though_the_lane_is_in_debt() {
        let began = Instant::from_unix_s(1_000_000);
        let mut controller = Controller::new(FIRST_RATE, 1);
        controller.state = State::Normal;
        controller.expect(10_000);
        (0..20).for_each(|_| controller.credits.refused());
        controller.began = began;
        controller.accepted_since_reopening = 50;
        let quota = Quota::new(Span::from_min(20), 20, 2);
        let asks = |controller: &Controller, min| {
            controller.is_worth_one_more(&quota, began + Span::from_min(min))
        };
        assert!(!asks(&controller, 79), "four windows have not passed");
        assert!(asks(&controller, 80));
        controller.accepted_since_reopening = 49;
        assert!(!asks(&controller, 80), "a refusal would be too much of what was sent");
        controller.accepted_since_reopening = 50;
        // What it is told starts the wait anew.
        controller.begin(began + Span::from_min(80));
        assert!(!asks(&controller, 81) && asks(&controller, 160));
    }
}
