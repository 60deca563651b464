//! What sort of mail came back: who writes, under which subject, and with which words.
//!
//! One sign alone is weak: people write "undeliverable" in subjects, and automatic answers come
//! from postmasters. Two make a bounce. The words are those of the programs' own texts.

use super::bounced::BounceKind;

/// What a message shows of itself, all in lower case.
#[derive(Debug)]
pub(super) struct Signs<'a> {
    /// `From`, decoded.
    pub(super) from: &'a str,
    /// `Subject`, decoded.
    pub(super) subject: &'a str,
    /// The words before what came back.
    pub(super) text: &'a str,
    /// `Auto-Submitted`.
    pub(super) auto_submitted: &'a str,
    /// Whether the header has a field that only automatic answers have.
    pub(super) answers: Answers,
    /// Whether the reverse-path is the null one (`Return-Path: <>`).
    pub(super) reverse_path: Reverse,
}

/// Whether a header says that it is of an automatic answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answers {
    Yes,
    Unsaid,
}

/// What the header says of the reverse-path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reverse {
    Null,
    Other,
}

impl Signs<'_> {
    /// The form in which the mail came back; none if it is ordinary mail.
    pub(super) fn kind(&self) -> Option<BounceKind> {
        let says_failure = has(self.text, FAILURE_TEXTS);
        let subject = has(self.subject, BOUNCE_SUBJECTS);
        let sender = self.is_daemon() || self.reverse_path == Reverse::Null;
        let signs = u8::from(sender)
            + u8::from(subject)
            + 2 * u8::from(says_failure && (sender || subject));
        if signs >= 2 {
            return Some(BounceKind::FreeForm);
        }
        if has(self.text, CHALLENGE_TEXTS) || has(self.subject, CHALLENGE_SUBJECTS) {
            return Some(BounceKind::Challenge);
        }
        let is_answer = self.answers == Answers::Yes
            || self.auto_submitted.starts_with("auto-replied")
            || VACATION_SUBJECTS.iter().any(|begin| self.subject.starts_with(begin));
        is_answer.then_some(BounceKind::Vacation)
    }

    /// Whether the text says that delivery is late, and still tried.
    pub(super) fn is_delay(&self) -> bool {
        is_delay(self.subject, self.text)
    }

    fn is_daemon(&self) -> bool {
        let address = self.from.rsplit('<').next().unwrap_or_default();
        let local = address.split(['@', '>']).next().unwrap_or_default().trim();
        local.is_empty() && !self.from.is_empty()
            || DAEMONS.iter().any(|daemon| local.contains(daemon))
            || self.from.contains("mail delivery")
    }
}

/// Whether words of a report, in lower case, say that delivery is late, and still tried.
pub(super) fn is_delay(subject: &str, text: &str) -> bool {
    (has(subject, DELAY_SUBJECTS) || has(text, DELAY_TEXTS)) && !has(text, GIVEN_UP_TEXTS)
}

fn has(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| text.contains(word))
}

/// Who writes bounces.
const DAEMONS: &[&str] = &[
    "mailer-daemon",
    "mailerdaemon",
    "mailer_daemon",
    "mail-daemon",
    "maildaemon",
    "postmaster",
    "post_master",
    "mail.delivery.system",
    "mailsystem",
    "mail-system",
    "mdaemon",
    "microsoftexchange",
    "administrator",
    "system-error",
    "bounce",
];

