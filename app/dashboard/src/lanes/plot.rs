//! The large plot of a lane: what was sent, accepted and refused, against what is believed of the
//! limit. A module lets people move through it, and a table says the same in words.

use postlane_mail::Instant;

use super::sample::Sample;
use super::stretch::{Course, Stretch};
use crate::moments;
use crate::numbers::{count, percent, plain, query, span};

/// Something that changed what a lane may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Marker {
    pub(crate) at: Instant,
    /// What, and why.
    pub(crate) says: String,
    /// Who; the lane itself where it says so.
    pub(crate) who: String,
    /// Whether a person ordered it.
    pub(crate) is_manual: bool,
}

/// What is drawn.
pub(crate) struct Plot {
    pub(super) course: Course,
    /// Of each stretch what the lane believed then; none where nobody looked.
    pub(super) believed: Vec<Option<Sample>>,
    pub(super) markers: Vec<Marker>,
    pub(super) now: Instant,
    /// Messages a second that the configuration never lets it exceed.
    pub(super) ceiling: Option<f64>,
    /// Keys of the log's address that all numbers lead to.
    of: Vec<(String, String)>,
}

/// A stretch in words, a row of the table.
pub(crate) struct PlotRow {
    pub(crate) from: String,
    pub(crate) exact: String,
    /// When it ends, exactly.
    pub(crate) until: String,
    pub(crate) stretch: Stretch,
    pub(crate) fresh_deferral: String,
    pub(crate) log: String,
    pub(crate) limit: String,
    pub(crate) believed: String,
    pub(crate) state: String,
    pub(crate) changes: String,
}

impl Plot {
    pub(crate) fn new(
        course: Course,
        samples: &[Sample],
        markers: Vec<Marker>,
        (now, ceiling, of): (Instant, Option<f64>, Vec<(String, String)>),
    ) -> Self {
        let within = |place: usize| {
            let (from, to) = (course.begins(place), course.begins(place + 1));
            // The latest that reaches into it.
            samples.iter().rev().find(|sample| sample.from < to && sample.until > from).cloned()
        };
        let believed = (0..course.stretches.len()).map(within).collect();
        let markers =
            markers.into_iter().filter(|m| m.at >= course.from && m.at < course.ends()).collect();
        Self { course, believed, markers, now, ceiling, of }
    }

    /// What one bar covers.
    pub(crate) fn unit(&self) -> String {
        span(self.course.every.as_s()).replace("60 s", "1 min")
    }

    /// What is drawn, in which unit, and from when to when.
    pub(crate) fn caption(&self) -> String {
        let (from, to) = (self.course.from, self.course.ends());
        let to = match moments::day(from) == moments::day(to) {
            true => moments::minute(to),
            false => moments::day_and_minute(to),
        };
        format!("Recipients in {} each, {} to {to} UTC", self.unit(), moments::day_and_minute(from))
    }

    /// Messages in one stretch, of messages a second.
    pub(super) fn in_stretch(&self, per_s: f64) -> f64 {
        per_s * self.course.every.0 as f64 / 1e6
    }

    /// Messages in one stretch at what the lane believed.
    pub(super) fn limit(&self, place: usize) -> Option<f64> {
        let sample = self.believed.get(place)?.as_ref()?;
        sample.pace().map(|per_s| self.in_stretch(per_s))
    }

    /// Messages in one stretch at a limit that it suspected alone.
    pub(super) fn suspected(&self, place: usize) -> Option<f64> {
        let sample = self.believed.get(place)?.as_ref()?;
        sample.suspected.map(|per_s| self.in_stretch(per_s))
    }

    /// The top of the plot: what was sent, and of the limit as much as is near it.
    pub(super) fn most(&self) -> f64 {
        let sent = self.course.stretches.iter().map(Stretch::attempts).max().unwrap_or_default();
        let limits = (0..self.believed.len()).filter_map(|place| self.limit(place));
        let limit = limits.fold(0.0_f64, f64::max);
        rounded_up((sent as f64).max(limit.min(sent as f64 * 2.0 + 4.0)).max(4.0) * 1.04)
    }

    pub(crate) fn rows(&self) -> Vec<PlotRow> {
        let row = |(place, stretch): (usize, &Stretch)| {
            let (from, to) = (self.course.begins(place), self.course.begins(place + 1));
            let within = self.markers.iter().filter(|marker| marker.at >= from && marker.at < to);
            let changes: Vec<String> =
                within.map(|marker| format!("{}, by {}", marker.says, marker.who)).collect();
            let believed = self.believed.get(place).and_then(Option::as_ref);
            PlotRow {
                from: moments::day_and_minute(from),
                exact: moments::exact(from),
                until: moments::exact(to),
                stretch: *stretch,
                fresh_deferral: stretch.fresh_deferral().map_or_else(dash, percent),
                log: self.log(from, to),
                limit: self.limit(place).map_or_else(dash, plain),
                believed: believed.map_or_else(String::new, |b| b.says.clone()),
                state: believed.map_or_else(|| "not recorded".to_owned(), |b| b.chip.says()),
                changes: changes.join("; "),
            }
        };
        self.course.stretches.iter().enumerate().map(row).collect()
    }

    fn log(&self, from: Instant, to: Instant) -> String {
        let (since, until) = (moments::exact(from), moments::exact(to));
        let mut pairs: Vec<(&str, &str)> =
            self.of.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        pairs.extend([("since", since.as_str()), ("until", until.as_str())]);
        format!("/log?{}", query(&pairs))
    }

