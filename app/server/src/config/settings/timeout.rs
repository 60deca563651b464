//! `[timeout]`: how long hosts may take.

use postlane_mail::Span;

use crate::config::declaration::{Declaration, default, settings};
use crate::config::section::Section;

settings! {
    /// How long hosts may take for each answer. A host that takes longer is tried again later.
    pub struct Timeout in "timeout" {
        /// A connection, before the greeting.
        connect: Span = minutes(0, 30).from("Postfix's smtp_connect_timeout");
        /// The greeting.
        greeting: Span = minutes(5, 0).from("RFC 5321 §4.5.3.2.1");
        /// EHLO, HELO, STARTTLS and its handshake, AUTH, RSET.
        command: Span = minutes(5, 0);
        /// MAIL.
        mail: Span = minutes(5, 0).from("RFC 5321 §4.5.3.2.2");
        /// RCPT.
        rcpt: Span = minutes(5, 0).from("RFC 5321 §4.5.3.2.3");
        /// DATA.
        data: Span = minutes(2, 0).from("RFC 5321 §4.5.3.2.4");
        /// While a message is sent, until the host takes the next octets of it.
        block: Span = minutes(3, 0).from("RFC 5321 §4.5.3.2.5");
        /// After the end of a message. A shorter time than the RFC's makes more messages arrive
        /// twice.
        dot: Span = minutes(10, 0).from("RFC 5321 §4.5.3.2.6");
        /// QUIT. Nothing is lost by not waiting.
        quit: Span = minutes(0, 5);
    }
}

/// Minutes and seconds, within what any host may take.
fn minutes(min: u64, s: u64) -> Declaration<Span> {
    let span = Span::from_min(min) + Span::from_s(s);
    default(span).between(Span::from_s(1), Span::from_h(1))
}

impl Section for Timeout {}
