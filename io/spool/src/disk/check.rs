//! Verifying a spool that nobody has open: every record, every index, every envelope.

use std::path::Path;
use std::sync::Arc;

use super::directory::Directory;
use super::reading::Purpose;
use super::recovery::Recovery;
use super::{OpenError, Settings};
use crate::finding::Finding;

/// What a check has looked at, and what it found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checked {
    /// Segments.
    pub segments: u32,
    /// Octets in them.
    pub octets: u64,
    /// Messages that live.
    pub messages: u64,
    /// What is wrong, in the order of the segments; empty if all is well.
    pub findings: Vec<Finding>,
}

/// Reads all segments record by record, compares them with their indexes, and reads the envelope
/// of each message that lives. Changes nothing.
///
/// `each` hears, from several threads, how many segments are read, and how many there are.
///
/// # Errors
/// The directory has no spool, is in use by another process, cannot be read, or was written by a later
/// version. Damage is no error: it is among the findings.
pub fn check(dir: &Path, each: impl Fn(u32, u32) + Sync) -> Result<Checked, OpenError> {
    let volume = Arc::new(Directory::look(dir)?);
    let read = Recovery::read(volume, Settings::default(), Purpose::Check, &each);
    let (recovery, _) = read.map_err(|why| why.told(dir))?;
    let usage = recovery.shared.usage();
    let (segments, octets, messages) = (usage.segments, usage.used, usage.messages);
    let mut findings = recovery.report.findings.clone();
    findings.extend(recovery.drain(drop));
    findings.sort();
    Ok(Checked { segments, octets, messages, findings })
}
