//! A line of a log whose values are not the line's own octets: unpacked, or known from other lines.

use postlane_mail::{Instant, Span, Stage};

use crate::attempt::{Attempt, Outcome, Said, Source, Told, Tried};

/// What such a line tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Recorded {
    /// Nothing that matters here.
    Nothing,
    /// The line is broken off or of another kind of log.
    Bad,
    /// A try of a recipient.
    Try(Box<Record>),
}

/// A try of a recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) at: Instant,
    pub(crate) machine: String,
    pub(crate) instance: String,
    pub(crate) id: String,
    pub(crate) recipient: String,
    pub(crate) host: String,
    pub(crate) stage: Option<Stage>,
    pub(crate) outcome: Outcome,
    pub(crate) said: String,
    pub(crate) arrived: Option<Instant>,
    pub(crate) tried_before: Option<Tried>,
}

impl Record {
    /// A try of which nothing more is known.
    pub(crate) fn new(at: Instant, outcome: Outcome) -> Self {
        Self {
            at,
            machine: String::new(),
            instance: String::new(),
            id: String::new(),
            recipient: String::new(),
            host: String::new(),
            stage: None,
            outcome,
            said: String::new(),
            arrived: None,
            tried_before: None,
        }
    }

    /// As a line that has it all in it.
    pub(crate) fn told(&self) -> Told<'_> {
        let said = self.said.as_bytes();
        let is_reply = matches!(
            said,
            [b'2'..=b'5', b'0'..=b'9', b'0'..=b'9']
                | [b'2'..=b'5', b'0'..=b'9', b'0'..=b'9', b' ' | b'-', ..]
        );
        let is_unheard = self.outcome == Outcome::Deferred && !is_reply;
        Told::Attempt(Attempt {
            at: self.at,
            source: Source { machine: self.machine.as_bytes(), instance: self.instance.as_bytes() },
            id: self.id.as_bytes(),
            recipient: self.recipient.as_bytes(),
            host: self.host.as_bytes(),
            stage: self.stage,
            outcome: if is_unheard { Outcome::Unreached } else { self.outcome },
            said: if is_reply { Said::Reply(said) } else { Said::Own(said) },
            arrived: self.arrived,
            tried_before: self.tried_before,
        })
    }
}

/// Whether a recipient was tried before, by how often.
pub(crate) fn tried(before: u64) -> Tried {
    if before == 0 { Tried::Never } else { Tried::Before }
}

/// A moment in seconds since 1970, with a fraction; `None` beyond 32 bits.
pub(crate) fn moment_of(seconds: f64) -> Option<Instant> {
    (0.0..f64::from(u32::MAX)).contains(&seconds).then_some(Instant((seconds * 1e6) as u64))
}

/// Milliseconds before a moment.
pub(crate) fn before(at: Instant, ms: u64) -> Instant {
    at - Span::from_ms(ms)
}
