//! Who may ask: whoever knows the token in DATA/token.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use subtle::ConstantTimeEq as _;

use crate::problem::Problem;

/// The token that the API asks for: 256 random bits in hexadecimal, kept in a file that only
/// its owner can read.
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
    /// It does not hold 64 hexadecimal digits.
    #[error(
        "the token file {path} does not hold 64 hexadecimal digits; remove it, and a new one is made"
    )]
    Content {
        /// Where it is.
        path: PathBuf,
    },
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
        if text.len() != 64 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(TokenError::Content { path: path.to_owned() });
        }
        Ok(Self(text.into()))
    }

    /// The token, for the `Authorization` header of who asks.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn agrees(&self, given: &str) -> bool {
        // In constant time, so that an answer's delay says nothing about the digits.
        self.0.as_bytes().ct_eq(given.as_bytes()).into()
    }
}

/// Lets a request through if it carries the token.
pub(crate) async fn check(State(token): State<Token>, request: Request, next: Next) -> Response {
    let given = request.headers().get(header::AUTHORIZATION).and_then(|v| v.to_str().ok());
    match given.and_then(|v| v.strip_prefix("Bearer ")) {
        Some(given) if token.agrees(given.trim()) => next.run(request).await,
        _ => Problem::new(
            StatusCode::UNAUTHORIZED,
            "the request carries no valid token; send `Authorization: Bearer TOKEN` with the \
             content of the file `token` in the data directory",
        )
        .into_response(),
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
