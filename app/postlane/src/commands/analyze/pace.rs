//! The pace that the refusals of a provider suggest, for whichever program is to keep it.

use std::collections::BTreeMap;

use postlane_maillog::ProviderFigures;

use super::limit::Limit;

/// How much of a limit is used: lanes ask for the rest by themselves.
const SHARE: f64 = 0.9;

/// The pace that a provider's refusals suggest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pace {
    /// So many messages.
    pub(super) messages: u64,
    /// In so long, in seconds.
    pub(super) window_s: u64,
    /// Where it was read.
    pub(super) source: PaceSource,
}

/// Where a pace was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PaceSource {
    /// The limit that explains when refusals began.
    Limit,
    /// The provider's own words.
    Words,
    /// What was taken in ten minutes without a refusal.
    Clean,
    /// What was taken in an hour or a day that ended in refusals.
    Held,
}

impl Pace {
    /// The pace for a provider that refuses for the rate; `None` for others, or where nothing
    /// was taken.
    pub(super) fn of(figures: &ProviderFigures, limit: Option<&Limit>) -> Option<Self> {
        if figures.paced() == 0 {
            return None;
        }
        if let Some(limit) = limit {
            let messages = ((limit.quota as f64 * SHARE) as u64).max(1);
            let window_s = u64::from(limit.window_s);
            return Some(Self { messages, window_s, source: PaceSource::Limit });
        }
        if let Some((Some(window), Some(quota), _)) = figures.told_limit {
            let messages = ((f64::from(quota) * SHARE) as u64).max(1);
            return Some(Self {
                messages,
                window_s: window.as_s().max(1),
                source: PaceSource::Words,
            });
        }
        let messages = clean(figures)?;
        let clean = Self { messages, window_s: CLEAN_S, source: PaceSource::Clean };
        let held = HELD_S.into_iter().filter_map(|window_s| {
            let messages = ((held(figures, window_s)? as f64 * SHARE) as u64).max(1);
            Some(Self { messages, window_s, source: PaceSource::Held })
        });
        Some(held.fold(clean, |least, pace| if pace.rate() < least.rate() { pace } else { least }))
    }

    fn rate(self) -> f64 {
        self.messages as f64 / self.window_s as f64
    }

    /// As settings write it.
    pub(super) fn written(self) -> String {
        let unit = match self.window_s {
            1 => "s".to_owned(),
            60 => "m".to_owned(),
            3_600 => "h".to_owned(),
            86_400 => "d".to_owned(),
            s if s % 86_400 == 0 => format!("{}d", s / 86_400),
            s if s % 3_600 == 0 => format!("{}h", s / 3_600),
            s if s % 60 == 0 => format!("{}m", s / 60),
            s => format!("{s}s"),
        };
        format!("{}/{unit}", self.messages.min(1_000_000))
    }

    /// Where it was read, in words.
    pub(super) fn says(self) -> &'static str {
        match self.source {
            PaceSource::Limit => "nine tenths of the limit that explains when refusals began",
            PaceSource::Words => "nine tenths of what its replies say",
            PaceSource::Clean => {
                "the median of what was taken in ten minutes without a refusal; no window was found"
            }
            PaceSource::Held => {
                "nine tenths of the most that was taken while it refused; no window was found"
            }
        }
    }

    /// How long a refused message waits, in seconds: half a window, between five minutes and two
    /// hours.
    pub(super) fn backoff_s(self) -> u64 {
        (self.window_s / 2).clamp(300, 7_200) / 60 * 60
    }
}

/// The pieces in which mail is counted that was taken without a refusal, in seconds.
const CLEAN_S: u64 = 600;

/// The median of what was taken in ten minutes that saw mail taken and no refusal for the rate;
/// else of what was taken in any.
fn clean(figures: &ProviderFigures) -> Option<u64> {
    let mut pieces: Vec<(u64, u64)> = Vec::new();
    let mut at = None;
    for moment in &figures.moments {
        let piece = u64::from(moment.at_s) / CLEAN_S;
        if at != Some(piece) {
            at = Some(piece);
            pieces.push((0, 0));
        }
        if let Some((accepted, paced)) = pieces.last_mut() {
            *accepted += u64::from(moment.accepted);
            *paced += u64::from(moment.paced);
        }
    }
    let median = |is_wanted: &dyn Fn(&(u64, u64)) -> bool| {
        let wanted = pieces.iter().filter(|piece| piece.0 > 0 && is_wanted(piece));
        let mut counts: Vec<u64> = wanted.map(|piece| piece.0).collect();
        counts.sort_unstable();
        counts.get(counts.len() / 2).copied()
    };
    median(&|piece| piece.1 == 0).or_else(|| median(&|_| true))
}

/// How long the stretches are in which a provider may have taken no more, in seconds: who takes
/// 250 in ten minutes and then nothing for an hour does not take 250 in each ten minutes.
const HELD_S: [u64; 2] = [3_600, 86_400];

/// The most that was taken in a stretch of so many seconds in which some was refused for the rate; `None`
/// where the log is shorter, or nothing was taken in such a stretch.
fn held(figures: &ProviderFigures, window_s: u64) -> Option<u64> {
    let first = u64::from(figures.moments.first()?.at_s);
    let last = u64::from(figures.moments.last()?.at_s);
    if last - first < window_s {
        return None;
    }
    let mut stretches: BTreeMap<u64, (u64, bool)> = BTreeMap::new();
    for moment in &figures.moments {
        let stretch = stretches.entry((u64::from(moment.at_s) - first) / window_s).or_default();
        stretch.0 += u64::from(moment.accepted);
        stretch.1 |= moment.paced > 0;
    }
    let taken = stretches.into_values().filter(|(accepted, refused)| *refused && *accepted > 0);
    taken.map(|(accepted, _)| accepted).max()
}
