//! Reverse-paths that tell by themselves which recipient's mail came back.
//!
//! `bounce-028t5cy4tqkff-3-9f2c41d07a51c3be@bounces.example`: the queue id, the recipient's
//! number in the envelope, a tag that only we can make, since whoever gets one message could else
//! make up bounces for its other recipients, and a seal on the recipient's address, by which an
//! address that a bounce names can be told from one that was made up. The older form, with the
//! recipient's address in it, betrays that address to every hop and outgrows the 64 octets of a
//! local part (RFC 5321 §4.5.3.1.1), so it is not offered.

use std::fmt;

use aws_lc_rs::{constant_time, hmac};
use postlane_mail::{Mailbox, MailboxError, QueueId};

/// Makes and reads the reverse-paths below one bounce address.
pub struct Verp {
    local_part: Box<str>,
    host: Box<str>,
    key: hmac::Key,
}

/// The recipient that a reverse-path was made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Returned {
    /// The message.
    pub id: QueueId,
    /// The recipient's number in the envelope, from 0.
    pub recipient: u16,
}

/// A bounce address that nothing can be put behind. The configuration is to blame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerpError {
    /// The local part is too long: what is put behind it takes 37 of 64 octets.
    #[error(
        "the local part of the bounce address is too long; use {LOCAL_PART_OCTETS_MAX} octets at most"
    )]
    TooLong,
    /// The local part is quoted or not ASCII.
    #[error(
        "the local part of the bounce address is not plain; use letters, digits, dots and hyphens"
    )]
    NotPlain,
    /// The address could not be made longer.
    #[error("the bounce address cannot be used: {0}; use another")]
    Mailbox(#[from] MailboxError),
}

/// Octets of a tag: a guess is right once in 2^40. Chosen, not measured.
const TAG_OCTETS: usize = 5;

/// Octets of a seal: an address that somebody wants to be taken for the recipient's is once in
/// 2^24, for each message that they were sent. Chosen, not measured.
const SEAL_OCTETS: usize = 3;

/// Octets behind a local part: three hyphens, an id, five digits, a tag and a seal in hexadecimal.
const BEHIND_OCTETS_MAX: usize = 3 + 13 + 5 + 2 * (TAG_OCTETS + SEAL_OCTETS);

/// Octets of a bounce address's local part (RFC 5321 §4.5.3.1.1).
const LOCAL_PART_OCTETS_MAX: usize = 64 - BEHIND_OCTETS_MAX;

impl Verp {
    /// Below that address, with a secret of the house that outlives restarts: 32 octets of
    /// chance. With another secret, earlier reverse-paths cannot be read any more.
    pub fn new(bounce_address: &Mailbox, secret: &[u8; 32]) -> Result<Self, VerpError> {
        let local_part = bounce_address.local_part();
        if local_part.len() > LOCAL_PART_OCTETS_MAX {
            return Err(VerpError::TooLong);
        }
        if local_part.starts_with('"') || !local_part.is_ascii() {
            return Err(VerpError::NotPlain);
        }
        let verp = Self {
            local_part: local_part.into(),
            host: bounce_address.host_text().into(),
            key: hmac::Key::new(hmac::HMAC_SHA256, secret),
        };
        // The longest there can be: if it is legal, they all are.
        let longest = Returned { id: QueueId::from_bits(u64::MAX), recipient: u16::MAX };
        Mailbox::parse(&verp.text(longest, bounce_address))?;
        Ok(verp)
    }

    /// The reverse-path for a recipient with that address. The same each time.
    pub fn encode(&self, returned: Returned, address: &Mailbox) -> Mailbox {
        Mailbox::parse(&self.text(returned, address))
            .expect("`new` has parsed a longer one of this form")
    }

    /// The recipient that a reverse-path was made for; none if it is not one of ours. Hosts
    /// that change the case of a local part are borne with.
    pub fn decode(&self, path: &Mailbox) -> Option<Returned> {
        if !path.host_text().eq_ignore_ascii_case(&self.host) {
            return None;
        }
        let (before, behind) = path.local_part().split_at_checked(self.local_part.len())?;
        if !before.eq_ignore_ascii_case(&self.local_part) {
            return None;
        }
        let mut parts = behind.strip_prefix('-')?.split('-');
        let (id, recipient, tag) = (parts.next()?, parts.next()?, parts.next()?);
        let returned =
            Returned { id: QueueId::parse(id).ok()?, recipient: recipient.parse().ok()? };
        let tag = tag.to_ascii_lowercase();
        // Paths without a seal were made before there were any.
        let tag = tag.get(..2 * TAG_OCTETS).filter(|_| {
            tag.len() == 2 * TAG_OCTETS || tag.len() == 2 * (TAG_OCTETS + SEAL_OCTETS)
        })?;
        let ours = self.tag(returned);
        constant_time::verify_slices_are_equal(tag.as_bytes(), ours.as_bytes()).ok()?;
        parts.next().is_none().then_some(returned)
    }

    /// Whether a reverse-path was made for a recipient with that address, in any case.
    pub fn is_for(&self, path: &Mailbox, address: &Mailbox) -> bool {
        let Some(returned) = self.decode(path) else { return false };
        let ours = self.encode(returned, address);
        let (path, ours) = (path.as_str().to_ascii_lowercase(), ours.as_str().to_ascii_lowercase());
        constant_time::verify_slices_are_equal(path.as_bytes(), ours.as_bytes()).is_ok()
    }

