//! Giving room back: a segment in which nothing lives is removed, and one in which little
//! lives is emptied first.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use super::committer::Committer;
use super::files;
use crate::format::{push_done, push_ended, push_keyed, push_moved, push_waiting};
use crate::store::StoreError;

/// Segments that may be ready to be given back.
#[derive(Default)]
pub(super) struct Clean {
    candidates: BTreeSet<u32>,
    batches: u32,
}

/// A segment of which less than this share lives is emptied. Chosen, not measured: emptying it
/// writes a tenth of what it frees.
const LIVE_PERCENT_MAX: u64 = 10;

/// Messages copied forward between two batches, so that those who wait hardly notice.
const MOVED_AT_ONCE: usize = 64;

/// Batches between two looks at all segments.
const LOOK_EVERY_BATCHES: u32 = 256;

impl Clean {
    pub(super) fn consider(&mut self, segment: u32) {
        self.candidates.insert(segment);
    }

    pub(super) fn has_work(&self) -> bool {
        !self.candidates.is_empty()
    }
}

impl Committer {
    /// A step towards giving one segment back.
    pub(super) fn clean_a_little(&mut self) -> Result<(), StoreError> {
        let emptied = self.shared.table.lock().take_emptied();
        self.clean.candidates.extend(emptied);
        self.clean.batches += 1;
        if self.clean.batches >= LOOK_EVERY_BATCHES {
            self.clean.batches = 0;
            let table = self.shared.table.lock();
            self.clean
                .candidates
                .extend(table.segments().filter(|(_, s)| s.sealed).map(|(n, _)| n));
        }
        let Some(segment) = self.clean.candidates.first().copied() else { return Ok(()) };
        let (worth_it, places) = {
            let table = self.shared.table.lock();
            let known = table.segments().find(|(number, _)| *number == segment);
            let worth_it = known.is_some_and(|(_, s)| {
                s.sealed && s.live_octets * 100 < s.octets.max(1) * LIVE_PERCENT_MAX
            });
            (worth_it, table.live_places(segment))
        };
        if !worth_it {
            self.clean.candidates.remove(&segment);
            return Ok(());
        }
        if places.is_empty() {
            self.clean.candidates.remove(&segment);
            return self.give_back(segment);
        }
        self.move_forward(&places[..places.len().min(MOVED_AT_ONCE)])
    }

    /// Copies messages, and how far their recipients have come, into the open segment.
    fn move_forward(&mut self, places: &[postlane_mail::Place]) -> Result<(), StoreError> {
        let mut body = Vec::new();
        for place in places {
            let living = self.shared.table.lock().living(*place);
            let message = self.shared.read_message(*place)?;
            push_moved(*place, &message, &mut body);
            for (recipient, at) in living {
                if let Some(at) = at {
                    let (progress, last) = self.shared.read_state(at)?;
                    // Said of the old place, which from now on means the new one.
                    push_waiting(*place, recipient, &progress, last.as_ref(), &mut body);
                }
            }
            let done = self.shared.table.lock().done_of(*place);
            done.into_iter().for_each(|recipient| push_done(*place, recipient, &mut body));
        }
        self.shared.tally.copied.fetch_add(places.len() as u64, Ordering::Relaxed);
        self.write_own(body)
    }

    /// Says again elsewhere what only this segment says, and removes it.
    fn give_back(&mut self, segment: u32) -> Result<(), StoreError> {
        let body = self.retell(segment)?;
        if !body.is_empty() {
            self.write_own(body)?;
        }
        self.sync_and_tell()?;
        self.shared.table.lock().forget_segment(segment);
        self.shared.files.lock().forget(segment);
        self.shared.tally.removed.fetch_add(1, Ordering::Relaxed);
        let failed = |e: std::io::Error| StoreError::Io(format!("removing segment {segment}: {e}"));
        files::remove(&self.shared.dir, segment).map_err(failed)
    }

    /// What a segment without messages still says of others: who is done, how far others have
    /// come, and keyed state.
    fn retell(&self, segment: u32) -> Result<Vec<u8>, StoreError> {
        let mut body = Vec::new();
        let table = self.shared.table.lock();
        let tells_of: Vec<u32> = table
            .segments()
            .find(|(number, _)| *number == segment)
            .map(|(_, s)| s.tells_of.iter().copied().filter(|of| table.exists(*of)).collect())
            .unwrap_or_default();
        let mut states = Vec::new();
        for of in tells_of {
            push_ended(of, &table.ended_bits(of), &mut body);
            for (place, done) in table.half_done(of) {
                done.into_iter().for_each(|recipient| push_done(place, recipient, &mut body));
            }
            for place in table.live_places(of) {
                let here = |at: &crate::table::At| at.segment == segment;
                let waiting = table.living(place).into_iter();
                states
                    .extend(waiting.filter_map(|(r, at)| at.filter(here).map(|at| (place, r, at))));
            }
        }
        let keys = table.keys_in(segment);
        drop(table);
        for (place, recipient, at) in states {
            let (progress, last) = self.shared.read_state(at)?;
            push_waiting(place, recipient, &progress, last.as_ref(), &mut body);
        }
        keys.iter().for_each(|(key, value)| push_keyed(&key.0, Some(value), &mut body));
        Ok(body)
    }
}
