//! `[lane]`: what we never exceed between one source and one provider.

use postlane_mail::{Rate, Span};

use crate::config::declaration::{default, settings};
use crate::config::section::Section;
use crate::config::value::{Switch, spelled};

settings! {
    /// What is never exceeded between one source and one provider. `[[provider]]` says otherwise
    /// for some.
    pub struct Lane in "lane" {
        /// Connections open or opening at once.
        connections: u16 = default(20).between(1, 5_000).of("connections")
            .from("Postfix's default_destination_concurrency_limit");
        /// Transactions in a time: first attempts, retries, and connections that carry none draw
        /// on it alike. `off` sets no ceiling.
        rate: Switch<Rate> = default(Switch::Off);
        /// Messages on one connection before it is closed.
        session_messages: u32 = default(100).between(1, 1_000_000).of("messages");
        /// Whether a lane finds out what its provider takes, and stays below it. Without, it keeps to
        /// what is written here, and messages that are refused wait by themselves.
        learning: Learning = default(Learning::Elsewhere);
        /// A connection with nothing to do is closed after this.
        idle: Span = default(Span::from_s(10)).between(Span::ZERO, Span::from_min(5));
    }
}

/// Which lanes find out what their providers take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Learning {
    /// All.
    On,
    /// Those whose hosts are not in a network of our own.
    Elsewhere,
    /// None.
    Off,
}

spelled!(Learning {
    "on" => Learning::On, "every lane does";
    "elsewhere" => Learning::Elsewhere, "every lane does but those to hosts in private networks";
    "off" => Learning::Off, "none does";
});

impl Section for Lane {}
