//! What the log says of a message that came in: that it is ours, or why not.

use std::sync::Arc;

use postlane_mail::{Envelope, QueueId, ReversePath};
use postlane_message::Client;
use postlane_spool::Insertion;

use super::{Intake, Origin, Refused};
use crate::intake::facts::Facts;
use crate::outcome::reports::message_id;
use crate::telling::journal::Line;

/// A message on its way in, as far as the log tells of it.
pub(crate) struct Arrival {
    pub(crate) id: QueueId,
    pub(crate) envelope: Arc<Envelope>,
    pub(crate) octets: usize,
    /// Its `Message-ID`, where history is on.
    pub(crate) message_id: Option<Box<str>>,
}

impl Intake {
    /// What is about to become durable.
    pub(crate) fn arrival(&self, insertion: &Insertion) -> Arrival {
        let octets = insertion.message.iter().map(bytes::Bytes::len).sum();
        let header = |message: &bytes::Bytes| {
            let octets = Facts::from_octets(&insertion.facts).header_octets as usize;
            message_id(message.get(..octets)?)
        };
        let message_id =
            self.history.is_on().then(|| insertion.message.first().and_then(header)).flatten();
        Arrival { id: insertion.id, envelope: insertion.envelope.clone(), octets, message_id }
    }

    /// It is durable, and ours.
    pub(crate) fn note_accepted(&self, origin: &Origin<'_>, arrival: &Arrival) {
        self.counters.accepted.inc();
        let (setup, now) = (self.live.borrow().clone(), self.clock.now());
        self.history.accepted(&setup, now, origin, arrival);
        let log = &setup.log;
        if !log.accepted {
            return;
        }
        let Arrival { id, envelope, octets, .. } = arrival;
        let mut line = Line::new(now, "accepted");
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
        let (setup, now) = (self.live.borrow().clone(), self.clock.now());
        let (code, status) = refused.code();
        let reply = (code, status, refused.to_string());
        self.history.refused(&setup, now, origin, (sender, reply));
        let mut line = Line::new(now, "refused");
        line.field("from", &self.journal.veil(setup.log.addresses).address(sender.as_str()));
        origin.tell(&mut line);
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
