//! `[message]`: what is added to messages and taken from them.

use crate::config::declaration::{default, settings};
use crate::config::section::{Fields, Section};

settings! {
    /// What is taken from messages, besides `Bcc` and our own `X-Postlane` fields. Everything else
    /// leaves byte for byte as it came.
    pub struct MessageEdits in "message" {
        /// Names of header fields to take out, in any case.
        remove_headers: Vec<Box<str>> = default(Vec::new());
        /// Whether to take out the `Received` fields of earlier hops, so that names and addresses
        /// inside the house stay there. A loop through this relay is then found only by others.
        hide_inner_received: bool = default(false).from("RFC 5321 §4.4");
        /// Whether to leave the client's name, address and encryption out of our `Received` field.
        hide_client: bool = default(false).from("RFC 5321 §4.4");
    }
}

impl Section for MessageEdits {
    fn check(&self, fields: &mut Fields<'_, '_>) {
        for name in &self.remove_headers {
            // RFC 5322 §3.6.8: printable ASCII but the colon.
            if !name.bytes().all(|b| b.is_ascii_graphic() && b != b':') {
                let cause = format!("\"{}\" is no name of a header field", name.escape_debug());
                fields.complain(
                    "remove_headers",
                    cause,
                    "write names without colons: \"X-Mailer\"",
                );
            }
        }
    }
}
