//! Passwords: kept in files, or as what SCRAM makes of them; never shown.

use std::fmt;
use std::hash::{DefaultHasher, Hash as _};
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use postlane_smtp::auth::{ScramVerifier, VerifierError};

use super::{Value, Wrongs, quoted};
use crate::config::tree::Node;

/// A file whose first line is a secret, as it was when the configuration was read.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretFile {
    path: PathBuf,
    secret: Box<str>,
}

/// Rounds of hashing that are borne with: fewer are too weak (RFC 7677 §4), more would let a
/// client keep a processor busy. The larger number is chosen, not measured.
const ROUNDS: std::ops::RangeInclusive<u32> = 4_096..=1_000_000;

/// Octets of the line with a secret, its end counted. Chosen, not measured.
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
        let mut line = Vec::new();
        let mut first = BufReader::new(file).take(SECRET_OCTETS_MAX + 1);
        first.read_until(b'\n', &mut line).map_err(|e| e.to_string())?;
        if line.len() as u64 > SECRET_OCTETS_MAX {
            // Part of a password would be another one.
            return Err(format!("its first line is longer than {SECRET_OCTETS_MAX} octets"));
        }
        let line = String::from_utf8(line).map_err(|_| "its first line is not UTF-8".to_owned())?;
        match line.lines().next() {
            Some(secret) if !secret.is_empty() => Ok(Self { path, secret: secret.into() }),
            _ => Err("its first line is empty".to_owned()),
        }
    }
}

impl fmt::Debug for SecretFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} …", self.path.display())
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
        let verifier = parse_verifier(text);
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
        self.to_string().hash(hasher);
    }
}

/// Reads a verifier, in the form PostgreSQL knows, too.
pub(crate) fn parse_verifier(text: &str) -> Result<ScramVerifier, String> {
    let verifier: ScramVerifier = text.parse().map_err(|e: VerifierError| e.to_string())?;
    let rounds = text.split(['$', ':']).nth(1).and_then(|rounds| rounds.parse().ok());
    if rounds.is_none_or(|rounds: u32| !ROUNDS.contains(&rounds)) {
        let (min, max) = (ROUNDS.start(), ROUNDS.end());
        return Err(format!("it has fewer than {min} or more than {max} rounds"));
    }
    Ok(verifier)
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    fn verifier(rounds: u32) -> ScramVerifier {
        ScramVerifier::derive("pencil", b"0123456789abcdef", NonZeroU32::new(rounds).unwrap())
    }

    #[test]
    fn a_verifier_is_read_and_not_shown() {
        let read = parse_verifier(&verifier(4096).to_string()).unwrap();
        assert!(read.accepts("pencil"));
        assert_eq!(read.show(), "\"SCRAM-SHA-256$…\"");
    }

    #[test]
    fn a_weak_or_broken_verifier_is_refused() {
        assert!(parse_verifier(&verifier(4095).to_string()).unwrap_err().contains("4096"));
        assert!(parse_verifier("pencil").is_err());
    }

    #[test]
    fn a_password_is_the_whole_first_line_or_none() {
        let dir = tempfile::tempdir().unwrap();
        let load = |octets: &[u8]| {
            let path = dir.path().join("password");
            std::fs::write(&path, octets).unwrap();
            SecretFile::load(path).map(|file| file.secret().to_owned())
        };
        assert_eq!(load(b"pencil\r\nwho set it, and when\n").unwrap(), "pencil");
        assert_eq!(load("stift-ß".as_bytes()).unwrap(), "stift-ß");
        let longest = [b'p'; 4_095];
        assert_eq!(load(&[&longest[..], b"\n", &[b'x'; 9_000]].concat()).unwrap().len(), 4_095);
        for (octets, why) in [
            (&b""[..], "empty"),
            (b"\npencil\n", "empty"),
            (b"pencil\xff\n", "UTF-8"),
            (&[b'p'; 5_000], "longer than 4096"),
        ] {
            let error = load(octets).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }
}
