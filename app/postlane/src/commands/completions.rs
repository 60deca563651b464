//! `postlane completions` and `postlane manual`: what a shell and `man` know of the command line.

use std::fs;
use std::io;
use std::path::PathBuf;

use clap::{Args, Command};
use clap_complete::Shell;

use crate::exit::{Exit, Failure};
use crate::print;

/// Which shell.
#[derive(Args)]
#[command(after_help = "Examples:
  postlane completions bash > /etc/bash_completion.d/postlane
  postlane completions zsh > /usr/local/share/zsh/site-functions/_postlane
  postlane completions fish > ~/.config/fish/completions/postlane.fish")]
pub(crate) struct Completions {
    /// Whose completions
    shell: Shell,
}

/// Where to.
#[derive(Args)]
#[command(after_help = "Example:
  postlane manual /usr/local/share/man/man1 && man postlane-queue-list")]
pub(crate) struct Manual {
    /// The folder for the pages; made where it is missing
    dir: PathBuf,
}

/// Prints a shell's completions of a command line.
pub(crate) fn completions(mut line: Command, wanted: &Completions) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(wanted.shell, &mut line, "postlane", &mut script);
    print::octets(&script);
    Ok(Exit::Yes)
}

/// Writes a page for each command.
pub(crate) fn manual(line: Command, wanted: &Manual) -> Result<Exit, Failure> {
    let failed = |e: io::Error| {
        let dir = wanted.dir.display();
        Failure::usage(format!(
            "cannot write into {dir}: {e}: name a folder that we may write into"
        ))
    };
    fs::create_dir_all(&wanted.dir).map_err(failed)?;
    clap_mangen::generate_to(line, &wanted.dir).map_err(failed)?;
    print::note(&format!("a page for each command is in {}", wanted.dir.display()));
    Ok(Exit::Yes)
}
