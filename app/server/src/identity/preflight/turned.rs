//! That a gate turned, in words: as it is told, and as it is read again from what was told.

use std::sync::Arc;

use postlane_ledger::Entry;
use postlane_triage::GateSeen;

use super::{Sight, Subject};
use crate::telling::history::PREFLIGHT;

/// Something is missing.
pub(super) const FAILED: &str = "preflight-failed";
/// Nothing is any more.
pub(super) const READY: &str = "preflight-ready";

/// What stands between the mail and the checks that fail.
const FAILS: &str = " fails ";
/// What stands behind mail of which nothing is missing.
const HAS: &str = " has what is asked for";

/// A gate turned, or has not for a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// Something is missing.
    Failed,
    /// Nothing is any more.
    Ready,
}

/// What an entry of the ledger says of a gate.
pub(crate) struct Turned<'e> {
    entry: &'e Entry,
    /// Which mail: `cold mail of shop.example`.
    pub(crate) mail: &'e str,
    /// The checks that fail and what was seen; none where nothing is missing.
    lacks: Option<(&'e str, &'e str)>,
}

/// The words that [`Turned::of`] reads.
pub(super) fn words(subject: &Subject, lacks: Option<&Sight>) -> String {
    let mail = format!("{} mail of {}", subject.stream, subject.author());
    match lacks {
        Some(sight) => format!("{mail}{FAILS}{}: {}", sight.checks(), sight.says()),
        None => format!("{mail}{HAS}"),
    }
}

impl<'e> Turned<'e> {
    /// None where it is no such entry.
    pub(crate) fn of(entry: &'e Entry) -> Option<Self> {
        if entry.who != PREFLIGHT {
            return None;
        }
        let text = entry.detail.as_str();
        let (mail, lacks) = match entry.command.as_str() {
            READY => (text.strip_suffix(HAS)?, None),
            FAILED => {
                let (mail, rest) = text.split_once(FAILS)?;
                (mail, Some(rest.split_once(": ")?))
            }
            _ => return None,
        };
        Some(Self { entry, mail, lacks })
    }

    /// What is missing, for triage; none where nothing is.
    pub(crate) fn lacking(self) -> Option<GateSeen> {
        let (checks, says) = self.lacks?;
        let arc = |text: &str| Arc::<str>::from(text);
        Some(GateSeen {
            provider: arc(&self.entry.provider),
            source: arc(&self.entry.source),
            at: self.entry.at,
            mail: arc(self.mail),
            checks: checks.split(", ").map(arc).collect(),
            says: arc(says),
        })
    }
}
