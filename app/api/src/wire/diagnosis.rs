//! What is wrong and what to do, as JSON.

use postlane_checks::lane::check_lane;
use postlane_mail::{Instant, Span};
use postlane_replies::Providers;
use postlane_server::triage::LanesCounted;
use postlane_triage::{Assessment, Changed, Evidence, Figures, Pack, Share, Verdict};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::lane_check::LaneCheckRow;
use super::time::{Timestamp, moment, timestamp};

/// Where to look.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields, default)]
pub struct DiagnosisQuery {
    /// The provider: its id, brand or name, or a domain of its; all if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Not before: a moment, or how long ago (`24h`, `30m`, `7d`); 24 hours if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Before: a moment, or how long ago; now if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// The mail of this tenant alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
}

/// For whom and about what a pack of evidence is made.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields, default)]
pub struct EvidenceQuery {
    /// The provider: its id, brand or name, or a domain of its.
    pub provider: String,
    /// Not before: a moment, or how long ago; 24 hours if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Before: a moment, or how long ago; now if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// To whom it is written: `gmx`, `gmail`, `outlook`, `yahoo`, `t-online`, `esp` or
    /// `postmaster`; who fits the provider if left out.
    #[serde(rename = "for", skip_serializing_if = "Option::is_none")]
    pub addressee: Option<String>,
    /// Show addresses in full.
    pub full_addresses: bool,
}

/// What is wrong, by provider: what needs somebody first.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct DiagnosisPage {
    /// The first moment looked at.
    pub from: Timestamp,
    /// The first moment not looked at any more.
    pub to: Timestamp,
    /// The providers there was mail for.
    pub providers: Vec<ProviderDiagnosis>,
}

/// What is to be said of a provider.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ProviderDiagnosis {
    /// Its id.
    pub id: String,
    /// Its name as people write it.
    pub name: String,
    /// What is wrong.
    pub verdict: VerdictRow,
    /// What was counted.
    pub figures: FiguresRow,
    /// What was counted of the same sources' mail to all other providers.
    pub elsewhere: FiguresRow,
    /// Each source.
    pub sources: Vec<SourceDiagnosis>,
    /// What changed just before.
    pub changed: Vec<ChangedRow>,
    /// The replies that came most, of the youngest refusals.
    pub replies: Vec<ReplySeenRow>,
}

/// A source at a provider.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SourceDiagnosis {
    /// Its name.
    pub source: String,
    /// What is wrong between the two.
    pub verdict: VerdictRow,
    /// What was counted.
    pub figures: FiguresRow,
    /// By how many standard errors it is refused more than the others together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub z: Option<f64>,
    /// What its figures come to, check by check: of the hour and the 24 hours before the end.
    pub checks: Vec<LaneCheckRow>,
}

/// What is wrong, how sure that is, why, what speaks against it, and what to do.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct VerdictRow {
    /// `healthy`, `too_little`, `waiting` (no trouble, but mail waits for a lane that rests or is
    /// held; of a running server's present alone), `throttle`, `policy`, `pool_ip`, `retry_storm`, `identity`,
    /// `recipients`, `block`, `infra`, `outage` or `greylisting`.
    pub class: String,
    /// How often such a verdict is right, 0 to 1.
    pub confidence: f64,
    /// The verdict in one sentence.
    pub says: String,
    /// What speaks for it, the weightiest first.
    pub evidence: Vec<EvidenceRow>,
    /// What speaks against it, or was not seen.
    pub against: Vec<EvidenceRow>,
    /// What it may be instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instead: Option<InsteadRow>,
    /// What would settle it.
    pub settle: Vec<String>,
    /// What to do, in order.
    pub steps: Vec<StepRow>,
    /// What the relay does by itself meanwhile.
    pub automatic: String,
    /// What a person has to do, in a sentence.
    pub human: String,
}

/// A sentence with its figure.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct EvidenceRow {
    /// What was seen.
    pub says: String,
    /// What was measured.
    pub measure: String,
    /// How much.
    pub value: f64,
    /// Of how many observations.
    pub of: u64,
    /// How much it weighs: positive for the verdict, negative against it, 0 for what is not weighed.
    pub weight: f64,
}

/// Another class that it may be.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct InsteadRow {
    /// Which.
    pub class: String,
    /// How likely, 0 to 1.
    pub likelihood: f64,
}

/// Something to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StepRow {
    /// Its name.
    pub id: String,
    /// What to do.
    pub says: String,
}

/// Something that changed.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ChangedRow {
    /// When, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// `volume`, `source`, `campaign`, `dns`, `lane` or `configuration`.
    pub kind: String,
    /// In words.
    pub says: String,
}

/// A reply, and how often its like came.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ReplySeenRow {
    /// How often, among the youngest refusals.
    pub count: u64,
    /// The reply.
    pub reply: String,
    /// What it means.
    pub label: String,
    /// The rule that said so.
    pub rule: String,
    /// To which source.
    pub source: String,
    /// The provider's page on this very case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case_url: Option<String>,
}

