//! `cargo xtask bench engine`: what one decision of the engine costs, however much waits.
//!
//! One decision is a message's way through the engine: its outcome comes in, is written down, its
//! successor is chosen and given out. Nothing else runs: no sockets, no disk, no name behind a
//! number. Each cell runs in a process of its own, so that memory is its own; figures are CPU
//! time of one thread.

mod world;

use std::io::Write as _;
use std::process::Command;

use anyhow::{Context as _, bail, ensure};
use postlane_engine::Learning;

use super::replies::on_cpu;
use crate::ended::Ended;
use world::{Load, Queue};

/// How the engine is measured.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Recipients in the queue.
    #[arg(long, value_delimiter = ',', default_values_t = [10_000, 100_000, 1_000_000])]
    queued: Vec<u32>,
    /// Lanes they wait for.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 100, 10_000])]
    lanes: Vec<u32>,
    /// Decisions in each cell.
    #[arg(long, default_value_t = 1_000_000)]
    decisions: u64,
    /// One cell alone, as the bench asks itself for it.
    #[arg(long, hide = true)]
    cell: Option<Load>,
}

/// What was seen of one cell.
struct Seen {
    /// Nanoseconds for each decision.
    decision_ns: f64,
    /// Milliseconds of a minute in which nothing is due.
    minute_ms: f64,
    /// Octets for each recipient that waits, beyond its lane's.
    recipient: f64,
    /// Octets for each lane with one message.
    lane: f64,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Ended> {
    let mut out = std::io::stdout().lock();
    if let Some(load) = arguments.cell {
        let (Some(queued), Some(lanes)) = (arguments.queued.first(), arguments.lanes.first())
        else {
            bail!("a cell has one length of queue and one number of lanes");
        };
        let seen = measure(*queued, *lanes, load, arguments.decisions)?;
        let Seen { decision_ns, minute_ms, recipient, lane } = seen;
        writeln!(out, "{decision_ns} {minute_ms} {recipient} {lane}")?;
        return Ok(Ended::Well);
    }
    for load in [Load::Delivered, Load::Deferred, Load::Learned] {
        writeln!(out, "\n{}\n", load.says())?;
        writeln!(
            out,
            "| lanes | queued | ns a decision | idle minute, ms | octets a recipient | octets a lane |"
        )?;
        writeln!(out, "|---:|---:|---:|---:|---:|---:|")?;
        for lanes in &arguments.lanes {
            for queued in arguments.queued.iter().filter(|queued| *queued >= lanes) {
                let seen = in_its_own_process(*queued, *lanes, load, arguments.decisions)?;
                let Seen { decision_ns, minute_ms, recipient, lane } = seen;
                let recipient =
                    if *queued > *lanes { format!("{recipient:.0}") } else { "–".into() };
                writeln!(
                    out,
                    "| {lanes} | {queued} | {decision_ns:.0} | {minute_ms:.2} | {recipient} | {lane:.0} |"
                )?;
            }
        }
    }
    Ok(Ended::Well)
}

fn in_its_own_process(queued: u32, lanes: u32, load: Load, decisions: u64) -> anyhow::Result<Seen> {
    let program = std::env::current_exe().context("while looking for this program")?;
    let mut command = Command::new(program);
    command.args(["bench", "engine", "--cell", load.name()]);
    command.arg(format!("--queued={queued}")).arg(format!("--lanes={lanes}"));
    command.arg(format!("--decisions={decisions}"));
    let output = command.output().context("while measuring a cell")?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told = String::from_utf8(output.stdout)?;
    let figures: Vec<f64> = told.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    let [decision_ns, minute_ms, recipient, lane] = figures[..] else {
        bail!("a cell said {told:?}");
    };
    Ok(Seen { decision_ns, minute_ms, recipient, lane })
}

fn measure(queued: u32, lanes: u32, load: Load, decisions: u64) -> anyhow::Result<Seen> {
    let learning = if load == Load::Learned { Learning::On } else { Learning::Off };
    let mut queue = Queue::new(load, lanes, learning);
    let empty = resident()?;
    // Nothing leaves before everything is there.
    queue.fill(lanes);
    let with_lanes = resident()?;
    queue.fill(queued - lanes);
    let full = resident()?;
    queue.begin();
    queue.decide(decisions / 4);
    let begun = on_cpu()?;
    queue.decide(decisions);
    let decision_ns = (on_cpu()? - begun) * 1e9 / decisions as f64;
    queue.hold_all();
    let begun = on_cpu()?;
    queue.idle_minute();
    let minute_ms = (on_cpu()? - begun) * 1e3;
    let each = |octets: u64, many: u32| octets as f64 / f64::from(many.max(1));
    Ok(Seen {
        decision_ns,
        minute_ms,
        recipient: each(full.saturating_sub(with_lanes), queued - lanes),
        lane: each(with_lanes.saturating_sub(empty), lanes),
    })
}

/// Octets of memory that this process has.
fn resident() -> anyhow::Result<u64> {
    let statm = std::fs::read_to_string("/proc/self/statm")
        .context("reading /proc/self/statm: the bench needs Linux")?;
    let pages = statm.split(' ').nth(1).context("statm has other fields than it had")?;
    Ok(pages.parse::<u64>()? * 4096)
}
