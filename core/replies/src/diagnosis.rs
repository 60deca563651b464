//! What a reply means.

use postlane_mail::{Code, Reply, Span, Stage};

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
    /// This transaction, which has as many recipients as the host takes at once; another may do.
    Transaction,
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

/// What a reply means, by everything that is known: the words as well as the code.
///
/// A host that takes no more recipients in one transaction answers RCPT by 452, and some by 552,
/// which then means the same (RFC 5321 §4.5.3.1.10). Both codes also say that a mailbox or a disk
/// is full, and with an enhanced status they say which it is (RFC 3463 §3.6, X.5.3). A 552 that
/// says nothing more stays for good where it cannot have been the number of recipients: who asks
/// looks whether any were taken before.
pub fn diagnose(stage: Stage, reply: &Reply) -> Diagnosis {
    let code = reply.code();
    if stage != Stage::Rcpt || !matches!(code.number(), 452 | 552) {
        return classify(stage, code);
    }
    let says_so = match reply.status() {
        Some(status) => status.subject == 5 && status.detail == 3,
        None => false,
    };
    if says_so || speaks_of_too_many(reply.text()) {
        let (scope, persistence) = (Scope::Transaction, Persistence::Transient);
        return Diagnosis { scope, persistence, wait: None, rule: "recipients/too-many" };
    }
    if reply.status().is_some() {
        return classify(stage, code);
    }
    Diagnosis {
        scope: Scope::Transaction,
        rule: "recipients/perhaps-too-many",
        ..classify(stage, code)
    }
}

fn speaks_of_too_many(text: &str) -> bool {
    text.to_ascii_lowercase().contains("too many recipients")
}

/// What a reply means, by its code's class and by where it was said (RFC 5321 §4.2.1, §4.3.2).
pub fn classify(stage: Stage, code: Code) -> Diagnosis {
    let (persistence, rule) = match code.number() / 100 {
        // A host that is not where we believe it to be has not looked at the message.
        5 if is_out_of_step(stage, code) => (Persistence::Transient, "code/503"),
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
        _ if code.number() == 421 || is_out_of_step(stage, code) => Scope::Session,
        Stage::Rcpt => Scope::Recipient,
        Stage::Mail | Stage::Data | Stage::Dot => Scope::Message,
        Stage::Quit => Scope::Session,
    }
}

/// Whether the host says that MAIL or RCPT does not belong where it was said, which it does
/// (RFC 5321 §4.2.3: bad sequence of commands).
fn is_out_of_step(stage: Stage, code: Code) -> bool {
    matches!(stage, Stage::Mail | Stage::Rcpt) && code.number() == 503
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
                let by_class = format!("code-class/{}yz", code.number() / 100);
                assert!(rule == by_class || rule == "code/503", "{rule}");
            }
        }
    }

    #[test]
    fn a_bad_sequence_of_commands_is_the_sessions_and_nobody_is_refused_for_good_by_it() {
        for stage in [Stage::Mail, Stage::Rcpt] {
            assert_eq!(diagnosis(stage, 503), (Scope::Session, Persistence::Transient));
        }
        assert_eq!(diagnosis(Stage::Data, 503), (Scope::Message, Persistence::Permanent));
    }

    #[test]
    fn too_many_recipients_are_told_from_a_mailbox_that_is_full() {
        let said = |code: u16, text: &str| {
            let reply = Reply::new(Code::new(code).unwrap(), text);
            let diagnosis = diagnose(Stage::Rcpt, &reply);
            (diagnosis.scope, diagnosis.persistence)
        };
        let (more, later) = (Scope::Transaction, Persistence::Transient);
        assert_eq!(said(452, "4.5.3 Error: too many recipients"), (more, later));
        assert_eq!(said(552, "5.5.3 Enough"), (more, later));
        assert_eq!(said(552, "Too Many Recipients"), (more, later));
        assert_eq!(said(452, "Enough"), (more, later));
        assert_eq!(said(552, "Enough"), (more, Persistence::Permanent));
        assert_eq!(said(452, "4.2.2 Over quota"), (Scope::Recipient, later));
        assert_eq!(said(452, "4.3.1 Insufficient system storage"), (Scope::Recipient, later));
        assert_eq!(said(552, "5.2.2 Over quota"), (Scope::Recipient, Persistence::Permanent));
        assert_eq!(
            said(550, "5.5.3 too many recipients"),
            (Scope::Recipient, Persistence::Permanent)
        );
    }

    #[test]
    fn at_the_dot_452_is_about_the_message() {
        let reply = Reply::new(Code::new(452).unwrap(), "4.5.3 Too many recipients");
        assert_eq!(diagnose(Stage::Dot, &reply).scope, Scope::Message);
    }

    #[test]
    fn the_first_digit_says_how_lasting_it_is() {
        assert_eq!(diagnosis(Stage::Rcpt, 250), (Scope::Recipient, Persistence::Success));
        assert_eq!(diagnosis(Stage::Rcpt, 451), (Scope::Recipient, Persistence::Transient));
        assert_eq!(diagnosis(Stage::Dot, 591), (Scope::Message, Persistence::Permanent));
    }
}
