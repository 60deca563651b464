//! Training: two networks with one hidden layer each, by stochastic descent, with a step of its own for each
//! weight (AdaGrad; Duchi, Hazan, Singer 2011). A part of what a reply has, and of the hidden numbers, is left
//! out by chance each time (dropout; Srivastava and others 2014), so that none may rely on another. What the two say is
//! meaned: where they differ, both are less sure.

use postlane_replies::{Classifier, Label};

use super::chance::Chance;
use super::lessons::Lesson;

/// How often every reply is looked at.
const ROUNDS: usize = 12;
/// The first step of a weight; it goes down to less than a third of it.
const STEP: f32 = 0.1;
/// How much of a weight is lost each time its bucket is met: what holds weights small that few replies
/// speak for.
const DECAY: f32 = 1e-5;
/// How much of what a reply has is left out, and how much of the hidden numbers.
const LEFT_OUT: f32 = 0.3;
const LEFT_OUT_HIDDEN: f32 = 0.2;
/// How large the first weights are at most, of rows.
const FIRST: f32 = 0.2;

const LABELS: usize = Classifier::LABELS;
/// How many networks there are, and how many hidden numbers each has.
const NETWORKS: usize = 2;
const HIDDEN: usize = Classifier::HIDDEN / NETWORKS;

/// A number that is learned, with the sum of the squares of its slopes.
#[derive(Debug, Clone, Copy)]
struct Weight {
    of: f32,
    squares: f32,
}

struct Network {
    rows: Vec<[Weight; HIDDEN]>,
    begin: [Weight; HIDDEN],
    labels: [Weight; LABELS],
    says: Vec<[Weight; LABELS]>,
}

/// The weights, as the program reads them; and the names of the rules that yield.
pub(super) fn train(lessons: &[Lesson], yielding: &[String]) -> Vec<u8> {
    let mut chance = Chance::default();
    let networks: [Network; NETWORKS] = std::array::from_fn(|_| Network::of(lessons, &mut chance));
    octets(&networks, digest(lessons, yielding), yielding)
}

impl Weight {
    const NOTHING: Self = Self { of: 0.0, squares: 1e-3 };

    fn by_chance(chance: &mut Chance, most: f32) -> Self {
        Self { of: (chance.share() * 2.0 - 1.0) * most, ..Self::NOTHING }
    }

    fn learn(&mut self, slope: f32, step: f32) {
        self.squares += slope * slope;
        self.of -= step * slope / self.squares.sqrt();
    }

    fn learn_and_decay(&mut self, slope: f32, step: f32) {
        self.learn(slope + DECAY * self.of, step);
    }
}

impl Network {
    fn of(lessons: &[Lesson], chance: &mut Chance) -> Self {
        let mut network = Self::new(chance);
        let mut order: Vec<usize> = (0..lessons.len()).collect();
        for round in 0..ROUNDS {
            let step = STEP * (1.0 - 0.7 * round as f32 / ROUNDS as f32);
            chance.shuffle(&mut order);
            for lesson in order.iter().filter_map(|at| lessons.get(*at)) {
                network.learn(lesson, step, chance);
            }
        }
        network
    }

    fn new(chance: &mut Chance) -> Self {
        let most = 1.0 / (HIDDEN as f32).sqrt();
        Self {
            rows: (0..Classifier::BUCKETS)
                .map(|_| std::array::from_fn(|_| Weight::by_chance(chance, FIRST)))
                .collect(),
            begin: [Weight::NOTHING; HIDDEN],
            labels: [Weight::NOTHING; LABELS],
            says: (0..HIDDEN)
                .map(|_| std::array::from_fn(|_| Weight::by_chance(chance, most)))
                .collect(),
        }
    }

    fn learn(&mut self, lesson: &Lesson, step: f32, chance: &mut Chance) {
        let value = 1.0 / (lesson.buckets.len() as f32).sqrt() / (1.0 - LEFT_OUT);
        let buckets = lesson.buckets.iter().map(|bucket| *bucket as usize);
        let kept: Vec<usize> = buckets.filter(|_| chance.share() >= LEFT_OUT).collect();
        let hidden = self.hidden(&kept, value, chance);
        let mut wrong = self.likelihoods(&hidden);
        wrong[lesson.label as usize] -= 1.0;
        let slopes = self.learn_labels(&hidden, &wrong, step);
        for (weight, slope) in self.begin.iter_mut().zip(slopes).filter(|(_, of)| *of != 0.0) {
            weight.learn(slope, step);
        }
        for row in kept {
            for (weight, slope) in self.rows[row].iter_mut().zip(slopes) {
                if slope != 0.0 {
                    weight.learn_and_decay(slope * value, step);
                }
            }
        }
    }

