//! `cargo xtask bench lanes`: a thousand messages for hosts that refuse, in real time over TCP, by
//! Postlane and by Postfix at the same time, each with a destination of its own.
//!
//! All trials run at once: they wait, mostly. The full form takes some forty minutes, for the warm
//! one begins when a thousand messages have taught the lane. The short form takes a minute and
//! checks what holds whatever the machine does.

mod destination;
mod law;
mod table;
mod timeline;
mod trial;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use anyhow::Context as _;

use super::harness::Mailbench;
use super::server::Server;
use super::{build_relay, machine};
use crate::ended::Ended;
use crate::root::root;
use destination::{Kind, Refusing};
use trial::{Told, Trial};

/// A trial of the short form lasts so long.
const SHORT: Duration = Duration::from_secs(55);
/// A storm is watched for so long: ten minutes from the first 421, which comes in the first.
const STORM: Duration = Duration::from_mins(12);

/// How lanes are tried.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The relay's binary [default: built with --release]
    #[arg(long)]
    relay_bin: Option<PathBuf>,
    /// A minute with few messages, in which what must hold is checked.
    #[arg(long)]
    short: bool,
    /// Minutes after which a trial is ended, counted from the messages that count.
    #[arg(long, default_value_t = 25)]
    minutes: u64,
    /// Messages from which the lane of the warm trial learns first; 0 leaves that trial out.
    #[arg(long, default_value_t = 1000)]
    lessons: u64,
    /// Where queues lie meanwhile [default: target/bench]
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Only these destinations, with commas between them [default: all]
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Kind>,
    /// Leave Postfix out.
    #[arg(long)]
    without_postfix: bool,
    /// Write the report here, too.
    #[arg(long)]
    out: Option<PathBuf>,
}

/// Tries, prints, and checks in the short form.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Ended> {
    let root = root();
    let home = arguments.dir.clone().unwrap_or_else(|| root.join("target/bench")).join("lanes");
    let relay = match &arguments.relay_bin {
        Some(binary) => binary.clone(),
        None => build_relay(&root)?,
    };
    let mailbench = Mailbench::build(&root)?;
    let mut servers = vec![Server::Postlane(relay)];
    if !arguments.without_postfix {
        servers.push(Server::Postfix);
    }
    let trials: Vec<Trial> = servers.iter().flat_map(|server| arguments.trials(server)).collect();
    let mut report = machine(&root);
    report.push_str(&table::head());
    let told = all_at_once(&mailbench, &trials, &home);
    let mut broken = Vec::new();
    for (trial, told) in trials.iter().zip(told) {
        match told {
            Ok(told) => {
                report.push_str(&table::line(trial, &told));
                if arguments.short && matches!(trial.server, Server::Postlane(_)) {
                    broken.extend(law::broken(trial, &told));
                }
            }
            Err(e) => broken.push(format!("{}: {e:#}", table::name(trial))),
        }
    }
    for finding in &broken {
        report.push_str(&format!("\nNot as it must be: {finding}\n"));
    }
    std::io::stdout().lock().write_all(report.as_bytes())?;
    if let Some(out) = &arguments.out {
        fs::write(out, &report).with_context(|| format!("while writing {}", out.display()))?;
    }
    Ok(if broken.is_empty() { Ended::Well } else { Ended::Badly })
}

impl Arguments {
    /// The trials of one server.
    fn trials(&self, server: &Server) -> Vec<Trial> {
        let trial = |refusing, messages, longest| Trial {
            server: server.clone(),
            refusing,
            messages,
            lessons: 0,
            restarts: false,
            longest,
        };
        let once = if self.short {
            vec![
                trial(Refusing::Beyond { messages: 10, window_s: 10 }, 60, SHORT),
                trial(Refusing::Crowds { connections: 5 }, 100, SHORT),
                trial(Refusing::Everything, 500, SHORT),
            ]
        } else {
            let longest = Duration::from_mins(self.minutes);
            vec![
                trial(Refusing::Beyond { messages: 60, window_s: 60 }, 1000, longest),
                trial(Refusing::Crowds { connections: 5 }, 1000, longest),
                trial(Refusing::Everything, 20_000, STORM.min(longest)),
            ]
        };
        let mut trials = Vec::new();
        let is_tried =
            |trial: &Trial| self.only.is_empty() || self.only.contains(&trial.refusing.kind());
        for cold in once.into_iter().filter(is_tried) {
            trials.push(cold.clone());
            let is_postlane = matches!(server, Server::Postlane(_));
            let is_paced = matches!(cold.refusing, Refusing::Beyond { .. });
            if is_postlane && is_paced && self.lessons > 0 && !self.short {
                trials.push(Trial { lessons: self.lessons, ..cold.clone() });
            }
            trials.push(Trial { restarts: true, ..cold });
        }
        trials
    }
}

/// Runs all trials at the same time; what became of each, in their order.
fn all_at_once(mailbench: &Mailbench, trials: &[Trial], home: &Path) -> Vec<anyhow::Result<Told>> {
    thread::scope(|scope| {
        let running: Vec<_> = trials
            .iter()
            .enumerate()
            .map(|(at, trial)| {
                let folder = home.join(at.to_string());
                scope.spawn(move || {
                    let _ = fs::remove_dir_all(&folder);
                    fs::create_dir_all(&folder)
                        .with_context(|| format!("while making {}", folder.display()))?;
                    let told = trial.run(mailbench, &folder);
                    eprintln!("{}: over", table::name(trial));
                    told
                })
            })
            .collect();
        running.into_iter().map(|trial| trial.join().expect("a trial does not panic")).collect()
    })
}
