//! Secrets that are shown once: API tokens as clients carry them, and what is kept of them.

use std::fmt;

use aws_lc_rs::{digest, rand};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq as _;

/// A token as a client carries it: `plt_` and 256 random bits in base 64 (RFC 4648 §5), so that
/// programs which look for leaked secrets can tell it. It is never kept.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretText(Box<str>);

/// What is kept of a token: its SHA-256. The token has 256 bits of chance, so that there is nothing
/// to be guessed and a slow hash would gain nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SecretHash(pub(crate) [u8; 32]);

/// What a token begins with.
const MARK: &str = "plt_";

/// Characters behind the mark: 32 octets in base 64 without padding.
const CHARACTERS: usize = 43;

impl SecretText {
    /// A new one, of chance.
    pub fn random() -> Self {
        Self::of(&random())
    }

    fn of(octets: &[u8; 32]) -> Self {
        Self(format!("{MARK}{}", URL_SAFE_NO_PAD.encode(octets)).into())
    }

    /// Reads what a client sent; none for what can be no token.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(MARK)?;
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        (rest.len() == CHARACTERS && rest.bytes().all(plain)).then(|| Self(text.into()))
    }

    /// The token, to be shown once, or to be sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What is kept of it.
    pub fn hash(&self) -> SecretHash {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest::digest(&digest::SHA256, self.0.as_bytes()).as_ref());
        SecretHash(hash)
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{MARK}…")
    }
}

impl SecretHash {
    /// Whether both are the same, in constant time.
    pub fn agrees(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash")
    }
}

/// Octets that nobody can foresee.
pub(crate) fn random() -> [u8; 32] {
    let mut octets = [0; 32];
    rand::fill(&mut octets).expect("the system's generator of chance does not fail once it runs");
    octets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_told_by_its_mark_and_never_printed_by_accident() {
        let token = SecretText::of(&[7; 32]);
        assert_eq!(token.as_str(), "plt_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc");
        assert_eq!(SecretText::parse(token.as_str()), Some(token.clone()));
        assert_eq!(format!("{token:?}"), "plt_…");
        for wrong in ["", "plt_", "plt_BwcH", &token.as_str()[4..], &format!("{}x", token.as_str())]
        {
            assert_eq!(SecretText::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn two_tokens_are_never_the_same() {
        let (one, other) = (SecretText::random(), SecretText::random());
        assert_ne!(one, other);
        assert!(!one.hash().agrees(&other.hash()) && one.hash().agrees(&one.hash()));
    }
}
