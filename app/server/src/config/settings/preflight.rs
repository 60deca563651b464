//! `[preflight]`: what providers ask of mail, looked at before they do.

use postlane_mail::{Span, Stream};

use crate::config::declaration::{default, settings};
use crate::config::section::{Fields, Section};
use crate::config::value::{Size, spelled};

settings! {
    /// Messages about to leave are checked, as they will leave, for what their provider requires (a
    /// signature, a policy, a name for the address). Mail does not wait for it: the look is at a
    /// copy, on the side.
    pub struct Preflight in "preflight" {
        /// What follows where something is missing. `[lane."gmx"]` may say otherwise of a provider.
        policy: PreflightPolicy = default(PreflightPolicy::Warn);
        /// Streams that `hold` holds; for the others it is only told.
        hold_streams: Vec<Stream> = default(Stream::ALL.to_vec());
        /// The first message of each author's domain, provider, source and stream is looked at, and
        /// another one after so long.
        every: Span = default(Span::from_min(15)).between(Span::from_s(1), Span::from_h(24));
        /// Where something was missing, the next look comes after so long: at the next message, or
        /// at one of those that are held.
        recheck: Span = default(Span::from_min(5)).between(Span::from_s(1), Span::from_h(24));
        /// One in so many messages is looked at besides, by chance; 0 for none.
        one_in: u32 = default(10_000).between(0, 1_000_000_000).of("messages");
        /// Larger messages are not looked at: another one is.
        message_size: Size = default(Size(1 << 20)).between(Size(16 << 10), Size(64 << 20));
        /// Octets of messages that wait to be looked at. What there is no room for goes unseen, and
        /// is counted.
        backlog: Size = default(Size(16 << 20)).between(Size(1 << 20), Size(1 << 30));
        /// Verdicts that are kept, one for each domain, provider, source and stream; beyond that
        /// nothing more is looked at until some have sent nothing for a day. Each takes some 2 KiB
        /// of memory.
        domains: u32 = default(10_000).between(100, 1_000_000).of("domains");
    }
}

/// What follows where a message lacks what its provider asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PreflightPolicy {
    /// Nothing is looked at.
    Off,
    /// It is told, and mail goes.
    #[default]
    Warn,
    /// It is told, and the domain's mail of that stream waits until a look finds nothing missing.
    Hold,
}

spelled!(PreflightPolicy {
    "off" => PreflightPolicy::Off, "nothing is looked at";
    "warn" => PreflightPolicy::Warn, "it is shown and told, and mail goes";
    "hold" => PreflightPolicy::Hold, "it is shown and told, and the domain's mail of that stream waits until it is put right";
});

impl Section for Preflight {
    fn check(&self, fields: &mut Fields<'_, '_>) {
        if self.recheck > self.every {
            let cause = "what was found missing would be looked at later than what was not";
            fields.complain("recheck", cause, "write no more than `preflight.every`");
        }
    }
}
