//! Connections of a scripted policy: each carries one message at a time.

use postlane_receivers::{Answer, ConnId, Source};

use crate::run::{ConnectionNo, MessageNo};

/// A connection's place on the floor; free ones are used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Slot(usize);

#[derive(Debug)]
struct Connection {
    source: Source,
    number: ConnectionNo,
    /// `None` if it was refused.
    conn: Option<ConnId>,
    /// Messages offered on it.
    carried: u32,
    /// What is in flight on it, and what will be heard.
    in_flight: Option<(MessageNo, Answer)>,
}

/// What one source has.
#[derive(Debug, Default)]
struct OfSource {
    in_flight: u32,
    /// Those with nothing to carry, the latest last.
    idle: Vec<Slot>,
}

#[derive(Debug)]
pub(super) struct Connections {
    slots: Vec<Option<Connection>>,
    free: Vec<Slot>,
    of_source: Vec<OfSource>,
}

impl Connections {
    pub(super) fn new(sources: usize) -> Self {
        let of_source = (0..sources).map(|_| OfSource::default()).collect();
        Self { slots: Vec::new(), free: Vec::new(), of_source }
    }

    pub(super) fn sources(&self) -> u16 {
        u16::try_from(self.of_source.len()).unwrap_or(u16::MAX)
    }

    /// A connection is being opened, or refused.
    pub(super) fn opened(
        &mut self,
        source: Source,
        number: ConnectionNo,
        conn: Option<ConnId>,
    ) -> Slot {
        let connection = Connection { source, number, conn, carried: 0, in_flight: None };
        match self.free.pop() {
            Some(slot) => {
                self.slots[slot.0] = Some(connection);
                slot
            }
            None => {
                self.slots.push(Some(connection));
                Slot(self.slots.len() - 1)
            }
        }
    }

    /// A message goes out on it, and this will be heard.
    pub(super) fn carries(&mut self, slot: Slot, message: MessageNo, answer: Answer) {
        let connection = self.there_mut(slot);
        connection.carried += 1;
        connection.in_flight = Some((message, answer));
        let source = connection.source;
        self.of_source[usize::from(source.0)].in_flight += 1;
    }

    /// The reply is heard.
    pub(super) fn heard(&mut self, slot: Slot) -> Option<(MessageNo, Answer)> {
        let connection = self.there_mut(slot);
        let source = connection.source;
        let heard = connection.in_flight.take()?;
        self.of_source[usize::from(source.0)].in_flight -= 1;
        Some(heard)
    }

    /// It has nothing to carry.
    pub(super) fn rests(&mut self, slot: Slot) {
        let source = self.source(slot);
        self.of_source[usize::from(source.0)].idle.push(slot);
    }

    /// It is closed; its slot is free.
    pub(super) fn closed(&mut self, slot: Slot) {
        let source = self.source(slot);
        let of_source = &mut self.of_source[usize::from(source.0)];
        of_source.idle.retain(|idle| *idle != slot);
        self.slots[slot.0] = None;
        self.free.push(slot);
    }

    /// Takes the latest idle one.
    pub(super) fn take_idle(&mut self, source: Source) -> Option<Slot> {
        self.of_source[usize::from(source.0)].idle.pop()
    }

    /// The latest idle one.
    pub(super) fn idle(&self, source: Source) -> Option<Slot> {
        self.of_source[usize::from(source.0)].idle.last().copied()
    }

    /// Whether it is still that connection, idle, and has carried no more since.
    pub(super) fn is_idle_since(&self, slot: Slot, number: ConnectionNo, carried: u32) -> bool {
        let connection = self.slots.get(slot.0).and_then(Option::as_ref);
        connection
            .is_some_and(|c| c.number == number && c.carried == carried && c.in_flight.is_none())
    }

    pub(super) fn source(&self, slot: Slot) -> Source {
        self.there(slot).source
    }

    pub(super) fn number(&self, slot: Slot) -> ConnectionNo {
        self.there(slot).number
    }

    pub(super) fn conn(&self, slot: Slot) -> Option<ConnId> {
        self.there(slot).conn
    }

    pub(super) fn carried(&self, slot: Slot) -> u32 {
        self.there(slot).carried
    }

    pub(super) fn in_flight(&self, source: Source) -> u32 {
        self.of_source[usize::from(source.0)].in_flight
    }

    fn there(&self, slot: Slot) -> &Connection {
        self.slots[slot.0].as_ref().expect("a slot is asked about while it is taken")
    }

    fn there_mut(&mut self, slot: Slot) -> &mut Connection {
        self.slots[slot.0].as_mut().expect("a slot is asked about while it is taken")
    }
}
