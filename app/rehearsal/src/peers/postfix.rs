//! Postfix's queue manager with its defaults: concurrency that follows feedback, and messages that
//! come back by age.
//!
//! From `SCHEDULER_README` and the parameters' pages (postconf(5), Postfix 3.9). Only a connection
//! that fails, or is refused before the first MAIL, counts against a destination; a 4xx at RCPT or
//! the dot defers its message and changes nothing else. Several sources are taken in turn, as with
//! `smtp_bind_address` per instance.

use std::collections::{BTreeSet, VecDeque};

use postlane_mail::Stage;
use postlane_receivers::{Ms, Sender, Source};

use crate::floor::{Floor, Habits, Heard, Script};
use crate::run::MessageNo;

/// `initial_destination_concurrency`
const INITIAL: f64 = 5.0;
/// `default_destination_concurrency_limit`
const LIMIT: f64 = 20.0;
/// `default_destination_concurrency_positive_feedback` and `…_negative_feedback`
const FEEDBACK: f64 = 1.0;
/// `default_destination_concurrency_failed_cohort_limit`
const COHORT_LIMIT: f64 = 1.0;
/// `minimal_backoff_time`
const BACKOFF_MIN: Ms = Ms::from_s(300);
/// `maximal_backoff_time`
const BACKOFF_MAX: Ms = Ms::from_s(4_000);
/// `queue_run_delay`
const QUEUE_RUN: Ms = Ms::from_s(300);
/// `smtp_connection_cache_time_limit`
const IDLE: Ms = Ms::from_s(2);

pub(crate) struct Postfix {
    /// Waits for a delivery agent, the first in front.
    active: VecDeque<MessageNo>,
    /// Waits for the first queue run after its moment.
    deferred: BTreeSet<(Ms, MessageNo)>,
    /// By message: until when it is deferred.
    until: Vec<Option<Ms>>,
    next_run: Ms,
    destination: Destination,
    /// The least time between two messages: the scenario's ceiling.
    gap: Ms,
    next: Ms,
    turn: usize,
    connections: u32,
    per_connection: u32,
}

/// What the queue manager knows of the destination.
#[derive(Debug)]
struct Destination {
    /// Deliveries at a time.
    window: f64,
    /// Failed pseudo-cohorts: one failure counts as one of the window.
    failed_cohorts: f64,
    /// Until when it is dead: nothing is tried, and what would be is deferred.
    dead_until: Option<Ms>,
}

impl Destination {
    fn new() -> Self {
        Self { window: INITIAL, failed_cohorts: 0.0, dead_until: None }
    }

    fn answered(&mut self, in_flight: u32) {
        self.failed_cohorts = 0.0;
        // The window only grows while it is used.
        if self.window < f64::from(in_flight) + INITIAL {
            self.window = (self.window + FEEDBACK).min(LIMIT);
        }
    }

    fn failed(&mut self, now: Ms) {
        self.failed_cohorts += 1.0 / self.window;
        if self.failed_cohorts >= COHORT_LIMIT {
            *self = Self { dead_until: Some(now + BACKOFF_MIN), ..Self::new() };
        } else {
            self.window = (self.window - FEEDBACK).max(1.0);
        }
    }
}

impl Postfix {
    pub(crate) fn new(sender: &Sender) -> Self {
        Self {
            active: VecDeque::new(),
            deferred: BTreeSet::new(),
            until: Vec::new(),
            next_run: QUEUE_RUN,
            destination: Destination::new(),
            gap: Ms((1.0 / sender.ceiling.rate.per_ms()).ceil() as u64),
            next: Ms(0),
            turn: 0,
            connections: sender.ceiling.conns_per_ip,
            per_connection: sender.ceiling.per_conn.unwrap_or(u32::MAX),
        }
    }

    fn defer(&mut self, floor: &Floor<'_>, message: MessageNo) {
        let age = floor.now() - floor.arrival(message).at;
        let until = floor.now() + age.clamp(BACKOFF_MIN, BACKOFF_MAX);
        self.until[message.0 as usize] = Some(until);
        self.deferred.insert((until, message));
    }

    /// The queue run: what has waited long enough is active again.
    fn run_queue(&mut self, now: Ms) {
        if now < self.next_run {
            return;
        }
        while let Some((until, message)) = self.deferred.first().copied() {
            if until > now {
                break;
            }
            self.deferred.pop_first();
            self.until[message.0 as usize] = None;
            self.active.push_back(message);
        }
        self.next_run = Ms((now.0 / QUEUE_RUN.0 + 1) * QUEUE_RUN.0);
    }

    fn in_flight(floor: &Floor<'_>) -> u32 {
        floor.sources().map(|source| floor.in_flight(source)).sum()
    }

    /// The next source in turn that may have another connection.
    fn source(&mut self, floor: &Floor<'_>) -> Option<Source> {
        let sources: Vec<Source> = floor.sources().collect();
        let count = sources.len();
        let mut in_turn = (0..count).map(|step| (self.turn + step) % count);
        let place = in_turn.find(|at| floor.in_flight(sources[*at]) < self.connections)?;
        self.turn = place + 1;
        Some(sources[place])
    }
}

impl Script for Postfix {
    fn habits(&self) -> Habits {
        Habits { per_connection: self.per_connection, idle: IDLE }
    }

    fn arrived(&mut self, _: &Floor<'_>, message: MessageNo) {
        self.until.push(None);
        self.active.push_back(message);
    }

    fn heard(&mut self, floor: &mut Floor<'_>, heard: &Heard) {
        if heard.stage == Stage::Connect {
            // Already dead: what was under way says nothing new.
            if self.destination.dead_until.is_none() {
                self.destination.failed(floor.now());
            }
        } else {
            self.destination.answered(Self::in_flight(floor) + 1);
        }
        if heard.is_queued {
            self.defer(floor, heard.message);
        }
    }

    fn expired(&mut self, message: MessageNo) {
        match self.until[message.0 as usize].take() {
            Some(until) => {
                self.deferred.remove(&(until, message));
            }
            None => self.active.retain(|active| *active != message),
        }
    }

    fn decide(&mut self, floor: &mut Floor<'_>) -> Option<Ms> {
        let now = floor.now();
        self.run_queue(now);
        if self.destination.dead_until.is_some_and(|until| until <= now) {
            self.destination.dead_until = None;
        }
        if self.destination.dead_until.is_some() {
            while let Some(message) = self.active.pop_front() {
                self.defer(floor, message);
            }
        }
        let mut paced = None;
        while !self.active.is_empty() && f64::from(Self::in_flight(floor)) < self.destination.window
        {
            if self.next > now {
                paced = Some(self.next);
                break;
            }
            let Some(source) = self.source(floor) else { break };
            let Some(message) = self.active.pop_front() else { break };
            self.next = now + self.gap;
            floor.send(message, source);
        }
        let run = (!self.deferred.is_empty()).then_some(self.next_run);
        [paced, run, self.destination.dead_until].into_iter().flatten().min()
    }
}
