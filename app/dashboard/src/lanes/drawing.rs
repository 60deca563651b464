//! How a lane's large plot is drawn: bars, lines, the state as a band, and beneath it how much fresh mail
//! was deferred.

use std::fmt::Write as _;

use askama::Template;
use postlane_mail::{Instant, Span};

use super::chip::band;
use super::plot::{Plot, PlotRow};
use super::sample::Sample;
use crate::moments;
use crate::numbers::{plain, rate};

/// What was sent against what is believed.
#[derive(Template)]
#[template(path = "lane_plot.html")]
pub(super) struct PlotPart {
    plot: Plot,
    rows: Vec<PlotRow>,
    svg: String,
    /// The lane's page, which a stretch of the plot is asked of.
    here: String,
    height: f64,
}

impl PlotPart {
    pub(super) fn of(plot: Plot, here: String) -> Self {
        Self { rows: plot.rows(), svg: plot.svg(), plot, here, height: HEIGHT }
    }
}

/// From top to bottom, in pixels; the width is the page's.
const HEIGHT: f64 = 284.0;
const TOP: f64 = 18.0;
const FLOOR: f64 = 178.0;
const BAND: (f64, f64) = (184.0, 14.0);
const SHARES: (f64, f64) = (208.0, 50.0);
const TIMES: f64 = 278.0;

impl Plot {
    pub(crate) fn svg(&self) -> String {
        let mut svg = String::with_capacity(16 << 10);
        let most = self.most();
        let y = |messages: f64| FLOOR - messages / most * (FLOOR - TOP);
        for line in [0.0, 0.5, 1.0] {
            grid(&mut svg, y(most * line));
        }
        grid(&mut svg, SHARES.0 + SHARES.1);
        let _ = write!(
            svg,
            r#"<svg x="0" y="0" width="100%" height="{HEIGHT}" viewBox="0 0 {} {HEIGHT}" preserveAspectRatio="none">"#,
            self.course.stretches.len()
        );
        self.gaps(&mut svg);
        self.bars(&mut svg, y);
        let near = |limit: f64| y(limit.min(most));
        steps(&mut svg, "limit", self.course.stretches.len(), |place| self.limit(place).map(near));
        let suspected = |place| self.suspected(place).filter(|limit| *limit <= most).map(y);
        steps(&mut svg, "suspected", self.course.stretches.len(), suspected);
        self.band(&mut svg);
        self.shares(&mut svg);
        svg.push_str("</svg>");
        self.thresholds(&mut svg, (most, y));
        self.labels(&mut svg, most);
        self.marks(&mut svg);
        svg.push_str(
            r#"<rect class="chosen" x="0" width="0" y="0" height="100%"/><line class="cross" x1="-1" x2="-1" y1="0" y2="100%"/>"#,
        );
        svg
    }

    /// Where a moment stands, in percent of the width.
    fn x(&self, at: Instant) -> f64 {
        let all = self.course.ends().since(self.course.from).0.max(1) as f64;
        at.since(self.course.from).0 as f64 / all * 100.0
    }

    /// Where nobody looked.
    fn gaps(&self, svg: &mut String) {
        for (place, many, class) in self.runs(|_| "recorded") {
            if class == "gap" {
                let height = BAND.0 + BAND.1 - TOP;
                let _ = write!(
                    svg,
                    r#"<rect class="gap" x="{place}" width="{many}" y="{TOP}" height="{height}"/>"#
                );
            }
        }
    }

