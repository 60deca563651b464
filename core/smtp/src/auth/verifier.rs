//! What a server keeps of a password for SCRAM-SHA-256, so that it need not keep the password.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use aws_lc_rs::{digest, hmac, pbkdf2};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use subtle::ConstantTimeEq as _;

/// Octets of a key or signature: those of SHA-256.
const KEY_OCTETS: usize = 32;

/// Octets of a salt, at most. Chosen, not measured.
const SALT_OCTETS_MAX: usize = 64;

/// What is kept of a password (RFC 5802 §3). Whoever has it can find the password only by
/// guessing, but can pretend to be the server: it is as secret as a password's hash.
///
/// Written as `SCRAM-SHA-256$4096:salt$stored-key:server-key`, the form that PostgreSQL knows.
#[derive(Clone, PartialEq, Eq)]
pub struct ScramVerifier {
    salt: Box<[u8]>,
    iterations: NonZeroU32,
    stored_key: [u8; KEY_OCTETS],
    server_key: [u8; KEY_OCTETS],
}

/// A text is no verifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not of the form SCRAM-SHA-256$iterations:salt$stored-key:server-key, the three in base 64"
)]
pub struct VerifierError;

impl ScramVerifier {
    /// The rounds of PBKDF2 where nothing else is said: what RFC 7677 §4 asks for at least. A
    /// server reckons nothing at login; the client pays, and so does who guesses.
    pub const ITERATIONS: NonZeroU32 = NonZeroU32::new(4096).expect("4096 is not zero");

    /// Makes a verifier. This takes milliseconds of a processor for some thousand rounds. The
    /// salt is of chance and has 16 octets, as those have that users are shown who do not exist;
    /// of a longer one 64 are used.
    pub fn derive(password: &str, salt: &[u8], iterations: NonZeroU32) -> Self {
        let salt = &salt[..salt.len().min(SALT_OCTETS_MAX)];
        let mut salted = zeroize::Zeroizing::new([0; KEY_OCTETS]);
        let algorithm = pbkdf2::PBKDF2_HMAC_SHA256;
        pbkdf2::derive(algorithm, iterations, salt, password.as_bytes(), &mut *salted);
        Self {
            salt: salt.into(),
            iterations,
            stored_key: sha256(&keyed(&*salted, &[b"Client Key"])),
            server_key: keyed(&*salted, &[b"Server Key"]),
        }
    }

    /// What a user is asked who does not exist: always the same of the same user, so that
    /// nobody can find out who does. No proof fits it.
    pub(crate) fn decoy(user: &str, decoy: &Decoy) -> Self {
        let [salt, stored_key, server_key] = [&b"salt"[..], b"stored key", b"server key"]
            .map(|what| keyed(&decoy.secret, &[what, b"\0", user.as_bytes()]));
        let salt = salt[..16].into();
        Self { salt, iterations: decoy.iterations, stored_key, server_key }
    }

    /// Whether it was made of this password. It takes as long as [`Self::derive`].
    pub fn accepts(&self, password: &str) -> bool {
        let other = Self::derive(password, &self.salt, self.iterations);
        self.stored_key.ct_eq(&other.stored_key).into()
    }

    /// Whether a proof is one of the password, for what was said (RFC 5802 §3).
    pub(crate) fn proves(&self, proof: &[u8], said: &[&[u8]]) -> bool {
        let Ok(mut key) = <[u8; KEY_OCTETS]>::try_from(proof) else { return false };
        let signature = keyed(&self.stored_key, said);
        key.iter_mut().zip(signature).for_each(|(key, signature)| *key ^= signature);
        self.stored_key.ct_eq(&sha256(&key)).into()
    }

    /// The server's own proof, for what was said.
    pub(crate) fn sign(&self, said: &[&[u8]]) -> [u8; KEY_OCTETS] {
        keyed(&self.server_key, said)
    }

    /// What the client is told of it: salt in base 64 and rounds, as attributes.
    pub(crate) fn challenge(&self) -> String {
        format!("s={},i={}", STANDARD.encode(&self.salt), self.iterations)
    }
}

impl fmt::Debug for ScramVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SCRAM-SHA-256 …")
    }
}

