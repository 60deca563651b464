//! A run as SVG: readable on light and dark ground, without a script or a font of its own.

use std::fmt::Write as _;

use postlane_receivers::{Ms, Scenario};

use super::bins::{Bins, State, hours_step};
use crate::policy::Policy;
use crate::run::Run;

const WIDTH: f64 = 860.0;
const LEFT: f64 = 56.0;
const PLOT_WIDTH: f64 = WIDTH - LEFT - 16.0;
const PLOT_HEIGHT: f64 = 150.0;
const LANE_HEIGHT: f64 = 10.0;
const COLUMNS: usize = 390;

/// Colours for both grounds; those of the terminal's pictures.
pub(super) const STYLE: &str = "\
text{font:12px system-ui,sans-serif;fill:#333}.title{font-weight:600}.axis{stroke:#999;fill:none}\
.accepted{fill:#2f9e44}.deferred{fill:#d6336c}.pace{stroke:#1971c2;fill:none;stroke-width:1.2}\
.healthy{fill:#2f9e44}.steady{fill:#e8b000}.resting{fill:#d6336c}.held{fill:#666}\
.restart{fill:#1971c2}.good{fill:#2f9e44;opacity:.1}\
@media(prefers-color-scheme:dark){text{fill:#ddd}.axis{stroke:#777}.accepted,.healthy{fill:#51cf66}\
.deferred,.resting{fill:#f783ac}.pace{stroke:#74c0fc}.steady{fill:#ffd43b}.held{fill:#aaa}\
.restart{fill:#74c0fc}}";

/// Pictures of runs, one below the other.
pub fn svg(runs: &[(&Scenario, Policy, &Run)]) -> String {
    let mut body = String::new();
    let mut top = 8.0;
    for (scenario, policy, run) in runs {
        top += one(&mut body, top, scenario, *policy, run);
    }
    let title = "Accepted, refused and pace over virtual time";
    document(WIDTH, top, title, &body)
}

/// A whole SVG document of that size.
pub(super) fn document(width: f64, height: f64, title: &str, body: &str) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" \
         width=\"{width:.0}\" height=\"{height:.0}\" role=\"img\" aria-label=\"{}\">\n\
         <style>{STYLE}</style>\n{body}</svg>\n",
        escaped(title)
    )
}

fn one(out: &mut String, top: f64, scenario: &Scenario, policy: Policy, run: &Run) -> f64 {
    let bins = Bins::of(run, COLUMNS);
    let x = |at: Ms| LEFT + at.0 as f64 / run.ended.0.max(1) as f64 * PLOT_WIDTH;
    let base = top + 24.0 + PLOT_HEIGHT;
    let id = escaped(&scenario.meta.id);
    let _ = writeln!(
        out,
        "<text class=\"title\" x=\"{LEFT}\" y=\"{:.1}\">{id}, {policy}, seed {}</text>",
        top + 14.0,
        run.seed
    );
    let highest = bins.highest();
    let y = |rate: f64| base - (rate / highest).min(1.0) * PLOT_HEIGHT;
    area(out, "accepted", &bins.accepted, (base, &y), |column| x(bins.start(column)));
    area(out, "deferred", &bins.deferred, (base, &y), |column| x(bins.start(column)));
    if let Some(pace) = &bins.pace {
        steps(out, pace, &y, |column| x(bins.start(column)));
    }
    let _ = writeln!(
        out,
        "<path class=\"axis\" d=\"M{LEFT} {:.1}V{base:.1}H{:.1}\"/>\
         <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{highest:.1}/m</text>",
        top + 24.0,
        LEFT + PLOT_WIDTH,
        LEFT - 6.0,
        top + 34.0
    );
    let mut below = base + 4.0;
    for (source, states) in &bins.lanes {
        let name = scenario.sender.ips.get(usize::from(*source)).map_or("", String::as_str);
        lane(out, below, name, states, |column| x(bins.start(column)));
        below += LANE_HEIGHT + 3.0;
    }
    ticks(out, below, run.ended, &x);
    legend(out, below + 32.0, &bins);
    below + 48.0 - top
}

