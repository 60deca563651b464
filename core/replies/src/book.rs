//! The book of rules: which rule decides what a reply means.
//!
//! Rules of the operator's own files come first, then those of the provider that spoke, then
//! those for everybody; within each the more exact before the less, then the order of the files.
//! The first that matches decides. One pass over the text finds all patterns of all rules.

mod check;
mod error;
mod file;
mod index;
mod known;
mod read;
mod rule;

use std::sync::Arc;

use postlane_mail::{Reply, Stage, Status};

use crate::automaton::{Automaton, Group, Reached};
use crate::classifier::{Classifier, Guess, Guessing, worth};
use crate::hint::Telling;
use crate::label::Label;
use crate::provider::{ProviderId, Providers};
use crate::recorded::status_of;
use crate::vocabulary::Table;

pub use error::{Fault, RulesError, Wrong};
use rule::Conditions;
pub use rule::{Advice, Example, Origin, Rank, Rule, RuleName};

/// The rules, ready to be asked.
#[derive(Debug)]
pub struct RuleBook {
    /// In the order in which they speak.
    rules: Box<[Rule]>,
    /// The number of the first rule that is for everybody and no operator's own.
    generic_from: u32,
    /// The number of the first of those that is asked only where no wording decides.
    concepts_from: u32,
    automaton: Automaton,
    asked: index::Asked,
    /// Ids of the providers rules may be bound to; a place in it is a provider's number.
    providers: Box<[ProviderId]>,
    /// Their numbers, from 1.
    places: Table,
    /// The words without which most texts say nothing of time and number.
    telling: Telling,
    advice: Box<[OfLabel]>,
    /// What is said to have decided where no rule did, for 2yz to 5yz.
    classes: [RuleName; 4],
    /// What is asked where no wording decides for certain.
    classifier: Option<Classifier>,
    /// The examples of rules, about which it is not asked.
    known: known::Known,
    /// What is said to have decided where the classifier did, by label.
    guesses: Box<[RuleName]>,
}

/// What people are told of a label where these providers say it.
#[derive(Debug)]
struct OfLabel {
    providers: Arc<[u16]>,
    label: Label,
    advice: Advice,
}

/// What was heard, and what is known of who said it where.
#[derive(Debug, Clone, Copy)]
pub struct Heard<'h> {
    /// The reply.
    pub reply: &'h Reply,
    /// What it answered; `None` if nobody knows, as in a log without it.
    pub stage: Option<Stage>,
    /// The provider whose host said it, if one is known.
    pub provider: Option<&'h str>,
    /// The name of that host, if it is known.
    pub mx: Option<&'h str>,
}

/// What a reply means, and the rule that said so.
#[derive(Debug, Clone, Copy)]
pub struct Finding<'b> {
    /// What it means.
    pub label: Label,
    /// Which rule decided; `None` where none did, and the code's class alone is known.
    pub rule: Option<&'b Rule>,
    /// What decides where no rule does: the first digit of the code.
    pub(crate) class: &'b RuleName,
    /// The provider that said it: the one that was known, else the one its words gave away.
    pub provider: Option<&'b ProviderId>,
}

impl Finding<'_> {
    /// The rule's name; where there is none, that of the code's class.
    pub fn rule_name(&self) -> &str {
        self.rule.map_or(self.class.as_str(), |rule| rule.name().as_str())
    }

    /// Whether the rule is bound to a provider.
    pub fn is_of_provider(&self) -> bool {
        self.rule.is_some_and(|rule| !rule.providers.is_empty())
    }
}

/// Memory for asking, kept from reply to reply: asking allocates nothing once it has grown.
#[derive(Debug, Default)]
pub struct Scratch {
    reached: Reached,
    speakers: Vec<u16>,
    guessing: Guessing,
}

/// Everything a rule is asked about, of one reply.
struct Asked<'a> {
    heard: Heard<'a>,
    status: Option<Status>,
    provider: Option<u16>,
    /// Providers whose words these are, and nobody else's.
    speakers: &'a [u16],
}

impl RuleBook {
    /// The book that comes with the program.
    pub fn built_in(providers: &Providers) -> Self {
        Self::with(providers, &[]).expect("a test reads the rules we ship")
    }

    /// The book that comes with the program, and an operator's own files before it, each with
    /// its name and text. The first is asked first. All that is wrong with them is told.
    pub fn with(providers: &Providers, own: &[(&str, &str)]) -> Result<Self, RulesError> {
        let files = include!(concat!(env!("OUT_DIR"), "/rules.rs"));
        Ok(Self::of(providers, own, files)?.with_classifier(Classifier::built_in()))
    }

