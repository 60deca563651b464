//! Explaining a spool: what is in it, how old it is, and how much of the room says something.

use std::path::Path;
use std::sync::Arc;

use postlane_mail::Instant;

use super::directory::Directory;
use super::reading::{Purpose, Unread};
use super::recovery::Recovery;
use super::volume::Volume as _;
use super::{OpenError, Settings};
use crate::finding::{Finding, Wrong};

/// What is in a spool.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    /// Each segment, in order.
    pub segments: Vec<SegmentStats>,
    /// Messages that live.
    pub messages: u64,
    /// Their recipients that are not done.
    pub recipients: u64,
    /// Of these, the ones of which something was written: a deferral, a hold.
    pub states: u64,
    /// Pieces of keyed state.
    pub keyed: u64,
    /// Messages by age: up to each of [`AGES_MIN`], and above.
    pub by_age: [u64; AGES_MIN.len() + 1],
    /// The age of the oldest message, in microseconds.
    pub oldest: postlane_mail::Span,
    /// Octets free on the file system.
    pub free: u64,
    /// What was found wrong on the way. Not all there is: [`super::check`] looks everywhere.
    pub findings: Vec<Finding>,
}

/// Upper bounds of the ages that messages are counted by, in minutes; as `qshape` has them.
pub const AGES_MIN: [u64; 9] = [5, 10, 20, 40, 80, 160, 320, 640, 1280];

/// One segment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SegmentStats {
    /// Its number, from 1.
    pub number: u32,
    /// Octets in it.
    pub octets: u64,
    /// About how many of them still say something.
    pub live_octets: u64,
    /// Messages that were written to it.
    pub messages: u32,
    /// Of these, the ones that live.
    pub live_messages: u32,
    /// Recipients whose last state is in it.
    pub live_states: u32,
    /// Pieces of keyed state whose last value is in it.
    pub live_keys: u32,
}

/// Looks at a spool, also beside a server that has it open: then the figures are those of a
/// moment that never quite was.
///
/// # Errors
/// The directory has no spool, cannot be read, or was written by a later version. Damage is among the
/// findings.
pub fn stats(dir: &Path, now: Instant) -> Result<Stats, OpenError> {
    /// A server may remove a segment between its name and its opening.
    const TRIES: usize = 5;
    let (volume, is_written_to) = match Directory::look(dir) {
        Err(OpenError::InUse { .. }) => (Directory::peep(dir)?, true),
        looked => (looked?, false),
    };
    let volume = Arc::new(volume);
    let mut tries = 0;
    let recovery = loop {
        tries += 1;
        match Recovery::read(volume.clone(), Settings::default(), Purpose::Look, &|_, _| ()) {
            Ok((recovery, _)) => break recovery,
            Err(Unread::Disk(e)) if e.kind() == std::io::ErrorKind::NotFound && tries < TRIES => {}
            Err(why) => return Err(why.told(dir)),
        }
    };
    // A write that is under way is not torn.
    let under_way = |wrong| is_written_to && matches!(wrong, Wrong::Torn | Wrong::Begun);
    let is_found = |finding: &&Finding| !under_way(finding.wrong);
    let mut stats = Stats {
        messages: recovery.report.messages,
        findings: recovery.report.findings.iter().filter(is_found).cloned().collect(),
        free: volume.room().map_or(0, |room| room.free),
        ..Stats::default()
    };
    for (segment, story, heads) in recovery.portions() {
        for living in recovery.living(segment, story, heads) {
            stats.recipients += living.recipients.len() as u64;
            let age = now.since(living.head.id.moment());
            stats.oldest = stats.oldest.max(age);
            let minutes = age.0 / 60_000_000;
            let slot = AGES_MIN.iter().position(|most| minutes < *most);
            stats.by_age[slot.unwrap_or(AGES_MIN.len())] += 1;
        }
    }
    let table = recovery.shared.table.lock();
    stats.keyed = table.keys("").len() as u64;
    stats.segments = table
        .segments()
        .map(|(number, room)| SegmentStats {
            number,
            octets: room.octets,
            live_octets: room.live_octets(),
            messages: room.messages(),
            live_messages: room.live_messages,
            live_states: room.live_states,
            live_keys: room.live_keys,
        })
        .collect();
    stats.states = stats.segments.iter().map(|segment| u64::from(segment.live_states)).sum();
    drop(table);
    Ok(stats)
}
