//! Tests on the disk: a folder for each, with what came and what was made of it.
//!
//! `DATA/tests/1f0c66a0e1d2/test.json`, and for each message `1.mail` (a line of JSON that says how it
//! came, and the message) and `1.json` (its report). Each file is written whole, synced, and renamed
//! into place; a message without a report is looked at again after a restart.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use postlane_mail::Instant;
use postlane_tester::{Arrival, Report};
use serde::{Deserialize, Serialize};

use super::token::TestId;

/// Tests on the disk.
#[derive(Debug, Clone)]
pub(super) struct Shelf {
    dir: PathBuf,
}

/// A test as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Card {
    /// Whose it is; empty for nobody's.
    pub(super) tenant: String,
    /// Who made it.
    pub(super) by: String,
    /// Microseconds since 1970.
    pub(super) made_us: u64,
    /// Until when the address takes mail.
    pub(super) until_us: u64,
    /// The test whose last message the first one here is compared with.
    pub(super) again: Option<String>,
}

/// What there is of a test.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) id: TestId,
    pub(super) card: Card,
    /// Messages, by number, each with whether there is a report.
    pub(super) messages: Vec<(u32, bool)>,
    pub(super) octets: u64,
}

/// Octets of the line that says how a message came. A transcript has 32 KiB.
const HEAD_OCTETS_MAX: usize = 1 << 20;

impl Shelf {
    pub(super) fn new(data: &Path) -> Self {
        Self { dir: data.join("tests") }
    }

    /// Everything there is. What cannot be read is left out.
    pub(super) fn all(&self) -> io::Result<Vec<Found>> {
        let entries = match fs::read_dir(&self.dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut all = Vec::new();
        for entry in entries {
            let name = entry?.file_name();
            let Some(id) = name.to_str().and_then(TestId::parse) else { continue };
            if let Ok(found) = self.find(id) {
                all.push(found);
            }
        }
        Ok(all)
    }

    fn find(&self, id: TestId) -> io::Result<Found> {
        let dir = self.dir_of(id);
        let card = serde_json::from_slice(&fs::read(dir.join("test.json"))?)?;
        let (mut messages, mut octets) = (Vec::new(), 0);
        for entry in fs::read_dir(&dir)? {
            let entry = entry?;
            octets += entry.metadata()?.len();
            let name = entry.file_name();
            let number = name.to_str().and_then(|name| name.strip_suffix(".mail"));
            if let Some(number) = number.and_then(|number| number.parse().ok()) {
                messages.push((number, dir.join(format!("{number}.json")).exists()));
            }
        }
        messages.sort_unstable();
        Ok(Found { id, card, messages, octets })
    }

    /// A new test; durable when this says so.
    pub(super) fn begin(&self, id: TestId, card: &Card) -> io::Result<()> {
        let dir = self.dir_of(id);
        fs::create_dir_all(&dir)?;
        write(&dir, "test.json", &[&serde_json::to_vec(card)?])?;
        File::open(&self.dir)?.sync_all()
    }

    /// A message that has come, for nobody to look at until it is published; durable when this says
    /// so. Gives the octets that it takes.
    pub(super) fn stage(&self, id: TestId, arrival: &Arrival, message: &[u8]) -> io::Result<u64> {
        let head = serde_json::to_vec(arrival)?;
        let new = self.staged(id, arrival.number);
        write_new(&new, &[&head, b"\n", message])?;
        File::open(self.dir_of(id))?.sync_all()?;
        Ok((head.len() + 1 + message.len()) as u64)
    }

    /// Gives a message that was staged its name; durable when this says so.
    pub(super) fn publish(&self, id: TestId, number: u32) -> io::Result<()> {
        let dir = self.dir_of(id);
        fs::rename(self.staged(id, number), dir.join(format!("{number}.mail")))?;
        File::open(dir)?.sync_all()
    }

    /// Takes back a message that was staged.
    pub(super) fn take_back(&self, id: TestId, number: u32) {
        // At worst it is one that nobody looks at.
        let _ = fs::remove_file(self.staged(id, number));
    }

    fn staged(&self, id: TestId, number: u32) -> PathBuf {
        self.dir_of(id).join(format!(".{number}.mail.new"))
    }

    /// What came: how, and the message.
    pub(super) fn message(&self, id: TestId, number: u32) -> io::Result<(Arrival, Vec<u8>)> {
        let mut octets = fs::read(self.dir_of(id).join(format!("{number}.mail")))?;
        let end = octets.iter().take(HEAD_OCTETS_MAX).position(|octet| *octet == b'\n');
        let end = end.ok_or(io::ErrorKind::InvalidData)?;
        let message = octets.split_off(end + 1);
        Ok((serde_json::from_slice(&octets)?, message))
    }

    /// A report; durable when this says so. Gives the octets that it takes.
    pub(super) fn keep_report(&self, id: TestId, report: &Report) -> io::Result<u64> {
        let text = serde_json::to_vec(report)?;
        write(&self.dir_of(id), &format!("{}.json", report.arrival.number), &[&text])?;
        Ok(text.len() as u64)
    }

    pub(super) fn report(&self, id: TestId, number: u32) -> io::Result<Report> {
        let text = fs::read(self.dir_of(id).join(format!("{number}.json")))?;
        Ok(serde_json::from_slice(&text)?)
    }

    /// Takes a test away with all that came.
    pub(super) fn remove(&self, id: TestId) -> io::Result<()> {
        fs::remove_dir_all(self.dir_of(id))
    }

    fn dir_of(&self, id: TestId) -> PathBuf {
        self.dir.join(id.to_string())
    }
}

impl Card {
    pub(super) fn until(&self) -> Instant {
        Instant(self.until_us)
    }
}

/// Writes a file whole, synced and under its name, for its owner alone.
fn write(dir: &Path, name: &str, parts: &[&[u8]]) -> io::Result<()> {
    let new = dir.join(format!(".{name}.new"));
    write_new(&new, parts)?;
    fs::rename(new, dir.join(name))?;
    File::open(dir)?.sync_all()
}

/// Writes a file and syncs it, for its owner alone.
fn write_new(new: &Path, parts: &[&[u8]]) -> io::Result<()> {
    let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(new)?;
    for part in parts {
        file.write_all(part)?;
    }
    file.sync_all()
}
