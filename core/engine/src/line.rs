//! A line: what waits for one exchange, from one pool.

use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Unbounded};

use postlane_mail::{Instant, Stream};
use smallvec::SmallVec;

use crate::entry::Rank;
use crate::names::{ExchangeId, FlowId, PoolId};
use crate::slab::{List, Slab};

/// What waits for one exchange, from one pool.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) exchange: ExchangeId,
    pub(crate) pool: PoolId,
    streams: [StreamQueue; 3],
    /// What is due at a second since the epoch.
    pub(crate) deferred: BTreeMap<u32, List>,
    /// The ways its mail can go.
    pub(crate) ways: SmallVec<[Way; 1]>,
    /// Transactions it has given out.
    pub(crate) given: u64,
}

/// One way a line's mail can go: a path, by a source of its pool.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Way {
    pub(crate) path: u32,
    /// 1 to 1000: how often it is taken before another.
    pub(crate) weight: u16,
    /// What it has taken, in shares of its weight.
    pub(crate) taken: u64,
}

/// One transaction's share for a weight of 1; the heavier a way, the smaller its share.
const SHARE: u64 = 1_000_000;

/// What a way could not take is forgotten beyond so many transactions of the line's lightest
/// way: else a source that comes back after a day would get all mail for a day. Chosen, not
/// measured.
const BEHIND_MAX: u64 = 10;

/// Where in its stream an entry joins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Joins {
    /// Behind those of its rank.
    Last(Rank),
    /// Its turn had come and could not be used.
    First,
}

#[derive(Debug, Default)]
struct StreamQueue {
    urgent: List,
    particular: List,
    flows: BTreeMap<FlowId, FlowQueue>,
    last_served: FlowId,
    /// Entries in all lists.
    ready: u32,
    /// Of them, those that not every host can take.
    particulars: u32,
}

#[derive(Debug, Default)]
struct FlowQueue {
    fresh: List,
    returned: List,
    returned_next: bool,
}

impl Line {
    pub(crate) fn new(exchange: ExchangeId, pool: PoolId) -> Self {
        Self {
            exchange,
            pool,
            streams: Default::default(),
            deferred: BTreeMap::new(),
            ways: SmallVec::new(),
            given: 0,
        }
    }

    pub(crate) fn join(&mut self, slab: &mut Slab, number: u32, joins: Joins) {
        let (stream, flow) = (slab[number].stream, slab[number].flow);
        let queue = &mut self.streams[stream as usize];
        queue.ready += 1;
        let rank = match joins {
            Joins::Last(rank) => rank,
            Joins::First => Rank::Returned,
        };
        slab[number].rank = rank;
        match rank {
            Rank::Urgent => queue.urgent.push(slab, number),
            Rank::Particular => {
                queue.particulars += 1;
                queue.particular.push(slab, number);
            }
            Rank::Fresh => queue.flows.entry(flow).or_default().fresh.push(slab, number),
            Rank::Returned => {
                let flow = queue.flows.entry(flow).or_default();
                if joins == Joins::First {
                    flow.returned.push_front(slab, number);
                    flow.returned_next = true;
                } else {
                    flow.returned.push(slab, number);
                }
            }
        }
    }

    /// Takes out an entry that stands in this line.
    pub(crate) fn leave(&mut self, slab: &mut Slab, number: u32) {
        let (stream, flow, rank) = {
            let entry = &slab[number];
            (entry.stream, entry.flow, entry.rank)
        };
        let queue = &mut self.streams[stream as usize];
        queue.ready -= 1;
        match rank {
            Rank::Urgent => queue.urgent.remove(slab, number),
            Rank::Particular => {
                queue.particulars -= 1;
                queue.particular.remove(slab, number);
            }
            Rank::Fresh => queue.flows.entry(flow).or_default().fresh.remove(slab, number),
            Rank::Returned => queue.flows.entry(flow).or_default().returned.remove(slab, number),
        }
    }

    /// The next entry of a stream: what an operator put in front, then the flows in turns,
    /// and within a flow first and further attempts in turns. With `old` only what was accepted
    /// by then.
    pub(crate) fn pop(
        &mut self,
        slab: &mut Slab,
        stream: Stream,
        old: Option<Instant>,
    ) -> Option<u32> {
        let queue = &mut self.streams[stream as usize];
        if queue.common() == 0 {
            return None;
        }
        let number = match old {
            None => queue.pop(slab)?,
            Some(old) => queue.pop_old(slab, old)?,
        };
        queue.ready -= 1;
        Some(number)
    }

    /// When the oldest of those that come next was accepted. Looks at each flow.
    pub(crate) fn oldest(&self, slab: &Slab, stream: Stream) -> Option<Instant> {
        let heads = self.streams[stream as usize].heads();
        heads.map(|number| slab[number].id.moment()).min()
    }

    /// Entries that were tried and wait for another attempt, due or not. Looks at each of them.
    pub(crate) fn tried(&self, slab: &Slab) -> u64 {
        let flows = self.streams.iter().flat_map(|queue| queue.flows.values());
        let returned = flows.map(|flow| flow.returned.len(slab));
        self.deferred.values().map(|due| due.len(slab)).chain(returned).sum()
    }

