//! Names that a sender gives: tenants and campaigns.

use std::fmt;
use std::sync::Arc;

/// A tenant's or campaign's name: 1 to 64 of `A-Z a-z 0-9 . _ -`, or nothing.
///
/// Nothing means that nobody in particular is meant. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label(Option<Arc<str>>);

/// A text is no label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a tenant or campaign is named by 1 to 64 letters, digits, dots, hyphens and underscores")]
pub struct LabelError;

impl Label {
    /// Nobody in particular.
    pub const NONE: Self = Self(None);

    /// Reads a label; empty text is [`Self::NONE`].
    pub fn parse(text: &str) -> Result<Self, LabelError> {
        if text.is_empty() {
            return Ok(Self::NONE);
        }
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        if text.len() > 64 || !text.bytes().all(plain) {
            return Err(LabelError);
        }
        Ok(Self(Some(text.into())))
    }

    /// The name; empty when nobody in particular is meant.
    pub fn as_str(&self) -> &str {
        self.0.as_deref().unwrap_or_default()
    }

    /// Whether nobody in particular is meant.
    pub fn is_none(&self) -> bool {
        self.0.is_none()
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Default for Label {
    fn default() -> Self {
        Self::NONE
    }
}
