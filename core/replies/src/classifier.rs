//! What a reply resembles that no wording of ours decides for certain: a small network, trained from the labelled
//! replies of the tree (docs/design/048).
//!
//! It names and never acts: what the lane hears, how lasting it is and what is done stay what the rules
//! and the code say. Its weights are in the program; `cargo xtask classifier` makes them.

mod features;
mod tokens;
mod weights;

use std::borrow::Cow;

use postlane_mail::{Reply, Stage};

use crate::book::{Finding, Heard, Rank, RuleName};
use crate::label::Label;
use crate::words::WordReader;
use features::Features;
use weights::Weights;

/// Weights of what replies have: words, parts of words, words side by side, the code, the enhanced status and the
/// command; and the rules for everybody that are worth no more than a hint.
#[derive(Debug, Clone)]
pub struct Classifier(Weights);

/// What a reply resembles.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Guess {
    pub(crate) label: Label,
    /// How likely it is by the weights, 0 to 1.
    pub(crate) share: f32,
}

/// Memory of a guess, kept from reply to reply: guessing allocates nothing once it has grown.
#[derive(Debug, Default)]
pub(crate) struct Guessing {
    reader: WordReader,
    buckets: Vec<u32>,
}

/// Trained weights that are none of ours.
#[derive(Debug, thiserror::Error)]
#[error("{0} octets are not the weights of a classifier of our labels")]
pub struct WeightsError(usize);

/// How much likelihood labels may have beside the one that is guessed for which that would be a danger: a
/// recipient's trouble taken for a lane's, or the other way round. Of what was tried the most that cost no right
/// guess (docs/design/048).
const DANGER: f32 = 0.05;
/// By how much likelihoods are levelled, for the weights are surer of themselves than they are right. With this, of
/// guesses of 0.3, 0.5, 0.7 and 0.9 in replies left out of training 0.3, 0.7, 0.7 and 0.9 were right.
const LEVELLED: f32 = 1.5;
/// The least that is said at all: below, one guess of ten was right.
const LEAST: f32 = 0.2;
impl Classifier {
    /// How many buckets features fall into. Twice as many were no better (docs/design/048).
    pub const BUCKETS: u32 = 1 << 14;
    /// How many weights a bucket has: one for each label.
    pub const LABELS: usize = Label::ALL.len();

    /// The one that comes with the program.
    pub fn built_in() -> Self {
        const WEIGHTS: &[u8] = include_bytes!("../classifier.bin");
        Weights::read(Cow::Borrowed(WEIGHTS)).map(Self).expect("a test reads the weights we ship")
    }

    /// How many hidden numbers a bucket has a weight for.
    pub const HIDDEN: usize = weights::HIDDEN;

    /// Reads weights: what one is worth, as the octets of an `f32`, the lowest first; eight octets that tell what they were
    /// trained on; a row of [`Self::HIDDEN`] signed octets for each bucket; and as many `f32`, what each hidden number is at
    /// first; one for each label, what it is at first; for each hidden number one for each label, what it says of it. Behind them
    /// the names of the rules that yield, each in a line.
    pub fn read(octets: Vec<u8>) -> Result<Self, WeightsError> {
        Weights::read(Cow::Owned(octets)).map(Self)
    }

    /// What tells the replies apart that the weights were trained on.
    pub fn trained_on(&self) -> u64 {
        self.0.trained_on()
    }

    /// Whether a rule for everybody, whose wording says it, is worth no more than a hint: of the replies that nobody had read who
    /// wrote rules it was too often wrong.
    pub(crate) fn has_yielding(&self, rule: &RuleName) -> bool {
        self.0.has_yielding(rule.as_str())
    }

    /// The buckets of what a reply has: what the weights are trained on.
    pub fn buckets(reply: &Reply, stage: Option<Stage>) -> Vec<u32> {
        let mut guessing = Guessing::default();
        Features::of(reply, stage, &mut guessing.reader, &mut guessing.buckets);
        guessing.buckets
    }

    /// What a reply resembles for which the rules found this, which is worth so much. Nothing where it has no words, where
    /// the rules' label is as good, or where the other label might be a danger.
    pub(crate) fn guess(
        &self,
        guessing: &mut Guessing,
        heard: Heard<'_>,
        finding: &Finding<'_>,
        worth: f32,
    ) -> Option<Guess> {
        let Guessing { reader, buckets } = guessing;
        if !Features::of(heard.reply, heard.stage, reader, buckets) {
            return None;
        }
        let mut odds = self.0.odds(buckets);
        if let Some(odds) = odds.get_mut(finding.label as usize) {
            *odds += worth;
        }
        let (label, _) = Label::ALL.iter().copied().zip(odds).max_by(|a, b| a.1.total_cmp(&b.1))?;
        // Mostly it agrees, and how sure it is need not be known. What resembles most what cannot be meant
        // here is not what comes next either.
        if label == finding.label || !may_be_said(label, heard.stage) {
            return None;
        }
        let all = Label::ALL.iter().copied().zip(shares(odds));
        let (label, share) = all.clone().max_by(|a, b| a.1.total_cmp(&b.1))?;
        let beside = |is: fn(Label) -> bool| {
            all.clone().filter(|(label, _)| is(*label)).map(|(_, share)| share).sum::<f32>()
        };
        let is_danger = (label.is_of_lane() && beside(Label::is_of_recipient_or_domain) > DANGER)
            || (label.is_of_recipient_or_domain() && beside(Label::is_of_lane) > DANGER);
        (label != finding.label && !is_danger && share >= LEAST).then_some(Guess { label, share })
    }

    /// Which words of a reply speak most for a label, the strongest first; four at most.
    pub fn because(&self, reply: &Reply, label: Label) -> Vec<String> {
        const TOLD: usize = 4;
        let has = Self::buckets(reply, None);
        let speaks = self.0.speaks_for(label, &has);
        let mut said: Vec<(f32, String)> = Features::said(reply)
            .into_iter()
            .map(|(bucket, words)| (speaks(bucket), words))
            .filter(|(weight, _)| *weight > 0.0)
            .collect();
        said.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        said.dedup_by(|a, b| a.1 == b.1);
        said.into_iter().take(TOLD).map(|(_, words)| words).collect()
    }
}

/// How likely each label is, levelled.
fn shares(odds: [f32; Classifier::LABELS]) -> [f32; Classifier::LABELS] {
    let most = odds.iter().copied().fold(f32::MIN, f32::max);
    let shares = odds.map(|odds| ((odds - most) / LEVELLED).exp());
    let all: f32 = shares.iter().sum();
    shares.map(|share| share / all)
}

/// By how much more likely the rules make the label they found, in natural logarithms of odds; nothing
/// where they are not to be asked again: an operator's and a provider's rules, and wordings that do not yield.
pub(crate) fn worth(finding: &Finding<'_>) -> Option<f32> {
    let Some(rule) = finding.rule else { return (finding.label == Label::Unknown).then_some(0.0) };
    match rule.rank() {
        _ if finding.is_of_provider() => None,
        Rank::Exact | Rank::Phrase => rule.yields.then_some(2.0),
        Rank::Hint => Some(2.0),
        Rank::Concept => Some(1.0),
        Rank::Code => Some(0.5),
    }
}

/// Whether a label can be meant: none before MAIL is about a recipient.
fn may_be_said(label: Label, stage: Option<Stage>) -> bool {
    let is_before_mail =
        matches!(stage, Some(Stage::Connect | Stage::Ehlo | Stage::StartTls | Stage::Auth));
    !(is_before_mail && label.is_of_recipient())
}

#[cfg(test)]
mod tests;
