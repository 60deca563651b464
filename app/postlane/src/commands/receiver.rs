//! `postlane receiver`: a model receiver answers, as an SMTP server or to dispatches in a file.

mod dialogue;
mod house;
mod limits;
mod listen;
mod replay;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Args;
use postlane_receivers::{Scenario, builtin};

use super::rehearse::no_scenario;
use crate::exit::{Exit, Failure};
use crate::print;
use crate::reach::{Reach, socket_address};

/// Which receiver, and who asks it.
#[derive(Args)]
#[command(after_help = "Example:
  postlane receiver p01-webde --listen 127.0.0.1:2600 --speed 60")]
pub(crate) struct Receiver {
    /// The scenario: a TOML file, or the name of one that comes with the program
    scenario: PathBuf,
    /// Speak SMTP there, on a loopback address; port 0 picks a free one
    #[arg(
        long,
        value_name = "ADDR:PORT",
        value_parser = socket_address,
        required_unless_present = "replay",
        conflicts_with = "replay"
    )]
    listen: Option<SocketAddr>,
    /// Let time run so many times faster
    #[arg(long, value_name = "N", default_value_t = 1.0, value_parser = speed, conflicts_with = "replay")]
    speed: f64,
    /// Answer the dispatches in this file, one JSON object per line; `-` for stdin
    #[arg(long, value_name = "FILE")]
    replay: Option<PathBuf>,
    /// Where its chance begins [default: that of the scenario's first run]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

fn speed(text: &str) -> Result<f64, String> {
    let speed: f64 = text.parse().map_err(|_| "write a number as in 60".to_owned())?;
    if (0.01..=10_000.0).contains(&speed) {
        Ok(speed)
    } else {
        Err("write a number from 0.01 to 10000".to_owned())
    }
}

pub(crate) fn run(reach: &Reach, command: &Receiver) -> Result<Exit, Failure> {
    let scenario = scenario(&command.scenario)?;
    let seed = command.seed.unwrap_or_else(|| scenario.run_seed(0));
    match (command.listen, &command.replay) {
        (Some(address), _) => {
            let told = if reach.json { listen::Told::EachAnswer } else { listen::Told::TheSum };
            listen::run(&scenario, seed, address, command.speed, told)
        }
        (None, Some(file)) => replay::run(&scenario, seed, file),
        (None, None) => Err(Failure::usage("who asks? write --listen or --replay")),
    }
}

/// The scenario in this file; where there is none, the one with that name that comes with the
/// program.
fn scenario(path: &Path) -> Result<Scenario, Failure> {
    let shown = path.display();
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(e) => {
            let named = builtin().iter().find(|(name, _)| path.as_os_str() == *name);
            let Some((_, text)) = named else {
                return Err(no_scenario(path, &e));
            };
            (*text).to_owned()
        }
    };
    Scenario::parse(&text).map_err(|e| {
        for fault in &e.0 {
            print::error(&format!("{shown}: {fault}"));
        }
        Failure::usage(format!("{shown} is no scenario"))
    })
}
