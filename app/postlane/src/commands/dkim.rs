//! `postlane dkim`: keys that sign mail, made and looked for.

mod check;
mod new;

use clap::Subcommand;

use crate::exit::{Exit, Failure};

/// What is done with keys. No server needs to run.
#[derive(Subcommand)]
pub(crate) enum DkimCommand {
    /// Make keys for a domain; print what to publish, and what to write into the configuration
    New(Box<new::New>),
    /// Check whether the DNS has the keys of a configuration: 1 if one is missing or another
    Check(Box<check::Check>),
}

pub(crate) fn run(command: &DkimCommand, json: bool) -> Result<Exit, Failure> {
    match command {
        DkimCommand::New(new) => new::run(new, json),
        DkimCommand::Check(check) => check::run(check, json),
    }
}