    /// Stretches one after the other that are alike: where they begin, how many, and of which class.
    fn runs(&self, class: impl Fn(&Sample) -> &'static str) -> Vec<(usize, usize, &'static str)> {
        let mut runs: Vec<(usize, usize, &'static str)> = Vec::new();
        for (place, sample) in self.believed.iter().enumerate() {
            let class = sample.as_ref().map_or("gap", &class);
            match runs.last_mut() {
                Some((_, many, last)) if *last == class => *many += 1,
                _ => runs.push((place, 1, class)),
            }
        }
        runs
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

    fn band(&self, svg: &mut String) {
        let (top, height) = BAND;
        for (place, many, class) in self.runs(|sample| sample.chip.class()) {
            let _ = write!(
                svg,
                r#"<rect class="state {class}" x="{place}" width="{many}" y="{top:.1}" height="{height}"/>"#
            );
        }
    }

    /// Of first attempts those deferred; where there was no first attempt there is nothing.
    fn shares(&self, svg: &mut String) {
        for (place, stretch) in self.course.stretches.iter().enumerate() {
            let Some(share) = stretch.fresh_deferral() else { continue };
            let floor = SHARES.0 + SHARES.1;
            let height = (floor - share_y(share)).max(1.5);
            let (class, top) = (band(share), floor - height);
            let _ = write!(
                svg,
                r#"<rect class="share {class}" x="{place}.08" width="0.84" y="{top:.1}" height="{height:.1}"/>"#
            );
        }
    }

    /// What must not be exceeded, as lines: the configured ceiling, and 2 and 10 percent of fresh mail.
    fn thresholds(&self, svg: &mut String, (most, y): (f64, impl Fn(f64) -> f64)) {
        for (share, class, x, says) in [(0.02, "warn", 36, "2 %"), (0.10, "bad", 4, "10 %")] {
            let at = share_y(share);
            let _ = write!(
                svg,
                r#"<line class="threshold {class}" x1="0" x2="100%" y1="{at:.1}" y2="{at:.1}"/><text class="tick" x="{x}" y="{:.1}">{says}</text>"#,
                at - 2.0
            );
        }
        let ceiling = self.ceiling.map(|per_s| (per_s, self.in_stretch(per_s)));
        if let Some((per_s, at)) = ceiling.filter(|(_, at)| *at <= most) {
            let at = y(at);
            let _ = write!(
                svg,
                r#"<line class="ceiling" x1="0" x2="100%" y1="{at:.1}" y2="{at:.1}"/><text class="tick end" x="99.6%" y="{:.1}">ceiling {}</text>"#,
                at - 4.0,
                rate(per_s)
            );
        }
    }

    fn labels(&self, svg: &mut String, most: f64) {
        for share in [0.5, 1.0] {
            let at = FLOOR - share * (FLOOR - TOP) - 4.0;
            let _ = write!(
                svg,
                r#"<text class="tick" x="4" y="{at:.1}">{} per {}</text>"#,
                plain(most * share),
                self.unit()
            );
        }
        self.times(svg);
        let x = self.x(self.now);
        if self.now > self.course.from && x <= 100.0 {
            let _ = write!(
                svg,
                r#"<line class="now" x1="{x:.2}%" x2="{x:.2}%" y1="{TOP}" y2="{FLOOR:.1}"/>"#
            );
        }
    }

    fn times(&self, svg: &mut String) {
        let all = self.course.ends().since(self.course.from);
        let step = [2_u64, 5, 10, 30, 60, 180, 360, 1_440]
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
            if (3.0..=94.0).contains(&x) {
                let minor = if number % 2 == 1 { " minor" } else { "" };
                let _ = write!(
                    svg,
                    r#"<text class="tick time{minor}" x="{x:.2}%" y="{TIMES}">{says}</text>"#
                );
            }
            number += 1;
            at = at + step;
        }
        let _ = write!(svg, r#"<text class="tick end" x="99.6%" y="{TIMES}">UTC</text>"#);
    }

    fn marks(&self, svg: &mut String) {
        for marker in &self.markers {
            let x = self.x(marker.at);
            let class = if marker.is_manual { "manual" } else { "auto" };
            let _ = write!(
                svg,
                r#"<g class="mark {class}"><line x1="{x:.2}%" x2="{x:.2}%" y1="8" y2="{FLOOR:.1}"/><circle cx="{x:.2}%" cy="7" r="4"/></g>"#
            );
        }
    }
}

fn grid(svg: &mut String, at: f64) {
    let _ = write!(svg, r#"<line class="grid" x1="0" x2="100%" y1="{at:.1}" y2="{at:.1}"/>"#);
}

/// A line in steps; where there is nothing there is a gap.
fn steps(svg: &mut String, class: &str, many: usize, y: impl Fn(usize) -> Option<f64>) {
    let mut path = String::new();
    let mut is_drawing = false;
    for place in 0..many {
        match y(place) {
            Some(at) => {
                let verb = if is_drawing { 'L' } else { 'M' };
                let _ = write!(path, "{verb}{place} {at:.1}L{} {at:.1}", place + 1);
                is_drawing = true;
            }
            None => is_drawing = false,
        }
    }
    if !path.is_empty() {
        let _ = write!(svg, r#"<path class="{class}" d="{path}"/>"#);
    }
}

/// Where a share of fresh mail stands. To the square root: what counts lies between nothing and a tenth.
fn share_y(share: f64) -> f64 {
    SHARES.0 + SHARES.1 - share.clamp(0.0, 1.0).sqrt() * SHARES.1
}
