//! How fast and how many at once: one gate for each source, under the scenario's ceilings.

use postlane_receivers::{Ms, Sender, Source};

use super::backlog::Backlog;
use crate::floor::Floor;

/// What one source may do.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gate {
    /// Messages at a time, each on a connection of its own.
    pub(super) connections: u32,
    /// The least time between two messages.
    pub(super) gap: Ms,
    /// The least time between two connections.
    pub(super) connection_gap: Ms,
    /// Nothing is sent before.
    pub(super) closed_until: Ms,
    last: Option<Ms>,
    last_connection: Option<Ms>,
}

impl Gate {
    /// So many at a time, as fast as they go.
    pub(super) fn wide(connections: u32) -> Self {
        let (gap, connection_gap, closed_until) = (Ms(0), Ms(0), Ms(0));
        let (last, last_connection) = (None, None);
        Self { connections, gap, connection_gap, closed_until, last, last_connection }
    }

    /// The same, with that time between two messages.
    pub(super) fn paced(connections: u32, gap: Ms) -> Self {
        Self { gap, ..Self::wide(connections) }
    }

    /// The same, with that time between two connections.
    pub(super) fn connecting_every(self, connection_gap: Ms) -> Self {
        Self { connection_gap, ..self }
    }

    /// When this source may send; `None`: when something comes back.
    fn opens(&self, floor: &Floor<'_>, source: Source) -> Option<Ms> {
        if floor.in_flight(source) >= self.connections {
            return None;
        }
        let behind = |last: Option<Ms>, gap| last.map_or(Ms(0), |last| last + gap);
        let paced = behind(self.last, self.gap).max(self.closed_until);
        let connects = floor.idle_connection(source).is_none();
        let may_connect = behind(self.last_connection, self.connection_gap);
        Some(if connects { paced.max(may_connect) } else { paced })
    }
}

/// The gates of all sources, taken in turn.
#[derive(Debug)]
pub(super) struct Gates {
    gates: Vec<Gate>,
    turn: usize,
    /// The least time between two messages of all sources: the scenario's ceiling.
    gap: Ms,
    next: Ms,
}

impl Gates {
    /// A gate like this for every source, under the sender's ceilings.
    pub(super) fn new(sender: &Sender, gate: Gate) -> Self {
        let connections = gate.connections.min(sender.ceiling.conns_per_ip);
        let gates = vec![Gate { connections, ..gate }; sender.ips.len()];
        let gap = Ms((1.0 / sender.ceiling.rate.per_ms()).ceil() as u64);
        Self { gates, turn: 0, gap, next: Ms(0) }
    }

    /// Sends what waits and may go. Says when more may; `None`: when something happens.
    pub(super) fn drain(&mut self, backlog: &mut Backlog, floor: &mut Floor<'_>) -> Option<Ms> {
        loop {
            let (due, message) = backlog.first()?;
            let ready = due.max(self.next);
            if ready > floor.now() {
                return Some(ready);
            }
            let place = self.next_open(floor)?;
            let gate = &mut self.gates[place];
            let source = Source(place as u16);
            let opens = gate.opens(floor, source)?;
            if opens > floor.now() {
                return Some(opens);
            }
            gate.last = Some(floor.now());
            if floor.idle_connection(source).is_none() {
                gate.last_connection = Some(floor.now());
            }
            self.next = floor.now() + self.gap;
            self.turn = place + 1;
            backlog.remove(message);
            floor.send(message, source);
        }
    }

    pub(super) fn of(&mut self, source: Source) -> &mut Gate {
        &mut self.gates[usize::from(source.0)]
    }

    /// The next source in turn that may send now, or else the one that may first.
    fn next_open(&self, floor: &Floor<'_>) -> Option<usize> {
        let count = self.gates.len();
        let in_turn = (0..count).map(|step| (self.turn + step) % count);
        let opens = in_turn.filter_map(|place| {
            let opens = self.gates[place].opens(floor, Source(place as u16))?;
            Some((opens.max(floor.now()), place))
        });
        opens.min_by_key(|(at, _)| *at).map(|(_, place)| place)
    }
}
