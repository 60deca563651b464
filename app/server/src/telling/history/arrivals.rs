//! Messages that came in, as entries of the ledger: one for each recipient.

use postlane_ledger::{Entry, Kind};
use postlane_mail::{Code, Instant, ReversePath, Status};
use postlane_message::Client;

use super::History;
use super::attempts::describe_envelope;
use crate::intake::Origin;
use crate::intake::arrivals::Arrival;
use crate::setup::Setup;

impl History {
    /// A message became ours.
    pub(crate) fn accepted(
        &self,
        setup: &Setup,
        now: Instant,
        origin: &Origin<'_>,
        arrival: &Arrival,
    ) {
        if !self.is_on() {
            return;
        }
        let (who, detail) = (origin.who(), origin.detail());
        for (index, _) in (0..).zip(&arrival.envelope.recipients) {
            self.record(setup, || {
                let mut entry = Entry::new(Kind::Accepted, now);
                entry.id = Some(arrival.id);
                entry.recipient_index = Some(index.into());
                entry.message_id = arrival.message_id.as_deref().unwrap_or_default().into();
                describe_envelope(&mut entry, &arrival.envelope, index);
                entry.octets = Some(arrival.octets as u64);
                entry.delay_ms = Some(now.since(arrival.id.moment()).as_ms());
                entry.who = who.as_str().into();
                entry.detail = detail.as_str().into();
                entry
            });
        }
    }

    /// A message was refused after its end.
    pub(crate) fn refused(
        &self,
        setup: &Setup,
        now: Instant,
        origin: &Origin<'_>,
        (sender, reply): (&ReversePath, (Code, Status, String)),
    ) {
        self.record(setup, || {
            let (code, status, text) = reply;
            let mut entry = Entry::new(Kind::Refused, now);
            entry.sender = match sender.as_str() {
                "" => "<>".into(),
                address => address.into(),
            };
            entry.tenant = origin.tenant.as_str().into();
            entry.code = Some(code);
            entry.status = Some(status);
            entry.reply = text.into();
            entry.who = origin.who().into();
            entry.detail = origin.detail().into();
            entry
        });
    }
}

impl Origin<'_> {
    /// Who handed it in: a user who has authenticated, or the client's address.
    fn who(&self) -> String {
        match (self.user, self.client) {
            (Some(user), _) => user.to_owned(),
            (None, Client::Peer { address, .. }) => address.to_string(),
            (None, _) => String::new(),
        }
    }

    /// How it came.
    fn detail(&self) -> String {
        let mut says = match self.client {
            Client::Peer { helo, address } => {
                format!("by {} from {helo} ({address})", self.protocol)
            }
            _ => format!("by {}", self.protocol),
        };
        if let Some(tls) = &self.tls {
            says.push_str(", ");
            says.push_str(tls.version);
        }
        says
    }
}
