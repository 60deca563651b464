//! The restart plan: so many messages on the first day, more on the next only if all went well.
//!
//! For a provider that has shut its door, or a source it does not know yet. The day's cap binds
//! everything: first attempts, retries and canaries. It is reserved durably in blocks before
//! it is used; a crash forfeits what was left of a block and never grants a day twice. The cap
//! is raised at the turn of a day, after stable sends in a row; a wave of fresh deferrals
//! rolls it back at once. What nobody can see counts as unknown, never as clean.

mod judgement;
mod kept;
mod ladder;

use postlane_mail::{Instant, Span, Stream};

use crate::order::Who;

pub use judgement::{Hindrance, Judgement, Sign, Signs, Told, Verdict};
pub use ladder::{Day, Ladder, LadderError, Unseen};

/// A restart plan under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restart {
    ladder: Ladder,
    by: Who,
    since: Instant,
    level: u16,
    /// The highest level that a day has held at.
    stable: Option<u16>,
    finished: bool,
    day: Day,
    /// Messages of the day that are durably ours to send.
    reserved: u32,
    /// As many as asked for, while that is not durable.
    asked: Option<u32>,
    used: u32,
    /// Of those used: transactional ones. And yesterday's.
    urgent: u32,
    urgent_yesterday: u32,
    today: Tally,
    send: Tally,
    /// When the send that is under way last tried something.
    tried_at: Instant,
    /// Sends in a row that were stable.
    streak: u8,
    wave: Wave,
    waved: bool,
    /// What was deferred when the day began.
    deferred: Option<u64>,
    told: Signs,
    last: Option<Judgement>,
}

/// Messages of a day that are to be, or are, durably reserved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reservation {
    /// The day.
    pub day: Day,
    /// Messages in all since it began.
    pub upto: u32,
}

/// What became of a first attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirstAttempt {
    /// Accepted.
    Accepted,
    /// Deferred because of the rate, or of what may be the rate: 421, 450, 451 of a provider that
    /// has had enough.
    Deferred,
    /// Refused or deferred for reasons of its own: a mailbox, a message.
    Other,
}

/// Whether the plan lets a message go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allowance {
    /// It may go.
    Granted,
    /// A reservation must become durable first: a moment.
    Reserving,
    /// The day's cap is used up, or what is left of it is kept for transactional mail.
    Used {
        /// The day's turn.
        until: Instant,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Tally {
    first: u32,
    accepted: u32,
    deferred: u32,
}

/// The last first attempts, as a wave shows in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Wave {
    /// A bit for each, the youngest lowest: whether it was deferred.
    deferred: u64,
    seen: u8,
}

/// A block is this part of the day's cap. Chosen, not measured: a crash costs 5 % of a day.
const BLOCKS_OF_A_DAY: u32 = 20;

/// Messages in a block at most. Chosen, not measured.
const BLOCK_MAX: u32 = 1000;

/// A send is over when nothing was tried for so long. Chosen, not measured.
const SEND_ENDS_AFTER: Span = Span::from_h(1);

/// First attempts that make a send, unless the cap is small. Chosen, not measured.
const SEND_MIN: u32 = 10;

/// First attempts that must be known before there can be a wave: with fewer, one deferral would
/// be one. Chosen, not measured.
const WAVE_MIN: u8 = 20;

/// Of the day's cap, bulk leaves to transactional mail as much as yesterday's came to, and no
/// more than this part of ten.
const URGENT_TENTHS_MAX: u32 = 4;

impl Restart {
    /// Begins a plan. A plan that it replaces has had its part of the day already.
    pub fn begin(ladder: Ladder, by: Who, now: Instant, before: Option<&Self>) -> Self {
        let day = ladder.day_at(now);
        let mut plan = Self {
            ladder,
            by,
            since: now,
            level: 0,
            stable: None,
            finished: false,
            day,
            reserved: 0,
            asked: None,
            used: 0,
            urgent: 0,
            urgent_yesterday: 0,
            today: Tally::default(),
            send: Tally::default(),
            tried_at: now,
            streak: 0,
            wave: Wave::default(),
            waved: false,
            deferred: None,
            told: Signs::default(),
            last: None,
        };
        if let Some(before) = before.filter(|before| before.day >= day && !before.finished) {
            plan.day = before.day;
            (plan.reserved, plan.used) = (before.reserved, before.used);
            plan.asked = before.asked;
        }
        plan
    }

