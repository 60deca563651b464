//! What kind of thing happened.

use std::fmt;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $number:literal $text:literal,)*) => {
        /// What an entry of the ledger tells of.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind {
            $($(#[$doc])* $name,)*
        }

        impl Kind {
            /// All of them.
            pub const ALL: [Self; [$($number),*].len()] = [$(Self::$name),*];

            /// The name, as in files, JSON and the command line.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The number in the append log; never given to another kind.
            pub(crate) const fn number(self) -> u8 {
                match self { $(Self::$name => $number,)* }
            }

            /// The kind with that number in the append log.
            pub(crate) const fn from_number(number: u8) -> Option<Self> {
                match number { $($number => Some(Self::$name),)* _ => None }
            }
        }
    };
}

kinds! {
    /// A message was taken from a client: its 250 was said.
    Accepted = 1 "accepted",
    /// A receiver took a message for this recipient.
    Delivered = 2 "delivered",
    /// A receiver said "not now" (4xx), or the session broke, and it is tried again.
    Deferred = 3 "deferred",
    /// A receiver said "never" (5xx).
    Bounced = 4 "bounced",
    /// The recipient was given up after its lifetime in the queue.
    Expired = 5 "expired",
    /// An operator gave the recipient up, with a report to the sender.
    BouncedByOperator = 6 "bounced-by-operator",
    /// An operator removed the recipient, without a report.
    Deleted = 7 "deleted",
    /// Mail was held back: by an operator, or by quarantine.
    Held = 8 "held",
    /// What was held may go.
    Released = 9 "released",
    /// A delivery report about mail of ours came back from outside.
    Returned = 10 "returned",
    /// A person called a message of ours spam (a feedback report).
    Complaint = 11 "complaint",
    /// A host could not be reached; no message was in play.
    ConnectFailed = 12 "connect-failed",
    /// A session ended before its time; no message was in play.
    SessionLost = 13 "session-lost",
    /// A lane changed: ordered, rests, recovered, learned, judged, rolled back. `command` says which.
    Lane = 14 "lane",
    /// An address was put on the suppression list.
    Suppressed = 15 "suppressed",
    /// An address was taken off the suppression list.
    Unsuppressed = 16 "unsuppressed",
    /// A message was refused after its end, and the client told so.
    Refused = 17 "refused",
    /// The sender of a message was told what became of a recipient: a DSN was written.
    Reported = 18 "reported",
    /// Something began to be wrong, or came back. `command` says which.
    IncidentOpened = 19 "incident.opened",
    /// Something that is wrong has grown, or somebody has done something about it.
    IncidentUpdated = 20 "incident.updated",
    /// Something that was wrong is over, or somebody said so.
    IncidentClosed = 21 "incident.closed",
    /// An address or a domain of ours came on a block list, or is on it otherwise. `command` says
    /// which.
    Listed = 22 "blocklist.listed",
    /// It came off the list.
    Delisted = 23 "blocklist.delisted",
    /// A domain of ours publishes something else than before.
    RecordChanged = 24 "record.changed",
}

impl Kind {
    /// Reads a kind's name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// Whether it tells of an incident: the entry's number is the incident's then.
    pub const fn is_incident(self) -> bool {
        matches!(self, Self::IncidentOpened | Self::IncidentUpdated | Self::IncidentClosed)
    }

    /// Whether a receiver was asked to take a message for a recipient.
    pub const fn is_attempt(self) -> bool {
        matches!(self, Self::Delivered | Self::Deferred | Self::Bounced)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether an attempt was the first for its recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Try {
    /// The first attempt: fresh mail.
    Fresh,
    /// The second or a later one.
    Retry,
}

impl Try {
    /// Both, fresh first.
    pub const ALL: [Self; 2] = [Self::Fresh, Self::Retry];

    /// Reads a name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|of| of.as_str() == text)
    }

    /// The name, as in files, JSON and the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Retry => "retry",
        }
    }
}

impl fmt::Display for Try {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_read_back_from_its_name_and_its_number() {
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.as_str()), Some(kind));
            assert_eq!(Kind::from_number(kind.number()), Some(kind));
        }
        assert_eq!(Kind::from_number(0), None);
        assert_eq!(Kind::parse("sent"), None);
    }
}
