//! Which refusals put somebody on the list, and for how long.

use postlane_mail::{Code, Instant, QueueId, Span, Stage};
use postlane_replies::Label;

use crate::reason::Reason;
use crate::standing::{Counts, Heard, Standing, mark};
use crate::subject::Whom;

/// Which refusals put somebody on the list, and for how long; `None` never.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Refusals of different messages before a recipient is on the list; 1 or more.
    pub refusals: u8,
    /// There is no such mailbox.
    pub no_such_user: Option<Span>,
    /// The mailbox is closed; asked again after that.
    pub mailbox_disabled: Option<Span>,
    /// The mailbox has moved.
    pub mailbox_moved: Option<Span>,
    /// The domain takes no mail: its mail waits.
    pub not_accepting_mail: Option<Span>,
    /// A host does not know the domain: its mail waits.
    pub domain_not_found: Option<Span>,
}

/// A refusal, as far as the list cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// What it means.
    pub label: Label,
    /// How sure that is.
    pub confidence: Confidence,
    /// The reply's code.
    pub code: Code,
    /// What it answered.
    pub stage: Stage,
    /// Recipients of the transaction.
    pub recipients: usize,
    /// Where it was heard.
    pub heard: Heard,
}

/// How sure it is what a reply means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confidence {
    /// A rule knows these words, or the enhanced status says it.
    Sure,
    /// It was guessed.
    Guessed,
}

/// Who is put on the list, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// The recipient, or their domain.
    pub whom: Whom,
    /// Why.
    pub reason: Reason,
    /// How long.
    pub lasts: Span,
    /// Where the refusal was heard.
    pub heard: Heard,
}

impl Policy {
    /// Who is put on the list by a refusal, if anybody is.
    ///
    /// Only what was said for good, for sure, by a label that is about a recipient or their
    /// domain, and where recipients are spoken of: at RCPT, or behind the message where it had
    /// only one. Everything else, whatever its words, is about a session, a message, a source
    /// or a sender, and nobody is put on the list for that.
    pub fn verdict(&self, refusal: &Refusal) -> Option<Verdict> {
        let Refusal { label, confidence, code, stage, recipients, heard } = *refusal;
        let is_of_recipient = match stage {
            Stage::Rcpt => true,
            Stage::Data | Stage::Dot => recipients == 1,
            _ => false,
        };
        if !is_of_recipient || !code.is_permanent() || confidence != Confidence::Sure {
            return None;
        }
        let lasts = match label {
            Label::NoSuchUser => self.no_such_user,
            Label::MailboxDisabled => self.mailbox_disabled,
            Label::MailboxMoved => self.mailbox_moved,
            Label::NotAcceptingMail => self.not_accepting_mail,
            Label::DomainNotFound => self.domain_not_found,
            _ => None,
        };
        let whom = if label.suppresses() { Whom::Recipient } else { Whom::Domain };
        Some(Verdict { whom, reason: Reason::of(label)?, lasts: lasts?, heard })
    }

    /// What a verdict makes of the entry that is there: a new one, one refusal more, or nothing.
    pub fn learn(
        &self,
        verdict: &Verdict,
        known: Option<Standing>,
        now: Instant,
        message: QueueId,
    ) -> Option<Standing> {
        let known = known.filter(|known| !known.is_over(now));
        // What people have said stays, and what stops mail already need not be said again.
        if known.is_some_and(|known| !known.reason.is_learned() || known.counts == Counts::Yes) {
            return None;
        }
        if known.is_some_and(|known| known.message == mark(message)) {
            return None;
        }
        let refusals = known.map_or(0, |known| known.refusals).saturating_add(1);
        let standing = Standing::new(verdict.reason, now, None).lasts(now, verdict.lasts);
        let mut standing = standing.refused_by(refusals, Some(message));
        standing.heard = verdict.heard;
        if verdict.whom == Whom::Recipient && refusals < self.refusals {
            standing.counts = Counts::NotYet;
        }
        Some(standing)
    }
}

