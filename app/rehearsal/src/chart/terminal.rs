//! A run for the terminal: accepted and refused a minute, the lane's pace, and its states.

use std::fmt::Write as _;

use postlane_receivers::{Ms, Scenario};

use super::bins::{Bins, State, hours_step};
use crate::policy::Policy;
use crate::run::Run;

/// What a terminal can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Glyphs {
    /// Blocks and lines, in eighths of a row.
    Unicode,
    /// Letters and signs.
    Ascii,
}

/// Rows for what is accepted.
const HEIGHT: usize = 8;
/// Columns before the picture.
const MARGIN: usize = 10;
/// Sources of which the states are shown.
const SOURCES_MAX: usize = 4;

const RESET: &str = "\x1b[0m";
const GREEN: &str = "\x1b[32m";
const YELLOW: &str = "\x1b[33m";
const RED: &str = "\x1b[31m";
const BLUE: &str = "\x1b[34m";
const DIM: &str = "\x1b[2m";

/// A picture of the run, so many columns wide, with the escape codes of colours in it. Every line
/// ends with a newline.
pub fn terminal(
    scenario: &Scenario,
    policy: Policy,
    run: &Run,
    columns: usize,
    glyphs: Glyphs,
) -> String {
    let bins = Bins::of(run, columns.saturating_sub(MARGIN + 1).max(10));
    let mut out = String::new();
    let (id, seed) = (&scenario.meta.id, run.seed);
    let _ = writeln!(out, "{id}, {policy}, seed {seed}: messages a minute");
    plot(&mut out, &bins, glyphs);
    refused(&mut out, &bins, glyphs);
    for (source, states) in bins.lanes.iter().take(SOURCES_MAX) {
        let names = &scenario.sender.ips;
        let name = names.get(usize::from(*source)).map_or("", String::as_str);
        lane(&mut out, name, states, glyphs);
    }
    axis(&mut out, &bins, run.ended, glyphs);
    legend(&mut out, &bins, glyphs);
    out
}

fn plot(out: &mut String, bins: &Bins, glyphs: Glyphs) {
    let highest = bins.highest();
    let eighths = |rate: f64| (rate / highest * (HEIGHT * 8) as f64).round() as usize;
    for row in (0..HEIGHT).rev() {
        let label = match row {
            _ if row + 1 == HEIGHT => short(highest),
            0 => "0".to_owned(),
            _ => String::new(),
        };
        let _ = write!(out, "{label:>8} {}", if glyphs == Glyphs::Ascii { '|' } else { '│' });
        let mut colour = "";
        for column in 0..bins.columns() {
            let filled = eighths(bins.accepted[column]).saturating_sub(row * 8).min(8);
            let pace = bins.pace.as_ref().map(|pace| eighths(pace[column]).saturating_sub(1) / 8);
            let (glyph, wanted) = match (pace, filled) {
                (Some(pace), 0..=4) if pace == row && bins.pace_is_there(column) => {
                    (if glyphs == Glyphs::Ascii { '-' } else { '─' }, BLUE)
                }
                (_, 0) => (' ', ""),
                (_, filled) => (block(filled, glyphs), GREEN),
            };
            paint(out, &mut colour, wanted);
            out.push(glyph);
        }
        paint(out, &mut colour, "");
        end_line(out);
    }
}

impl Bins {
    fn pace_is_there(&self, column: usize) -> bool {
        self.pace.as_ref().is_some_and(|pace| pace[column] > 0.0)
    }
}

/// One row for refusals, on the scale of the rest; the least of them is seen.
fn refused(out: &mut String, bins: &Bins, glyphs: Glyphs) {
    let highest = bins.deferred.iter().copied().fold(0.0, f64::max);
    if highest == 0.0 {
        return;
    }
    let _ = write!(out, "{:>8} ", "refused");
    out.push(if glyphs == Glyphs::Ascii { '|' } else { '│' });
    out.push_str(RED);
    for rate in &bins.deferred {
        let eighths = (rate / highest * 8.0).ceil() as usize;
        out.push(if eighths == 0 { ' ' } else { block(eighths, glyphs) });
    }
    out.push_str(RESET);
    let _ = write!(out, " {}", short(highest));
    end_line(out);
}

