//! Why somebody is on the list.

use std::fmt;

use postlane_mail::Status;
use postlane_replies::Label;

/// Why somebody is on the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// A host has said so, for good; one of the labels that put recipients or their domains on
    /// the list ([`Reason::of`]).
    Said(Label),
    /// An operator wants it so.
    Manual,
    /// It was on the list of another system, which gave no reason that is known here.
    Import,
    /// The recipient has complained of mail.
    Complaint,
    /// The recipient has said that they want no more.
    Unsubscribe,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Said(Label::NoSuchUser),
        Self::Said(Label::MailboxDisabled),
        Self::Said(Label::MailboxMoved),
        Self::Said(Label::NotAcceptingMail),
        Self::Said(Label::DomainNotFound),
        Self::Manual,
        Self::Import,
        Self::Complaint,
        Self::Unsubscribe,
    ];

    /// The reason that a label is, if it is one.
    pub fn of(label: Label) -> Option<Self> {
        (label.suppresses() || label.holds_recipient_domain()).then_some(Self::Said(label))
    }

    /// The name, as in JSON, CSV, logs and on disk.
    pub fn name(self) -> &'static str {
        match self {
            Self::Said(label) => label.name(),
            Self::Manual => "manual",
            Self::Import => "import",
            Self::Complaint => "complaint",
            Self::Unsubscribe => "unsubscribe",
        }
    }

    /// The reason with this name, letter by letter.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }

    /// In words that end a sentence.
    pub fn words(self) -> &'static str {
        match self {
            Self::Said(Label::NoSuchUser) => "there is no such mailbox",
            Self::Said(Label::MailboxDisabled) => "the mailbox is closed",
            Self::Said(Label::MailboxMoved) => "the mailbox has moved",
            Self::Said(Label::NotAcceptingMail) => "the domain takes no mail",
            Self::Said(Label::DomainNotFound) => "its host does not know the domain",
            Self::Said(_) => "its host refused it",
            Self::Manual => "an operator wants it so",
            Self::Import => "it was imported",
            Self::Complaint => "the recipient complained",
            Self::Unsubscribe => "the recipient unsubscribed",
        }
    }

    /// What mail is refused with (RFC 3463 §3.2 X.1.1, X.1.2, X.1.6; §3.3 X.2.1; §3.4 X.3.2;
    /// §3.8 X.7.1).
    pub fn status(self) -> Status {
        match self {
            Self::Said(Label::NoSuchUser) => Status::new(5, 1, 1),
            Self::Said(Label::MailboxDisabled) => Status::new(5, 2, 1),
            Self::Said(Label::MailboxMoved) => Status::new(5, 1, 6),
            Self::Said(Label::NotAcceptingMail) => Status::new(5, 3, 2),
            Self::Said(Label::DomainNotFound) => Status::new(5, 1, 2),
            _ => Status::new(5, 7, 1),
        }
    }

    /// Whether a reply was the reason: what people have said counts more, and is not replaced.
    pub fn is_learned(self) -> bool {
        matches!(self, Self::Said(_))
    }

    /// Whether it stops reports of failure, too. Who complains or unsubscribes wants no more
    /// mailings; a report on mail that they have sent themselves is none (RFC 5321 §4.5.5).
    pub fn stops_reports(self) -> bool {
        !matches!(self, Self::Complaint | Self::Unsubscribe)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_reason_is_found_by_its_name_and_every_label_that_counts_is_one() {
        for reason in Reason::ALL {
            assert_eq!(Reason::parse(reason.name()), Some(reason));
        }
        for label in Label::ALL {
            let counts = label.suppresses() || label.holds_recipient_domain();
            assert_eq!(Reason::of(*label).is_some(), counts, "{label}");
            assert_eq!(Reason::parse(label.name()).is_some(), counts, "{label}");
        }
    }

    #[test]
    fn mail_is_refused_for_good_and_with_the_status_that_a_host_would_have_given() {
        assert!(Reason::ALL.iter().all(|reason| reason.status().class == 5));
        for reason in Reason::ALL {
            let status = match reason.name() {
                "no_such_user" => "5.1.1",
                "domain_not_found" => "5.1.2",
                "mailbox_moved" => "5.1.6",
                "mailbox_disabled" => "5.2.1",
                "not_accepting_mail" => "5.3.2",
                _ => "5.7.1",
            };
            assert_eq!(reason.status().to_string(), status, "{reason}");
        }
    }

    #[test]
    fn no_two_reasons_sound_alike_and_each_is_shown_by_its_name() {
        let words: BTreeSet<_> = Reason::ALL.iter().map(|reason| reason.words()).collect();
        assert_eq!(words.len(), Reason::ALL.len(), "{words:?}");
        assert!(Reason::ALL.iter().all(|reason| reason.to_string() == reason.name()));
    }
}
