//! A message that is looked at, and what looks at it.

use crate::arrived::Arrived;
use crate::authentication::Authentication;
use crate::check::{Check, Finding, Found};
use crate::content::Content;
use crate::dns::Known;

/// A message with its authentication and what it says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Looked<'a> {
    pub(crate) arrived: &'a Arrived<'a>,
    pub(crate) authentication: &'a Authentication,
    pub(crate) content: &'a Content,
}

/// A check of a message: none if answers are missing.
pub(crate) struct MessageCheck {
    pub(crate) check: Check,
    pub(crate) run: Run,
}

/// What a check looks at.
pub(crate) enum Run {
    /// The message alone.
    Form(fn(&mut Known, &Arrived<'_>) -> Option<Found>),
    /// The message with its authentication, of which everything is known.
    Identity(fn(Looked<'_>) -> Option<Found>),
    /// All of that, with more questions.
    Asking(fn(&mut Known, Looked<'_>) -> Option<Found>),
}

impl MessageCheck {
    /// One that nobody here can answer.
    pub(crate) const fn left_open(check: Check, why: &'static str) -> Self {
        Self { check: check.left_open(why), run: Run::Identity(|_| None) }
    }

    /// Looks, and says what was found.
    pub(crate) fn find(&'static self, known: &mut Known, looked: Looked<'_>) -> Option<Finding> {
        if let Some(open) = self.check.open() {
            return Some(open);
        }
        let found = match self.run {
            Run::Form(run) => run(known, looked.arrived)?,
            Run::Identity(run) => run(looked)?,
            Run::Asking(run) => run(known, looked)?,
        };
        Some(self.check.finding(found))
    }
}
