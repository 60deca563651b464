//! A line: what waits for one exchange, from one pool.

use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Unbounded};

use postlane_mail::{Instant, Span, Stream};
use smallvec::SmallVec;

use crate::engagement::Tier;
use crate::entry::Rank;
use crate::fresh::Fresh;
use crate::names::{ExchangeId, FlowId, PoolId, SectionId, SourceId};
use crate::slab::{List, Slab};

/// The exchange of a line, or of a path, that was forgotten.
pub(crate) const NO_EXCHANGE: ExchangeId = ExchangeId(u32::MAX);

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
    /// Entries that know it, in whatever state.
    pub(crate) members: u32,
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

/// What of a line waits for the same: a tenant's gates, a recipient domain's, and the source by which it was
/// greylisted. Nearly all mail waits for none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Shelf {
    pub(crate) tenant: Option<SectionId>,
    pub(crate) domain: Option<SectionId>,
    pub(crate) source: Option<SourceId>,
}

/// What of a line may go now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Open {
    /// Of these shelves; of all, when there are none.
    pub(crate) shelves: Option<SmallVec<[Shelf; 4]>>,
    /// Also what was never tried.
    pub(crate) fresh: bool,
    /// Only what was accepted by then.
    pub(crate) old: Option<Instant>,
    /// By how much later mail to quiet recipients stands, for each tier.
    pub(crate) step: Span,
}

#[derive(Debug, Default)]
struct StreamQueue {
    particular: List,
    shelves: BTreeMap<Shelf, ShelfQueue>,
    last_served: FlowId,
    /// Where it stood: a flow's shelves take turns, too.
    last_shelf: Shelf,
    /// Entries in all lists.
    ready: u32,
    /// Of them, those that not every host can take.
    particulars: u32,
}

#[derive(Debug, Default)]
struct ShelfQueue {
    urgent: List,
    flows: BTreeMap<FlowId, FlowQueue>,
    /// Entries in all lists of it.
    ready: u32,
    /// Of them, those that wait for their first attempt.
    fresh: u32,
}