    fn text(&self, returned: Returned, address: &Mailbox) -> String {
        let Returned { id, recipient } = returned;
        let (tag, seal) = (self.tag(returned), self.seal(returned, address));
        format!("{}-{id}-{recipient}-{tag}{seal}@{}", self.local_part, self.host)
    }

    fn seal(&self, returned: Returned, address: &Mailbox) -> String {
        let mut signed = b"to".to_vec();
        signed.extend_from_slice(&returned.id.bits().to_be_bytes());
        signed.extend_from_slice(&returned.recipient.to_be_bytes());
        signed.extend_from_slice(address.as_str().to_lowercase().as_bytes());
        hexadecimal(hmac::sign(&self.key, &signed).as_ref(), SEAL_OCTETS)
    }

    fn tag(&self, returned: Returned) -> String {
        let mut signed = [0; 10];
        signed[..8].copy_from_slice(&returned.id.bits().to_be_bytes());
        signed[8..].copy_from_slice(&returned.recipient.to_be_bytes());
        hexadecimal(hmac::sign(&self.key, &signed).as_ref(), TAG_OCTETS)
    }
}

/// The first octets of a signature.
fn hexadecimal(signature: &[u8], octets: usize) -> String {
    signature.iter().take(octets).map(|octet| format!("{octet:02x}")).collect()
}

impl fmt::Debug for Verp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Verp({}@{})", self.local_part, self.host)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn verp(address: &str) -> Result<Verp, VerpError> {
        Verp::new(&Mailbox::parse(address).unwrap(), &[7; 32])
    }

    #[test]
    fn a_reverse_path_leads_back_to_its_recipient() {
        let verp = verp("bounce@bounces.example").unwrap();
        let returned = Returned { id: QueueId::from_bits(0x0123_4567_89ab_cdef), recipient: 3 };
        let path = verp.encode(returned, &jo());
        assert!(path.as_str().starts_with("bounce-028t5cy4tqkff-3-"), "{path}");
        assert_eq!(verp.decode(&path), Some(returned));
        let shouted = Mailbox::parse(&path.as_str().to_uppercase()).unwrap();
        assert_eq!(verp.decode(&shouted), Some(returned));
    }

    #[test]
    fn a_reverse_path_that_we_did_not_make_leads_nowhere() {
        let ours = verp("bounce@bounces.example").unwrap();
        let path = ours.encode(Returned { id: QueueId::from_bits(1), recipient: 3 }, &jo());
        let other =
            Verp::new(&Mailbox::parse("bounce@bounces.example").unwrap(), &[8; 32]).unwrap();
        assert_eq!(other.decode(&path), None);
        for text in [
            path.as_str().replace("-3-", "-4-"),
            path.as_str().replace("@bounces.", "@other."),
            path.as_str().replace("bounce-", "bounced-"),
            path.as_str().replace('@', "-x@"),
            "bounce@bounces.example".to_owned(),
            "b@bounces.example".to_owned(),
            "bounce-\u{e4}@bounces.example".to_owned(),
        ] {
            assert_eq!(ours.decode(&Mailbox::parse(&text).unwrap()), None, "{text}");
        }
    }

    fn jo() -> Mailbox {
        Mailbox::parse("jo@example.net").unwrap()
    }

    #[test]
    fn a_reverse_path_is_for_one_address_and_no_other() {
        let verp = verp("bounce@bounces.example").unwrap();
        let path = verp.encode(Returned { id: QueueId::from_bits(7), recipient: 3 }, &jo());
        assert!(verp.is_for(&path, &Mailbox::parse("Jo@Example.NET").unwrap()));
        assert!(!verp.is_for(&path, &Mailbox::parse("al@example.net").unwrap()));
        let (local_part, host) = path.as_str().split_once('@').unwrap();
        let unsealed = &local_part[..local_part.len() - 2 * SEAL_OCTETS];
        let unsealed = Mailbox::parse(&format!("{unsealed}@{host}")).unwrap();
        assert_eq!(verp.decode(&unsealed), verp.decode(&path));
        assert!(!verp.is_for(&unsealed, &jo()));
    }

    #[test]
    fn an_address_that_nothing_fits_behind_is_refused() {
        assert_eq!(verp(&format!("{}@b.c", "a".repeat(28))).unwrap_err(), VerpError::TooLong);
        assert_eq!(verp("\"a b\"@b.c").unwrap_err(), VerpError::NotPlain);
        assert!(verp(&format!("{}@b.c", "a".repeat(27))).is_ok());
    }

    proptest! {
        #[test]
        fn every_local_part_fits_in_64_octets(bits: u64, recipient: u16, octets in 1_usize..=27) {
            let verp = verp(&format!("{}@bounces.example", "a".repeat(octets))).unwrap();
            let returned = Returned { id: QueueId::from_bits(bits), recipient };
            let path = verp.encode(returned, &jo());
            prop_assert!(path.local_part().len() <= 64);
            prop_assert_eq!(verp.decode(&path), Some(returned));
        }
    }
}
