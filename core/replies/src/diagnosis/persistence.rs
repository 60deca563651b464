//! How lasting a refusal is, for the message that met it.

use postlane_mail::{Code, Stage};

use crate::label::Label;

/// Whether it can be otherwise another time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Persistence {
    /// It was done.
    Success,
    /// Not now (RFC 5321 §4.2.1, 4yz).
    Transient,
    /// Not before somebody mends something: an address is taken off a list, a PTR or a password
    /// is put right, another source is used. The message waits rather than being bounced,
    /// whatever the code, and is tried seldom.
    UntilFixed,
    /// Not at all (RFC 5321 §4.2.1, 5yz).
    Permanent,
}

impl Persistence {
    /// How lasting it is by label and code.
    ///
    /// The class of the code decides, but for 5yz replies that are not the message's fault:
    /// limits are over when their time is, and what is the source's or the route's trouble
    /// fails the attempt and not the recipient (TAXONOMY, principle 1).
    pub fn of(label: Label, code: Code, stage: Option<Stage>) -> Self {
        match code.number() / 100 {
            2 => Self::Success,
            // An intermediate reply where none belongs is a peer out of step: try again.
            3 => Self::Transient,
            4 => Self::Transient,
            _ if is_out_of_step(label, code, stage) => Self::Transient,
            _ => of_5yz(label),
        }
    }

    /// Its name in JSON and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Transient => "transient",
            Self::UntilFixed => "until_fixed",
            Self::Permanent => "permanent",
        }
    }
}

fn of_5yz(label: Label) -> Persistence {
    match label {
        Label::RateLimited
        | Label::ConnectionLimit
        | Label::MessagesPerConnection
        | Label::RecipientsPerMessage
        | Label::TooManyInvalidRcpts
        | Label::Greylisted
        | Label::VerificationInProgress => Persistence::Transient,
        Label::ReputationIp
        | Label::Blocklisted
        | Label::PtrMissing
        | Label::HeloInvalid
        | Label::AuthRequired
        | Label::QuotaSender
        | Label::TlsRequired
        | Label::TlsFailed => Persistence::UntilFixed,
        _ => Persistence::Permanent,
    }
}

/// Whether the host says that MAIL or RCPT does not belong where it was said, which it does
/// (RFC 5321 §4.2.3, 503: bad sequence of commands): it has not looked at the message.
fn is_out_of_step(label: Label, code: Code, stage: Option<Stage>) -> bool {
    code.number() == 503
        && matches!(stage, Some(Stage::Mail | Stage::Rcpt))
        && matches!(label, Label::Syntax | Label::Unknown)
}
