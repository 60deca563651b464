//! `cargo xtask bench …`: what a message costs, and what becomes of a thousand at a host that
//! refuses, in Postlane and in Postfix, in one run; and what each part costs by itself.
//!
//! A bench, not a test: its figures belong to the machine it ran on, and the line of the machine
//! stands above them. Source and sink run on the same cores; the ratio to their CPU tells more
//! than microseconds do. What cannot be measured here is said, not left out.

mod analyze;
mod backlog;
mod check;
mod disk;
mod dkim;
mod engine;
mod harness;
mod lanes;
mod ledger;
mod ledger_path;
mod measure;
mod process;
mod replies;
mod server;
mod table;

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

use crate::ended::Ended;
use crate::root::root;
use disk::{Disk, Kind};
use harness::{Load, Mailbench, Wire};
use server::Server;
use table::Row;

/// Postfix needs some 50 times as long per message.
const POSTFIX_SHARE: u64 = 10;
/// Under strace a small part of the messages is enough.
const SYNCS_SHARE: u64 = 10;
/// Seconds of the paced run.
const PACED_S: u64 = 20;

/// What is measured.
#[derive(clap::Subcommand)]
pub(crate) enum Bench {
    /// The relay's way from the first MAIL to the last dot, beside Postfix.
    Relay(Arguments),
    /// A thousand messages for hosts that refuse, in real time, beside Postfix.
    Lanes(lanes::Arguments),
    /// What it costs to ask the rules what a reply means.
    Replies(replies::Arguments),
    /// What history costs, and how long questions about a month of it take.
    Ledger(ledger::Arguments),
    /// What a decision of the engine costs, however much waits.
    Engine(engine::Arguments),
    /// How fast another server's log is read, beside pflogsumm.
    Analyze(analyze::Arguments),
    /// What it costs to look at a message as a receiver would.
    Check(check::Arguments),
    /// What it costs to sign a message, beside the signature alone.
    Dkim(dkim::Arguments),
    /// What it costs a message's way that everything is remembered.
    LedgerPath(ledger_path::Arguments),
}

/// How the relay is measured.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The relay's binary [default: built with --release]
    #[arg(long)]
    relay_bin: Option<PathBuf>,
    /// Messages per run of Postlane; Postfix gets a tenth.
    #[arg(long, default_value_t = 100_000)]
    messages: u64,
    /// Octets per message.
    #[arg(long, value_delimiter = ',', default_values_t = [4096, 51200])]
    sizes: Vec<u64>,
    /// Sessions of the source.
    #[arg(long, default_value_t = 50)]
    sessions: u32,
    /// Messages per second of the paced run; 0 leaves it out.
    #[arg(long, default_value_t = 1000)]
    paced: u32,
    /// Recipients of the long queue; 0 leaves it out.
    #[arg(long, default_value_t = 1_000_000)]
    backlog: u64,
    /// Disks to measure on.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Kind::Plain, Kind::Ext4])]
    disks: Vec<Kind>,
    /// Where the queues lie while they are measured [default: target/bench]
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Leave Postfix out.
    #[arg(long)]
    without_postfix: bool,
    /// Leave Postlane out.
    #[arg(long)]
    without_postlane: bool,
    /// Do not count syncs.
    #[arg(long)]
    without_syncs: bool,
    /// Write the report here, too.
    #[arg(long)]
    out: Option<PathBuf>,
}

/// Everything one bench needs.
struct Session<'a> {
    arguments: &'a Arguments,
    mailbench: Mailbench,
    home: PathBuf,
    report: String,
}

/// Measures and prints.
pub(crate) fn run(bench: &Bench) -> anyhow::Result<Ended> {
    match bench {
        Bench::Relay(arguments) => relay(arguments),
        Bench::Lanes(arguments) => lanes::run(arguments),
        Bench::Replies(arguments) => replies::run(arguments),
        Bench::Ledger(arguments) => ledger::run(arguments),
        Bench::Engine(arguments) => engine::run(arguments),
        Bench::Analyze(arguments) => analyze::run(arguments),
        Bench::Check(arguments) => check::run(arguments),
        Bench::Dkim(arguments) => dkim::run(arguments),
        Bench::LedgerPath(arguments) => ledger_path::run(arguments),
    }
}

