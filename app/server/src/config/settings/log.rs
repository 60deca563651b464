//! `[log]`: what is told of what happens.

use crate::config::declaration::{default, settings};
use crate::config::section::Section;
use crate::config::value::{Size, spelled};

settings! {
    /// What is told of what happens: one line for each, `key=value`, in UTC.
    pub struct Log in "log" {
        /// What is important enough.
        level: Level = default(Level::Info);
        /// Whether each attempt has a line. It costs under a microsecond of processor time each.
        attempts: bool = default(true);
        /// How much of addresses is shown.
        addresses: Addresses = default(Addresses::Full);
        /// Where the lines go.
        output: Output = default(Output::Stderr).restart();
        /// Octets of lines that wait to be written. Beyond it lines are dropped and counted, so
        /// that a slow disk or terminal never holds up mail.
        backlog: Size = default(Size::mib(16)).between(Size::kib(64), Size::gib(1)).restart();
    }
}

/// How important something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Something is broken and somebody must act.
    Error,
    /// Something is not as it should be.
    Warn,
    /// Something happened.
    Info,
    /// Something happened that only a search for a fault is interested in.
    Debug,
}

/// How much of addresses is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addresses {
    /// All of them.
    Full,
    /// Domains alone.
    Domain,
    /// A hash in the place of the local part: equal addresses look equal until a restart.
    Hash,
}

/// Where lines go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// Standard error.
    Stderr,
    /// Standard output.
    Stdout,
}

spelled!(Level {
    "error" => Level::Error, "what is broken";
    "warn" => Level::Warn, "and what is not as it should be";
    "info" => Level::Info, "and what happens";
    "debug" => Level::Debug, "and what only a search for a fault needs";
});

spelled!(Addresses {
    "full" => Addresses::Full, "as they are";
    "domain" => Addresses::Domain, "domains alone";
    "hash" => Addresses::Hash, "a hash for the local part, equal for equal ones until a restart";
});

spelled!(Output {
    "stderr" => Output::Stderr, "standard error";
    "stdout" => Output::Stdout, "standard output";
});

impl Section for Log {}
