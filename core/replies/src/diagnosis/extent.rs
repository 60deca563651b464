//! How far a reply reaches by the rules of the protocol, whatever it means.

use postlane_mail::{Reply, Stage};

use crate::label::Label;

/// What of a dialogue a reply ends (RFC 5321 §3.3, §3.8, §4.5.3.1.10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Extent {
    /// The attempt to begin a session with this host.
    Host,
    /// The session.
    Session,
    /// The message, for all of its recipients in this transaction.
    Message,
    /// Nothing but room for this and further recipients in this transaction; another may do.
    Transaction,
    /// This recipient.
    Recipient,
}

impl Extent {
    /// How far it reaches, said at this stage. A 421 ends the session wherever it is said
    /// (RFC 5321 §3.8), and so does a host that is not where we believe it to be (503 to MAIL
    /// or RCPT, §4.2.3).
    pub fn of(label: Label, reply: &Reply, stage: Stage) -> Self {
        let code = reply.code().number();
        match stage {
            Stage::Connect | Stage::Ehlo | Stage::StartTls | Stage::Auth => Self::Host,
            _ if code == 421 => Self::Session,
            Stage::Mail | Stage::Rcpt if code == 503 => Self::Session,
            Stage::Rcpt if is_too_many(label, reply) => Self::Transaction,
            Stage::Rcpt => Self::Recipient,
            Stage::Mail | Stage::Data | Stage::Dot => Self::Message,
            Stage::Quit => Self::Session,
        }
    }
}

/// A host that takes no more recipients in one transaction answers RCPT by 452, and some by 552,
/// which then means the same (RFC 5321 §4.5.3.1.10). Both codes also say that a mailbox or a disk
/// is full, with an enhanced status or words that say which; where they say nothing it may have
/// been the number: who asks looks whether any were taken before.
fn is_too_many(label: Label, reply: &Reply) -> bool {
    let is_its_code = matches!(reply.code().number(), 452 | 552);
    let says_nothing = label == Label::Unknown && reply.status().is_none();
    // RFC 3463 §3.6, X.5.3: too many recipients.
    let says_so = reply.status().is_some_and(|status| (status.subject, status.detail) == (5, 3));
    label == Label::RecipientsPerMessage || (is_its_code && (says_so || says_nothing))
}