/// The relay's way, beside Postfix, on each disk.
fn relay(arguments: &Arguments) -> anyhow::Result<Ended> {
    let root = root();
    let home = arguments.dir.clone().unwrap_or_else(|| root.join("target/bench"));
    fs::create_dir_all(&home).with_context(|| format!("while making {}", home.display()))?;
    let postlane = match (&arguments.relay_bin, arguments.without_postlane) {
        (_, true) => None,
        (Some(binary), _) => Some(binary.clone()),
        (None, _) => Some(build_relay(&root)?),
    };
    let mailbench = Mailbench::build(&root)?;
    let mut session = Session { arguments, mailbench, home, report: String::new() };
    session.say(&machine(&root))?;
    session.say(&table::head())?;
    let mut backlogs = String::new();
    for kind in &arguments.disks {
        let disk = match Disk::make(*kind, &session.home) {
            Ok(disk) => disk,
            Err(e) => {
                writeln!(backlogs, "Not measured on the {}: {e:#}.", kind.name())?;
                continue;
            }
        };
        if let Some(binary) = &postlane {
            session.postlane(binary, *kind, &disk)?;
            if arguments.backlog > 0 {
                let long = backlog::run(&session.mailbench, binary, &disk, arguments.backlog)?;
                backlogs.push_str(&table::backlog(kind.name(), &long));
            }
        }
        if !arguments.without_postfix {
            session.postfix(*kind, &disk)?;
        }
    }
    session.say(&format!("\n{backlogs}"))?;
    if let Some(out) = &arguments.out {
        fs::write(out, &session.report)
            .with_context(|| format!("while writing {}", out.display()))?;
    }
    Ok(Ended::Well)
}

impl Session<'_> {
    fn postlane(&mut self, binary: &Path, kind: Kind, disk: &Disk) -> anyhow::Result<()> {
        let server = Server::Postlane(binary.to_owned());
        for size in &self.arguments.sizes {
            for wire in [Wire::Data, Wire::Bdat] {
                self.row(&server, kind, disk, self.load(*size, wire))?;
            }
        }
        if self.arguments.paced > 0 {
            let mut load = self.load(4096, Wire::Data);
            load.rate = Some(self.arguments.paced);
            load.messages = u64::from(self.arguments.paced) * PACED_S;
            self.row(&server, kind, disk, load)?;
        }
        Ok(())
    }

    fn postfix(&mut self, kind: Kind, disk: &Disk) -> anyhow::Result<()> {
        for size in &self.arguments.sizes {
            let mut load = self.load(*size, Wire::Data);
            load.messages = (load.messages / POSTFIX_SHARE).max(1);
            self.row(&Server::Postfix, kind, disk, load)?;
        }
        Ok(())
    }

    fn load(&self, size: u64, wire: Wire) -> Load {
        let Arguments { messages, sessions, .. } = *self.arguments;
        Load { messages, size, sessions, rate: None, wire }
    }

    fn row(&mut self, server: &Server, kind: Kind, disk: &Disk, load: Load) -> anyhow::Result<()> {
        let taken = measure::run(&self.mailbench, server, disk, load)
            .with_context(|| format!("while measuring {}", server.name()))?;
        let syncs = if self.arguments.without_syncs {
            None
        } else {
            let mut few = load;
            few.messages = (load.messages / SYNCS_SHARE).max(1);
            let counted = measure::syncs(&self.mailbench, server, disk, few);
            Some(counted.with_context(|| format!("while counting {}'s syncs", server.name()))?)
        };
        let wire = match load.wire {
            Wire::Data => "DATA",
            Wire::Bdat => "BDAT",
        };
        let pace = load.rate.map(|rate| format!(", {rate}/s")).unwrap_or_default();
        let load = format!("{} × {} octets, {wire}{pace}", load.messages, load.size);
        let row = Row { server: server.name(), disk: kind.name(), load, taken, syncs };
        self.say(&table::line(&row))
    }

    /// Prints a part of the report as soon as it is known.
    fn say(&mut self, part: &str) -> anyhow::Result<()> {
        self.report.push_str(part);
        let mut out = std::io::stdout().lock();
        out.write_all(part.as_bytes())?;
        Ok(out.flush()?)
    }
}

fn build_relay(root: &Path) -> anyhow::Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .current_dir(root)
        .args(["build", "--release", "--locked", "--package", "postlane", "--target-dir", "target"])
        .status()
        .context("while starting cargo")?;
    anyhow::ensure!(status.success(), "the relay could not be built");
    Ok(root.join("target/release/postlane"))
}

/// The machine and the tree, in a paragraph.
fn machine(root: &Path) -> String {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let commit =
        Command::new("git").current_dir(root).args(["rev-parse", "--short", "HEAD"]).output();
    let commit = commit.map(|o| String::from_utf8_lossy(&o.stdout).trim().to_owned());
    format!(
        "Machine: {cores} × {}, Linux {}; source and sink on the same cores. Tree: {}.\n\n",
        model.map_or("unknown processor", |(_, name)| name),
        kernel.trim(),
        commit.unwrap_or_else(|_| "unknown".to_owned()),
    )
}
