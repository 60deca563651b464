//! A window that is told by what it counts, though no rest was long.
//!
//! Who goes at hardly more than a limit lets through is refused now and then, and again accepted half a minute
//! later: such a rest says nothing of a window. But in one window, and in no other, there were as many before
//! each refusal.

use postlane_mail::{Instant, Span};

use super::{
    Explanation, FADES, Hypothesis, LEAST_OFF, NEARLY, SPREAD, SPREADS, WAVE_MAX, WAVES_MAX, Wave,
    clock, hypotheses,
};
use crate::history::History;
use crate::quota::Reset;

/// So few waves may be alike by chance. Chosen by rehearsals (decision 056).
const WAVES_MIN: usize = 4;

/// Counts as different as they may be by chance cost nothing; these are much more alike. Chosen by rehearsals
/// (decision 056).
const ALIKE: f64 = -2.0;

/// Every other window, and every rate, costs so much more. Chosen by rehearsals (decision 056).
const APART: f64 = 2.0;

/// A limit of a minute or of seconds is a rate, and is kept to as one.
const WINDOW_MIN: Span = Span::from_min(2);

/// The one window in which there were as many before each of the last waves; none where a rate, which is what a
/// bucket lets through, explains them nearly as well.
pub(crate) fn told_by_counts(waves: &[Wave], accepted: &History) -> Option<Explanation> {
    let waves = &waves[waves.len().saturating_sub(WAVES_MAX)..];
    let last = waves.last().filter(|_| waves.len() >= WAVES_MIN)?;
    let costs: Vec<(f64, Hypothesis)> =
        hypotheses().map(|hypothesis| (hypothesis.cost(waves, accepted), hypothesis)).collect();
    let (cost, best) = costs.iter().copied().min_by(|(one, _), (other, _)| one.total_cmp(other))?;
    if cost > ALIKE || best.window < WINDOW_MIN {
        return None;
    }
    let others = costs.iter().filter(|(_, other)| other.window != best.window);
    let others = others.map(|(cost, _)| *cost);
    let rates = [
        rate_cost(waves, accepted, |wave| wave.refused),
        rate_cost(waves, accepted, |wave| wave.accepted),
    ];
    if others.chain(rates).any(|other| other < cost + APART) {
        return None;
    }
    let same = costs.iter().filter(|(c, h)| *c <= cost + NEARLY && h.window == best.window);
    let phases: Vec<Span> = same.filter_map(|(_, hypothesis)| hypothesis.phase).collect();
    let reset = best
        .phase
        .map_or(Reset::Assumed, |phase| clock(best.window, phase, &phases, last.accepted));
    let messages = best.counted(accepted, last.refused);
    Some(Explanation { window: best.window, reset, messages, least: best.window })
}

/// What a rate costs as an explanation: from one wave to the next there were as many as the time was long.
/// A wave ends when its first message is refused, as long as a bucket fills while the lane rests; and when
/// its canary is accepted, where the bucket was full by then.
fn rate_cost(waves: &[Wave], accepted: &History, ended: impl Fn(&Wave) -> Instant) -> f64 {
    let between: Vec<(f64, f64)> = waves
        .windows(2)
        .map(|pair| {
            let (since, until) = (ended(&pair[0]), pair[1].refused);
            let count = accepted.between(since, until).max(1) as f64;
            (count, (count / until.since(since).0.max(1) as f64).ln())
        })
        .collect();
    let weight = |place: usize| FADES.powi((between.len() - 1 - place) as i32);
    let weights: f64 = (0..between.len()).map(weight).sum();
    let rates = between.iter().enumerate().map(|(place, (_, rate))| weight(place) * rate);
    let usual = rates.sum::<f64>() / weights;
    let free = between.len().saturating_sub(1) as f64 / between.len().max(1) as f64;
    let cost = |spread: f64| {
        let costs = between.iter().enumerate().map(|(place, (count, rate))| {
            let spread = spread.max(2.0 * LEAST_OFF / count).min(SPREAD);
            let off = (rate - usual) / spread;
            weight(place) * ((0.5 * off * off).min(WAVE_MAX) + free * (spread / SPREAD).ln())
        });
        costs.sum::<f64>()
    };
    SPREADS.map(cost).into_iter().fold(f64::INFINITY, f64::min)
}

#[cfg(test)]
mod tests;
