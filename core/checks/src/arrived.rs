//! A message as it came: itself, who brought it, and how.

use std::net::IpAddr;

use postlane_mail::Instant;

use crate::message::Message;

/// A message as it came in, with what only the dialogue tells.
#[derive(Debug, Clone)]
pub struct Arrived<'a> {
    /// The message.
    pub message: Message<'a>,
    /// When.
    pub now: Instant,
    /// It was announced with SMTPUTF8 (RFC 6531).
    pub is_utf8: bool,
    /// Who brought it; none where only the message is at hand.
    pub client: Option<Client<'a>>,
    /// What is known of the session that it came in.
    pub session: Session<'a>,
    /// It is one person's own mail (an order, a password): what mail to many must carry is no
    /// matter then.
    pub is_transactional: bool,
    /// Its links may be fetched: who counts clicks counts that.
    pub may_fetch: bool,
}

/// Who brings a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Client<'a> {
    /// Its address.
    pub address: IpAddr,
    /// The name it gave with EHLO.
    pub helo: &'a str,
    /// The reverse-path without brackets; empty for the null one.
    pub mail_from: &'a str,
}

/// What is known of the session that a message came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Session<'a> {
    /// Nothing: only the message is at hand.
    #[default]
    Unseen,
    /// It was not encrypted, since the host that took it does not offer that.
    Unoffered,
    /// It was not encrypted, though that was offered.
    Plain,
    /// It was encrypted.
    Encrypted {
        /// The version of TLS, as in `TLSv1.3`.
        version: &'a str,
        /// The cipher suite, as in `TLS13_AES_256_GCM_SHA384`.
        cipher: &'a str,
    },
}
