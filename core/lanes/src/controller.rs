//! The controller: it hears what became of mail, and learns how much the provider takes.

mod appeal;
mod contact;
mod doubt;
mod early;
mod faster;
mod first;
mod growth;
mod hearing;
mod keeping;
mod longer;
mod outage;
mod questions;
mod reopening;
mod sessions;
mod siblings;
mod together;
mod trial;
mod waves;
mod words;

use postlane_mail::{Chance, Instant, Span, Stream};

use crate::arrivals::{Arrivals, Usual};
use crate::caps::Caps;
use crate::credits::Credits;
use crate::decision::{Decision, Decisions};
use crate::history::History;
use crate::latency::Latency;
use crate::opening::Opening;
use crate::outcomes::Outcomes;
use crate::pace::Pace;
use crate::quota::{Counted, Quota, Room};
use crate::rest::Rest;
use crate::rules::Bands;
use crate::waiting::Waiting;
use crate::windows::permille;

pub(crate) use doubt::Kind;
pub use hearing::Heard;
pub(crate) use longer::Longer;
pub use siblings::Asking;
pub use together::{Doing, Onset};

use appeal::Appeal;
use contact::Contact;
use doubt::Doubt;
use faster::Faster;
use first::First;
use outage::Unserved;
use sessions::Sessions;
use trial::Trial;
use waves::Waves;
use words::Words;

/// What a lane does at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nothing is known yet: the rate doubles as long as all is accepted.
    Probing,
    /// The rate grows slowly.
    Normal,
    /// Some fresh mail is deferred: the rate stays as it is.
    Steady,
    /// Nothing is sent until then; one canary goes first.
    Cooling {
        /// When.
        until: Instant,
    },
    /// The canary is under way.
    Canary,
}

/// Learns one lane's limits.
#[derive(Debug, Clone)]
pub(crate) struct Controller {
    state: State,
    pace: Pace,
    /// The lowest rate that has been seen to fail.
    failed: Option<f64>,
    /// The rate that held before it was raised last.
    held: Option<f64>,
    counted: Counted,
    /// Transactional messages sent, whose share bulk leaves free.
    transactional: History,
    /// What of it came before the program was restarted.
    usual: Option<Usual>,
    /// Messages accepted before the program was restarted, of which is not kept when they were sent.
    before: u64,
    quotas: Vec<Quota>,
    suspects: Vec<Quota>,
    /// How long the provider shuts a lane out that went too far, where it was seen to.
    shut_out: Option<Span>,
    /// The time of day at which it lets the lane in again, where its rests were long.
    opening: Option<Opening>,
    rest: Option<Rest>,
    /// How long the first canary waits, where the last ones were accepted.
    first_gap: Option<Span>,
    /// How long the last rest was.
    rested: Span,
    /// The rest that gave the suspects: how long it was.
    suspected_for: Span,
    last_refused: Option<Instant>,
    /// When the last quick waves broke, the oldest first.
    quick: Vec<Instant>,
    waves: Waves,
    /// Canaries of this rest that were refused.
    canaries: Vec<Instant>,
    /// Since when it has been sending without a rest.
    began: Instant,
    /// When it went on after it had sent nothing for a while, though its rate had room.
    idled: Instant,
    accepted_since_reopening: u32,
    outcomes: Outcomes,
    credits: Credits,
    latency: Latency,
    caps: Caps,
    /// After how many messages sessions were refused.
    sessions: Sessions,
    asked: Option<Asked>,
    faster: Faster,
    backlog: u64,
    trusts_hints: bool,
    doubt: Doubt,
    contact: Contact,
    appeal: Appeal,
    trial: Trial,
    /// When words were said that may be a limit's.
    words: Words,
    /// When the host said that it is out of service.
    unserved: Unserved,
    /// What bulk does where the provider is new.
    first: First,
    /// One limit counts other sources as well: it is told what they do.
    is_shared: bool,
    /// Whether the provider counts what it refuses as well, where that is known.
    counts_refused: Option<bool>,
    /// No rate grows while more than this share of fresh mail is deferred.
    healthy: f64,
    /// No first canary goes sooner: an operator has said how long to wait after a refusal.
    backoff: Span,
    /// Bulk and transactional messages under way.
    under_way: [u32; 2],
    sessions_opening: u32,
    chance: Chance,
    decisions: Decisions,
}

