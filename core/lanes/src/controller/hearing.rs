//! What the controller does with what it hears.

use postlane_mail::{Instant, Span, Stream};

use super::doubt::Kind;
use super::{Asked, Controller, Question, State};
use crate::decision::Decision;
use crate::history::History;
use crate::quota::{Counted, Quota, Reset, with_margin};
use crate::rest::{Early, Rest};
use crate::signal::{Hint, Hinted, Signal};
use crate::windows;

/// One thing that is heard, and what it is about.
#[derive(Debug, Clone, Copy)]
pub struct Heard {
    /// What.
    pub signal: Signal,
    /// When the message, or the connection, was sent.
    pub sent: Instant,
    /// What kind of mail it was.
    pub stream: Stream,
    /// Attempts of it before; 0 for its first.
    pub attempts: u16,
    /// Messages accepted on its session before.
    pub carried: u32,
    /// Sessions of the lane that are open, without one that was refused.
    pub open: u32,
}

/// A limit that is lower than it was is looked for so often before another is thought of: until less
/// than a quarter is left.
const FALLS_MAX: u32 = 4;

/// Where a known quota had room and refused all the same, it may have fallen, or it was another limit:
/// so many canaries go as if nothing were known. Chosen, not measured.
const SHORT_FIRST: u32 = 3;

/// After a 421 the first canary waits longer than after another 4xx: the provider closed the door
/// (LANES §4).
const BASE_421: Span = Span::from_min(3);
const BASE: Span = Span::from_s(60);

/// Rests so long may end by the clock of a day, and what is known of them was found out by canaries
/// that came late. Chosen, not measured.
const LONG: Span = Span::from_h(6);

/// A canary goes so much after the time of day at which a provider opens, at most.
const PAST: Span = Span::from_min(1);

/// Who says after so long that it does not serve is out of service; sooner, or again and again, it may be
/// a limit in those words. Chosen, not measured.
const SERVED: Span = Span::from_min(30);

/// A window that is taken to have begun anew is no limit's yet where less of it was used. Chosen, not measured.
const HARDLY: f64 = 0.25;

/// A lane that used less than this of its rate waited for something else. Chosen, not measured.
const BUSY: f64 = 0.5;

/// What a refusal comes from.
#[derive(Debug, Clone, Copy)]
struct Cause {
    /// The place of the quota.
    place: usize,
    /// It was full to the last message.
    is_full: bool,
}

/// In a rest for a window so short one question is enough: who counts refusals counts those of some minutes.
/// Chosen by rehearsals (decision 055).
const ONE_QUESTION: Span = Span::from_min(15);

impl Controller {
    pub(crate) fn hear(&mut self, now: Instant, heard: &Heard) {
        match heard.signal {
            Signal::Accepted => self.accepted(now, heard),
            Signal::Rate { hint } => self.refused(now, heard, hint),
            Signal::Outage { hint } => self.out_of_service(now, heard, hint),
            Signal::Conn => self.too_many_connections(now, heard),
            Signal::PerConn => {
                if self.caps.refuse_message(heard.carried) {
                    self.decide(now, Decision::PerConnection(heard.carried));
                }
            }
            Signal::ConnectFailed => {
                if self.state == State::Canary && self.in_flight() + self.sessions_opening == 0 {
                    self.canary_refused(now, heard.sent);
                }
            }
            Signal::Perm => {
                self.count(heard);
                self.nothing_in_doubt();
                self.heard_of_something_else(now, heard);
            }
            Signal::Temp
            | Signal::Policy
            | Signal::Mailbox
            | Signal::Greylist
            | Signal::Ambiguous => {
                if let Some(kind) = Kind::of(heard.signal) {
                    self.doubt(now, heard, kind);
                }
            }
            Signal::Connected => return,
        }
        self.ask_again(heard.sent);
    }

    /// A refusal for reasons of the message says as much of the lane as an acceptance: it got that far.
    pub(super) fn heard_of_something_else(&mut self, now: Instant, heard: &Heard) {
        self.latency.observe(now.since(heard.sent));
        if self.state == State::Canary {
            self.reopen(now, heard.sent);
        }
    }

    pub(super) fn count(&mut self, heard: &Heard) {
        self.counted.all.record(heard.sent);
    }

