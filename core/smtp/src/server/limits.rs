//! What one client may take of us.

use postlane_mail::Span;

/// The limits of one session. Each is a setting; what stands here is its default and source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Octets of a command line with its CRLF. RFC 5321 §4.5.3.1.4 asks for 512, and its
    /// extensions add to that (RFC 3461 §5.1, RFC 6531 §3.4, RFC 4954 §4.3.2: 12288 for AUTH).
    pub line_octets: usize,
    /// Octets of a message.
    pub message_octets: usize,
    /// Octets of one line of a message. RFC 5321 §4.5.3.1.6 has 1000; longer ones are common
    /// and are passed on as they are. Chosen, not measured.
    pub data_line_octets: usize,
    /// Recipients of a message (RFC 5321 §4.5.3.1.8: 100 at least).
    pub recipients: usize,
    /// Messages in a session. Chosen, not measured.
    pub messages: u32,
    /// Commands in a session that carry no mail. Chosen, not measured.
    pub idle_commands: u32,
    /// Commands that were refused as wrong, before the session is ended. Chosen, not measured.
    pub errors: u32,
    /// Silence, before the session is ended (RFC 5321 §4.5.3.2.7: 5 minutes at least).
    pub idle: Span,
    /// From MAIL to the end of the message: a slow client cannot hold the house.
    pub transaction: Span,
    /// The whole session.
    pub session: Span,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            line_octets: 12_288,
            message_octets: 50 << 20,
            data_line_octets: 1 << 20,
            recipients: 1000,
            messages: 100_000,
            idle_commands: 1000,
            errors: 20,
            idle: Span::from_min(5),
            transaction: Span::from_min(30),
            session: Span::from_h(24),
        }
    }
}
