//! Incidents of what is so or not, and does not come and go: they open at once, and close with the
//! first look at which it is so no more.

use postlane_mail::Instant;

use super::{IncidentChange, Incidents};
use crate::incident::{Closed, Incident};
use crate::incident_key::IncidentKey;
use crate::sight::{GoneRecord, ListedSubject, PausedWebhook, Sight};

/// Something that is so.
struct Fact {
    key: IncidentKey,
    since: Instant,
    sight: Sight,
}

impl Incidents {
    /// Takes in which webhooks are paused because they took nothing.
    pub fn look_at_webhooks(
        &mut self,
        now: Instant,
        paused: &[PausedWebhook],
    ) -> Vec<IncidentChange> {
        let fact = |webhook: &PausedWebhook| Fact {
            key: IncidentKey::Webhook(webhook.name.clone()),
            since: webhook.at,
            sight: Sight::of_webhook(webhook),
        };
        let facts: Vec<Fact> = paused.iter().map(fact).collect();
        let is_of = |key: &IncidentKey| matches!(key, IncidentKey::Webhook(_));
        self.take_in(now, &facts, is_of, "it is told again, or was removed")
    }

    /// Takes in who is on a block list by which providers refuse mail: all of them.
    pub fn look_at_listings(
        &mut self,
        now: Instant,
        listed: &[ListedSubject],
    ) -> Vec<IncidentChange> {
        let fact = |of: &ListedSubject| Fact {
            key: IncidentKey::Listing { list: of.list.clone(), subject: of.subject.clone() },
            since: of.since,
            sight: Sight::of_listing(of),
        };
        let facts: Vec<Fact> = listed.iter().map(fact).collect();
        let is_of = |key: &IncidentKey| matches!(key, IncidentKey::Listing { .. });
        self.take_in(now, &facts, is_of, "it is not listed any more, or not watched")
    }

    /// Takes in which records that receivers look for are not published any more: all of them.
    pub fn look_at_records(&mut self, now: Instant, gone: &[GoneRecord]) -> Vec<IncidentChange> {
        let fact = |of: &GoneRecord| Fact {
            key: IncidentKey::Record { domain: of.domain.clone(), record: of.record.clone() },
            since: of.since,
            sight: Sight::of_record(of),
        };
        let facts: Vec<Fact> = gone.iter().map(fact).collect();
        let is_of = |key: &IncidentKey| matches!(key, IncidentKey::Record { .. });
        self.take_in(now, &facts, is_of, "it is published again, or not watched")
    }

    fn take_in(
        &mut self,
        now: Instant,
        facts: &[Fact],
        is_of: impl Fn(&IncidentKey) -> bool,
        over: &str,
    ) -> Vec<IncidentChange> {
        let mut changes = Vec::new();
        for Fact { key, since, sight } in facts {
            // Whoever has closed it by hand knows of it, until it begins anew.
            let is_known = |of: &Incident| {
                let closed = of.closed.as_ref();
                of.key == *key && closed.is_some_and(|end| end.at >= *since)
            };
            if let Some(incident) = self.open_mut(key) {
                incident.see(now, sight);
            } else if !self.all.values().any(is_known) {
                changes.push(self.begin(key, *since, now, sight));
            }
        }
        let open = self.all.values_mut().filter(|of| of.closed.is_none() && is_of(&of.key));
        for incident in open {
            if !facts.iter().any(|fact| fact.key == incident.key) {
                incident.closed = Some(Closed { at: now, by: "".into(), why: over.to_owned() });
                changes.push(IncidentChange::Closed(incident.id));
            }
        }
        self.forget();
        changes
    }
}
