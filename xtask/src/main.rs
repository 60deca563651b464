//! The project's own chores: `cargo xtask tidy|test|peers|score|folds|classifier|bounces|reference|pictures|bank|dist|bench`.

mod bank;
mod bench;
mod bounces;
mod classifier;
mod dist;
mod ended;
mod folds;
mod past;
mod peers;
mod pictures;
mod reference;
mod root;
mod score;
mod test;
mod tidy;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser;

use ended::Ended;
use root::root;

/// The project's own chores.
#[derive(Parser)]
#[command(bin_name = "cargo xtask", version)]
enum Chore {
    /// Check the house style: what no compiler lint can see.
    Tidy,
    /// Run every test, against real peers, too; installs the peers where it may.
    Test(test::Arguments),
    /// Install the peer programs the tests talk to, or print the line that does.
    Peers,
    /// Judge the rules as they were before anybody had seen the replies they are judged by.
    Folds(folds::Arguments),
    /// Judge the rules of replies by replies whose meaning is known.
    Score(score::Arguments),
    /// Train the classifier of replies that no rule has words for.
    Classifier(classifier::Arguments),
    /// How much of a collection of bounces the program reads.
    Bounces(bounces::Arguments),
    /// Write the reference pages of replies anew, from the rules.
    Reference(reference::Arguments),
    /// Take the guide's pictures of lanes anew, in four minutes.
    Pictures,
    /// Draw scenarios of the rehearsal, by the hundred.
    Bank(bank::Arguments),
    /// Make the Debian package.
    Dist,
    /// Measure the relay on this machine.
    #[command(subcommand)]
    Bench(bench::Bench),
}

fn main() -> ExitCode {
    let ended = match Chore::parse() {
        Chore::Tidy => tidy(),
        Chore::Test(arguments) => test::run(&arguments),
        Chore::Peers => peers::ensure(),
        Chore::Folds(arguments) => folds::run(&arguments),
        Chore::Score(arguments) => score::run(&arguments),
        Chore::Classifier(arguments) => classifier::run(&arguments),
        Chore::Bounces(arguments) => bounces::run(&arguments),
        Chore::Reference(arguments) => reference::run(&arguments),
        Chore::Pictures => pictures::run(),
        Chore::Bank(arguments) => bank::run(&arguments),
        Chore::Dist => dist::run(),
        Chore::Bench(bench) => bench::run(&bench),
    };
    match ended {
        Ok(Ended::Well) => ExitCode::SUCCESS,
        Ok(Ended::Badly) => ExitCode::from(1),
        Ok(Ended::NotYet) => ExitCode::from(2),
        Err(e) => {
            eprintln!("xtask: {e:#}");
            ExitCode::from(1)
        }
    }
}

fn tidy() -> anyhow::Result<Ended> {
    let findings = tidy::findings(&root())?;
    let mut out = std::io::stdout().lock();
    for finding in &findings {
        writeln!(out, "{finding}")?;
    }
    if findings.is_empty() {
        return Ok(Ended::Well);
    }
    writeln!(out, "{} findings", findings.len())?;
    Ok(Ended::Badly)
}
