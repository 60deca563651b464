//! `[webhooks]`: how other programs are told what happens.

use postlane_mail::Span;

use crate::config::declaration::{default, settings};
use crate::config::section::{Fields, Section};

settings! {
    /// How other programs are told what happens. Webhooks themselves are made by
    /// `postlane webhook add`.
    pub struct Webhooks in "webhooks" {
        /// Whether webhooks may lead to private, loopback and link-local addresses: whoever makes
        /// one then reaches what this machine reaches.
        private_addresses: bool = default(false);
        /// One message, from the name's resolution to the answer.
        timeout: Span = default(Span::from_s(15)).between(Span::from_s(1), Span::from_min(5));
        /// Events in one message.
        batch: u32 = default(100).between(1, 1_000).of("events");
        /// Messages under way at once, to different webhooks. Each webhook gets one at a time.
        at_once: u32 = default(8).between(1, 64).of("messages").restart();
        /// A webhook that has taken nothing for so long is paused, with an alarm.
        pause_after: Span = default(Span::from_h(72)).between(Span::from_min(1), Span::from_h(720));
    }
}

impl Section for Webhooks {
    fn check(&self, fields: &mut Fields<'_, '_>) {
        if self.private_addresses {
            let cause =
                "whoever makes a webhook can reach services of this machine and its network";
            fields.warn("private_addresses", cause, "keep the scope admin to people you trust");
        }
    }
}
