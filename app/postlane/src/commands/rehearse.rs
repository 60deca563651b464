//! `postlane rehearse`: what a scenario would come to, in virtual time.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use clap::Args;
use postlane_receivers::Scenario;
use postlane_rehearsal::{
    Engine, Knowledge, Outcome, Policy, Rehearsal, Tracing, default_settings,
};

use crate::cli::Reach;
use crate::exit::{Exit, Failure};
use crate::print;

/// What is rehearsed, and with what.
#[derive(Args)]
pub(crate) struct Rehearse {
    /// Scenarios: TOML files
    #[arg(value_name = "SCENARIO", required = true)]
    scenarios: Vec<PathBuf>,
    /// Who decides when to send; several are compared
    #[arg(
        long,
        value_name = "NAME",
        value_delimiter = ',',
        default_value = "lane",
        value_parser = policy
    )]
    policy: Vec<Policy>,
    /// Runs of each, with chance of their own
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=1_000))]
    seeds: u64,
}

fn policy(name: &str) -> Result<Policy, String> {
    let known = || Policy::ALL.map(Policy::as_str).join(", ");
    Policy::parse(name).ok_or_else(|| format!("no such policy: one of {}", known()))
}

pub(crate) fn run(reach: &Reach, rehearse: &Rehearse) -> Result<Exit, Failure> {
    let scenarios = rehearse.scenarios.iter().map(|path| read(path)).collect::<Result<_, _>>()?;
    let rehearsal = Rehearsal {
        scenarios,
        policies: rehearse.policy.clone(),
        engine: Engine { knowledge: Knowledge::built_in(), settings: default_settings() },
        seeds: rehearse.seeds,
        tracing: Tracing::Off,
        threads: thread::available_parallelism().map_or(1, usize::from),
    };
    let outcomes = rehearsal
        .perform(&|| {})
        .map_err(|e| Failure::usage(format!("{e}: name another with --policy")))?;
    if reach.json {
        outcomes.iter().for_each(|outcome| print::json(&outcome.summary));
    } else {
        table(&outcomes);
    }
    Ok(Exit::Yes)
}

fn read(path: &Path) -> Result<Scenario, Failure> {
    let text = fs::read_to_string(path)
        .map_err(|e| Failure::usage(format!("cannot read {}: {e}", path.display())))?;
    Scenario::parse(&text).map_err(|e| Failure::usage(format!("{}: {e}", path.display())))
}

fn table(outcomes: &[Outcome]) {
    let hours =
        |s: Option<f64>| s.map_or_else(|| "never".to_owned(), |s| format!("{:.2}", s / 3_600.0));
    let rows = outcomes.iter().map(|Outcome { summary, .. }| {
        vec![
            summary.id.clone(),
            summary.policy.to_owned(),
            hours(summary.t99_s()),
            hours(summary.oracle_t99_s()),
            summary.ratio().map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}x")),
            summary.delivered_share().map_or_else(String::new, |s| format!("{:.1} %", s * 100.0)),
            summary.r4xx_per_delivered().map_or_else(|| "-".to_owned(), |r| format!("{r:.4}")),
            if summary.pass { "yes" } else { "no" }.to_owned(),
        ]
    });
    let header =
        ["scenario", "policy", "T99 h", "oracle h", "ratio", "delivered", "4xx/msg", "pass"];
    print::table(&header, rows);
}
