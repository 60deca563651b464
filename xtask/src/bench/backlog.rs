//! A long queue: what it weighs, and how soon it is back after a crash.

use std::path::Path;
use std::time::Duration;

use super::disk::Disk;
use super::harness::{Load, Mailbench, Wire};
use super::process::anonymous_octets;
use super::server::{Postlane, unreachable_address};

/// What a queue of so many recipients took.
pub(super) struct Backlog {
    pub(super) recipients: u64,
    /// Memory per recipient after the restart, when no body is cached.
    pub(super) octets_each: f64,
    /// From the start of the process until it takes mail.
    pub(super) ready_after: Duration,
    /// From the start of the process until the whole queue is known.
    pub(super) complete_after: Duration,
}

/// Queues `recipients` messages of one recipient for a host that does not answer, kills the relay
/// and starts it again.
pub(super) fn run(
    mailbench: &Mailbench,
    binary: &Path,
    disk: &Disk,
    recipients: u64,
) -> anyhow::Result<Backlog> {
    let nowhere = unreachable_address()?;
    let folder = disk.fresh("backlog")?;
    let empty = Postlane::start(binary, &folder, nowhere, &[])?;
    let empty_octets = anonymous_octets(empty.running.pid());
    let load =
        Load { messages: recipients, size: 1024, sessions: 50, rate: None, wire: Wire::Bdat };
    mailbench.send(empty.running.smtp, load)?;
    empty.running.kill()?;
    let again = Postlane::start(binary, &folder, nowhere, &[])?;
    let complete_after = again.wait_for_queue(recipients)?;
    let octets = anonymous_octets(again.running.pid()).saturating_sub(empty_octets);
    let ready_after = again.ready_after;
    again.running.stop()?;
    Ok(Backlog {
        recipients,
        octets_each: octets as f64 / recipients as f64,
        ready_after,
        complete_after,
    })
}
