//! A canary has been accepted: what the rest says about the limit.

use postlane_mail::{Instant, Span};

use super::{Controller, Question, State};
use crate::decision::Decision;
use crate::opening::Opening;
use crate::quota::{Counted, Quota, Reset};
use crate::rest::{Early, FAST, Rest};
use crate::windows::NATURAL;

/// Where fewer were accepted a lane that was put off is as new as it was.
const NEW: u32 = 20;

/// A rest so long may end with the provider's day. Chosen, not measured.
const FROM_DAY_TO_DAY: Span = Span::from_h(2);

/// Fewer messages say nothing of a window.
const SUSPECTED_MIN: u64 = 5;

/// Windows that are asked for more within the hour.
const SHORT: Span = Span::from_min(15);

/// A minute before a refusal with fewer says nothing of what a rate would let through.
const TRICKLE_FROM: u64 = 20;

/// Fewer between two waves are hardly anything. Chosen by rehearsals (decision 043).
const HARDLY: u32 = 8;

/// So many canaries in a rest may have fed a box. Chosen, not measured.
const FED: u32 = 3;

/// A rate is measured over so many quick waves.
const QUICK_MAX: usize = 4;

/// A lane that went on for so long without a refusal, in small steps,
const CLIMBED: Span = Span::from_min(4);
/// at this rate or a higher one, in messages a second, was refused for its last step. Of slower
/// ones a minute tells too little. Chosen by rehearsals (decisions 049 and 050).
const TELLING: f64 = 0.75;
/// A step is small where this much of the rate was held before it: a first contact doubles.
const SMALL: f64 = 0.9;
/// What was accepted since a rest tells a rate when it took so long: most limits of seconds are of a
/// minute at most.
const ALMOST_A_MINUTE: Span = Span::from_s(50);

/// A limit may be found lower so often before another one is looked for.
const FALLS_IN_A_ROW: u8 = 3;

impl Controller {
    pub(super) fn reopen(&mut self, now: Instant, sent: Instant) {
        let Some(mut rest) = self.rest.take() else {
            self.state = State::Normal;
            return;
        };
        self.disprove_what_keeps_falling(now, &mut rest);
        if let Some(kind) = rest.appeal {
            return self.won_appeal(now, kind);
        }
        self.settle_doubt(rest.doubt);
        // What takes retries alone, and who was out of service, said nothing of a limit.
        let was_contact = rest.doubt.is_some_and(|kind| self.is_first_contact_of(kind))
            || rest.says_outage && self.contact.puts_off();
        let says_nothing = rest.is_outage || was_contact;
        let blocked = sent.since(rest.refused);
        let before = self.pace.rate();
        let known = rest.explained.filter(|place| *place < self.quotas.len());
        if let Some(place) = known.filter(|_| rest.canaries == 0) {
            self.explained(now, place, sent, &rest);
        } else if rest.was_asked && rest.canaries == 0 || says_nothing && known.is_none() {
            // The rate that held before holds.
            let rate = self.pace.rate();
            self.pace.keep_to(rate, now);
        } else if let Some(place) = self.that_may_have_fallen(&rest).filter(|_| rest.canaries > 0) {
            self.limit_fell(now, place, sent, &rest);
        } else if self.is_trickle(&rest) && !self.windows_of(sent, &rest).is_empty() {
            self.suspect(now, sent, &rest);
        } else if blocked <= FAST || rest.canaries == 0 {
            self.fast_limit(now, &rest);
        } else {
            self.suspect(now, sent, &rest);
        }
        if known.is_some() && rest.canaries == 0 {
            // It opened when its window said: nobody was shut out.
            self.shut_out = self.shut_out.filter(|span| *span <= blocked);
        } else if blocked > FAST && rest.explained.is_none() {
            self.shut_out = self.shut_out.map(|span| span.min(blocked));
        }
        if blocked >= FROM_DAY_TO_DAY && rest.explained.is_none() {
            self.note_opening(now, rest.tried, sent);
        }
        // A host that was out of service explains its own rest, unless nothing else is known.
        if was_contact || rest.is_outage && !self.quotas.is_empty() {
            self.canaries.clear();
        } else {
            self.weigh(now, sent, &rest);
        }
        self.keep_a_floor(now, before, &rest);
        self.rested = blocked;
        if rest.canaries == 0 && rest.explained.is_none() {
            self.first_gap = Some(Span(rest.first.0 / 2).max(Span::from_s(30)));
        }
        self.faster.reopened_early = matches!(rest.early, Early::After(_));
        self.last_refused = Some(rest.refused);
        let is_new = was_contact && self.accepted_in_all() < NEW;
        self.state = if is_new { State::Probing } else { State::Normal };
        self.began = sent;
        self.accepted_since_reopening = 0;
        self.forget_question();
        let rate = self.pace.rate();
        self.decide(now, Decision::Reopens { after: blocked, rate });
    }