/// A question that has been paid for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Asked {
    /// Something about a quota; sent then.
    Quota { window: Span, at: Instant, question: Question },
    /// Whether a higher rate holds; this one did.
    Pace { before: f64 },
}

/// What a lane may ask of a quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Question {
    /// Whether it takes one more.
    More,
    /// Whether a shorter window is the right one.
    Shorter,
    /// Whether its window has begun anew.
    Reset,
}

/// What the controller says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gate {
    Now,
    After(Waiting),
    /// When something under way is over.
    Full,
}

/// What wants to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wants {
    /// A message, or a session for it.
    Unit,
    /// A message whose session has paid for it.
    Prepaid,
}

/// The rate a lane begins with that nothing is known of, messages a second.
pub(crate) const FIRST_RATE: f64 = first::ALONE.rate;

/// A lane that had nothing to send for so long, or waited for another limit than its rate, did not use its
/// rate: that time says nothing of what the provider takes. Chosen, not measured (30 s gave the same).
const IDLE: Span = Span::from_s(60);

impl Controller {
    pub(crate) fn new(first_rate: f64, seed: u64) -> Self {
        Self {
            state: State::Probing,
            pace: Pace::new(first_rate),
            failed: None,
            held: None,
            counted: Counted::default(),
            transactional: History::default(),
            usual: None,
            before: 0,
            quotas: Vec::new(),
            suspects: Vec::new(),
            shut_out: None,
            opening: None,
            rest: None,
            first_gap: None,
            rested: Span::ZERO,
            suspected_for: Span::ZERO,
            last_refused: None,
            quick: Vec::new(),
            idled: Instant::default(),
            waves: Waves::default(),
            canaries: Vec::new(),
            began: Instant::default(),
            accepted_since_reopening: 0,
            outcomes: Outcomes::default(),
            credits: Credits::default(),
            latency: Latency::default(),
            caps: Caps::default(),
            sessions: Sessions::default(),
            asked: None,
            faster: Faster::default(),
            backlog: 0,
            trusts_hints: true,
            doubt: Doubt::default(),
            contact: Contact::default(),
            appeal: Appeal::default(),
            trial: Trial::default(),
            words: Words::default(),
            unserved: Unserved::default(),
            first: First::default(),
            is_shared: false,
            counts_refused: None,
            healthy: share_of(Bands::DEFAULT),
            backoff: Span::ZERO,
            under_way: [0; 2],
            sessions_opening: 0,
            chance: Chance::new(seed),
            decisions: Decisions::default(),
        }
    }

    /// Keeps to an operator's bands, and to the wait after a refusal.
    pub(crate) fn heed(&mut self, bands: Bands, backoff: Span) {
        self.healthy = share_of(bands);
        self.backoff = backoff;
    }

    /// Whether something may go now.
    pub(crate) fn gate(&self, now: Instant, stream: Stream, wants: Wants) -> Gate {
        let messages = self.in_flight();
        match self.state {
            State::Cooling { until } if until > now => {
                let urgent = stream == Stream::Transactional;
                let until = if urgent { self.urgent_canary(until) } else { until };
                if until > now {
                    return Gate::After(Waiting::Refused { until });
                }
                if messages + self.sessions_opening > 0 && wants == Wants::Unit {
                    return Gate::Full;
                }
                return Gate::Now;
            }
            // What was under way when the rest began is heard first.
            State::Cooling { .. } | State::Canary => {
                let others = if wants == Wants::Prepaid {
                    messages
                } else {
                    messages + self.sessions_opening
                };
                return if others == 0 { Gate::Now } else { Gate::Full };
            }
            State::Probing | State::Normal | State::Steady => {}
        }
        if wants == Wants::Unit {
            if messages + self.sessions_opening >= self.window() {
                return Gate::Full;
            }
            let listens = self.listens_until(stream).unwrap_or_default();
            let until = self.pace.next().max(listens);
            if until > now {
                return Gate::After(Waiting::Pace { until });
            }
        }
        self.quotas_gate(now, stream, wants)
    }

