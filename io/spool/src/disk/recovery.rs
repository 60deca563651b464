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
use super::reading::{Purpose, Segment, Story, Unread, read_all};
use super::shared::Shared;
use super::volume::Volume;
use super::{OpenError, Settings};
use crate::error::StoreError;
use crate::finding::{Finding, Wrong};
use crate::format::{Head, Told, decode_envelope};
use crate::recovered::Recovered;
use crate::store::Commits;
use crate::table::{At, Table};

/// What was in a spool when it was opened.
pub struct Recovery {
    pub(super) shared: Arc<Shared>,
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
        let names = self.volume.names().map_err(unusable)?;
        // Counted before a file without a record is put aside: its number is not given again.
        let last = files::segments(&*self.volume).map_err(unusable)?.last().copied();
        let (recovery, seq) = Recovery::read(self.volume, self.settings, Purpose::Open, &|_, _| ())
            .map_err(|why| why.told(dir))?;
        let shared = recovery.shared.clone();
        shared.look_at_room();
        let last_id = recovery.report.last_id;
        let unbegun =
            |why: StoreError| OpenError::not_usable(dir, &io::Error::other(why.to_string()));
        let mut has_reserve = names.iter().any(|name| name == files::RESERVE);
        let next = last.unwrap_or(0) + 1;
        let open = OpenSegment::begin(&shared, next, last_id, &mut has_reserve).map_err(unbegun)?;
        let begun = (seq, last_id, has_reserve);
        let mut committer = Committer::new(shared.clone(), self.commits, self.chores, open, begun);
        committer.consider(recovery.stories.keys().copied());
        Ok((shared, committer, recovery))
    }
}

/// A message that lives, as its segment tells of it.
pub(super) struct Living<'a> {
    pub(super) place: Place,
    /// Where in the segment it is.
    offset: u32,
    pub(super) head: Head<'a>,
    /// Its recipients that are not done, and where their states are.
    pub(super) recipients: Vec<(u16, Option<At>)>,
}

impl Living<'_> {
    pub(super) fn finding(&self, wrong: Wrong) -> Finding {
        let (segment, offset) = (self.place.segment, u64::from(self.offset));
        let octets = self.head.octets_in_all().map_or(0, u64::from);
        Finding { segment, offset, octets, wrong, kept: None }
    }
}

impl Recovery {
    /// Reads all segments; also gives the largest sequence number in them.
    pub(super) fn read(
        volume: Arc<dyn Volume>,
        settings: Settings,
        purpose: Purpose,
        each: &(dyn Fn(u32, u32) + Sync),
    ) -> Result<(Self, u64), Unread> {
        let (segments, mut findings) = read_all(&*volume, purpose, each)?;
        let mut table = Table::default();
        segments.iter().for_each(|segment| replay(&mut table, segment));
        table.forget_moves();
        findings.extend(segments.iter().filter_map(|segment| forgotten(&table, segment)));
        let seq = segments.iter().map(|segment| segment.seq).max().unwrap_or(0);
        let last_id = segments.iter().filter_map(|segment| segment.last_id).max();
        let report = Report { messages: table.messages(), last_id, findings };
        let shared = Arc::new(Shared::new(volume, settings, table));
        let mut stories = BTreeMap::new();
        for Segment { number, file, story, .. } in segments {
            shared.files.add(number, file);
            stories.insert(number, story);
        }
        Ok((Self { shared, stories, report }, seq))
    }

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
    pub(super) fn portions(&self) -> impl Iterator<Item = (u32, &Story, Range<usize>)> {
        const AT_ONCE: usize = 1024;
        self.stories.iter().flat_map(|(segment, story)| {
            let begins = (0..story.heads()).step_by(AT_ONCE);
            begins.map(move |begin| (*segment, story, begin..begin + AT_ONCE))
        })
    }

    /// The messages that live, of some that a segment tells of.
    pub(super) fn living<'a>(
        &self,
        segment: u32,
        story: &'a Story,
        heads: Range<usize>,
    ) -> Vec<Living<'a>> {
        let table = self.shared.table.lock();
        let heads = heads.map_while(|nth| match story.head(nth)? {
            Told::Message { ordinal, offset, head, .. } => {
                let place = Place { segment, ordinal };
                Some(Living { place, offset, head, recipients: table.living(place) })
            }
            _ => None,
        });
        // What was moved is given once, at its new place: at the old one nobody lives.
        heads.filter(|living| !living.recipients.is_empty()).collect()
    }

    fn recover(
        &self,
        segment: u32,
        story: &Story,
        heads: Range<usize>,
    ) -> (Vec<Recovered>, Vec<Finding>) {
        let living = self.living(segment, story, heads);
        let (mut recovered, mut findings) = (Vec::with_capacity(living.len()), Vec::new());
        for living in living {
            let Some(envelope) = decode_envelope(living.head.envelope) else {
                findings.push(living.finding(Wrong::Envelope(living.head.id)));
                continue;
            };
            let Living { place, head, recipients, .. } = living;
            let recipients = recipients.into_iter().map(|(index, at)| (index, self.progress(at)));
            let recipients = recipients.collect();
            recovered.push(Recovered { id: head.id, place, envelope, recipients });
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

/// Whether a message lives that the segment's index leaves out.
fn forgotten(table: &Table, segment: &Segment) -> Option<Finding> {
    let lives = |ordinal: &&u32| {
        !table.living(Place { segment: segment.number, ordinal: **ordinal }).is_empty()
    };
    segment.unindexed.iter().find(lives)?;
    let (segment, wrong) = (segment.number, Wrong::Index);
    Some(Finding { segment, offset: 0, octets: 0, wrong, kept: None })
}

/// Tells the table what a segment tells.
fn replay(table: &mut Table, segment: &Segment) {
    let Segment { number, octets, messages, .. } = *segment;
    table.segment(number).octets = octets;
    table.reach(number, messages);
    for told in segment.story.each() {
        table.hear(number, &told);
    }
    table.segment(number).sealed = true;
}
