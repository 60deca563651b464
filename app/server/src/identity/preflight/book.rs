//! What is known of each domain's mail, which message is looked at next, and what is held.
//!
//! Decides by what it is given: the time, chance, and what looks have found.

mod kept;

use std::collections::{BTreeMap, HashMap};

use postlane_checks::Standing;
use postlane_mail::{Instant, QueueId, Span};

use super::held::Held;
use super::turned::Turn;
use super::{PreflightRow, Sight, Subject};
use crate::config::settings::PreflightPolicy;
use crate::setup::PreflightSetup;
use kept::Unkept;

/// A look that has said nothing for so long says nothing any more. Longer than a look may take.
const LOOK_LOST: Span = Span::from_min(5);

/// What nobody has sent for so long is forgotten. Chosen, not measured: what is sent once a day is
/// remembered.
pub(super) const FORGOTTEN_AFTER: Span = Span::from_h(25);

/// What could not be found out is asked for again after so long, at most. Chosen, not measured.
const OPEN_FOR: Span = Span::from_min(1);

/// What is missing for long is told again each day: whoever looks back sees it.
const TOLD_AGAIN: Span = Span::from_h(24);

/// What is held comes back by itself, in case nobody lets it go: not before so long, one after the
/// other, and not after so long. Each time takes a message's turn on its lane. Chosen, not measured.
const HOLD_MIN: Span = Span::from_min(5);
const HOLD_STEP: Span = Span::from_s(5);
const HOLD_MAX: Span = Span::from_h(4);

/// Messages of one domain that are let go one by one; more come back by themselves. Chosen, not
/// measured: 5 MB.
const HELD_MAX: usize = 100_000;

/// How mail stands.
#[derive(Debug, Default)]
pub(super) struct Book {
    records: HashMap<Subject, Record>,
    swept: Instant,
    unkept: Unkept,
}

#[derive(Debug, Default)]
struct Record {
    sight: Option<Sight>,
    since: Instant,
    /// When it is looked again.
    due: Instant,
    /// Since when a look is under way.
    looking: Option<Instant>,
    /// The next look believes nothing that was heard before.
    afresh: bool,
    last: Instant,
    messages: u64,
    looks: u64,
    held: BTreeMap<QueueId, Held>,
    /// When what was held last comes back by itself.
    last_back: Instant,
    told: Option<(Turn, Instant)>,
    /// It was seen before the restart, and not since.
    is_remembered: bool,
    /// What was seen last waits to be kept.
    is_unkept: bool,
}

/// A message on its way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Passing {
    pub(super) id: QueueId,
    pub(super) held: Held,
    pub(super) octets: usize,
    /// Any number; the same for the same message.
    pub(super) chance: u64,
}

/// What becomes of a message on its way.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Passed {
    /// It is to be looked at.
    pub(super) look: Option<Trust>,
    /// It waits, until then at most, for this reason.
    pub(super) hold: Option<(Instant, String)>,
}

/// What a look may believe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    /// What was heard a moment ago.
    Heard,
    /// Only what it hears itself.
    Nothing,
}

/// A message that is held and is to be looked at again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Again {
    pub(super) subject: Subject,
    pub(super) id: QueueId,
    pub(super) held: Held,
    pub(super) trust: Trust,
}

impl Book {
    /// A message is about to leave.
    pub(super) fn pass(
        &mut self,
        now: Instant,
        subject: &Subject,
        passing: Passing,
        setup: &PreflightSetup,
    ) -> Passed {
        if !self.records.contains_key(subject) && !self.has_room(now, setup.subjects_max) {
            return Passed::default();
        }
        let policy = setup.policy(&subject.provider, subject.stream);
        // Nearly all mail is of what is known, and needs no copy of its name.
        let record = match self.records.get_mut(subject) {
            Some(record) => record,
            None => self.records.entry(subject.clone()).or_default(),
        };
        record.last = now;
        record.messages += 1;
        let by_chance = setup.one_in > 0 && passing.chance.is_multiple_of(setup.one_in.into());
        let fits = passing.octets <= setup.message_octets_max;
        let wanted = fits && (by_chance || now >= record.due);
        let look = (wanted && !record.is_looking(now)).then(|| record.begin(now));
        let holds = policy == PreflightPolicy::Hold && record.is_blocked();
        let before = holds.then(|| record.held.get(&passing.id).copied()).flatten();
        let hold = holds.then(|| record.hold(now, subject, passing)).flatten();
        if hold.is_some() && before != record.held.get(&passing.id).copied() {
            self.unkept.held(subject, passing.id, passing.held);
        }
        Passed { look, hold }
    }

    /// There was no room for a look that was to be.
    pub(super) fn not_looked(&mut self, subject: &Subject) {
        if let Some(record) = self.records.get_mut(subject) {
            record.looking = None;
        }
    }

