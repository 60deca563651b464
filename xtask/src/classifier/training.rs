//! Training: multinomial logistic regression by stochastic descent, with a step of its own for each
//! weight (AdaGrad; Duchi, Hazan, Singer 2011).

use postlane_replies::{Classifier, Label};

use super::lessons::Lesson;

/// How often every reply is looked at.
const ROUNDS: usize = 60;
/// The first step of a weight.
const STEP: f64 = 0.5;
/// How much of a weight is lost each time its bucket is met: what holds weights small that few replies
/// speak for.
const DECAY: f64 = 2e-6;

const LABELS: usize = Classifier::LABELS;

/// The weights, as the program reads them.
pub(super) fn train(lessons: &[Lesson]) -> Vec<u8> {
    let mut weights = vec![[0.0; LABELS]; Classifier::BUCKETS as usize];
    let mut squares = weights.clone();
    let mut order: Vec<usize> = (0..lessons.len()).collect();
    let mut chance = 20_261_122_u64;
    for _ in 0..ROUNDS {
        shuffle(&mut order, &mut chance);
        for lesson in order.iter().filter_map(|at| lessons.get(*at)) {
            learn(lesson, &mut weights, &mut squares);
        }
    }
    octets(&weights, digest(lessons))
}

fn learn(lesson: &Lesson, weights: &mut [[f64; LABELS]], squares: &mut [[f64; LABELS]]) {
    let value = 1.0 / (lesson.buckets.len() as f64).sqrt();
    let mut wrong = likelihoods(lesson, value, weights);
    wrong[lesson.label as usize] -= 1.0;
    for bucket in &lesson.buckets {
        let rows = (&mut weights[*bucket as usize], &mut squares[*bucket as usize]);
        for ((weight, square), wrong) in rows.0.iter_mut().zip(rows.1).zip(wrong) {
            let slope = wrong * value + DECAY * *weight;
            *square += slope * slope;
            if *square > 0.0 {
                *weight -= STEP * slope / square.sqrt();
            }
        }
    }
}

/// How likely each label is by the weights so far.
fn likelihoods(lesson: &Lesson, value: f64, weights: &[[f64; LABELS]]) -> [f64; LABELS] {
    let mut sums = [0.0; LABELS];
    for bucket in &lesson.buckets {
        for (sum, weight) in sums.iter_mut().zip(&weights[*bucket as usize]) {
            *sum += weight;
        }
    }
    let most = sums.iter().copied().fold(f64::MIN, f64::max);
    let mut likelihoods = sums.map(|sum| exp((sum - most) * value));
    // Nothing that is trained from was done: that label is never said.
    likelihoods[Label::Accepted as usize] = 0.0;
    let all: f64 = likelihoods.iter().sum();
    likelihoods.map(|likelihood| likelihood / all)
}

/// The exponential of what is not above 0: the system's own may differ in its last bit from one to the next.
fn exp(x: f64) -> f64 {
    let whole = (x.max(-700.0) * std::f64::consts::LOG2_E).round();
    let rest = x.max(-700.0) - whole * std::f64::consts::LN_2;
    let series = (1..=14).rev().fold(1.0, |sum, n| 1.0 + rest / f64::from(n) * sum);
    series * f64::from_bits(((whole as i64 + 1023) as u64) << 52)
}

fn shuffle(order: &mut [usize], chance: &mut u64) {
    for last in (1..order.len()).rev() {
        *chance =
            chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        order.swap(last, (*chance >> 33) as usize % (last + 1));
    }
}

/// What tells these replies from others: FNV-1a of their labels and buckets.
pub(super) fn digest(lessons: &[Lesson]) -> u64 {
    let label = |lesson: &Lesson| std::iter::once(lesson.label as u32);
    let numbers = lessons.iter().flat_map(|of| label(of).chain(of.buckets.iter().copied()));
    numbers.flat_map(u32::to_le_bytes).fold(0xcbf2_9ce4_8422_2325, |digest, octet| {
        (digest ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// What a weight of one is worth, what they were trained on, then each weight as a signed octet.
fn octets(weights: &[[f64; LABELS]], digest: u64) -> Vec<u8> {
    let most = weights.iter().flatten().fold(0.0, |most, weight| weight.abs().max(most));
    let scale = (most / f64::from(i8::MAX)) as f32;
    let mut octets = scale.to_le_bytes().to_vec();
    octets.extend(digest.to_le_bytes());
    let of = |weight: &f64| (weight / f64::from(scale)).round() as i8;
    octets.extend(weights.iter().flatten().flat_map(|weight| of(weight).to_le_bytes()));
    octets
}
