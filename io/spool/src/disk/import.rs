//! Taking what another host has exported.

use std::collections::BTreeSet;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use postlane_mail::QueueId;

use super::chores::Chores;
use super::committer::Committer;
use super::directory::Directory;
use super::export::MoveError;
use super::recovery::{Opening, Recovery};
use super::request::Request;
use super::{OpenError, Settings};
use crate::error::StoreError;
use crate::finding::Finding;
use crate::format::{
    EXPORT_HEADER_OCTETS, EXPORTED, ExportHeader, HEADER_OCTETS, Header, Kind, MESSAGE_OCTETS_MAX,
    Record, Told, decode_end, push_keyed, tell,
};
use crate::store::{Commits, Inserted, Key, Seq};

/// What an import has taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imported {
    /// Messages, with their ids and what was known of their recipients.
    pub messages: u64,
    /// Messages that are in the spool already and were left out.
    pub known: Vec<QueueId>,
    /// Pieces of keyed state; what the spool has itself is kept.
    pub keyed: u64,
    /// What was found wrong in the spool when it was opened.
    pub findings: Vec<Finding>,
}

/// Takes a whole export into a spool that nobody has open; one is made if there is none. A
/// damaged export changes nothing. Interrupted, it can be done again: what is there is left out.
///
/// `each` hears how many records are taken, and how many there are.
pub fn import(
    dir: &Path,
    settings: Settings,
    from: &mut (impl Read + Seek),
    mut each: impl FnMut(u64, u64),
) -> Result<Imported, MoveError> {
    let records = verify(from)?;
    let unusable = |e: io::Error| OpenError::not_usable(dir, &e);
    settings.check()?;
    let volume = Arc::new(Directory::take(dir)?);
    let chores = Chores::aside(volume.clone()).map_err(unusable)?;
    let opening = Opening { volume, settings, commits: Box::new(Nobody), chores };
    let (_, committer, recovery) = opening.open(dir)?;
    let known = known(&recovery);
    let imported = Imported { findings: recovery.report.findings.clone(), ..Imported::default() };
    let mut taking =
        Taking { committer, recovery, known, imported, waiting: Vec::new(), octets: 0 };
    let mut reading = Reading::begin(from)?;
    while let Some(body) = reading.next()? {
        taking.take(reading.records, body)?;
        each(reading.records, records);
    }
    taking.write()?;
    taking.committer.end()?;
    Ok(taking.imported)
}

/// Nobody need hear what is committed: the import itself waits for it.
struct Nobody;

impl Commits for Nobody {
    fn inserted(&mut self, _: Vec<Inserted>) {}
    fn committed(&mut self, _: Seq) {}
    fn failed(&mut self, _: StoreError) {}
}

/// Reads an export to its end, and counts its records.
fn verify(from: &mut (impl Read + Seek)) -> Result<u64, MoveError> {
    let mut reading = Reading::begin(from)?;
    while let Some(body) = reading.next()? {
        told(reading.records, &body)?;
    }
    Ok(reading.records)
}

fn known(recovery: &Recovery) -> BTreeSet<QueueId> {
    let portions = recovery.portions();
    let living = portions.flat_map(|(segment, story, heads)| {
        let living = recovery.living(segment, story, heads).into_iter();
        living.map(|living| living.head.id)
    });
    living.collect()
}

/// What one record of an export brings.
#[derive(Default)]
struct Brought {
    message: Option<QueueId>,
    keyed: Vec<(Key, Vec<u8>)>,
}

/// Reads a record, and believes only what an export writes.
fn told(record: u64, body: &[u8]) -> Result<Brought, MoveError> {
    let (mut brought, mut is_ours) = (Brought::default(), true);
    let messages = tell(Kind::Changes, 0, 0, body, |told| match told {
        Told::Message { head, from: Some(from), .. } => {
            is_ours &=
                from.segment == EXPORTED && crate::format::decode_envelope(head.envelope).is_some();
            brought.message = Some(head.id);
        }
        Told::Done { place, .. } | Told::Waiting { place, .. } => {
            is_ours &= place.segment == EXPORTED;
        }
        Told::Keyed { key, value: Some(value) } => {
            brought.keyed.push((Key(key.into()), value.to_vec()));
        }
        _ => is_ours = false,
    });
    let is_one = messages == Ok(u32::from(brought.message.is_some()));
    let is_mixed = brought.message.is_some() && !brought.keyed.is_empty();
    if is_ours && is_one && !is_mixed { Ok(brought) } else { Err(MoveError::Damaged(record)) }
}

