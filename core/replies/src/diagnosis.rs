//! What a reply means.

use postlane_mail::{Code, Reply, Span, Stage};

use crate::provider::ProviderId;

/// What a reply means, and how we know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Diagnosis {
    /// Who should wait because of it.
    pub scope: Scope,
    /// Whether it can be otherwise another time.
    pub persistence: Persistence,
    /// How long the other side asks us to wait, where it says so.
    pub wait: Option<Span>,
    /// The rule that said so.
    pub rule: &'static str,
}

/// Whom a reply concerns.
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

/// Whether it can be otherwise another time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Persistence {
    /// It was done.
    Success,
    /// Not now (RFC 5321 §4.2.1, 4yz).
    Transient,
    /// Not at all (RFC 5321 §4.2.1, 5yz).
    Permanent,
}

/// What a reply means, by everything that is known: the words and the provider who said them.
///
/// No rule reads those yet, so it is [`classify`] that answers.
pub fn diagnose(stage: Stage, reply: &Reply, _provider: &ProviderId) -> Diagnosis {
    classify(stage, reply.code())
}

/// What a reply means, by its code's class and by where it was said (RFC 5321 §4.2.1, §4.3.2).
pub fn classify(stage: Stage, code: Code) -> Diagnosis {
    let (persistence, rule) = match code.number() / 100 {
        2 => (Persistence::Success, "code-class/2yz"),
        // An intermediate reply where none belongs is a peer out of step: try again.
        3 => (Persistence::Transient, "code-class/3yz"),
        4 => (Persistence::Transient, "code-class/4yz"),
        _ => (Persistence::Permanent, "code-class/5yz"),
    };
    Diagnosis { scope: scope(stage, code), persistence, wait: None, rule }
}

/// A reply before MAIL is never about a recipient, and 421 is about the session wherever it
/// is said (RFC 5321 §3.8).
fn scope(stage: Stage, code: Code) -> Scope {
    match stage {
        Stage::Connect | Stage::Ehlo | Stage::StartTls | Stage::Auth => Scope::Host,
        _ if code.number() == 421 => Scope::Session,
        Stage::Rcpt => Scope::Recipient,
        Stage::Mail | Stage::Data | Stage::Dot => Scope::Message,
        Stage::Quit => Scope::Session,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diagnosis(stage: Stage, code: u16) -> (Scope, Persistence) {
        let diagnosis = classify(stage, Code::new(code).unwrap());
        (diagnosis.scope, diagnosis.persistence)
    }

    #[test]
    fn a_reply_before_mail_is_never_about_a_recipient() {
        for stage in [Stage::Connect, Stage::Ehlo, Stage::StartTls, Stage::Auth] {
            assert_eq!(diagnosis(stage, 550), (Scope::Host, Persistence::Permanent));
        }
    }

    #[test]
    fn a_421_is_about_the_session_wherever_it_is_said() {
        for stage in [Stage::Mail, Stage::Rcpt, Stage::Data, Stage::Dot] {
            assert_eq!(diagnosis(stage, 421), (Scope::Session, Persistence::Transient));
        }
    }

    #[test]
    fn every_diagnosis_names_its_rule() {
        for stage in Stage::ALL {
            for code in (200..600).filter_map(Code::new) {
                let rule = classify(stage, code).rule;
                assert_eq!(rule, format!("code-class/{}yz", code.number() / 100));
            }
        }
    }

    #[test]
    fn the_first_digit_says_how_lasting_it_is() {
        assert_eq!(diagnosis(Stage::Rcpt, 250), (Scope::Recipient, Persistence::Success));
        assert_eq!(diagnosis(Stage::Rcpt, 451), (Scope::Recipient, Persistence::Transient));
        assert_eq!(diagnosis(Stage::Dot, 591), (Scope::Message, Persistence::Permanent));
    }
}
