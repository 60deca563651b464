//! `postlane blocklists`: the block lists that are asked, and who is on them.

mod known;
mod watched;

use clap::{Args, Subcommand};

use crate::exit::{Exit, Failure};
use crate::reach::Reach;

/// What can be told of block lists.
#[derive(Subcommand)]
pub(crate) enum BlocklistsCommand {
    /// Every list: its check, its weight, whether it wants a key, and where its codes are written.
    /// No server needs to run, and nobody is asked
    List,
    /// Who is on which list, as the running server saw it last; status 1 if anybody is
    Status(Status),
    /// Who was on which list, from when to when
    History(History),
    /// Let the running server ask all lists now, and say what they answer
    Check,
}

#[derive(Args)]
pub(crate) struct Status {
    /// On this list, by its name as `list` has it
    #[arg(long, value_name = "LIST")]
    list: Option<String>,
    /// This address or domain
    #[arg(long, value_name = "ADDR|NAME")]
    subject: Option<String>,
    /// What is clear, too
    #[arg(long)]
    all: bool,
}

#[derive(Args)]
pub(crate) struct History {
    /// On this list, by its name as `list` has it
    #[arg(long, value_name = "LIST")]
    list: Option<String>,
    /// Of this address or domain
    #[arg(long, value_name = "ADDR|NAME")]
    subject: Option<String>,
    /// Not ended before: a moment (RFC 3339), or how long ago: 30m, 24h, 7d
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// So many at most
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: u32,
}

pub(crate) fn run(reach: &Reach, command: BlocklistsCommand) -> Result<Exit, Failure> {
    match command {
        BlocklistsCommand::List => known::run(reach.json),
        BlocklistsCommand::Status(status) => watched::status(reach, status),
        BlocklistsCommand::History(history) => watched::history(reach, history),
        BlocklistsCommand::Check => watched::check(reach),
    }
}