/// An import on its way into the spool.
struct Taking {
    committer: Committer,
    /// While it lives nothing is moved in the spool.
    recovery: Recovery,
    known: BTreeSet<QueueId>,
    imported: Imported,
    waiting: Vec<Request>,
    octets: u64,
}

impl Taking {
    fn take(&mut self, record: u64, body: Vec<u8>) -> Result<(), MoveError> {
        /// Written in one go.
        const OCTETS_AT_ONCE: u64 = 4 << 20;
        let Brought { message, keyed } = told(record, &body)?;
        let record = match message {
            Some(id) if self.known.insert(id) => {
                self.imported.messages += 1;
                Record::of_changes(body, 1)
            }
            Some(id) => {
                self.imported.known.push(id);
                return Ok(());
            }
            None => {
                let body = self.keys(keyed);
                if body.is_empty() {
                    return Ok(());
                }
                Record::of_changes(body, 0)
            }
        };
        self.octets += record.body.len() as u64;
        self.waiting.push(Request::Own { record });
        if self.octets >= OCTETS_AT_ONCE { self.write() } else { Ok(()) }
    }

    fn keys(&mut self, keyed: Vec<(Key, Vec<u8>)>) -> Vec<u8> {
        let mut body = Vec::new();
        let table = self.recovery.shared.table.lock();
        for (key, value) in keyed {
            if !table.has_key(&key) {
                push_keyed(&key.0, Some(&value), &mut body);
                self.imported.keyed += 1;
            }
        }
        body
    }

    fn write(&mut self) -> Result<(), MoveError> {
        let shared = &self.recovery.shared;
        shared.refuses()?;
        shared.expect(std::mem::take(&mut self.octets));
        self.committer.step(std::mem::take(&mut self.waiting), Instant::now())?;
        Ok(())
    }
}

/// An export that is read.
struct Reading<'a, R> {
    from: &'a mut R,
    epoch: u32,
    records: u64,
}

impl<'a, R: Read + Seek> Reading<'a, R> {
    fn begin(from: &'a mut R) -> Result<Self, MoveError> {
        from.seek(SeekFrom::Start(0))?;
        let mut header = [0; EXPORT_HEADER_OCTETS];
        if !fills(from, &mut header)? {
            return Err(MoveError::NoExport);
        }
        match ExportHeader::decode(&header) {
            Some(Ok(header)) => Ok(Self { from, epoch: header.epoch, records: 0 }),
            Some(Err(version)) => Err(MoveError::Later(version)),
            None => Err(MoveError::NoExport),
        }
    }

    /// The next record's body; none behind the last one, which must say that it is.
    fn next(&mut self) -> Result<Option<Vec<u8>>, MoveError> {
        /// The largest message, its envelope, and replies to all of its recipients.
        const OCTETS_MAX: usize = MESSAGE_OCTETS_MAX + (64 << 20);
        let mut header = [0; HEADER_OCTETS];
        if !fills(self.from, &mut header)? {
            return Err(MoveError::CutOff(self.records));
        }
        let damaged = MoveError::Damaged(self.records + 1);
        let header = Header::decode(&header).filter(|header| header.epoch == self.epoch);
        let Some(header) = header.filter(|header| {
            header.octets as usize <= OCTETS_MAX && header.checked == header.octets
        }) else {
            return Err(damaged);
        };
        let mut body = Vec::new();
        self.from.by_ref().take(u64::from(header.octets)).read_to_end(&mut body)?;
        if body.len() < header.octets as usize {
            return Err(MoveError::CutOff(self.records));
        }
        if crc32c::crc32c(&body) != header.check {
            return Err(damaged);
        }
        match header.kind {
            Kind::Changes => {
                self.records += 1;
                Ok(Some(body))
            }
            Kind::End if decode_end(&body) == Some(self.records) => Ok(None),
            _ => Err(damaged),
        }
    }
}

/// Fills the buffer, or says that there is not enough.
fn fills(from: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match from.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(e) => Err(e),
    }
}
