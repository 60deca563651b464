//! What a reply says of time and number: how long to wait, in which window, how many.
//!
//! Servers say it in prose, in a dozen languages: `try again in 5 minutes`, `in wenigen
//! Stunden`, `200 messages per 10 minutes`. A hint is what can be taken from such a text
//! without knowing who said it. It is advice: whoever acts on it keeps limits of their own.
//!
//! The text is read once, by words; nothing is allocated. A number counts only where the words
//! around it say of what, so addresses, ports, versions, dates and identifiers are no hints.

mod reading;
mod telling;
mod vocabulary;
mod word;

use std::fmt;

use postlane_mail::Span;

pub(crate) use telling::Telling;
use word::{Word, Words};

/// What a reply says of time and number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Hint {
    /// How long to stay away.
    pub wait: Option<Wait>,
    /// The span in which the other side counts.
    pub window: Option<Span>,
    /// How many it lets through: in [`Self::window`], or in whatever else it counts by
    /// (a connection, a message).
    pub quota: Option<Quota>,
}

/// How long to stay away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    /// Never zero, never above [`Hint::SPAN_MAX`].
    pub span: Span,
    /// Whether the span was said (`in 5 minutes`), rather than hinted at (`a few hours`,
    /// `later`, `up to 24 hours`).
    pub exact: bool,
}

/// How many the other side lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Never zero, never above [`Hint::COUNT_MAX`] unless octets are counted.
    pub count: u32,
    /// Of what.
    pub of: Unit,
}

/// What a quota counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unit {
    /// Messages, or transactions.
    Messages,
    /// Recipients.
    Recipients,
    /// Connections, or sessions.
    Connections,
    /// Octets of messages, in a window. A limit of one message's size is no quota.
    Octets,
}

impl Hint {
    /// The longest wait or window that is believed: a month, the longest quota anybody counts
    /// by. Chosen, not measured.
    pub const SPAN_MAX: Span = Span::from_h(30 * 24);

    /// The largest quota that is believed; chosen, not measured.
    pub const COUNT_MAX: u32 = 10_000_000;

    /// What `later` means where nothing more is said: the least interval between two attempts
    /// (RFC 5321 §4.5.4.1: at least 30 minutes).
    pub const LATER: Span = Span::from_min(30);

    /// What a text says; lines may be joined by anything, codes may stand before them or not.
    ///
    /// Of several waits the plainest counts, then the first. A quota that names its window
    /// counts before one that does not, and brings its window along.
    pub fn find(text: &str) -> Self {
        const SHORT: usize = 64;
        // Most texts are short, and to make a long list ready costs more than to read them.
        if text.len() <= SHORT {
            Self::find_in(text, &mut [Word::Other; SHORT])
        } else {
            Self::find_in(text, &mut [Word::Other; Words::MAX])
        }
    }

    /// As [`find`](Self::find), with room for the words.
    fn find_in(text: &str, list: &mut [Word]) -> Self {
        reading::read(Words::read(text, list).as_slice())
    }

    /// Whether nothing was said.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Unit {
    /// Its name in JSON and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Messages => "messages",
            Self::Recipients => "recipients",
            Self::Connections => "connections",
            Self::Octets => "octets",
        }
    }
}

impl fmt::Display for Hint {
    /// As a person writes it: `wait about 3h, 200 messages, window 10m`; nothing if it is empty.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut between = "";
        if let Some(wait) = self.wait {
            write!(f, "wait {wait}")?;
            between = ", ";
        }
        if let Some(quota) = self.quota {
            write!(f, "{between}{quota}")?;
            between = ", ";
        }
        match self.window {
            Some(window) => write!(f, "{between}window {window}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.exact { "" } else { "about " })?;
        self.span.fmt(f)
    }
}

impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.count, self.of.name())
    }
}

#[cfg(test)]
mod tests;
