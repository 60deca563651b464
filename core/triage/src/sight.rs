//! What is seen of an incident at one look.

use std::collections::BTreeMap;
use std::sync::Arc;

use postlane_mail::{Instant, Label as Name};

use crate::assessment::Assessment;
use crate::changed::Changed;
use crate::class::Class;
use crate::incident_key::IncidentKey;
use crate::verdict::Verdict;

/// What is seen of an incident at one look.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sight {
    pub(crate) tenant: Name,
    pub(crate) confidence: f64,
    pub(crate) says: String,
    pub(crate) evidence: Vec<String>,
    pub(crate) against: Vec<String>,
    pub(crate) changed: Vec<Changed>,
    /// Each with its name.
    pub(crate) steps: Vec<(Arc<str>, String)>,
}

/// A webhook that was paused because it took nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PausedWebhook {
    /// Its name.
    pub name: Arc<str>,
    /// Of whose mail it is told; [`Name::NONE`] for everybody's.
    pub tenant: Name,
    /// When it was paused.
    pub at: Instant,
    /// Since when it had taken nothing.
    pub failing_since: Instant,
    /// Why it was paused.
    pub why: String,
}

/// An address or a domain of ours that is on a block list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedSubject {
    /// The list's id.
    pub list: Arc<str>,
    /// The list's name.
    pub name: String,
    /// Who.
    pub subject: Arc<str>,
    /// Whose it is alone; [`Name::NONE`] for several tenants' or nobody's.
    pub tenant: Name,
    /// Since when.
    pub since: Instant,
    /// What the list says.
    pub means: String,
    /// Where one asks to be taken off.
    pub delist: Option<String>,
}

/// A record that was published and is not any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoneRecord {
    /// Whose.
    pub domain: Arc<str>,
    /// Its name and type: `_dmarc.example.com TXT`.
    pub record: Arc<str>,
    /// Whose the domain is alone; [`Name::NONE`] for several tenants' or nobody's.
    pub tenant: Name,
    /// Since when it is gone.
    pub since: Instant,
    /// What was published there.
    pub was: String,
}

impl Sight {
    fn of(assessment: &Assessment, verdict: &Verdict) -> Self {
        let steps = verdict.steps.iter();
        Self {
            tenant: assessment.tenant.clone().unwrap_or_default(),
            confidence: verdict.confidence,
            says: verdict.says.clone(),
            evidence: verdict.evidence.iter().map(|of| of.says.clone()).collect(),
            against: verdict.against.iter().map(|of| of.says.clone()).collect(),
            changed: assessment.changed.clone(),
            steps: steps.map(|step| (step.id.into(), step.says.clone())).collect(),
        }
    }

    /// Somebody who is on a block list.
    pub(crate) fn of_listing(of: &ListedSubject) -> Self {
        let ListedSubject { name, subject, means, list, .. } = of;
        let step = |id: &str, says: String| (id.into(), says);
        let mut steps = vec![
            step(
                "cause",
                format!(
                    "Find what {name} has seen: look for mail that nobody asked for, passwords that were \
                     guessed, and complaints: postlane log --since 7d"
                ),
            ),
            step(
                "stop",
                format!(
                    "Stop that mail, and see by which lanes {subject} still sends: postlane lanes list"
                ),
            ),
        ];
        steps.extend(of.delist.as_ref().map(|delist| {
            step(
                "delist",
                format!("When the cause is gone, and never before, ask to be taken off: {delist}"),
            )
        }));
        steps.push(step(
            "verify",
            format!("See that it is off: postlane blocklists status --list {list}"),
        ));
        Self {
            tenant: of.tenant.clone(),
            confidence: 1.0,
            says: format!("{subject} is on the block list {name}: {means}."),
            evidence: vec![format!("{name} says of {subject}: {means}")],
            against: Vec::new(),
            changed: Vec::new(),
            steps,
        }
    }

    /// A record that is gone.
    pub(crate) fn of_record(of: &GoneRecord) -> Self {
        let GoneRecord { domain, record, was, .. } = of;
        let step = |id: &str, says: String| (id.into(), says);
        Self {
            tenant: of.tenant.clone(),
            confidence: 1.0,
            says: format!("{record} is not published any more."),
            evidence: vec![format!("{record} was: {was}")],
            against: Vec::new(),
            changed: Vec::new(),
            steps: vec![
                step("ask", format!("Ask who runs the zone of {domain} whether that was meant.")),
                step("publish", format!("If not, publish it again as it was: {record} {was}")),
                step("verify", format!("See that it is there: postlane domains check {domain}")),
            ],
        }
    }

    /// A webhook that is told nothing any more.
    pub(crate) fn of_webhook(webhook: &PausedWebhook) -> Self {
        let name = &webhook.name;
        let step = |id: &str, says: String| (id.into(), says);
        Self {
            tenant: webhook.tenant.clone(),
            confidence: 1.0,
            says: format!("The webhook {name} is told nothing any more: {}.", webhook.why),
            evidence: vec![webhook.why.clone()],
            against: Vec::new(),
            changed: Vec::new(),
            steps: vec![
                step("mend", format!("Mend what keeps {name} from answering 2xx in time.")),
                step("test", format!("See that it answers: postlane webhook test {name}")),
                step(
                    "resume",
                    format!(
                        "Let it go on where it was, before the history forgets what it missed: postlane webhook resume {name}"
                    ),
                ),
            ],
        }
    }
}

/// What is worth an incident: each provider's verdict; and a source's own, where it is of another
/// kind of trouble than the provider's is.
pub(crate) fn sights(assessments: &[Assessment]) -> BTreeMap<IncidentKey, Sight> {
    let mut sights = BTreeMap::new();
    for assessment in assessments {
        let class = assessment.verdict.class;
        let key = |class, source: &str| IncidentKey::Delivery {
            provider: assessment.provider.clone(),
            class,
            source: source.into(),
        };
        if is_incident(class) {
            let source = match class {
                Class::PoolIp => assessment.worst_source().unwrap_or_default(),
                _ => "",
            };
            sights.insert(key(class, source), Sight::of(assessment, &assessment.verdict));
        }
        // Where one source is told apart already, its own verdict is the same thing once more.
        if assessment.sources.len() < 2 || class == Class::PoolIp {
            continue;
        }
        for source in &assessment.sources {
            let own = source.verdict.class;
            if is_incident(own) && own != class {
                sights.insert(key(own, &source.source), Sight::of(assessment, &source.verdict));
            }
        }
    }
    sights
}

/// Greylisting mends itself; whoever wants to see it asks.
fn is_incident(class: Class) -> bool {
    class.is_trouble() && class != Class::Greylisting
}

/// Whether enough was tried at a provider, from a source, to say that it is over.
pub(crate) fn was_tried(assessments: &[Assessment], provider: &str, source: &str) -> bool {
    let of_provider = assessments.iter().find(|of| *of.provider == *provider);
    let Some(assessment) = of_provider else { return false };
    if source.is_empty() {
        return assessment.verdict.class != Class::TooLittle;
    }
    let source = assessment.sources.iter().find(|of| *of.source == *source);
    source.is_some_and(|source| source.verdict.class != Class::TooLittle)
}
