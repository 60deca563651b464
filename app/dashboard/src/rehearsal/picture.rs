//! Runs as pictures, one below the other on the same axes: what was accepted and refused, the lanes'
//! pace, and their states as a band.

use std::fmt::Write as _;

use postlane_api::wire::{RehearsalBand, RehearsalPicture};

use crate::numbers::{foreign, plain, span};

/// The drawing's own units; it is stretched to the page.
const WIDTH: f64 = 1_000.0;
const HEIGHT: f64 = 100.0;

/// Marks on the axis of time, at most: as many as a phone has room for.
const TICKS_MAX: f64 = 5.0;

/// Runs on the same axes.
pub(super) struct Axes {
    /// Seconds from left to right.
    until_s: f64,
    /// Messages a minute from bottom to top.
    most: f64,
}

/// A run as it is shown.
pub(super) struct Drawn {
    pub(super) policy: String,
    /// Said aloud.
    pub(super) says: String,
    pub(super) plot: String,
    pub(super) bands: Vec<(String, String)>,
    /// How far it has come.
    pub(super) until: String,
    /// What a column says, for whoever moves through it: time, accepted, refused and states, by `|`.
    pub(super) columns: Vec<String>,
    /// Where each column ends, in thousandths of the axis.
    pub(super) ends: String,
}

impl Axes {
    pub(super) fn of(pictures: &[RehearsalPicture]) -> Self {
        let until = pictures.iter().map(|one| one.until_s).fold(60.0, f64::max);
        let rates = pictures.iter().flat_map(|one| one.accepted.iter().chain(&one.refused));
        let most = rates.copied().fold(0.1, f64::max);
        Self { until_s: until, most }
    }

    /// The top of the plots: messages a minute.
    pub(super) fn most(&self) -> String {
        plain(self.most)
    }

    /// Times beneath the plots: where, in percent, and which.
    pub(super) fn ticks(&self) -> Vec<(String, String)> {
        const STEPS_S: [f64; 14] = [
            60.0, 120.0, 300.0, 600.0, 1_800.0, 3_600.0, 7_200.0, 10_800.0, 21_600.0, 43_200.0,
            86_400.0, 172_800.0, 432_000.0, 864_000.0,
        ];
        let fits = |step: &f64| self.until_s / step <= TICKS_MAX;
        let step = STEPS_S.into_iter().find(fits).unwrap_or(self.until_s / TICKS_MAX);
        let many = (self.until_s / step).floor() as u32;
        let tick = |n: u32| {
            let at = f64::from(n) * step;
            let says = if n == 0 { "0".to_owned() } else { span(at as u64) };
            (format!("{:.2}", at / self.until_s * 100.0), says)
        };
        (0..=many).map(tick).collect()
    }

    pub(super) fn draw(&self, picture: &RehearsalPicture) -> Drawn {
        let x = |column: usize| {
            (column as f64 * picture.column_s).min(picture.until_s) / self.until_s * WIDTH
        };
        let y = |rate: f64| HEIGHT - (rate / self.most).min(1.0) * HEIGHT;
        let mut plot = String::new();
        area(&mut plot, "accepted", &picture.accepted, (&x, &y));
        area(&mut plot, "refused", &picture.refused, (&x, &y));
        if let Some(pace) = &picture.pace {
            steps(&mut plot, pace, (&x, &y));
        }
        let columns = picture.accepted.len();
        let bands = picture.bands.iter().map(|one| (foreign(&one.source), band(one, &x)));
        let ends: Vec<String> = (1..=columns).map(|column| format!("{:.1}", x(column))).collect();
        Drawn {
            policy: picture.policy.clone(),
            says: self.says(picture),
            plot,
            bands: bands.collect(),
            until: span(picture.until_s as u64),
            columns: (0..columns).map(|column| told(picture, column)).collect(),
            ends: ends.join(" "),
        }
    }

    fn says(&self, picture: &RehearsalPicture) -> String {
        let sum =
            |rates: &[f64]| (rates.iter().sum::<f64>() * picture.column_s / 60.0).round() as u64;
        format!(
            "{}: {} accepted and {} refused within {} of virtual time",
            picture.policy,
            crate::numbers::count(sum(&picture.accepted)),
            crate::numbers::count(sum(&picture.refused)),
            span(picture.until_s as u64)
        )
    }
}

