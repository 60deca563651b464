//! `[lane]`: what we never exceed between one source and one provider.

use postlane_mail::{Rate, Span};

use crate::config::declaration::{default, settings};
use crate::config::section::Section;
use crate::config::value::Switch;

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
        /// A connection with nothing to do is closed after this.
        idle: Span = default(Span::from_s(10)).between(Span::ZERO, Span::from_min(5));
    }
}

impl Section for Lane {}
