//! How a session is secured, and how it ended.

use postlane_mail::{Reply, Stage};

/// Whether a session is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum TlsPolicy {
    /// Not even where it is offered: the fallback after a handshake that failed.
    Never,
    /// Where it is offered; whoever it is.
    #[default]
    Opportunistic,
    /// Or not at all, and only with a certificate that proves the host's name.
    Required,
}

/// How a session ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionEnd {
    /// We said QUIT.
    Quit,
    /// The host said something that ends it: at its greeting, to EHLO, STARTTLS or AUTH, or
    /// 421 anywhere.
    TurnedAway {
        /// What it answered.
        stage: Stage,
        /// Verbatim.
        reply: Reply,
    },
    /// The connection was closed or broke.
    Lost(Stage),
    /// The host did not answer in time.
    TimedOut(Stage),
    /// The host said what is no SMTP.
    Misbehaved(&'static str),
    /// The handshake failed; without TLS it may do, where the policy allows that.
    TlsFailed(Box<str>),
    /// TLS is required and was not offered.
    TlsMissing,
    /// AUTH is wanted and none of our mechanisms was offered, or not under TLS.
    AuthMissing,
    /// The host is ourselves.
    Loop,
}
