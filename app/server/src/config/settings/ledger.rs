//! `[ledger]`: how much of what happened is remembered, and where.

use std::path::PathBuf;

use postlane_mail::Span;

use crate::config::declaration::{default, optional, settings};
use crate::config::section::{Fields, Section};
use crate::config::value::{Size, spelled};

/// A day.
const DAY: Span = Span::from_h(24);

settings! {
    /// How much of what happened is remembered, and where: every message taken, every attempt,
    /// every change of a lane, for `postlane log` and `postlane trace`. Mail never waits for it:
    /// history may be lost, mail may not.
    pub struct Ledger in "ledger" {
        /// Whether anything is remembered. Without it nothing is computed for it either.
        on: bool = default(true).restart();
        /// The folder. Left out it is `ledger` in the folder of the spool; another disk may hold it.
        dir: Option<PathBuf> = optional().restart();
        /// Older entries are removed.
        keep_for: Span = default(Span::from_h(30 * 24)).between(DAY, Span::from_h(10 * 365 * 24)).restart();
        /// What all of it may take of the disk. Beyond it the oldest entries go first.
        size: Size = default(Size::gib(10)).between(Size::mib(64), Size(1 << 44)).restart();
        /// Of how many refused attempts a minute, at each provider, the dialogue and the message's
        /// header section are remembered. All others have their reply all the same.
        refused_samples: u16 = default(30).between(0, 6_000).of("attempts a minute");
        /// Of how many accepted attempts a minute, at each provider, they are remembered.
        accepted_samples: u16 = default(1).between(0, 6_000).of("attempts a minute");
        /// How much of addresses is remembered. With `domain` no header sections are, and nobody can
        /// look for a recipient.
        addresses: Remembered = default(Remembered::Full);
        /// Octets of what happened that wait to be written. Beyond it they are dropped and counted,
        /// so that a slow disk never holds up mail.
        backlog: Size = default(Size::mib(64)).between(Size::mib(1), Size::gib(4)).restart();
    }
}

/// How much of addresses is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remembered {
    /// All of them.
    Full,
    /// Domains alone.
    Domain,
}

spelled!(Remembered {
    "full" => Remembered::Full, "as they are";
    "domain" => Remembered::Domain, "domains alone";
});

impl Section for Ledger {
    fn check(&self, fields: &mut Fields<'_, '_>) {
        if let Some(dir) = self.dir.as_ref().filter(|dir| dir.is_file()) {
            let cause = format!("{} is a file, and a folder is wanted", dir.display());
            fields.complain("dir", cause, "name a folder, or one that is still to be made");
        }
    }
}
