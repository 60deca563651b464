//! What a reply means, for whom, how lasting it is, and what to do.

mod action;
mod extent;
mod persistence;
mod relayed;
mod scope;
mod signal;

use postlane_mail::{Code, Reply, Span, Stage};

use crate::book::{Finding, Heard, Rank, RuleBook, RuleName, Scratch};
use crate::classifier::Guess;
use crate::hint::Hint;
use crate::label::{Family, Label};
use crate::provider::ProviderId;

pub use action::Action;
pub use extent::Extent;
pub use persistence::Persistence;
pub use scope::Scope;
pub use signal::Signal;

/// What a reply means, and how we know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    /// What it means.
    pub label: Label,
    /// Whom it concerns.
    pub scope: Scope,
    /// How lasting it is for the message.
    pub persistence: Persistence,
    /// What a lane should hear of it.
    pub signal: Signal,
    /// What to do.
    pub action: Action,
    /// How far it reaches by the rules of the protocol.
    pub extent: Extent,
    /// How long to wait, how many and by which window, as far as the words say so.
    pub hint: Hint,
    /// How long to wait by the provider's own pages, where the words do not say.
    pub usual_wait: Option<Span>,
    /// How sure it is that it means this.
    pub confidence: Confidence,
    /// Whether the label is the classifier's alone, for replies like this mean it mostly. All that follows is then
    /// what the rules and the code say without it.
    pub is_guessed: bool,
    /// The rule that said so, `code-class/5yz` where the class of the code is all that is known,
    /// `classifier/rate_limited` where no wording of ours decides and it resembles that;
    /// `None` where no book was asked.
    pub rule: Option<RuleName>,
    /// The provider that spoke, where it is known or its words gave it away.
    pub provider: Option<ProviderId>,
}

/// How sure a diagnosis is, 0 to 1: chosen by rank, not measured reply by reply; of a guess its
/// likelihood, and never as much as words give.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Confidence(f32);

impl Eq for Confidence {}

impl Diagnosis {
    /// A host has done what was asked.
    pub fn accepted(stage: Stage, reply: &Reply) -> Self {
        Self::of_label(Label::Accepted, stage, reply)
    }

    /// What a reply means by its code's class and by where it was said alone
    /// (RFC 5321 §4.2.1, §4.3.2).
    pub fn by_code(stage: Stage, reply: &Reply) -> Self {
        let code = reply.code();
        let done = code.is_success() || code.is_intermediate();
        Self::of_label(if done { Label::Accepted } else { Label::Unknown }, stage, reply)
    }

    /// What follows from a label.
    pub fn of_label(label: Label, stage: Stage, reply: &Reply) -> Self {
        let extent = Extent::of(label, reply, stage);
        Self { extent, ..Self::of_meaning(label, reply, Some(stage)) }
    }

    fn of_meaning(label: Label, reply: &Reply, stage: Option<Stage>) -> Self {
        let code = reply.code();
        let scope = Scope::of(label, code, stage);
        let persistence = Persistence::of(label, code, stage);
        let signal = Signal::of(label, code, stage);
        Self {
            label,
            scope,
            persistence,
            signal,
            action: Action::of(label, signal, scope, persistence),
            extent: Extent::of(label, reply, stage.unwrap_or(Stage::Dot)),
            hint: Hint::default(),
            usual_wait: None,
            confidence: Confidence::of(label, code, None),
            is_guessed: false,
            rule: None,
            provider: None,
        }
    }

    /// The same, by another name: what a reply resembles names it and changes nothing that is done.
    fn resembling(self, guess: Guess, rule: &RuleName) -> Self {
        let confidence = Confidence(guess.share.min(Confidence::GUESS_MAX));
        Self { label: guess.label, confidence, is_guessed: true, rule: Some(rule.clone()), ..self }
    }

    /// How long is asked for in figures (`in 5 minutes`); not what is merely hinted at (`a few
    /// hours`), nor what a page advises.
    pub fn asked_wait(&self) -> Option<Span> {
        self.hint.wait.filter(|wait| wait.exact).map(|wait| wait.span)
    }

    /// How long to wait, by the words or else by the provider's pages.
    pub fn advised_wait(&self) -> Option<Span> {
        self.hint.wait.map(|wait| wait.span).or(self.usual_wait)
    }

    /// Whether its words said nothing to us: counted, so that an operator sees what is new.
    pub fn is_unclassified(&self) -> bool {
        self.confidence.0 < Confidence::WORDS && self.label != Label::Accepted
    }
}

impl Confidence {
    /// The least that words give; below, a code alone was understood.
    const WORDS: f32 = 0.6;
    /// The most that a guess may have: who counts replies that no rule has words for counts it.
    const GUESS_MAX: f32 = 0.59;

    fn of(label: Label, code: Code, finding: Option<&Finding<'_>>) -> Self {
        let Some(rule) = finding.and_then(|finding| finding.rule) else {
            return Self(if label == Label::Accepted && !code.is_permanent() { 1.0 } else { 0.2 });
        };
        let is_providers = finding.is_some_and(Finding::is_of_provider);
        Self(match (rule.rank(), rule.asks_for_words() || is_providers) {
            (Rank::Exact, true) => 0.98,
            (Rank::Phrase, true) => 0.9,
            (Rank::Hint, true) => 0.7,
            (Rank::Concept, true) => 0.65,
            (Rank::Code, _) | (_, false) => 0.5,
        })
    }

    /// As a share, 0 to 1.
    pub fn share(self) -> f32 {
        self.0
    }

    /// Whether something may be ended for good because of it: a recipient, say.
    pub fn is_sure(self) -> bool {
        self.0 >= 0.9
    }
}

/// What the words say of time and number, where that is what the reply is about: a sentence on a
/// mailbox or a virus may have figures too, and they mean nothing for when to come again.
fn hint_of(label: Label, reply: &Reply, may_hint: impl FnOnce() -> bool) -> Hint {
    let has_figures = !reply.code().is_success()
        && (matches!(label.family(), Family::Throttle | Family::ListQuality | Family::Greylist)
            || reply.code().is_transient()
            || matches!(label, Label::ReputationIp | Label::Policy | Label::Blocklisted));
    if has_figures && may_hint() { Hint::find(reply.text()) } else { Hint::default() }
}

impl RuleBook {
    /// What was heard means, for whom, and what to do.
    pub fn diagnose(&self, scratch: &mut Scratch, heard: Heard<'_>) -> Diagnosis {
        let finding = self.find(scratch, heard);
        let code = heard.reply.code();
        let said = Diagnosis {
            hint: hint_of(finding.label, heard.reply, || self.may_hint(scratch, heard.reply)),
            usual_wait: finding.rule.and_then(crate::Rule::wait),
            confidence: Confidence::of(finding.label, code, Some(&finding)),
            rule: Some(finding.rule.map_or(finding.class, crate::Rule::name).clone()),
            provider: finding.provider.cloned(),
            ..Diagnosis::of_meaning(finding.label, heard.reply, heard.stage)
        };
        match self.guess(scratch, heard, &finding) {
            Some((guess, rule)) => said.resembling(guess, rule),
            None => said,
        }
    }
}

#[cfg(test)]
mod tests;
