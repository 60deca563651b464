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

/// What a lane should hear of each label, by its place in [`Label::ALL`]: said by 5yz, and otherwise.
// A table: a jump for each label is one whose end the processor must guess.
const OF_LABELS: [[Signal; 2]; Label::ALL.len()] = {
    let mut table = [[Signal::Ambiguous; 2]; Label::ALL.len()];
    let mut place = 0;
    while place < table.len() {
        let label = Label::ALL[place];
        table[label as usize] = [Signal::of_label(label, false), Signal::of_label(label, true)];
        place += 1;
    }
    table
};

impl Signal {
    /// What a lane should hear of this.
    pub fn of(label: Label, code: Code, stage: Option<Stage>) -> Self {
        match label {
            Label::ServerUnavailable => of_unavailable(code, stage),
            Label::Unknown if code.number() == 421 => Self::Outage,
            _ => OF_LABELS[label as usize][usize::from(code.is_permanent())],
        }
    }

    /// What a lane should hear of a label where nothing but the class of its code matters.
    const fn of_label(label: Label, is_5yz: bool) -> Self {
        match label {
            Label::Accepted => Self::Accepted,
            Label::RateLimited | Label::TooManyInvalidRcpts => Self::Rate,
            Label::ReputationIp | Label::QuotaSender => if_5yz(is_5yz, Self::Policy, Self::Rate),
            Label::TooManyErrors => if_5yz(is_5yz, Self::Perm, Self::Rate),
            Label::ConnectionLimit => Self::Conn,
            Label::MessagesPerConnection => Self::PerConn,
            Label::RecipientsPerMessage => Self::None,
            Label::Greylisted => Self::Greylist,
            Label::RecipientRateLimited
            | Label::MailboxFull
            | Label::MailboxTempUnavailable
            | Label::VerificationInProgress => if_5yz(is_5yz, Self::Perm, Self::Mailbox),
            // Of a host that is not there the code and the stage tell more.
            Label::ServerUnavailable => Self::Ambiguous,
            Label::Policy | Label::Unknown => if_5yz(is_5yz, Self::Perm, Self::Ambiguous),
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
            Label::SenderRejected | Label::TlsFailed => if_5yz(is_5yz, Self::Policy, Self::Temp),
            Label::SystemError
            | Label::SystemStorageFull
            | Label::License
            | Label::Timeout
            | Label::NetworkError => Self::Temp,
            Label::NoSuchUser
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
            | Label::Expired => if_5yz(is_5yz, Self::Perm, Self::Temp),
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

const fn if_5yz(is_5yz: bool, then: Signal, otherwise: Signal) -> Signal {
    if is_5yz { then } else { otherwise }
}

/// An outage where the host closes the session or does not begin one; else it may be anything.
fn of_unavailable(code: Code, stage: Option<Stage>) -> Signal {
    let is_before_mail =
        matches!(stage, Some(Stage::Connect | Stage::Ehlo | Stage::StartTls | Stage::Auth));
    if code.number() == 421 || is_before_mail { Signal::Outage } else { Signal::Ambiguous }
}
