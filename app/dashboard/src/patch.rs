//! A part of a page, as it is drawn.

use askama::Template;
use serde::Serialize;

/// A part of a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Patch {
    /// Its name.
    pub(crate) part: String,
    /// What it is now.
    pub(crate) html: String,
}

impl Patch {
    /// A part as it is drawn.
    pub(crate) fn of(part: &str, template: &impl Template) -> Self {
        Self { part: part.to_owned(), html: drawn(template) }
    }
}

/// A part as it stands in its page, in an element with `data-part` and its name.
pub(crate) fn drawn(template: &impl Template) -> String {
    // A template of ours writes into memory, which does not fail.
    template.render().unwrap_or_default()
}
