//! A segment's index: everything in it but the messages' octets, to be read at a start.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use crc32c::crc32c;

use super::files::{index_path, sync_dir};
use crate::format::{Kind, split_message};

const MAGIC: [u8; 8] = *b"PLINDEX\n";
const HEADER_OCTETS: usize = 24;

/// One record, as an index has it.
pub(super) struct Skimmed<'a> {
    pub(super) kind: Kind,
    /// Where the record's body begins in its segment.
    pub(super) offset: u32,
    /// Octets of the body in its segment.
    pub(super) octets: u32,
    /// The body, a message's octets left out.
    pub(super) head: &'a [u8],
}

/// Collects an index while its segment is written.
#[derive(Default)]
pub(super) struct Skim(Vec<u8>);

impl Skim {
    pub(super) fn push(&mut self, kind: Kind, offset: u32, body: &[u8]) {
        let head = match (kind, split_message(body)) {
            (Kind::Message, Some((parts, _))) => &body[..body.len() - parts.message.len() - 4],
            _ => body,
        };
        self.0.push(if kind == Kind::Message { 1 } else { 2 });
        self.0.extend_from_slice(&offset.to_le_bytes());
        self.0.extend_from_slice(&(body.len() as u32).to_le_bytes());
        self.0.extend_from_slice(&(head.len() as u32).to_le_bytes());
        self.0.extend_from_slice(head);
    }

    /// What was collected, to be written by [`write`] or read by [`records`].
    pub(super) fn into_octets(self) -> Vec<u8> {
        self.0
    }
}

/// Writes a segment's index beside it. It is of use only if it is whole, and only for a
/// segment of this epoch and size; so it needs no care about order.
pub(super) fn write(
    dir: &Path,
    segment: u32,
    epoch: u32,
    size: u64,
    skim: &[u8],
) -> io::Result<()> {
    let mut header = [0; HEADER_OCTETS];
    header[0..8].copy_from_slice(&MAGIC);
    header[8..12].copy_from_slice(&epoch.to_le_bytes());
    header[12..20].copy_from_slice(&size.to_le_bytes());
    header[20..24].copy_from_slice(&crc32c(skim).to_le_bytes());
    let path = index_path(dir, segment);
    let new = path.with_extension("new");
    let mut file = File::create(&new)?;
    file.write_all(&header)?;
    file.write_all(skim)?;
    file.sync_all()?;
    fs::rename(new, path)?;
    sync_dir(dir)
}

/// Reads a segment's index, if there is a whole one for this epoch and size.
pub(super) fn read(dir: &Path, segment: u32, epoch: u32, size: u64) -> Option<Vec<u8>> {
    let mut octets = fs::read(index_path(dir, segment)).ok()?;
    let header = octets.get(..HEADER_OCTETS)?;
    let says = |at: usize| header.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes);
    let sized = u64::from_le_bytes(header[12..20].try_into().ok()?);
    if header[..8] != MAGIC || says(8)? != epoch || sized != size {
        return None;
    }
    let crc = says(20)?;
    let skim = octets.split_off(HEADER_OCTETS);
    (crc32c(&skim) == crc).then_some(skim)
}

/// The records of an index.
pub(super) fn records(skim: &[u8]) -> impl Iterator<Item = Skimmed<'_>> {
    let mut rest = skim;
    std::iter::from_fn(move || {
        let (head, behind) = rest.split_at_checked(13)?;
        let number =
            |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let (octets, behind) = behind.split_at_checked(number(9) as usize)?;
        rest = behind;
        let kind = if head[0] == 1 { Kind::Message } else { Kind::Changes };
        Some(Skimmed { kind, offset: number(1), octets: number(5), head: octets })
    })
}