    /// A look has come to an end. Whether the gate turned.
    pub(super) fn learn(
        &mut self,
        subject: &Subject,
        sight: Sight,
        setup: &PreflightSetup,
    ) -> Option<Turn> {
        let record = self.records.get_mut(subject)?;
        let before = record.sight.as_ref().map(|sight| sight.standing);
        if before != Some(sight.standing) {
            record.since = sight.at;
        }
        let wait = wait(sight.standing, setup);
        let turn = match sight.standing {
            Standing::Blocked => Some(Turn::Failed),
            Standing::Undetermined => None,
            Standing::Ready | Standing::AtRisk => Some(Turn::Ready),
        };
        record.looking = None;
        record.looks += 1;
        let sight_at = sight.at;
        record.due = sight_at + wait;
        record.sight = Some(sight);
        record.is_remembered = false;
        record.is_unkept = record.is_unkept || self.unkept.seen(subject);
        let (at, turn) = (sight_at, turn?);
        let is_old = |at_before: Instant| at.since(at_before) >= TOLD_AGAIN;
        let is_news = match (record.told, turn) {
            // That a gate is open needs no words where it was never shut.
            (None | Some((Turn::Ready, _)), Turn::Ready) => false,
            (Some((Turn::Failed, before)), Turn::Failed) => is_old(before),
            _ => true,
        };
        if is_news {
            record.told = Some((turn, at));
        }
        is_news.then_some(turn)
    }

    /// Messages that are held and are to be looked at now, one of each domain.
    pub(super) fn again(&mut self, now: Instant) -> Vec<Again> {
        let mut again = Vec::new();
        for (subject, record) in &mut self.records {
            let Some((id, held)) = record.held.first_key_value() else { continue };
            let (id, held) = (*id, *held);
            if now >= record.due && !record.is_looking(now) {
                let trust = record.begin(now);
                again.push(Again { subject: subject.clone(), id, held, trust });
            }
        }
        again
    }

    /// A message that was held is gone.
    pub(super) fn gone(&mut self, subject: &Subject, id: QueueId) {
        if let Some(record) = self.records.get_mut(subject) {
            record.held.remove(&id);
            record.looking = None;
            self.unkept.gone(subject, id);
        }
    }

    /// Takes out what need not be held any more: its gate is open, or nobody knows, or the
    /// configuration says otherwise by now.
    pub(super) fn let_go(&mut self, setup: &PreflightSetup) -> Vec<(Subject, Vec<QueueId>)> {
        let mut free = Vec::new();
        for (subject, record) in &mut self.records {
            let policy = setup.policy(&subject.provider, subject.stream);
            let holds = policy == PreflightPolicy::Hold && record.is_blocked();
            if !holds && !record.held.is_empty() {
                let held = std::mem::take(&mut record.held);
                record.last_back = Instant::default();
                self.unkept.free(subject);
                free.push((subject.clone(), held.into_keys().collect()));
            }
        }
        free
    }

    /// The next message of each that is meant is looked at, believing nothing that was heard
    /// before. How many are meant.
    pub(super) fn recheck(&mut self, is_meant: impl Fn(&Subject) -> bool) -> usize {
        let mut meant = 0;
        for (_, record) in self.records.iter_mut().filter(|(subject, _)| is_meant(subject)) {
            record.due = Instant::default();
            record.afresh = true;
            meant += 1;
        }
        meant
    }

    /// All that is known, in order.
    pub(super) fn rows(&self, setup: &PreflightSetup) -> Vec<PreflightRow> {
        let row = |(subject, record): (&Subject, &Record)| PreflightRow {
            subject: subject.clone(),
            policy: setup.policy(&subject.provider, subject.stream),
            sight: record.sight.clone(),
            since: record.since,
            is_remembered: record.is_remembered,
            due: record.due,
            messages: record.messages,
            looks: record.looks,
            held: record.held.len(),
        };
        let mut rows: Vec<PreflightRow> = self.records.iter().map(row).collect();
        rows.sort_by(|a, b| a.subject.cmp(&b.subject));
        rows
    }

    /// Whether there is room for one more; once an hour what nobody sends any more makes some.
    fn has_room(&mut self, now: Instant, most: usize) -> bool {
        if self.records.len() >= most && now.since(self.swept) >= Span::from_h(1) {
            self.swept = now;
            self.records.retain(|_, record| {
                now.since(record.last) < FORGOTTEN_AFTER || !record.held.is_empty()
            });
        }
        self.records.len() < most
    }
}

/// How long what was found is good for.
fn wait(standing: Standing, setup: &PreflightSetup) -> Span {
    match standing {
        Standing::Blocked => setup.recheck,
        Standing::Undetermined => setup.recheck.min(OPEN_FOR),
        Standing::Ready | Standing::AtRisk => setup.every,
    }
}

impl Record {
    fn is_looking(&self, now: Instant) -> bool {
        self.looking.is_some_and(|since| now.since(since) < LOOK_LOST)
    }

    fn is_blocked(&self) -> bool {
        self.sight.as_ref().is_some_and(|sight| sight.standing == Standing::Blocked)
    }

    fn begin(&mut self, now: Instant) -> Trust {
        self.looking = Some(now);
        if std::mem::take(&mut self.afresh) { Trust::Nothing } else { Trust::Heard }
    }

    fn hold(
        &mut self,
        now: Instant,
        subject: &Subject,
        passing: Passing,
    ) -> Option<(Instant, String)> {
        let says = self.sight.as_ref()?.says_of_hold(subject);
        let back = (now + HOLD_MIN).max(self.last_back + HOLD_STEP).min(now + HOLD_MAX);
        self.last_back = back;
        if self.held.len() < HELD_MAX {
            self.held.insert(passing.id, passing.held);
        }
        Some((back, says))
    }
}

#[cfg(test)]
mod tests;
