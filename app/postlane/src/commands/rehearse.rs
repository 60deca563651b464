//! `postlane rehearse`: what a scenario would come to, in virtual time.

mod pictures;
mod scenarios;

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{fs, io, thread};

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use postlane_mail::Span;
use postlane_receivers::Scenario;
use postlane_rehearsal::{Engine, Outcome, Policy, Rehearsal, Tracing, explain, pareto};
use postlane_server::config::{Config, Overrides};
use postlane_server::rehearsals::rehearsed_engine;
use postlane_server::setup::Setup;

pub(super) use scenarios::no_scenario;

use crate::exit::{Exit, Failure};
use crate::print;
use crate::reach::Reach;

/// What is rehearsed, and with what.
#[derive(Args)]
#[command(after_help = "Examples:
  postlane rehearse p01-webde --policy lane,postfix
  postlane rehearse mine.toml --explain --svg mine.svg")]
pub(crate) struct Rehearse {
    /// Scenarios: TOML files, or names that --list shows
    #[arg(value_name = "SCENARIO", required_unless_present = "list")]
    scenarios: Vec<PathBuf>,
    /// Show the scenarios that come with the program
    #[arg(long)]
    list: bool,
    /// Who decides when to send: lane, lane-warm, postfix, static, kumo-tsa, pmta, pmta-2h, aimd or
    /// oracle; several, by commas, are compared
    #[arg(
        long,
        value_name = "NAME",
        value_delimiter = ',',
        default_value = "lane",
        value_parser = policy
    )]
    policy: Vec<Policy>,
    /// Runs of each, every one with a seed of its own
    #[arg(
        long,
        value_name = "N",
        default_value_t = 5,
        value_parser = clap::value_parser!(u64).range(1..=1_000)
    )]
    seeds: u64,
    /// Take the operator's settings and rules of replies from this configuration; sources and pools
    /// are the scenario's
    #[arg(long, short, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Say why it passes or not, and what the lanes decided when
    #[arg(long)]
    explain: bool,
    /// Draw what was accepted and refused over time, of the first run of each
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Draw time against refusals, a point for each policy and scenario
    #[arg(long, value_name = "FILE")]
    pareto: Option<PathBuf>,
    /// Write every connection, dispatch, reply and decision, JSON line by JSON line
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
}

fn policy(name: &str) -> Result<Policy, String> {
    let known = || Policy::ALL.map(Policy::as_str).join(", ");
    Policy::parse(name).ok_or_else(|| format!("no such policy: use one of {}", known()))
}

pub(crate) fn run(reach: &Reach, rehearse: &Rehearse) -> Result<Exit, Failure> {
    if rehearse.list {
        scenarios::list(reach);
        return Ok(Exit::Yes);
    }
    let rehearsal = rehearsal(rehearse)?;
    let began = Instant::now();
    let outcomes = perform(&rehearsal)?;
    let took = began.elapsed();
    write_files(rehearse, &rehearsal, &outcomes)?;
    if reach.json {
        outcomes.iter().for_each(|outcome| print::json(&outcome.summary));
    } else {
        table(&outcomes);
        pictures::draw(&rehearsal.scenarios, &outcomes);
        if rehearse.explain {
            for outcome in &outcomes {
                print::line("");
                let told = explain(&rehearsal.scenarios[outcome.scenario], outcome);
                print::line(&print::lines_printable(told.trim_end()));
            }
        }
        note_speed(&rehearsal, &outcomes, took);
    }
    Ok(Exit::Yes)
}

fn rehearsal(rehearse: &Rehearse) -> Result<Rehearsal, Failure> {
    let mut policies = Vec::new();
    for policy in &rehearse.policy {
        if !policies.contains(policy) {
            policies.push(*policy);
        }
    }
    let scenarios = scenarios::read(&rehearse.scenarios)?;
    Ok(Rehearsal {
        engine: Arc::new(engine(rehearse.config.as_deref(), &scenarios)?),
        scenarios,
        policies,
        seeds: rehearse.seeds,
        tracing: if rehearse.trace.is_some() { Tracing::On } else { Tracing::Off },
        threads: thread::available_parallelism().map_or(1, usize::from),
    })
}

