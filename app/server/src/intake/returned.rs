//! Mail that came back to a bounce address of ours: what a far host says of mail that it had
//! taken from us.

use postlane_mail::{Domain, Instant, Mailbox, QueueId};
use postlane_message::{Bounced, Returned, Trace, read_bounces};
use postlane_replies::{Diagnosis, RuleBook};

use crate::outcome::meaning::Meanings;
use crate::setup::Setup;
use crate::telling::events::{CameBack, Event, Events};
use crate::telling::history::History;
use crate::telling::journal::{Journal, Line};
use crate::telling::veil::Veil;

/// Writes down what came back: a line and an event for each recipient that it is about. The
/// message itself is not kept.
pub(super) struct Returns<'a> {
    pub(super) at: Instant,
    pub(super) journal: &'a Journal,
    pub(super) veil: Veil<'a>,
    pub(super) events: &'a Events,
    pub(super) history: (&'a History, &'a Setup),
    /// What replies mean.
    pub(super) meanings: &'a Meanings,
    pub(super) rules: &'a RuleBook,
    /// Our name in traces.
    pub(super) hostname: &'a Domain,
}

/// A bounce by a reverse-path of ours, and what it means.
pub(super) struct Understood {
    pub(super) returned: Returned,
    pub(super) bounced: Bounced,
    pub(super) diagnosis: Diagnosis,
}

impl Returns<'_> {
    /// Mail to that bounce address; the address itself may tell whose mail came back, and
    /// cannot be made up by others, while a report can. Gives what is understood of mail that is
    /// ours for certain.
    pub(super) fn tell(
        &self,
        to: &Mailbox,
        returned: Option<Returned>,
        message: &[u8],
    ) -> Vec<Understood> {
        let all = read_bounces(message);
        if all.is_empty() {
            self.say(to, returned, None);
        }
        all.into_iter().filter_map(|about| self.say(to, returned, Some(about))).collect()
    }

    fn say(
        &self,
        to: &Mailbox,
        returned: Option<Returned>,
        about: Option<Bounced>,
    ) -> Option<Understood> {
        let address = about.as_ref().and_then(sent_to).unwrap_or_default().to_owned();
        let mut line = Line::new(self.at, "returned");
        line.field("bounce_address", &self.veil.address(to.as_str()));
        if let Some(Returned { id, recipient }) = returned {
            line.field("id", &id.to_string());
            line.number("recipient", u64::from(recipient));
        }
        line.field("to", &self.veil.address(&address));
        let diagnosis = about.as_ref().and_then(|about| self.meanings.of(about, self.rules));
        let detail = about.as_ref().map(|about| self.write(&mut line, about)).unwrap_or_default();
        if let Some(diagnosis) = &diagnosis {
            line.field("label", diagnosis.label.name());
        }
        let claimed_id = about.as_ref().and_then(|about| self.claimed(about));
        let claimed_id = claimed_id.filter(|_| returned.is_none());
        if let Some(id) = claimed_id {
            line.field("claimed_id", &id.to_string());
        }
        self.journal.write(line.end());
        let recipient = returned.map(|returned| returned.recipient);
        let came_back =
            |about: &Bounced| Box::new(CameBack { recipient, claimed_id, about: about.clone() });
        let event = || Event {
            recipient: address,
            diagnosis: diagnosis.clone(),
            detail,
            came_back: about.as_ref().map(came_back),
            ..Event::new(self.at, "returned", returned.map(|returned| returned.id))
        };
        self.events.tell_and_keep(self.history, event);
        Some(Understood { returned: returned?, bounced: about?, diagnosis: diagnosis? })
    }

    /// The message, by the trace that we left on it.
    fn claimed(&self, about: &Bounced) -> Option<QueueId> {
        let ours = |trace: &&Trace| trace.host.eq_ignore_ascii_case(self.hostname.as_str());
        about.original_traces.iter().find(ours).map(|trace| trace.id)
    }

    /// What is said about a recipient, into the line; gives the reply on one line.
    fn write(&self, line: &mut Line, about: &Bounced) -> String {
        line.field("form", about.kind.as_str());
        line.field("action", about.action.map(|action| action.as_str()).unwrap_or_default());
        let status = about.status.map(|status| status.to_string()).unwrap_or_default();
        line.field("status", &status);
        if let Some(code) = about.code {
            line.number("code", u64::from(code.number()));
        }
        line.field("host", about.remote_mta.as_deref().unwrap_or_default());
        let text = about.diagnostic.as_deref().unwrap_or_default().replace('\n', " / ");
        line.field("text", &self.veil.text(&text));
        text
    }
}

/// The address that we sent to, as far as the report knows it.
fn sent_to(about: &Bounced) -> Option<&str> {
    about.original_recipient.as_deref().or(about.recipient.as_deref())
}
