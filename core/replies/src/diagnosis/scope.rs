//! Whom a reply concerns, by what it means.

use postlane_mail::{Code, Stage};

use crate::label::Label;

/// Whom a reply concerns: who should wait, or be mended, because of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// This recipient alone.
    Recipient,
    /// This message, whoever gets it.
    Message,
    /// This session; another may do.
    Session,
    /// This host; another may do.
    Host,
    /// The address we send from.
    Source,
    /// The domain in whose name it is sent.
    SendingDomain,
    /// The way to the recipient's domain.
    Route,
    /// Everything between this source and this provider.
    Lane,
}

impl Scope {
    /// Whom this label concerns; of a reply that says nothing, whom the place where it was said
    /// speaks of: a reply before MAIL is never about a recipient, and a 421 is about the session
    /// (RFC 5321 §3.8).
    pub fn of(label: Label, code: Code, stage: Option<Stage>) -> Self {
        if label == Label::Unknown { Self::of_place(code, stage) } else { Self::of_label(label) }
    }

    /// Whom a label concerns that says something.
    // Constants alone, so that it is a table and no jump whose end the processor must guess.
    const fn of_label(label: Label) -> Self {
        match label {
            Label::RateLimited | Label::ConnectionLimit => Self::Lane,
            Label::ReputationIp | Label::Blocklisted | Label::PtrMissing | Label::HeloInvalid => {
                Self::Source
            }
            Label::TooManyErrors | Label::TooManyInvalidRcpts => Self::Source,
            Label::ReputationDomain
            | Label::DomainBlocklisted
            | Label::AuthSpf
            | Label::AuthDkim
            | Label::AuthDmarc
            | Label::Unauthenticated
            | Label::SenderRejected => Self::SendingDomain,
            Label::QuotaSender
            | Label::AuthRequired
            | Label::TlsRequired
            | Label::RelayDenied
            | Label::DomainNotFound
            | Label::NotAcceptingMail
            | Label::License => Self::Route,
            Label::ServerUnavailable | Label::SystemStorageFull => Self::Host,
            Label::MessagesPerConnection
            | Label::Timeout
            | Label::NetworkError
            | Label::TlsFailed
            | Label::Syntax => Self::Session,
            Label::NoSuchUser
            | Label::MailboxDisabled
            | Label::MailboxMoved
            | Label::MailboxFull
            | Label::MailboxTempUnavailable
            | Label::RecipientPolicy
            | Label::RecipientRateLimited
            | Label::VerificationInProgress => Self::Recipient,
            Label::Accepted
            | Label::Unknown
            | Label::RecipientsPerMessage
            | Label::Greylisted
            | Label::ContentSpam
            | Label::ContentMalware
            | Label::Policy
            | Label::Loop
            | Label::SystemError
            | Label::Expired
            | Label::MessageTooLarge
            | Label::MalformedMessage => Self::Message,
        }
    }

    fn of_place(code: Code, stage: Option<Stage>) -> Self {
        match stage {
            Some(Stage::Connect | Stage::Ehlo | Stage::StartTls | Stage::Auth) => Self::Host,
            _ if code.number() == 421 => Self::Session,
            Some(Stage::Rcpt) => Self::Recipient,
            Some(Stage::Quit) => Self::Session,
            _ => Self::Message,
        }
    }

    /// Its name in JSON and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Recipient => "recipient",
            Self::Message => "message",
            Self::Session => "session",
            Self::Host => "host",
            Self::Source => "source",
            Self::SendingDomain => "sending_domain",
            Self::Route => "route",
            Self::Lane => "lane",
        }
    }
}
