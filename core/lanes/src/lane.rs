//! A lane: what may go now, and if not, when.

mod keeping;
mod siblings;
mod together;

use postlane_mail::{Instant, Rate, Span, Stream};

use crate::arrivals::Arrivals;
use crate::budget::Budget;
use crate::caps::Caps;
use crate::ceilings::Ceilings;
use crate::controller::{Controller, FIRST_RATE, Gate, Heard, State, Wants};
use crate::decision::Decision;
use crate::quota::Quota;
use crate::rules::Bands;
use crate::signal::Signal;
use crate::waiting::Waiting;

pub use together::Shared;

/// The way from one source to one provider.
#[derive(Debug, Clone)]
pub struct Lane {
    ceilings: Ceilings,
    /// Messages and sessions, when they are begun.
    budget: Budget,
    /// Messages, when they go: a session takes its time to open, and what it was opened for
    /// would come upon the next.
    wire: Budget,
    learning: Learning,
    /// Some of its hosts are in no network of our own.
    is_elsewhere: bool,
    controller: Controller,
    open: u16,
    accepted: u64,
    refused: u64,
    /// An operator has said so.
    pinned: Option<Rate>,
}

/// Which lanes find out what their providers take. The others keep their ceilings, and nothing
/// else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Learning {
    /// All.
    On,
    /// Those whose hosts are not in a private network or on this machine: a host of one's own
    /// is not a provider.
    #[default]
    Elsewhere,
    /// None.
    Off,
}

/// What somebody wants of a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// To open a session. It costs one unit, and the first message on it then costs none.
    Connection,
    /// To send a message on a session that is open.
    Message,
    /// To send the message that a session was opened for.
    Prepaid,
}

/// What a lane says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permit {
    /// Go.
    Now,
    /// Not before.
    After(Waiting),
    /// When a session closes.
    Full,
    /// When a message that is under way is over.
    Busy,
}

impl Lane {
    /// A lane that nothing is known of; the same seed throws the same dice.
    pub fn new(ceilings: Ceilings, learning: Learning, seed: u64) -> Self {
        Self {
            ceilings,
            budget: Budget::new(ceilings.rate),
            wire: Budget::new(ceilings.rate),
            learning,
            is_elsewhere: false,
            controller: Controller::new(FIRST_RATE, seed),
            open: 0,
            accepted: 0,
            refused: 0,
            pinned: None,
        }
    }

    /// Keeps other ceilings from now on; sessions that are open above them go on.
    pub fn keep_to(&mut self, ceilings: Ceilings, learning: Learning) {
        self.ceilings = ceilings;
        self.learning = learning;
        self.budget.keep_to(self.slowest());
        self.wire.keep_to(self.slowest());
    }

    /// Keeps to an operator's bands, and sends no first canary sooner than `backoff` after a refusal.
    pub fn heed(&mut self, bands: Bands, backoff: Span) {
        self.controller.heed(bands, backoff);
    }

    /// Whether it may be done now.
    pub fn permit(&self, now: Instant, stream: Stream, ask: Ask) -> Permit {
        if ask == Ask::Connection && self.open >= self.connections() {
            return Permit::Full;
        }
        let until = match ask {
            Ask::Connection => self.budget.next(),
            Ask::Message => self.budget.next().max(self.wire.next()),
            Ask::Prepaid => self.wire.next(),
        };
        if until > now {
            return Permit::After(Waiting::Pace { until });
        }
        if !self.learns() {
            return Permit::Now;
        }
        let wants = if ask == Ask::Prepaid { Wants::Prepaid } else { Wants::Unit };
        match self.controller.gate(now, stream, wants) {
            Gate::Now => Permit::Now,
            Gate::After(waiting) => Permit::After(waiting),
            Gate::Full => Permit::Busy,
        }
    }

    /// Sessions open or opening at once, at most.
    pub fn connections(&self) -> u16 {
        let learned = self.controller.caps().connections().filter(|_| self.learns());
        let learned = learned.map_or(u16::MAX, |cap| u16::try_from(cap).unwrap_or(u16::MAX));
        self.ceilings.connections.min(learned.max(1))
    }

    /// Messages given to a session at once, of so many that it could take: under a rate one goes
    /// when the one before has been answered, since when a later one would go nobody knows. Where
    /// so few may be under way that each can have a session, each has: the window is counted for
    /// messages that go side by side, and two behind each other are as slow as one.
    pub fn depth(&self, depth: u8) -> u8 {
        let side_by_side =
            self.learns() && self.controller.window() <= u32::from(self.connections());
        if self.slowest().is_some() || side_by_side { 1 } else { depth.max(1) }
    }

    /// Messages on one session, at most.
    pub fn session_messages(&self) -> u32 {
        let learned = self.controller.caps().messages().filter(|_| self.learns());
        self.ceilings.session_messages.min(learned.unwrap_or(u32::MAX)).max(1)
    }

    /// Some of its hosts are in no private network, nor on this machine.
    pub fn leads_elsewhere(&mut self) {
        self.is_elsewhere = true;
    }

