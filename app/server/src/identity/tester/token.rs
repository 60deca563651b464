//! Test addresses and links, which prove themselves: a flood of guesses costs no memory and no disk.
//!
//! `test-1f0c66a0e1d2-2cf3d41-9f2c41d07a51c3be@test.example.com`: the test, the minute since 1970 in
//! which it ends, and a tag that only we can make. The link has another tag, of 160 bits, which
//! nobody can find who knows the address alone.

use std::fmt;

use aws_lc_rs::{constant_time, hmac};
use postlane_mail::{Domain, Instant, Mailbox, Span};

use crate::ground::secret::HouseSecret;

/// Which test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TestId(u64);

/// Makes and reads addresses and links.
pub(crate) struct Tokens {
    domain: Domain,
    key: hmac::Key,
}

/// Digits of a test's name: 48 bits of chance.
const ID_DIGITS: usize = 12;

/// Octets of an address's tag: a guess is right once in 2^64. Chosen, not measured.
const TAG_OCTETS: usize = 8;

/// Octets of a link's tag.
const LINK_OCTETS: usize = 20;

impl TestId {
    /// One of 2^48.
    pub(crate) fn of_chance(octets: [u8; 8]) -> Self {
        Self(u64::from_be_bytes(octets) >> 16)
    }

    /// Reads twelve digits in hexadecimal.
    pub fn parse(text: &str) -> Option<Self> {
        let is_digit = |b: u8| b.is_ascii_digit() || matches!(b, b'a'..=b'f');
        let is_one = text.len() == ID_DIGITS && text.bytes().all(is_digit);
        is_one.then(|| u64::from_str_radix(text, 16).ok()).flatten().map(Self)
    }
}

impl fmt::Display for TestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:012x}", self.0)
    }
}

impl Tokens {
    pub(crate) fn new(domain: Domain, secret: &HouseSecret) -> Self {
        Self { domain, key: hmac::Key::new(hmac::HMAC_SHA256, &secret.0) }
    }

    /// A moment that an address can say: the end of its minute.
    pub(crate) fn whole_minute(at: Instant) -> Instant {
        Instant::from_unix_s((at.unix_ms() / 60_000 + 1) * 60)
    }

    /// Whether an address is of the test domain.
    pub(crate) fn is_of_domain(&self, mailbox: &Mailbox) -> bool {
        mailbox.host_text().eq_ignore_ascii_case(self.domain.as_str())
    }

    /// The address that takes mail for a test until then.
    pub(crate) fn address(&self, id: TestId, until: Instant) -> String {
        let minute = until.unix_ms() / 60_000;
        format!("test-{id}-{minute:x}-{}@{}", self.tag(id, minute), self.domain)
    }

    /// Which test an address is for, and until when; none if it is not one of ours. Hosts that
    /// change the case of a local part are borne with.
    pub(crate) fn read(&self, mailbox: &Mailbox) -> Option<(TestId, Instant)> {
        let local_part = mailbox.local_part().to_ascii_lowercase();
        let mut parts = local_part.strip_prefix("test-")?.split('-');
        let (id, minute, tag) = (parts.next()?, parts.next()?, parts.next()?);
        let (id, minute) = (TestId::parse(id)?, u64::from_str_radix(minute, 16).ok()?);
        let ours = self.tag(id, minute);
        constant_time::verify_slices_are_equal(tag.as_bytes(), ours.as_bytes()).ok()?;
        let until = Instant::default() + Span::from_min(minute.min(u64::from(u32::MAX)));
        parts.next().is_none().then_some((id, until))
    }

    /// What the link to a test's report ends in.
    pub(crate) fn link(&self, id: TestId) -> String {
        format!("{id}{}", self.sign(&[b"report", id.to_string().as_bytes()], LINK_OCTETS))
    }

    /// Which test a link is for; none if it is not one of ours.
    pub(crate) fn read_link(&self, text: &str) -> Option<TestId> {
        let (id, _) = text.split_at_checked(ID_DIGITS)?;
        let id = TestId::parse(id)?;
        let ours = self.link(id);
        constant_time::verify_slices_are_equal(text.as_bytes(), ours.as_bytes()).ok()?;
        Some(id)
    }

    fn tag(&self, id: TestId, minute: u64) -> String {
        self.sign(&[b"test", id.to_string().as_bytes(), &minute.to_be_bytes()], TAG_OCTETS)
    }

    fn sign(&self, parts: &[&[u8]], octets: usize) -> String {
        // Reverse-paths are signed with the same secret, and begin otherwise.
        let mut signed = b"tester\0".to_vec();
        for part in parts {
            signed.extend_from_slice(part);
            signed.push(0);
        }
        let tag = hmac::sign(&self.key, &signed);
        tag.as_ref().iter().take(octets).map(|octet| format!("{octet:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNTIL: Instant = Instant::from_unix_s(1_800_000_000);

    fn tokens(secret: u8) -> Tokens {
        Tokens::new(Domain::parse("test.example").unwrap(), &HouseSecret([secret; 32]))
    }

    fn mailbox(text: &str) -> Mailbox {
        Mailbox::parse(text).unwrap()
    }

    #[test]
    fn an_address_leads_to_its_test_and_says_until_when() {
        let (tokens, id) = (tokens(7), TestId::of_chance([9; 8]));
        let address = mailbox(&tokens.address(id, UNTIL));
        assert_eq!(tokens.read(&address), Some((id, UNTIL)));
        assert_eq!(tokens.read(&mailbox(&address.as_str().to_uppercase())), Some((id, UNTIL)));
        assert!(address.local_part().len() <= 64);
    }

    #[test]
    fn an_address_that_we_did_not_make_leads_nowhere() {
        let (ours, id) = (tokens(7), TestId::of_chance([9; 8]));
        let address = ours.address(id, UNTIL);
        assert_eq!(tokens(8).read(&mailbox(&address)), None);
        let later = address.replace("-1c9c380-", "-1c9c381-");
        assert_ne!(later, address);
        for text in [&later, "test-1-2-3@test.example", "test@test.example", "a@test.example"] {
            assert_eq!(ours.read(&mailbox(text)), None, "{text}");
        }
    }

    #[test]
    fn who_knows_the_address_does_not_know_the_link() {
        let (ours, id) = (tokens(7), TestId::of_chance([9; 8]));
        let (address, link) = (ours.address(id, UNTIL), ours.link(id));
        assert_eq!(ours.read_link(&link), Some(id));
        assert_eq!(link.len(), ID_DIGITS + 2 * LINK_OCTETS);
        let tag = address.split(['-', '@']).nth(3).unwrap();
        assert!(!link.contains(tag));
        for text in ["", "x", &link[..40], &format!("{link}0"), &tokens(8).link(id)] {
            assert_eq!(ours.read_link(text), None, "{text}");
        }
    }
}
