//! One file of a pack.

/// A file of a pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackFile {
    /// Its path within the pack: lower-case letters, digits, `.`, `-` and `/`.
    pub name: String,
    /// What is in it.
    pub octets: Vec<u8>,
}

impl PackFile {
    pub(super) fn text(name: &str, text: String) -> Self {
        Self { name: name.to_owned(), octets: text.into_bytes() }
    }
}
