//! Giving room back: a segment in which nothing lives is removed, and one in which little
//! lives is emptied first, a little between any two batches.

use std::collections::{BTreeSet, VecDeque};
use std::sync::atomic::Ordering;
use std::time::Instant;

use postlane_mail::Place;

use super::Committer;
use crate::disk::chores::Chore;
use crate::disk::request::Request;
use crate::error::StoreError;
use crate::format::{Record, push_done, push_ended, push_keyed, push_waiting};
use crate::store::Key;
use crate::table::{Segment, Table};

/// Segments that may be ready to be given back, and the one that is being emptied.
#[derive(Default)]
pub(super) struct Clean {
    candidates: BTreeSet<u32>,
    /// Segments in which something living cannot be read: they stay as they are.
    stuck: BTreeSet<u32>,
    steps: u32,
    emptying: Option<Emptying>,
}

/// A segment on its way out.
struct Emptying {
    segment: u32,
    stage: Stage,
}

/// What is said again elsewhere, in this order.
enum Stage {
    /// Messages that live in it, from this one on.
    Messages { next: u32 },
    /// Recipients of messages in these segments, whose states are written in it.
    States { of: VecDeque<u32>, next: u32 },
    /// Which messages of these segments are done.
    Ended { of: VecDeque<u32> },
    /// Who is done of the messages in these segments that are not.
    Fates { of: VecDeque<u32>, next: u32 },
    /// Keyed state, behind this key.
    Keys { behind: Option<Key> },
    /// Keyed state that was removed, behind this key.
    Removed { behind: Option<Key> },
}

/// A segment of which less than this share says something is emptied. Chosen, not measured:
/// emptying it writes a tenth of what it frees.
pub(super) const LIVE_PERCENT_MAX: u64 = 10;

/// Messages or states said again between two batches.
const AT_ONCE: usize = 64;

/// Octets of messages copied between two batches, the last one on top: a disk that writes
/// 256 MiB/s takes 4 ms for them, half of what the slowest 250 may take.
const OCTETS_AT_ONCE: usize = 1 << 20;

/// Messages looked at between two batches, under the table's lock: 10 to 20 µs.
const LOOKED_AT_ONCE: usize = 8192;

/// Steps between two looks at all segments.
const LOOK_EVERY_STEPS: u32 = 256;

impl Clean {
    pub(super) fn consider(&mut self, segment: u32) {
        self.candidates.insert(segment);
    }

    pub(super) fn has_work(&self) -> bool {
        !self.candidates.is_empty() || self.emptying.is_some()
    }

    /// The next segment that is worth it.
    fn choose(&mut self, table: &Table) -> Option<Emptying> {
        let is_worth_it = |room: &Segment| {
            room.sealed && room.live_octets() * 100 < room.octets.max(1) * LIVE_PERCENT_MAX
        };
        while let Some(segment) = self.candidates.pop_first() {
            if table.of(segment).is_some_and(is_worth_it) && !self.stuck.contains(&segment) {
                return Some(Emptying { segment, stage: Stage::Messages { next: 0 } });
            }
        }
        None
    }
}

impl Committer {
    /// A step towards giving one segment back.
    pub(super) fn clean_a_little(&mut self, now: Instant) -> Result<(), StoreError> {
        if self.shared.recovering.load(Ordering::Acquire) {
            return Ok(());
        }
        let mut table = self.shared.table.lock();
        self.clean.candidates.extend(table.take_emptied());
        self.clean.steps += 1;
        if self.clean.steps >= LOOK_EVERY_STEPS {
            self.clean.steps = 0;
            self.clean.candidates.extend(table.segments().map(|(number, _)| number));
        }
        let emptying = self.clean.emptying.take().or_else(|| self.clean.choose(&table));
        drop(table);
        let Some(Emptying { segment, stage }) = emptying else { return Ok(()) };
        let Ok((records, stage)) = self.say_again(segment, stage) else {
            // It stays, with what can be read of it; a check names what cannot.
            self.clean.stuck.insert(segment);
            return Ok(());
        };
        let requests: Vec<_> = records.into_iter().map(|record| Request::Own { record }).collect();
        let octets: u64 = requests.iter().map(Request::octets).sum();
        self.shared.expect(octets);
        self.write(requests, now)?;
        match stage {
            Some(stage) => self.clean.emptying = Some(Emptying { segment, stage }),
            None => self.give_back(segment)?,
        }
        Ok(())
    }

