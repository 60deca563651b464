//! Saved views, as JSON.

use postlane_registry::SavedView;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::time::{Timestamp, timestamp};

/// A view to be saved, in the place of the one of that name.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ViewRequest {
    /// What it is called, such as `GMX 421, last 24 h`: 200 octets at most.
    pub name: String,
    /// What it looks at: `log`, `queue`, `lanes` or `suppressions`.
    pub page: String,
    /// The query, as it stands behind the `?` of the address: `provider=gmx&code=421`.
    pub query: String,
}

/// A saved view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ViewRow {
    /// What it is called.
    pub name: String,
    /// What it looks at.
    pub page: String,
    /// The query.
    pub query: String,
    /// When it was last saved.
    pub changed_at: Timestamp,
    /// Who saved it.
    pub changed_by: String,
}

/// Saved views.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ViewPage {
    /// By name.
    pub views: Vec<ViewRow>,
}

/// What views look at.
pub const VIEW_PAGES: [&str; 4] = ["log", "queue", "lanes", "suppressions"];

impl From<SavedView> for ViewRow {
    fn from(view: SavedView) -> Self {
        let SavedView { name, page, query, changed, changed_by, .. } = view;
        Self { name, page, query, changed_at: timestamp(changed), changed_by }
    }
}
