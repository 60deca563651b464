//! The oracle: sends the moment the receiver would accept, since it can look inside.
//!
//! It is what other policies are measured by. Transactional mail goes first, and windows keep room
//! for the transactional mail it foresees, so that a policy that starves transactional mail can be
//! faster with the rest. For receivers with several MX hosts it demands room on every one, since a
//! new connection may land on any. It is pointwise the best for limits that count in windows or
//! buckets, and a heuristic for those that grow or count unknown recipients.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

use postlane_mail::Stream;
use postlane_receivers::{Addressee, Cause, Kind, Ms, Room, Scenario, Source, Workload};

use crate::floor::{Floor, Habits, Heard, Script};
use crate::run::MessageNo;

/// Messages of one source in flight at a time.
const IN_FLIGHT_MAX: u32 = 20;
/// Messages on one connection, unless the receiver takes fewer.
const PER_CONNECTION: u32 = 10;
/// A connection that has nothing to carry for so long is closed.
const IDLE: Ms = Ms(2_000);
/// A message refused for no reason of rate comes again after that.
const AGAIN_AFTER_TEMP: Ms = Ms(60_000);
/// Any other refusal; only a receiver that cannot be foreseen gives one.
const AGAIN: Ms = Ms(1_000);

/// Nobody: a recipient without a counter, to tell what is in the way of all.
const NOBODY: Addressee = Addressee { number: u32::MAX, known: true };

/// A message that is ready: transactional mail first, then by the moment since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Turn {
    is_bulk: bool,
    since: Ms,
    message: MessageNo,
}

/// What the oracle does with a message now.
enum Now {
    Sent,
    /// This message, or all of its kind, until then at least; `None`: until something happens.
    Blocked(Option<Ms>, Blocked),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Blocked {
    One,
    All,
}

/// A script that looks inside.
pub(crate) struct Oracle {
    ready: BTreeSet<Turn>,
    /// Until when messages wait, and since when they are ready then.
    later: BinaryHeap<Reverse<(Ms, Turn)>>,
    /// By message: its turn, while it is queued.
    turns: Vec<Option<Turn>>,
    /// By message: the source it was greylisted on.
    greylisted: Vec<Option<Source>>,
    /// 250s by source.
    accepted: Vec<u32>,
    foreseen: Vec<Ms>,
    longest_window: Ms,
    greylist: Option<Greylist>,
    is_by_recipient: bool,
    per_connection: u32,
}

/// What a greylist wants.
struct Greylist {
    min_delay: Ms,
    whitelist_after: Option<u32>,
    is_by_source: bool,
}

impl Oracle {
    pub(crate) fn new(scenario: &Scenario, workload: &Workload) -> Self {
        let limits = &scenario.receiver.limits;
        let transactional = workload.arrivals.iter().filter(|m| m.stream == Stream::Transactional);
        let takes = limits.iter().filter(|limit| limit.kind == Kind::PerConn);
        let takes = takes.map(|limit| limit.quota as u32).min().unwrap_or(PER_CONNECTION);
        Self {
            ready: BTreeSet::new(),
            later: BinaryHeap::new(),
            turns: Vec::new(),
            greylisted: Vec::new(),
            accepted: vec![0; scenario.sender.ips.len()],
            foreseen: transactional.map(|message| message.at).collect(),
            longest_window: scenario.longest_window(),
            greylist: limits.iter().find_map(|limit| match limit.kind {
                Kind::Greylist { min_delay, whitelist_after } => {
                    Some(Greylist { min_delay, whitelist_after, is_by_source: limit.key.ip })
                }
                _ => None,
            }),
            is_by_recipient: limits
                .iter()
                .any(|limit| limit.key.rcpt && !matches!(limit.kind, Kind::Greylist { .. })),
            per_connection: takes.clamp(1, PER_CONNECTION),
        }
    }

    /// Room that windows must keep for transactional mail foreseen, for each source.
    fn reserve(&self, now: Ms) -> u32 {
        let first = self.foreseen.partition_point(|at| *at <= now);
        let end = self.foreseen.partition_point(|at| *at <= now + self.longest_window);
        ((end - first) as u32).div_ceil(self.accepted.len() as u32)
    }