    /// A long rest that no quota explains ended between these moments.
    fn note_opening(&mut self, now: Instant, from: Instant, to: Instant) {
        let rest = Opening::new(from, to);
        let opening = self.opening.map_or(rest, |opening| opening.with(rest));
        if opening.seen == 2 {
            self.decide(now, Decision::Clock { window: Span::from_h(24) });
        }
        self.opening = Some(opening);
    }

    /// The limit that was known held once more.
    fn explained(&mut self, now: Instant, place: usize, sent: Instant, rest: &Rest) {
        let counted = self.taken_before(&self.quotas[place], rest.refused);
        if rest.asks.is_none() && self.is_full_with_refused(&self.quotas[place], rest, sent) {
            self.counts_refused = Some(false);
        }
        let is_surely_shorter = self.is_surely_shorter(place, rest, sent);
        let quota = &mut self.quotas[place];
        quota.falls = None;
        quota.support = quota.support.saturating_add(1);
        quota.messages = quota.messages.min(u32::try_from(counted).unwrap_or(u32::MAX)).max(1);
        match rest.asks {
            Some(Question::Shorter) => quota.shorten(is_surely_shorter),
            Some(Question::Reset) => {
                let from = quota.next_reset(rest.tried).map_or(rest.tried, |(from, _)| from);
                quota.reset = Reset::Clock { from: from.max(rest.tried), to: sent };
            }
            Some(Question::More) | None => {}
        }
        let Quota { window, messages, .. } = *quota;
        match rest.asks {
            Some(Question::Shorter) => self.decide(now, Decision::Confirmed { window, messages }),
            Some(Question::Reset) => self.decide(now, Decision::Clock { window }),
            Some(Question::More) | None => {}
        }
        let rate = self.pace.learned();
        self.pace.keep_to(rate, now);
    }

    /// What counted in a quota's window when something was refused.
    fn taken_before(&self, quota: &Quota, refused: Instant) -> u64 {
        let accepted = quota.used(&self.counted.accepted, refused);
        if self.counts_refused != Some(true) {
            return accepted;
        }
        quota.used(&self.counted.all, refused).saturating_sub(1).max(accepted)
    }

    /// Whether somebody waits for mail behind a window so short that waiting for it is felt.
    pub(super) fn is_urgent(&self, quota: &Quota) -> bool {
        self.transactional.total() > 0 && quota.window <= SHORT
    }

    /// What has fallen again and again and never opened when it said is not what the provider keeps.
    fn disprove_what_keeps_falling(&mut self, now: Instant, rest: &mut Rest) {
        let falls = self.that_may_have_fallen(rest).filter(|_| rest.canaries > 0);
        let keeps_falling = |place: &usize| {
            let quota = &self.quotas[*place];
            quota.falls.is_some_and(|(falls, first)| {
                falls >= FALLS_IN_A_ROW && now.since(first) < quota.window
            })
        };
        if let Some(place) = falls.filter(keeps_falling) {
            self.disprove(now, place);
            rest.explained = None;
        }
    }

    /// A known limit had room and refused all the same.
    fn limit_fell(&mut self, now: Instant, place: usize, sent: Instant, rest: &Rest) {
        let is_urgent = self.is_urgent(&self.quotas[place]);
        let quota = &mut self.quotas[place];
        let lasts = quota.falls.filter(|(_, first)| now.since(*first) < quota.window);
        quota.falls =
            Some(lasts.map_or((1, now), |(falls, first)| (falls.saturating_add(1), first)));
        let least = quota.messages / 4;
        let counted = quota.used(&self.counted.accepted, sent);
        quota.reset = Reset::Assumed;
        // It takes more than was there when it accepted, and no more than when it refused last. Where
        // somebody waits for mail, what is sure counts for a short window: it is asked for more before
        // long, and a second wave would shut that mail out again.
        let refused = quota.used(&self.counted.accepted, rest.tried).max(counted);
        let share = if is_urgent { 0 } else { (refused - counted) / 2 };
        let between = u32::try_from(counted + share).unwrap_or(u32::MAX);
        quota.messages = between.saturating_add(1).max(least).min(quota.messages).max(1);
        quota.question = crate::quota::Question::default();
        let (window, messages) = (quota.window, quota.messages);
        self.decide(now, Decision::Fell { window, messages });
        let rate = rest.pace.unwrap_or_else(|| self.pace.rate()).min(self.pace.rate());
        self.pace.keep_to(rate, now);
    }

