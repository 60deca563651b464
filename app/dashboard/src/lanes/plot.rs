//! The large plot of a lane: what was sent, accepted and refused, against what is believed of the
//! limit. Drawn here; a module lets people move through it, and a table says the same in words.

use std::fmt::Write as _;

use postlane_mail::{Instant, Span};

use super::recorder::Sample;
use super::stretch::{Course, Stretch};
use crate::moments;
use crate::numbers::{count, plain, query, span};

/// Height of the plot and of the band beneath, in pixels; the width is the page's.
const HEIGHT: f64 = 216.0;
const TOP: f64 = 18.0;
const BAND: f64 = 14.0;

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
    course: Course,
    /// Of each stretch what the lane believed then; none where nobody looked.
    believed: Vec<Option<Sample>>,
    markers: Vec<Marker>,
    now: Instant,
    /// Keys of the log's address that all numbers lead to.
    of: Vec<(String, String)>,
}

/// A stretch in words, a row of the table.
pub(crate) struct PlotRow {
    pub(crate) from: String,
    pub(crate) exact: String,
    pub(crate) stretch: Stretch,
    pub(crate) log: String,
    pub(crate) limit: String,
    pub(crate) state: String,
    pub(crate) changes: String,
}

impl Plot {
    pub(crate) fn new(
        course: Course,
        samples: &[Sample],
        markers: Vec<Marker>,
        (now, of): (Instant, Vec<(String, String)>),
    ) -> Self {
        let begins = |place: usize| course.begins(place);
        let within = |place: usize| {
            let (from, to) = (begins(place), begins(place + 1));
            samples.iter().rev().find(|sample| sample.at >= from && sample.at < to).copied()
        };
        let believed = (0..course.stretches.len()).map(within).collect();
        let markers =
            markers.into_iter().filter(|m| m.at >= course.from && m.at <= course.ends()).collect();
        Self { course, believed, markers, now, of }
    }

    /// What one bar covers.
    pub(crate) fn unit(&self) -> String {
        span(self.course.every.as_s()).replace("60 s", "1 min")
    }

    /// Messages in one stretch at what the lane believed: its pace, or what the limit lets through
    /// over its whole window where that is less.
    fn limit(&self, place: usize) -> Option<f64> {
        let sample = self.believed.get(place).copied().flatten()?;
        let every_s = self.course.every.0 as f64 / 1e6;
        let by_quota = sample
            .quota
            .map(|(messages, window)| f64::from(messages) / (window.0 as f64 / 1e6).max(1.0));
        let per_s = match (sample.rate, by_quota) {
            (Some(rate), Some(quota)) => rate.min(quota),
            (rate, quota) => rate.or(quota)?,
        };
        Some(per_s * every_s)
    }

    /// The top of the plot: what was sent, and of the limit as much as is near it.
    fn most(&self) -> f64 {
        let sent = self.course.stretches.iter().map(Stretch::attempts).max().unwrap_or_default();
        let limits = (0..self.believed.len()).filter_map(|place| self.limit(place));
        let limit = limits.fold(0.0_f64, f64::max);
        rounded_up((sent as f64).max(limit.min(sent as f64 * 2.0 + 4.0)).max(4.0) * 1.04)
    }