    fn accepted(&mut self, now: Instant, heard: &Heard) {
        self.welcome(heard.sent);
        self.contact.taken(heard);
        self.count(heard);
        self.counted.accepted.record(heard.sent);
        self.latency.observe(now.since(heard.sent));
        self.nothing_in_doubt();
        if let Some(kind) = self.trial.accepted() {
            self.doubt.prove(kind);
        }
        self.words.accepted();
        self.unserved.accepted();
        if heard.attempts == 0 {
            self.doubt.welcome();
        }
        self.credits.accepted();
        self.accepted_since_reopening += 1;
        if heard.attempts == 0 {
            self.outcomes.record(now, false);
        }
        self.pace.accepted += 1;
        self.clear_suspects(now, heard.sent);
        match self.state {
            State::Canary => self.reopen(now, heard.sent),
            State::Cooling { .. } => {}
            State::Probing | State::Normal | State::Steady => {
                self.answered_yes(now, heard.sent);
                self.grow(now);
            }
        }
    }

    pub(super) fn refused(&mut self, now: Instant, heard: &Heard, hint: Hint) {
        self.count(heard);
        if heard.attempts == 0 {
            self.outcomes.record(now, true);
        }
        match self.state {
            // The same wave; what was under way when it broke.
            State::Cooling { .. } => self.credits.refused_as_well(),
            State::Canary => {
                self.believe_outage(heard);
                self.canary_refused(now, heard.sent);
            }
            State::Probing | State::Normal | State::Steady => {
                if !self.ends_a_session(now, heard) {
                    self.rest(now, heard, hint);
                }
            }
        }
    }

    fn canary_refused(&mut self, now: Instant, sent: Instant) {
        self.credits.refused();
        let is_over = self.lost_appeal();
        let Some(mut rest) = self.rest else { return };
        rest.tried = sent.max(rest.tried);
        rest.followed = 0;
        if is_over {
            self.rest = Some(rest);
            let until = self.next_canary(now);
            self.state = State::Cooling { until };
            return;
        }
        self.canaries.push(sent);
        if let Early::After(_) = rest.early {
            rest.early = Early::Refused;
            self.faster.is_shut_longer = true;
        } else {
            self.learn_from_canary(now, &mut rest, sent);
        }
        self.rest = Some(rest);
        let until = self.next_canary(now);
        self.state = State::Cooling { until };
        self.decide(now, Decision::CanaryRefused { canaries: rest.refused_canaries(), until });
    }

    /// What a canary that went at its time says, now that it was refused.
    pub(super) fn learn_from_canary(&mut self, now: Instant, rest: &mut Rest, sent: Instant) {
        let asked = rest.asks.take().zip(rest.explained);
        if let Some((question, place)) = asked {
            self.quotas[place].learn_from_no(now, sent, question);
        } else if self.is_longer_after_all(rest, sent) {
            // There was no room yet: it says nothing else.
        } else if self.is_first_that_counted(rest, sent) {
            self.counts_refused = Some(true);
        } else {
            // There was room even so: it fell, or it is another limit.
            self.counts_refused = self.counts_refused.filter(|counts| !*counts);
            rest.canaries += 1;
        }
        self.first_gap = None;
        if rest.hint.is_some_and(|hint| hint.exact) {
            self.trusts_hints = false;
        }
    }

    /// Whether a canary for which a full quota had room was refused, since what was refused before
    /// it counts as well: nothing else has told so yet.
    fn is_first_that_counted(&self, rest: &Rest, sent: Instant) -> bool {
        let known = rest.explained.and_then(|place| self.quotas.get(place));
        let Some(quota) = known.filter(|_| rest.canaries == 0 && self.counts_refused.is_none())
        else {
            return false;
        };
        let had_room = quota.used(&self.counted.accepted, sent) < self.full(quota, rest);
        had_room && self.is_full_with_refused(quota, rest, sent)
    }

    /// What a quota had let through when it refused.
    fn full(&self, quota: &Quota, rest: &Rest) -> u64 {
        quota.used(&self.counted.accepted, rest.refused).min(u64::from(quota.messages))
    }

    /// Whether nothing had left a quota for a canary, if what was refused before it counts.
    pub(super) fn is_full_with_refused(&self, quota: &Quota, rest: &Rest, sent: Instant) -> bool {
        quota.used(&self.counted.all, sent).saturating_sub(1) >= self.full(quota, rest)
    }