    /// A limit of seconds or a minute: what was accepted between its last two refusals is its rate.
    fn fast_limit(&mut self, now: Instant, rest: &Rest) {
        if self.rested > FAST || self.quick.len() >= QUICK_MAX {
            // A long rest says nothing of the rate: what was not used then may be gone.
            self.quick
                .drain(..self.quick.len().min(if self.rested > FAST { QUICK_MAX } else { 1 }));
        }
        self.quick.retain(|wave| *wave > self.idled);
        let between = self.between_waves(rest);
        self.quick.push(rest.refused);
        let mut rate = match (between, rest.pace) {
            (Some((accepted, seconds)), _) if accepted >= 8 => 0.97 * accepted as f64 / seconds,
            (Some((accepted, seconds)), _) if accepted >= 1 => 0.9 * accepted as f64 / seconds,
            (_, Some(pace)) => self.slower(0.7) * pace,
            (_, None) => self.slower(0.7) * self.pace.learned(),
        };
        // Half of what a quota lets through is no wave's doing; where one follows the other all the
        // same, the quota is not there, or it is not what holds the lane up.
        if self.quick.len() >= QUICK_MAX {
            self.disprove_faster_than(now, 2.0 * rate);
        } else {
            let least = self.quotas.iter().map(Quota::pace).fold(f64::INFINITY, f64::min) / 2.0;
            rate = if least.is_finite() { rate.max(least) } else { rate };
        }
        let rate = self.held_before(rest).map_or(rate, |held| rate.max(0.95 * held));
        let rate = rate.min(self.pace.learned());
        self.pace.keep_to(rate, now);
    }

    /// How many were accepted since the oldest of the quick waves, and in how many seconds.
    ///
    /// Two waves do not tell what the rest between them was worth: a bucket filled in it, and what a
    /// window would have let through then is lost. Where it went for a minute after that rest, the time is
    /// the mean of both readings; a third wave tells them apart.
    fn between_waves(&self, rest: &Rest) -> Option<(u64, f64)> {
        let first = *self.quick.first()?;
        let accepted = self.counted.accepted.between(first, rest.refused);
        let seconds = |span: Span| span.0 as f64 / 1e6;
        let (whole, open) = (rest.refused.since(first), rest.refused.since(rest.began));
        let tells = open >= ALMOST_A_MINUTE && accepted as f64 >= TELLING * seconds(open);
        let is_second = self.quick.len() == 1;
        if is_second && tells && self.shut_out.is_none() {
            return Some((accepted, (seconds(whole) * seconds(open.min(whole))).sqrt()));
        }
        Some((accepted, seconds(whole)))
    }

    /// The rate before the last step, where that step is what was refused: it had been accepted for a
    /// minute, and the average of a climb is below what held at its end; or the rate before a question
    /// whether more is taken, whose yes did not last. Not where a refusal may shut the door: there it is
    /// worth more to be below.
    pub(super) fn held_before(&self, rest: &Rest) -> Option<f64> {
        // Over a restart of the program, too, if that was no longer than a lane may be idle.
        let reopened = self.last_refused.map_or(rest.began, |refused| refused + self.rested);
        let has_climbed = rest.refused.since(reopened.max(self.idled)) >= CLIMBED;
        let rate = self.pace.learned();
        let climbed = self.held.filter(|held| has_climbed && (SMALL * rate..rate).contains(held));
        let held = climbed.or(self.faster.doubted).filter(|held| *held >= TELLING);
        held.filter(|_| self.shut_out.is_none())
    }

    /// What a wave leaves of the rate. Where hardly anything was accepted since the wave before, the rate is
    /// far off, and each step down is paid for with a refusal.
    fn slower(&self, share: f64) -> f64 {
        let is_far_off = self.accepted_since_reopening < HARDLY && self.last_refused.is_some();
        if is_far_off { 0.58 * share } else { share }
    }

    /// Quotas that would let through more than so many messages a second.
    fn disprove_faster_than(&mut self, now: Instant, rate: f64) {
        while let Some(place) = self.quotas.iter().position(|quota| quota.pace() > rate) {
            self.disprove(now, place);
        }
    }

    /// Whether hardly anything went since the rest before, though that was as long as a fast limit needs:
    /// what went is what had left a longer window, and the pace of it says nothing.
    fn is_trickle(&self, rest: &Rest) -> bool {
        const MINUTE: Span = Span::from_min(1);
        let Some(before) = self.last_refused.filter(|_| self.rested >= MINUTE) else {
            return false;
        };
        let minute = self.counted.accepted.within(MINUTE, before);
        let since = self.counted.accepted.between(rest.began, rest.refused);
        minute >= TRICKLE_FROM && 4 * since < minute
    }

