//! Which time a lane's plot shows: so far back from now, or from one moment to another.

use axum::http::StatusCode;
use postlane_api::Problem;
use postlane_api::wire::Timestamp;
use postlane_mail::{Instant, Span};
use serde::Deserialize;

use super::range::Range;
use crate::moments;
use crate::numbers::query;

/// How far back, or from when to when, as the address has it.
#[derive(Deserialize, Default, Clone)]
pub(crate) struct Asked {
    #[serde(default)]
    range: String,
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
}

/// Which time a plot shows, in whole bars.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) range: Range,
    pub(crate) from: Instant,
    pub(crate) to: Instant,
    /// What a bar covers.
    pub(crate) every: Span,
    /// Whether somebody chose from when to when.
    pub(crate) is_zoomed: bool,
}

/// Nothing shorter is shown: ten bars of a minute.
const SHORTEST: Span = Span::from_min(10);

/// Nothing longer: what was believed is remembered as long.
const LONGEST: Span = Span::from_h(24 * 8);

/// What a bar may cover, in minutes.
const BARS_MIN: [u64; 7] = [1, 2, 5, 10, 20, 60, 120];

/// Bars, at most: on a phone a bar is two pixels then.
const BARS_MAX: u64 = 130;

impl Window {
    /// What an address asks for.
    ///
    /// # Errors
    /// A moment that cannot be read.
    pub(crate) fn of(asked: &Asked, now: Instant) -> Result<Self, Problem> {
        let range = Range::named(&asked.range);
        if asked.from.is_empty() && asked.to.is_empty() {
            return Ok(Self::back(range, now));
        }
        let from = moment("from", &asked.from)?;
        let to = if asked.to.is_empty() { from + range.span } else { moment("to", &asked.to)? };
        Ok(Self::between(range, (from.min(to), from.max(to)), now))
    }

    /// So far back from now.
    fn back(range: Range, now: Instant) -> Self {
        let every = range.fine;
        let to = moments::floored(now, every) + every;
        Self { range, from: to - range.span, to, every, is_zoomed: false }
    }

    /// From one moment to another, made longer or shorter where that is too little or too much.
    fn between(range: Range, (from, to): (Instant, Instant), now: Instant) -> Self {
        // Nothing is known of what is to come.
        let latest = moments::floored(now, Span::from_min(1)) + Span::from_min(1);
        let length = Span(to.since(from).0.clamp(SHORTEST.0, LONGEST.0));
        let to = Instant((from + length).0.clamp(LONGEST.0, latest.0));
        let from = to - length;
        let fits = |min: &u64| length.0.div_ceil(Span::from_min(*min).0) < BARS_MAX;
        let every = Span::from_min(BARS_MIN.into_iter().find(fits).unwrap_or(240));
        let to = moments::floored(Instant(to.0 + every.0 - 1), every);
        Self { range, from: moments::floored(from, every), to, every, is_zoomed: true }
    }

    /// Whether it shows a moment. Back from now it shows the last decisions, however old they are.
    pub(crate) fn holds(&self, at: Instant) -> bool {
        !self.is_zoomed || (at >= self.from && at < self.to)
    }

    pub(crate) fn span(&self) -> Span {
        self.to.since(self.from)
    }

    /// As the query of an address has it.
    pub(crate) fn query(&self) -> String {
        match self.is_zoomed {
            false => query(&[("range", self.range.name)]),
            true => {
                let (from, to) = (moments::exact(self.from), moments::exact(self.to));
                query(&[("range", self.range.name), ("from", &from), ("to", &to)])
            }
        }
    }

    /// Other windows that are one step away: what it says, and the query.
    pub(crate) fn steps(&self, now: Instant) -> Vec<(&'static str, String)> {
        let (span, half) = (self.span(), Span(self.span().0 / 2));
        let quarter = Span(half.0 / 2);
        let mut steps = vec![("Earlier", (self.from - half, self.to - half))];
        if self.to < now {
            steps.push(("Later", (self.from + half, self.to + half)));
        }
        if half >= SHORTEST {
            steps.push(("Zoom in", (self.from + quarter, self.to - quarter)));
        }
        if Span(span.0 * 2) <= LONGEST {
            steps.push(("Zoom out", (self.from - half, self.to + half)));
        }
        let step = |(says, times): (&'static str, _)| {
            (says, Self::between(self.range, times, now).query())
        };
        let mut all: Vec<_> = steps.into_iter().map(step).collect();
        if self.is_zoomed {
            all.push(("To now", Self::back(self.range, now).query()));
        }
        all
    }

