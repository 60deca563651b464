//! Which window and which clock explain all waves of refusals best.
//!
//! A small posterior instead of more rules: every natural window, sliding or beginning by a clock at
//! one of 24 phases, is held against what canaries were told. No provider publishes what it counts,
//! and others may share our address, so nothing is certain: what does not fit costs, and the
//! cheapest explanation is taken (docs/design/012).

use postlane_mail::{Instant, Span};

use crate::history::History;
use crate::quota::Reset;
use crate::windows::NATURAL;

pub(crate) use counts::told_by_counts;

/// One wave of refusals, and how it ended.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Wave {
    /// When the message went out that was refused first.
    pub(crate) refused: Instant,
    /// When canaries went out that were refused.
    pub(crate) canaries: Vec<Instant>,
    /// When the one went out that was accepted.
    pub(crate) accepted: Instant,
}

/// What explains them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Explanation {
    pub(crate) window: Span,
    pub(crate) reset: Reset,
    /// How many were accepted in the window before the last wave.
    pub(crate) messages: u64,
    /// The shortest window that explains them nearly as well.
    pub(crate) least: Span,
}

/// So many waves are looked at, the last ones; those before them say how it was.
pub(crate) const WAVES_MAX: usize = 8;

/// A clock begins at one of so many phases of its window.
const PHASES: u64 = 24;

/// A window shorter than this is no matter of phases.
const CLOCK_MIN: Span = Span::from_min(5);

/// What a canary costs that was told something else than the explanation says.
const WRONG: f64 = 3.0;

/// What a count costs that differs, per square of its logarithm: 15 % is one standard deviation, since
/// others may share what is counted.
const SPREAD: f64 = 0.15;

/// Where nobody does the counts are the same to the message, and a window whose counts are explains more than
/// one in which they are only near each other. The likeliest of these deviations is taken.
const SPREADS: [f64; 3] = [SPREAD, 0.05, 0.015];

/// In messages: no count deviates less, since some are under way when one is refused.
const LEAST_OFF: f64 = 0.7;

/// Fewer messages in a window say nothing of it.
const COUNTED_MIN: f64 = 3.0;

/// No more for one wave, so that one strange wave does not decide.
const WAVE_MAX: f64 = 6.0;

/// An older wave counts so much less than the next.
const FADES: f64 = 0.75;

/// An explanation that costs more than this for a wave is none.
const COST_MAX: f64 = 2.0;

/// As good as the best.
const NEARLY: f64 = 1.0;

/// A window that has foretold the end of a rest is kept unless another is so much cheaper.
const FORETOLD: f64 = 3.0;

#[derive(Debug, Clone, Copy)]
struct Hypothesis {
    window: Span,
    /// Where in its length the window begins; it slides where there is none.
    phase: Option<Span>,
}

/// The best explanation of at least two waves, if any is good enough. A window that has foretold how
/// the last of them would end is left only for one that is much better.
pub(crate) fn explain(
    waves: &[Wave],
    accepted: &History,
    foretold: Option<Span>,
) -> Option<Explanation> {
    let waves = &waves[waves.len().saturating_sub(WAVES_MAX)..];
    let last = waves.last().filter(|_| waves.len() >= 2)?;
    let costs: Vec<(f64, Hypothesis)> =
        hypotheses().map(|hypothesis| (hypothesis.cost(waves, accepted), hypothesis)).collect();
    let least = |of: &dyn Fn(&Hypothesis) -> bool| {
        let of = costs.iter().filter(|(_, hypothesis)| of(hypothesis));
        of.copied().min_by(|(one, _), (other, _)| one.total_cmp(other))
    };
    let best = least(&|_| true);
    let same = least(&|hypothesis| Some(hypothesis.window) == foretold);
    let stays = same.zip(best).filter(|((same, _), (best, _))| *same <= best + FORETOLD);
    let best = stays.map(|(same, _)| same).or(best);
    let (cost, best) = best?;
    let weight: f64 = (0..waves.len()).map(|age| FADES.powi(age as i32)).sum();
    if cost > COST_MAX * weight {
        return None;
    }
    let nearly = |h: &Hypothesis| h.phase.is_some() == best.phase.is_some();
    let near = costs.iter().filter(|(c, h)| *c <= cost + NEARLY && nearly(h));
    let least = near.clone().map(|(_, h)| h.window).min()?;
    // Of windows that slide and explain as much, the longest is relied on: it costs no refusal to
    // find out that a shorter one does.
    let best = match best.phase {
        Some(_) => best,
        None if stays.is_some() => best,
        None => near.clone().map(|(_, h)| *h).max_by_key(|h| h.window)?,
    };
    let reset = match best.phase {
        None => Reset::Assumed,
        Some(phase) => {
            let same = near.filter(|(_, h)| h.window == best.window);
            let phases: Vec<Span> = same.filter_map(|(_, h)| h.phase).collect();
            clock(best.window, phase, &phases, last.accepted)
        }
    };
    let messages = best.counted(accepted, last.refused);
    let least = if best.phase.is_some() { best.window } else { least };
    Some(Explanation { window: best.window, reset, messages, least })
}

