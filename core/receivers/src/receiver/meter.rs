//! One limit at work: its counters by key, its boxes, and other senders' mail.

use std::collections::BTreeMap;

use super::Addressee;
use crate::background::Others;
use crate::chance::{Purpose, stream};
use crate::counter::{Asked, Counter, TooMuch};
use crate::ms::Ms;
use crate::penalty::Boxed;
use crate::quota::Quota;
use crate::scenario::{Charge, Kind, Limit, LimitStage, Scenario};

/// Who asks, and when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caller {
    pub(crate) at: Ms,
    pub(crate) source: u16,
    pub(crate) shard: u16,
    /// The recipient's number; `None` while connecting.
    pub(crate) rcpt: Option<u32>,
    /// Messages the connection has carried.
    pub(crate) carried: u32,
}

/// What a limit says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Judged {
    Admitted,
    Refused,
    Boxed,
}

/// One limit at work.
#[derive(Debug, Clone)]
pub(crate) struct Meter {
    pub(crate) limit: Limit,
    quota: Quota,
    start_tod: Ms,
    seed: u64,
    number: u64,
    shards: u16,
    cells: BTreeMap<CellKey, Cell>,
    /// Messages accepted by any host, by source: who has enough is not greylisted.
    passes: BTreeMap<u16, u32>,
}

/// What has a counter of its own: source and MX host, and the recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct CellKey {
    place: u64,
    rcpt: u32,
}

/// What is known of one key.
#[derive(Debug, Clone)]
struct Cell {
    counter: Counter,
    boxed: Boxed,
    others: Option<Others>,
}

impl Meter {
    pub(crate) fn new(limit: &Limit, scenario: &Scenario, seed: u64, number: u64) -> Self {
        let start_tod = scenario.meta.start_tod;
        Self {
            limit: limit.clone(),
            quota: Quota::new(limit, &scenario.sender.identity, start_tod),
            start_tod,
            seed,
            number,
            shards: scenario.receiver.shards.max(1),
            cells: BTreeMap::new(),
            passes: BTreeMap::new(),
        }
    }

    /// Whether this limit is asked at all about a message or connection of this source.
    pub(crate) fn is_for(&self, source: u16) -> bool {
        self.limit.only_ip.is_none_or(|only| only == source)
    }

    /// Whether it is asked at this stage about a message on an open connection.
    pub(crate) fn asks_message(&self, stage: LimitStage, source: u16) -> bool {
        self.limit.stage == stage && self.is_for(source) && !self.limit.is_of_connections()
    }

    /// Asks, and remembers a refusal.
    pub(crate) fn judge(&mut self, caller: Caller) -> Judged {
        let (cell, asked) = self.cell(caller, 0);
        if let Counter::Grow(grown) = &mut cell.counter {
            grown.reached(&asked);
        }
        let judged = if cell.boxed.until(caller.at).is_some() {
            Judged::Boxed
        } else if cell.counter.admits(&asked) {
            return Judged::Admitted;
        } else {
            Judged::Refused
        };
        if let Counter::Grow(grown) = &mut cell.counter {
            grown.refused(&asked);
        }
        if let Some(penalty) = &asked.limit.penalty {
            cell.boxed.refused(penalty, caller.at);
        }
        judged
    }

    /// Counts one.
    pub(crate) fn charge(&mut self, caller: Caller) {
        let (cell, asked) = self.cell(caller, 0);
        cell.counter.charge(&asked);
    }

    /// A message of this source was accepted.
    pub(crate) fn accepted(&mut self, caller: Caller) {
        if matches!(self.limit.kind, Kind::Greylist { .. }) {
            *self.passes.entry(caller.source).or_default() += 1;
        }
        if self.limit.charge == Charge::Accepted && !self.limit.is_of_connections() {
            self.charge(caller);
        }
    }

    /// A connection has opened.
    pub(crate) fn opened(&mut self, caller: Caller) {
        let is_charged = self.limit.is_of_connections() && self.limit.charge == Charge::Accepted;
        let (cell, asked) = self.cell(caller, 0);
        match &mut cell.counter {
            Counter::Conns(open) => *open += 1,
            counter if is_charged => counter.charge(&asked),
            _ => {}
        }
    }

    /// A connection has closed.
    pub(crate) fn closed(&mut self, caller: Caller) {
        if self.limit.kind == Kind::Conns {
            let (cell, _) = self.cell(caller, 0);
            if let Counter::Conns(open) = &mut cell.counter {
                *open = open.saturating_sub(1);
            }
        }
    }

