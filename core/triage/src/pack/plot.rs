//! The plot of a pack: an SVG that needs nothing beside it.
//!
//! Above, how much was accepted and refused; below, the share of first attempts that was refused,
//! with the bands of a lane. Hours in which nothing was tried are gaps, not zeros.

use std::fmt::Write as _;

use postlane_mail::Span;

use super::hourly::Hour;
use super::moment;

const WIDTH: f64 = 720.0;
const LEFT: f64 = 46.0;
const RIGHT: f64 = 10.0;
const BARS: (f64, f64) = (16.0, 150.0);
const LINE: (f64, f64) = (186.0, 276.0);
const HEIGHT: f64 = 304.0;

pub(super) fn write(hours: &[Hour], length: Span) -> String {
    let most = hours.iter().map(|hour| hour.accepted.saturating_add(hour.refused)).max();
    let top = round_up(most.unwrap_or(0).max(1));
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"Attempts by {length} and \
         the share of first attempts refused\" xmlns=\"http://www.w3.org/2000/svg\">\n"
    );
    grid(&mut svg, top, length);
    let step = (WIDTH - LEFT - RIGHT) / hours.len().max(1) as f64;
    let height = BARS.1 - BARS.0;
    let mut line: Vec<String> = Vec::new();
    for (n, hour) in hours.iter().enumerate() {
        let x = LEFT + step * n as f64;
        let wide = (step - 1.0).max(0.6);
        let tall = |count: u64| height * count as f64 / top as f64;
        let (accepted, refused) = (tall(hour.accepted), tall(hour.refused));
        for (class, y, h) in
            [("ok", BARS.1 - accepted, accepted), ("no", BARS.1 - accepted - refused, refused)]
        {
            if h > 0.0 {
                let _ = writeln!(
                    svg,
                    "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{wide:.1}\" height=\"{h:.1}\"><title>{}: {} accepted, {} refused</title></rect>",
                    moment::hour(hour.at),
                    hour.accepted,
                    hour.refused
                );
            }
        }
        if hour.fresh == 0 {
            finish(&mut svg, &mut line);
        } else {
            let share = hour.fresh_refused as f64 / hour.fresh as f64;
            line.push(format!("{:.1},{:.1}", x + wide / 2.0, LINE.1 - (LINE.1 - LINE.0) * share));
        }
    }
    finish(&mut svg, &mut line);
    dates(&mut svg, hours, step);
    svg.push_str("</svg>");
    svg
}

/// Draws what is gathered of a line; a single point as a dot.
fn finish(svg: &mut String, line: &mut Vec<String>) {
    match line.as_slice() {
        [] => {}
        [one] => {
            let (x, y) = one.split_once(',').unwrap_or(("0", "0"));
            let _ = writeln!(svg, "<circle class=\"dot\" cx=\"{x}\" cy=\"{y}\" r=\"2.5\"/>");
        }
        points => {
            let _ = writeln!(svg, "<polyline class=\"share\" points=\"{}\"/>", points.join(" "));
        }
    }
    line.clear();
}

fn grid(svg: &mut String, top: u64, length: Span) {
    for share in [0.0, 0.5, 1.0] {
        let y = BARS.1 - (BARS.1 - BARS.0) * share;
        let count = (top as f64 * share).round();
        rule(svg, "grid", y, &format!("{count}"));
    }
    for (class, share, label) in [("grid", 0.0, ""), ("grid", 1.0, "100 %"), ("ten", 0.10, "10 %")]
    {
        rule(svg, class, LINE.1 - (LINE.1 - LINE.0) * share, label);
    }
    let _ = writeln!(
        svg,
        "<text class=\"head\" x=\"{LEFT}\" y=\"10\">attempts, {length} a bar</text>\
         <text class=\"head\" x=\"{LEFT}\" y=\"{}\">share of first attempts refused; dashed: 10 %</text>",
        LINE.0 - 8.0
    );
}

fn rule(svg: &mut String, class: &str, y: f64, label: &str) {
    let _ = writeln!(
        svg,
        "<line class=\"{class}\" x1=\"{LEFT}\" x2=\"{}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/><text class=\"tick\" x=\"{}\" y=\"{:.1}\">{label}</text>",
        WIDTH - RIGHT,
        LEFT - 5.0,
        y + 4.0
    );
}

/// The first hour, and others as far as there is room.
fn dates(svg: &mut String, hours: &[Hour], step: f64) {
    let every = (110.0 / step.max(0.1)).ceil().max(1.0) as usize;
    for (n, hour) in hours.iter().enumerate().step_by(every) {
        let x = LEFT + step * n as f64;
        if x > WIDTH - 80.0 && n > 0 {
            break;
        }
        let _ = writeln!(
            svg,
            "<line class=\"grid\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{}\" y2=\"{}\"/><text class=\"date\" x=\"{x:.1}\" y=\"{}\">{}</text>",
            LINE.1,
            LINE.1 + 5.0,
            LINE.1 + 19.0,
            moment::hour(hour.at)
        );
    }
}

/// The next number of one digit and noughts that halves well enough.
fn round_up(count: u64) -> u64 {
    let mut unit: u64 = 1;
    loop {
        for n in [1, 2, 3, 4, 5, 6, 8] {
            if unit.saturating_mul(n) >= count {
                return unit.saturating_mul(n);
            }
        }
        match unit.checked_mul(10) {
            Some(next) => unit = next,
            None => return count,
        }
    }
}
