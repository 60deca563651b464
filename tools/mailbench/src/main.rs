//! mailbench: load for a mail transfer agent, and a receiver that keeps the books.
//!
//! - `sink`: a fast scripted SMTP receiver; counts, finds loss and duplicates, measures latency
//! - `source`: concurrent SMTP clients; closed loop, or open loop with `--rate`
//! - `disk`: what a durable commit costs in a directory
//! - `meter`: CPU and memory of one control group until SIGTERM
//!
//! It knows nothing of the relay it measures and shares no code with it. No TLS, no AUTH.

mod clock;
mod disk;
mod latency;
mod mark;
mod meter;
mod report;
mod sink;
mod source;

use std::process::ExitCode;

use clap::Parser;

/// Load source, scripted sink, disk probe and CPU meter for mail transfer agents.
#[derive(Parser)]
#[command(version)]
enum Mode {
    Sink(sink::Arguments),
    Source(source::Arguments),
    Disk(disk::Arguments),
    Meter(meter::Arguments),
}

fn main() -> ExitCode {
    let done = match Mode::parse() {
        Mode::Sink(arguments) => sink::run(arguments),
        Mode::Source(arguments) => source::run(arguments),
        Mode::Disk(arguments) => disk::run(&arguments),
        Mode::Meter(arguments) => meter::run(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("mailbench: {e:#}");
            ExitCode::FAILURE
        }
    }
}
