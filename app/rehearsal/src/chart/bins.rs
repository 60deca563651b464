//! A run cut into equal stretches of time, one for each column of a picture.

use postlane_receivers::Ms;

use crate::run::{LaneMark, Run};

/// A run in columns. Rates are messages a minute.
#[derive(Debug)]
pub(crate) struct Bins {
    /// How long a column is.
    pub(crate) width: Ms,
    /// 250s.
    pub(crate) accepted: Vec<f64>,
    /// 4xx.
    pub(crate) deferred: Vec<f64>,
    /// What the lanes that were not at rest would have sent; `None` without marks.
    pub(crate) pace: Option<Vec<f64>>,
    /// By source that has marks: its place, and the state that lasted longest in each column.
    pub(crate) lanes: Vec<(u16, Vec<Option<State>>)>,
}

/// A lane's state, as far as a picture tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    Healthy,
    Steady,
    Resting,
    Held,
    Restart,
}

impl State {
    pub(crate) const ALL: [Self; 5] =
        [Self::Healthy, Self::Steady, Self::Resting, Self::Held, Self::Restart];

    pub(crate) fn of(word: &str) -> Self {
        match word {
            "steady" => Self::Steady,
            "resting" => Self::Resting,
            "held" => Self::Held,
            _ if word.starts_with("restart") => Self::Restart,
            _ => Self::Healthy,
        }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Steady => "steady",
            Self::Resting => "resting",
            Self::Held => "held",
            Self::Restart => "restart plan",
        }
    }

    /// Whether a lane in this state sends at its pace.
    fn sends(self) -> bool {
        !matches!(self, Self::Resting | Self::Held)
    }
}

impl Bins {
    /// At most so many columns.
    pub(crate) fn of(run: &Run, columns: usize) -> Self {
        const MINUTE: u64 = Ms::from_min(1).0;
        let minutes = run.ended.0.div_ceil(MINUTE).max(1);
        let width = minutes.div_ceil(columns.max(1) as u64);
        let count = minutes.div_ceil(width) as usize;
        let (mut accepted, mut deferred) = (vec![0.0; count], vec![0.0; count]);
        for (minute, what) in &run.minutes {
            let column = ((minute / width) as usize).min(count - 1);
            accepted[column] += f64::from(what.accepted) / width as f64;
            deferred[column] += f64::from(what.deferred) / width as f64;
        }
        // Short runs are stretched, so that a picture is as wide as it may be.
        let stretch = (columns / count).max(1);
        let wide = |bins: Vec<f64>| bins.into_iter().flat_map(|bin| vec![bin; stretch]).collect();
        let (accepted, deferred, count) = (wide(accepted), wide(deferred), count * stretch);
        let width = Ms(width * MINUTE / stretch as u64);
        let mut sources: Vec<u16> = run.lanes.iter().map(|mark| mark.source).collect();
        sources.sort_unstable();
        sources.dedup();
        let mut pace = vec![0.0; count];
        let lanes = sources.into_iter().map(|source| {
            let marks: Vec<&LaneMark> = run.lanes.iter().filter(|m| m.source == source).collect();
            (source, lane(&marks, width, run.ended, &mut pace))
        });
        let lanes: Vec<_> = lanes.collect();
        let pace = (!lanes.is_empty()).then_some(pace);
        Self { width, accepted, deferred, pace, lanes }
    }

    pub(crate) fn columns(&self) -> usize {
        self.accepted.len()
    }

    /// The highest of what was accepted and refused in a column; never 0. Paces may go off the
    /// picture: a lane that has not much to send may be far from its pace.
    pub(crate) fn highest(&self) -> f64 {
        self.accepted.iter().chain(&self.deferred).copied().fold(0.0, f64::max).max(0.1)
    }
}

/// A lane's states by column; its pace is added to what there is.
fn lane(marks: &[&LaneMark], width: Ms, ended: Ms, pace: &mut [f64]) -> Vec<Option<State>> {
    let mut lasted = vec![[0_u64; State::ALL.len()]; pace.len()];
    for (place, mark) in marks.iter().enumerate() {
        let until = marks.get(place + 1).map_or(ended, |next| next.at);
        let state = State::of(&mark.state);
        let mut at = mark.at;
        while at < until {
            let column = ((at.0 / width.0) as usize).min(pace.len() - 1);
            let end = until.min(Ms((column as u64 + 1) * width.0)).max(at + Ms(1));
            let share = (end - at).0 as f64 / width.0 as f64;
            lasted[column][state as usize] += (end - at).0;
            if state.sends() {
                pace[column] += mark.rate.unwrap_or(0.0) * 60.0 * share;
            }
            at = end;
        }
    }
    let longest = |lasted: &[u64; State::ALL.len()]| {
        let most = lasted.iter().copied().max().filter(|most| *most > 0)?;
        lasted.iter().position(|l| *l == most).map(|place| State::ALL[place])
    };
    lasted.iter().map(longest).collect()
}

/// The steps between the marks of an axis of time: at most so many of them.
pub(crate) fn hours_step(ended: Ms, marks: u64) -> Ms {
    const STEPS_MIN: [u64; 14] =
        [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1_440, 2_880, 10_080];
    let fits = |step: &u64| ended.0 / Ms::from_min(*step).0 <= marks;
    Ms::from_min(STEPS_MIN.into_iter().find(fits).unwrap_or(20_160))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Minute;

    #[test]
    fn what_happens_is_told_by_the_minute_and_stretched() {
        let mut run = Run::new(1);
        run.ended = Ms::from_min(3);
        run.minutes.insert(2, Minute { accepted: 7, deferred: 0, attempts: 7 });
        let bins = Bins::of(&run, 6);
        assert_eq!(bins.accepted, [0.0, 0.0, 0.0, 0.0, 7.0, 7.0]);
        assert!(bins.pace.is_none());
    }

    #[test]
    fn a_column_shows_the_state_that_lasted_longest_and_rest_has_no_pace() {
        let mut run = Run::new(1);
        run.ended = Ms::from_min(2);
        for (s, state) in [(0, "healthy"), (40, "resting"), (110, "steady")] {
            run.lanes.push(LaneMark {
                at: Ms::from_s(s),
                source: 0,
                state: state.to_owned(),
                rate: Some(1.0),
                reason: String::new(),
            });
        }
        let bins = Bins::of(&run, 2);
        assert_eq!(bins.lanes[0].1, [Some(State::Healthy), Some(State::Resting)]);
        assert_eq!(bins.pace.unwrap(), [40.0, 10.0]);
    }
}