    /// A wave of refusals begins.
    fn rest(&mut self, now: Instant, heard: &Heard, hint: Hint) {
        let sent = heard.sent;
        self.credits.refused();
        let pace = self.pace_before(sent);
        let hinted = hint.wait.filter(|_| self.trusts_hints);
        let burst = sent.since(self.began);
        let base = if hint.closes { BASE_421 } else { BASE };
        let was_asked = matches!(self.asked, Some(Asked::Pace { .. }));
        let says_outage = matches!(heard.signal, Signal::Outage { .. });
        self.unserved.is_told |= matches!(heard.signal, Signal::Rate { .. });
        let cause = self.explanation(now, sent, hint, says_outage);
        let explained = cause.map(|cause| cause.place);
        let is_outage = says_outage && explained.is_none() && burst >= SERVED;
        if !was_asked && explained.is_none() && !is_outage {
            self.doubt_faster(now, sent);
        } else {
            self.faster.doubted = None;
        }
        self.begin_faster_anew();
        let rest = Rest {
            refused: sent,
            began: self.began,
            pace,
            hint: hinted,
            first: self.first_wait(hinted, burst, base),
            early: Early::No,
            canaries: 0,
            urgent: 0,
            followed: 0,
            tried: sent,
            window: hint.window.and_then(windows::nearest),
            asks: None,
            doubt: None,
            was_asked,
            explained,
            is_full: cause.is_some_and(|cause| cause.is_full),
            is_outage,
            says_outage,
            unserved: None,
            appeal: None,
            accepted: self.accepted_in_all(),
        };
        if explained.is_none()
            && !is_outage
            && !was_asked
            && let Some(pace) = pace
        {
            let pace = pace.min(self.pace.learned());
            self.failed = Some(self.failed.map_or(pace, |failed| failed.min(pace)));
        }
        let early = self.early_canary(&rest);
        self.rest = Some(Rest { early, ..rest });
        let until = self.next_canary(now).max(sent + self.backoff);
        self.state = State::Cooling { until };
        self.decide(now, Decision::Rests { pace, until });
    }

    /// What has been enough before is enough.
    fn first_wait(&self, hint: Option<Hinted>, burst: Span, base: Span) -> Span {
        let wait = Rest::first_wait(hint, burst, base);
        if hint.is_some_and(|hint| hint.exact) {
            return wait;
        }
        self.first_gap.map_or(wait, |gap| gap.min(wait))
    }

    /// How fast it went before a refusal, where enough was accepted to say.
    fn pace_before(&self, sent: Instant) -> Option<f64> {
        const MINUTE: Span = Span::from_min(1);
        let accepted = &self.counted.accepted;
        let minute = accepted.within(MINUTE, sent);
        if minute >= 10 {
            return Some(minute as f64 / 60.0);
        }
        let tenth = accepted.nth_before(sent, 9).filter(|tenth| *tenth >= self.began)?;
        let pace = 10.0 / (sent.since(tenth).0.max(1) as f64 / 1e6);
        // Where the lane waited for mail or for a quota, it was not its pace that failed.
        (pace >= BUSY * self.pace.rate()).then_some(pace)
    }

    /// The quota that a refusal comes from, if one that is known or suspected was full.
    fn explanation(
        &mut self,
        now: Instant,
        sent: Instant,
        hint: Hint,
        says_outage: bool,
    ) -> Option<Cause> {
        if let Some(place) = self.answered_no(now, sent) {
            return Some(Cause { place, is_full: true });
        }
        if let Some(place) = (!says_outage).then(|| self.that_is_longer(sent)).flatten() {
            let Quota { window, messages, .. } = self.quotas[place];
            self.decide(now, Decision::Confirmed { window, messages });
            return Some(Cause { place, is_full: true });
        }
        let counted = |window: Span| self.counted.accepted.within(window, sent);
        let accepted = &self.counted.accepted;
        let under_way = u64::from(self.in_flight());
        let place = self.quotas.iter().position(|q| {
            let used = q.used(accepted, sent);
            // Who says that it is out of service is believed, unless that quota is full to the last.
            let may_be = !says_outage || used + under_way + 1 >= u64::from(q.messages);
            may_be && q.is_about(used)
        });
        if let Some(place) = place {
            let quota = &mut self.quotas[place];
            let is_full = quota.is_filled_by(quota.used(accepted, sent) + 1);
            // It was no question, but the last yes of a run of them was one too many to be believed. A quota that
            // begins by a clock is full a little sooner the next time, and may be asked then.
            if quota.question.run > 0 {
                quota.learn_from_no(now, sent, Question::More);
                quota.question.not_before = now + windows::permille(quota.window, 900);
            }
            return Some(Cause { place, is_full });
        }
        if let Some(place) = self.that_slides_after_all(sent).filter(|_| !says_outage) {
            self.quotas[place].reset = Reset::Slides;
            return Some(Cause { place, is_full: false });
        }
        let said = self.said(hint, sent).map(|quota| (quota, true));
        let (found, is_full) = said.or_else(|| {
            let about = self.suspects.iter().filter(|s| s.is_about(counted(s.window)));
            let mut found = *about.max_by_key(|s| s.window)?;
            let is_full = found.is_filled_by(counted(found.window) + 1);
            let messages = u64::from(found.messages).min(counted(found.window));
            let least = self.suspects.iter().map(|s| s.least).min();
            found = Quota::new(found.window, messages, 2);
            found.least = least.unwrap_or(found.window);
            Some((found, is_full))
        })?;
        self.suspects.clear();
        self.decide(now, Decision::Confirmed { window: found.window, messages: found.messages });
        Some(Cause { place: self.rely_on(found), is_full })
    }

