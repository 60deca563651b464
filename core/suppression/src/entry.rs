//! All that is known of an entry.

use postlane_mail::{Code, Instant, LastReply, QueueId, Reply, Stage};

use crate::standing::Standing;
use crate::subject::Subject;

/// All that is known of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Who is meant, and in whose mail.
    pub subject: Subject,
    /// Why, since when and until when.
    pub standing: Standing,
    /// The address as it was written.
    pub written: Bounded<{ Self::ADDRESS_OCTETS }>,
    /// Who made the entry: `relay`, `import`, or an operator's name.
    pub by: Bounded<{ Self::BY_OCTETS }>,
    /// In the words of whoever made it.
    pub note: Bounded<{ Self::NOTE_OCTETS }>,
    /// What a host said, if a reply was the reason.
    pub said: Option<Said>,
    /// The rule that understood it; empty for none.
    pub rule: Bounded<{ Self::NAME_OCTETS }>,
    /// The provider's id; empty where it is not known.
    pub provider: Bounded<{ Self::NAME_OCTETS }>,
    /// The message that was refused.
    pub message: Option<QueueId>,
}

/// What a host said, as far as there is room for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// What it answered.
    pub stage: Stage,
    /// The reply's code.
    pub code: Code,
    /// The reply, its lines joined by a line feed.
    pub text: Bounded<{ Entry::REPLY_OCTETS }>,
    /// The host.
    pub host: Bounded<{ Entry::ADDRESS_OCTETS }>,
}

/// A text of so many octets at most; the rest of a longer one is cut off.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Bounded<const OCTETS: usize>(Box<str>);

impl Entry {
    /// Octets of a reply that are kept: RFC 5321 §4.5.3.1.5 has 512 for a line of one.
    pub const REPLY_OCTETS: usize = 512;
    /// Octets of a note. Chosen, not measured.
    pub const NOTE_OCTETS: usize = 256;
    /// Octets of a name of whoever made an entry. Chosen, not measured.
    pub const BY_OCTETS: usize = 64;
    /// Octets of a rule's or a provider's name. Chosen, not measured.
    pub const NAME_OCTETS: usize = 96;
    /// Octets of an address or a host: as many as a mailbox may have.
    pub const ADDRESS_OCTETS: usize = 512;

    /// An entry of which no more is known.
    pub fn new(subject: Subject, standing: Standing, by: &str) -> Self {
        let written = Bounded::new(&subject.to_string());
        Self {
            subject,
            standing,
            written,
            by: Bounded::new(by),
            note: Bounded::default(),
            said: None,
            rule: Bounded::default(),
            provider: Bounded::default(),
            message: None,
        }
    }
}

impl Said {
    /// What was last said to a recipient.
    pub fn of(last: &LastReply) -> Self {
        Self {
            stage: last.stage,
            code: last.reply.code(),
            text: Bounded::new(last.reply.text()),
            host: Bounded::new(&last.host),
        }
    }
}

impl Said {
    /// The reply, said then.
    pub fn reply(&self, at: Instant) -> LastReply {
        let reply = Reply::new(self.code, self.text.as_str());
        LastReply { stage: self.stage, reply, host: self.host.as_str().into(), at }
    }
}

impl<const OCTETS: usize> Bounded<OCTETS> {
    /// The text, or its beginning.
    pub fn new(text: &str) -> Self {
        let mut end = text.len().min(OCTETS);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        Self(text.get(..end).unwrap_or_default().into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_two_characters() {
        assert_eq!(Bounded::<4>::new("abc").as_str(), "abc");
        assert_eq!(Bounded::<4>::new("abcü").as_str(), "abc");
        assert_eq!(Bounded::<5>::new("abcü").as_str(), "abcü");
        assert_eq!(Bounded::<0>::new("ü").as_str(), "");
    }
}
