//! What a line of a log tells of mail.

use postlane_mail::{Instant, Stage};

/// One try of one recipient, as a log has it. Texts are the log's own octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Attempt<'l> {
    /// When it ended.
    pub(crate) at: Instant,
    /// Who sent: the machine's name, and the instance's or transport's where there are several.
    pub(crate) source: Source<'l>,
    /// The sending program's queue id.
    pub(crate) id: &'l [u8],
    /// The recipient's address.
    pub(crate) recipient: &'l [u8],
    /// The name of the host that was spoken to; empty if the log does not tell, or there was none.
    pub(crate) host: &'l [u8],
    /// What was answered; `None` if the log does not tell.
    pub(crate) stage: Option<Stage>,
    /// What came of it.
    pub(crate) outcome: Outcome,
    /// What was said.
    pub(crate) said: Said<'l>,
    /// When the message came to the sending program, if the log tells.
    pub(crate) arrived: Option<Instant>,
    /// Whether this recipient was tried before, if the line tells.
    pub(crate) tried_before: Option<Tried>,
}

/// Who sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Source<'l> {
    /// The machine's name in its log.
    pub(crate) machine: &'l [u8],
    /// The instance or transport (`postfix-out`, `postfix/slow`), or the address it sends from.
    pub(crate) instance: &'l [u8],
}

/// Whether a recipient was tried before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tried {
    /// It was not.
    Never,
    /// It was.
    Before,
}

/// Whether a recipient is tried for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Turn {
    /// It is.
    First,
    /// It was tried before.
    Again,
}

/// What came of one try of one recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// The host took it.
    Accepted,
    /// The host said: not now.
    Deferred,
    /// Not now, for no host said anything: no session, no answer.
    Unreached,
    /// Not at all.
    Bounced,
    /// Given up, for it has waited too long.
    Expired,
    /// It waits without having been tried: the sending program has given its destination a rest.
    NotTried,
}

/// What was said, and by whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Said<'l> {
    /// A reply of the other side.
    Reply(&'l [u8]),
    /// The sending program's own words: it got no reply.
    Own(&'l [u8]),
}

/// What a line of a log tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told<'l> {
    /// Nothing that matters here.
    Nothing,
    /// The line is broken off or of another kind of log.
    Bad,
    /// A try of a recipient.
    Attempt(Attempt<'l>),
    /// A host turned a session away and the next host is asked; the recipient's own line comes
    /// later.
    HostRefused {
        /// When.
        at: Instant,
        /// Who sent.
        source: Source<'l>,
        /// The host.
        host: &'l [u8],
        /// Its reply.
        reply: &'l [u8],
        /// What was answered.
        stage: Option<Stage>,
    },
    /// The message has waited too long: all recipients that still wait are given up.
    Expired {
        /// When.
        at: Instant,
        /// Who sent.
        source: Source<'l>,
        /// The queue id.
        id: &'l [u8],
    },
    /// Who sent a message, or its `Message-ID`.
    Named {
        /// Who sent.
        source: Source<'l>,
        /// The queue id.
        id: &'l [u8],
        /// The reverse-path, empty for the null one, if the line tells.
        sender: Option<&'l [u8]>,
        /// The `Message-ID` with its angle brackets, if the line tells.
        message_id: Option<&'l [u8]>,
    },
    /// The message is gone.
    Removed {
        /// Who sent.
        source: Source<'l>,
        /// The queue id.
        id: &'l [u8],
    },
}
