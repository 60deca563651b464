//! Mail to our own postmaster and abuse desk: it goes to a configured mailbox, or is kept
//! where an operator finds it.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use postlane_mail::{Envelope, QueueId, Recipient};
use postlane_message::Returned;
use postlane_smtp::server::Submission;

use super::redirected;
use crate::rights::{HouseRights, Own};
use crate::setup::Setup;

/// What of a submission is for us.
#[derive(Default)]
pub(super) struct ForUs {
    /// Addresses of our desks whose mail is kept here.
    pub(super) kept: Vec<String>,
    /// Our bounce addresses, and for whose mail, if they tell.
    pub(super) returned: Vec<(Recipient, Option<Returned>)>,
}

/// Takes the recipients that are ours out of a submission. Those with a mailbox elsewhere are
/// put back with it.
pub(super) fn take_out(setup: &Setup, rights: &HouseRights, submission: &mut Submission) -> ForUs {
    let mut ours = ForUs::default();
    let recipients = std::mem::take(&mut submission.envelope.recipients);
    for recipient in recipients {
        match (rights.own(&recipient.mailbox), &setup.role_mailbox) {
            (None, _) => submission.envelope.recipients.push(recipient),
            (Some(Own::Role), Some(mailbox)) => {
                submission.envelope.recipients.push(redirected(&recipient, mailbox));
            }
            (Some(Own::Role), None) => ours.kept.push(recipient.mailbox.as_str().to_owned()),
            (Some(Own::Bounce(returned)), _) => ours.returned.push((recipient, returned)),
        }
    }
    ours
}

/// Keeps a message in DATA/postmaster, durably.
pub(super) async fn keep(
    data: &Path,
    id: QueueId,
    envelope: &Envelope,
    recipients: &[String],
    message: &[u8],
) -> io::Result<()> {
    let dir = data.join("postmaster");
    let mut octets = format!(
        "Return-Path: {}\r\nDelivered-To: {}\r\n",
        envelope.reverse_path,
        recipients.join(", ")
    )
    .into_bytes();
    octets.extend_from_slice(message);
    let write = move || {
        fs::create_dir_all(&dir)?;
        if !has_room(&dir, octets.len() as u64)? {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let new = dir.join(format!(".{id}.new"));
        let mut file = File::create(&new)?;
        file.write_all(&octets)?;
        file.sync_all()?;
        fs::rename(new, dir.join(format!("{id}.eml")))?;
        File::open(&dir)?.sync_all()
    };
    tokio::task::spawn_blocking(write).await.map_err(io::Error::other)?
}

/// Messages that are kept for an operator to read, and their octets: anybody can write to our
/// desks, and nobody may fill the disk. Chosen, not measured.
const KEPT_MESSAGES_MAX: usize = 10_000;
const KEPT_OCTETS_MAX: u64 = 1 << 30;

fn has_room(dir: &Path, octets: u64) -> io::Result<bool> {
    let (mut messages, mut sum) = (0, octets);
    for entry in fs::read_dir(dir)? {
        messages += 1;
        sum += entry?.metadata()?.len();
    }
    Ok(messages < KEPT_MESSAGES_MAX && sum <= KEPT_OCTETS_MAX)
}