    /// What is to be said again in this step, and the stage that comes next; none at the end.
    fn say_again(
        &self,
        segment: u32,
        stage: Stage,
    ) -> Result<(Vec<Record>, Option<Stage>), StoreError> {
        let tells_of = || {
            let table = self.shared.table.lock();
            let of = table.of(segment).map(|room| room.tells_of.iter().copied());
            of.into_iter().flatten().filter(|of| table.of(*of).is_some()).collect()
        };
        Ok(match stage {
            Stage::Messages { next } => {
                let (records, next) = self.messages_again(segment, next)?;
                let then = next.map(|next| Stage::Messages { next });
                (records, Some(then.unwrap_or_else(|| Stage::States { of: tells_of(), next: 0 })))
            }
            Stage::States { mut of, next } => {
                let Some(told_of) = of.front().copied() else {
                    return Ok((Vec::new(), Some(Stage::Ended { of: tells_of() })));
                };
                let (records, next) = self.states_again(segment, told_of, next)?;
                if next.is_none() {
                    of.pop_front();
                }
                (records, Some(Stage::States { of, next: next.unwrap_or(0) }))
            }
            Stage::Ended { mut of } => match of.pop_front() {
                Some(told_of) => (self.ended_again(told_of), Some(Stage::Ended { of })),
                None => (Vec::new(), Some(Stage::Fates { of: tells_of(), next: 0 })),
            },
            Stage::Fates { mut of, next } => {
                let Some(told_of) = of.front().copied() else {
                    return Ok((Vec::new(), Some(Stage::Keys { behind: None })));
                };
                let (records, next) = self.fates_again(told_of, next);
                if next.is_none() {
                    of.pop_front();
                }
                (records, Some(Stage::Fates { of, next: next.unwrap_or(0) }))
            }
            Stage::Keys { behind } => {
                let (records, behind) = self.keys_again(segment, behind.as_ref());
                let then = behind.map(|behind| Stage::Keys { behind: Some(behind) });
                (records, Some(then.unwrap_or(Stage::Removed { behind: None })))
            }
            Stage::Removed { behind } => {
                let (records, behind) = self.removed_again(segment, behind.as_ref());
                (records, behind.map(|behind| Stage::Removed { behind: Some(behind) }))
            }
        })
    }

    /// Copies messages, and how far their recipients have come: each a record of its own.
    fn messages_again(
        &self,
        segment: u32,
        next: u32,
    ) -> Result<(Vec<Record>, Option<u32>), StoreError> {
        let table = self.shared.table.lock();
        let Some(room) = table.of(segment) else { return Ok((Vec::new(), None)) };
        let (living, mut behind) = room.living_from(next, AT_ONCE, LOOKED_AT_ONCE);
        let many = room.messages();
        drop(table);
        let (mut records, mut octets) = (Vec::new(), 0);
        for ordinal in living {
            if octets >= OCTETS_AT_ONCE {
                behind = ordinal;
                break;
            }
            let place = Place { segment, ordinal };
            let record = self.shared.message_again(place, place)?;
            octets += record.body.len();
            records.push(record);
        }
        self.shared.tally.copied.fetch_add(records.len() as u64, Ordering::Relaxed);
        Ok((records, (behind < many).then_some(behind)))
    }