fn hypotheses() -> impl Iterator<Item = Hypothesis> {
    let slides = NATURAL.iter().map(|window| Hypothesis { window: *window, phase: None });
    let clocked = NATURAL.iter().filter(|window| **window >= CLOCK_MIN).flat_map(|window| {
        let step = window.0 / PHASES;
        (0..PHASES).map(move |n| Hypothesis { window: *window, phase: Some(Span(n * step)) })
    });
    slides.chain(clocked)
}

impl Hypothesis {
    /// What does not fit, the older the less.
    fn cost(&self, waves: &[Wave], accepted: &History) -> f64 {
        let counts: Vec<f64> =
            waves.iter().map(|wave| self.counted(accepted, wave.refused).max(1) as f64).collect();
        // What nothing was sent in explains nothing.
        if counts.iter().any(|count| *count < COUNTED_MIN) {
            return f64::INFINITY;
        }
        let weight = |place: usize| FADES.powi((waves.len() - 1 - place) as i32);
        let weights: f64 = (0..waves.len()).map(weight).sum();
        let logs = counts.iter().enumerate().map(|(i, count)| weight(i) * count.ln());
        let usual = (logs.sum::<f64>() / weights).exp();
        let misses: Vec<f64> = waves
            .iter()
            .zip(&counts)
            .map(|(wave, full)| self.misses(wave, accepted, *full))
            .collect();
        let of_wave = |place: usize, spread: f64| {
            let off = (counts[place] / usual).ln() / spread;
            weight(place) * (0.5 * off * off + WRONG * misses[place]).min(WAVE_MAX)
        };
        // Of so many counts two were used up to choose the window and what it takes.
        let free = waves.len().saturating_sub(2) as f64 / waves.len() as f64;
        let told = free * (0..waves.len()).map(|n| weight(n) * self.anew(waves, n)).sum::<f64>();
        let cost = |spread: f64| {
            let spread = spread.max(LEAST_OFF / usual).min(SPREAD);
            let off: f64 = (0..waves.len()).map(|place| of_wave(place, spread)).sum();
            off + told * (spread / SPREAD).ln()
        };
        self.surprise() + SPREADS.map(cost).into_iter().fold(f64::INFINITY, f64::min)
    }

    /// How much of a wave's window had not been counted at the wave before: what both share says nothing anew.
    fn anew(&self, waves: &[Wave], place: usize) -> f64 {
        let Some(before) = place.checked_sub(1).and_then(|before| waves.get(before)) else {
            return 1.0;
        };
        let since = waves[place].refused.since(before.refused);
        (since.0 as f64 / self.window.0 as f64).min(1.0)
    }

    /// Canaries that were told something else than this says: refused though a tenth of the
    /// window was free, or accepted though nothing was.
    fn misses(&self, wave: &Wave, accepted: &History, full: f64) -> f64 {
        let refused = wave.canaries.iter();
        let wrongly = refused.filter(|at| (self.counted(accepted, **at) as f64) < 0.9 * full - 1.0);
        let before = self.counted(accepted, wave.accepted).saturating_sub(1) as f64;
        let took = if before > full - 0.5 { 1.0 } else { 0.0 };
        wrongly.count() as f64 + took
    }

    /// What one would not have expected: most limits are by the minute, hour or day, and slide.
    fn surprise(&self) -> f64 {
        const USUAL: [Span; 4] =
            [Span::from_min(1), Span::from_min(10), Span::from_h(1), Span::from_h(24)];
        match (USUAL.contains(&self.window), self.phase.is_some()) {
            (true, false) => 0.0,
            (true, true) => 0.7,
            (false, false) => 1.5,
            (false, true) => 2.5,
        }
    }

    fn counted(&self, accepted: &History, at: Instant) -> u64 {
        match self.phase {
            None => accepted.within(self.window, at),
            Some(phase) => accepted.between(began(self.window, phase, at), at),
        }
    }
}

/// When the clock's window began that holds at a moment.
fn began(window: Span, phase: Span, at: Instant) -> Instant {
    let since = at.since(Instant::default() + phase).0;
    Instant(since - since % window.0.max(1)) + phase
}

/// The phases that explain the waves nearly as well, as an interval around the best one.
fn clock(window: Span, best: Span, phases: &[Span], now: Instant) -> Reset {
    let step = window.0 / PHASES;
    let is_near = |phase: u64| phases.iter().any(|p| p.0 == phase % window.0);
    let (mut early, mut late) = (0, 0);
    while early + late < PHASES && is_near(best.0 + window.0 - (early + 1) * step) {
        early += 1;
    }
    while early + late < PHASES && is_near(best.0 + (late + 1) * step) {
        late += 1;
    }
    let at = began(window, best, now);
    Reset::Clock { from: at - Span((early + 1) * step), to: at + Span((late + 1) * step) }
}

mod counts;

#[cfg(test)]
mod tests;
