//! What speaks of one message and is said to many of them, though not to all.
//!
//! At a limit of a sliding minute every other message is accepted, so that no refusals in a row
//! tell it; but a tenant's bad mail is refused as often, at any pace. So the words are tried: the
//! lane rests, goes on slower than it was accepted, and where all is accepted then they were a limit.

use postlane_mail::Instant;

use super::doubt::Kind;
use super::{Controller, Heard};
use crate::decision::Decision;
use crate::signal::Hint;

/// How often something is said, and which words are on trial.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Trial {
    /// A refusal adds one, an accepted message takes a quarter away: it grows where more than a
    /// fifth is refused so.
    level: f64,
    /// The same of words about recipients, where an accepted message takes all of one away: it grows
    /// where more than half is refused so.
    recipients: f64,
    /// The words on trial, and the messages accepted since.
    on: Option<(Kind, u32)>,
    failed: u8,
    /// A bit for each kind that is said at any pace.
    acquitted: u8,
}

/// So much is no chance: where a tenth of all mail is refused for reasons of its own, it is reached
/// once in a million messages. Chosen, not measured.
const LEVEL: f64 = 12.0;

/// Of mail of which a fifth is refused, so many are all accepted once in a hundred times.
const PROVED: u32 = 20;

/// Words that are said at so many paces have nothing to do with it.
const TRIALS_MAX: u8 = 2;

/// Its pace is measured over so many that were accepted.
const MEASURED: u64 = 10;

impl Trial {
    pub(crate) fn is_on(&self, kind: Kind) -> bool {
        self.on.is_some_and(|(on, _)| on == kind)
    }

    /// A message was accepted; the words that were a limit, if that proves it.
    pub(crate) fn accepted(&mut self) -> Option<Kind> {
        self.level = (self.level - 0.25).max(0.0);
        self.recipients = (self.recipients - 1.0).max(0.0);
        let (kind, accepted) = self.on.as_mut()?;
        *accepted += 1;
        let proved = (*accepted >= PROVED).then_some(*kind)?;
        self.on = None;
        Some(proved)
    }

    /// It was said once more; whether that is too often.
    fn said(&mut self, kind: Kind) -> bool {
        let may_be = kind != Kind::Greylist;
        if !may_be || self.acquitted & kind.bit() != 0 {
            return false;
        }
        if self.is_on(kind) {
            self.on = None;
            self.failed += 1;
            if self.failed >= TRIALS_MAX {
                self.acquitted |= kind.bit();
            }
            return false;
        }
        // A list may have many mailboxes that are full, though not half of them.
        let level = if kind == Kind::Mailbox { &mut self.recipients } else { &mut self.level };
        *level += 1.0;
        *level >= LEVEL
    }
}

impl Controller {
    /// Whether words that were said too often are tried now.
    pub(super) fn tries(&mut self, now: Instant, heard: &Heard, kind: Kind) -> bool {
        if self.rests() || !self.trial.said(kind) {
            return false;
        }
        self.trial = Trial { level: 0.0, recipients: 0.0, on: Some((kind, 0)), ..self.trial };
        let accepted = &self.counted.accepted;
        let first = accepted.nth_before(heard.sent, MEASURED - 1);
        let pace =
            first.map(|first| MEASURED as f64 * 1e6 / heard.sent.since(first).0.max(1) as f64);
        self.refused(now, heard, Hint::default());
        if let Some(rest) = &mut self.rest {
            rest.pace = pace.or(rest.pace);
        }
        let until = self.rests_until();
        self.decide(now, Decision::Doubts { until });
        true
    }
}
