//! Mail to our own postmaster and abuse desk: it goes to a configured mailbox, or is kept
//! where an operator finds it.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use postlane_mail::{Envelope, QueueId, Recipient};
use postlane_smtp::server::Submission;

use super::redirected;
use crate::setup::Setup;

/// Takes the recipients that are ours out of a submission. Those with a mailbox elsewhere are
/// put back with it; the addresses of the others are given, to be kept here.
pub(super) fn take_out(setup: &Setup, submission: &mut Submission) -> Vec<String> {
    let mut ours: Vec<Recipient> = Vec::new();
    submission.envelope.recipients.retain(|recipient| {
        let is_ours =
            setup.own.is_role(&recipient.mailbox) || setup.own.is_bounce(&recipient.mailbox);
        if is_ours {
            ours.push(recipient.clone());
        }
        !is_ours
    });
    let mut kept: Vec<String> = Vec::new();
    for recipient in &ours {
        match &setup.role_mailbox {
            Some(mailbox) if setup.own.is_role(&recipient.mailbox) => {
                submission.envelope.recipients.push(redirected(recipient, mailbox));
            }
            _ => kept.push(recipient.mailbox.as_str().to_owned()),
        }
    }
    if submission.postmaster {
        match &setup.role_mailbox {
            Some(mailbox) => submission.envelope.recipients.push(Recipient::new(mailbox.clone())),
            None => kept.push(format!("postmaster@{}", setup.hostname)),
        }
    }
    kept
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
        let new = dir.join(format!(".{id}.new"));
        let mut file = File::create(&new)?;
        file.write_all(&octets)?;
        file.sync_all()?;
        fs::rename(new, dir.join(format!("{id}.eml")))?;
        File::open(&dir)?.sync_all()
    };
    tokio::task::spawn_blocking(write).await.map_err(io::Error::other)?
}
