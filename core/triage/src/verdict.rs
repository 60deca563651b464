//! What is wrong, how sure that is, why, what speaks against it, and what to do.

use postlane_replies::Label;

use crate::class::Class;
use crate::evidence::{Evidence, Measure};
use crate::figures::Figures;
use crate::settle;
use crate::steps::{self, Step};
use crate::subject::Subject;
use crate::weight::{Weight, Weights};

/// What is wrong, and what to do.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// What is wrong.
    pub class: Class,
    /// How often a verdict with these figures is right, 0 to 1, as measured on simulated
    /// pictures (docs/design/017).
    pub confidence: f64,
    /// The verdict in one sentence.
    pub says: String,
    /// What speaks for it, the weightiest first.
    pub evidence: Vec<Evidence>,
    /// What speaks against it, or was not seen; never empty.
    pub against: Vec<Evidence>,
    /// What it may be instead, with how likely that is.
    pub instead: Option<(Class, f64)>,
    /// How likely each class is, the likeliest first; they add up to 1.
    pub likelihoods: Vec<(Class, f64)>,
    /// What would settle it.
    pub settle: Vec<String>,
    /// What to do, in order.
    pub steps: Vec<Step>,
    /// What the relay does by itself meanwhile.
    pub automatic: &'static str,
    /// What a person has to do, in a sentence.
    pub human: &'static str,
    /// The label that most of the refusals behind it have.
    pub label: Option<Label>,
}

/// The classes with their probabilities, the likeliest first.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Belief(Vec<(Class, f64)>);

impl Belief {
    /// By what the weights are divided before they are taken for logarithms of odds: fitted on
    /// simulated pictures, of seeds that are not those of the reliability table.
    const TEMPERATURE: f64 = 1.0;

    /// How often it is something that no row of the table knows (chosen, not measured): nothing
    /// is ever said with certainty.
    const LAPSE: f64 = 0.01;

    pub(crate) fn of(weights: &Weights) -> Self {
        let scores = Class::ALL
            .into_iter()
            .filter(|class| *class != Class::TooLittle)
            .map(|class| (class, weights.sum(class) / Self::TEMPERATURE));
        let mut classes: Vec<(Class, f64)> = scores.collect();
        let most = classes.iter().fold(f64::MIN, |most, (_, score)| most.max(*score));
        let whole: f64 = classes.iter().map(|(_, score)| (score - most).exp()).sum();
        let count = classes.len() as f64;
        for (_, score) in &mut classes {
            let share = (*score - most).exp() / whole;
            *score = share * (1.0 - Self::LAPSE) + Self::LAPSE / count;
        }
        classes.sort_by(|a, b| b.1.total_cmp(&a.1));
        Self(classes)
    }

    pub(crate) fn first(&self) -> (Class, f64) {
        self.0.first().copied().unwrap_or((Class::TooLittle, 0.0))
    }

    pub(crate) fn second(&self) -> (Class, f64) {
        self.0.get(1).copied().unwrap_or((Class::TooLittle, 0.0))
    }
}

impl Verdict {
    /// With fewer attempts than this nothing is said, unless the replies name the cause (chosen,
    /// not measured).
    const ATTEMPTS_MIN: u64 = 20;
    /// Below this a verdict on few attempts is none (chosen, not measured).
    const CONFIDENCE_MIN: f64 = 0.5;