/// Subjects of bounces.
const BOUNCE_SUBJECTS: &[&str] = &[
    "delivery status notification",
    "delivery notification",
    "delivery report",
    "delivery reports about",
    "undeliver",
    "undelivered",
    "nondeliverable",
    "non-deliverable",
    "non delivery",
    "nondelivery",
    "returned mail",
    "returned email",
    "returned to sender",
    "returning to sender",
    "returning message to sender",
    "mail delivery fail",
    "delivery failure",
    "delivery fail",
    "delivery error",
    "delivery has failed",
    "delivery problem",
    "delivery delayed",
    "failed delivery",
    "failed mail",
    "mail failed",
    "mail failure",
    "failure notice",
    "failure notification",
    "failure delivery",
    "message delivery",
    "message not delivered",
    "mail system error",
    "mail error",
    "mail could not be delivered",
    "could not send message",
    "could not be delivered",
    "cannot be delivered",
    "not be delivered",
    "was not delivered",
    "error sending your mail",
    "delayed mail",
    "message delayed",
    "mail delivery",
    "mail rejected",
    "message rejected",
    "rejected mail",
    "unable to deliver",
    "user unknown",
    "address not found",
    "warning: message",
    "bounce",
    "dsn:",
    "unzustellbar",
    "nicht zustellbar",
    "nicht zugestellt",
    "zustellung fehlgeschlagen",
    "fehler bei der zustellung",
    "non remis",
    "échec de la remise",
    "échec de remise",
    "échec de distribution",
    "non distribu",
    "no se puede entregar",
    "no se pudo entregar",
    "no entregado",
    "error de entrega",
    "mancato recapito",
    "non recapitabile",
    "impossibile recapitare",
    "não entregue",
    "não foi possível entregar",
    "falha na entrega",
    "onbestelbaar",
    "niet bezorgd",
    "kan inte levereras",
    "ikke leveret",
    "kunne ikke leveres",
    "niedostarczon",
    "niedoręczon",
    "nie można dostarczyć",
    "недоставлен",
    "не доставлен",
    "не доставлено",
    "не может быть доставлено",
    "ошибка доставки",
    "配信不能",
    "配信できません",
    "配送不能",
    "送信できません",
    "エラーメール",
    "無法傳遞",
    "无法传递",
    "退信",
    "投递失败",
    "배달",
    "반송",
];

/// Words of a text that says so.
const FAILURE_TEXTS: &[&str] = &[
    "this is the qmail-send program",
    "created automatically by",
    "could not be delivered",
    "cannot be delivered",
    "can not be delivered",
    "not be delivered",
    "couldn't be delivered",
    "wasn't delivered",
    "was not delivered",
    "were not delivered",
    "has not been delivered",
    "not yet been delivered",
    "has been delayed",
    "is delayed for",
    "was delayed",
    "delivery attempts will continue",
    "address(es) failed",
    "addresses failed",
    "address failed",
    "addresses had",
    "delivery to the following",
    "delivery to these recipients",
    "delevery to the following",
    "permanent fatal errors",
    "transient non-fatal errors",
    "transcript of session",
    "did not reach",
    "unable to deliver",
    "not able to deliver",
    "wasn't able to deliver",
    "could not deliver",
    "couldn't deliver",
    "undeliverable",
    "undelivered",
    "delivery failed",
    "delivery has failed",
    "has been failed",
    "failed to deliver",
    "failure to deliver",
    "error delivering",
    "attempting to deliver",
    "trouble delivering",
    "problem delivering",
    "problems delivering",
    "mailbox exceeds",
    "mailbox is full",
    "mailbox full",
    "failed addresses follow",
    "failed recipient",
    "failure reasons",
    "was rejected by",
    "were rejected by",
    "rejected recipient",
    "rejected your message",
    "rejected your mail",
    "has rejected",
    "delivery errors",
    "unknown user",
    "user unknown",
    "no such user",
    "invalid user address",
    "recipient unknown",
    "unknown recipient",
    "unknown address",
    "address not found",
    "message not delivered",
    "message blocked",
    "returned to you",
    "returned message",
    "mail is returned",
    "nicht zugestellt",
    "nicht erreicht",
    "unzustellbar",
    "n'a pas pu être",
    "n'ont pas pu être",
    "n'a pas été remis",
    "no se pudo entregar",
    "no se ha podido",
    "no se puede entregar",
    "non è stato possibile",
    "impossibile recapitare",
    "não foi possível",
    "não pôde ser entregue",
    "nie można dostarczyć",
    "nie zostało dostarczone",
    "niet worden bezorgd",
    "не может быть доставлено",
    "не было доставлено",
    "не удалось доставить",
    "送信できませんでした",
    "配信できません",
    "配信不能",
    "送信に失敗",
    "配送できません",
    "届けることができません",
    "无法投递",
    "无法发送",
    "無法傳遞",
    "被退回",
    "전송하지 못",
];

/// Subjects of warnings.
const DELAY_SUBJECTS: &[&str] = &[
    "(delay)",
    "delayed mail",
    "delivery delayed",
    "message delayed",
    "delayed 24 hours",
    "still being retried",
    "warning: could not send",
    "warning: message",
    "notification: warning",
    "verzögert",
    "retardé",
    "доставка отложена",
];

