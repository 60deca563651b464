//! What is known of gates, as the registry keeps it.
//!
//! Fields come and go with versions: what is missing is empty, and what is not known is passed over.

use postlane_checks::{Outcome, Standing};
use postlane_mail::{Domain, Instant, Label, Place, QueueId, Stream};
use postlane_registry::{KeptGate, KeptHeld};
use serde::{Deserialize, Serialize};

use super::held::Held;
use super::turned::Turn;
use super::{Missing, Sight, Subject};

/// What was seen of a subject last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KeptSight {
    pub(super) sight: Sight,
    /// Since when it stood so.
    pub(super) since: Instant,
    /// What was told of its gate last, and when.
    pub(super) told: Option<(Turn, Instant)>,
}

/// Whose mail.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Whose {
    provider: String,
    source: String,
    stream: String,
    author: Option<String>,
    tenant: Option<String>,
}

/// What was seen. Moments are microseconds since 1970.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct State {
    id: u64,
    message_id: String,
    standing: String,
    missing: Vec<Lack>,
    since: u64,
    told: String,
    told_at: u64,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Lack {
    check: String,
    outcome: String,
    evidence: String,
    remedy: String,
    reference: String,
}

/// A subject, to be kept.
pub(super) fn keep_subject(subject: &Subject) -> String {
    let is_anybody = subject.tenant != Label::NONE;
    let whose = Whose {
        provider: subject.provider.to_string(),
        source: subject.source.to_string(),
        stream: subject.stream.as_str().to_owned(),
        author: subject.author.as_ref().map(|author| author.as_str().to_owned()),
        tenant: is_anybody.then(|| subject.tenant.as_str().to_owned()),
    };
    // Strings: nothing that JSON does not have.
    serde_json::to_string(&whose).unwrap_or_default()
}

/// What was seen of a subject, to be kept.
pub(super) fn keep_sight(
    subject: &Subject,
    sight: &Sight,
    (since, told): (Instant, Option<(Turn, Instant)>),
) -> KeptGate {
    let told_of = match told {
        None => "",
        Some((Turn::Failed, _)) => "failed",
        Some((Turn::Ready, _)) => "ready",
    };
    let state = State {
        id: sight.id.bits(),
        message_id: sight.message_id.clone(),
        standing: sight.standing.as_str().to_owned(),
        missing: sight.missing.iter().map(Lack::from).collect(),
        since: since.0,
        told: told_of.to_owned(),
        told_at: told.map_or(0, |(_, at)| at.0),
    };
    let state = serde_json::to_string(&state).unwrap_or_default();
    KeptGate { subject: keep_subject(subject), state, at: sight.at }
}

/// A message that is held, to be kept.
pub(super) fn keep_held(subject: &Subject, id: QueueId, held: Held) -> KeptHeld {
    KeptHeld {
        subject: keep_subject(subject),
        message: id.bits(),
        segment: held.place.segment,
        ordinal: held.place.ordinal,
        recipient: held.recipient,
    }
}

/// What was seen of a subject; none of one that a later version wrote.
pub(super) fn read_sight(kept: &KeptGate) -> Option<(Subject, KeptSight)> {
    let state: State = serde_json::from_str(&kept.state).ok()?;
    let known = [Standing::Ready, Standing::AtRisk, Standing::Blocked, Standing::Undetermined];
    let standing = known.into_iter().find(|known| known.as_str() == state.standing)?;
    let told = match state.told.as_str() {
        "failed" => Some(Turn::Failed),
        "ready" => Some(Turn::Ready),
        _ => None,
    };
    let missing = state.missing.into_iter().map(Lack::read).collect::<Option<Vec<_>>>()?;
    let sight = Sight {
        at: kept.at,
        id: QueueId::from_bits(state.id),
        message_id: state.message_id,
        standing,
        missing,
    };
    let told = told.map(|turn| (turn, Instant(state.told_at)));
    let kept_sight = KeptSight { sight, since: Instant(state.since), told };
    Some((read_subject(&kept.subject)?, kept_sight))
}

/// A message that was held.
pub(super) fn read_held(kept: &KeptHeld) -> Option<(Subject, QueueId, Held)> {
    let place = Place { segment: kept.segment, ordinal: kept.ordinal };
    let held = Held { place, recipient: kept.recipient };
    Some((read_subject(&kept.subject)?, QueueId::from_bits(kept.message), held))
}

fn read_subject(kept: &str) -> Option<Subject> {
    let whose: Whose = serde_json::from_str(kept).ok()?;
    Some(Subject {
        provider: whose.provider.into(),
        source: whose.source.into(),
        stream: Stream::parse(&whose.stream)?,
        author: whose.author.map(|author| Domain::parse(&author)).transpose().ok()?,
        tenant: match whose.tenant {
            Some(tenant) => Label::parse(&tenant).ok()?,
            None => Label::NONE,
        },
    })
}

impl From<&Missing> for Lack {
    fn from(of: &Missing) -> Self {
        Self {
            check: of.check.to_string(),
            outcome: of.outcome.as_str().to_owned(),
            evidence: of.evidence.clone(),
            remedy: of.remedy.clone(),
            reference: of.reference.to_string(),
        }
    }
}

impl Lack {
    fn read(self) -> Option<Missing> {
        let known = [Outcome::Fail, Outcome::Warn, Outcome::Error, Outcome::Info, Outcome::Skip];
        Some(Missing {
            check: self.check.into(),
            outcome: known.into_iter().find(|known| known.as_str() == self.outcome)?,
            evidence: self.evidence,
            remedy: self.remedy,
            reference: self.reference.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_comes_back_as_it_was_kept_and_what_cannot_be_read_does_not() {
        let subject = Subject {
            provider: "google".into(),
            source: "v4".into(),
            stream: Stream::Cold,
            author: Domain::parse("shop.example").ok(),
            tenant: Label::parse("acme").unwrap(),
        };
        let nobody = Subject { author: None, tenant: Label::NONE, ..subject.clone() };
        let missing = Missing {
            check: "IDN-05".into(),
            outcome: Outcome::Fail,
            evidence: "no \"good\" signature".to_owned(),
            remedy: "Sign.".to_owned(),
            reference: "RFC 6376".into(),
        };
        let sight = Sight {
            at: Instant(9),
            id: QueueId::from_bits(u64::MAX),
            message_id: "<1@shop.example>".to_owned(),
            standing: Standing::Blocked,
            missing: vec![missing],
        };
        for (subject, told) in [
            (subject.clone(), None),
            (nobody, Some((Turn::Failed, Instant(4)))),
            (subject.clone(), Some((Turn::Ready, Instant(5)))),
        ] {
            let since = Instant(3);
            let kept = keep_sight(&subject, &sight, (since, told));
            let seen = KeptSight { sight: sight.clone(), since, told };
            assert_eq!(read_sight(&kept), Some((subject, seen)));
        }
        let held = Held { place: Place { segment: 3, ordinal: 1 }, recipient: 2 };
        let id = QueueId::from_bits(7);
        assert_eq!(read_held(&keep_held(&subject, id, held)), Some((subject.clone(), id, held)));
        let kept = keep_sight(&subject, &sight, (Instant(3), None));
        for (from, to) in [("blocked", "eclipsed"), ("\"fail\"", "\"odd\""), ("{", "")] {
            let state = kept.state.replacen(from, to, 1);
            assert_eq!(read_sight(&KeptGate { state, ..kept.clone() }), None, "{from}");
        }
        let subject = kept.subject.replace("cold", "tepid");
        assert_eq!(read_sight(&KeptGate { subject, ..kept }), None);
    }
}
