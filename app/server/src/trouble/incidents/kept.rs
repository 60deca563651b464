//! Incidents as the registry keeps them: their story as JSON.
//!
//! Fields come and go with versions: what is missing is empty, and what is not known is passed over.

use std::sync::Arc;

use postlane_mail::Instant;
use postlane_registry::KeptIncident;
use postlane_triage::{
    ChangeKind, Changed, CheckedStep, Class, Closed, Impact, Incident, IncidentKey, Incidents, Note,
};
use serde::{Deserialize, Serialize};

/// All of an incident but what stands in columns. Moments are microseconds since 1970.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Story {
    webhook: String,
    subject: String,
    of: String,
    seen: u64,
    closed: Option<Said>,
    reopened: u32,
    acknowledged: Option<Said>,
    confidence: f64,
    says: String,
    evidence: Vec<String>,
    against: Vec<String>,
    changed: Vec<KeptChange>,
    steps: Vec<KeptStep>,
    notes: Vec<Said>,
    delayed: u64,
    bounced: u64,
    expired: u64,
    counted: u64,
    told: u64,
}

/// What somebody said or did, when.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Said {
    at: u64,
    by: String,
    says: String,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct KeptChange {
    at: Option<u64>,
    kind: String,
    says: String,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct KeptStep {
    id: String,
    says: String,
    done: Option<Said>,
}

impl Said {
    fn new(at: Instant, by: &str, says: &str) -> Self {
        Self { at: at.0, by: by.to_owned(), says: says.to_owned() }
    }

    fn who(self) -> (Instant, Arc<str>) {
        (Instant(self.at), self.by.into())
    }
}

/// An incident, to be kept.
pub(crate) fn keep(incident: &Incident) -> KeptIncident {
    let story = Story {
        webhook: incident.key.webhook().to_owned(),
        subject: incident.key.subject().to_owned(),
        of: incident.key.of().to_owned(),
        seen: incident.seen.0,
        closed: incident.closed.as_ref().map(|end| Said::new(end.at, &end.by, &end.why)),
        reopened: incident.reopened,
        acknowledged: incident.acknowledged.as_ref().map(|(at, by)| Said::new(*at, by, "")),
        confidence: incident.confidence,
        says: incident.says.clone(),
        evidence: incident.evidence.clone(),
        against: incident.against.clone(),
        changed: incident.changed.iter().map(kept_change).collect(),
        steps: incident.steps.iter().map(kept_step).collect(),
        notes: incident.notes.iter().map(|of| Said::new(of.at, &of.by, &of.says)).collect(),
        delayed: incident.impact.delayed,
        bounced: incident.impact.bounced,
        expired: incident.impact.expired,
        counted: incident.counted.0,
        told: incident.told,
    };
    KeptIncident {
        id: incident.id,
        kind: incident.key.kind().to_owned(),
        provider: incident.key.provider().to_owned(),
        source: incident.key.source().to_owned(),
        tenant: incident.tenant.clone(),
        opened: incident.opened,
        closed: incident.closed.as_ref().map(|end| end.at),
        // Strings, numbers and lists of them: nothing that JSON does not have.
        story: serde_json::to_string(&story).unwrap_or_default(),
    }
}

fn kept_change(changed: &Changed) -> KeptChange {
    KeptChange {
        at: changed.at.map(|at| at.0),
        kind: changed.kind.name().to_owned(),
        says: changed.says.clone(),
    }
}

fn kept_step(step: &CheckedStep) -> KeptStep {
    KeptStep {
        id: step.id.to_string(),
        says: step.says.clone(),
        done: step.done.as_ref().map(|(at, by)| Said::new(*at, by, "")),
    }
}

/// Those that were kept, and how many of them cannot be read.
pub(crate) fn restore(kept: Vec<KeptIncident>) -> (Incidents, usize) {
    let last = kept.iter().map(|of| of.id).max().unwrap_or_default();
    let all = kept.len();
    let read: Vec<Incident> = kept.into_iter().filter_map(read).collect();
    let unread = all - read.len();
    (Incidents::restored(read, last), unread)
}

fn read(kept: KeptIncident) -> Option<Incident> {
    let story: Story = serde_json::from_str(&kept.story).ok()?;
    let key = match kept.kind.as_str() {
        IncidentKey::WEBHOOK_PAUSED => IncidentKey::Webhook(story.webhook.into()),
        IncidentKey::LISTED => {
            IncidentKey::Listing { list: story.of.into(), subject: story.subject.into() }
        }
        IncidentKey::RECORD_GONE => {
            IncidentKey::Record { domain: story.subject.into(), record: story.of.into() }
        }
        class => IncidentKey::Delivery {
            provider: kept.provider.into(),
            class: Class::parse(class)?,
            source: kept.source.into(),
        },
    };
    let closed = |end: Said| Closed { at: Instant(end.at), by: end.by.into(), why: end.says };
    let note = |of: Said| Note { at: Instant(of.at), by: of.by.into(), says: of.says };
    let step = |step: KeptStep| CheckedStep {
        id: step.id.into(),
        says: step.says,
        done: step.done.map(Said::who),
    };
    let changed = |changed: KeptChange| {
        let kind = ChangeKind::parse(&changed.kind)?;
        Some(Changed { at: changed.at.map(Instant), kind, says: changed.says })
    };
    Some(Incident {
        id: kept.id,
        key,
        tenant: kept.tenant,
        opened: kept.opened,
        seen: Instant(story.seen),
        closed: story.closed.map(closed),
        reopened: story.reopened,
        acknowledged: story.acknowledged.map(Said::who),
        confidence: story.confidence,
        says: story.says,
        evidence: story.evidence,
        against: story.against,
        changed: story.changed.into_iter().filter_map(changed).collect(),
        steps: story.steps.into_iter().map(step).collect(),
        notes: story.notes.into_iter().map(note).collect(),
        impact: Impact { delayed: story.delayed, bounced: story.bounced, expired: story.expired },
        counted: Instant(story.counted),
        told: story.told,
    })
}

#[cfg(test)]
mod tests {
    use postlane_mail::{Label, Span};
    use postlane_triage::PausedWebhook;

    use super::*;

    const NOW: Instant = Instant::from_unix_s(1_790_000_000);

    fn incidents() -> Incidents {
        let mut incidents = Incidents::default();
        let paused = PausedWebhook {
            name: "shop".into(),
            tenant: Label::parse("acme").unwrap(),
            at: NOW,
            failing_since: NOW - Span::from_h(72),
            why: "it answered 410 Gone".to_owned(),
        };
        incidents.look_at_webhooks(NOW, &[paused]);
        incidents.acknowledge(1, (NOW, "jo")).unwrap();
        incidents.check(1, "mend", Some((NOW, "jo"))).unwrap();
        incidents.note(1, "asked \"them\"\n\u{1b}[2J", (NOW, "al")).unwrap();
        incidents
    }

    #[test]
    fn an_incident_comes_back_as_it_was_kept() {
        let mut incidents = incidents();
        let again = |of: &Incidents| restore(of.iter().map(keep).collect());
        let (restored, unread) = again(&incidents);
        assert_eq!((restored.find(1), unread), (incidents.find(1), 0));
        incidents.close(1, "gone for good", (NOW, "jo")).unwrap();
        assert_eq!(again(&incidents).0.find(1), incidents.find(1));
    }

    #[test]
    fn what_a_later_version_has_kept_is_left_alone_and_its_number_is_not_given_again() {
        let unknown = KeptIncident { id: 9, kind: "eclipse".to_owned(), ..keep(&one()) };
        let broken = KeptIncident { id: 4, story: "{".to_owned(), ..keep(&one()) };
        let (mut restored, unread) = restore(vec![keep(&one()), broken, unknown]);
        assert_eq!((restored.iter().count(), unread), (1, 2));
        let paused = PausedWebhook {
            name: "other".into(),
            tenant: Label::NONE,
            at: NOW,
            failing_since: NOW,
            why: "x".to_owned(),
        };
        restored.look_at_webhooks(NOW, &[paused]);
        assert!(restored.find(10).is_some());
    }

    fn one() -> Incident {
        incidents().find(1).unwrap().clone()
    }
}
