//! What is seen of an incident at one look.

use std::collections::BTreeMap;
use std::sync::Arc;

use postlane_mail::{Instant, Label as Name};

use crate::assessment::Assessment;
use crate::changed::Changed;
use crate::class::Class;
use crate::incident::IncidentKey;
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