    /// Whether it finds out what its provider takes.
    pub fn learns(&self) -> bool {
        match self.learning {
            Learning::On => true,
            Learning::Elsewhere => self.is_elsewhere,
            Learning::Off => false,
        }
    }

    /// A session is being opened: it takes its place and its unit.
    pub fn opening(&mut self, now: Instant) {
        self.open = self.open.saturating_add(1);
        self.budget.spend(now);
        self.controller.opening(now);
    }

    /// A session is open, or will never be.
    pub fn opening_is_over(&mut self) {
        self.controller.opening_is_over();
    }

    /// A session is gone, opened or not.
    pub fn closed(&mut self) {
        self.open = self.open.saturating_sub(1);
    }

    /// A message goes; `ask` says whether its session has paid for it.
    pub fn sending(&mut self, now: Instant, stream: Stream, ask: Ask) {
        let prepaid = ask == Ask::Prepaid;
        if !prepaid {
            self.budget.spend(now);
        }
        self.wire.spend(now);
        self.controller.sending(now, stream, if prepaid { Wants::Prepaid } else { Wants::Unit });
    }

    /// A message is over, whatever became of it; what it says is [`Self::observe`]d.
    pub fn over(&mut self, stream: Stream) {
        self.controller.over(stream);
    }

    /// Hears what became of something.
    pub fn observe(&mut self, now: Instant, heard: &Heard) {
        match heard.signal {
            Signal::Accepted => self.accepted += 1,
            Signal::ConnectFailed | Signal::Connected => {}
            _ => self.refused += 1,
        }
        if self.learns() {
            self.controller.hear(now, heard);
        }
    }

    /// Whether a refusal of this kind is the lane's limit here, whatever its words.
    pub fn takes_for_rate(&self, signal: Signal) -> bool {
        self.learns() && self.controller.takes_for_rate(signal)
    }

    /// Whether it rests after refusals.
    pub fn is_resting(&self) -> bool {
        self.learns() && self.controller.rests()
    }

    /// Whether it does not know yet what the provider takes, and may be about to find out.
    pub fn is_blind(&self, now: Instant) -> bool {
        /// Who takes so many in an hour without a refusal may take any number.
        const MANY: u64 = 1000;
        self.learns() && self.controller.is_blind() && self.accepted_lately(now) < MANY
    }

    /// Messages accepted in a window that ends now.
    pub fn accepted_within(&self, window: Span, now: Instant) -> u64 {
        self.controller.accepted_within(window, now)
    }

    /// Transactional mail that it has carried in the last hours.
    pub fn transactional_lately(&self, now: Instant) -> Arrivals {
        self.controller.transactional_lately(now)
    }

    /// Whether no more is left of a quota, if it held here, than may be needed for transactional mail.
    pub fn has_only_reserve(&self, now: Instant, quota: &Quota, mail: Arrivals) -> bool {
        self.controller.has_only_reserve(now, quota, mail)
    }

    /// Messages accepted in the last hour.
    pub fn accepted_lately(&self, now: Instant) -> u64 {
        self.controller.accepted_lately(now)
    }

    /// How much waits for it: what a higher limit would be worth.
    pub fn expect(&mut self, backlog: u64) {
        self.controller.expect(backlog);
    }

    /// Whether other sources of ours send to the same provider: they find out what it takes each by
    /// itself, and so each of them begins slowly.
    pub fn is_among(&mut self, others: bool) {
        self.controller.is_among(others);
    }

    /// Whether transactional mail is to be expected that no other source can carry: then bulk listens
    /// before it finds out how much a new provider takes.
    pub fn expect_urgent(&mut self, expects: bool) {
        self.controller.expect_urgent(expects);
    }

    /// Its ceilings.
    pub fn ceilings(&self) -> Ceilings {
        self.ceilings
    }

    /// Sessions open or opening.
    pub fn open(&self) -> u16 {
        self.open
    }

    /// Messages accepted and refused since the start.
    pub fn tally(&self) -> (u64, u64) {
        (self.accepted, self.refused)
    }

    /// What it does at the moment.
    pub fn state(&self) -> State {
        self.controller.state()
    }

    /// The rate it keeps to, in messages a second; below its ceilings.
    pub fn rate(&self) -> f64 {
        self.controller.rate()
    }

    /// The limits it relies on.
    pub fn quotas(&self) -> &[Quota] {
        self.controller.quotas()
    }

    /// The limits that may be there.
    pub fn suspects(&self) -> &[Quota] {
        self.controller.suspects()
    }

    /// What the provider has said of sessions.
    pub fn caps(&self) -> &Caps {
        self.controller.caps()
    }

    /// Its last decisions, the oldest first.
    pub fn decisions(&self) -> impl DoubleEndedIterator<Item = &(Instant, Decision)> {
        self.controller.decisions().iter()
    }

    /// How many decisions it has made: whether there is a new one.
    pub fn decided(&self) -> u64 {
        self.controller.decisions().made()
    }
}

#[cfg(test)]
mod tests;
