//! What a report says: about which message, which recipients, and to whom.

use postlane_mail::{Domain, Instant, LastReply, Mailbox, QueueId, ReturnContent, Status};

/// A report on one message, about some or all of its recipients.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    /// The report's own queue id: its message id and its boundary are made from it.
    pub id: QueueId,
    /// When it is written.
    pub at: Instant,
    /// Who hears of it: the mailbox of the reverse-path.
    pub addressee: &'a Mailbox,
    /// Our name. The report is from `MAILER-DAEMON` there.
    pub reporting_mta: &'a Domain,
    /// What it is about.
    pub original: Original<'a>,
    /// Whom it is about; at least one.
    pub recipients: &'a [RecipientReport<'a>],
}

/// The message that a report is about.
#[derive(Debug, Clone, Copy)]
pub struct Original<'a> {
    /// Its name in our queue and logs.
    pub id: QueueId,
    /// When we accepted it.
    pub arrived: Instant,
    /// The sender's name for its envelope (`ENVID`, RFC 3461 §4.4), xtext as given.
    pub envid: Option<&'a str>,
    /// Its message id, angle brackets included.
    pub message_id: Option<&'a str>,
    /// The message, or its header section alone; empty where it cannot be read any more.
    pub message: &'a [u8],
    /// How much of it is returned (`RET`, RFC 3461 §4.3). The whole is only returned if a
    /// recipient failed.
    pub ret: ReturnContent,
    /// Octets of a message that is returned whole, at most; of a larger one the header section
    /// is returned.
    pub octets_max: usize,
    /// Whether it needed SMTPUTF8, so that its sender can read a report in UTF-8 (RFC 6533 §2).
    pub smtputf8: bool,
}

/// What became of one recipient.
#[derive(Debug, Clone, Copy)]
pub struct RecipientReport<'a> {
    /// The address we tried.
    pub mailbox: &'a Mailbox,
    /// The address the sender gave (`ORCPT`, RFC 3461 §4.2), `addr-type;xtext` as given.
    pub orcpt: Option<&'a str>,
    /// What happened.
    pub action: Action,
    /// Why, as a number.
    pub status: Status,
    /// The last thing that was said about it: names the host, the reply and the time.
    pub last_reply: Option<&'a LastReply>,
    /// For a delay, how long we go on trying.
    pub will_retry_until: Option<Instant>,
}

/// What happened to a recipient's copy (RFC 3464 §2.3.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Given up.
    Failed,
    /// Not delivered yet; we go on trying.
    Delayed,
    /// In the recipient's mailbox.
    Delivered,
    /// Handed on to a host that does not report delivery.
    Relayed,
    /// Given to several recipients behind the address.
    Expanded,
}

impl Action {
    /// All of them, what matters most to a sender first.
    pub const ALL: [Self; 5] =
        [Self::Failed, Self::Delayed, Self::Delivered, Self::Relayed, Self::Expanded];

    /// The word in a report.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Delayed => "delayed",
            Self::Delivered => "delivered",
            Self::Relayed => "relayed",
            Self::Expanded => "expanded",
        }
    }

    /// Reads the word, in any case.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| text.eq_ignore_ascii_case(action.as_str()))
    }
}

impl Report<'_> {
    /// What matters most in it: a failure before a delay before a success.
    pub(super) fn worst(&self) -> Action {
        self.recipients.iter().map(|recipient| recipient.action).min().unwrap_or(Action::Failed)
    }
}
