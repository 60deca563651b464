//! The weights: a row of hidden numbers for each bucket, and what each of these says of each label.
//!
//! What a reply has adds its rows up; of the hidden numbers those above nought speak for labels and against
//! them. So words that are said of the same things have rows alike, and one that was met rarely speaks
//! as those beside which it was met.

use std::borrow::Cow;

use super::{Classifier, WeightsError};
use crate::label::Label;

/// How many hidden numbers there are.
pub(super) const HIDDEN: usize = 64;
/// What stands first: what a weight of a row is worth, and the digest of what was trained on.
const HEAD: usize = size_of::<f32>() + size_of::<u64>();
const ROWS: usize = Classifier::BUCKETS as usize * HIDDEN;
/// Behind the rows: what each hidden number is at first, what each label is, and what each hidden number says of each label.
const NUMBERS: usize = HIDDEN + Classifier::LABELS + HIDDEN * Classifier::LABELS;
/// Where the names of rules begin.
const LENGTH: usize = HEAD + ROWS + NUMBERS * size_of::<f32>();

/// Trained numbers.
#[derive(Debug, Clone)]
pub(super) struct Weights {
    /// As they were written: the rows are read where they stand.
    octets: Cow<'static, [u8]>,
    /// What a weight of a row is worth.
    scale: f32,
    begin: [f32; HIDDEN],
    labels: [f32; Classifier::LABELS],
    says: Box<[[f32; Classifier::LABELS]]>,
    /// Names of rules, in ascending order.
    yielding: Box<[Box<str>]>,
}

impl Weights {
    /// Reads what `octets` has: a number is an `f32`, the lowest octet first; a row is of signed octets; behind all numbers stand
    /// the names of rules that yield, each in a line.
    pub(super) fn read(octets: Cow<'static, [u8]>) -> Result<Self, WeightsError> {
        let wrong = WeightsError(octets.len());
        let Some((numbers, names)) = octets.split_at_checked(LENGTH) else { return Err(wrong) };
        let Ok(names) = std::str::from_utf8(names) else { return Err(wrong) };
        let mut yielding: Box<[Box<str>]> = names.lines().map(Box::from).collect();
        yielding.sort_unstable();
        let mut behind = numbers.iter().skip(HEAD + ROWS).copied();
        let mut next = || f32::from_le_bytes(std::array::from_fn(|_| behind.next().unwrap_or(0)));
        let begin = std::array::from_fn(|_| next());
        let labels = std::array::from_fn(|_| next());
        let says = (0..HIDDEN).map(|_| std::array::from_fn(|_| next())).collect();
        let scale = numbers.first_chunk().map_or(0.0, |octets| f32::from_le_bytes(*octets));
        Ok(Self { scale, begin, labels, says, yielding, octets })
    }

    /// What tells the replies apart that were trained on.
    pub(super) fn trained_on(&self) -> u64 {
        let digest =
            self.octets.get(size_of::<f32>()..HEAD).and_then(|octets| octets.first_chunk());
        digest.map_or(0, |octets| u64::from_le_bytes(*octets))
    }

    /// Whether a rule with this name yields.
    pub(super) fn has_yielding(&self, name: &str) -> bool {
        self.yielding.binary_search_by(|of| (**of).cmp(name)).is_ok()
    }

    /// What speaks for each label, in natural logarithms of odds; for none that it was done.
    pub(super) fn odds(&self, buckets: &[u32]) -> [f32; Classifier::LABELS] {
        let mut odds = self.labels;
        for (hidden, says) in self.hidden(buckets).into_iter().zip(&self.says) {
            if hidden > 0.0 {
                odds.iter_mut().zip(says).for_each(|(odds, says)| *odds += hidden * says);
            }
        }
        if let Some(odds) = odds.get_mut(Label::Accepted as usize) {
            *odds = f32::NEG_INFINITY;
        }
        odds
    }

    fn hidden(&self, buckets: &[u32]) -> [f32; HIDDEN] {
        /// So many weights fit into a sum of sixteen bits, of which a processor makes several at once.
        const TOGETHER: usize = (i16::MAX / i8::MAX as i16 - 2) as usize;
        let mut sums = [0_i32; HIDDEN];
        for some in buckets.chunks(TOGETHER) {
            let mut part = [0_i16; HIDDEN];
            for row in some.iter().filter_map(|bucket| self.row(*bucket)) {
                for (sum, weight) in part.iter_mut().zip(row) {
                    *sum += i16::from(*weight as i8);
                }
            }
            sums.iter_mut().zip(part).for_each(|(sum, part)| *sum += i32::from(part));
        }
        let unit = self.scale / (buckets.len().max(1) as f32).sqrt();
        let mut hidden = self.begin;
        hidden.iter_mut().zip(sums).for_each(|(hidden, sum)| *hidden += sum as f32 * unit);
        hidden
    }

    fn row(&self, bucket: u32) -> Option<&[u8; HIDDEN]> {
        let start = HEAD + bucket as usize * HIDDEN;
        self.octets.get(start..)?.first_chunk()
    }

    /// How much each of some buckets speaks for a label, more than for labels on the whole, in a reply that has these.
    pub(super) fn speaks_for(&self, label: Label, has: &[u32]) -> impl Fn(u32) -> f32 {
        let own = |says: &[f32; Classifier::LABELS]| {
            let mean = says.iter().sum::<f32>() / Classifier::LABELS as f32;
            says.get(label as usize).map_or(0.0, |own| own - mean)
        };
        let of = |(hidden, says)| if hidden > 0.0 { own(says) } else { 0.0 };
        let speak: Vec<f32> = self.hidden(has).into_iter().zip(&self.says).map(of).collect();
        move |bucket| {
            let row = self.row(bucket).into_iter().flatten();
            row.zip(&speak).map(|(weight, speaks)| f32::from(*weight as i8) * speaks).sum()
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Octets of weights of which none says anything.
    pub(in crate::classifier) fn nothing() -> Vec<u8> {
        let mut octets = 0.1_f32.to_le_bytes().to_vec();
        octets.resize(LENGTH, 0);
        octets
    }

    /// Makes what has these buckets be this label, by a hidden number of its own.
    pub(in crate::classifier) fn teach(
        octets: &mut [u8],
        buckets: &[u32],
        (hidden, label): (usize, Label),
        much: f32,
    ) {
        const CLEAR: u8 = 100;
        buckets.iter().for_each(|bucket| octets[HEAD + *bucket as usize * HIDDEN + hidden] = CLEAR);
        let place = HIDDEN + Classifier::LABELS + hidden * Classifier::LABELS + label as usize;
        let place = HEAD + ROWS + place * size_of::<f32>();
        octets[place..place + size_of::<f32>()].copy_from_slice(&much.to_le_bytes());
    }

    #[test]
    fn rules_that_yield_are_named_behind_the_numbers() {
        let mut octets = nothing();
        octets.extend(b"throttle/much\ncontent/spam\n");
        let weights = Weights::read(octets.into()).unwrap();
        assert!(weights.has_yielding("content/spam") && weights.has_yielding("throttle/much"));
        assert!(!weights.has_yielding("content/malware") && !weights.has_yielding(""));
    }
}