fn lane(out: &mut String, name: &str, states: &[Option<State>], glyphs: Glyphs) {
    let name: String = name.chars().filter(|c| !c.is_control()).take(8).collect();
    let _ = write!(out, "{name:>8} ");
    out.push(if glyphs == Glyphs::Ascii { '|' } else { '│' });
    let mut colour = "";
    for state in states {
        let (glyph, wanted) = state.map_or((' ', ""), |state| mark(state, glyphs));
        paint(out, &mut colour, wanted);
        out.push(glyph);
    }
    paint(out, &mut colour, "");
    end_line(out);
}

fn axis(out: &mut String, bins: &Bins, ended: Ms, glyphs: Glyphs) {
    let step = hours_step(ended, (bins.columns() / 8).max(1) as u64);
    let (corner, line, tick) =
        if glyphs == Glyphs::Ascii { ('+', '-', '+') } else { ('└', '─', '┴') };
    let mut ticks = vec![line; bins.columns()];
    let mut labels = vec![' '; bins.columns() + 8];
    let mut at = Ms(0);
    while at <= ended {
        let column = (at.0 / bins.width.0) as usize;
        if let Some(place) = ticks.get_mut(column) {
            *place = tick;
            let label = if at == Ms(0) { "0".to_owned() } else { at.to_string() };
            for (place, c) in labels[column..].iter_mut().zip(label.chars()) {
                *place = c;
            }
        }
        at = at + step;
    }
    let _ = writeln!(out, "{:>9}{corner}{}", "", ticks.iter().collect::<String>());
    let _ = write!(out, "{:>10}{}", "", labels.iter().collect::<String>());
    end_line(out);
}

fn legend(out: &mut String, bins: &Bins, glyphs: Glyphs) {
    let _ = write!(out, "{:>10}{GREEN}{}{RESET} accepted", "", block(8, glyphs));
    if bins.deferred.iter().any(|rate| *rate > 0.0) {
        let _ = write!(out, "  {RED}{}{RESET} refused (4xx)", block(8, glyphs));
    }
    if bins.pace.is_some() {
        let line = if glyphs == Glyphs::Ascii { '-' } else { '─' };
        let _ = write!(out, "  {BLUE}{line}{RESET} pace");
    }
    for state in State::ALL {
        if bins.lanes.iter().any(|(_, states)| states.contains(&Some(state))) {
            let (glyph, colour) = mark(state, glyphs);
            let _ = write!(out, "  {colour}{glyph}{RESET} {}", state.as_str());
        }
    }
    if bins.lanes.len() > SOURCES_MAX {
        let _ = write!(out, "  {DIM}({} more sources){RESET}", bins.lanes.len() - SOURCES_MAX);
    }
    out.push('\n');
}

fn block(eighths: usize, glyphs: Glyphs) -> char {
    const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    match glyphs {
        Glyphs::Unicode => BLOCKS[eighths.clamp(1, 8) - 1],
        Glyphs::Ascii if eighths < 4 => '.',
        Glyphs::Ascii => '#',
    }
}

fn mark(state: State, glyphs: Glyphs) -> (char, &'static str) {
    match (state, glyphs) {
        (State::Healthy, Glyphs::Unicode) => ('█', GREEN),
        (State::Steady, Glyphs::Unicode) => ('▓', YELLOW),
        (State::Resting, Glyphs::Unicode) => ('░', RED),
        (State::Held, Glyphs::Unicode) => ('×', RED),
        (State::Restart, Glyphs::Unicode) => ('▒', BLUE),
        (State::Healthy, Glyphs::Ascii) => ('=', GREEN),
        (State::Steady, Glyphs::Ascii) => ('s', YELLOW),
        (State::Resting, Glyphs::Ascii) => ('r', RED),
        (State::Held, Glyphs::Ascii) => ('x', RED),
        (State::Restart, Glyphs::Ascii) => ('d', BLUE),
    }
}

fn paint(out: &mut String, colour: &mut &'static str, wanted: &'static str) {
    if *colour == wanted {
        return;
    }
    if !colour.is_empty() {
        out.push_str(RESET);
    }
    out.push_str(wanted);
    *colour = wanted;
}

/// No blanks before the end of a line.
fn end_line(out: &mut String) {
    out.truncate(out.trim_end_matches(' ').len());
    out.push('\n');
}

/// A number in at most six characters.
fn short(number: f64) -> String {
    match number {
        n if n >= 100_000.0 => format!("{:.0}k", n / 1_000.0),
        n if n >= 100.0 => format!("{n:.0}"),
        n => format!("{n:.1}"),
    }
}
