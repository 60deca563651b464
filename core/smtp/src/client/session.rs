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
    /// As required, and before the host says a word, as smart hosts have it on port 465
    /// (RFC 8314 §3.3).
    FromStart,
}

/// How a session ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionEnd {
    /// We said QUIT.
    Quit,
    /// The host said something that ends it: at its greeting, to EHLO, STARTTLS or AUTH, or
    /// 421 anywhere.
    TurnedAway {
        /// What it answered; [`Stage::Quit`] where nothing was asked, between messages.
        stage: Stage,
        /// Verbatim.
        reply: Reply,
    },
    /// The connection was closed or broke.
    Lost(Stage),
    /// The host did not answer in time, or did not take what we sent.
    TimedOut(Stage),
    /// The host said what is no SMTP, or not what the dialogue allows.
    Misbehaved(&'static str),
    /// The handshake failed; without TLS it may do, where the policy allows that: on another
    /// connection, with [`TlsPolicy::Never`].
    TlsFailed(Box<str>),
    /// TLS is required and was not offered.
    TlsMissing,
    /// AUTH is wanted and none of our mechanisms was offered, or not under TLS.
    AuthMissing,
    /// The host is ourselves.
    Loop,
}

impl TlsPolicy {
    /// Whether mail goes by TLS or not at all.
    pub fn is_required(self) -> bool {
        self >= Self::Required
    }
}