    /// The same, and this is asked where no wording decides, and where one does that yields to it by its own account. What ends
    /// something by its wording never yields, nor do an operator's rules.
    #[must_use]
    pub fn with_classifier(mut self, classifier: Classifier) -> Self {
        for (number, rule) in (0..).zip(&mut self.rules) {
            let ends = rule.label.suppresses() || rule.label.holds_recipient_domain();
            rule.yields =
                number >= self.generic_from && !ends && classifier.has_yielding(&rule.name);
        }
        let known = known::Known::of(&self);
        Self { classifier: Some(classifier), known, ..self }
    }

    /// The same, and nothing is asked where no rule decides.
    #[must_use]
    pub fn without_classifier(self) -> Self {
        Self { classifier: None, ..self }
    }

    /// What is asked where no wording decides, if anything is.
    pub fn classifier(&self) -> Option<&Classifier> {
        self.classifier.as_ref()
    }

    /// A book of these files alone, without a classifier.
    pub fn of(
        providers: &Providers,
        own: &[(&str, &str)],
        files: &[(&str, &str)],
    ) -> Result<Self, RulesError> {
        index::build(providers, own, files)
    }

    /// The rules, in the order in which they speak.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The ids of the providers a rule is bound to; none: it is for everybody.
    pub fn providers_of<'b>(&'b self, rule: &'b Rule) -> impl Iterator<Item = &'b ProviderId> {
        rule.providers.iter().filter_map(|place| self.providers.get(usize::from(*place)))
    }

    /// What people are told of a label where one of these providers says it.
    pub fn advice_of(&self, provider: &str, label: Label) -> Option<&Advice> {
        let place = self.place(provider)?;
        let of = |of: &&OfLabel| of.label == label && of.providers.contains(&place);
        self.advice.iter().find(of).map(|of| &of.advice)
    }

    /// Which rule decides what was heard.
    ///
    /// The operator's own rules and those of the provider that is known are asked first; what
    /// everybody says, and who may be known by their words, is looked for only where none of
    /// them decides; and concepts only where no wording does.
    pub fn find(&self, scratch: &mut Scratch, heard: Heard<'_>) -> Finding<'_> {
        let Scratch { reached, speakers, .. } = scratch;
        self.automaton.begin(heard.reply.text(), reached);
        speakers.clear();
        let provider = heard.provider.and_then(|id| self.place(id));
        let status = status_of(heard.reply);
        for group in self.asked.own_groups().iter().chain(self.asked.groups(provider)) {
            self.automaton.meet(*group, reached);
        }
        let asked = Asked { heard, status, provider, speakers };
        if let Some(first) = self.first(&asked, reached, self.generic_from) {
            return self.finding(first, &asked);
        }
        self.automaton.meet(Group::ALL, reached);
        let told = reached.told().iter();
        speakers.extend(told.filter_map(|told| self.speaker(*told)));
        for place in speakers.iter().filter(|of| Some(**of) != provider) {
            for group in self.asked.groups(Some(*place)) {
                self.automaton.meet(*group, reached);
            }
        }
        let asked = Asked { heard, status, provider, speakers };
        let first = self
            .first(&asked, reached, self.concepts_from)
            .or_else(|| self.first_of_meaning(&asked, reached));
        self.finding(first.unwrap_or(u32::MAX), &asked)
    }

    /// The number of the rule that decides where no wording does: by what is left when carriers are
    /// set aside. A wording that only a carrier's words had forbidden is asked again.
    fn first_of_meaning(&self, asked: &Asked<'_>, reached: &mut Reached) -> Option<u32> {
        self.automaton.set_aside(self.asked.carriers(), reached);
        self.automaton.meet(self.asked.concepts(), reached);
        self.first(asked, reached, u32::MAX)
    }

    /// What a reply resembles for which the rules found this, and the name that is told for it.
    pub(crate) fn guess(
        &self,
        scratch: &mut Scratch,
        heard: Heard<'_>,
        finding: &Finding<'_>,
    ) -> Option<(Guess, &RuleName)> {
        let classifier = self.classifier.as_ref()?;
        let worth = worth(finding)?;
        if self.known.has(scratch, heard.reply, finding) {
            return None;
        }
        let guess = classifier.guess(&mut scratch.guessing, heard, finding, worth)?;
        Some((guess, self.guesses.get(guess.label as usize)?))
    }

    /// Whether a reply may say anything of time and number, about which it was asked last.
    pub(crate) fn may_hint(&self, scratch: &Scratch, reply: &Reply) -> bool {
        self.telling.may_say(reply.text(), scratch.reached.symbols())
    }

    /// The provider that is told of its words by this number.
    fn speaker(&self, told: u32) -> Option<u16> {
        u16::try_from((told as usize).checked_sub(self.rules.len())?).ok()
    }

    /// What the rule with this number says.
    fn finding(&self, number: u32, asked: &Asked<'_>) -> Finding<'_> {
        let reply = asked.heard.reply;
        let rule = self.rules.get(number as usize);
        let label = rule.map_or_else(|| unsaid(reply), Rule::label);
        let place = asked.provider.or_else(|| asked.speaker());
        let provider = place.and_then(|place| self.providers.get(usize::from(place)));
        let class = usize::from(reply.code().number() / 100).clamp(2, 5) - 2;
        Finding { label, rule, class: &self.classes[class], provider }
    }

    /// The number of the first rule that matches, of those below `bound`.
    fn first(&self, asked: &Asked<'_>, reached: &mut Reached, bound: u32) -> Option<u32> {
        let mut first = None;
        let mut at = 0;
        while let Some(number) = reached.told().get(at).copied() {
            let is_before = number < first.unwrap_or(bound);
            if is_before && self.matches(number, asked, reached) {
                first = Some(number);
            }
            at += 1;
        }
        let speaker = asked.speaker().filter(|of| Some(*of) != asked.provider);
        for of in [asked.provider, speaker].into_iter().flatten() {
            first = self.first_unworded(Some(of), asked, reached, first.unwrap_or(bound)).or(first);
        }
        self.first_unworded(None, asked, reached, first.unwrap_or(bound)).or(first)
    }

    /// The number of the first rule that asks for no words and matches, of those below `bound`.
    fn first_unworded(
        &self,
        provider: Option<u16>,
        asked: &Asked<'_>,
        reached: &mut Reached,
        bound: u32,
    ) -> Option<u32> {
        let mut first = None;
        for list in self.asked.unworded(provider, asked.status) {
            let bound = first.unwrap_or(bound);
            let mut before = list.iter().copied().take_while(|number| *number < bound);
            first = before.find(|number| self.matches(*number, asked, reached)).or(first);
        }
        first
    }

    fn matches(&self, number: u32, asked: &Asked<'_>, reached: &mut Reached) -> bool {
        let Some(rule) = self.rules.get(number as usize) else { return false };
        let proviso = rule.conditions.words.proviso;
        rule.is_for(asked)
            && rule.holds(asked)
            && proviso.is_none_or(|proviso| self.automaton.holds(proviso, reached))
    }

    fn place(&self, id: &str) -> Option<u16> {
        u16::try_from(self.places.find(id.as_bytes()).checked_sub(1)?).ok()
    }
}

impl Asked<'_> {
    /// A provider whose words these are.
    fn speaker(&self) -> Option<u16> {
        self.speakers.iter().min().copied()
    }
}

impl Rule {
    /// Whether the rule is for everybody, for the provider that spoke, or for one whose words
    /// these are.
    fn is_for(&self, asked: &Asked<'_>) -> bool {
        self.providers.is_empty()
            || asked.provider.is_some_and(|place| self.providers.contains(&place))
            || self.providers.iter().any(|place| asked.speakers.contains(place))
    }

