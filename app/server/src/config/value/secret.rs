//! Passwords: kept in files, or as what SCRAM makes of them; never shown.

use std::fmt;
use std::hash::{DefaultHasher, Hash as _};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Value, Wrongs, quoted};
use crate::config::tree::Node;

/// A file whose first line is a secret, as it was when the configuration was read.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretFile {
    path: PathBuf,
    secret: Box<str>,
}

/// What a server keeps of a password for SCRAM-SHA-256 (RFC 5802 §3, RFC 7677), written
/// `SCRAM-SHA-256$ITERATIONS:SALT$STOREDKEY:SERVERKEY` with base 64, as PostgreSQL has it.
#[derive(Clone, PartialEq, Eq)]
pub struct ScramVerifier {
    /// Rounds of hashing.
    pub iterations: u32,
    /// The salt.
    pub salt: Box<[u8]>,
    /// What a client's proof is checked against.
    pub stored_key: [u8; 32],
    /// What we prove ourselves with.
    pub server_key: [u8; 32],
}

/// A text is no verifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not of the form SCRAM-SHA-256$ITERATIONS:SALT$STOREDKEY:SERVERKEY")]
pub struct ScramVerifierError;

/// Rounds of hashing that are borne with: fewer are too weak (RFC 7677 §4), more would let a
/// client keep a processor busy. The larger number is chosen, not measured.
const ITERATIONS: std::ops::RangeInclusive<u32> = 4_096..=1_000_000;

/// Octets that are read of a file with a secret. Chosen, not measured.
const SECRET_OCTETS_MAX: u64 = 4_096;

impl SecretFile {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The secret: not to be shown.
    pub fn secret(&self) -> &str {
        &self.secret
    }

    fn load(path: PathBuf) -> Result<Self, String> {
        let file = std::fs::File::open(&path).map_err(|e| e.to_string())?;
        let mut text = String::new();
        file.take(SECRET_OCTETS_MAX).read_to_string(&mut text).map_err(|e| e.to_string())?;
        match text.lines().next() {
            Some(secret) if !secret.is_empty() => Ok(Self { path, secret: secret.into() }),
            _ => Err("its first line is empty".to_owned()),
        }
    }
}

impl ScramVerifier {
    /// Reads the form it is written in.
    pub fn parse(text: &str) -> Result<Self, ScramVerifierError> {
        let wrong = ScramVerifierError;
        let rest = text.strip_prefix("SCRAM-SHA-256$").ok_or(wrong)?;
        let (salted, keys) = rest.split_once('$').ok_or(wrong)?;
        let (iterations, salt) = salted.split_once(':').ok_or(wrong)?;
        let (stored_key, server_key) = keys.split_once(':').ok_or(wrong)?;
        let octets = |text: &str| STANDARD.decode(text).map_err(|_| wrong);
        let key = |text: &str| octets(text)?.try_into().map_err(|_| wrong);
        let iterations = iterations.parse().map_err(|_| wrong)?;
        let salt: Box<[u8]> = octets(salt)?.into();
        if !ITERATIONS.contains(&iterations) || salt.is_empty() {
            return Err(wrong);
        }
        Ok(Self { iterations, salt, stored_key: key(stored_key)?, server_key: key(server_key)? })
    }
}

impl fmt::Debug for SecretFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} …", self.path.display())
    }
}

impl fmt::Debug for ScramVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SCRAM-SHA-256 …")
    }
}

impl Value for SecretFile {
    fn form() -> String {
        "a file whose first line is the password".to_owned()
    }

    fn read(node: &Node, wrongs: &mut Wrongs<'_>) -> Option<Self> {
        let path = PathBuf::read(node, wrongs)?;
        match Self::load(path.clone()) {
            Ok(file) => Some(file),
            Err(why) => {
                let cause = format!("the file {} cannot be used: {why}", path.display());
                let cure = "write the password into its first line, and let us read it";
                wrongs.add(node, cause, cure);
                None
            }
        }
    }

    fn show(&self) -> String {
        quoted(&self.path.to_string_lossy())
    }

    fn mark(&self, hasher: &mut DefaultHasher) {
        (&self.path, &self.secret).hash(hasher);
    }
}

impl Value for ScramVerifier {
    fn form() -> String {
        "what SCRAM keeps of a password: `SCRAM-SHA-256$ITERATIONS:SALT$STOREDKEY:SERVERKEY`, \
         as `postlane config password` prints it"
            .to_owned()
    }

    fn read(node: &Node, wrongs: &mut Wrongs<'_>) -> Option<Self> {
        let text = wrongs.text(node, "\"SCRAM-SHA-256$…\"")?;
        let verifier = Self::parse(text);
        if let Err(error) = &verifier {
            // The text may be the password itself: it is not quoted.
            let cause = format!("`{}` cannot be used: {error}", wrongs.name());
            wrongs.add(node, cause, "let `postlane config password` make one of a password");
        }
        verifier.ok()
    }

    fn show(&self) -> String {
        "\"SCRAM-SHA-256$…\"".to_owned()
    }

    fn mark(&self, hasher: &mut DefaultHasher) {
        (self.iterations, &self.salt, self.stored_key, self.server_key).hash(hasher);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(iterations: u32) -> String {
        let key = STANDARD.encode([7; 32]);
        format!("SCRAM-SHA-256${iterations}:{}${key}:{key}", STANDARD.encode(b"salt"))
    }

    #[test]
    fn a_verifier_is_read_and_not_shown() {
        let verifier = ScramVerifier::parse(&text(4096)).unwrap();
        assert_eq!((verifier.iterations, &*verifier.salt), (4096, &b"salt"[..]));
        assert_eq!(format!("{verifier:?}"), "SCRAM-SHA-256 …");
        assert_eq!(verifier.show(), "\"SCRAM-SHA-256$…\"");
    }

    #[test]
    fn a_weak_or_broken_verifier_is_refused() {
        for text in [text(4095), text(2_000_000), text(4096).replace("$7", "$"), "secret".into()] {
            let broken = text.replace("BwcH", "Bwc");
            assert!(ScramVerifier::parse(&broken).is_err());
        }
    }
}
