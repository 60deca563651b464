//! Mail to our own postmaster and abuse desk: it goes to a configured mailbox, or is kept
//! where an operator finds it.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use postlane_mail::{Envelope, QueueId, Recipient};
use postlane_message::Returned;

use crate::intake::rights::{HouseRights, Own};
use crate::setup::Setup;

/// What of a submission is for us.
#[derive(Default)]
pub(super) struct ForUs {
    /// Addresses of our desks whose mail is kept here.
    pub(super) kept: Vec<String>,
    /// Our bounce addresses, and for whose mail, if they tell.
    pub(super) returned: Vec<(Recipient, Option<Returned>)>,
}

/// Takes the recipients that are ours out of an envelope. Those with a mailbox elsewhere are
/// put back with it.
pub(super) fn take_out(setup: &Setup, rights: &HouseRights, envelope: &mut Envelope) -> ForUs {
    let mut ours = ForUs::default();
    if !envelope.recipients.iter().any(|recipient| rights.own(&recipient.mailbox).is_some()) {
        return ours;
    }
    let recipients = std::mem::take(&mut envelope.recipients);
    for recipient in recipients {
        match (rights.own(&recipient.mailbox), &setup.role_mailbox) {
            (None, _) => envelope.recipients.push(recipient),
            (Some(Own::Role), Some(mailbox)) => {
                envelope.recipients.push(Recipient { mailbox: mailbox.clone(), ..recipient });
            }
            (Some(Own::Role), None) => ours.kept.push(recipient.mailbox.as_str().to_owned()),
            (Some(Own::Bounce(returned)), _) => ours.returned.push((recipient, returned)),
        }
    }
    ours
}

/// A message for an operator to read, on disk under a name that nobody reads. It goes again unless it
/// is published.
#[derive(Debug)]
pub(super) struct Staged {
    new: PathBuf,
    path: PathBuf,
    is_published: bool,
}

impl Staged {
    /// Gives it its name, durably; gives the file.
    pub(super) fn publish(mut self) -> io::Result<PathBuf> {
        // What cannot be given its name stays where it is: it may have been promised.
        self.is_published = true;
        fs::rename(&self.new, &self.path)?;
        let dir = self.path.parent().unwrap_or(&self.path);
        File::open(dir)?.sync_all()?;
        Ok(self.path.clone())
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if !self.is_published {
            // At worst it is one that nobody reads.
            let _ = fs::remove_file(&self.new);
        }
    }
}

/// Keeps a message in DATA/postmaster, durably; gives the file.
pub(super) fn keep(
    data: &Path,
    id: QueueId,
    envelope: &Envelope,
    recipients: &[String],
    message: &[u8],
) -> io::Result<PathBuf> {
    stage(data, id, envelope, recipients, message)?.publish()
}

/// Writes a message for DATA/postmaster, which takes its place there when it is published.
pub(super) fn stage(
    data: &Path,
    id: QueueId,
    envelope: &Envelope,
    recipients: &[String],
    message: &[u8],
) -> io::Result<Staged> {
    let dir = data.join(FOLDER);
    let head = format!(
        "Return-Path: {}\r\nDelivered-To: {}\r\n",
        envelope.reverse_path,
        recipients.join(", ")
    );
    fs::create_dir_all(&dir)?;
    let (messages, octets) = kept(&dir)?;
    let octets = octets + (head.len() + message.len()) as u64;
    if messages >= KEPT_MESSAGES_MAX || octets > KEPT_OCTETS_MAX {
        return Err(io::ErrorKind::StorageFull.into());
    }
    let new = dir.join(format!(".{id}.new"));
    let path = dir.join(format!("{id}.eml"));
    let staged = Staged { new, path, is_published: false };
    let part = Part(dir.join(format!(".{id}.part")));
    let mut file =
        File::options().write(true).create(true).truncate(true).mode(0o600).open(&part.0)?;
    file.write_all(head.as_bytes())?;
    file.write_all(message)?;
    file.sync_all()?;
    fs::rename(&part.0, &staged.new)?;
    Ok(staged)
}

/// A file that is being written: gone where it does not become whole.
struct Part(PathBuf);

impl Drop for Part {
    fn drop(&mut self) {
        // It has another name where it became whole.
        let _ = fs::remove_file(&self.0);
    }
}