    /// Who has begun a plan that the configuration says.
    pub const CONFIGURED: &str = "configuration";

    /// Ends the plan, as if its ladder were climbed; whether it was under way.
    pub fn end(&mut self) -> bool {
        !std::mem::replace(&mut self.finished, true)
    }

    /// Goes on with other days from the same level on.
    pub fn climb(&mut self, ladder: Ladder) {
        self.level = self.level.min(ladder.top());
        self.stable = self.stable.map(|stable| stable.min(self.level));
        self.ladder = ladder;
    }

    /// What is durably reserved was granted before a crash: it is never granted again.
    pub fn forfeit(&mut self, reservation: Reservation) {
        if reservation.day > self.day {
            // The day turned before the crash, and nobody has written down how it was judged.
            self.day = reservation.day;
            self.begin_day();
            (self.reserved, self.used) = (0, 0);
        }
        if reservation.day == self.day {
            self.reserved = self.reserved.max(reservation.upto);
        }
        self.asked = None;
        self.used = self.used.max(self.reserved);
    }

    /// Turns the day, if it is time: `deferred` is how many messages wait for another attempt
    /// now, where that is known. Days on which nothing ran are not judged.
    pub fn turn(&mut self, now: Instant, deferred: Option<u64>) -> Option<Judgement> {
        if now < self.next_turn() || self.finished {
            return None;
        }
        self.end_send();
        let signs = self.signs(deferred);
        let (day, used, cap) = (self.day, self.used, self.ladder.cap(self.level));
        if self.is_stable(&signs) {
            self.stable = self.stable.max(Some(self.level));
        }
        let verdict = match self.hindrance(&signs) {
            Some(hindrance) => Verdict::Stayed(hindrance),
            None => self.raise(),
        };
        self.day = self.ladder.day_at(now);
        (self.reserved, self.used, self.asked) = (0, 0, None);
        self.begin_day();
        self.deferred = deferred;
        self.last = Some(Judgement { day, at: now, signs, used, cap, verdict });
        self.last
    }

    /// Asks for a reservation, if one is due: to be made durable and told to [`Self::reserved`].
    pub fn wants(&mut self, now: Instant) -> Option<Reservation> {
        let cap = self.cap()?;
        if self.asked.is_some() || now >= self.next_turn() || self.reserved >= cap {
            return None;
        }
        let block = (cap / BLOCKS_OF_A_DAY).clamp(1, BLOCK_MAX);
        if self.reserved - self.used.min(self.reserved) > block / 2 {
            return None;
        }
        let upto = self.reserved.saturating_add(block).min(cap);
        self.asked = Some(upto);
        Some(Reservation { day: self.day, upto })
    }

    /// A reservation is durable.
    pub fn reserved(&mut self, reservation: Reservation) {
        if reservation.day == self.day && self.asked.is_some_and(|asked| asked <= reservation.upto)
        {
            self.asked = None;
            self.reserved = self.reserved.max(reservation.upto);
        }
    }

    /// Takes a unit of the day for a message of this stream: after [`Self::allows`] has granted
    /// it. A unit that was not granted is taken all the same, and is never granted again.
    pub fn spend(&mut self, now: Instant, stream: Stream) {
        if now.since(self.tried_at) >= SEND_ENDS_AFTER {
            self.end_send();
        }
        self.tried_at = self.tried_at.max(now);
        self.used = self.used.saturating_add(1);
        self.urgent = self.urgent.saturating_add(u32::from(stream == Stream::Transactional));
    }

