//! A line: what waits for one exchange, from one pool.

use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Unbounded};

use postlane_mail::Stream;
use smallvec::SmallVec;

use crate::names::{ExchangeId, FlowId, PoolId, SourceId};
use crate::slab::{List, Slab};

/// What waits for one exchange, from one pool.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) exchange: ExchangeId,
    pub(crate) pool: PoolId,
    streams: [StreamQueue; 3],
    /// What is due at a second since the epoch.
    pub(crate) deferred: BTreeMap<u32, List>,
    /// How much each source of a pool of several has taken, in units of its weight.
    pub(crate) taken: SmallVec<[(SourceId, u64); 1]>,
}

/// Where in its stream an entry joins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Joins {
    /// A first attempt.
    Fresh,
    /// Another attempt.
    Returned,
    /// Its turn had come and could not be used.
    First,
    /// An operator wants it in front.
    Urgent,
}

#[derive(Debug, Default)]
struct StreamQueue {
    urgent: List,
    flows: BTreeMap<FlowId, FlowQueue>,
    last_served: FlowId,
    ready: u32,
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
            taken: SmallVec::new(),
        }
    }

    /// Entries ready in a stream.
    pub(crate) fn ready(&self, stream: Stream) -> u32 {
        self.streams[stream as usize].ready
    }

    pub(crate) fn ready_in_all(&self) -> u32 {
        self.streams.iter().map(|queue| queue.ready).sum()
    }

    pub(crate) fn join(&mut self, slab: &mut Slab, number: u32, joins: Joins) {
        let (stream, flow) = (slab[number].stream, slab[number].flow);
        let queue = &mut self.streams[stream as usize];
        queue.ready += 1;
        if joins == Joins::Urgent {
            queue.urgent.push(slab, number);
            return;
        }
        let flow = queue.flows.entry(flow).or_default();
        match joins {
            Joins::Fresh => flow.fresh.push(slab, number),
            Joins::Returned | Joins::Urgent => flow.returned.push(slab, number),
            Joins::First => {
                flow.returned.push_front(slab, number);
                flow.returned_next = true;
            }
        }
    }

    /// The youngest fresh entry of a flow, where more recipients of its message may join it.
    pub(crate) fn youngest(&self, stream: Stream, flow: FlowId) -> Option<u32> {
        self.streams[stream as usize].flows.get(&flow)?.fresh.last()
    }

    /// An entry has left its place without its turn having come.
    pub(crate) fn left(&mut self, stream: Stream) {
        let queue = &mut self.streams[stream as usize];
        queue.ready = queue.ready.saturating_sub(1);
    }

    /// The next entry of a stream: what an operator put in front, then the flows in turns,
    /// and within a flow first and further attempts in turns.
    pub(crate) fn pop(&mut self, slab: &mut Slab, stream: Stream) -> Option<u32> {
        let queue = &mut self.streams[stream as usize];
        let number = queue.pop(slab);
        match number {
            Some(_) => queue.ready = queue.ready.saturating_sub(1),
            None => queue.ready = 0,
        }
        number
    }
}

impl StreamQueue {
    fn pop(&mut self, slab: &mut Slab) -> Option<u32> {
        if let Some(number) = self.urgent.pop(slab) {
            return Some(number);
        }
        loop {
            let behind = self.flows.range((Excluded(self.last_served), Unbounded)).next();
            let flow = *behind.or_else(|| self.flows.first_key_value())?.0;
            self.last_served = flow;
            let queue = self.flows.get_mut(&flow)?;
            let number = queue.pop(slab);
            if queue.fresh.is_empty() && queue.returned.is_empty() {
                self.flows.remove(&flow);
            }
            if number.is_some() {
                return number;
            }
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
