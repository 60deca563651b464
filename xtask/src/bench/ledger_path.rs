//! `cargo xtask bench ledger-path`: what it costs a message's way that everything is remembered.
//!
//! The same load goes through the relay with and without its ledger, in turn, in one run: two
//! entries for each message, its acceptance and its delivery. CPU is user and system time of the
//! whole relay, the ledger's own thread and its disk included; other work on the machine makes both
//! worse, so that the ratio within a round tells more than either.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;

use super::disk::{Disk, Kind};
use super::harness::{Load, Mailbench, Wire};
use super::measure;
use super::server::Server;
use super::{build_relay, machine};
use crate::ended::Ended;
use crate::root::root;

/// How it is measured.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The relay's binary [default: built with --release]
    #[arg(long)]
    relay_bin: Option<PathBuf>,
    /// Messages of each run
    #[arg(long, default_value_t = 100_000)]
    messages: u64,
    /// Runs with and without
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Sessions of the source
    #[arg(long, default_value_t = 50)]
    sessions: u32,
    /// Where the queues lie while they are measured [default: target/bench]
    #[arg(long)]
    dir: Option<PathBuf>,
}

/// Entries that a message to one recipient makes.
const ENTRIES: f64 = 2.0;

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Ended> {
    let root = root();
    let home = arguments.dir.clone().unwrap_or_else(|| root.join("target/bench"));
    fs::create_dir_all(&home).with_context(|| format!("while making {}", home.display()))?;
    let binary = match &arguments.relay_bin {
        Some(binary) => binary.clone(),
        None => build_relay(&root)?,
    };
    let mailbench = Mailbench::build(&root)?;
    let disk = Disk::make(Kind::Plain, &home)?;
    let mut servers = Vec::new();
    for (name, on) in [("without", false), ("with", true)] {
        let file = home.join(format!("{name}.toml"));
        fs::write(&file, format!("[ledger]\non = {on}\n"))?;
        let options = vec!["--config".to_owned(), file.display().to_string()];
        servers.push(Server::Configured(binary.clone(), options));
    }
    let load = Load {
        messages: arguments.messages,
        size: 4096,
        sessions: arguments.sessions,
        rate: None,
        wire: Wire::Data,
    };
    let mut out = std::io::stdout().lock();
    write!(out, "{}", machine(&root))?;
    writeln!(out, "| round | without µs | with µs | ratio | an entry µs | without /s | with /s |")?;
    writeln!(out, "|---:|---:|---:|---:|---:|---:|---:|")?;
    let mut ratios = Vec::new();
    let mut entries = Vec::new();
    for round in 1..=arguments.rounds {
        // In turn, and each first as often as the other: what a machine does changes slowly.
        let order = if round % 2 == 1 { [0, 1] } else { [1, 0] };
        let mut us = [0.0; 2];
        let mut rate = [0.0; 2];
        for which in order {
            let taken = measure::run(&mailbench, &servers[which], &disk, load)?;
            anyhow::ensure!(taken.lost == 0.0, "{} messages were lost", taken.lost);
            (us[which], rate[which]) = (taken.server_us, taken.through_per_s);
        }
        let (ratio, entry) = (us[1] / us[0], (us[1] - us[0]) / ENTRIES);
        writeln!(
            out,
            "| {round} | {:.1} | {:.1} | {ratio:.3} | {entry:.2} | {:.0} | {:.0} |",
            us[0], us[1], rate[0], rate[1]
        )?;
        out.flush()?;
        ratios.push(ratio);
        entries.push(entry);
    }
    let (ratio, entry) = (median(&mut ratios), median(&mut entries));
    writeln!(out, "\nMedian: {ratio:.3} times the CPU, {entry:.2} µs for each entry.")?;
    Ok(Ended::Well)
}

fn median(of: &mut [f64]) -> f64 {
    of.sort_by(f64::total_cmp);
    of.get(of.len() / 2).copied().unwrap_or(f64::NAN)
}
