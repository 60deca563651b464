//! What is said of entries that come and go: a line of the log and an event for each.

use postlane_mail::Instant;
use postlane_message::LogDate;
use postlane_suppression::Entry;

use crate::config::settings::Addresses;
use crate::setup::Live;
use crate::telling::events::{Event, Events};
use crate::telling::history::History;
use crate::telling::journal::{Journal, Line};

/// Tells the log and whoever listens.
#[derive(Clone)]
pub(crate) struct Teller {
    pub(crate) journal: Journal,
    pub(crate) events: Events,
    pub(crate) history: History,
    pub(crate) live: Live,
}

impl Teller {
    /// Somebody is on the list from now on.
    pub(crate) fn suppressed(&self, now: Instant, shown: Addresses, entry: &Entry) {
        self.tell(now, "suppressed", shown, entry, entry.by.as_str());
    }

    /// Somebody is on it no more; who took them off.
    pub(crate) fn unsuppressed(&self, now: Instant, shown: Addresses, entry: &Entry, by: &str) {
        self.tell(now, "unsuppressed", shown, entry, by);
    }

    /// An event alone: the log has their number.
    pub(crate) fn event(&self, now: Instant, kind: &'static str, entry: &Entry, by: &str) {
        let setup = self.live.borrow().clone();
        self.events.tell_and_keep((&self.history, &setup), || event(now, kind, entry, by));
    }

    fn tell(&self, now: Instant, kind: &'static str, shown: Addresses, entry: &Entry, by: &str) {
        self.journal.write(self.line(now, kind, shown, entry, by));
        self.event(now, kind, entry, by);
    }

    fn line(&self, now: Instant, kind: &str, shown: Addresses, entry: &Entry, by: &str) -> String {
        let veil = self.journal.veil(shown);
        let mut line = Line::new(now, kind);
        if let Some(id) = entry.message {
            line.plain("id", id);
        }
        line.field("to", &veil.address(entry.written.as_str()));
        if !entry.subject.tenant().is_empty() {
            line.field("tenant", entry.subject.tenant());
        }
        line.field("reason", entry.standing.reason.name());
        if let Some(until) = entry.standing.until() {
            line.field("until", LogDate::of(until).as_str());
        }
        line.field("by", by);
        if !entry.provider.as_str().is_empty() {
            line.field("provider", entry.provider.as_str());
        }
        if let Some(said) = &entry.said {
            line.field("host", said.host.as_str());
            line.field("stage", said.stage.as_str());
            line.number("code", u64::from(said.code.number()));
            line.field("rule", entry.rule.as_str());
            line.field("text", &veil.text(said.text.as_str()));
        } else if !entry.note.as_str().is_empty() {
            line.field("text", &veil.text(entry.note.as_str()));
        }
        line.end()
    }
}

fn event(now: Instant, kind: &'static str, entry: &Entry, by: &str) -> Event {
    let until = match entry.standing.until() {
        Some(until) => format!("until {}", LogDate::of(until).as_str()),
        None => "for ever".to_owned(),
    };
    let note = entry.note.as_str();
    let note = if note.is_empty() { String::new() } else { format!(": {note}") };
    Event {
        recipient: entry.written.as_str().to_owned(),
        provider: entry.provider.as_str().to_owned(),
        tenant: entry.subject.tenant().to_owned(),
        last_reply: entry.said.as_ref().map(|said| said.reply(entry.standing.since())),
        detail: format!("{} {until}, by {by}{note}", entry.standing.reason),
        ..Event::new(now, kind, entry.message)
    }
}