    /// A quota that is taken to have begun anew within its last window, and refuses when hardly anything was
    /// sent since: what was sent before then counts, so one canary was no proof of a clock.
    fn that_slides_after_all(&self, sent: Instant) -> Option<usize> {
        let accepted = &self.counted.accepted;
        self.quotas.iter().position(|quota| {
            let Reset::Clock { to, .. } = quota.reset else { return false };
            let is_young = (to..to + quota.window).contains(&sent);
            let since = quota.used(accepted, sent) as f64;
            let slides = accepted.within(quota.window, sent).min(u64::from(quota.messages));
            is_young && since < HARDLY * f64::from(quota.messages) && quota.is_about(slides)
        })
    }

    /// A quota that the provider names, where our own count agrees.
    fn said(&self, hint: Hint, sent: Instant) -> Option<Quota> {
        let window = windows::nearest(hint.window?)?;
        let counted = self.counted.accepted.within(window, sent);
        if let Some(quota) = hint.quota {
            let ratio = counted as f64 / f64::from(quota.max(1));
            let agrees = (0.85..=1.20).contains(&ratio);
            return agrees.then(|| Quota::new(window, u64::from(quota), 2));
        }
        None
    }

    /// Three are known at most; the one that is seen least goes.
    pub(super) fn rely_on(&mut self, quota: Quota) -> usize {
        const KNOWN_MAX: usize = 3;
        if let Some(place) = self.quotas.iter().position(|q| q.window == quota.window) {
            self.quotas[place] = quota;
            return place;
        }
        if self.quotas.len() >= KNOWN_MAX {
            let least = (0..self.quotas.len()).min_by_key(|i| self.quotas[*i].support);
            self.quotas.remove(least.unwrap_or_default());
        }
        self.quotas.push(quota);
        self.quotas.len() - 1
    }

    /// When the next canary goes.
    pub(super) fn next_canary(&mut self, now: Instant) -> Instant {
        let Some(rest) = self.rest else { return Instant::default() };
        let known = rest.explained.and_then(|place| self.quotas.get(place)).copied();
        if let Some(quota) = known.filter(|_| rest.canaries == 0) {
            let (at, asks) = self.canary_of(&quota, &rest);
            let most = windows::permille(quota.window, 5).min(Span::from_s(10));
            let jitter = self.chance.between(0.0, 1.0) * most.0 as f64;
            self.rest = Some(Rest { asks, ..rest });
            return at + Span(jitter as u64);
        }
        if rest.canaries > 0
            && let Some(place) = self.that_may_have_fallen(&rest)
        {
            if let Some(at) = self.when_a_lower_limit_opens(&self.quotas[place], &rest) {
                // A window of hours is not waited for before the limits of minutes are.
                let short = rest.canaries <= SHORT_FIRST;
                return if short { at.min(rest.next(&mut self.chance)) } else { at };
            }
            // Nothing is left in its window, and still the provider refuses: it was not that.
            if rest.explained.is_some() {
                self.disprove(now, place);
            }
        }
        let Some(rest) = self.rest else { return now };
        let opens = self.opening.filter(|_| rest.canaries == 0 && self.rested >= LONG);
        if let Some(at) = opens.and_then(|opening| opening.next(rest.tried)) {
            return at + Span((self.chance.between(0.1, 1.0) * PAST.0 as f64) as u64);
        }
        if let Some(at) = self.after_being_shut_out(&rest) {
            return at;
        }
        rest.next(&mut self.chance)
    }