    fn offer(&mut self, floor: &mut Floor<'_>, turn: Turn) -> Now {
        let mut sources: Vec<Source> = floor.sources().collect();
        sources.sort_by_key(|source| floor.in_flight(*source));
        let reserve = if turn.is_bulk { self.reserve(floor.now()) } else { 0 };
        let to = floor.arrival(turn.message).to;
        let mut from: Option<Ms> = None;
        let mut blocked = Blocked::All;
        for source in sources {
            if !self.is_of_use(source, turn.message) {
                blocked = Blocked::One;
                continue;
            }
            if floor.in_flight(source) >= IN_FLIGHT_MAX {
                continue;
            }
            match floor.look(to, source, reserve) {
                Room::Now => {
                    self.turns[turn.message.0 as usize] = None;
                    self.ready.remove(&turn);
                    floor.send(turn.message, source);
                    return Now::Sent;
                }
                Room::From(at) => from = Some(from.map_or(at, |from| from.min(at))),
                Room::Unknown => {}
            }
            if self.is_by_recipient && floor.look(NOBODY, source, reserve) == Room::Now {
                blocked = Blocked::One;
            }
        }
        Now::Blocked(from, blocked)
    }

    /// A message that was greylisted goes again where it was, or where nothing is greylisted.
    fn is_of_use(&self, source: Source, message: MessageNo) -> bool {
        let Some(greylist) = self.greylist.as_ref().filter(|greylist| greylist.is_by_source) else {
            return true;
        };
        let passes = self.accepted[usize::from(source.0)];
        let is_known = greylist.whitelist_after.is_some_and(|after| passes >= after);
        is_known || self.greylisted[message.0 as usize].is_none_or(|there| there == source)
    }

    fn queue(&mut self, message: MessageNo, is_bulk: bool, since: Ms) -> Turn {
        let turn = Turn { is_bulk, since, message };
        self.turns[message.0 as usize] = Some(turn);
        turn
    }

    /// What has waited long enough is ready.
    fn ripen(&mut self, now: Ms) {
        while let Some(Reverse((at, turn))) = self.later.peek().copied() {
            if at > now {
                return;
            }
            self.later.pop();
            if self.turns[turn.message.0 as usize] == Some(turn) {
                self.ready.insert(turn);
            }
        }
    }

    /// Sends the first message that can be sent. Says whether one was, and else from when on one
    /// may be.
    fn send_one(&mut self, floor: &mut Floor<'_>) -> Result<(), Option<Ms>> {
        let mut wake: Option<Ms> = None;
        for is_bulk in [false, true] {
            let mut after = Turn { is_bulk, since: Ms(0), message: MessageNo(0) };
            while let Some(turn) = self.ready.range(after..).next().copied() {
                if turn.is_bulk != is_bulk {
                    break;
                }
                match self.offer(floor, turn) {
                    Now::Sent => return Ok(()),
                    Now::Blocked(from, blocked) => {
                        wake = wake.into_iter().chain(from).min();
                        if blocked == Blocked::All {
                            break;
                        }
                        if let Some(from) = from {
                            self.ready.remove(&turn);
                            self.later.push(Reverse((from, turn)));
                        }
                    }
                }
                after = Turn { message: MessageNo(turn.message.0 + 1), ..turn };
            }
        }
        Err(wake)
    }
}

impl Script for Oracle {
    fn habits(&self) -> Habits {
        Habits { per_connection: self.per_connection, idle: IDLE }
    }

    fn arrived(&mut self, floor: &Floor<'_>, message: MessageNo) {
        self.turns.push(None);
        self.greylisted.push(None);
        let turn = self.queue(message, !floor.is_transactional(message), floor.now());
        self.ready.insert(turn);
    }

    fn heard(&mut self, floor: &mut Floor<'_>, heard: &Heard) {
        if heard.reply.code().is_success() {
            self.accepted[usize::from(heard.source.0)] += 1;
        }
        if !heard.is_queued {
            return;
        }
        let now = floor.now();
        let at = match (heard.cause, &self.greylist) {
            (Cause::Limit { kind: Kind::Greylist { .. }, .. }, Some(greylist)) => {
                self.greylisted[heard.message.0 as usize] = Some(heard.source);
                heard.sent + greylist.min_delay + Ms(1)
            }
            (Cause::Temp(_), _) => now + AGAIN_AFTER_TEMP,
            _ => now + AGAIN,
        };
        let turn = self.queue(heard.message, !floor.is_transactional(heard.message), at);
        self.later.push(Reverse((at, turn)));
    }

    fn expired(&mut self, message: MessageNo) {
        if let Some(turn) = self.turns[message.0 as usize].take() {
            self.ready.remove(&turn);
        }
    }

    fn decide(&mut self, floor: &mut Floor<'_>) -> Option<Ms> {
        self.ripen(floor.now());
        loop {
            if let Err(wake) = self.send_one(floor) {
                let ripe = self.later.peek().map(|Reverse((at, _))| *at);
                return wake.into_iter().chain(ripe).min();
            }
        }
    }
}