    /// A message has come past connecting: greylisting has seen it.
    pub(crate) fn seen(&mut self, caller: Caller) {
        if matches!(self.limit.kind, Kind::Greylist { .. }) {
            let (cell, _) = self.cell(caller, 0);
            if let Counter::Greylist(first) = &mut cell.counter {
                first.get_or_insert(caller.at);
            }
        }
    }

    /// A message that came past connecting has had its answer, whatever it was.
    pub(crate) fn written_to(&mut self, caller: Caller, to: Addressee) {
        let Kind::Ratio { ratio, min_n, min_delay } = self.limit.kind else { return };
        let too_much = TooMuch { window: self.limit.window, ratio, min_n, min_delay };
        let (cell, asked) = self.cell(caller, 0);
        if let Counter::Ratio(record) = &mut cell.counter {
            record.write(too_much, asked.at, !to.known);
        }
    }

    /// How long the tarpit holds, before one more is counted.
    pub(crate) fn tarpit(&mut self, caller: Caller) -> Ms {
        let Some(tarpit) = self.limit.tarpit else { return Ms(0) };
        if matches!(self.limit.kind, Kind::Greylist { .. } | Kind::Ratio { .. }) {
            return Ms(0);
        }
        let (used, quota) = self.used(caller);
        let share = if quota > 0.0 { used / quota } else { 1.0 };
        if share <= tarpit.from {
            return Ms(0);
        }
        let room = 1.0 - tarpit.from;
        let part = if room > 0.0 { ((share - tarpit.from) / room).min(1.0) } else { 1.0 };
        Ms((tarpit.max_delay.0 as f64 * part).round() as u64)
    }

    /// How much is used before one more, and the quota; zeros where nothing is counted.
    pub(crate) fn used(&mut self, caller: Caller) -> (f64, f64) {
        let (cell, asked) = self.cell(caller, 0);
        cell.counter.used(&asked)
    }

    /// Until when this key is in the box, if it is.
    pub(crate) fn boxed_until(&mut self, caller: Caller) -> Option<Ms> {
        let (cell, _) = self.cell(caller, 0);
        cell.boxed.until(caller.at)
    }

    /// A look: whether it would admit one more and leave room for a reserve, else from when on
    /// it may. Nothing is counted.
    pub(crate) fn look(&mut self, caller: Caller, reserve: u32) -> Result<(), Option<Ms>> {
        let (cell, asked) = self.cell(caller, reserve);
        if let Some(until) = cell.boxed.until(caller.at) {
            return Err(Some(until));
        }
        if cell.counter.admits(&asked) {
            return Ok(());
        }
        Err(cell.counter.admits_from(&asked))
    }

    fn source_place(&self, caller: Caller) -> u64 {
        let shard = if self.limit.per_shard { u64::from(caller.shard) } else { 0 };
        u64::from(caller.source) * u64::from(self.shards) + shard
    }

    /// The counter of the caller's key, with other senders' mail up to now counted in.
    fn cell(&mut self, caller: Caller, reserve: u32) -> (&mut Cell, Asked<'_>) {
        let whitelisted = match self.limit.kind {
            Kind::Greylist { whitelist_after: Some(after), .. } => {
                let passes = self.passes.get(&caller.source).copied();
                passes.unwrap_or_default() >= after
            }
            _ => false,
        };
        let key = self.limit.key;
        let of_source = Caller { source: if key.ip { caller.source } else { 0 }, ..caller };
        let place = self.source_place(of_source);
        let rcpt = if key.rcpt { caller.rcpt.unwrap_or_default() } else { 0 };
        let (limit, quota) = (&self.limit, &self.quota);
        let owner = key.ip.then_some(caller.source);
        let cell = self.cells.entry(CellKey { place, rcpt }).or_insert_with(|| Cell {
            counter: Counter::new(&limit.kind, quota.at(owner, Ms(0))),
            boxed: Boxed::default(),
            others: limit.background.as_ref().map(|background| {
                let number = (self.number << 32) | place;
                let chance = stream(self.seed, Purpose::Background, number);
                Others::new(background, self.start_tod, chance)
            }),
        });
        let asked = Asked {
            limit,
            quota,
            source: Some(caller.source),
            at: caller.at,
            carried: caller.carried,
            reserve,
            whitelisted,
        };
        if let Some(others) = &mut cell.others {
            while let Some(at) = others.arrival(caller.at) {
                let of_others = Asked { at, source: owner, reserve: 0, carried: 0, ..asked };
                if cell.counter.admits(&of_others) {
                    cell.counter.charge(&of_others);
                }
            }
        }
        (cell, asked)
    }
}
