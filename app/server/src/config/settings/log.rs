//! `[log]`: what is told of what happens.

use crate::config::declaration::{default, settings};
use crate::config::section::Section;
use crate::config::value::{Size, spelled};

settings! {
    /// What is told of what happens: one line for each, `key=value`, in UTC.
    pub struct Log in "log" {
        /// Whether each message that becomes ours has a line. It costs about a microsecond of
        /// processor time each.
        accepted: bool = default(true);
        /// Whether what becomes of each recipient at each attempt has a line. It costs about a
        /// microsecond of processor time each.
        attempts: bool = default(true);
        /// How much of senders' and recipients' addresses is shown, in what hosts say, too.
        addresses: Addresses = default(Addresses::Full);
        /// Where the lines go.
        output: Output = default(Output::Stderr).restart();
        /// Octets of lines that wait to be written. Beyond it lines are dropped and counted, so
        /// that a slow disk or terminal never holds up mail.
        backlog: Size = default(Size::mib(16)).between(Size::kib(64), Size::gib(1)).restart();
    }
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
