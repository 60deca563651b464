//! Writing what is queued into one file, for another host to take.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use postlane_mail::{Instant, Place, QueueId};

use super::directory::Directory;
use super::reading::Purpose;
use super::recovery::Recovery;
use super::{OpenError, Settings};
use crate::error::StoreError;
use crate::finding::{Finding, Wrong};
use crate::format::{EXPORTED, ExportHeader, Header, Kind, Record, encode_end, push_keyed};

/// What an export has written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exported {
    /// Messages.
    pub messages: u64,
    /// Their recipients that are not done.
    pub recipients: u64,
    /// Pieces of keyed state; none where only some messages were asked for.
    pub keyed: u64,
    /// Octets of the file.
    pub octets: u64,
    /// What was found wrong in the spool; a message that is named here may not be in the file.
    pub findings: Vec<Finding>,
}

/// Why a queue could not be exported or imported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MoveError {
    /// The spool cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The spool does not take what is imported, or its disk fails.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The export's file cannot be read or written.
    #[error("the export's file cannot be used: {0}")]
    File(String),
    /// The file is no export.
    #[error("the file is no exported queue: make one with `postlane spool export FILE`")]
    NoExport,
    /// A later version wrote it.
    #[error("the export was written by a later version ({0}): import it with that version")]
    Later(u16),
    /// It ends too early.
    #[error("the export ends after record {0} and is not whole: copy the file anew")]
    CutOff(u64),
    /// It is damaged.
    #[error("the export is damaged in record {0}: copy the file anew; nothing was imported")]
    Damaged(u64),
}

impl From<io::Error> for MoveError {
    fn from(error: io::Error) -> Self {
        Self::File(error.to_string())
    }
}

/// Writes the messages of a spool that nobody has open, with what is known of their recipients,
/// or only those that are named. The spool stays as it is: whoever starts a server on it again
/// and on the import, too, has every message delivered twice.
///
/// `each` hears how many messages are written, and how many there are.
pub fn export(
    dir: &Path,
    now: Instant,
    only: Option<&BTreeSet<QueueId>>,
    out: &mut impl Write,
    mut each: impl FnMut(u64, u64),
) -> Result<Exported, MoveError> {
    let volume = Arc::new(Directory::look(dir)?);
    let read = Recovery::read(volume, Settings::default(), Purpose::Look, &|_, _| ());
    let (recovery, _) = read.map_err(|why| why.told(dir))?;
    let header = ExportHeader { at: now, epoch: now.0 as u32 };
    let mut writing = Writing { out, epoch: header.epoch, records: 0, octets: 0 };
    writing.put(&header.encode())?;
    let mut exported =
        Exported { findings: recovery.report.findings.clone(), ..Exported::default() };
    let wanted = |id: &QueueId| only.is_none_or(|only| only.contains(id));
    let of = only.map_or(recovery.report.messages, |only| only.len() as u64);
    for (segment, story, heads) in recovery.portions() {
        for living in recovery.living(segment, story, heads) {
            if !wanted(&living.head.id) {
                continue;
            }
            let ordinal = exported.messages as u32;
            let from = Place { segment: EXPORTED, ordinal };
            match recovery.shared.message_again(living.place, from) {
                Ok(record) => writing.record(&record, ordinal)?,
                Err(StoreError::Damaged(_)) => {
                    exported.findings.push(living.finding(Wrong::Message(Some(living.head.id))));
                    continue;
                }
                Err(error) => return Err(error.into()),
            }
            exported.messages += 1;
            exported.recipients += living.recipients.len() as u64;
            each(exported.messages, of);
        }
    }
    if only.is_none() {
        for (key, value) in recovery.shared.table.lock().keys("") {
            let mut body = Vec::new();
            push_keyed(&key.0, Some(&value), &mut body);
            writing.record(&Record::of_changes(body, 0), exported.messages as u32)?;
            exported.keyed += 1;
        }
    }
    let end = Record { kind: Kind::End, ..Record::of_changes(encode_end(writing.records), 0) };
    writing.record(&end, exported.messages as u32)?;
    writing.out.flush()?;
    exported.octets = writing.octets;
    Ok(exported)
}

/// An export's file on its way.
struct Writing<'a, W> {
    out: &'a mut W,
    epoch: u32,
    records: u64,
    octets: u64,
}

impl<W: Write> Writing<'_, W> {
    fn put(&mut self, octets: &[u8]) -> io::Result<()> {
        self.octets += octets.len() as u64;
        self.out.write_all(octets)
    }

    fn record(&mut self, record: &Record, ordinal: u32) -> io::Result<()> {
        self.records += 1;
        let header = Header {
            kind: record.kind,
            octets: record.body.len() as u32,
            checked: record.checked,
            check: record.check,
            epoch: self.epoch,
            ordinal,
            seq: self.records,
        };
        self.put(&header.encode())?;
        self.put(&record.body)
    }
}