    /// From when and to when, as the fields of a form have it.
    pub(crate) fn fields(&self) -> [String; 2] {
        [self.from, self.to].map(|at| moments::exact(at).chars().take(16).collect())
    }
}

/// A moment in UTC, as addresses have it or as a form sends it.
fn moment(name: &str, text: &str) -> Result<Instant, Problem> {
    let read = |text: String| moments::read(&Timestamp(text));
    let found = read(text.to_owned())
        .or_else(|| read(format!("{text}Z")))
        .or_else(|| read(format!("{text}:00Z")));
    found.ok_or_else(|| {
        let says =
            format!("{name} {text:?} is no moment: write it in UTC, as 2026-11-21T05:39:05Z");
        Problem::new(StatusCode::BAD_REQUEST, says)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant::from_unix_s(1_795_239_545);

    fn asked(range: &str, from: &str, to: &str) -> Asked {
        Asked { range: range.to_owned(), from: from.to_owned(), to: to.to_owned() }
    }

    fn bars(window: Window) -> u64 {
        window.span().0 / window.every.0
    }

    fn of(from: &str, to: &str) -> Window {
        Window::of(&asked("3h", from, to), NOW).unwrap()
    }

    #[test]
    fn without_a_choice_it_is_so_far_back_from_now() {
        let window = of("", "");
        assert_eq!((window.every, bars(window)), (Span::from_min(2), 90));
        assert!(window.to > NOW && window.from < NOW && !window.is_zoomed);
        assert_eq!(window.query(), "range=3h");
    }

    #[test]
    fn what_is_chosen_is_shown_in_whole_bars_and_stands_in_the_address() {
        let window = of("2026-11-21T04:00:30Z", "2026-11-21T04:20");
        assert_eq!((window.every, bars(window)), (Span::from_min(1), 20));
        let asked = asked("3h", &moments::exact(window.from), &moments::exact(window.to));
        assert_eq!(Window::of(&asked, NOW).unwrap(), window, "{}", window.query());
        assert_eq!(of("2026-11-21T04:20", "2026-11-21T04:00:30Z"), window, "either way round");
        assert_eq!(window.fields(), ["2026-11-21T04:00", "2026-11-21T04:20"]);
    }

    #[test]
    fn too_little_too_much_and_what_is_to_come_are_brought_within_bounds() {
        assert_eq!(of("2026-11-21T04:00", "2026-11-21T04:01").span(), SHORTEST);
        let long = of("2020-01-01T00:00", "2026-11-21T04:00");
        assert!(bars(long) <= BARS_MAX && long.span().0 <= LONGEST.0 + long.every.0 * 2);
        let ahead = of("2026-11-21T05:30", "2026-12-21T05:50");
        assert!(ahead.to.0 <= NOW.0 + ahead.every.0, "{ahead:?}");
        assert!(Window::of(&asked("", "soon", ""), NOW).is_err());
        for far in ["1970-01-01T00:00", "9999-12-30T21:59"] {
            assert!(bars(of(far, far)) >= 10);
        }
    }

    #[test]
    fn each_step_leads_to_another_window_and_later_ends_at_now() {
        let window = of("2026-11-21T03:00", "2026-11-21T04:00");
        let says: Vec<_> = window.steps(NOW).into_iter().map(|(says, _)| says).collect();
        assert_eq!(says, ["Earlier", "Later", "Zoom in", "Zoom out", "To now"]);
        let first = of("", "").steps(NOW);
        assert!(!first.iter().any(|(says, _)| *says == "Later" || *says == "To now"), "{first:?}");
        let shortest = of("2026-11-21T04:00", "2026-11-21T04:10");
        assert!(!shortest.steps(NOW).iter().any(|(says, _)| *says == "Zoom in"));
    }
}