    /// A quota that is full is asked by the canary, while nothing else goes: whether a shorter window
    /// is the right one, then whether it begins by a clock; else the canary waits until something
    /// has left the window. Where what was refused may count as well, as much more has to leave,
    /// but where somebody waits.
    fn canary_of(&self, quota: &Quota, rest: &Rest) -> (Instant, Option<Question>) {
        let Counted { all, accepted } = &self.counted;
        let left = self.full(quota, rest).saturating_sub(1);
        let opens = |of: &History| {
            let at = quota.opens(of, left, rest.tried);
            at.min(rest.refused + with_margin(quota.window)).max(rest.tried)
        };
        // What is asked sooner says something only as long as nothing that was accepted has left.
        let soonest = opens(accepted);
        let counts = self.counts_refused.unwrap_or_else(|| !self.is_urgent(quota));
        let opens = opens(if counts { all } else { accepted });
        let has_asked = rest.tried > rest.refused && quota.window <= ONE_QUESTION;
        if has_asked || !self.credits.has_one() || !self.is_worth_a_canary(quota, rest) {
            return (opens, None);
        }
        let middle = |from: Instant, to: Instant| from + Span(to.since(from).0 / 2);
        if let Some((from, to)) = quota.next_reset(rest.tried) {
            let is_wide = to.since(from) > windows::permille(quota.window, 60);
            return if is_wide { (middle(from, to), Some(Question::Reset)) } else { (to, None) };
        }
        // Where another limit may have refused, that it takes mail again says nothing of this one.
        if let Some(shorter) = quota.shorter().filter(|_| rest.is_full) {
            let at = all.falls_to(with_margin(shorter), left).max(rest.tried);
            if at + windows::permille(quota.window, 50) < soonest {
                return (at, Some(Question::Shorter));
            }
        }
        let waits = soonest.since(rest.refused) > windows::permille(quota.window, 500);
        if quota.reset == Reset::Assumed && waits && quota.window >= Span::from_min(10) {
            return (middle(rest.refused, soonest), Some(Question::Reset));
        }
        (opens, None)
    }

    /// A limit that is lower than it was opens when as much less is in its window: three tenths less
    /// with each canary.
    fn when_a_lower_limit_opens(&self, quota: &Quota, rest: &Rest) -> Option<Instant> {
        let counted = quota.used(&self.counted.accepted, rest.tried);
        if counted == 0 || rest.canaries > FALLS_MAX {
            return None;
        }
        let opens = quota.opens(&self.counted.accepted, counted * 7 / 10, rest.tried);
        Some(opens.max(rest.tried + windows::permille(quota.window, 50)))
    }

    /// Where the provider shuts out for a time that is known: a little earlier where that is hours,
    /// since it was found out by canaries that may have come late, then when it is over.
    fn after_being_shut_out(&self, rest: &Rest) -> Option<Instant> {
        let shut_out = self.shut_out.filter(|_| rest.canaries <= 1)?;
        let early = if shut_out >= LONG { windows::permille(shut_out, 960) } else { shut_out };
        let past = windows::permille(shut_out, 20).min(Span::from_min(1));
        [early, shut_out + past]
            .into_iter()
            .map(|after| rest.refused + after)
            .find(|at| *at > rest.tried)
    }

    /// The quota that is lower than it was, perhaps: it explained the wave, or a good part of it was
    /// used.
    pub(super) fn that_may_have_fallen(&self, rest: &Rest) -> Option<usize> {
        let used = |quota: &Quota| {
            let used = quota.used(&self.counted.accepted, rest.refused) as f64;
            let lasted = rest.tried.since(rest.refused) <= quota.window.times(2);
            lasted && used >= 0.2 * f64::from(quota.messages)
        };
        let known = rest.explained.filter(|place| *place < self.quotas.len());
        known.or_else(|| self.quotas.iter().position(used).filter(|_| !rest.is_outage))
    }

    /// A quota that cannot be what the provider keeps.
    pub(super) fn disprove(&mut self, now: Instant, place: usize) {
        let quota = self.quotas.remove(place);
        if let Some(rest) = &mut self.rest {
            rest.explained = None;
            // How long it has lasted says when to ask next, not how often it was asked.
            rest.canaries = 0;
        }
        self.asked = None;
        self.decide(now, Decision::Disproved { window: quota.window });
    }

    fn too_many_connections(&mut self, now: Instant, heard: &Heard) {
        if heard.open == 0 {
            // Not even one: others use our address, or it is no limit of connections.
            return self.refused(now, heard, Hint::default());
        }
        if self.caps.refuse_connection(heard.open) {
            self.decide(now, Decision::Connections(heard.open));
        }
        let most = 1.2 * f64::from(heard.open) / self.latency.mean();
        if self.pace.rate() > most {
            self.pace.keep_to(most, now);
        }
        if self.state == State::Canary {
            self.canary_refused(now, heard.sent);
        }
    }

    /// A question that the wave has answered.
    pub(super) fn forget_question(&mut self) {
        if matches!(self.asked, Some(Asked::Pace { .. })) {
            self.asked = None;
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
