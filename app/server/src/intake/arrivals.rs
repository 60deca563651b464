//! What the log says of a message that came in: that it is ours, or why not.

use std::sync::Arc;

use postlane_mail::{Envelope, QueueId, ReversePath};
use postlane_message::Client;
use postlane_spool::Insertion;

use super::{Intake, Origin, Refused};
use crate::journal::Line;

/// A message on its way in, as far as the log tells of it.
pub(crate) struct Arrival {
    id: QueueId,
    envelope: Arc<Envelope>,
    octets: usize,
}

impl Arrival {
    /// What is about to become durable.
    pub(crate) fn of(insertion: &Insertion) -> Self {
        let octets = insertion.message.iter().map(bytes::Bytes::len).sum();
        Self { id: insertion.id, envelope: insertion.envelope.clone(), octets }
    }
}

impl Intake {
    /// It is durable, and ours.
    pub(crate) fn note_accepted(&self, origin: &Origin<'_>, arrival: &Arrival) {
        self.counters.accepted.inc();
        let log = self.live.borrow().log.clone();
        if !log.accepted {
            return;
        }
        let Arrival { id, envelope, octets } = arrival;
        let mut line = Line::new(self.clock.now(), "accepted");
        line.plain("id", id);
        let sender = envelope.reverse_path.as_str();
        line.field("from", &self.journal.veil(log.addresses).address(sender));
        line.number("recipients", envelope.recipients.len() as u64);
        line.number("octets", *octets as u64);
        line.labels(envelope);
        origin.tell(&mut line);
        self.journal.write(line.end());
    }

    /// It was not taken.
    pub(crate) fn note_refused(
        &self,
        origin: &Origin<'_>,
        sender: &ReversePath,
        refused: &Refused,
    ) {
        self.counters.refused.inc();
        let log = self.live.borrow().log.clone();
        let mut line = Line::new(self.clock.now(), "refused");
        line.field("from", &self.journal.veil(log.addresses).address(sender.as_str()));
        origin.tell(&mut line);
        let (code, status) = refused.code();
        line.number("code", u64::from(code.number()));
        line.plain("status", status);
        line.field("text", &refused.to_string());
        self.journal.write(line.end());
    }
}

impl Origin<'_> {
    fn tell(&self, line: &mut Line) {
        if let Client::Peer { helo, address } = self.client {
            line.plain("client", address);
            line.field("helo", helo);
        }
        line.field("protocol", self.protocol);
        if let Some(tls) = &self.tls {
            line.field("tls", tls.version);
        }
        if let Some(user) = self.user {
            line.field("user", user);
        }
    }
}
