//! What one client may take of us.

use postlane_mail::Span;

/// The limits of one session. Each is a setting; what stands here is its default, its range and
/// its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Octets of a command line with its CRLF, 512 to 65536. RFC 5321 §4.5.3.1.4 has 512, and
    /// extensions add to that: SIZE 26, DSN 107 and 527, SMTPUTF8 10 and longer addresses
    /// (RFC 1870 §6.1, RFC 3461 §5.2, RFC 6531 §3.4). 2048 holds all of them.
    pub command_octets: usize,
    /// Octets of a line of AUTH with its CRLF, 512 to 65536 (RFC 4954 §4: 12288).
    pub auth_octets: usize,
    /// Octets of a message, 64 KiB (RFC 5321 §4.5.3.1.7) to 1 GiB. Chosen, not measured.
    pub message_octets: usize,
    /// Octets of one line of a message without its CRLF, 998 to 1 GiB. RFC 5321 §4.5.3.1.6 has
    /// 998; longer ones are common in HTML, and break no more by being passed on than by being
    /// cut. Chosen, not measured.
    pub data_line_octets: usize,
    /// Recipients of a message, 100 (RFC 5321 §4.5.3.1.8) to 50,000. Chosen, not measured.
    pub recipients: usize,
    /// Messages in a session, 1 to 4 thousand million. Chosen, not measured.
    pub messages: u32,
    /// Commands that carry no mail, between one message taken and the next: 10 to a million.
    /// Chosen, not measured.
    pub idle_commands: u32,
    /// Commands that are wrong or refused, between one message taken and the next, before the
    /// session is ended: 1 to 10,000. Chosen, not measured.
    pub errors: u32,
    /// Attempts to authenticate that fail in a session, before it is ended: 1 to 100. Chosen,
    /// not measured.
    pub logins: u32,
    /// How long a command may take to come, and the next octets of a message: 5 minutes at
    /// least, says RFC 5321 §4.5.3.2.7; 1 second to 1 hour.
    pub idle: Span,
    /// From MAIL to the end of the message, so that a slow client cannot hold the house: 1
    /// minute to 1 day. 50 MiB in half an hour is 29 KiB a second. Chosen, not measured.
    pub transaction: Span,
    /// The whole session, 1 minute to 1 month. Chosen, not measured.
    pub session: Span,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            command_octets: 2048,
            auth_octets: 12_288,
            message_octets: 50 << 20,
            data_line_octets: 1 << 20,
            recipients: 1000,
            messages: 100_000,
            idle_commands: 100,
            errors: 20,
            logins: 3,
            idle: Span::from_min(5),
            transaction: Span::from_min(30),
            session: Span::from_h(24),
        }
    }
}

/// Octets that are kept while a step is under way. Drivers leave the rest in the socket; what
/// does not fit ends the session. Chosen, not measured.
pub(super) const AHEAD_OCTETS_MAX: usize = 256 * 1024;