    /// Hears what became of a first attempt. A wave of deferrals rolls the plan back at once.
    pub fn tried(&mut self, now: Instant, what: FirstAttempt) -> Option<Judgement> {
        if self.finished {
            return None;
        }
        self.today.count(what);
        self.send.count(what);
        self.wave.see(what);
        if !self.wave.breaks(self.ladder.stop) {
            return None;
        }
        self.roll_back(now)
    }

    /// Goes back to the last stable level: by a wave, or by an operator's command.
    pub fn roll_back(&mut self, now: Instant) -> Option<Judgement> {
        if self.finished {
            return None;
        }
        let (signs, from) = (self.signs(None), self.ladder.cap(self.level));
        let below = self.level.saturating_sub(1);
        self.level = self.stable.map_or(below, |stable| stable.min(below));
        self.stable = self.stable.filter(|stable| *stable <= self.level);
        (self.streak, self.waved) = (0, true);
        (self.wave, self.send) = (Wave::default(), Tally::default());
        let (day, used, to) = (self.day, self.used, self.ladder.cap(self.level));
        let verdict = Verdict::RolledBack { from, to };
        self.last = Some(Judgement { day, at: now, signs, used, cap: from, verdict });
        self.last
    }

    /// Somebody says how a sign is today; it counts until the day's turn.
    pub fn tell(&mut self, told: Told, sign: Sign) {
        self.told.tell(told, sign);
    }

    /// Whether a message of this stream may go.
    pub fn allows(&self, now: Instant, stream: Stream) -> Allowance {
        let Some(cap) = self.cap() else { return Allowance::Granted };
        let until = self.next_turn();
        if now >= until {
            return Allowance::Reserving;
        }
        let kept = if stream == Stream::Transactional { 0 } else { self.kept_for_urgent(cap) };
        if self.used >= cap.saturating_sub(kept) {
            return Allowance::Used { until };
        }
        if self.used >= self.reserved { Allowance::Reserving } else { Allowance::Granted }
    }

    /// The day's cap; none when the ladder is climbed.
    pub fn cap(&self) -> Option<u32> {
        (!self.finished).then(|| self.ladder.cap(self.level))
    }

    /// Messages of the day's cap that were used.
    pub fn used(&self) -> u32 {
        self.used
    }

    /// What the day has used, to be written at a clean stop in place of what was reserved.
    pub fn reservation(&self) -> Reservation {
        Reservation { day: self.day, upto: self.used }
    }

    /// Which step of the ladder it is on, from 1.
    pub fn step(&self) -> u16 {
        self.level.saturating_add(1)
    }

    /// The plan's ladder.
    pub fn ladder(&self) -> &Ladder {
        &self.ladder
    }

    /// Who began it.
    pub fn by(&self) -> &Who {
        &self.by
    }

    /// When it was begun.
    pub fn since(&self) -> Instant {
        self.since
    }

    /// Whether the ladder is climbed.
    pub fn is_finished(&self) -> bool {
        self.finished
    }

    /// When the day turns.
    pub fn next_turn(&self) -> Instant {
        self.ladder.end_of(self.day)
    }

    /// Sends in a row that were stable.
    pub fn streak(&self) -> u8 {
        self.streak
    }

    /// The signs as they are today.
    pub fn signs_now(&self) -> Signs {
        self.signs(None)
    }

    /// The last judgement.
    pub fn last(&self) -> Option<Judgement> {
        self.last
    }

    fn raise(&mut self) -> Verdict {
        let from = self.ladder.cap(self.level);
        if self.level >= self.ladder.top() {
            self.finished = true;
            return Verdict::Finished;
        }
        self.level += 1;
        Verdict::Raised { from, to: self.ladder.cap(self.level) }
    }

