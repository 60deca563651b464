//! What is wrong with each provider by what a log says: the log's counts, weighed as our own are.

use std::sync::Arc;

use postlane_mail::{Instant, Label as Name, Span};
use postlane_maillog::{
    Format, Outcome, ProviderFigures, Report, Slot, SourceFigures, TopReply, Turn,
};
use postlane_replies::Fields;
use postlane_triage as triage;
use serde::Serialize;

/// What is wrong, why, and what to do.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Verdict {
    pub(super) class: &'static str,
    /// In two or three words.
    pub(super) title: &'static str,
    pub(super) confidence: f64,
    /// In a sentence.
    pub(super) says: String,
    pub(super) evidence: Vec<String>,
    /// What speaks against it, or was not seen.
    pub(super) against: Vec<String>,
    pub(super) steps: Vec<String>,
}

/// The verdict on each provider of a report, in its order.
pub(super) fn of(report: &Report) -> Vec<Verdict> {
    let assessments = triage::assess(&picture(report));
    let is_ours =
        report.formats.iter().all(|of| matches!(of, Format::Postlane | Format::JsonLines));
    let verdict = |figures: &ProviderFigures| {
        let of = |one: &&triage::Assessment| *one.provider == *figures.id;
        let found = assessments.iter().find(of);
        let mut verdict = found.map_or_else(nothing_seen, |one| Verdict::of(&one.verdict));
        if !is_ours {
            verdict.steps.iter_mut().for_each(|step| *step = for_others(step));
        }
        verdict
    };
    report.providers.iter().map(verdict).collect()
}

impl Verdict {
    fn of(verdict: &triage::Verdict) -> Self {
        let sentences = |all: &[triage::Evidence]| all.iter().map(|one| one.says.clone()).collect();
        Self {
            class: verdict.class.name(),
            title: verdict.class.title(),
            confidence: (verdict.confidence * 1_000.0).round() / 1_000.0,
            says: verdict.says.clone(),
            evidence: sentences(&verdict.evidence),
            against: sentences(&verdict.against),
            steps: verdict.steps.iter().map(|step| step.says.clone()).collect(),
        }
    }
}

/// A step for whoever runs another server: what our own commands would do is left to them, but the
/// pack of evidence can be had from their log as well.
fn for_others(step: &str) -> String {
    if step.starts_with("Do not flush the queue:") {
        return "Do not flush the queue: each retry counts against the same limit.".to_owned();
    }
    match step.split_once(": postlane ") {
        Some((what, command)) if command.starts_with("evidence ") => {
            format!("{what}: postlane {command} --log LOG")
        }
        Some((what, _)) => format!("{what}."),
        None => step.to_owned(),
    }
}

/// Where mail waits that was not tried at all.
fn nothing_seen() -> Verdict {
    let class = triage::Class::TooLittle;
    Verdict {
        class: class.name(),
        title: class.title(),
        confidence: 1.0,
        says: format!("{}.", class.says()),
        evidence: vec!["no attempt was made in this span".to_owned()],
        against: Vec::new(),
        steps: Vec::new(),
    }
}

/// A report as triage wants to see it.
pub(super) fn picture(report: &Report) -> triage::Picture {
    let slot = Span::from_s(u64::from(report.slot_s));
    let providers = || report.providers.iter().map(|one| (Arc::<str>::from(&*one.id), one));
    triage::Picture {
        from: report.from.unwrap_or_default(),
        to: report.to.map_or_else(Instant::default, |to| to + Span::from_s(1)),
        slot,
        tallies: providers()
            .flat_map(|(id, one)| one.sources.iter().map(move |source| (Arc::clone(&id), source)))
            .flat_map(|(id, source)| tallies(&id, source))
            .collect(),
        samples: providers()
            .flat_map(|(id, one)| one.top_replies.iter().map(move |reply| sample(&id, reply)))
            .collect(),
        ..triage::Picture::default()
    }
}

fn tallies<'r>(
    provider: &Arc<str>,
    source: &'r SourceFigures,
) -> impl Iterator<Item = triage::Tally> + use<'r> {
    let (provider, name) = (Arc::clone(provider), Arc::<str>::from(&*source.name));
    source.slots.iter().filter_map(move |slot| tally(&provider, &name, slot))
}

fn tally(provider: &Arc<str>, source: &Arc<str>, slot: &Slot) -> Option<triage::Tally> {
    let kind = match slot.outcome {
        Outcome::Accepted => triage::Kind::Accepted,
        Outcome::Deferred => triage::Kind::Deferred,
        Outcome::Unreached => triage::Kind::Unreached,
        Outcome::Bounced => triage::Kind::Bounced,
        Outcome::Expired => triage::Kind::Expired,
        Outcome::NotTried => return None,
    };
    Some(triage::Tally {
        at: Instant::from_unix_s(u64::from(slot.at_s)),
        provider: Arc::clone(provider),
        source: Arc::clone(source),
        stream: None,
        tenant: Name::default(),
        kind,
        turn: match slot.turn {
            Turn::First => triage::Turn::Fresh,
            Turn::Again => triage::Turn::Retry,
        },
        label: slot.label,
        count: slot.count,
    })
}

fn sample(provider: &Arc<str>, reply: &TopReply) -> triage::Sample {
    let fields = Fields::find(&reply.text);
    triage::Sample {
        provider: Arc::clone(provider),
        source: Arc::from(""),
        at: reply.last,
        count: reply.count,
        reply: Arc::from(&*reply.text),
        label: reply.label,
        rule: reply.rule.as_deref().map_or_else(|| Arc::from(""), Arc::from),
        case_url: fields_url(&fields),
        ips: fields.ips.clone(),
        lists: fields.lists.iter().map(|list| Arc::from(*list)).collect(),
        codes: fields.codes.iter().map(|code| Arc::from(code.code)).collect(),
    }
}

fn fields_url(fields: &Fields<'_>) -> Option<Arc<str>> {
    fields.case_url.as_ref().map(|case| Arc::from(case.url))
}