    fn quotas_gate(&self, now: Instant, stream: Stream, wants: Wants) -> Gate {
        // The session that has paid is counted already.
        let paid = u32::from(wants == Wants::Prepaid && self.sessions_opening > 0);
        let under_way = u64::from(self.in_flight() + self.sessions_opening - paid);
        for quota in &self.quotas {
            let limit = u64::from(quota.messages);
            let mut room = quota.room(&self.counted.all, limit, under_way, now);
            if let (Room::After(opens), 0) = (room, under_way)
                && let Some((at, _)) = self.question(quota, now)
                && at < opens
            {
                room = if at <= now { Room::Left } else { Room::After(at) };
            } else if room == Room::Left && stream != Stream::Transactional {
                room = self.beside_transactional(quota, under_way, now);
            }
            match room {
                Room::Left => {}
                Room::After(until) if until <= now => {}
                Room::After(until) => {
                    let (messages, window) = (quota.messages, quota.window);
                    return Gate::After(Waiting::Quota { messages, window, until });
                }
                Room::UnderWay => return Gate::Full,
            }
        }
        Gate::Now
    }

    /// Whether bulk may have one of those that a quota has left.
    fn beside_transactional(&self, quota: &Quota, under_way: u64, now: Instant) -> Room {
        if !self.is_reserve(quota, under_way, self.transactional_lately(now), now)
            || self.is_filled_to_ask(quota, now)
        {
            return Room::Left;
        }
        // Less is kept free the sooner it opens.
        Room::After(now + permille(quota.window, 15).max(Span::from_s(2)))
    }

    fn is_reserve(&self, quota: &Quota, under_way: u64, mail: Arrivals, now: Instant) -> bool {
        let all = &self.counted.all;
        let taken = quota.used(all, now) + under_way;
        let free = u64::from(quota.messages).saturating_sub(taken);
        free <= quota.reserve_most() && free <= quota.kept_free(all, mail, free, now)
    }

    /// Whether no more is left of a quota, if it were this lane's, than may be needed for
    /// transactional mail.
    pub(crate) fn has_only_reserve(&self, now: Instant, quota: &Quota, mail: Arrivals) -> bool {
        self.is_reserve(quota, u64::from(self.in_flight() + self.sessions_opening), mail, now)
    }

    /// Transactional mail of the last hours.
    pub(crate) fn transactional_lately(&self, now: Instant) -> Arrivals {
        match self.usual {
            Some(usual) => usual.and_since(&self.transactional, now),
            None => Arrivals::lately(&self.transactional, now),
        }
    }

    /// Messages under way at once, at most.
    pub(crate) fn window(&self) -> u32 {
        let by_rate = (1.4 * self.pace.rate() * self.latency.unhindered()).ceil() as u32 + 1;
        // What is under way when the limit is met is refused: a small part of what was accepted, and few.
        let by_rate = match self.state {
            State::Probing => by_rate.min(self.first.start().under_way(self.accepted_in_all())),
            _ => by_rate,
        };
        // Two on each session, so that the next is there when one is over.
        self.caps.connections().map_or(by_rate, |cap| by_rate.min(2 * cap.max(1)))
    }

    fn accepted_in_all(&self) -> u32 {
        let all = self.before.saturating_add(self.counted.accepted.total());
        u32::try_from(all).unwrap_or(u32::MAX)
    }

