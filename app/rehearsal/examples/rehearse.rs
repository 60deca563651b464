//! Scenarios with one policy, five seeds each, a line for each: what `postlane rehearse` does, for
//! those who work on a policy and do not want to build the server for it:
//! `cargo run --release -p postlane-rehearsal --example rehearse -- POLICY FILE…`

use std::io::{Error, Write as _};
use std::sync::Arc;
use std::time::Instant;

use postlane_receivers::Scenario;
use postlane_rehearsal::{Engine, Policy, Rehearsal, Tracing};

fn main() -> std::io::Result<()> {
    let mut args = std::env::args().skip(1);
    let policy = args.next().unwrap_or_default();
    let policy = Policy::parse(&policy).ok_or_else(|| Error::other("no such policy"))?;
    let mut scenarios = Vec::new();
    for file in args {
        let text = std::fs::read_to_string(&file)?;
        scenarios.push(Scenario::parse(&text).map_err(|e| Error::other(e.to_string()))?);
    }
    let engine = Arc::new(Engine::built_in());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let (policies, tracing) = (vec![policy], Tracing::Off);
    let rehearsal = Rehearsal { scenarios, policies, engine, seeds: 5, tracing, threads };
    let began = Instant::now();
    let outcomes = rehearsal.perform(&|| {}).map_err(|e| Error::other(e.to_string()))?;
    let took = began.elapsed().as_secs_f64();
    let mut out = std::io::stdout().lock();
    let mut virtual_hours = 0.0;
    for outcome in outcomes {
        let runs = outcome.runs.iter().map(|left| left.run.ended.as_s_f64() / 3_600.0);
        virtual_hours += runs.sum::<f64>();
        let s = outcome.summary;
        let hours = |seconds: Option<f64>| seconds.map_or(f64::INFINITY, |s| s / 3_600.0);
        writeln!(
            out,
            "{:22} {} T99 {:6.2} h, oracle {:6.2} h, {:5.2}x, delivered {:.3}, 4xx {:.4}, tx p99 \
             {:6.1} min, lost {}, ceilings {}",
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
        )?;
    }
    let speed = virtual_hours / took;
    writeln!(out, "{virtual_hours:.0} virtual hours in {took:.1} s: {speed:.0} a second")
}