    /// The first thing that stands against a raise.
    fn hindrance(&self, signs: &Signs) -> Option<Hindrance> {
        let cap = self.ladder.cap(self.level);
        let bad = |sign: Sign, why: Hindrance| (sign == Sign::Bad).then_some(why);
        let told = || {
            let is_bad = |told: &Told| signs.told(*told) == Sign::Bad;
            Told::ALL.into_iter().find(is_bad).map(Hindrance::Told)
        };
        let unseen = || {
            let stays = self.ladder.unseen == Unseen::Stay;
            let any = signs.named().iter().any(|(_, sign)| *sign == Sign::Unknown);
            (stays && any).then_some(Hindrance::Unseen)
        };
        let (stable, wanted) = (self.streak, self.ladder.stable_sends);
        self.waved
            .then_some(Hindrance::Wave)
            .or_else(|| (self.used < cap.div_ceil(2)).then_some(Hindrance::Untried))
            .or_else(|| bad(signs.first_attempts, Hindrance::FirstAttempts))
            .or_else(|| bad(signs.deferrals, Hindrance::Deferrals))
            .or_else(|| (self.today.first == 0).then_some(Hindrance::Untried))
            .or_else(|| bad(signs.queue, Hindrance::Queue))
            .or_else(told)
            .or_else(unseen)
            .or_else(|| (stable < wanted).then_some(Hindrance::Sends { stable, wanted }))
    }

    /// Whether the day has shown that its level holds.
    fn is_stable(&self, signs: &Signs) -> bool {
        let known = self.today.first > 0 && !self.waved;
        known && signs.named().iter().all(|(_, sign)| *sign != Sign::Bad)
    }

    fn signs(&self, deferred: Option<u64>) -> Signs {
        let mut signs = self.told;
        if self.today.first > 0 {
            signs.first_attempts = Sign::of(self.today.mostly_accepted());
            signs.deferrals = Sign::of(self.today.deferrals_within(self.ladder.healthy));
        }
        if let (Some(before), Some(now)) = (self.deferred, deferred) {
            signs.queue = Sign::of(now <= before);
        }
        signs
    }

    /// The send that was under way is over: it was stable, or it was not, or it was none.
    fn end_send(&mut self) {
        let send = std::mem::take(&mut self.send);
        if send.first < SEND_MIN.min(self.ladder.cap(self.level).div_ceil(5)) {
            return;
        }
        let is_stable = send.mostly_accepted() && send.deferrals_within(self.ladder.healthy);
        self.streak = if is_stable { self.streak.saturating_add(1) } else { 0 };
    }

    fn begin_day(&mut self) {
        self.urgent_yesterday = std::mem::take(&mut self.urgent);
        self.today = Tally::default();
        self.wave = Wave::default();
        self.waved = false;
        self.told = Signs::default();
        self.deferred = None;
    }

    fn kept_for_urgent(&self, cap: u32) -> u32 {
        let most = u64::from(cap) * u64::from(URGENT_TENTHS_MAX) / 10;
        let wanted = self.urgent_yesterday.saturating_sub(self.urgent);
        wanted.min(u32::try_from(most).unwrap_or(u32::MAX))
    }
}

impl Tally {
    fn count(&mut self, what: FirstAttempt) {
        self.first = self.first.saturating_add(1);
        match what {
            FirstAttempt::Accepted => self.accepted = self.accepted.saturating_add(1),
            FirstAttempt::Deferred => self.deferred = self.deferred.saturating_add(1),
            FirstAttempt::Other => {}
        }
    }

    /// More than half.
    fn mostly_accepted(self) -> bool {
        u64::from(self.accepted) * 2 > u64::from(self.first)
    }

    fn deferrals_within(self, share: u16) -> bool {
        u64::from(self.deferred) * 10_000 <= u64::from(self.first) * u64::from(share)
    }
}

impl Wave {
    fn see(&mut self, what: FirstAttempt) {
        self.deferred = self.deferred << 1 | u64::from(what == FirstAttempt::Deferred);
        self.seen = self.seen.saturating_add(1).min(64);
    }

    /// Whether the share of deferrals has come to this, in parts of 10,000.
    fn breaks(self, share: u16) -> bool {
        let known = u64::MAX.checked_shr(64 - u32::from(self.seen)).unwrap_or(0);
        let deferred = u64::from((self.deferred & known).count_ones());
        let enough = self.seen >= WAVE_MIN && deferred > 0;
        enough && deferred * 10_000 >= u64::from(self.seen) * u64::from(share)
    }
}

#[cfg(test)]
mod tests;