#[derive(Debug, Default)]
struct FlowQueue {
    fresh: Fresh,
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
            members: 0,
        }
    }

    /// Whether it was forgotten, and its number waits for another line.
    pub(crate) fn is_gone(&self) -> bool {
        self.exchange == NO_EXCHANGE
    }

    pub(crate) fn join(&mut self, slab: &mut Slab, number: u32, joins: Joins, shelf: Shelf) {
        let (stream, flow) = (slab[number].stream, slab[number].flow);
        let queue = &mut self.streams[stream as usize];
        queue.ready += 1;
        let rank = match joins {
            Joins::Last(rank) => rank,
            Joins::First => Rank::Returned,
        };
        slab[number].rank = rank;
        if rank == Rank::Particular {
            queue.particulars += 1;
            queue.particular.push(slab, number);
            return;
        }
        let queue = queue.shelves.entry(shelf).or_default();
        queue.ready += 1;
        match rank {
            Rank::Particular | Rank::Urgent => queue.urgent.push(slab, number),
            Rank::Fresh => {
                queue.fresh += 1;
                queue.flows.entry(flow).or_default().fresh.push(slab, number);
            }
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

    /// Takes out an entry that stands in this line, on that shelf.
    pub(crate) fn leave(&mut self, slab: &mut Slab, number: u32, shelf: Shelf) {
        let (stream, flow, rank) = {
            let entry = &slab[number];
            (entry.stream, entry.flow, entry.rank)
        };
        let queue = &mut self.streams[stream as usize];
        queue.ready -= 1;
        if rank == Rank::Particular {
            queue.particulars -= 1;
            queue.particular.remove(slab, number);
            return;
        }
        let queue = queue.shelves.entry(shelf).or_default();
        queue.ready -= 1;
        match rank {
            Rank::Particular | Rank::Urgent => queue.urgent.remove(slab, number),
            Rank::Fresh => {
                queue.fresh -= 1;
                queue.flows.entry(flow).or_default().fresh.remove(slab, number);
            }
            Rank::Returned => queue.flows.entry(flow).or_default().returned.remove(slab, number),
        }
    }

    /// The next entry of a stream that may go: what an operator put in front, then the flows in
    /// turns, and within a flow first and further attempts in turns.
    pub(crate) fn pop(&mut self, slab: &mut Slab, stream: Stream, open: &Open) -> Option<u32> {
        let queue = &mut self.streams[stream as usize];
        if queue.common() == 0 {
            return None;
        }
        let number = match open.old {
            None => queue.pop(slab, open)?,
            Some(old) => queue.pop_old(slab, open, old)?,
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
        let shelves = self.streams.iter().flat_map(|queue| queue.shelves.values());
        let flows = shelves.flat_map(|shelf| shelf.flows.values());
        let returned = flows.map(|flow| flow.returned.len(slab));
        self.deferred.values().map(|due| due.len(slab)).chain(returned).sum()
    }

    /// The shelves on which something of a stream is ready.
    pub(crate) fn shelves(&self, stream: Stream) -> impl Iterator<Item = Shelf> {
        let shelves = self.streams[stream as usize].shelves.iter();
        shelves.filter(|(_, queue)| queue.ready > 0).map(|(shelf, _)| *shelf)
    }

    /// Since when the first on a shelf is due, in whatever stream: seconds since the epoch.
    pub(crate) fn due_since(&self, slab: &Slab, shelf: &Shelf) -> Option<u32> {
        let shelves = self.streams.iter().filter_map(|queue| queue.shelves.get(shelf));
        shelves.filter_map(ShelfQueue::first).map(|number| slab[number].due_s).min()
    }

    /// Of a stream's entries that any host can take, those that may go.
    pub(crate) fn ready_to_go(&self, stream: Stream, open: &Open) -> u32 {
        if open.is_all() {
            return self.common(stream);
        }
        let shelves = self.streams[stream as usize].shelves.iter();
        shelves.filter(|(shelf, _)| open.has(shelf)).map(|(_, queue)| queue.count(open)).sum()
    }

    /// Takes out all that any host can take, in order, to join again on other shelves.
    pub(crate) fn clear(&mut self, slab: &mut Slab) -> Vec<u32> {
        let mut all = Vec::new();
        for queue in &mut self.streams {
            for (_, mut shelf) in std::mem::take(&mut queue.shelves) {
                queue.ready -= shelf.ready;
                all.extend(std::iter::from_fn(|| shelf.urgent.pop(slab)));
                for flow in shelf.flows.values_mut() {
                    all.extend(std::iter::from_fn(|| flow.returned.pop(slab)));
                    all.extend(std::iter::from_fn(|| flow.fresh.pop(slab, Span::ZERO, None)));
                }
            }
        }
        all
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
        let number = particular.or_else(|| queue.pop(slab, &Open::ALL))?;
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
    pub(crate) fn youngest(
        &self,
        stream: Stream,
        (flow, tier): (FlowId, Tier),
        shelf: Shelf,
    ) -> Option<u32> {
        self.streams[stream as usize].shelves.get(&shelf)?.flows.get(&flow)?.fresh.youngest(tier)
    }
}

impl Way {
    fn share(&self) -> u64 {
        SHARE / u64::from(self.weight.max(1))
    }
}

impl Open {
    /// Everything.
    pub(crate) const ALL: Self = Self { shelves: None, fresh: true, old: None, step: Span::ZERO };

    /// Whether everything may go, however old: what is counted by line need not be counted by
    /// shelf.
    fn is_all(&self) -> bool {
        self.shelves.is_none() && self.fresh
    }

    fn has(&self, shelf: &Shelf) -> bool {
        self.shelves.as_ref().is_none_or(|shelves| shelves.contains(shelf))
    }
}

impl StreamQueue {
    fn first(&self) -> Option<u32> {
        let particular = self.particular.first();
        particular.or_else(|| self.shelves.values().find_map(ShelfQueue::first))
    }

    fn common(&self) -> u32 {
        self.ready - self.particulars
    }

    /// The first of each list.
    fn heads(&self) -> impl Iterator<Item = u32> {
        let of_flow = |flow: &'_ FlowQueue| {
            flow.returned
                .first()
                .into_iter()
                .chain(flow.fresh.heads())
                .collect::<SmallVec<[_; 4]>>()
        };
        let of_shelf = move |shelf: &ShelfQueue| {
            let flows = shelf.flows.values().flat_map(of_flow).collect::<SmallVec<[_; 8]>>();
            shelf.urgent.first().into_iter().chain(flows)
        };
        let shelves = self.shelves.values().flat_map(of_shelf);
        self.particular.first().into_iter().chain(shelves)
    }

    /// The next that was accepted by a moment, flows in turns. Lists are in the order of
    /// acceptance, or nearly: what is behind something new waits with it.
    fn pop_old(&mut self, slab: &mut Slab, open: &Open, old: Instant) -> Option<u32> {
        let is_old = |list: &List| list.first().is_some_and(|n| slab[n].id.moment() <= old);
        let has_old = |flow: &FlowQueue| {
            is_old(&flow.returned) || open.fresh && flow.fresh.has_old(slab, old)
        };
        let shelves = self.shelves.iter().filter(|(shelf, _)| open.has(shelf));
        let mut next = None;
        for (shelf, queue) in shelves {
            if is_old(&queue.urgent) {
                let shelf = *shelf;
                let queue = self.shelves.get_mut(&shelf)?;
                queue.ready -= 1;
                return queue.urgent.pop(slab);
            }
            let behind = queue.flows.range((Excluded(self.last_served), Unbounded));
            let before = queue.flows.range(..=self.last_served);
            let found = behind.chain(before).find(|(_, flow)| has_old(flow)).map(|(flow, _)| *flow);
            let found = found.map(|flow| self.turn_of(flow, *shelf));
            next = next.into_iter().chain(found).min();
        }
        let (_, flow, _, shelf) = next?;
        let queue = self.shelves.get_mut(&shelf)?;
        let FlowQueue { fresh, returned, .. } = queue.flows.get_mut(&flow)?;
        let is_returned = is_old(returned);
        (self.last_served, self.last_shelf) = (flow, shelf);
        queue.ready -= 1;
        queue.fresh -= u32::from(!is_returned);
        if is_returned { returned.pop(slab) } else { fresh.pop(slab, open.step, Some(old)) }
    }

    fn pop(&mut self, slab: &mut Slab, open: &Open) -> Option<u32> {
        for (_, queue) in self.shelves.iter_mut().filter(|(shelf, _)| open.has(shelf)) {
            if let Some(number) = queue.urgent.pop(slab) {
                queue.ready -= 1;
                return Some(number);
            }
        }
        // Each flow once for each shelf: those of which nothing may go are passed over.
        let flows: usize = self.shelves.values().map(|queue| queue.flows.len()).sum();
        for _ in 0..flows * self.shelves.len() {
            let (shelf, flow) = self.next_flow(open)?;
            (self.last_served, self.last_shelf) = (flow, shelf);
            let queue = self.shelves.get_mut(&shelf)?;
            if let Some(number) = queue.pop(slab, flow, open) {
                return Some(number);
            }
            if queue.flows.is_empty() && queue.ready == 0 && self.shelves.len() > 1 {
                self.shelves.remove(&shelf);
            }
        }
        None
    }

    /// The flow behind the one that was served last, in a ring over all shelves that are open.
    fn next_flow(&self, open: &Open) -> Option<(Shelf, FlowId)> {
        let may = |(shelf, queue): &(&Shelf, &ShelfQueue)| open.has(shelf) && queue.count(open) > 0;
        let next = |(shelf, queue): (&Shelf, &ShelfQueue)| {
            let behind = queue.flows.range((Excluded(self.last_served), Unbounded)).next();
            let flow = behind.or_else(|| queue.flows.first_key_value()).map(|(flow, _)| *flow)?;
            Some(self.turn_of(flow, *shelf))
        };
        let (_, flow, _, shelf) = self.shelves.iter().filter(may).filter_map(next).min()?;
        Some((shelf, flow))
    }

    /// The lower, the sooner it is a flow's turn on a shelf: the flows in a ring, and the shelves of each.
    fn turn_of(&self, flow: FlowId, shelf: Shelf) -> (bool, FlowId, bool, Shelf) {
        (flow <= self.last_served, flow, shelf <= self.last_shelf, shelf)
    }
}

impl ShelfQueue {
    fn first(&self) -> Option<u32> {
        let of_flow =
            |flow: &FlowQueue| flow.returned.first().or_else(|| flow.fresh.heads().next());
        self.urgent.first().or_else(|| self.flows.values().find_map(of_flow))
    }

    /// Entries that may go.
    fn count(&self, open: &Open) -> u32 {
        if open.fresh { self.ready } else { self.ready - self.fresh }
    }

    fn pop(&mut self, slab: &mut Slab, flow: FlowId, open: &Open) -> Option<u32> {
        let queue = self.flows.get_mut(&flow)?;
        let number = if open.fresh { queue.pop(slab, open.step) } else { queue.returned.pop(slab) };
        if let Some(number) = number {
            self.ready -= 1;
            self.fresh -= u32::from(slab[number].rank == Rank::Fresh);
            return Some(number);
        }
        // A flow that is empty goes when its turn comes; the last one stays, so that a trickle of
        // mail does not make it anew for each message.
        if queue.fresh.is_empty() && self.flows.len() > 1 {
            self.flows.remove(&flow);
        }
        None
    }
}

impl FlowQueue {
    fn pop(&mut self, slab: &mut Slab, step: Span) -> Option<u32> {
        let returned_first = self.returned_next;
        self.returned_next = !returned_first;
        if returned_first {
            self.returned.pop(slab).or_else(|| self.fresh.pop(slab, step, None))
        } else {
            self.fresh.pop(slab, step, None).or_else(|| self.returned.pop(slab))
        }
    }
}
