//! The first admin: whoever can read a file of this machine makes it.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq as _;

/// The file with the one-time token by which the first admin is made; it is gone when there is one.
#[derive(Debug, Clone)]
pub struct SetupToken(PathBuf);

/// The file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// It cannot be written or removed.
    #[error("the file {path} with the token for the first sign-in cannot be used: {source}")]
    File {
        /// Where it is.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl SetupToken {
    /// The file `setup-token` of a data directory.
    pub fn of(data: &Path) -> Self {
        Self(data.join("setup-token"))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Makes it anew, with 256 random bits, for its owner alone: what another start has made opens
    /// nothing any more.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn make(&self) -> Result<(), SetupError> {
        self.remove()?;
        let mut octets = [0; 32];
        rand::fill(&mut octets).map_err(|_| self.failed(io::ErrorKind::Other.into()))?;
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&self.0);
        let written = made.and_then(|mut file| {
            writeln!(file, "{}", URL_SAFE_NO_PAD.encode(octets))?;
            file.sync_all()
        });
        written.map_err(|e| self.failed(e))
    }

    /// Removes it: it opens nothing any more.
    ///
    /// # Errors
    /// It is there and cannot be removed.
    pub fn remove(&self) -> Result<(), SetupError> {
        match fs::remove_file(&self.0) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(self.failed(e)),
            _ => Ok(()),
        }
    }

    /// Whether somebody has read it.
    pub(crate) fn agrees(&self, given: &str) -> bool {
        let Ok(text) = fs::read_to_string(&self.0) else { return false };
        let text = text.trim();
        text.len() == 43 && text.as_bytes().ct_eq(given.trim().as_bytes()).into()
    }

    fn failed(&self, source: io::Error) -> SetupError {
        SetupError::File { path: self.0.clone(), source }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_token_is_its_owners_alone_and_opens_until_it_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let token = SetupToken::of(dir.path());
        assert!(!token.agrees(""), "there is none");
        token.make().unwrap();
        let mode = fs::metadata(token.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let first = fs::read_to_string(token.path()).unwrap();
        assert!(token.agrees(&first) && !token.agrees("") && !token.agrees("x"));
        token.make().unwrap();
        assert!(!token.agrees(&first), "a new start has a new one");
        token.remove().unwrap();
        token.remove().unwrap();
        assert!(!token.agrees(&first));
    }

    #[test]
    fn an_empty_file_opens_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let token = SetupToken::of(dir.path());
        fs::write(token.path(), "").unwrap();
        assert!(!token.agrees(""));
    }
}
