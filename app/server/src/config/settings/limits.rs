//! `[limits]`: what clients may take of us.

use postlane_mail::{Rate, Span};

use crate::config::declaration::{default, settings};
use crate::config::section::{Fields, Section};
use crate::config::value::Size;

settings! {
    /// What clients may take of us. Beyond a limit a client is told to come again (4xx), or that
    /// it asks for too much (5xx); a session that goes on like that is ended.
    pub struct Limits in "limits" {
        /// Sessions with clients at once, over all listeners.
        sessions: u32 = default(2_000).between(1, 100_000).of("sessions");
        /// Sessions with one client at once. A client is an IPv4 address or an IPv6 /64.
        sessions_per_client: u32 = default(200).between(1, 100_000).of("sessions");
        /// Messages in one session.
        session_messages: u32 = default(100_000).between(1, 10_000_000).of("messages");
        /// Commands that carry no mail, between one message taken and the next.
        idle_commands: u32 = default(100).between(10, 1_000_000).of("commands");
        /// Commands that are wrong or refused, between one message taken and the next.
        errors: u32 = default(20).between(1, 10_000).of("commands");
        /// Attempts to authenticate that fail in one session.
        logins: u32 = default(3).between(1, 100).of("attempts");
        /// Attempts to authenticate that fail from one address (an IPv6 /64), over all its sessions.
        /// Beyond it attempts are answered 454, and no password is looked at.
        failed_logins: Rate = default(Rate::new(30, Span::from_min(10)).expect("neither is nothing"));
        /// Recipients of one message.
        recipients: u16 = default(1_000).between(100, 50_000).of("recipients")
            .from("chosen, not measured; RFC 5321 §4.5.3.1.8 has 100 at least");
        /// Octets of a command line. RFC 5321 §4.5.3.1.4 has 512; what extensions add fits into
        /// 2048 (RFC 1870 §6.1, RFC 3461 §5.2, RFC 6531 §3.4).
        command_line: Size = default(Size(2_048)).between(Size(512), Size::kib(64))
            .from("the sum of the extensions we offer");
        /// Octets of a line of AUTH.
        auth_line: Size = default(Size(12_288)).between(Size(512), Size::kib(64))
            .from("RFC 4954 §4");
        /// Octets of one message.
        message_size: Size = default(Size::mib(50)).between(Size::kib(64), Size::gib(1));
        /// Octets of one line of a message. RFC 5321 §4.5.3.1.6 has 998; longer ones are common.
        message_line: Size = default(Size::mib(1)).between(Size(998), Size::gib(1));
        /// Octets of a message's header section.
        header_size: Size = default(Size::kib(256)).between(Size::kib(16), Size::mib(16));
        /// Fields of a message's header section.
        header_fields: u32 = default(1_000).between(100, 100_000).of("fields");
        /// Hosts that a message has passed. More are a loop.
        hops: u16 = default(100).between(100, 1_000).of("`Received` fields")
            .from("RFC 5321 §6.3: 100 at least");
        /// Silence in a session.
        idle: Span = default(Span::from_min(5)).between(Span::from_s(1), Span::from_h(1))
            .from("RFC 5321 §4.5.3.2.7: 5 minutes at least");
        /// One transaction, from MAIL to the end of the message.
        transaction_time: Span = default(Span::from_min(30))
            .between(Span::from_min(1), Span::from_h(24));
        /// One session.
        session_time: Span = default(Span::from_h(24)).between(Span::from_min(1), Span::from_h(720));
        /// Octets of messages on their way in, in memory, over all sessions and requests. Beyond it
        /// new messages are answered 452, and requests 503. Clients that may not relay have a quarter of it
        /// together, or one message of the largest size.
        body_memory: Size = default(Size::mib(512)).between(Size::mib(1), Size::gib(64));
    }
}

impl Section for Limits {
    fn check(&self, fields: &mut Fields<'_, '_>) {
        if self.sessions_per_client > self.sessions {
            let cause = "one client may have more sessions than all clients together";
            fields.warn("sessions_per_client", cause, "raise `limits.sessions`, or lower this");
        }
        if self.message_size > self.body_memory {
            let cause = "one message may be larger than all messages on their way in together";
            fields.complain("message_size", cause, "raise `limits.body_memory`, or lower this");
        }
        if self.transaction_time > self.session_time {
            let cause = "a transaction may take longer than its session";
            fields.complain(
                "transaction_time",
                cause,
                "raise `limits.session_time`, or lower this",
            );
        }
    }
}
