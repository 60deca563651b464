//! What a bounce says about one recipient.

use postlane_mail::{Code, Instant, Mailbox, Status};

use super::original::Trace;
use super::reply;
use crate::dsn::Action;

/// What came back about one recipient of a message. What is not known is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounced {
    /// In which form it came.
    pub kind: BounceKind,
    /// The address that was tried last, else the one that was sent to first; as it was written,
    /// since reports name addresses that no standard allows. Of an automatic answer, whose it is.
    pub recipient: Option<String>,
    /// The address that was sent to first (`Original-Recipient`).
    pub original_recipient: Option<String>,
    /// What happened; none for complaints and automatic answers.
    pub action: Option<Action>,
    /// Why, as a number: the more exact one where the report and the reply differ in detail.
    pub status: Option<Status>,
    /// The reply's code.
    pub code: Option<Code>,
    /// What the remote host said, verbatim, else what the writer says; 4 KiB at most.
    pub diagnostic: Option<String>,
    /// The host that said it.
    pub remote_mta: Option<String>,
    /// The host that reports.
    pub reporting_mta: Option<String>,
    /// When that host took the message.
    pub arrival: Option<Instant>,
    /// The `Message-ID` of the message that it is about, angle brackets included.
    pub original_message_id: Option<String>,
    /// The Postlanes that message came through, as what came back of it says; anybody can write
    /// so.
    pub original_traces: Vec<Trace>,
    /// The name we gave its envelope (`Original-Envelope-Id`).
    pub envid: Option<String>,
    /// What a complaint is about: `abuse`, `opt-out`, `auth-failure` … (RFC 5965 §7.3).
    pub feedback: Option<String>,
}

/// The forms in which mail comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BounceKind {
    /// A report for programs (RFC 3464).
    Dsn,
    /// A bounce in words for people only.
    FreeForm,
    /// A complaint (RFC 5965).
    Feedback,
    /// An automatic answer of somebody who is away; no bounce.
    Vacation,
    /// A request to confirm before the message is let through; no bounce.
    Challenge,
}

impl BounceKind {
    /// The word in logs and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dsn => "dsn",
            Self::FreeForm => "free-form",
            Self::Feedback => "feedback",
            Self::Vacation => "vacation",
            Self::Challenge => "challenge",
        }
    }

    /// Whether something is said of the delivery.
    pub fn is_bounce(self) -> bool {
        matches!(self, Self::Dsn | Self::FreeForm)
    }
}

impl Bounced {
    /// Nothing but its form.
    pub(super) fn new(kind: BounceKind) -> Self {
        Self {
            kind,
            recipient: None,
            original_recipient: None,
            action: None,
            status: None,
            code: None,
            diagnostic: None,
            remote_mta: None,
            reporting_mta: None,
            arrival: None,
            original_message_id: None,
            original_traces: Vec::new(),
            envid: None,
            feedback: None,
        }
    }

    /// The recipient, if its address is one that mail can be sent to.
    pub fn mailbox(&self) -> Option<Mailbox> {
        self.recipient.as_deref().and_then(|address| Mailbox::parse(address).ok())
    }

    /// What was said from the reply's code on, without the words that lead to it; none without a
    /// code or where it stands elsewhere.
    pub fn reply_text(&self) -> Option<&str> {
        let (code, said) = (self.code?, self.diagnostic.as_deref()?);
        said.get(reply::start_of(said, code)?..)
    }

    /// Whether the message will not arrive.
    pub fn is_failure(&self) -> bool {
        self.kind.is_bounce() && self.action == Some(Action::Failed)
    }
}
