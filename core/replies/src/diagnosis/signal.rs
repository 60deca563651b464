//! What a lane should hear of a reply: the table of labels, codes and stages.

use postlane_mail::{Code, Stage};

use crate::label::Label;

/// What a lane should hear. What it then does is its own affair; what the signal is about says
/// the [`Scope`](crate::Scope).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Signal {
    /// A message was taken.
    Accepted,
    /// Less, or later: pace.
    Rate,
    /// Fewer connections at once.
    Conn,
    /// Fewer messages on one connection.
    PerConn,
    /// This message later, from the same source; nothing for the lane.
    Greylist,
    /// This recipient later; nothing for the lane.
    Mailbox,
    /// The host, or all of them, is not there.
    Outage,
    /// It may be rate, an outage or nothing of the lane's: many of them are.
    Ambiguous,
    /// This message later; nothing for the lane.
    Temp,
    /// Stop what it is about until somebody mends it: a source, a sending domain or a route.
    Policy,
    /// This recipient or message not at all; nothing for the lane.
    Perm,
    /// Nothing: the rest of the recipients go in further transactions.
    None,
}

impl Signal {
    /// What a lane should hear of this.
    pub fn of(label: Label, code: Code, stage: Option<Stage>) -> Self {
        match label {
            Label::ServerUnavailable => of_unavailable(code, stage),
            Label::Unknown if code.number() == 421 => Self::Outage,
            _ if code.is_permanent() => Self::of_5yz(label),
            _ => Self::of_others(label),
        }
    }

    /// What a lane should hear of a label that is said by 5yz.
    // Constants alone, so that it is a table and no jump whose end the processor must guess.
    const fn of_5yz(label: Label) -> Self {
        match label {
            Label::ReputationIp | Label::QuotaSender | Label::SenderRejected | Label::TlsFailed => {
                Self::Policy
            }
            Label::TooManyErrors
            | Label::RecipientRateLimited
            | Label::MailboxFull
            | Label::MailboxTempUnavailable
            | Label::VerificationInProgress
            | Label::Policy
            | Label::Unknown
            | Label::NoSuchUser
            | Label::MailboxDisabled
            | Label::MailboxMoved
            | Label::NotAcceptingMail
            | Label::DomainNotFound
            | Label::RelayDenied
            | Label::RecipientPolicy
            | Label::ContentSpam
            | Label::ContentMalware
            | Label::MessageTooLarge
            | Label::MalformedMessage
            | Label::Syntax
            | Label::Loop
            | Label::Expired => Self::Perm,
            _ => Self::of_others(label),
        }
    }

    /// What a lane should hear of a label that is said by another code, or whose code does not matter.
    const fn of_others(label: Label) -> Self {
        match label {
            Label::Accepted => Self::Accepted,
            Label::RateLimited
            | Label::TooManyInvalidRcpts
            | Label::ReputationIp
            | Label::TooManyErrors
            | Label::QuotaSender => Self::Rate,
            Label::ConnectionLimit => Self::Conn,
            Label::MessagesPerConnection => Self::PerConn,
            Label::RecipientsPerMessage => Self::None,
            Label::Greylisted => Self::Greylist,
            Label::RecipientRateLimited
            | Label::MailboxFull
            | Label::MailboxTempUnavailable
            | Label::VerificationInProgress => Self::Mailbox,
            Label::ServerUnavailable | Label::Policy | Label::Unknown => Self::Ambiguous,
            Label::Blocklisted
            | Label::PtrMissing
            | Label::HeloInvalid
            | Label::ReputationDomain
            | Label::DomainBlocklisted
            | Label::AuthSpf
            | Label::AuthDkim
            | Label::AuthDmarc
            | Label::Unauthenticated
            | Label::TlsRequired
            | Label::AuthRequired => Self::Policy,
            Label::SenderRejected
            | Label::TlsFailed
            | Label::SystemError
            | Label::SystemStorageFull
            | Label::License
            | Label::Timeout
            | Label::NetworkError
            | Label::NoSuchUser
            | Label::MailboxDisabled
            | Label::MailboxMoved
            | Label::NotAcceptingMail
            | Label::DomainNotFound
            | Label::RelayDenied
            | Label::RecipientPolicy
            | Label::ContentSpam
            | Label::ContentMalware
            | Label::MessageTooLarge
            | Label::MalformedMessage
            | Label::Syntax
            | Label::Loop
            | Label::Expired => Self::Temp,
        }
    }

    /// Its name in JSON and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accepted => "Accepted",
            Self::Rate => "Rate",
            Self::Conn => "Conn",
            Self::PerConn => "PerConn",
            Self::Greylist => "Greylist",
            Self::Mailbox => "Mailbox",
            Self::Outage => "Outage",
            Self::Ambiguous => "Ambiguous",
            Self::Temp => "Temp",
            Self::Policy => "Policy",
            Self::Perm => "Perm",
            Self::None => "None",
        }
    }
}

/// An outage where the host closes the session or does not begin one; else it may be anything.
fn of_unavailable(code: Code, stage: Option<Stage>) -> Signal {
    let is_before_mail =
        matches!(stage, Some(Stage::Connect | Stage::Ehlo | Stage::StartTls | Stage::Auth));
    if code.number() == 421 || is_before_mail { Signal::Outage } else { Signal::Ambiguous }
}
