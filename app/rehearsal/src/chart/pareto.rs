//! Time against refusals: each policy on each scenario is a point; the best are down on the left.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::svg::{document, escaped};
use crate::summary::Summary;

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 520.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 150.0;
const TOP: f64 = 30.0;
const BOTTOM: f64 = 56.0;
/// Ratios to the oracle, 0.9 to 30; what is not finished stands at the edge.
const RATIOS: (f64, f64) = (0.9, 30.0);
/// Refusals for each message delivered; none stands at the edge.
const REFUSALS: (f64, f64) = (1e-4, 1e3);
/// Colours that can be told apart on light and dark ground, and by those who see fewer.
const COLOURS: [&str; 9] = [
    "#2f9e44", "#0c8599", "#d6336c", "#868e96", "#e8590c", "#7048e8", "#ae3ec9", "#f08c00",
    "#1971c2",
];

/// The picture of these outcomes, on logarithmic scales.
pub fn pareto(summaries: &[&Summary]) -> String {
    let mut body = String::new();
    frame(&mut body);
    let mut policies: BTreeMap<&str, usize> = BTreeMap::new();
    for summary in summaries {
        let next = policies.len();
        let policy = *policies.entry(summary.policy).or_insert(next);
        point(&mut body, summary, policy);
    }
    for (name, policy) in &policies {
        let y = TOP + 14.0 + 20.0 * *policy as f64;
        // Far enough from the points at the right edge not to be taken for one of them.
        let x = WIDTH - RIGHT + 58.0;
        shape(&mut body, (x, y - 4.0), *policy, name);
        let _ = writeln!(body, "<text x=\"{:.1}\" y=\"{y:.1}\">{name}</text>", x + 12.0);
    }
    document(WIDTH, HEIGHT, "Time ratio against refusals per message delivered", &body)
}

fn frame(out: &mut String) {
    let (left, right, top, bottom) = (LEFT, WIDTH - RIGHT, TOP, HEIGHT - BOTTOM);
    let _ = writeln!(
        out,
        "<rect class=\"good\" x=\"{left:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\">\
         <title>passes: 1.25 times the oracle, 1 % refused</title></rect>",
        y(0.01),
        x(1.25) - left,
        bottom - y(0.01)
    );
    let _ = writeln!(out, "<path class=\"axis\" d=\"M{left} {top}V{bottom:.1}H{right:.1}\"/>");
    for ratio in [1.0, 1.25, 2.0, 5.0, 10.0, 20.0] {
        let _ = writeln!(
            out,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{ratio}</text>",
            x(ratio),
            bottom + 16.0
        );
    }
    let _ = writeln!(
        out,
        "<text x=\"{right:.1}\" y=\"{:.1}\" text-anchor=\"middle\">not finished</text>",
        bottom + 16.0
    );
    for (refusals, says) in [
        (0.0, "none"),
        (0.001, "0.1 %"),
        (0.01, "1 %"),
        (0.1, "10 %"),
        (1.0, "1 each"),
        (10.0, "10 each"),
        (100.0, "100 each"),
    ] {
        let _ = writeln!(
            out,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{says}</text>",
            left - 6.0,
            y(refusals) + 4.0
        );
    }
    let _ = writeln!(
        out,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">time for 99 % of the mail, relative \
         to an oracle; down on the left is better</text>\
         <text x=\"{left}\" y=\"{:.1}\">refusals for rate per message delivered</text>",
        (left + right) / 2.0,
        bottom + 38.0,
        top - 12.0
    );
}

fn point(out: &mut String, summary: &Summary, policy: usize) {
    let ratio = summary.ratio().filter(|_| summary.finished).unwrap_or(f64::INFINITY);
    let refusals = summary.r4xx_per_delivered().unwrap_or(f64::INFINITY);
    let time = if ratio.is_finite() { format!("{ratio:.2}x") } else { "not finished".to_owned() };
    let title = format!("{} {}: {time}, {refusals:.4} refusals", summary.id, summary.policy);
    shape(out, (x(ratio), y(refusals)), policy, &title);
}

/// A point: its policy's colour and form.
fn shape(out: &mut String, (x, y): (f64, f64), policy: usize, title: &str) {
    let colour = COLOURS[policy % COLOURS.len()];
    let path = match policy % 3 {
        0 => format!("M{:.1} {y:.1}a5 5 0 1 0 10 0a5 5 0 1 0 -10 0Z", x - 5.0),
        1 => format!("M{:.1} {:.1}h9v9h-9Z", x - 4.5, y - 4.5),
        _ => format!("M{x:.1} {:.1}l5.5 9.5h-11Z", y - 6.0),
    };
    let title = escaped(title);
    let _ = writeln!(
        out,
        "<path fill=\"{colour}\" fill-opacity=\".8\" d=\"{path}\"><title>{title}</title></path>"
    );
}

fn x(ratio: f64) -> f64 {
    LEFT + on_scale(ratio, RATIOS) * (WIDTH - LEFT - RIGHT)
}

fn y(refusals: f64) -> f64 {
    HEIGHT - BOTTOM - on_scale(refusals, REFUSALS) * (HEIGHT - TOP - BOTTOM)
}

/// Where on a logarithmic scale, 0 to 1.
fn on_scale(value: f64, (low, high): (f64, f64)) -> f64 {
    (value.clamp(low, high) / low).ln() / (high / low).ln()
}
