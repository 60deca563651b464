//! `postlane config`: is a file right, what does a setting mean, and what holds.

use std::io::{self, BufRead as _, IsTerminal as _};
use std::path::{Path, PathBuf};

use clap::Subcommand;
use postlane_server::config::settings::verifier_of;
use postlane_server::config::{
    Config, ConfigError, Findings, Overrides, explain, explain_all, explanations,
};

use crate::exit::{Exit, Failure};
use crate::print;
use crate::reach::Reach;

/// What can be asked of a configuration. No server needs to run.
#[derive(Subcommand)]
pub(crate) enum ConfigCommand {
    /// Say everything that is wrong with a file: where, why, and what to write instead
    Check {
        /// The configuration file
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Say what a setting means: its form, unit, default, bounds, and where the number comes from
    Explain {
        /// A setting (`lane.max_connections`) or a section (`lane`) [default: a line for each]
        #[arg(value_name = "NAME")]
        name: Option<String>,
    },
    /// Print what holds, and whether it comes from the file, a flag or the default
    Show {
        /// The configuration file; without one, the defaults
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Read a password from standard input, and print the form that `credential.password_scram` takes
    Password,
}

pub(crate) fn run(reach: &Reach, command: &ConfigCommand) -> Result<Exit, Failure> {
    match command {
        ConfigCommand::Check { file } => Ok(check(reach, file)),
        ConfigCommand::Explain { name } => tell(reach, name.as_deref()),
        ConfigCommand::Show { file } => Ok(show(reach, file.as_deref())),
        ConfigCommand::Password => password(),
    }
}

/// Says why nothing can run with a configuration: all that is wrong.
pub(crate) fn refused(error: &ConfigError, json: bool) -> Exit {
    match error {
        ConfigError::Wrong(findings) if json => {
            findings.to_json().iter().for_each(print::json);
        }
        ConfigError::Wrong(findings) => {
            say(findings);
            let many = findings.errors();
            let errors = if many == 1 { "error" } else { "errors" };
            print::error(&format!("the configuration has {many} {errors}, and nothing was done"));
        }
        unreadable => print::error(&unreadable.to_string()),
    }
    Exit::Configuration
}

/// Says what may not be meant.
pub(crate) fn warn(doubts: &Findings) {
    if !doubts.is_empty() {
        say(doubts);
    }
}

/// With the lines of the file for a person, on one line each for a program.
fn say(findings: &Findings) {
    let stderr = io::stderr();
    if !stderr.is_terminal() {
        findings.lines().for_each(|line| print::note(&line));
        return;
    }
    let columns = rustix::termios::tcgetwinsize(&stderr).map_or(0, |size| size.ws_col);
    print::note(findings.render(usize::from(columns).clamp(60, 120)).trim_end());
}

fn check(reach: &Reach, file: &Path) -> Exit {
    // What the directory's disk has room for is part of it.
    let overrides = Overrides { data: reach.data.clone(), ..Overrides::default() };
    match Config::load(Some(file), &overrides) {
        Ok(config) if reach.json => {
            config.warnings().to_json().iter().for_each(print::json);
            Exit::Yes
        }
        Ok(config) => {
            warn(config.warnings());
            print::line(&format!("{} can be used", file.display()));
            Exit::Yes
        }
        Err(error) => refused(&error, reach.json),
    }
}

fn tell(reach: &Reach, name: Option<&str>) -> Result<Exit, Failure> {
    if reach.json {
        let told = explanations(name).map_err(|e| Failure::usage(e.to_string()))?;
        told.iter().for_each(print::json);
        return Ok(Exit::Yes);
    }
    let told = match name {
        Some(name) => explain(name).map_err(|e| Failure::usage(e.to_string()))?,
        None => explain_all(),
    };
    print::line(told.trim_end());
    Ok(Exit::Yes)
}

fn show(reach: &Reach, file: Option<&Path>) -> Exit {
    let overrides = Overrides { data: reach.data.clone(), ..Overrides::default() };
    match Config::load(file, &overrides) {
        Ok(config) if reach.json => {
            config.to_json().iter().for_each(print::json);
            Exit::Yes
        }
        Ok(config) => {
            warn(config.warnings());
            print::line(config.show().trim_end());
            Exit::Yes
        }
        Err(error) => refused(&error, reach.json),
    }
}

fn password() -> Result<Exit, Failure> {
    let mut stdin = io::stdin().lock();
    let terminal = io::stdin().is_terminal().then(Unseen::begin).flatten();
    if terminal.is_some() {
        print::note("Password, which is not shown:");
    }
    let mut line = String::new();
    let read = stdin.read_line(&mut line).map_err(|e| Failure::usage(e.to_string()));
    drop(terminal);
    read?;
    let password = line.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err(Failure::usage("there is no password: write it to standard input"));
    }
    print::line(&format!("password_scram = \"{}\"", verifier_of(password)));
    Ok(Exit::Yes)
}

/// A terminal that does not show what is typed, until this is gone.
struct Unseen(rustix::termios::Termios);

impl Unseen {
    fn begin() -> Option<Self> {
        use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
        let was = tcgetattr(io::stdin()).ok()?;
        let mut unseen = was.clone();
        unseen.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Now, &unseen).ok()?;
        Some(Self(was))
    }
}

impl Drop for Unseen {
    fn drop(&mut self) {
        use rustix::termios::{OptionalActions, tcsetattr};
        // The terminal may have gone away.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}
