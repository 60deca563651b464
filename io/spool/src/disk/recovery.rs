//! Coming back: what the segments tell, and what must still happen.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use parking_lot::Mutex;
use postlane_mail::{Place, Progress, QueueId};

use super::chores::Chores;
use super::committer::{Committer, OpenSegment};
use super::files;
use super::reading::{Purpose, Segment, Story, read_all};
use super::shared::Shared;
use super::volume::Volume;
use super::{Disk, OpenError, Settings};
use crate::finding::{Finding, Wrong};
use crate::format::{Told, decode_envelope};
use crate::recovered::Recovered;
use crate::store::Commits;
use crate::table::{At, Table};

/// A spool that has been opened.
pub struct Opened {
    /// It takes mail.
    pub store: Arc<Disk>,
    /// What was in it.
    pub recovery: Recovery,
}

/// What was in a spool when it was opened.
pub struct Recovery {
    shared: Arc<Shared>,
    stories: BTreeMap<u32, Story>,
    /// What was found on the way.
    pub report: Report,
}

/// What was found when a spool was opened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Messages that live.
    pub messages: u64,
    /// The largest queue id that is known to have been given; none in a new spool.
    pub last_id: Option<QueueId>,
    /// What was damaged, and what became of it.
    pub findings: Vec<Finding>,
}

/// All that is needed to open a spool.
pub(super) struct Opening {
    pub(super) volume: Arc<dyn Volume>,
    pub(super) settings: Settings,
    pub(super) commits: Box<dyn Commits>,
    pub(super) chores: Chores,
}

impl Opening {
    /// Reads what is there and begins a segment behind it; the directory is for errors.
    pub(super) fn open(self, dir: &Path) -> Result<(Arc<Shared>, Committer, Recovery), OpenError> {
        let unusable = |e: io::Error| OpenError::not_usable(dir, &e);
        files::sweep(&*self.volume).map_err(unusable)?;
        // Counted before a file without a record is put aside: its number is not given again.
        let last = files::segments(&*self.volume).map_err(unusable)?.last().copied();
        let read = read_all(&*self.volume, Purpose::Open);
        let (segments, findings) = read.map_err(|why| OpenError::unread(dir, &why))?;
        let mut table = Table::default();
        segments.iter().for_each(|segment| replay(&mut table, segment));
        table.forget_moves();
        let seq = segments.iter().map(|segment| segment.seq).max().unwrap_or(0);
        let last_id = segments.iter().filter_map(|segment| segment.last_id).max();
        let report = Report { messages: table.messages(), last_id, findings };
        let shared = Arc::new(Shared::new(self.volume, self.settings, table));
        let mut stories = BTreeMap::new();
        for Segment { number, file, story, .. } in segments {
            shared.files.add(number, file);
            stories.insert(number, story);
        }
        shared.look_at_room();
        let unbegun =
            |why: crate::StoreError| OpenError::not_usable(dir, &io::Error::other(why.to_string()));
        let open = OpenSegment::new(&shared, last.unwrap_or(0) + 1, last_id).map_err(unbegun)?;
        let begun = (seq, last_id);
        let mut committer = Committer::new(shared.clone(), self.commits, self.chores, open, begun);
        stories.keys().for_each(|number| committer.clean.consider(*number));
        Ok((shared.clone(), committer, Recovery { shared, stories, report }))
    }
}

impl Recovery {
    /// Gives every message that lives, in batches, from several threads at once.
    ///
    /// Nothing that is still to be given may be changed meanwhile; what has been given may.
    /// Returns what could not be given, by name: it is kept and not delivered.
    pub fn drain(self, each: impl Fn(Vec<Recovered>) + Sync) -> Vec<Finding> {
        let (next, findings) = (Mutex::new(self.portions()), Mutex::new(Vec::new()));
        let threads = std::thread::available_parallelism().map_or(1, |n| n.get().min(4));
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    loop {
                        let Some((segment, story, heads)) = next.lock().next() else { return };
                        let (batch, found) = self.recover(segment, story, heads);
                        findings.lock().extend(found);
                        if !batch.is_empty() {
                            each(batch);
                        }
                    }
                });
            }
        });
        drop(next);
        findings.into_inner()
    }

    /// What one thread takes at once: some of the messages that a segment tells of.
    fn portions(&self) -> impl Iterator<Item = (u32, &Story, Range<usize>)> {
        const AT_ONCE: usize = 1024;
        self.stories.iter().flat_map(|(segment, story)| {
            let begins = (0..story.heads()).step_by(AT_ONCE);
            begins.map(move |begin| (*segment, story, begin..begin + AT_ONCE))
        })
    }

    fn recover(
        &self,
        segment: u32,
        story: &Story,
        heads: Range<usize>,
    ) -> (Vec<Recovered>, Vec<Finding>) {
        let heads = heads.map_while(|nth| match story.head(nth)? {
            Told::Message { ordinal, offset, head, .. } => Some((ordinal, offset, head)),
            _ => None,
        });
        let table = self.shared.table.lock();
        let place = |ordinal| Place { segment, ordinal };
        // What was moved is given once, at its new place: at the old one nobody lives.
        let living: Vec<_> = heads
            .map(|(ordinal, offset, head)| (ordinal, offset, head, table.living(place(ordinal))))
            .filter(|(.., living)| !living.is_empty())
            .collect();
        drop(table);
        let (mut recovered, mut findings) = (Vec::with_capacity(living.len()), Vec::new());
        for (ordinal, offset, head, living) in living {
            let Some(envelope) = decode_envelope(head.envelope) else {
                let (offset, octets) = (u64::from(offset), head.octets.len() as u64);
                let wrong = Wrong::Envelope(head.id);
                findings.push(Finding { segment, offset, octets, wrong, kept: None });
                continue;
            };
            let recipients = living.into_iter().map(|(index, at)| (index, self.progress(at)));
            let (id, place, recipients) = (head.id, place(ordinal), recipients.collect());
            recovered.push(Recovered { id, place, envelope, recipients });
        }
        (recovered, findings)
    }

    fn progress(&self, at: Option<At>) -> Progress {
        let told = at.and_then(|at| self.stories.get(&at.segment)?.progress(at.offset));
        told.unwrap_or_default()
    }
}

impl Drop for Recovery {
    fn drop(&mut self) {
        self.shared.recovering.store(false, Ordering::Release);
    }
}

/// Tells the table what a segment tells.
pub(super) fn replay(table: &mut Table, segment: &Segment) {
    let Segment { number, octets, messages, .. } = *segment;
    table.segment(number).octets = octets;
    table.reach(number, messages);
    for told in segment.story.each() {
        table.hear(number, &told);
    }
    table.segment(number).sealed = true;
}