    /// The hidden numbers: 0 where they are below or left out by chance.
    fn hidden(&self, kept: &[usize], value: f32, chance: &mut Chance) -> [f32; HIDDEN] {
        let mut sums = [0.0_f32; HIDDEN];
        for row in kept.iter().filter_map(|row| self.rows.get(*row)) {
            sums.iter_mut().zip(row).for_each(|(sum, weight)| *sum += weight.of);
        }
        std::array::from_fn(|at| {
            let is_left_out = chance.share() < LEFT_OUT_HIDDEN;
            let number = (self.begin[at].of + sums[at] * value).max(0.0);
            if is_left_out { 0.0 } else { number / (1.0 - LEFT_OUT_HIDDEN) }
        })
    }

    /// How likely each label is by the weights so far.
    fn likelihoods(&self, hidden: &[f32; HIDDEN]) -> [f32; LABELS] {
        let mut odds = self.labels.map(|weight| weight.of);
        for (number, says) in hidden.iter().zip(&self.says).filter(|(number, _)| **number > 0.0) {
            odds.iter_mut().zip(says).for_each(|(odds, says)| *odds += number * says.of);
        }
        let most = odds.iter().copied().fold(f32::MIN, f32::max);
        let mut likelihoods = odds.map(|odds| exp(f64::from(odds - most)) as f32);
        // Nothing that is trained from was done: that label is never said.
        likelihoods[Label::Accepted as usize] = 0.0;
        let all: f32 = likelihoods.iter().sum();
        likelihoods.map(|likelihood| likelihood / all)
    }

    /// Learns what hidden numbers say of labels; gives the slopes of the hidden numbers.
    fn learn_labels(
        &mut self,
        hidden: &[f32; HIDDEN],
        wrong: &[f32; LABELS],
        step: f32,
    ) -> [f32; HIDDEN] {
        let slopes = std::array::from_fn(|at| {
            if hidden[at] <= 0.0 {
                return 0.0;
            }
            let says = self.says[at].iter_mut().zip(wrong);
            let slope = says.fold(0.0, |slope, (weight, wrong)| {
                let slope = slope + weight.of * wrong;
                weight.learn_and_decay(wrong * hidden[at], step);
                slope
            });
            slope / (1.0 - LEFT_OUT_HIDDEN)
        });
        self.labels.iter_mut().zip(wrong).for_each(|(weight, wrong)| weight.learn(*wrong, step));
        slopes
    }
}

/// What a weight of a row is worth, what they were trained on, each weight of a row as a signed octet, then the
/// other numbers and names.
fn octets(networks: &[Network], digest: u64, yielding: &[String]) -> Vec<u8> {
    let rows = (0..Classifier::BUCKETS as usize)
        .flat_map(|bucket| networks.iter().flat_map(move |network| &network.rows[bucket]))
        .map(|weight| weight.of);
    let scale = rows.clone().fold(0.0, |most, weight| weight.abs().max(most)) / 127.0;
    let mut octets = scale.to_le_bytes().to_vec();
    octets.extend(digest.to_le_bytes());
    octets.extend(rows.flat_map(|weight| ((weight / scale).round() as i8).to_le_bytes()));
    let share = |weight: f32| weight / NETWORKS as f32;
    let begin = networks.iter().flat_map(|network| network.begin).map(|weight| weight.of);
    let labels = (0..LABELS)
        .map(|label| share(networks.iter().map(|network| network.labels[label].of).sum()));
    let says = networks.iter().flat_map(|network| network.says.iter().flatten());
    let numbers = begin.chain(labels).chain(says.map(|weight| share(weight.of)));
    octets.extend(numbers.flat_map(f32::to_le_bytes));
    yielding.iter().for_each(|name| octets.extend(format!("{name}\n").bytes()));
    octets
}

/// The exponential of what is not above 0: the system's own may differ in its last bit from one to the next.
fn exp(x: f64) -> f64 {
    let whole = (x.max(-700.0) * std::f64::consts::LOG2_E).round();
    let rest = x.max(-700.0) - whole * std::f64::consts::LN_2;
    let series = (1..=14).rev().fold(1.0, |sum, n| 1.0 + rest / f64::from(n) * sum);
    series * f64::from_bits(((whole as i64 + 1023) as u64) << 52)
}

/// What tells these replies from others, and the rules that yield: FNV-1a of their labels, buckets and names.
pub(super) fn digest(lessons: &[Lesson], yielding: &[String]) -> u64 {
    let label = |lesson: &Lesson| std::iter::once(lesson.label as u32);
    let numbers = lessons.iter().flat_map(|of| label(of).chain(of.buckets.iter().copied()));
    let names = yielding.iter().flat_map(|name| name.bytes());
    let octets = numbers.flat_map(u32::to_le_bytes).chain(names);
    octets.fold(0xcbf2_9ce4_8422_2325, |digest, octet| {
        (digest ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3)
    })
}