    /// One of those that are ready, if there are any.
    pub(crate) fn first(&self) -> Option<u32> {
        self.streams.iter().find_map(StreamQueue::first)
    }

    /// Any entry, to be taken elsewhere.
    pub(crate) fn pop_any(&mut self, slab: &mut Slab) -> Option<u32> {
        let queue = self.streams.iter_mut().find(|queue| queue.ready > 0)?;
        let particular = queue.particular.pop(slab);
        queue.particulars -= u32::from(particular.is_some());
        let number = particular.or_else(|| queue.pop(slab))?;
        queue.ready -= 1;
        Some(number)
    }

    /// One of its ways has taken a transaction.
    pub(crate) fn account(&mut self, path: u32) {
        self.given += 1;
        if self.ways.len() < 2 {
            return;
        }
        if let Some(way) = self.ways.iter_mut().find(|way| way.path == path) {
            way.taken += way.share();
        }
        let most = self.ways.iter().map(|way| way.taken).max().unwrap_or_default();
        let largest = self.ways.iter().map(Way::share).max().unwrap_or_default();
        for way in &mut self.ways {
            way.taken = way.taken.max(most.saturating_sub(BEHIND_MAX * largest));
        }
    }

    /// Entries ready in a stream.
    pub(crate) fn ready(&self, stream: Stream) -> u32 {
        self.streams[stream as usize].ready
    }

    /// Of them, those that any host can take.
    pub(crate) fn common(&self, stream: Stream) -> u32 {
        self.streams[stream as usize].common()
    }

    pub(crate) fn common_in_all(&self) -> u32 {
        self.streams.iter().map(StreamQueue::common).sum()
    }

    pub(crate) fn ready_in_all(&self) -> u32 {
        self.streams.iter().map(|queue| queue.ready).sum()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.streams.iter().all(|queue| queue.ready == 0)
    }

    /// The first entry that not every host can take.
    pub(crate) fn particular(&self, stream: Stream) -> Option<u32> {
        self.streams[stream as usize].particular.first()
    }

    /// The youngest fresh entry of a flow, where more recipients of its message may join it.
    pub(crate) fn youngest(&self, stream: Stream, flow: FlowId) -> Option<u32> {
        self.streams[stream as usize].flows.get(&flow)?.fresh.last()
    }
}

impl Way {
    fn share(&self) -> u64 {
        SHARE / u64::from(self.weight.max(1))
    }
}

impl StreamQueue {
    fn first(&self) -> Option<u32> {
        let of_flow = |flow: &FlowQueue| flow.returned.first().or_else(|| flow.fresh.first());
        let alone = self.urgent.first().or_else(|| self.particular.first());
        alone.or_else(|| self.flows.values().find_map(of_flow))
    }

    fn common(&self) -> u32 {
        self.ready - self.particulars
    }

    /// The first of each list.
    fn heads(&self) -> impl Iterator<Item = u32> {
        let of_flow = |flow: &FlowQueue| [flow.returned.first(), flow.fresh.first()];
        let alone = [self.urgent.first(), self.particular.first()];
        alone.into_iter().chain(self.flows.values().flat_map(of_flow)).flatten()
    }

    /// The next that was accepted by a moment, flows in turns. Lists are in the order of
    /// acceptance, or nearly: what is behind something new waits with it.
    fn pop_old(&mut self, slab: &mut Slab, old: Instant) -> Option<u32> {
        let is_old = |list: &List| list.first().is_some_and(|n| slab[n].id.moment() <= old);
        if is_old(&self.urgent) {
            return self.urgent.pop(slab);
        }
        let behind = self.flows.range((Excluded(self.last_served), Unbounded));
        let before = self.flows.range(..=self.last_served);
        let has_old = |flow: &FlowQueue| is_old(&flow.returned) || is_old(&flow.fresh);
        let flow = behind.chain(before).find(|(_, flow)| has_old(flow)).map(|(id, _)| *id)?;
        self.last_served = flow;
        let FlowQueue { fresh, returned, .. } = self.flows.get_mut(&flow)?;
        if is_old(returned) { returned.pop(slab) } else { fresh.pop(slab) }
    }

    fn pop(&mut self, slab: &mut Slab) -> Option<u32> {
        if let Some(number) = self.urgent.pop(slab) {
            return Some(number);
        }
        loop {
            let behind = self.flows.range((Excluded(self.last_served), Unbounded)).next();
            let flow = *behind.or_else(|| self.flows.first_key_value())?.0;
            self.last_served = flow;
            let number = self.flows.get_mut(&flow)?.pop(slab);
            if number.is_some() {
                return number;
            }
            // A flow that is empty goes when its turn comes; the last one stays, so that a
            // trickle of mail does not make it anew for each message.
            if self.flows.len() == 1 {
                return None;
            }
            self.flows.remove(&flow);
        }
    }
}

impl FlowQueue {
    fn pop(&mut self, slab: &mut Slab) -> Option<u32> {
        let returned_first = self.returned_next;
        self.returned_next = !returned_first;
        let (first, second) = if returned_first {
            (&mut self.returned, &mut self.fresh)
        } else {
            (&mut self.fresh, &mut self.returned)
        };
        first.pop(slab).or_else(|| second.pop(slab))
    }
}
