//! The limit behind refusals: which window and quota explain when a provider said no.
//!
//! For each window that providers are known to use, sliding or by the clock, and counting what
//! was taken or what was tried, it is counted what the window held whenever refusals began. If it
//! is the provider's own, that number is the same each time, no run of mail goes beyond it, and
//! refusals in between are covered by it. What several windows explain as well is told with
//! little confidence, what none explains not at all. Nothing here knows a provider.

use crate::series::Moment;

/// Windows that are tried, in seconds. Providers count in round spans.
const WINDOWS_S: [u32; 17] = [
    10, 20, 30, 60, 120, 300, 600, 900, 1_200, 1_800, 3_600, 7_200, 10_800, 14_400, 21_600, 43_200,
    86_400,
];
/// Refusals begin at least so often, or nothing is said.
const WAVES_MIN: usize = 3;
/// Below, nothing is said: chosen so that simulated receivers without a window have none told
/// (docs/guide/analyze.md).
const CONFIDENCE_MIN: f64 = 0.3;
/// Moments at which refusals began that are told.
const HITS_TOLD: usize = 50;

/// A limit that would explain the refusals.
#[derive(Debug, Clone, PartialEq)]
pub struct SuspectedLimit {
    /// The window, in seconds.
    pub window_s: u32,
    /// How many it lets through.
    pub quota: u64,
    /// Whether the window slides or is a clock's.
    pub turns: Turns,
    /// What counts.
    pub counts: Counts,
    /// How sure that is, 0 to 1, measured on simulated receivers (docs/guide/analyze.md).
    pub confidence: f64,
    /// How often the limit was hit.
    pub hit: u64,
    /// When, in seconds since 1970; the first fifty.
    pub hits_s: Vec<u32>,
}

/// How a window turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Turns {
    /// The last so many seconds, at any moment.
    Sliding,
    /// From one mark of the clock to the next: hours from the full hour.
    Clock,
}

/// What counts against a quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Counts {
    /// What was taken.
    Accepted,
    /// Every try, refused ones, too.
    Attempts,
}

impl Turns {
    /// Its name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sliding => "sliding",
            Self::Clock => "clock",
        }
    }
}

impl Counts {
    /// Its name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Attempts => "attempts",
        }
    }
}

/// What happened, ready to be counted in any window.
struct History {
    at_s: Vec<u32>,
    /// Taken before the moment of this place, and of all.
    accepted: Vec<u64>,
    /// Tried before it.
    tried: Vec<u64>,
    is_paced: Vec<bool>,
    /// Places at which refusals begin.
    onsets: Vec<usize>,
}

/// A window that is tried.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Window {
    s: u32,
    turns: Turns,
    counts: Counts,
}

/// How well a window explains what happened.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Fit {
    window: Window,
    quota: u64,
    /// 1 explains everything.
    score: f64,
}

/// The limit that explains these moments, of `step_s` seconds each.
pub fn suspected_limit(moments: &[Moment], step_s: u32) -> Option<SuspectedLimit> {
    let history = History::of(moments);
    if history.onsets.len() < WAVES_MIN {
        return None;
    }
    let mut fits: Vec<Fit> = WINDOWS_S
        .iter()
        .filter(|s| **s >= 5 * step_s)
        .flat_map(|s| {
            [Turns::Sliding, Turns::Clock].into_iter().flat_map(|turns| {
                [Counts::Accepted, Counts::Attempts].map(|counts| Window { s: *s, turns, counts })
            })
        })
        .filter_map(|window| history.fit(window))
        .collect();
    fits.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.window.s.cmp(&b.window.s)));
    let best = *fits.first()?;
    let rival = fits.iter().find(|fit| fit.window.s != best.window.s).map_or(0.0, |fit| fit.score);
    let confidence = history.confidence(&best, rival);
    (confidence >= CONFIDENCE_MIN).then(|| SuspectedLimit {
        window_s: best.window.s,
        quota: best.quota,
        turns: best.window.turns,
        counts: best.window.counts,
        confidence,
        hit: history.onsets.len() as u64,
        hits_s: history
            .onsets
            .iter()
            .take(HITS_TOLD)
            .filter_map(|at| history.at_s.get(*at).copied())
            .collect(),
    })
}

impl History {
    fn of(moments: &[Moment]) -> Self {
        let mut history = Self {
            at_s: Vec::with_capacity(moments.len()),
            accepted: vec![0],
            tried: vec![0],
            is_paced: Vec::with_capacity(moments.len()),
            onsets: Vec::new(),
        };
        let (mut accepted, mut tried) = (0_u64, 0_u64);
        // Whether mail was taken since the last refusal.
        let mut is_open = false;
        for (place, moment) in moments.iter().enumerate() {
            accepted += u64::from(moment.accepted);
            tried += u64::from(moment.accepted) + u64::from(moment.paced);
            history.at_s.push(moment.at_s);
            history.accepted.push(accepted);
            history.tried.push(tried);
            history.is_paced.push(moment.paced > 0);
            is_open |= moment.accepted > 0;
            if moment.paced > 0 {
                if is_open {
                    history.onsets.push(place);
                }
                is_open = false;
            }
        }
        history
    }

