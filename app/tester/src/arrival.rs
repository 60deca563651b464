//! How a test message came.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// Everything about a test message that its octets do not tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrival {
    /// Which test it is of.
    pub test: String,
    /// Which message of that test, from 1.
    pub number: u32,
    /// When it was whole, in microseconds since 1970.
    pub at_us: u64,
    /// The address it came from.
    pub client: IpAddr,
    /// The name given with EHLO or HELO.
    pub helo: String,
    /// How, as a Received field has it: `ESMTPS`.
    pub protocol: String,
    /// How the session was encrypted; none where it was not.
    pub tls: Option<Tls>,
    /// Whether STARTTLS was offered.
    pub tls_offered: bool,
    /// Who had authenticated; none for a stranger.
    pub user: Option<String>,
    /// The reverse-path without brackets; empty for the null one.
    pub mail_from: String,
    /// The address it was sent to.
    pub rcpt_to: String,
    /// It was announced with SMTPUTF8.
    pub smtputf8: bool,
    /// Its octets.
    pub octets: u64,
    /// What was said.
    pub transcript: Vec<Line>,
    /// Lines that were said beyond those.
    pub lines_lost: u64,
}

/// What was agreed in a handshake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tls {
    /// As in `TLSv1.3`.
    pub version: String,
    /// As in `TLS13_AES_256_GCM_SHA384`.
    pub cipher: String,
}

/// A line that was said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Milliseconds since the greeting.
    pub ms: u64,
    /// By whom.
    pub by: Speaker,
    /// What, without CRLF.
    pub text: String,
}

/// Who says a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Speaker {
    /// Whoever brings the message.
    Client,
    /// The host that takes it.
    Server,
    /// Nobody: something that happened, such as a handshake.
    Note,
}

impl Speaker {
    /// As transcripts have it: `C`, `S`, or `*`.
    pub fn mark(self) -> char {
        match self {
            Self::Client => 'C',
            Self::Server => 'S',
            Self::Note => '*',
        }
    }
}
