//! The token in DATA/token: whoever can read the file is the operator of this machine.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use postlane_registry::SecretText;
use subtle::ConstantTimeEq as _;

/// A token in a file: the server's own, 256 random bits in hexadecimal that only the file's owner
/// can read and that may do everything; or, for a client, one that `postlane token new` made.
#[derive(Clone)]
pub struct Token(Box<str>);

/// The token file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// It cannot be read or written.
    #[error("the token file {path} cannot be used: {source}")]
    File {
        /// Where it is.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It holds no token.
    #[error(
        "the token file {path} does not hold a token, 64 hexadecimal digits or plt_…; if it is the server's own, remove it, and a new one is made"
    )]
    Content {
        /// Where it is.
        path: PathBuf,
    },
}

impl TokenError {
    /// Whether the file is there for somebody else.
    pub fn is_forbidden(&self) -> bool {
        matches!(self, Self::File { source, .. } if source.kind() == io::ErrorKind::PermissionDenied)
    }
}

impl Token {
    /// Reads the token, or makes the file with `fresh` random octets when there is none.
    pub fn load_or_create(path: &Path, fresh: [u8; 32]) -> Result<Self, TokenError> {
        let failed = |source| TokenError::File { path: path.to_owned(), source };
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
            Ok(mut file) => {
                let text: String = fresh.iter().map(|octet| format!("{octet:02x}")).collect();
                writeln!(file, "{text}").and_then(|()| file.sync_all()).map_err(failed)?;
                Ok(Self(text.into()))
            }
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Self::load(path),
            Err(e) => Err(failed(e)),
        }
    }

    /// Reads the token.
    pub fn load(path: &Path) -> Result<Self, TokenError> {
        let text = fs::read_to_string(path)
            .map_err(|source| TokenError::File { path: path.to_owned(), source })?;
        let text = text.trim();
        let is_ours = text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
        if !is_ours && SecretText::parse(text).is_none() {
            return Err(TokenError::Content { path: path.to_owned() });
        }
        Ok(Self(text.into()))
    }

    /// The token, for the `Authorization` header of who asks.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn agrees(&self, given: &str) -> bool {
        // In constant time, so that an answer's delay says nothing about the digits.
        self.0.as_bytes().ct_eq(given.as_bytes()).into()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_token_is_made_once_and_readable_by_its_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        let made = Token::load_or_create(&path, [7; 32]).unwrap();
        let again = Token::load_or_create(&path, [8; 32]).unwrap();
        assert_eq!(made.as_str(), again.as_str());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(made.agrees(again.as_str()) && !made.agrees("07"));
    }

    #[test]
    fn a_spoiled_token_file_is_named_with_its_cure() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        fs::write(&path, "hello").unwrap();
        let error = Token::load_or_create(&path, [7; 32]).err().unwrap().to_string();
        assert!(error.contains("remove it"), "{error}");
    }
}