    pub(crate) fn rows(&self) -> Vec<PlotRow> {
        let row = |(place, stretch): (usize, &Stretch)| {
            let (from, to) = (self.course.begins(place), self.course.begins(place + 1));
            let changes: Vec<&str> = self
                .markers
                .iter()
                .filter(|marker| marker.at >= from && marker.at < to)
                .map(|marker| marker.says.as_str())
                .collect();
            let believed = self.believed.get(place).copied().flatten();
            PlotRow {
                from: moments::day_and_minute(from),
                exact: moments::exact(from),
                stretch: *stretch,
                log: self.log(from, to),
                limit: self.limit(place).map_or_else(|| "–".to_owned(), plain),
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

    /// The plot in a sentence.
    pub(crate) fn says(&self) -> String {
        let sum = self.course.sum();
        format!(
            "In {}: {} attempts, {} accepted, {} deferred, {} refused for good; {} changes",
            span(self.course.ends().since(self.course.from).as_s()),
            count(sum.attempts()),
            count(sum.accepted),
            count(sum.deferred()),
            count(sum.bounced),
            self.markers.len()
        )
    }

    /// Where a moment stands, in percent of the width.
    fn x(&self, at: Instant) -> f64 {
        let all = self.course.ends().since(self.course.from).0.max(1) as f64;
        at.since(self.course.from).0 as f64 / all * 100.0
    }

    pub(crate) fn svg(&self) -> String {
        let mut svg = String::with_capacity(16 << 10);
        let most = self.most();
        let floor = HEIGHT - BAND - 24.0;
        let y = |messages: f64| floor - messages / most * (floor - TOP);
        for line in [0.0, 0.5, 1.0] {
            let at = y(most * line);
            let _ =
                write!(svg, r#"<line class="grid" x1="0" x2="100%" y1="{at:.1}" y2="{at:.1}"/>"#);
        }
        let _ = write!(
            svg,
            r#"<svg x="0" y="0" width="100%" height="{HEIGHT}" viewBox="0 0 {} {HEIGHT}" preserveAspectRatio="none">"#,
            self.course.stretches.len()
        );
        self.bars(&mut svg, y);
        self.limits(&mut svg, |limit| y(limit.min(most)));
        self.band(&mut svg);
        svg.push_str("</svg>");
        self.labels(&mut svg, (most, floor));
        self.marks(&mut svg, floor);
        svg.push_str(r#"<line class="cross" x1="-1" x2="-1" y1="0" y2="100%"/>"#);
        svg
    }

    fn bars(&self, svg: &mut String, y: impl Fn(f64) -> f64) {
        for (place, stretch) in self.course.stretches.iter().enumerate() {
            let mut below = 0.0;
            for (class, many) in [
                ("accepted", stretch.accepted),
                ("deferred", stretch.deferred()),
                ("refused", stretch.bounced),
            ] {
                if many == 0 {
                    continue;
                }
                let above = below + many as f64;
                let (top, height) = (y(above), (y(below) - y(above)).max(1.0));
                let _ = write!(
                    svg,
                    r#"<rect class="{class}" x="{place}.08" width="0.84" y="{top:.1}" height="{height:.1}"/>"#
                );
                below = above;
            }
        }
    }

    /// The limit as steps; where nobody looked there is a gap.
    fn limits(&self, svg: &mut String, y: impl Fn(f64) -> f64) {
        let mut path = String::new();
        let mut is_drawing = false;
        for place in 0..self.course.stretches.len() {
            match self.limit(place) {
                Some(limit) => {
                    let verb = if is_drawing { 'L' } else { 'M' };
                    let at = y(limit);
                    let _ = write!(path, "{verb}{place} {at:.1}L{} {at:.1}", place + 1);
                    is_drawing = true;
                }
                None => is_drawing = false,
            }
        }
        if !path.is_empty() {
            let _ = write!(svg, r#"<path class="limit" d="{path}"/>"#);
        }
    }

    fn band(&self, svg: &mut String) {
        let top = HEIGHT - BAND - 18.0;
        let mut place = 0;
        while let Some(sample) = self.believed.get(place) {
            let class = sample.map_or("gap", |sample| sample.chip.class());
            let same = |other: &&Option<Sample>| other.map_or("gap", |s| s.chip.class()) == class;
            let many = self.believed.iter().skip(place).take_while(same).count();
            let _ = write!(
                svg,
                r#"<rect class="state {class}" x="{place}" width="{many}" y="{top:.1}" height="{BAND}"/>"#
            );
            place += many;
        }
    }

    fn labels(&self, svg: &mut String, (most, floor): (f64, f64)) {
        for share in [0.5, 1.0] {
            let at = floor - share * (floor - TOP) - 4.0;
            let _ = write!(
                svg,
                r#"<text class="tick" x="4" y="{at:.1}">{} per {}</text>"#,
                plain(most * share),
                self.unit()
            );
        }
        let all = self.course.ends().since(self.course.from);
        let step = [10_u64, 30, 60, 180, 360, 1_440]
            .into_iter()
            .map(Span::from_min)
            .find(|step| all.0 / step.0 <= 8)
            .unwrap_or(Span::from_h(24));
        let mut at = moments::floored(self.course.from, step) + step;
        let mut number = 0;
        while at < self.course.ends() {
            let x = self.x(at);
            let says = match step.as_s() >= 86_400 {
                true => moments::day_and_minute(at),
                false => moments::minute(at),
            };
            if (3.0..=96.0).contains(&x) {
                let minor = if number % 2 == 1 { " minor" } else { "" };
                let _ = write!(
                    svg,
                    r#"<text class="tick time{minor}" x="{x:.2}%" y="{}">{says}</text>"#,
                    HEIGHT - 4.0
                );
            }
            number += 1;
            at = at + step;
        }
        let x = self.x(self.now).min(100.0);
        let _ = write!(
            svg,
            r#"<line class="now" x1="{x:.2}%" x2="{x:.2}%" y1="{TOP}" y2="{floor:.1}"/>"#
        );
    }

    fn marks(&self, svg: &mut String, floor: f64) {
        for marker in &self.markers {
            let x = self.x(marker.at);
            let class = if marker.is_manual { "manual" } else { "auto" };
            let _ = write!(
                svg,
                r#"<g class="mark {class}"><line x1="{x:.2}%" x2="{x:.2}%" y1="8" y2="{floor:.1}"/><circle cx="{x:.2}%" cy="7" r="4"/></g>"#
            );
        }
    }
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
    use super::super::chip::Chip;
    use super::*;

    const NOW: Instant = Instant::from_unix_s(1_795_239_545);

    fn plot(believed: impl Fn(usize) -> Option<(f64, Chip)>) -> Plot {
        let mut course = Course::empty(NOW, Span::from_min(2), 90);
        course.stretches[40] =
            Stretch { accepted: 30, deferred_fresh: 10, fresh: 40, ..Stretch::default() };
        let sample = |place: usize| {
            let (rate, chip) = believed(place)?;
            Some(Sample { at: course.begins(place), chip, rate: Some(rate), quota: None })
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
        Plot::new(course, &samples, markers, (NOW, of))
    }

    #[test]
    fn where_nobody_looked_there_is_a_gap_in_line_and_band() {
        let plot = plot(|place| (!(30..60).contains(&place)).then_some((0.25, Chip::Healthy)));
        let svg = plot.svg();
        let (_, path) = svg.split_once(r#"class="limit" d=""#).unwrap();
        assert_eq!(path.split('"').next().unwrap().matches('M').count(), 2, "{path}");
        assert!(svg.contains(r#"class="state gap" x="30" width="30""#), "{svg}");
        assert_eq!(plot.rows()[45].state, "not recorded");
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
        assert_eq!(rows[41].changes, "pinned <2/m>");
        assert_eq!(plot.markers.len(), 1, "what was before is not in the picture");
        assert!(plot.says().contains("40 attempts, 30 accepted, 10 deferred"), "{}", plot.says());
        assert!(!plot.svg().contains("<2/m>"), "what others wrote is in the table alone");
    }

    #[test]
    fn a_limit_far_above_what_is_sent_does_not_flatten_the_bars() {
        assert_eq!(plot(|_| Some((1_000.0, Chip::Healthy))).most(), 100.0);
        assert_eq!(plot(|_| None).most(), 50.0);
        assert_eq!([1.0, 3.0, 43.0, 810.0].map(rounded_up), [1.0, 4.0, 50.0, 1_000.0]);
    }
}
