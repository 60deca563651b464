//! Saved views: a question about the log, the queue or the lanes that somebody wants to ask again.

use postlane_mail::{Instant, Label};
use rusqlite::{Row, params};

use crate::database::{Database, kept, moment};
use crate::error::RegistryError;

/// A saved view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedView {
    /// Whose it is; [`Label::NONE`] for everybody who is bound to no tenant.
    pub tenant: Label,
    /// What it is called: 1 to 100 characters, such as `GMX 421, last 24 h`.
    pub name: String,
    /// What it looks at: `log`, `queue`, `lanes`.
    pub page: String,
    /// The query, as it stands behind the `?` of the address.
    pub query: String,
    /// When it was last changed.
    pub changed: Instant,
    /// Who changed it.
    pub changed_by: String,
}

/// Views of one tenant, at most. Chosen, not measured.
pub const VIEWS_MAX: usize = 500;

/// Octets of a view's name and of its query.
const NAME_OCTETS_MAX: usize = 200;
const QUERY_OCTETS_MAX: usize = 4096;

impl SavedView {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let tenant: String = row.get("tenant")?;
        Ok(Self {
            tenant: Label::parse(&tenant).unwrap_or_default(),
            name: row.get("name")?,
            page: row.get("page")?,
            query: row.get("query")?,
            changed: moment(row, "changed")?,
            changed_by: row.get("changed_by")?,
        })
    }

    fn refusal(&self) -> Option<&'static str> {
        let is_named = !self.name.trim().is_empty() && self.name.len() <= NAME_OCTETS_MAX;
        if !is_named || self.name.chars().any(char::is_control) {
            return Some("a view is named by 1 to 200 octets without control characters");
        }
        let is_long = self.query.len() > QUERY_OCTETS_MAX || self.page.len() > NAME_OCTETS_MAX;
        is_long.then_some("the query has more than 4096 octets: ask for less at once")
    }
}

impl Database {
    /// Saves a view, in the place of the tenant's own one of that name.
    ///
    /// # Errors
    /// A name, a page or a query that no view has; [`VIEWS_MAX`] already; or the file cannot be
    /// written.
    pub fn save_view(&mut self, view: &SavedView) -> Result<(), RegistryError> {
        if let Some(says) = view.refusal() {
            return Err(RegistryError::Refused(says));
        }
        let others = self.views(&view.tenant)?;
        if others.len() >= VIEWS_MAX && others.iter().all(|other| other.name != view.name) {
            return Err(RegistryError::Full { what: "view", max: VIEWS_MAX });
        }
        self.write(|t| {
            t.execute(
                "INSERT OR REPLACE INTO saved_view (tenant, name, page, query, changed, changed_by)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![
                    view.tenant.as_str(),
                    view.name,
                    view.page,
                    view.query,
                    kept(view.changed),
                    view.changed_by
                ],
            )
        })?;
        Ok(())
    }

    /// A tenant's views, by name; with [`Label::NONE`] those that are nobody's in particular.
    pub fn views(&mut self, tenant: &Label) -> Result<Vec<SavedView>, RegistryError> {
        let failed = |e: rusqlite::Error| self.failed(&e);
        let query = "SELECT * FROM saved_view WHERE tenant = ?1 ORDER BY name";
        let mut query = self.connection.prepare_cached(query).map_err(failed)?;
        let views = query.query_map([tenant.as_str()], SavedView::read).map_err(failed)?;
        views.collect::<Result<_, _>>().map_err(failed)
    }

    /// Removes a tenant's view.
    ///
    /// # Errors
    /// The tenant has none of that name, or the file cannot be written.
    pub fn remove_view(&mut self, tenant: &Label, name: &str) -> Result<(), RegistryError> {
        let remove = "DELETE FROM saved_view WHERE tenant = ?1 AND name = ?2";
        let gone = self.write(|t| t.execute(remove, params![tenant.as_str(), name]))?;
        match gone {
            0 => Err(RegistryError::Unknown { what: "view", name: name.to_owned() }),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(tenant: &str, name: &str, query: &str) -> SavedView {
        SavedView {
            tenant: Label::parse(tenant).unwrap(),
            name: name.to_owned(),
            page: "log".to_owned(),
            query: query.to_owned(),
            changed: Instant(7),
            changed_by: "jo".to_owned(),
        }
    }

    #[test]
    fn a_view_is_its_tenants_alone_and_the_last_one_saved_counts() {
        let dir = tempfile::tempdir().unwrap();
        let mut database = Database::open(&dir.path().join("registry.db")).unwrap();
        let name = "GMX 421, last 24 h";
        database.save_view(&view("acme", name, "code=421")).unwrap();
        database.save_view(&view("", name, "code=550")).unwrap();
        database.save_view(&view("acme", name, "code=421&since=24h")).unwrap();
        let acme = Label::parse("acme").unwrap();
        assert_eq!(database.views(&acme).unwrap(), [view("acme", name, "code=421&since=24h")]);
        database.remove_view(&acme, name).unwrap();
        assert!(database.remove_view(&acme, name).is_err());
        assert_eq!(database.views(&Label::NONE).unwrap().len(), 1);
    }

    #[test]
    fn a_view_without_a_name_or_with_an_endless_query_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let mut database = Database::open(&dir.path().join("registry.db")).unwrap();
        let long = "x".repeat(QUERY_OCTETS_MAX + 1);
        for wrong in [view("", " ", "a"), view("", "a\nb", "a"), view("", "a", &long)] {
            assert!(matches!(database.save_view(&wrong), Err(RegistryError::Refused(_))));
        }
    }

    #[test]
    fn there_are_only_so_many_views() {
        let dir = tempfile::tempdir().unwrap();
        let mut database = Database::open(&dir.path().join("registry.db")).unwrap();
        database
            .write(|t| {
                for n in 0..VIEWS_MAX {
                    let values = params![n.to_string()];
                    let add = "INSERT INTO saved_view VALUES ('', ?1, 'log', '', 0, '')";
                    t.execute(add, values)?;
                }
                Ok(())
            })
            .unwrap();
        let full = database.save_view(&view("", "one more", ""));
        assert!(matches!(full, Err(RegistryError::Full { .. })), "{full:?}");
        database.save_view(&view("", "7", "changed")).unwrap();
    }
}