    /// The plot in a few sentences.
    pub(crate) fn says(&self) -> String {
        let sum = self.course.sum();
        let gaps = self.believed.iter().filter(|sample| sample.is_none()).count();
        let gaps = match gaps {
            0 => String::new(),
            gaps => format!(" In {gaps} of {} bars nothing was recorded.", self.believed.len()),
        };
        let (top, busiest) = self.busiest();
        format!(
            "{}. {} attempts: {} accepted, {} deferred, {} refused for good. At most {top} in one bar,              from {busiest}. {} changes.{gaps}",
            self.caption(),
            count(sum.attempts()),
            count(sum.accepted),
            count(sum.deferred()),
            count(sum.bounced),
            self.markers.len()
        )
    }

    /// The most attempts in a stretch, and when the first such one began.
    fn busiest(&self) -> (String, String) {
        let most = self.course.stretches.iter().map(Stretch::attempts).max().unwrap_or_default();
        let place = self.course.stretches.iter().position(|s| s.attempts() == most);
        (count(most), moments::minute(self.course.begins(place.unwrap_or_default())))
    }
}

fn dash() -> String {
    "–".to_owned()
}

/// The next number that is easy to halve: 1, 2, 4, 5 or 8 with zeros.
fn rounded_up(figure: f64) -> f64 {
    let tens = 10_f64.powf(figure.log10().floor());
    let steps = [1.0, 2.0, 4.0, 5.0, 6.0, 8.0, 10.0];
    let step = steps.into_iter().find(|step| figure <= step * tens);
    step.map_or(figure, |step| step * tens)
}

#[cfg(test)]
mod tests {
    use postlane_mail::Span;

    use super::super::chip::Chip;
    use super::*;

    const NOW: Instant = Instant::from_unix_s(1_795_239_545);

    fn plot(believed: impl Fn(usize) -> Option<(f64, Chip)>) -> Plot {
        let mut course = Course::empty(NOW, Span::from_min(2), 90);
        course.stretches[40] =
            Stretch { accepted: 30, deferred_fresh: 10, fresh: 40, ..Stretch::default() };
        let sample = |place: usize| {
            let (rate, chip) = believed(place)?;
            let (from, until) = (course.begins(place), course.begins(place + 1));
            let (rate, suspected) = (Some(rate), Some(0.05));
            let says = "6 in 2 min, suspected".to_owned();
            Some(Sample { from, until, chip, rate, relied_on: None, suspected, says })
        };
        let samples: Vec<Sample> = (0..90).filter_map(sample).collect();
        let marker = |at, who: &str| Marker {
            at,
            says: "pinned <2/m>".to_owned(),
            who: who.to_owned(),
            is_manual: who != "controller",
        };
        let markers = vec![marker(course.begins(41), "jo"), marker(Instant(1), "controller")];
        let of = vec![("provider".to_owned(), "google".to_owned())];
        Plot::new(course, &samples, markers, (NOW, Some(0.375), of))
    }

    #[test]
    fn where_nobody_looked_there_is_a_gap_in_line_and_band() {
        let plot = plot(|place| (!(30..60).contains(&place)).then_some((0.25, Chip::Healthy)));
        let svg = plot.svg();
        let (_, path) = svg.split_once(r#"class="limit" d=""#).unwrap();
        assert_eq!(path.split('"').next().unwrap().matches('M').count(), 2, "{path}");
        assert!(svg.contains(r#"class="state gap" x="30" width="30""#), "{svg}");
        assert!(svg.contains(r#"class="gap" x="30" width="30""#), "{svg}");
        assert_eq!(svg.matches(r#"class="suspected""#).count(), 1, "{svg}");
        assert_eq!(plot.rows()[45].state, "not recorded");
        assert!(plot.says().ends_with("In 30 of 90 bars nothing was recorded."), "{}", plot.says());
        assert_eq!(
            (plot.rows()[10].limit.as_str(), plot.rows()[10].state.as_str()),
            ("30", "Healthy")
        );
    }

    #[test]
    fn every_number_leads_to_the_rows_behind_it_and_changes_stand_in_their_time() {
        let plot = plot(|_| Some((0.25, Chip::Resting)));
        let rows = plot.rows();
        assert!(rows[40].log.starts_with("/log?provider=google&since=2026-"), "{}", rows[40].log);
        assert_eq!(rows[41].changes, "pinned <2/m>, by jo");
        assert_eq!(
            (rows[40].fresh_deferral.as_str(), rows[40].until.clone()),
            ("25 %", rows[41].exact.clone())
        );
        assert_eq!(rows[40].believed, "6 in 2 min, suspected");
        assert_eq!(plot.markers.len(), 1, "what was before is not in the picture");
        assert!(plot.says().contains("40 attempts: 30 accepted, 10 deferred"), "{}", plot.says());
        assert!(!plot.svg().contains("<2/m>"), "what others wrote is in the table alone");
    }

    #[test]
    fn thresholds_are_lines_and_unit_and_time_zone_are_said() {
        let plot = plot(|_| Some((0.25, Chip::Healthy)));
        let svg = plot.svg();
        assert!(svg.contains(r#"class="ceiling""#) && svg.contains(">ceiling 22.5/min<"), "{svg}");
        assert!(svg.contains(">2 %<") && svg.contains(">10 %<"), "{svg}");
        assert!(svg.contains("per 2 min<") && svg.contains(">UTC<"), "{svg}");
        assert!(plot.caption().starts_with("Recipients in 2 min each, 2"), "{}", plot.caption());
    }

    #[test]
    fn a_limit_far_above_what_is_sent_does_not_flatten_the_bars() {
        assert_eq!(plot(|_| Some((1_000.0, Chip::Healthy))).most(), 100.0);
        assert_eq!(plot(|_| None).most(), 50.0);
        assert_eq!([1.0, 3.0, 43.0, 810.0].map(rounded_up), [1.0, 4.0, 50.0, 1_000.0]);
    }
}
