//! Scenarios with one policy, a line for each, and what they come to together: what `postlane
//! rehearse` does, for those who work on a policy and do not want to build the server for it:
//! `cargo run --release -p postlane-rehearsal --example rehearse -- POLICY [SEEDS] FILE…`

use std::io::{Error, Write as _};
use std::sync::Arc;
use std::time::Instant;

use postlane_receivers::Scenario;
use postlane_rehearsal::{Engine, Outcome, Policy, Rehearsal, Summary, Tracing};

/// Runs of a scenario, where nobody says how many.
const SEEDS: u64 = 5;

fn main() -> std::io::Result<()> {
    let mut args = std::env::args().skip(1).peekable();
    let policy = args.next().unwrap_or_default();
    let policy = Policy::parse(&policy).ok_or_else(|| Error::other("no such policy"))?;
    let seeds = args.next_if(|arg| arg.parse::<u64>().is_ok());
    let seeds = seeds.and_then(|seeds| seeds.parse().ok()).unwrap_or(SEEDS);
    let mut scenarios = Vec::new();
    for file in args {
        let text = std::fs::read_to_string(&file)?;
        let unusable = |e: &dyn std::fmt::Display| Error::other(format!("{file}: {e}"));
        scenarios.push(Scenario::parse(&text).map_err(|e| unusable(&e))?);
    }
    let engine = Arc::new(Engine::built_in());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let (policies, tracing) = (vec![policy], Tracing::Off);
    let rehearsal = Rehearsal { scenarios, policies, engine, seeds, tracing, threads };
    let began = Instant::now();
    let outcomes = rehearsal.perform(&|| {}).map_err(|e| Error::other(e.to_string()))?;
    let took = began.elapsed().as_secs_f64();
    let mut out = std::io::stdout().lock();
    let mut virtual_hours = 0.0;
    let mut aims = Aims::default();
    for outcome in &outcomes {
        let runs = outcome.runs.iter().map(|left| left.run.ended.as_s_f64() / 3_600.0);
        virtual_hours += runs.sum::<f64>();
        writeln!(out, "{}", line(&outcome.summary))?;
        aims.count(outcome);
    }
    let speed = virtual_hours / took;
    writeln!(out, "{}", aims.line())?;
    writeln!(out, "{virtual_hours:.0} virtual hours in {took:.1} s: {speed:.0} a second")
}

fn line(s: &Summary) -> String {
    let hours = |seconds: Option<f64>| seconds.map_or(f64::INFINITY, |s| s / 3_600.0);
    format!(
        "{:22} {} T99 {:6.2} h, oracle {:6.2} h, {:5.2}x, delivered {:.3}, 4xx {:.4}, tx p99 {:6.1} \
         min, lost {}, ceilings {}",
        s.id,
        if s.pass { "pass" } else { "FAIL" },
        hours(s.t99_s()),
        hours(s.oracle_t99_s()),
        s.ratio().unwrap_or(f64::INFINITY),
        s.delivered_share().unwrap_or_default(),
        s.r4xx_per_delivered().unwrap_or(f64::INFINITY),
        s.tx_p99_s().unwrap_or_default() / 60.0,
        s.tx_lost().unwrap_or_default(),
        s.ceiling_violations().unwrap_or_default(),
    )
}

/// What many scenarios are judged by together.
#[derive(Default)]
struct Aims {
    finished: usize,
    in_time: usize,
    near: usize,
    refused: Vec<f64>,
    above: usize,
    near_and_quiet: usize,
}

impl Aims {
    fn count(&mut self, outcome: &Outcome) {
        let s = &outcome.summary;
        let refused = s.r4xx_per_delivered().unwrap_or(f64::INFINITY);
        let refusals: u64 = outcome.runs.iter().map(|left| left.run.refused_for_rate).sum();
        let is_near = s.finished && s.ratio().is_some_and(|ratio| ratio <= 1.10);
        let late = s.t99_s().zip(s.oracle_t99_s()).map(|(own, best)| own - best);
        let is_late = s.ratio().is_none_or(|ratio| ratio > 1.25);
        let is_late = is_late && late.is_none_or(|late| late > 900.0);
        self.finished += usize::from(s.finished);
        self.in_time += usize::from(s.finished && !is_late);
        self.near += usize::from(is_near);
        self.above += usize::from(refused > 0.04 && refusals > 10 * outcome.runs.len() as u64);
        self.near_and_quiet += usize::from(is_near && refused <= 0.005);
        self.refused.push(refused);
    }

    fn line(mut self) -> String {
        self.refused.sort_by(f64::total_cmp);
        let count = self.refused.len();
        let share = |of: usize| 100.0 * of as f64 / count.max(1) as f64;
        format!(
            "{count} scenarios: finished {:.1} %, within 1.25x or 15 min {:.1} %, within 1.10x {:.1} %; \
             refusals in the median {:.2} %, above 4 % and 10 of them {}; within 1.10x and at most \
             0.5 % {:.1} %",
            share(self.finished),
            share(self.in_time),
            share(self.near),
            100.0 * self.refused.get(count / 2).copied().unwrap_or_default(),
            self.above,
            share(self.near_and_quiet),
        )
    }
}