impl Default for Policy {
    /// The defaults of `[suppression]`.
    fn default() -> Self {
        let days = |days: u64| Some(Span::from_h(24 * days));
        Self {
            refusals: 1,
            no_such_user: days(365),
            mailbox_disabled: days(90),
            mailbox_moved: days(365),
            not_accepting_mail: days(1),
            domain_not_found: Some(Span::from_h(4)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Instant = Instant::from_unix_s(1_000_000);

    fn refusal(label: Label, code: u16, stage: Stage) -> Refusal {
        let code = Code::new(code).unwrap();
        let (confidence, heard) = (Confidence::Sure, Heard::InSession);
        Refusal { label, confidence, code, stage, recipients: 1, heard }
    }

    /// All labels × all codes × all stages × sure or not × one recipient or more.
    #[test]
    fn nothing_that_is_not_about_a_recipient_ever_suppresses() {
        let policy = Policy::default();
        let mut verdicts = 0;
        for label in Label::ALL.iter().copied() {
            for code in (200..600).filter_map(Code::new) {
                for stage in Stage::ALL {
                    for confidence in [Confidence::Sure, Confidence::Guessed] {
                        for recipients in [1, 2] {
                            let heard = Heard::InSession;
                            let refusal =
                                Refusal { label, confidence, code, stage, recipients, heard };
                            let Some(verdict) = policy.verdict(&refusal) else { continue };
                            verdicts += 1;
                            let recipient = label.suppresses();
                            assert!(recipient || label.holds_recipient_domain(), "{refusal:?}");
                            assert!(!recipient || label.is_of_recipient(), "{refusal:?}");
                            assert_eq!(verdict.whom == Whom::Recipient, recipient, "{refusal:?}");
                            assert!(code.is_permanent() && confidence == Confidence::Sure);
                            let one = matches!(stage, Stage::Data | Stage::Dot) && recipients == 1;
                            assert!(stage == Stage::Rcpt || one, "{refusal:?}");
                        }
                    }
                }
            }
        }
        // Five labels, a hundred codes, RCPT with one or more, DATA and the dot with one.
        assert_eq!(verdicts, 5 * 100 * (2 + 2));
    }

    #[test]
    fn what_is_off_is_never_learned() {
        let policy = Policy { mailbox_moved: None, ..Policy::default() };
        assert_eq!(policy.verdict(&refusal(Label::MailboxMoved, 551, Stage::Rcpt)), None);
        let gone = policy.verdict(&refusal(Label::NoSuchUser, 550, Stage::Rcpt)).unwrap();
        assert_eq!(gone.lasts, Span::from_h(24 * 365));
    }

    #[test]
    fn as_many_messages_as_the_policy_wants_must_have_been_refused() {
        let policy = Policy { refusals: 3, ..Policy::default() };
        let verdict = policy.verdict(&refusal(Label::NoSuchUser, 550, Stage::Rcpt)).unwrap();
        let id = |n: u64| QueueId::from_bits(n << 8);
        let first = policy.learn(&verdict, None, NOW, id(1)).unwrap();
        assert_eq!((first.refusals, first.counts), (1, Counts::NotYet));
        assert_eq!(policy.learn(&verdict, Some(first), NOW, id(1)), None, "the same message");
        let second = policy.learn(&verdict, Some(first), NOW, id(2)).unwrap();
        assert!(!second.holds(NOW));
        let third = policy.learn(&verdict, Some(second), NOW, id(3)).unwrap();
        assert!(third.holds(NOW));
        assert_eq!(third.until(), Some(NOW + Span::from_h(24 * 365)));
        assert_eq!(policy.learn(&verdict, Some(third), NOW, id(4)), None, "it holds already");
        let over = third.until().unwrap();
        let again = policy.learn(&verdict, Some(third), over, id(5)).unwrap();
        assert_eq!((again.refusals, again.counts), (1, Counts::NotYet), "it begins anew");
        let held = policy.verdict(&refusal(Label::DomainNotFound, 550, Stage::Rcpt)).unwrap();
        assert!(policy.learn(&held, None, NOW, id(1)).unwrap().holds(NOW), "domains wait at once");
    }

    #[test]
    fn a_delivery_clears_what_was_said_in_sessions_and_is_not_enough_yet() {
        let policy = Policy { refusals: 2, ..Policy::default() };
        let id = |bits: u64| QueueId::from_bits(bits << 8);
        let refused = refusal(Label::NoSuchUser, 550, Stage::Rcpt);
        let verdict = policy.verdict(&refused).unwrap();
        let first = policy.learn(&verdict, None, NOW, id(1)).unwrap();
        assert!(first.is_cleared_by_delivery());
        let enough = policy.learn(&verdict, Some(first), NOW, id(2)).unwrap();
        assert!(!enough.is_cleared_by_delivery(), "it stops mail");
        // Its host takes everything, and sends it back: that it took one more says nothing.
        let by_mail = policy.verdict(&Refusal { heard: Heard::ByMail, ..refused }).unwrap();
        for known in [None, Some(first)] {
            let policy = Policy { refusals: 3, ..policy };
            let came_back = policy.learn(&by_mail, known, NOW, id(3)).unwrap();
            assert_eq!(came_back.counts, Counts::NotYet);
            assert!(!came_back.is_cleared_by_delivery());
        }
        let by_hand = Standing::new(Reason::Manual, NOW, None);
        assert!(!by_hand.is_cleared_by_delivery());
    }

    proptest! {
        #[test]
        fn what_people_have_said_is_never_replaced(reason in 5_usize..9, refusals in 1_u8..5) {
            let policy = Policy { refusals, ..Policy::default() };
            let verdict = policy.verdict(&refusal(Label::NoSuchUser, 550, Stage::Rcpt)).unwrap();
            let known = Standing::new(Reason::ALL[reason], Instant(0), None);
            prop_assert_eq!(policy.learn(&verdict, Some(known), NOW, QueueId::from_bits(7)), None);
        }
    }
}
