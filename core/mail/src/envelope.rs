//! The envelope: who the mail is from and for, and how it wants to travel.

use crate::path::ReversePath;
use crate::recipient::Recipient;
use crate::stream::Stream;
use crate::tenant::Label;
use crate::time::Instant;

/// Everything about a message but the message itself. Kept in the spool beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// Where failure reports go.
    pub reverse_path: ReversePath,
    /// Whom it is for, in the order given; the index is a recipient's name in the spool. Never empty.
    pub recipients: Vec<Recipient>,
    /// What the message's octets need of the next hop.
    pub body: BodyType,
    /// Whether addresses or headers need SMTPUTF8 (RFC 6531): declared by MAIL or found in them.
    pub smtputf8: bool,
    /// How much of the message a report returns (`RET`, RFC 3461 §4.3).
    pub ret: Option<ReturnContent>,
    /// The sender's name for this envelope (`ENVID`, RFC 3461 §4.4), xtext as given. At most 100 octets.
    pub envid: Option<Box<str>>,
    /// What kind of mail it is.
    pub stream: Stream,
    /// Whose mail it is; empty when nobody in particular.
    pub tenant: Label,
    /// Which mailing it belongs to; empty when none.
    pub campaign: Label,
    /// When its recipients last showed that they read such mail, where the sender says so.
    pub engaged: Option<Instant>,
}

/// What a message's octets need of the next hop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BodyType {
    /// Only ASCII: goes anywhere.
    #[default]
    SevenBit,
    /// Octets above 127 (RFC 6152).
    EightBit,
    /// No lines at all; only by BDAT (RFC 3030).
    Binary,
}

/// How much of a message a failure report returns (RFC 3461 §4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReturnContent {
    /// The whole message.
    Full,
    /// The header section only.
    Headers,
}