/// One column in words.
fn told(picture: &RehearsalPicture, column: usize) -> String {
    let rate = |rates: &[f64]| rates.get(column).copied().map_or_else(|| "–".to_owned(), plain);
    let at = span((column as f64 * picture.column_s) as u64);
    let mut says = format!(
        "after {at}: {}/min accepted, {}/min refused",
        rate(&picture.accepted),
        rate(&picture.refused)
    );
    let states = picture.bands.iter().filter_map(|band| {
        let state = band.states.get(column)?.as_deref()?;
        Some(format!("{} {state}", foreign(&band.source)))
    });
    let states: Vec<String> = states.take(4).collect();
    if !states.is_empty() {
        let _ = write!(says, " · {}", states.join(", "));
    }
    says
}

fn area(
    out: &mut String,
    class: &str,
    rates: &[f64],
    (x, y): (&dyn Fn(usize) -> f64, &dyn Fn(f64) -> f64),
) {
    if rates.iter().all(|rate| *rate <= 0.0) {
        return;
    }
    let mut path = format!("M0 {HEIGHT}");
    for (column, rate) in rates.iter().enumerate() {
        let _ = write!(path, "V{:.1}H{:.1}", y(*rate), x(column + 1));
    }
    let _ = write!(out, "<path class=\"{class}\" d=\"{path}V{HEIGHT}Z\"/>");
}

fn steps(out: &mut String, pace: &[f64], (x, y): (&dyn Fn(usize) -> f64, &dyn Fn(f64) -> f64)) {
    let mut path = String::new();
    for (column, rate) in pace.iter().enumerate() {
        let verb = if column == 0 { "M" } else { "L" };
        let _ = write!(path, "{verb}{:.1} {:.1}H{:.1}", x(column), y(*rate), x(column + 1));
    }
    let _ = write!(out, "<path class=\"pace\" d=\"{path}\"/>");
}

/// States as rectangles; columns of the same state are one.
fn band(band: &RehearsalBand, x: &dyn Fn(usize) -> f64) -> String {
    let (mut out, mut first) = (String::new(), 0);
    for column in 1..=band.states.len() {
        if band.states.get(column) == band.states.get(first) {
            continue;
        }
        if let Some(Some(state)) = band.states.get(first) {
            let (left, right) = (x(first), x(column));
            let _ = write!(
                out,
                "<rect class=\"state {}\" x=\"{left:.1}\" y=\"0\" width=\"{:.1}\" height=\"10\"/>",
                class(state),
                right - left
            );
        }
        first = column;
    }
    out
}

fn class(state: &str) -> &'static str {
    match state {
        "healthy" => "healthy",
        "steady" => "steady",
        "resting" => "resting",
        "held" => "held",
        _ => "restart",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture() -> RehearsalPicture {
        let states = ["healthy", "healthy", "resting"].map(|state| Some(state.to_owned()));
        RehearsalPicture {
            policy: "lane".to_owned(),
            seed: 1,
            until_s: 170.0,
            column_s: 60.0,
            accepted: vec![10.0, 5.0, 0.0],
            refused: vec![0.0; 3],
            pace: None,
            bands: vec![RehearsalBand { source: "<ip1>".to_owned(), states: states.to_vec() }],
        }
    }

    #[test]
    fn runs_are_drawn_on_the_same_axes_and_end_where_they_have_come() {
        let long = RehearsalPicture { until_s: 340.0, ..picture() };
        let axes = Axes::of(&[picture(), long]);
        let drawn = axes.draw(&picture());
        assert!(
            drawn.plot.contains("M0 100V0.0H176.5V50.0H352.9V100.0H500.0V100Z"),
            "{}",
            drawn.plot
        );
        assert!(!drawn.plot.contains("refused") && !drawn.plot.contains("pace"));
        assert_eq!(drawn.bands[0].1.matches("<rect").count(), 2);
        assert_eq!(drawn.columns[2], "after 2 min: 0/min accepted, 0/min refused · <ip1> resting");
        assert_eq!(drawn.says, "lane: 15 accepted and 0 refused within 2 min of virtual time");
        assert_eq!(axes.ticks()[1].1, "2 min");
    }
}
