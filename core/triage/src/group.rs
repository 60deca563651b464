//! Labels that point to one cause.
//!
//! A label says what one reply means; a group, which row of the decision table it speaks for.

use postlane_replies::Label;

/// What a refusal speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// Rate words: too many messages, connections, errors in a time.
    Rate,
    /// A rule or a bad name, not a rate: policy, reputation, content.
    Policy,
    /// Our mail does not prove whose it is: SPF, DKIM, DMARC, the sender's address.
    Identity,
    /// A block list, public or the provider's own.
    Block,
    /// Our server: reverse DNS, greeting, TLS, login, route.
    Infra,
    /// Their servers: busy, broken, unreachable.
    Outage,
    /// Come again: greylisting and callbacks.
    Greylisting,
    /// Too many recipients that do not exist, said of us and not of one recipient.
    Recipients,
    /// A mailbox that does not exist, or not any more.
    NoMailbox,
    /// About one recipient or one message, and nothing a provider holds against us.
    Individual,
    /// Nothing that helps is said.
    Unnamed,
}

impl Group {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Rate,
        Self::Policy,
        Self::Identity,
        Self::Block,
        Self::Infra,
        Self::Outage,
        Self::Greylisting,
        Self::Recipients,
        Self::NoMailbox,
        Self::Individual,
        Self::Unnamed,
    ];

    /// What a refusal with this label speaks for.
    pub const fn of(label: Label) -> Self {
        match label {
            Label::RateLimited
            | Label::ConnectionLimit
            | Label::QuotaSender
            | Label::TooManyErrors => Self::Rate,
            Label::Policy
            | Label::ReputationIp
            | Label::ReputationDomain
            | Label::ContentSpam
            | Label::ContentMalware => Self::Policy,
            Label::AuthSpf
            | Label::AuthDkim
            | Label::AuthDmarc
            | Label::Unauthenticated
            | Label::SenderRejected => Self::Identity,
            Label::Blocklisted | Label::DomainBlocklisted => Self::Block,
            Label::PtrMissing
            | Label::HeloInvalid
            | Label::TlsRequired
            | Label::TlsFailed
            | Label::AuthRequired
            | Label::RelayDenied
            | Label::Syntax => Self::Infra,
            Label::ServerUnavailable
            | Label::SystemError
            | Label::SystemStorageFull
            | Label::License
            | Label::Timeout
            | Label::NetworkError => Self::Outage,
            Label::Greylisted | Label::VerificationInProgress => Self::Greylisting,
            Label::TooManyInvalidRcpts => Self::Recipients,
            Label::NoSuchUser | Label::MailboxDisabled | Label::MailboxMoved => Self::NoMailbox,
            Label::Accepted
            | Label::MessagesPerConnection
            | Label::RecipientsPerMessage
            | Label::RecipientRateLimited
            | Label::RecipientPolicy
            | Label::MailboxTempUnavailable
            | Label::MailboxFull
            | Label::DomainNotFound
            | Label::NotAcceptingMail
            | Label::Loop
            | Label::Expired
            | Label::MessageTooLarge
            | Label::MalformedMessage => Self::Individual,
            Label::Unknown => Self::Unnamed,
        }
    }

    /// Whether a provider holds it against the sender: only such refusals are trouble.
    pub const fn is_trouble(self) -> bool {
        !matches!(self, Self::Individual | Self::NoMailbox)
    }

    /// In a sentence: "… of the refusals are {}".
    pub const fn words(self) -> &'static str {
        match self {
            Self::Rate => "about how much or how often we send",
            Self::Policy => "about a rule or our reputation",
            Self::Identity => "about SPF, DKIM, DMARC or the sender's address",
            Self::Block => "about a block list",
            Self::Infra => "about our server: reverse DNS, greeting, TLS, login or route",
            Self::Outage => "about their servers or the network",
            Self::Greylisting => "asking to come again",
            Self::Recipients => "about too many recipients that do not exist",
            Self::NoMailbox => "about mailboxes that do not exist",
            Self::Individual => "about single recipients or messages",
            Self::Unnamed => "without a reason that is understood",
        }
    }
}