impl fmt::Display for ScramVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [salt, stored, server] =
            [&*self.salt, &self.stored_key, &self.server_key].map(|octets| STANDARD.encode(octets));
        write!(f, "SCRAM-SHA-256${}:{salt}${stored}:{server}", self.iterations)
    }
}

impl FromStr for ScramVerifier {
    type Err = VerifierError;

    fn from_str(text: &str) -> Result<Self, VerifierError> {
        let parts = text.strip_prefix("SCRAM-SHA-256$").and_then(|rest| {
            let (asked, keys) = rest.split_once('$')?;
            Some((asked.split_once(':')?, keys.split_once(':')?))
        });
        let ((iterations, salt), (stored, server)) = parts.ok_or(VerifierError)?;
        let octets = |text| STANDARD.decode(text).map_err(|_| VerifierError);
        let key = |text| octets(text)?.try_into().map_err(|_| VerifierError);
        let salt = octets(salt)?;
        if salt.is_empty() || salt.len() > SALT_OCTETS_MAX {
            return Err(VerifierError);
        }
        Ok(Self {
            salt: salt.into(),
            iterations: iterations.parse().map_err(|_| VerifierError)?,
            stored_key: key(stored)?,
            server_key: key(server)?,
        })
    }
}

/// How users who do not exist are made to look as if they did.
#[derive(Clone, PartialEq, Eq)]
pub struct Decoy {
    /// A secret of the house that outlives restarts.
    pub secret: [u8; 32],
    /// The rounds that verifiers of real users have.
    pub iterations: NonZeroU32,
}

impl fmt::Debug for Decoy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

fn sha256(octets: &[u8]) -> [u8; KEY_OCTETS] {
    let mut sum = [0; KEY_OCTETS];
    sum.copy_from_slice(digest::digest(&digest::SHA256, octets).as_ref());
    sum
}

/// HMAC-SHA-256 over all the pieces.
fn keyed(key: &[u8], pieces: &[&[u8]]) -> [u8; KEY_OCTETS] {
    let mut signing = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
    pieces.iter().for_each(|piece| signing.update(piece));
    let mut tag = [0; KEY_OCTETS];
    tag.copy_from_slice(signing.sign().as_ref());
    tag
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verifier_knows_its_password_and_is_read_back_from_its_print() {
        let verifier =
            ScramVerifier::derive("pencil", b"0123456789abcdef", ScramVerifier::ITERATIONS);
        assert!(verifier.accepts("pencil"));
        assert!(!verifier.accepts("Pencil"));
        assert!(!verifier.accepts(""));
        assert_eq!(verifier.to_string().parse(), Ok(verifier.clone()));
        assert_eq!(format!("{verifier:?}"), "SCRAM-SHA-256 …");
    }

    #[test]
    fn what_is_no_verifier_is_refused() {
        let key = STANDARD.encode([7; 32]);
        let good = format!("SCRAM-SHA-256$4096:QSXCR+Q6sek8bf92${key}:{key}");
        assert!(good.parse::<ScramVerifier>().is_ok());
        for bad in [
            "".to_owned(),
            "pencil".to_owned(),
            good.replace("256", "1"),
            good.replace("4096", "0"),
            good.replace("4096", "-1"),
            good.replace("QSXCR+Q6sek8bf92", ""),
            good.replace("QSXCR+Q6sek8bf92", "?"),
            good.replace(&key, "QSXC"),
            good.trim_end_matches(&key).to_owned(),
        ] {
            assert_eq!(bad.parse::<ScramVerifier>(), Err(VerifierError), "{bad}");
        }
    }

    #[test]
    fn a_decoy_is_the_same_each_time_and_another_for_another_user() {
        let house = Decoy { secret: [1; 32], iterations: ScramVerifier::ITERATIONS };
        let jo = ScramVerifier::decoy("jo", &house);
        assert_eq!(jo, ScramVerifier::decoy("jo", &house));
        assert_ne!(jo, ScramVerifier::decoy("ann", &house));
        let elsewhere = Decoy { secret: [2; 32], ..house };
        assert_ne!(jo, ScramVerifier::decoy("jo", &elsewhere));
    }
}
