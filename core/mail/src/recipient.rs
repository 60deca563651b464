//! One recipient of a message, with what the sender asked to hear about it.

use crate::mailbox::Mailbox;

/// A recipient as RCPT gave it (RFC 5321 §4.1.1.3) with its DSN parameters (RFC 3461 §4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// The address.
    pub mailbox: Mailbox,
    /// Which reports the sender asked for.
    pub notify: Notify,
    /// `ORCPT`, as it was given: `addr-type;xtext` (RFC 3461 §4.2). At most 500 octets.
    pub orcpt: Option<Box<str>>,
}

/// Which reports the sender asked for about a recipient (`NOTIFY`, RFC 3461 §4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Notify {
    /// Nothing was said: failures, and delays if the relay reports them.
    #[default]
    Default,
    /// `NEVER`: no report whatever happens.
    Never,
    /// A list of at least one of the three.
    On {
        /// Report that it was delivered or handed on.
        success: bool,
        /// Report that it failed.
        failure: bool,
        /// Report that it is late.
        delay: bool,
    },
}

impl Recipient {
    /// A recipient with nothing said about reports.
    pub fn new(mailbox: Mailbox) -> Self {
        Self { mailbox, notify: Notify::Default, orcpt: None }
    }
}

impl Notify {
    /// Whether a failure is to be reported.
    pub fn failure(self) -> bool {
        matches!(self, Self::Default | Self::On { failure: true, .. })
    }

    /// Whether a delay may be reported.
    pub fn delay(self) -> bool {
        matches!(self, Self::Default | Self::On { delay: true, .. })
    }

    /// Whether delivery, or handing on to a host without DSN, is to be reported.
    pub fn success(self) -> bool {
        matches!(self, Self::On { success: true, .. })
    }
}
