//! Light or dark, as somebody chose in this browser.

use axum::http::HeaderMap;

use super::cookie::cookie;

/// Light or dark; as the system has it where nobody chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Theme {
    System,
    Light,
    Dark,
}

impl Theme {
    /// What somebody chose in this browser.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        match cookie(headers, "theme") {
            Some("light") => Self::Light,
            Some("dark") => Self::Dark,
            _ => Self::System,
        }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}
