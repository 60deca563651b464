//! How long a host may take (RFC 5321 §4.5.3.2).

use postlane_mail::Span;

/// How long we wait for each answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeouts {
    /// The greeting (§4.5.3.2.1).
    pub greeting: Span,
    /// EHLO, HELO, STARTTLS and its handshake, AUTH, RSET; not in the RFC, chosen as MAIL.
    pub command: Span,
    /// MAIL (§4.5.3.2.2).
    pub mail: Span,
    /// RCPT (§4.5.3.2.3).
    pub rcpt: Span,
    /// DATA (§4.5.3.2.4).
    pub data: Span,
    /// While octets are being sent, until the host takes the next of them (§4.5.3.2.5).
    pub block: Span,
    /// After the final dot (§4.5.3.2.6).
    pub dot: Span,
    /// QUIT. Nothing is lost by not waiting. Chosen, not measured.
    pub quit: Span,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            greeting: Span::from_min(5),
            command: Span::from_min(5),
            mail: Span::from_min(5),
            rcpt: Span::from_min(5),
            data: Span::from_min(2),
            block: Span::from_min(3),
            dot: Span::from_min(10),
            quit: Span::from_s(5),
        }
    }
}