    /// How far recipients of messages in another segment have come, where only this segment
    /// says so.
    fn states_again(
        &self,
        segment: u32,
        told_of: u32,
        next: u32,
    ) -> Result<(Vec<Record>, Option<u32>), StoreError> {
        let table = self.shared.table.lock();
        let Some(room) = table.of(told_of) else { return Ok((Vec::new(), None)) };
        let (living, mut behind) = room.living_from(next, LOOKED_AT_ONCE, LOOKED_AT_ONCE);
        let many = room.messages();
        let mut states = Vec::new();
        for ordinal in living {
            if states.len() >= AT_ONCE {
                behind = ordinal;
                break;
            }
            let place = Place { segment: told_of, ordinal };
            let here = table.living(place).into_iter();
            let here = here.filter_map(|(recipient, at)| Some((recipient, at?)));
            let here = here.filter(|(_, at)| at.segment == segment);
            states.extend(here.map(|(recipient, at)| (place, recipient, at)));
        }
        drop(table);
        let mut body = Vec::new();
        for (place, recipient, at) in states {
            let (progress, last) = self.shared.read_state(at)?;
            push_waiting(place, recipient, &progress, last.as_ref(), &mut body);
        }
        Ok((of_body(body), (behind < many).then_some(behind)))
    }

    /// Which messages of a segment are done, as it is known from all segments: a bit for each.
    fn ended_again(&self, told_of: u32) -> Vec<Record> {
        let mut body = Vec::new();
        if let Some(room) = self.shared.table.lock().of(told_of) {
            push_ended(told_of, &room.ended_bits(), &mut body);
        }
        of_body(body)
    }

    /// Who is done of messages in a segment that live.
    fn fates_again(&self, told_of: u32, next: u32) -> (Vec<Record>, Option<u32>) {
        let mut body = Vec::new();
        let table = self.shared.table.lock();
        let half_done = table.of(told_of).map(|room| room.half_done(told_of, next));
        for (place, done) in half_done.into_iter().flatten() {
            if body.len() >= OCTETS_AT_ONCE {
                return (of_body(body), Some(place.ordinal));
            }
            done.into_iter().for_each(|recipient| push_done(place, recipient, &mut body));
        }
        (of_body(body), None)
    }

    /// Keyed state that is written here, and the key to go on behind.
    fn keys_again(&self, segment: u32, behind: Option<&Key>) -> (Vec<Record>, Option<Key>) {
        let (mut body, mut last) = (Vec::new(), None);
        let table = self.shared.table.lock();
        for (looked, (key, value, written_in)) in table.keys_behind(behind).enumerate() {
            if body.len() >= OCTETS_AT_ONCE || looked >= LOOKED_AT_ONCE {
                return (of_body(body), last);
            }
            if written_in == segment {
                push_keyed(&key.0, Some(value), &mut body);
            }
            last = Some(key.clone());
        }
        (of_body(body), None)
    }

    /// Removals of keyed state that an older segment would bring back, and the key to go on
    /// behind.
    fn removed_again(&self, segment: u32, behind: Option<&Key>) -> (Vec<Record>, Option<Key>) {
        let (mut body, mut last) = (Vec::new(), None);
        let table = self.shared.table.lock();
        for (looked, key) in table.removed_behind(segment, behind).enumerate() {
            if body.len() >= OCTETS_AT_ONCE || looked >= LOOKED_AT_ONCE {
                return (of_body(body), last);
            }
            if table.would_come_back(segment, key) {
                push_keyed(&key.0, None, &mut body);
            }
            last = Some(key.clone());
        }
        (of_body(body), None)
    }

    /// Removes a segment that says nothing any more, once what was said again is on disk.
    fn give_back(&mut self, segment: u32) -> Result<(), StoreError> {
        self.sync_and_tell()?;
        self.shared.table.lock().forget_segment(segment);
        self.shared.files.forget(segment);
        self.shared.tally.removed.fetch_add(1, Ordering::Relaxed);
        if let Some(chores) = &mut self.chores {
            chores.give(Chore::Remove(segment));
        }
        Ok(())
    }
}

fn of_body(body: Vec<u8>) -> Vec<Record> {
    if body.is_empty() { Vec::new() } else { vec![Record::of_changes(body, 0)] }
}
