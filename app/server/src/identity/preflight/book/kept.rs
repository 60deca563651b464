//! What of the book is kept over a restart: what is new of it, and what was kept.

use std::collections::HashSet;

use postlane_mail::{Instant, QueueId};
use postlane_registry::GateStep;

use super::super::kept::{KeptSight, keep_held, keep_sight, keep_subject};
use super::{Book, FORGOTTEN_AFTER, HELD_MAX, wait};
use crate::identity::preflight::Subject;
use crate::identity::preflight::held::Held;
use crate::setup::PreflightSetup;

/// Changes that wait to be kept. Chosen, not measured: more are not kept, so that a registry that
/// is busy or damaged takes no memory.
const NOTED_MAX: usize = 100_000;

/// Something that is not kept yet.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Noted {
    Seen(Subject),
    Held(Subject, QueueId, Held),
    Gone(Subject, QueueId),
    Free(Subject),
}

/// What is not kept yet, in the order in which it came to be.
#[derive(Debug, Default)]
pub(super) struct Unkept(Vec<Noted>);

impl Unkept {
    pub(super) fn held(&mut self, subject: &Subject, id: QueueId, held: Held) {
        self.note(|| Noted::Held(subject.clone(), id, held));
    }

    pub(super) fn gone(&mut self, subject: &Subject, id: QueueId) {
        self.note(|| Noted::Gone(subject.clone(), id));
    }

    pub(super) fn free(&mut self, subject: &Subject) {
        self.note(|| Noted::Free(subject.clone()));
    }

    /// Whether there was room to note it.
    pub(super) fn seen(&mut self, subject: &Subject) -> bool {
        self.note(|| Noted::Seen(subject.clone()))
    }

    fn note(&mut self, noted: impl FnOnce() -> Noted) -> bool {
        let has_room = self.0.len() < NOTED_MAX;
        if has_room {
            self.0.push(noted());
        }
        has_room
    }
}

impl Book {
    /// What was kept: it stands as it stood, and is looked at again as old as it is. What was found
    /// since the start counts for more.
    pub(in crate::identity::preflight) fn remember(
        &mut self,
        now: Instant,
        kept: impl IntoIterator<Item = (Subject, KeptSight)>,
        held: impl IntoIterator<Item = (Subject, QueueId, Held)>,
        setup: &PreflightSetup,
    ) {
        let held: Vec<_> = held.into_iter().collect();
        let holding: HashSet<&Subject> = held.iter().map(|(subject, ..)| subject).collect();
        for (subject, KeptSight { sight, since, told }) in kept {
            let is_old = now.since(sight.at) >= FORGOTTEN_AFTER && !holding.contains(&subject);
            let is_known = self.records.contains_key(&subject);
            if is_old || (!is_known && self.records.len() >= setup.subjects_max) {
                continue;
            }
            let record = self.records.entry(subject).or_default();
            if record.sight.is_none() {
                let wait = wait(sight.standing, setup);
                record.due = (sight.at + wait).min(now + wait);
                record.last = record.last.max(sight.at);
                (record.since, record.told, record.is_remembered) = (since, told, true);
                record.sight = Some(sight);
            }
        }
        for (subject, id, held) in held {
            match self.records.get_mut(&subject) {
                Some(record) if record.held.len() < HELD_MAX => {
                    record.held.entry(id).or_insert(held);
                }
                // Nobody would ever let it go.
                _ => self.unkept.gone(&subject, id),
            }
        }
    }

    /// What is to be kept next, so much at most.
    pub(in crate::identity::preflight) fn steps(&mut self, most: usize) -> Vec<GateStep> {
        let most = most.min(self.unkept.0.len());
        let noted: Vec<Noted> = self.unkept.0.drain(..most).collect();
        noted.into_iter().filter_map(|noted| self.step(noted)).collect()
    }

    fn step(&mut self, noted: Noted) -> Option<GateStep> {
        Some(match noted {
            Noted::Seen(subject) => {
                let record = self.records.get_mut(&subject)?;
                record.is_unkept = false;
                let (since, told) = (record.since, record.told);
                GateStep::Seen(keep_sight(&subject, record.sight.as_ref()?, (since, told)))
            }
            Noted::Held(subject, id, held) => GateStep::Held(keep_held(&subject, id, held)),
            Noted::Gone(subject, id) => GateStep::Gone(keep_subject(&subject), id.bits()),
            Noted::Free(subject) => GateStep::Free(keep_subject(&subject)),
        })
    }
}