    /// Whether everything but the words holds.
    fn holds(&self, asked: &Asked<'_>) -> bool {
        let Conditions { codes, statuses, mx, .. } = &self.conditions;
        let Heard { reply, stage, mx: host, .. } = asked.heard;
        let of_status = |status| statuses.iter().any(|test| test.holds(status));
        let of_host = |host| mx.iter().any(|suffix| ends_in(host, suffix));
        (codes.is_empty() || codes.iter().any(|test| test.holds(reply.code())))
            && (statuses.is_empty() || asked.status.is_some_and(of_status))
            && (mx.is_empty() || host.is_some_and(of_host))
            && self.may_be_said_at(stage)
    }

    /// A reply before MAIL is never about a recipient. Where nobody knows the stage, words are
    /// enough (unless they mean it only there), and codes alone are not.
    fn may_be_said_at(&self, stage: Option<Stage>) -> bool {
        let Some(stage) = stage else {
            return self.conditions.stages.is_empty()
                || (self.asks_for_words() && !self.conditions.only_there);
        };
        let is_before_mail =
            matches!(stage, Stage::Connect | Stage::Ehlo | Stage::StartTls | Stage::Auth);
        !(is_before_mail && self.label.is_of_recipient())
            && (self.conditions.stages.is_empty() || self.conditions.stages.contains(&stage))
    }
}

/// Whether a host's name is this suffix or ends in a dot and it.
fn ends_in(host: &str, suffix: &str) -> bool {
    let host = host.trim_end_matches('.');
    let Some(begin) = host.len().checked_sub(suffix.len()) else { return false };
    let tail = host.get(begin..).unwrap_or_default();
    tail.eq_ignore_ascii_case(suffix) && (begin == 0 || host.as_bytes()[begin - 1] == b'.')
}

/// What a reply means that no rule knows: done, or nothing that helps.
fn unsaid(reply: &Reply) -> Label {
    let code = reply.code();
    if code.is_success() || code.is_intermediate() { Label::Accepted } else { Label::Unknown }
}

#[cfg(test)]
mod tests;
