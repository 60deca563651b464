//! A table of a scenario, key by key.

use std::fmt::{Display, Write as _};

/// A table that is being written.
pub(super) struct Table(String);

impl Table {
    pub(super) fn new(header: &str) -> Self {
        Self(format!("\n{header}\n"))
    }

    /// A number, a flag, a list or a table in braces, as it is.
    pub(super) fn plain(&mut self, key: &str, value: impl Display) -> &mut Self {
        let _ = writeln!(self.0, "{key} = {value}");
        self
    }

    pub(super) fn text(&mut self, key: &str, value: &str) -> &mut Self {
        self.plain(key, quoted(value))
    }

    pub(super) fn finish(self) -> String {
        self.0
    }
}

/// A string as TOML writes it.
pub(super) fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// A number with at most three places.
pub(super) fn short(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}

/// Minutes, in the unit people use.
pub(super) fn minutes(minutes: u64) -> String {
    match minutes {
        m if m > 0 && m.is_multiple_of(1_440) => format!("{}d", m / 1_440),
        m if m > 0 && m.is_multiple_of(60) => format!("{}h", m / 60),
        m => format!("{m}m"),
    }
}
