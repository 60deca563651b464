//! What is found wrong in a spool, each thing by its name.

use std::fmt;

use postlane_mail::QueueId;

/// Something in a spool that is not as it should be, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The segment, from 1.
    pub segment: u32,
    /// Where in the segment it begins, in octets.
    pub offset: u64,
    /// How many octets it is about.
    pub octets: u64,
    /// What is wrong.
    pub wrong: Wrong,
    /// The file in the spool's directory that keeps the octets, if they were put aside.
    pub kept: Option<Box<str>>,
}

/// What may be wrong in a spool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Wrong {
    /// A write was cut short by a crash, before anybody was told that it was done.
    Torn,
    /// A message does not agree with its checksum. The id, if it can still be read.
    Message(Option<QueueId>),
    /// A message is sound and its envelope says what this version does not understand: it is
    /// kept and not delivered.
    Envelope(QueueId),
    /// Changes do not agree with their checksum: what they said of recipients may be
    /// forgotten, and a message be delivered twice.
    Changes,
    /// Octets that are no record at all.
    Unreadable,
    /// The segment's header is damaged; its records are read without it.
    Header,
    /// A segment was begun by a start that did not get further.
    Begun,
    /// A file with a segment's name that holds no record of ours.
    NoSegment,
    /// The segment has an index that is damaged or disagrees with it. Nothing is lost: the
    /// segment is read instead.
    Index,
}

impl Wrong {
    /// Its name for programs; it stays what it is.
    pub fn name(self) -> &'static str {
        match self {
            Self::Torn => "torn",
            Self::Message(_) => "message",
            Self::Envelope(_) => "envelope",
            Self::Changes => "changes",
            Self::Unreadable => "unreadable",
            Self::Header => "header",
            Self::Begun => "begun",
            Self::NoSegment => "no-segment",
            Self::Index => "index",
        }
    }

    /// Whether something may have been lost.
    pub fn is_loss(self) -> bool {
        !matches!(self, Self::Torn | Self::Header | Self::Begun | Self::Index)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { segment, offset, octets, .. } = self;
        write!(f, "segment {segment:08}: ")?;
        match self.wrong {
            Wrong::Torn => write!(f, "{octets} octets of a torn write at octet {offset}")?,
            Wrong::Message(Some(id)) => {
                write!(f, "message {id} is damaged at octet {offset}, {octets} octets")?;
            }
            Wrong::Message(None) => {
                write!(f, "a message is damaged at octet {offset}, {octets} octets")?;
            }
            Wrong::Envelope(id) => {
                write!(f, "the envelope of message {id} at octet {offset} is not understood: ")?;
                f.write_str("it is kept and not delivered")?;
            }
            Wrong::Changes => {
                write!(f, "outcomes are damaged at octet {offset}, {octets} octets: ")?;
                f.write_str("what they told may happen a second time")?;
            }
            Wrong::Unreadable => {
                write!(f, "{octets} octets at octet {offset} are no record")?;
            }
            Wrong::Header => f.write_str("its header is damaged; it is read without it")?,
            Wrong::Begun => f.write_str("it was begun and not written; it is removed")?,
            Wrong::NoSegment => f.write_str("the file is no segment of ours")?,
            Wrong::Index => {
                f.write_str("its index is damaged; the segment is read instead")?;
            }
        }
        match &self.kept {
            Some(kept) => write!(f, "; kept as {kept}"),
            None => Ok(()),
        }
    }
}
