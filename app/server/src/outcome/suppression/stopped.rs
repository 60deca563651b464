//! What the list does to mail, in words: the same at RCPT, by the API, in reports and in the queue.

use postlane_mail::{Code, Instant, LastReply, Reply, Stage, Status};
use postlane_message::LogDate;
use postlane_smtp::server::Refusal;
use postlane_suppression::{Effect, Found};

/// Mail that the list stops, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stopped(pub(super) Found);

impl Stopped {
    pub(crate) fn effect(&self) -> Effect {
        self.0.standing.effect(self.0.subject.whom())
    }

    /// Until when mail waits, if it does.
    pub(crate) fn waits_until(&self) -> Option<Instant> {
        (self.effect() == Effect::Waits).then(|| self.0.standing.until().unwrap_or(Instant::MAX))
    }

    /// 5.x.x for what is refused, 4.x.x for what waits.
    pub(crate) fn status(&self) -> Status {
        let status = self.0.standing.reason.status();
        match self.effect() {
            Effect::Refused => status,
            Effect::Waits => Status { class: 4, ..status },
        }
    }

    /// Why, in one sentence.
    pub(crate) fn says(&self) -> String {
        let Found { subject, standing } = &self.0;
        let (reason, since) = (standing.reason, day(standing.since()));
        let words = reason.words();
        match (self.effect(), standing.until()) {
            (Effect::Waits, Some(until)) => {
                let until = minute(until);
                format!("{subject} is on hold until {until}, since {since}: {words} ({reason})")
            }
            _ => format!("suppressed since {since}: {words} ({reason})"),
        }
    }

    /// The same, and what undoes it.
    pub(crate) fn says_with_cure(&self) -> String {
        let subject = &self.0.subject;
        format!("{}; to undo it: postlane suppression remove {subject}", self.says())
    }

    /// What a client is told at RCPT.
    pub(crate) fn refusal(&self) -> Refusal {
        let code = self.code();
        Refusal { code, status: self.status(), text: self.says_with_cure().into() }
    }

    /// What is said of a recipient in the place of a host.
    pub(crate) fn reply(&self, at: Instant) -> LastReply {
        let text = format!("{} {}", self.status(), self.says());
        let reply = Reply::new(self.code(), text);
        LastReply { stage: Stage::Rcpt, reply, host: "".into(), at }
    }

    fn code(&self) -> Code {
        let number = if self.effect() == Effect::Refused { 550 } else { 450 };
        Code::new(number).expect("both lie between 200 and 599")
    }
}

fn day(at: Instant) -> String {
    LogDate::of(at).as_str().get(..10).unwrap_or_default().to_owned()
}

fn minute(at: Instant) -> String {
    format!("{}Z", LogDate::of(at).as_str().get(..16).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use postlane_mail::Label as Tenant;
    use postlane_replies::Label;
    use postlane_suppression::{Reason, Standing, Subject};

    use super::*;

    fn stopped(who: &str, reason: Reason, until_s: Option<u64>) -> Stopped {
        let subject = Subject::parse(who, &Tenant::NONE).unwrap();
        let since = Instant::from_unix_s(1_795_239_545);
        let standing = Standing::new(reason, since, until_s.map(Instant::from_unix_s));
        Stopped(Found { subject, standing })
    }

    #[test]
    fn a_refusal_says_since_when_and_why_and_how_to_undo_it() {
        let stopped = stopped("jo@example.net", Reason::Said(Label::NoSuchUser), None);
        assert_eq!(
            stopped.refusal().to_string(),
            "550 5.1.1 suppressed since 2026-11-21: there is no such mailbox (no_such_user); \
             to undo it: postlane suppression remove jo@example.net"
        );
    }

    #[test]
    fn a_hold_says_until_when() {
        let reason = Reason::Said(Label::NotAcceptingMail);
        let stopped = stopped("example.net", reason, Some(1_795_325_945));
        assert_eq!(stopped.waits_until(), Some(Instant::from_unix_s(1_795_325_945)));
        assert_eq!(
            stopped.reply(Instant(0)).reply.to_string(),
            "450 4.3.2 example.net is on hold until 2026-11-22T05:39Z, since 2026-11-21: \
             the domain takes no mail (not_accepting_mail)"
        );
    }

    #[test]
    fn a_domain_that_an_operator_wants_no_mail_to_is_refused() {
        let stopped = stopped("example.net", Reason::Manual, None);
        assert_eq!((stopped.effect(), stopped.waits_until()), (Effect::Refused, None));
        assert!(stopped.refusal().to_string().starts_with("550 5.7.1 suppressed since "));
    }
}
