//! What kind of mail a message is.

use std::fmt;

/// Transactional first, always; cold last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Stream {
    /// Somebody waits for it: a receipt, a code, a password reset.
    Transactional,
    /// To people who read what they get.
    #[default]
    Engaged,
    /// To people who have not opened anything for long.
    Cold,
}

impl Stream {
    /// All of them, most urgent first.
    pub const ALL: [Self; 3] = [Self::Transactional, Self::Engaged, Self::Cold];

    /// Reads a stream's name, in any case.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stream| text.eq_ignore_ascii_case(stream.as_str()))
    }

    /// The name, as in headers, configuration and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Transactional => "transactional",
            Self::Engaged => "engaged",
            Self::Cold => "cold",
        }
    }
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