/// Gives what a crash has left in the folder its name: it is whole, and may have been promised. What was
/// being written then goes; its client has heard no 250. Gives the files that can be read now.
pub(super) fn publish_left(data: &Path) -> io::Result<Vec<PathBuf>> {
    let dir = data.join(FOLDER);
    let entries = match fs::read_dir(&dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut published = Vec::new();
    for entry in entries {
        let name = entry?.file_name();
        let Some(name) = name.to_str().and_then(|name| name.strip_prefix('.')) else { continue };
        let id = |name: &str| QueueId::parse(name).ok();
        if let Some(id) = name.strip_suffix(".new").and_then(id) {
            let path = dir.join(format!("{id}.eml"));
            fs::rename(dir.join(format!(".{name}")), &path)?;
            published.push(path);
        } else if name.strip_suffix(".part").and_then(id).is_some() {
            fs::remove_file(dir.join(format!(".{name}")))?;
        }
    }
    if !published.is_empty() {
        File::open(&dir)?.sync_all()?;
    }
    Ok(published)
}

/// Messages that are kept for an operator to read.
pub(crate) fn kept_messages(data: &Path) -> u64 {
    kept(&data.join(FOLDER)).map_or(0, |(messages, _)| messages)
}

/// Where mail to our desks is kept, below DATA.
const FOLDER: &str = "postmaster";

/// Messages that are kept for an operator to read, and their octets: anybody can write to our
/// desks, and nobody may fill the disk. Chosen, not measured.
const KEPT_MESSAGES_MAX: u64 = 10_000;
const KEPT_OCTETS_MAX: u64 = 1 << 30;

/// Messages in the folder, and their octets.
fn kept(dir: &Path) -> io::Result<(u64, u64)> {
    let (mut messages, mut octets) = (0, 0);
    for entry in fs::read_dir(dir)? {
        messages += 1;
        octets += entry?.metadata()?.len();
    }
    Ok((messages, octets))
}

#[cfg(test)]
mod tests {
    use postlane_mail::{BodyType, Label, Mailbox, ReversePath, Stream};

    use super::*;
    use crate::config::{Config, Overrides};
    use crate::ground::secret::HouseSecret;

    fn envelope(recipients: &[&str]) -> Envelope {
        let recipient = |text: &&str| Recipient::new(Mailbox::parse(text).unwrap());
        Envelope {
            reverse_path: ReversePath::Null,
            recipients: recipients.iter().map(recipient).collect(),
            body: BodyType::SevenBit,
            smtputf8: false,
            ret: None,
            envid: None,
            stream: Stream::Engaged,
            tenant: Label::NONE,
            campaign: Label::NONE,
            engaged: None,
        }
    }

    #[test]
    fn mail_to_our_desks_goes_elsewhere_or_stays_here() {
        let text = "[relay]\nhostname = \"relay.example\"";
        let config = Config::parse(text, None, &Overrides::default()).unwrap();
        let mut setup = Setup::of(&config);
        let rights = HouseRights::new(&setup, &HouseSecret([7; 32]));
        let to = ["jo@example.net", "postmaster@relay.example"];
        let mut mail = envelope(&to);
        assert_eq!(take_out(&setup, &rights, &mut mail).kept, ["postmaster@relay.example"]);
        assert_eq!(mail.recipients.len(), 1);
        setup.role_mailbox = Some(Mailbox::parse("ops@example.com").unwrap());
        let mut mail = envelope(&to);
        assert!(take_out(&setup, &rights, &mut mail).kept.is_empty());
        assert_eq!(mail.recipients[1].mailbox.as_str(), "ops@example.com");
    }

    #[test]
    fn what_is_kept_can_be_read_and_is_counted() {
        let data = tempfile::tempdir().unwrap();
        let (id, to) = (QueueId::from_bits(4711), ["postmaster@relay.example".to_owned()]);
        assert_eq!(kept_messages(data.path()), 0);
        let path =
            keep(data.path(), id, &envelope(&[]), &to, b"Subject: hi\r\n\r\nhi\r\n").unwrap();
        assert_eq!(
            fs::read_to_string(path).unwrap(),
            "Return-Path: <>\r\nDelivered-To: postmaster@relay.example\r\nSubject: hi\r\n\r\nhi\r\n"
        );
        assert_eq!(kept_messages(data.path()), 1);
    }

    #[test]
    fn what_a_crash_left_is_read_after_the_next_start_and_what_it_tore_goes() {
        let data = tempfile::tempdir().unwrap();
        let mail = envelope(&["postmaster@relay.example"]);
        let mut ids = postlane_mail::QueueIdSource::new(postlane_mail::Shard(0), None);
        let now = postlane_mail::Instant::from_unix_s(1_795_239_600);
        let (whole, torn, other) = (ids.next(now), ids.next(now), ids.next(now));
        let to = ["postmaster@relay.example".to_owned()];
        let staged = stage(data.path(), whole, &mail, &to, b"Subject: a\r\n\r\n").unwrap();
        // As the power goes: nobody drops anything.
        std::mem::forget(staged);
        keep(data.path(), other, &mail, &to, b"Subject: b\r\n\r\n").unwrap();
        let dir = data.path().join(FOLDER);
        fs::write(dir.join(format!(".{torn}.part")), b"Subj").unwrap();
        fs::write(dir.join(".mine.new"), b"an operator's").unwrap();
        assert_eq!(publish_left(data.path()).unwrap(), [dir.join(format!("{whole}.eml"))]);
        let files = fs::read_dir(&dir).unwrap();
        let mut names: Vec<_> =
            files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        names.sort_unstable();
        assert_eq!(names, [".mine.new", &*format!("{whole}.eml"), &*format!("{other}.eml")]);
        assert_eq!(publish_left(data.path()).unwrap(), [] as [PathBuf; 0]);
        assert_eq!(publish_left(&data.path().join("none")).unwrap(), [] as [PathBuf; 0]);
    }
}