    /// What these weights of a subject come to.
    pub(crate) fn of(subject: &Subject<'_>, weights: &Weights) -> Self {
        let belief = Belief::of(weights);
        let (likeliest, confidence) = belief.first();
        let attempts = subject.figures.attempts();
        let is_few = attempts < Self::ATTEMPTS_MIN && confidence < Self::CONFIDENCE_MIN;
        let is_nothing = attempts == 0 && subject.figures.expired == 0;
        if is_few || is_nothing {
            return Self::too_little(subject, belief);
        }
        let (second, second_share) = belief.second();
        let mut evidence: Vec<Evidence> =
            weights.of(likeliest).filter(|weight| weight.nats > 0.0).map(Evidence::of).collect();
        evidence.sort_by(|a, b| b.weight.total_cmp(&a.weight));
        let mut against: Vec<Evidence> =
            weights.of(likeliest).filter(|weight| weight.nats < 0.0).map(Evidence::of).collect();
        if second_share >= 0.02 {
            let rival: Vec<&Weight> =
                weights.of(second).filter(|weight| weight.nats > 0.5).collect();
            // Once, as what speaks for the other one.
            against.retain(|said| rival.iter().all(|weight| weight.says != said.says));
            against.extend(rival.into_iter().map(|weight| Evidence::for_rival(weight, second)));
        }
        against.sort_by(|a, b| a.weight.total_cmp(&b.weight));
        against.extend(settle::unseen(subject, likeliest));
        let label = foremost(&subject.figures, likeliest);
        Self {
            class: likeliest,
            confidence,
            says: sentence(likeliest, &evidence),
            evidence,
            against,
            instead: (second_share >= 0.02).then_some((second, second_share)),
            settle: settle::settle(likeliest, second, subject),
            likelihoods: belief.0,
            steps: steps::of(likeliest, subject, label),
            automatic: likeliest.automatic(),
            human: likeliest.human(),
            label,
        }
    }

    fn too_little(subject: &Subject<'_>, belief: Belief) -> Self {
        let attempts = subject.figures.attempts();
        let (likeliest, share) = belief.first();
        let measure = Measure { name: "attempts", value: attempts as f64, of: attempts };
        let seen = match attempts {
            0 => "no attempt was made in this span".to_owned(),
            1 => "one attempt was made, and its reply names no cause".to_owned(),
            n => format!("only {n} attempts were made, and their replies name no cause"),
        };
        let evidence = vec![Evidence { says: seen, measure, weight: 0.0 }];
        let against = Evidence {
            says: format!(
                "if anything, it looks like \"{}\" ({:.0} %)",
                likeliest.title(),
                share * 100.0
            ),
            measure,
            weight: 0.0,
        };
        Self {
            class: Class::TooLittle,
            confidence: 1.0 - share,
            says: sentence(Class::TooLittle, &evidence),
            evidence,
            against: vec![against],
            instead: Some((likeliest, share)),
            settle: settle::settle(Class::TooLittle, likeliest, subject),
            likelihoods: belief.0,
            steps: steps::of(Class::TooLittle, subject, None),
            automatic: Class::TooLittle.automatic(),
            human: Class::TooLittle.human(),
            label: None,
        }
    }
}

impl Evidence {
    fn of(weight: &Weight) -> Self {
        Self { says: weight.says.clone(), measure: weight.measure, weight: weight.nats }
    }

    fn for_rival(weight: &Weight, rival: Class) -> Self {
        Self {
            says: format!("{} (this speaks for \"{}\")", weight.says, rival.title()),
            measure: weight.measure,
            weight: -weight.nats,
        }
    }
}

/// The class's clause, and the weightiest reason behind it.
fn sentence(class: Class, evidence: &[Evidence]) -> String {
    match evidence.first() {
        Some(first) => format!("{}: {}.", class.says(), first.says),
        None => format!("{}.", class.says()),
    }
}

/// The label behind a verdict: the most frequent one of its group, else of all trouble.
fn foremost(figures: &Figures, class: Class) -> Option<Label> {
    if !class.is_trouble() {
        return None;
    }
    let of_class = class.groups().iter().filter_map(|group| figures.foremost(*group));
    let count = |label: &Label| figures.labels.get(label).copied().unwrap_or_default();
    let all = || {
        let trouble = figures.labels.keys().copied();
        trouble.filter(|label| crate::Group::of(*label).is_trouble()).max_by_key(count)
    };
    of_class.max_by_key(count).or_else(all)
}