    /// What the window holds at each place, its own moment included.
    fn held(&self, window: Window) -> Vec<u64> {
        let counts = match window.counts {
            Counts::Accepted => &self.accepted,
            Counts::Attempts => &self.tried,
        };
        let mut from = 0;
        let place = |(place, at_s): (usize, &u32)| {
            let first = match window.turns {
                Turns::Sliding => (at_s + 1).saturating_sub(window.s),
                Turns::Clock => at_s / window.s * window.s,
            };
            while self.at_s.get(from).is_some_and(|at| *at < first) {
                from += 1;
            }
            let upto = counts.get(place + 1).copied().unwrap_or_default();
            upto - counts.get(from).copied().unwrap_or_default()
        };
        self.at_s.iter().enumerate().map(place).collect()
    }

    /// What was taken in the moment of a place.
    fn taken(&self, place: usize) -> u64 {
        of_place(&self.accepted, place)
    }

    /// How well a window explains when refusals began, what was taken before, and what was
    /// refused in between.
    fn fit(&self, window: Window) -> Option<Fit> {
        let held = self.held(window);
        let at_onset = |place: &usize| {
            let refused = match window.counts {
                Counts::Accepted => 0,
                Counts::Attempts => of_place(&self.tried, *place) - self.taken(*place),
            };
            held.get(*place).copied().unwrap_or_default() - refused
        };
        let onsets: Vec<u64> = self.onsets.iter().map(at_onset).collect();
        let mut sorted = onsets.clone();
        sorted.sort_unstable();
        let quota = *sorted.get(sorted.len() / 2)?;
        if quota == 0 {
            return None;
        }
        // Sessions that were open when the limit was hit end in either way.
        let slack = (quota as f64 * 0.06).max(1.5);
        let is_near = |count: &&u64| (**count as f64 - quota as f64).abs() <= slack;
        let steady = onsets.iter().filter(is_near).count() as f64 / onsets.len() as f64;
        // What the window would have refused. A window that is too short is full all the time.
        let (mut taken, mut beyond) = (0, 0);
        let (mut refused, mut covered) = (0_u64, 0_u64);
        for (place, held) in held.iter().enumerate() {
            let of_moment = self.taken(place);
            taken += of_moment;
            beyond += of_moment.min(held.saturating_sub(quota));
            if self.is_paced.get(place).copied().unwrap_or_default() {
                refused += 1;
                covered += u64::from(*held as f64 >= quota as f64 - slack);
            }
        }
        let beyond = beyond as f64 / taken.max(1) as f64;
        let covered = covered as f64 / refused.max(1) as f64;
        Some(Fit { window, quota, score: steady - 2.0 * beyond - 0.5 * (1.0 - covered) })
    }

    /// How sure the best fit is: by what it explains, how often the limit was hit, and how much
    /// worse the next window explains it.
    fn confidence(&self, best: &Fit, rival: f64) -> f64 {
        let hits = self.onsets.len() as f64;
        let often = hits / (hits + 2.0);
        let alone = ((best.score - rival.max(0.0)) / 0.3).clamp(0.0, 1.0);
        (best.score.clamp(0.0, 1.0) * often * (0.35 + 0.65 * alone)).clamp(0.0, 1.0)
    }
}

/// What was counted in the moment of a place.
fn of_place(counts: &[u64], place: usize) -> u64 {
    let at = |place: usize| counts.get(place).copied().unwrap_or_default();
    at(place + 1).saturating_sub(at(place))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A receiver that takes so many in a window, and a sender that tries every few seconds.
    fn series(
        window: Window,
        quota: usize,
        gap_s: u32,
        pause: impl Fn(u32) -> bool,
    ) -> Vec<Moment> {
        let mut taken: Vec<u32> = Vec::new();
        let mut moments = Vec::new();
        for at_s in (1_795_242_600..1_795_242_600 + 100 * window.s).step_by(gap_s as usize) {
            if pause(at_s) {
                continue;
            }
            let first = match window.turns {
                Turns::Sliding => at_s + 1 - window.s,
                Turns::Clock => at_s / window.s * window.s,
            };
            let held = taken.iter().rev().take_while(|at| **at >= first).count();
            let is_taken = held < quota;
            if is_taken || window.counts == Counts::Attempts {
                taken.push(at_s);
            }
            let (accepted, paced) = if is_taken { (1, 0) } else { (0, 1) };
            moments.push(Moment { at_s, accepted, paced, failed: 0 });
        }
        moments
    }

    #[test]
    fn a_clocks_window_is_found() {
        let window = Window { s: 600, turns: Turns::Clock, counts: Counts::Accepted };
        let found = suspected_limit(&series(window, 50, 7, |_| false), 1).unwrap();
        assert_eq!((found.window_s, found.quota, found.turns), (600, 50, Turns::Clock));
        assert!(found.confidence > 0.6, "{found:?}");
    }

    #[test]
    fn a_sliding_window_is_found_where_mail_comes_in_waves() {
        let window = Window { s: 600, turns: Turns::Sliding, counts: Counts::Accepted };
        let in_waves = |at_s: u32| (at_s / 100) % 13 < 4;
        let found = suspected_limit(&series(window, 40, 3, in_waves), 1).unwrap();
        assert_eq!(found.window_s, 600, "{found:?}");
        assert!(found.quota.abs_diff(40) <= 2, "{found:?}");
    }

    #[test]
    fn a_few_refusals_say_nothing() {
        let moments: Vec<Moment> = (0..1000)
            .map(|at_s| Moment {
                at_s,
                accepted: 1,
                paced: u32::from(at_s % 400 == 399),
                failed: 0,
            })
            .collect();
        assert_eq!(suspected_limit(&moments, 1), None);
    }
}