/// What a server with this configuration would be given, towards the scenarios' providers.
fn engine(config: Option<&Path>, scenarios: &[Scenario]) -> Result<Engine, Failure> {
    let Some(file) = config else { return Ok(Engine::built_in()) };
    let config = Config::load(Some(file), &Overrides::default())
        .map_err(|e| Failure::new(Exit::Configuration, e.to_string()))?;
    let setup = Setup::of(&config);
    Ok(rehearsed_engine(&setup, scenarios))
}

/// Makes the runs; how many are done is shown where somebody looks.
fn perform(rehearsal: &Rehearsal) -> Result<Vec<Outcome>, Failure> {
    let bar = ProgressBar::new(rehearsal.runs() as u64);
    if !io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    let style = ProgressStyle::with_template("{pos}/{len} runs {wide_bar} {elapsed}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.enable_steady_tick(Duration::from_millis(200));
    let outcomes = rehearsal.perform(&|| bar.inc(1));
    bar.finish_and_clear();
    outcomes.map_err(|e| Failure::usage(e.to_string()))
}

fn write_files(
    rehearse: &Rehearse,
    rehearsal: &Rehearsal,
    outcomes: &[Outcome],
) -> Result<(), Failure> {
    let write = |path: &PathBuf, bytes: &[u8]| {
        fs::write(path, bytes).map_err(|e| {
            let path = path.display();
            Failure::usage(format!("cannot write {path}: {e}: name a file that can be written"))
        })
    };
    if let Some(path) = &rehearse.svg {
        write(path, pictures::svg(&rehearsal.scenarios, outcomes).as_bytes())?;
    }
    if let Some(path) = &rehearse.pareto {
        let summaries: Vec<_> = outcomes.iter().map(|outcome| &outcome.summary).collect();
        write(path, pareto(&summaries).as_bytes())?;
    }
    if let Some(path) = &rehearse.trace {
        let traces = outcomes.iter().flat_map(|outcome| &outcome.runs);
        let lines: Vec<&[u8]> = traces.filter_map(|left| left.trace.as_deref()).collect();
        write(path, &lines.concat())?;
    }
    Ok(())
}

fn table(outcomes: &[Outcome]) {
    let none = || "-".to_owned();
    let long = |s: f64| Span::from_s(s.round() as u64).to_string();
    let time = |s: Option<f64>| s.map_or_else(|| "never".to_owned(), long);
    let rows = outcomes.iter().map(|Outcome { summary, .. }| {
        vec![
            summary.id.clone(),
            summary.policy.to_owned(),
            if summary.pass { "yes" } else { "no" }.to_owned(),
            time(summary.t99_s()),
            time(summary.oracle_t99_s()),
            summary.ratio().map_or_else(none, |ratio| format!("{ratio:.2}")),
            summary.delivered_share().map_or_else(none, |share| format!("{:.1}", share * 100.0)),
            summary.r4xx_per_delivered().map_or_else(none, |r4xx| format!("{r4xx:.4}")),
            summary.tx_p99_s().map_or_else(none, long),
            summary.tx_lost().map_or_else(none, |lost| format!("{lost}")),
        ]
    });
    let header = [
        "SCENARIO",
        "POLICY",
        "PASS",
        "T99",
        "ORACLE",
        "RATIO",
        "DELIVERED %",
        "4XX/MSG",
        "TX P99",
        "TX LOST",
    ];
    print::table(&header, rows);
}

/// On stderr: it depends on the machine, and what is asked for does not.
fn note_speed(rehearsal: &Rehearsal, outcomes: &[Outcome], took: Duration) {
    let runs = outcomes.iter().flat_map(|outcome| &outcome.runs);
    let hours: f64 = runs.map(|left| left.run.ended.as_s_f64() / 3_600.0).sum();
    let seconds = took.as_secs_f64().max(1e-3);
    print::note(&format!(
        "{hours:.0} virtual hours in {seconds:.1} s, {:.0} a second; {} runs, the oracle's too",
        hours / seconds,
        rehearsal.runs(),
    ));
}
