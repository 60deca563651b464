//! Mail that came back to a bounce address of ours: what a far host says of mail that it had
//! taken from us.

use postlane_mail::{Instant, Mailbox, QueueId};
use postlane_message::{ReadRecipient, Returned, read_report};

use crate::events::{Event, Events};
use crate::journal::{Journal, Line};
use crate::veil::Veil;

/// Writes down what came back: a line and an event for each recipient that it is about. The
/// message itself is not kept.
pub(super) struct Returns<'a> {
    pub(super) at: Instant,
    pub(super) journal: &'a Journal,
    pub(super) veil: Veil<'a>,
    pub(super) events: &'a Events,
}

impl Returns<'_> {
    /// Mail to that bounce address; the address itself may tell whose mail came back, and
    /// cannot be made up by others, while a report can.
    pub(super) fn tell(&self, to: &Mailbox, returned: Option<Returned>, message: &[u8]) {
        let report = read_report(message).unwrap_or_default();
        if report.recipients.is_empty() {
            self.say(to, returned, &ReadRecipient::default());
        }
        report.recipients.iter().for_each(|about| self.say(to, returned, about));
    }

    fn say(&self, to: &Mailbox, returned: Option<Returned>, about: &ReadRecipient) {
        let address = about.original_recipient.as_ref().or(about.final_recipient.as_ref());
        let address = address.map(|mailbox| mailbox.as_str().to_owned()).unwrap_or_default();
        let id = returned.map(|returned| returned.id);
        let mut line = Line::new(self.at, "returned");
        line.field("bounce_address", &self.veil.address(to.as_str()));
        if let Some(Returned { id, recipient }) = returned {
            line.field("id", &id.to_string());
            line.number("recipient", u64::from(recipient));
        }
        line.field("to", &self.veil.address(&address));
        let action = about.action.map(|action| action.as_str()).unwrap_or_default();
        line.field("action", action);
        let status = about.status.map(|status| status.to_string()).unwrap_or_default();
        line.field("status", &status);
        line.field("host", about.remote_mta.as_deref().unwrap_or_default());
        line.field("text", &self.veil.text(about.diagnostic.as_deref().unwrap_or_default()));
        self.journal.write(line.end());
        self.events.tell(|| event(self.at, id, address, about));
    }
}

fn event(at: Instant, id: Option<QueueId>, recipient: String, about: &ReadRecipient) -> Event {
    let detail = about.diagnostic.clone().unwrap_or_default();
    Event { recipient, detail, ..Event::new(at, "returned", id) }
}
