//! Whether a body is the one that was signed.

use aws_lc_rs::digest::{self, SHA1_FOR_LEGACY_USE_ONLY, SHA256};

use super::canon::{BodyCanon, Canon};
use super::signature::{Algorithm, Signature};
use super::why::Why;

/// The hashes of one body; each form is gone through once.
pub(crate) struct Hashes<'a> {
    body: &'a [u8],
    done: Vec<(HashOf, Option<Vec<u8>>)>,
}

/// What of a body is hashed, and how.
#[derive(Clone, Copy, PartialEq, Eq)]
struct HashOf {
    canon: Canon,
    octets: Option<u64>,
    is_sha1: bool,
}

impl<'a> Hashes<'a> {
    pub(crate) fn new(body: &'a [u8]) -> Self {
        Self { body, done: Vec::new() }
    }

    /// Whether the body is the one that was signed.
    pub(crate) fn is_intact(&mut self, signature: &Signature) -> Result<bool, Why> {
        let key = HashOf {
            canon: signature.body_canon,
            octets: signature.body_octets,
            is_sha1: signature.algorithm == Algorithm::RsaSha1,
        };
        let at = self.done.iter().position(|(other, _)| *other == key);
        let at = at.unwrap_or_else(|| {
            self.done.push((key, self.hash(key)));
            self.done.len() - 1
        });
        let hash = self.done.get(at).and_then(|(_, hash)| hash.as_ref());
        hash.map(|hash| *hash == signature.body_hash).ok_or(Why::BodyShort)
    }

    /// The hash of a form, or of its first octets; none if there are fewer.
    fn hash(&self, HashOf { canon, octets, is_sha1 }: HashOf) -> Option<Vec<u8>> {
        let algorithm = if is_sha1 { &SHA1_FOR_LEGACY_USE_ONLY } else { &SHA256 };
        let mut hash = digest::Context::new(algorithm);
        let mut left = octets.unwrap_or(u64::MAX);
        let mut form = BodyCanon::new(canon);
        let mut out = |piece: &[u8]| {
            let fits = usize::try_from(left).unwrap_or(usize::MAX).min(piece.len());
            hash.update(&piece[..fits]);
            left -= fits as u64;
        };
        form.feed(self.body, &mut out);
        form.finish(&mut out);
        (octets.is_none() || left == 0).then(|| hash.finish().as_ref().to_vec())
    }
}