    pub(crate) fn in_flight(&self) -> u32 {
        self.under_way.iter().sum()
    }

    /// A session is being opened for a message.
    pub(crate) fn opening(&mut self, now: Instant) {
        self.sessions_opening += 1;
        self.spend(now);
    }

    /// It is open, or never will be.
    pub(crate) fn opening_is_over(&mut self) {
        self.sessions_opening = self.sessions_opening.saturating_sub(1);
    }

    /// A message goes; one that its session has paid for costs nothing.
    pub(crate) fn sending(&mut self, now: Instant, stream: Stream, wants: Wants) {
        if self.began == Instant::default() {
            self.begin(now);
        }
        match wants {
            Wants::Unit => self.spend(now),
            Wants::Prepaid => self.depart(now),
        }
        self.under_way[usize::from(stream == Stream::Transactional)] += 1;
        if stream == Stream::Transactional {
            self.transactional.record(now);
        }
    }

    fn begin(&mut self, now: Instant) {
        self.began = now;
        self.pace.since = now;
        self.pace.accepted = 0;
    }

    fn spend(&mut self, now: Instant) {
        if self.began == Instant::default() {
            self.begin(now);
        }
        if !self.rests() && now.since(self.pace.next()) >= IDLE {
            self.idled = now;
        }
        self.depart(now);
        self.pace.spend(now, &mut self.chance);
    }

    /// Something leaves: after a rest it is the canary.
    fn depart(&mut self, now: Instant) {
        match self.state {
            State::Cooling { until } => {
                if let Some(rest) = self.rest.as_mut().filter(|_| until > now) {
                    rest.urgent += 1;
                }
                self.state = State::Canary;
            }
            State::Canary => {}
            State::Probing | State::Normal | State::Steady => self.note_question(now),
        }
    }

    /// A message is over, whatever became of it.
    pub(crate) fn over(&mut self, stream: Stream) {
        let under_way = &mut self.under_way[usize::from(stream == Stream::Transactional)];
        *under_way = under_way.saturating_sub(1);
    }

    /// How much waits for the lane: what a higher limit would be worth.
    pub(crate) fn expect(&mut self, backlog: u64) {
        self.backlog = backlog;
    }

    pub(crate) fn rests(&self) -> bool {
        matches!(self.state, State::Cooling { .. } | State::Canary)
    }

    /// Nothing is known, or only suspected.
    pub(crate) fn is_blind(&self) -> bool {
        let first = self.last_refused.is_none();
        let asks = self.rest.is_some_and(|rest| first || rest.canaries > 0);
        let searches = self.state == State::Probing || asks || !self.suspects.is_empty();
        self.quotas.is_empty() && searches
    }

    pub(crate) fn accepted_lately(&self, now: Instant) -> u64 {
        self.accepted_within(Span::from_h(1), now)
    }

    pub(crate) fn accepted_within(&self, window: Span, now: Instant) -> u64 {
        self.counted.accepted.within(window, now)
    }

    fn rests_until(&self) -> Instant {
        if let State::Cooling { until } = self.state { until } else { Instant::default() }
    }

    fn is_resting(&self) -> bool {
        matches!(self.state, State::Cooling { .. })
    }

    pub(crate) fn state(&self) -> State {
        self.state
    }

    pub(crate) fn rate(&self) -> f64 {
        self.pace.rate()
    }

    pub(crate) fn quotas(&self) -> &[Quota] {
        &self.quotas
    }

    pub(crate) fn suspects(&self) -> &[Quota] {
        &self.suspects
    }

    pub(crate) fn caps(&self) -> &Caps {
        &self.caps
    }

    pub(crate) fn decisions(&self) -> &Decisions {
        &self.decisions
    }

    fn decide(&mut self, now: Instant, decision: Decision) {
        self.decisions.record(now, decision);
    }
}

fn share_of(bands: Bands) -> f64 {
    f64::from(bands.healthy().parts()) / 10_000.0
}