/// What was counted, in recipients.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct FiguresRow {
    /// All attempts.
    pub attempts: u64,
    /// Taken over.
    pub accepted: u64,
    /// Deferred at the first attempt.
    pub deferred_fresh: u64,
    /// Deferred at a later one.
    pub deferred_retry: u64,
    /// Refused for good.
    pub bounced: u64,
    /// Given up because they had waited as long as they may.
    pub expired: u64,
    /// Sessions that did not come about.
    pub unreached: u64,
    /// Of first attempts, those accepted, 0 to 1; null if there were none.
    pub first_attempt_share: Option<f64>,
    /// Attempts for each recipient accepted; null if none was.
    pub attempts_per_accepted: Option<f64>,
}

/// A pack of evidence.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct EvidencePack {
    /// Its files.
    pub files: Vec<EvidenceFile>,
}

/// A file of a pack.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct EvidenceFile {
    /// Its path within the pack.
    pub name: String,
    /// What is in it.
    pub text: String,
}

/// What is to be said of a provider, as JSON has it.
pub(crate) fn diagnosed(
    of: &Assessment,
    counted: &LanesCounted,
    providers: &Providers,
) -> ProviderDiagnosis {
    let known = providers.known().iter().find(|known| known.id.as_str() == &*of.provider);
    let source = |source: &postlane_triage::SourceAssessment| SourceDiagnosis {
        source: source.source.to_string(),
        verdict: (&source.verdict).into(),
        figures: (&source.figures).into(),
        z: source.compared.map(|compared| compared.z),
        checks: check_lane(&counted.of(&of.provider, &source.source))
            .into_iter()
            .map(LaneCheckRow::from)
            .collect(),
    };
    let reply = |sample: &postlane_triage::Sample| ReplySeenRow {
        count: sample.count,
        reply: sample.reply.to_string(),
        label: sample.label.name().to_owned(),
        rule: sample.rule.to_string(),
        source: sample.source.to_string(),
        case_url: sample.case_url.as_deref().map(str::to_owned),
    };
    ProviderDiagnosis {
        id: of.provider.to_string(),
        name: known.map_or_else(|| of.provider.to_string(), |known| known.name.to_string()),
        verdict: (&of.verdict).into(),
        figures: (&of.figures).into(),
        elsewhere: (&of.elsewhere).into(),
        sources: of.sources.iter().map(source).collect(),
        changed: of.changed.iter().map(ChangedRow::from).collect(),
        replies: of.samples.iter().map(reply).collect(),
    }
}

/// The moment that a text says: `2026-11-21T05:39:05Z`, or `24h` for so long ago.
pub(crate) fn moment_or_ago(text: &str, now: Instant) -> Result<Instant, &'static str> {
    let ago = || {
        let split = text.find(|c: char| !c.is_ascii_digit())?;
        let (count, unit) = text.split_at(split);
        let unit = match unit {
            "s" => Span::from_s(1),
            "m" => Span::from_min(1),
            "h" => Span::from_h(1),
            "d" => Span::from_h(24),
            "w" => Span::from_h(168),
            _ => return None,
        };
        Some(now - unit.times(count.parse().ok()?))
    };
    match ago() {
        Some(at) => Ok(at),
        None => moment(&Timestamp(text.to_owned()))
            .map_err(|_| "write it as 24h, 30m or 7d, or as 2026-11-21T05:39:05Z"),
    }
}

impl From<&Verdict> for VerdictRow {
    fn from(verdict: &Verdict) -> Self {
        let rows = |list: &[Evidence]| list.iter().map(EvidenceRow::from).collect();
        Self {
            class: verdict.class.name().to_owned(),
            confidence: verdict.confidence,
            says: verdict.says.clone(),
            evidence: rows(&verdict.evidence),
            against: rows(&verdict.against),
            instead: verdict.instead.map(|(class, likelihood)| InsteadRow {
                class: class.name().to_owned(),
                likelihood,
            }),
            settle: verdict.settle.clone(),
            steps: verdict
                .steps
                .iter()
                .map(|step| StepRow { id: step.id.to_owned(), says: step.says.clone() })
                .collect(),
            automatic: verdict.automatic.to_owned(),
            human: verdict.human.to_owned(),
        }
    }
}

impl From<&Changed> for ChangedRow {
    fn from(changed: &Changed) -> Self {
        Self {
            at: changed.at.map(timestamp),
            kind: changed.kind.name().to_owned(),
            says: changed.says.clone(),
        }
    }
}

impl From<&Evidence> for EvidenceRow {
    fn from(evidence: &Evidence) -> Self {
        Self {
            says: evidence.says.clone(),
            measure: evidence.measure.name.to_owned(),
            value: evidence.measure.value,
            of: evidence.measure.of,
            weight: evidence.weight,
        }
    }
}

impl From<&Figures> for FiguresRow {
    fn from(figures: &Figures) -> Self {
        let first = figures.first_attempt_share();
        Self {
            attempts: figures.attempts(),
            accepted: figures.accepted(),
            deferred_fresh: figures.fresh.deferred,
            deferred_retry: figures.retried.deferred,
            bounced: figures.bounced(),
            expired: figures.expired,
            unreached: figures.unreached(),
            first_attempt_share: (first.of > 0).then(|| Share::value(first)),
            attempts_per_accepted: figures.attempts_per_accepted(),
        }
    }
}

impl From<Pack> for EvidencePack {
    fn from(pack: Pack) -> Self {
        let file = |file: postlane_triage::PackFile| EvidenceFile {
            name: file.name,
            text: String::from_utf8_lossy(&file.octets).into_owned(),
        };
        Self { files: pack.files.into_iter().map(file).collect() }
    }
}
