//! What a reply resembles that no wording of ours decides: a linear classifier, trained from the labelled
//! replies of the tree (docs/design/048).
//!
//! It names and never acts: what the lane hears, how lasting it is and what is done stay what the rules
//! and the code say. Its weights are in the program; `cargo xtask classifier` makes them.

mod features;
mod tokens;

use std::borrow::Cow;

use postlane_mail::{Reply, Stage};

use crate::book::{Finding, Heard, Rank};
use crate::label::Label;
use crate::words::WordReader;
use features::Features;

/// Weights for each label of what replies have: words, beginnings of words, words side by side, the code,
/// the enhanced status and the command.
#[derive(Debug, Clone)]
pub struct Classifier {
    /// What a weight of one is worth, in natural logarithms of odds.
    scale: f32,
    /// A row of a weight for each label, for each bucket.
    weights: Cow<'static, [u8]>,
}

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
const DANGER: f32 = 0.1;
/// By how much likelihoods are levelled, for the weights are surer of themselves than they are right. With this, of
/// guesses of 0.3, 0.5, 0.7 and 0.9 in replies left out of training 0.3, 0.7, 0.7 and 0.9 were right.
const LEVELLED: f32 = 1.5;
/// The least that is said at all: below, one guess of ten was right.
const LEAST: f32 = 0.2;
/// What stands before the weights: what one is worth, and the digest of what they were trained on.
const HEAD: usize = size_of::<f32>() + size_of::<u64>();

impl Classifier {
    /// How many buckets features fall into. Twice as many were no better (docs/design/048).
    pub const BUCKETS: u32 = 1 << 14;
    /// How many weights a bucket has: one for each label.
    pub const LABELS: usize = Label::ALL.len();

    /// The one that comes with the program.
    pub fn built_in() -> Self {
        const WEIGHTS: &[u8] = include_bytes!("../classifier.bin");
        Self::of(Cow::Borrowed(WEIGHTS)).expect("a test reads the weights we ship")
    }

    /// Reads weights: what one is worth, as the octets of an `f32`, the lowest first; eight octets that
    /// tell what they were trained on; then a row for each bucket.
    pub fn read(octets: Vec<u8>) -> Result<Self, WeightsError> {
        Self::of(Cow::Owned(octets))
    }

    fn of(octets: Cow<'static, [u8]>) -> Result<Self, WeightsError> {
        let length = octets.len();
        let scale = octets.first_chunk().map(|octets| f32::from_le_bytes(*octets));
        let rows = length.checked_sub(HEAD);
        match scale {
            Some(scale) if rows == Some(Self::BUCKETS as usize * Self::LABELS) => {
                Ok(Self { scale, weights: octets })
            }
            _ => Err(WeightsError(length)),
        }
    }

    /// What tells the replies apart that the weights were trained on.
    pub fn trained_on(&self) -> u64 {
        let digest =
            self.weights.get(size_of::<f32>()..HEAD).and_then(|octets| octets.first_chunk());
        digest.map_or(0, |octets| u64::from_le_bytes(*octets))
    }

    /// The buckets of what a reply has, each once, in ascending order: what the weights are trained on.
    pub fn buckets(reply: &Reply, stage: Option<Stage>) -> Vec<u32> {
        let mut guessing = Guessing::default();
        Features::of(reply, stage, &mut guessing.reader, &mut guessing.buckets);
        guessing.buckets
    }

    /// What a reply resembles for which the rules found this. Nothing where it has no words, where one of an operator's or a
    /// provider's rules or a wording decides, where the rules' label is as good, or where the other label
    /// might be a danger.
    pub(crate) fn guess(
        &self,
        guessing: &mut Guessing,
        heard: Heard<'_>,
        finding: &Finding<'_>,
    ) -> Option<Guess> {
        let worth = worth(finding)?;
        let Guessing { reader, buckets } = guessing;
        if !Features::of(heard.reply, heard.stage, reader, buckets) {
            return None;
        }
        let odds = self.odds(buckets, (finding.label, worth));
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

    /// What speaks for each label, in natural logarithms of odds; for one of them so much more than the
    /// weights say, and for none that it was done.
    fn odds(&self, buckets: &[u32], (found, worth): (Label, f32)) -> [f32; Self::LABELS] {
        /// So many weights fit into a sum of sixteen bits, of which a processor makes several at once.
        const TOGETHER: usize = (i16::MAX / i8::MAX as i16 - 2) as usize;
        let mut sums = [0_i32; Self::LABELS];
        for some in buckets.chunks(TOGETHER) {
            let mut part = [0_i16; Self::LABELS];
            for row in some.iter().filter_map(|bucket| self.row(*bucket)) {
                for (sum, weight) in part.iter_mut().zip(row) {
                    *sum += i16::from(*weight as i8);
                }
            }
            sums.iter_mut().zip(part).for_each(|(sum, part)| *sum += i32::from(part));
        }
        let unit = self.scale / (buckets.len().max(1) as f32).sqrt();
        let mut odds = sums.map(|sum| sum as f32 * unit);
        if let Some(odds) = odds.get_mut(found as usize) {
            *odds += worth;
        }
        if let Some(odds) = odds.get_mut(Label::Accepted as usize) {
            *odds = f32::NEG_INFINITY;
        }
        odds
    }

    fn row(&self, bucket: u32) -> Option<&[u8; Self::LABELS]> {
        let start = HEAD + bucket as usize * Self::LABELS;
        self.weights.get(start..)?.first_chunk()
    }

    /// Which words of a reply speak most for a label, the strongest first; four at most.
    pub fn because(&self, reply: &Reply, label: Label) -> Vec<String> {
        const TOLD: usize = 4;
        // More than it speaks for labels on the whole.
        let weight = |bucket: u32| {
            let row = self.row(bucket).map_or(&[][..], |row| row);
            let sum: i32 = row.iter().map(|weight| i32::from(*weight as i8)).sum();
            let own = row.get(label as usize).map_or(0, |weight| i32::from(*weight as i8));
            own * Self::LABELS as i32 - sum
        };
        let mut said: Vec<(i32, String)> = Features::said(reply)
            .into_iter()
            .map(|(bucket, words)| (weight(bucket), words))
            .filter(|(weight, _)| *weight > 0)
            .collect();
        said.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
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
/// where they are not to be asked again: an operator's and a provider's rules, and wordings.
fn worth(finding: &Finding<'_>) -> Option<f32> {
    match finding.rule.map(|rule| (rule.rank(), finding.is_of_provider())) {
        None if finding.label == Label::Unknown => Some(0.0),
        Some((Rank::Hint, false)) => Some(2.0),
        Some((Rank::Concept, false)) => Some(1.0),
        Some((Rank::Code, false)) => Some(0.5),
        _ => None,
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