/// Words of a warning.
const DELAY_TEXTS: &[&str] = &[
    "do not need to resend",
    "do not need to re-send",
    "warning message only",
    "has been delayed",
    "is delayed for",
    "not yet been delivered",
    "delivery attempts will continue",
    "will be retried",
    "it will be retried",
    "will keep trying",
    "will continue to try",
    "we will continue",
    "will try again",
    "temporary failure report",
    "still trying",
    "no action is required on your part",
];

/// Words that say that a late message was given up.
const GIVEN_UP_TEXTS: &[&str] = &[
    "not going to try again",
    "giving up",
    "given up",
    "permanent error",
    "failed permanently",
    "permanent fatal errors",
    "will not be retried",
    "no further attempts",
    "delivery time expired",
    "has failed",
];

/// Subjects that automatic answers begin with.
const VACATION_SUBJECTS: &[&str] = &[
    "auto:",
    "autoreply",
    "auto reply",
    "auto-reply",
    "auto response",
    "autorespon",
    "automatic reply",
    "automatic response",
    "automated reply",
    "out of office",
    "out of the office",
    "ooo:",
    "vacation",
    "away from my",
    "i am away",
    "abwesenheit",
    "abwesend",
    "automatische antwort",
    "réponse automatique",
    "absence du bureau",
    "respuesta automática",
    "fuera de la oficina",
    "risposta automatica",
    "fuori sede",
    "resposta automática",
    "automatisch antwoord",
    "afwezig",
    "automatiskt svar",
    "autosvar",
    "automatyczna odpowiedź",
    "автоответ",
    "автоматический ответ",
    "自動返信",
    "自動応答",
    "不在",
    "自动回复",
    "自動回覆",
    "자동 회신",
];

/// Subjects of those who let strangers through only once they confirm.
const CHALLENGE_SUBJECTS: &[&str] = &[
    "please confirm your message",
    "please verify your message",
    "please confirm your email to",
    "your email requires verification",
    "requires your verification",
    "boxbe waiting list",
    "[spam arrest]",
    "spamarrest",
];

/// Their words.
const CHALLENGE_TEXTS: &[&str] = &[
    "spam arrest",
    "spamarrest.com",
    "boxbe.com",
    "reply to this message to confirm",
    "is protected by tmda",
    "tagged message delivery agent",
    "click the link below to verify that you are",
    "to confirm that you are a human",
    "to have your message delivered, please",
    "guest list",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn signs<'a>(from: &'a str, subject: &'a str, text: &'a str) -> Signs<'a> {
        let (answers, reverse_path) = (Answers::Unsaid, Reverse::Other);
        Signs { from, subject, text, auto_submitted: "", answers, reverse_path }
    }

    #[test]
    fn one_sign_is_no_bounce_and_two_are() {
        assert_eq!(signs("jo@b.example", "undeliverable?", "hi").kind(), None);
        assert_eq!(signs("jo@b.example", "hi", "it could not be delivered").kind(), None);
        let bounce = signs("mailer-daemon@b.example", "failure notice", "");
        assert_eq!(bounce.kind(), Some(BounceKind::FreeForm));
        let bounce = signs("mailer-daemon@b.example", "x", "it could not be delivered");
        assert_eq!(bounce.kind(), Some(BounceKind::FreeForm));
    }

    #[test]
    fn an_automatic_answer_is_no_bounce() {
        let answer = signs("jo@b.example", "out of office: hi", "i am away");
        assert_eq!(answer.kind(), Some(BounceKind::Vacation));
        let answer = Signs { auto_submitted: "auto-replied", ..signs("jo@b.example", "hi", "") };
        assert_eq!(answer.kind(), Some(BounceKind::Vacation));
        let asks = signs("jo@b.example", "[spam arrest] your mail", "");
        assert_eq!(asks.kind(), Some(BounceKind::Challenge));
    }

    #[test]
    fn a_warning_is_a_delay_unless_it_was_given_up() {
        assert!(is_delay("delayed mail (still being retried)", ""));
        assert!(!is_delay("delayed mail", "i'm not going to try again"));
    }
}