    /// Every window in which nothing had left when the last canary was refused, and something had
    /// when this one was accepted: of what was accepted, or, since some providers count what they
    /// refuse as well, of all that was tried.
    fn windows_of(&self, sent: Instant, rest: &Rest) -> Vec<Quota> {
        let Counted { all, accepted } = &self.counted;
        let canaries = u64::from(rest.canaries);
        let may_be = NATURAL.iter().filter_map(|window| {
            let full = accepted.within(*window, rest.refused);
            let held = accepted.within(*window, rest.tried) + canaries >= full;
            let opened = accepted.within(*window, sent) <= full;
            let before = |at: Instant| all.within(*window, at).saturating_sub(1);
            let tried = before(rest.refused);
            let of_all = before(rest.tried) >= tried && before(sent) < tried;
            let is_one = full >= SUSPECTED_MIN && (held && opened || of_all);
            is_one.then(|| Quota::new(*window, full, 1))
        });
        may_be.collect()
    }

    /// The windows that explain a rest may be the limit's.
    fn suspect(&mut self, now: Instant, sent: Instant, rest: &Rest) {
        self.suspects = self.windows_of(sent, rest);
        if rest.canaries.saturating_sub(rest.urgent) >= FED {
            self.doubt_least(rest);
        }
        self.suspected_for = sent.since(rest.refused);
        let rate = self.slower(0.5) * rest.pace.unwrap_or_else(|| self.pace.rate());
        self.pace.keep_to(rate, now);
        if self.suspects.is_empty() {
            self.shut_out = Some(self.suspected_for);
            self.decide(now, Decision::ShutOut(self.suspected_for));
        } else {
            let windows = self.suspects.iter().map(|s| s.window);
            let (least, most) = (windows.clone().min(), windows.max());
            self.decide(now, Decision::Suspects { least, most });
        }
    }

    /// A box that grows with each canary explains a long rest as well as a long window does: the shortest window
    /// that had let through nearly as many may be the one, and is asked about before the next long rest.
    fn doubt_least(&mut self, rest: &Rest) {
        let accepted = &self.counted.accepted;
        for suspect in &mut self.suspects {
            let nearly = u64::from(suspect.messages) * 17 / 20;
            let many = |window: &Span| accepted.within(*window, rest.refused) >= nearly;
            let shortest = NATURAL.into_iter().find(many).unwrap_or(suspect.window);
            suspect.least = shortest.min(suspect.window);
        }
    }

    /// An accepted message beyond a suspect's limit clears it; when none is left, the provider had
    /// shut us out for a while.
    pub(super) fn clear_suspects(&mut self, now: Instant, sent: Instant) {
        if self.suspects.is_empty() {
            return;
        }
        let accepted = &self.counted.accepted;
        self.suspects.retain(|suspect| {
            let counted = accepted.within(suspect.window, sent);
            counted as f64 <= 1.15 * f64::from(suspect.messages) + 1.0
        });
        if self.suspects.is_empty() {
            self.shut_out = Some(self.suspected_for);
            self.decide(now, Decision::ShutOut(self.suspected_for));
        }
    }

    /// Whatever a wave says: what the provider took over the last hours, it takes.
    fn keep_a_floor(&mut self, now: Instant, before: f64, rest: &Rest) {
        const SEEN: Span = Span::from_h(3);
        // What is suspected since another rest says nothing of a quick one.
        let is_quick = now.since(rest.refused) <= FAST && rest.explained.is_none();
        let is_count = rest.explained.is_some() || !self.suspects.is_empty() && !is_quick;
        if is_count {
            let limits = self.quotas.iter().chain(&self.suspects);
            let through = 2.0 * limits.map(Quota::pace).fold(f64::INFINITY, f64::min);
            if self.pace.rate() < through.min(before) {
                self.pace.keep_to(through.min(before), now);
            }
        }
        // Refused so soon again: it does not take that any more.
        if rest.refused.since(rest.began) < Span::from_min(3) {
            return;
        }
        let many = self.counted.accepted.within(SEEN, now);
        let Some(first) = self.counted.accepted.nth_before(now, many.saturating_sub(1)) else {
            return;
        };
        let over = now.since(first).max(Span::from_min(10));
        let floor = (0.6 * many as f64 / (over.0 as f64 / 1e6)).min(before);
        if self.pace.rate() < floor {
            self.pace.keep_to(floor, now);
        }
    }
}

#[cfg(test)]
mod tests;