impl Bins {
    fn start(&self, column: usize) -> Ms {
        Ms(self.width.0 * column as u64)
    }
}

fn area(
    out: &mut String,
    class: &str,
    rates: &[f64],
    (base, y): (f64, &dyn Fn(f64) -> f64),
    x: impl Fn(usize) -> f64,
) {
    if rates.iter().all(|rate| *rate == 0.0) {
        return;
    }
    let mut path = format!("M{:.1} {base:.1}", x(0));
    for (column, rate) in rates.iter().enumerate() {
        let _ = write!(path, "V{:.1}H{:.1}", y(*rate), x(column + 1).min(LEFT + PLOT_WIDTH));
    }
    let _ = writeln!(out, "<path class=\"{class}\" d=\"{path}V{base:.1}Z\"/>");
}

fn steps(out: &mut String, pace: &[f64], y: &dyn Fn(f64) -> f64, x: impl Fn(usize) -> f64) {
    let mut path = String::new();
    for (column, rate) in pace.iter().enumerate() {
        let (height, end) = (y(*rate), x(column + 1).min(LEFT + PLOT_WIDTH));
        let verb = if column == 0 { "M" } else { "L" };
        let _ = write!(path, "{verb}{:.1} {height:.1}H{end:.1}", x(column));
    }
    let _ = writeln!(out, "<path class=\"pace\" d=\"{path}\"/>");
}

fn lane(
    out: &mut String,
    top: f64,
    name: &str,
    states: &[Option<State>],
    x: impl Fn(usize) -> f64,
) {
    let _ = writeln!(
        out,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
        LEFT - 6.0,
        top + LANE_HEIGHT - 1.0,
        escaped(&name.chars().take(8).collect::<String>())
    );
    let mut first = 0;
    for column in 1..=states.len() {
        if states.get(column) == states.get(first) {
            continue;
        }
        if let Some(state) = states[first] {
            let (left, right) = (x(first), x(column).min(LEFT + PLOT_WIDTH));
            let _ = writeln!(
                out,
                "<rect class=\"{}\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{:.1}\" \
                 height=\"{LANE_HEIGHT}\"><title>{}</title></rect>",
                class(state),
                right - left,
                state.as_str()
            );
        }
        first = column;
    }
}

fn ticks(out: &mut String, top: f64, ended: Ms, x: &dyn Fn(Ms) -> f64) {
    let step = hours_step(ended, 10);
    let mut at = Ms(0);
    while at <= ended {
        let label = if at == Ms(0) { "0".to_owned() } else { at.to_string() };
        let _ = writeln!(
            out,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{label}</text>",
            x(at),
            top + 14.0
        );
        at = at + step;
    }
}

fn legend(out: &mut String, y: f64, bins: &Bins) {
    let mut left = LEFT;
    let mut entry = |class: &str, says: &str| {
        let _ = writeln!(
            out,
            "<rect class=\"{class}\" x=\"{left:.1}\" y=\"{:.1}\" width=\"10\" height=\"10\"/>\
             <text x=\"{:.1}\" y=\"{y:.1}\">{says}</text>",
            y - 10.0,
            left + 14.0
        );
        left += 30.0 + 7.0 * says.len() as f64;
    };
    entry("accepted", "accepted");
    entry("deferred", "refused (4xx)");
    if bins.pace.is_some() {
        entry("restart", "pace (line)");
    }
    for state in State::ALL {
        if bins.lanes.iter().any(|(_, states)| states.contains(&Some(state))) {
            entry(class(state), state.as_str());
        }
    }
}

fn class(state: State) -> &'static str {
    match state {
        State::Healthy => "healthy",
        State::Steady => "steady",
        State::Resting => "resting",
        State::Held => "held",
        State::Restart => "restart",
    }
}

pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
