//! The audit: who has changed what, from where, and when.

use postlane_mail::{Instant, Label};
use rusqlite::{Row, params};

use crate::database::{Database, kept, moment};
use crate::error::RegistryError;

/// A change, to be written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audit {
    /// When.
    pub at: Instant,
    /// The token's name, or the user's.
    pub who: String,
    /// From where: an address, `control.sock`, or `this machine` for a command on the file itself.
    pub origin: String,
    /// Whose token it was; [`Label::NONE`] for nobody's in particular.
    pub tenant: Label,
    /// What: `POST /v1/lanes/gmx/pause`.
    pub what: String,
    /// What was asked in it, shortened.
    pub detail: String,
    /// What was answered, as an HTTP status: 403 was not done.
    pub status: u16,
}

/// A change that was written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// Its number, in order.
    pub id: i64,
    /// What it says.
    pub audit: Audit,
}

/// Which changes are meant: those that agree with everything given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// By this token or user.
    pub who: Option<String>,
    /// With these words in what was done or was sent with it, in any case of letters.
    pub text: Option<String>,
    /// From where.
    pub origin: Option<String>,
    /// Whether it was refused or failed.
    pub refused: Option<bool>,
    /// Then or later.
    pub since: Option<Instant>,
    /// Before this number, for the next page.
    pub before: Option<i64>,
}

/// Changes that are kept: the oldest go first. Chosen, not measured: some twenty megabytes.
const KEPT_MAX: i64 = 100_000;

/// Octets of one detail that are kept.
const DETAIL_OCTETS_MAX: usize = 1024;

impl AuditRow {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let tenant: String = row.get("tenant")?;
        Ok(Self {
            id: row.get("id")?,
            audit: Audit {
                at: moment(row, "at")?,
                who: row.get("who")?,
                origin: row.get("origin")?,
                tenant: Label::parse(&tenant).unwrap_or_default(),
                what: row.get("what")?,
                detail: row.get("detail")?,
                status: row.get("status")?,
            },
        })
    }
}

impl Database {
    /// Writes a change down.
    pub fn add_audit(&mut self, audit: &Audit) -> Result<(), RegistryError> {
        let detail = shortened(&audit.detail);
        self.write(|t| {
            t.execute(
                "INSERT INTO audit (at, who, origin, tenant, what, detail, status)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![
                    kept(audit.at),
                    audit.who,
                    audit.origin,
                    audit.tenant.as_str(),
                    audit.what,
                    detail,
                    audit.status
                ],
            )?;
            let oldest = t.last_insert_rowid() - KEPT_MAX;
            t.execute("DELETE FROM audit WHERE id <= ?1", [oldest])
        })?;
        Ok(())
    }

    /// Changes, the latest first.
    pub fn audits(
        &mut self,
        filter: &AuditFilter,
        limit: u32,
    ) -> Result<Vec<AuditRow>, RegistryError> {
        let failed = |e: rusqlite::Error| self.failed(&e);
        let query = "SELECT * FROM audit WHERE id < ?1 AND at >= ?2 AND (?3 IS NULL OR who = ?3)
                     AND (?5 IS NULL OR instr(lower(what || ' ' || detail), lower(?5)))
                     AND (?6 IS NULL OR origin = ?6) AND (?7 IS NULL OR (status >= 400) = ?7)
                     ORDER BY id DESC LIMIT ?4";
        let mut query = self.connection.prepare_cached(query).map_err(failed)?;
        let since = filter.since.map_or(0, kept);
        let values = params![
            filter.before.unwrap_or(i64::MAX),
            since,
            filter.who,
            limit,
            filter.text,
            filter.origin,
            filter.refused
        ];
        let rows = query.query_map(values, AuditRow::read).map_err(failed)?;
        rows.collect::<Result<_, _>>().map_err(failed)
    }
}

fn shortened(detail: &str) -> String {
    if detail.len() <= DETAIL_OCTETS_MAX {
        return detail.to_owned();
    }
    let end = detail.floor_char_boundary(DETAIL_OCTETS_MAX);
    format!("{}…", detail.get(..end).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn audit(at: u64, who: &str) -> Audit {
        Audit {
            at: Instant(at),
            who: who.to_owned(),
            origin: "192.0.2.7".to_owned(),
            tenant: Label::NONE,
            what: "POST /v1/lanes/gmx/pause".to_owned(),
            detail: "{}".to_owned(),
            status: 200,
        }
    }

    #[test]
    fn changes_come_latest_first_page_by_page() {
        let dir = tempfile::tempdir().unwrap();
        let mut database = Database::open(&dir.path().join("registry.db")).unwrap();
        for at in 1..=5 {
            database.add_audit(&audit(at, if at % 2 == 0 { "jo" } else { "al" })).unwrap();
        }
        let first = database.audits(&AuditFilter::default(), 2).unwrap();
        assert_eq!(first.iter().map(|row| row.audit.at.0).collect::<Vec<_>>(), [5, 4]);
        let next = AuditFilter { before: Some(first[1].id), ..AuditFilter::default() };
        let next = database.audits(&next, 9).unwrap();
        assert_eq!(next.iter().map(|row| row.audit.at.0).collect::<Vec<_>>(), [3, 2, 1]);
        let by_jo = AuditFilter {
            who: Some("jo".to_owned()),
            since: Some(Instant(3)),
            ..AuditFilter::default()
        };
        assert_eq!(database.audits(&by_jo, 9).unwrap()[0].audit, audit(4, "jo"));
        database.add_audit(&Audit { status: 403, ..audit(6, "jo") }).unwrap();
        let mut many = |text: Option<&str>, origin: Option<&str>, refused| {
            let (text, origin) = (text.map(str::to_owned), origin.map(str::to_owned));
            let filter = AuditFilter { text, origin, refused, ..AuditFilter::default() };
            database.audits(&filter, 9).map(|rows| rows.len()).unwrap()
        };
        assert_eq!(many(Some("LANES/gmx"), None, None), 6);
        assert_eq!(many(Some("lanes/%"), None, None), 0, "words are words");
        assert_eq!((many(None, None, Some(true)), many(None, None, Some(false))), (1, 5));
        assert_eq!(many(None, Some("192.0.2.8"), None), 0);
    }

    #[test]
    fn the_oldest_changes_go_and_long_details_are_shortened() {
        let dir = tempfile::tempdir().unwrap();
        let mut database = Database::open(&dir.path().join("registry.db")).unwrap();
        database.add_audit(&audit(1, "jo")).unwrap();
        let far = format!("UPDATE sqlite_sequence SET seq = {}", KEPT_MAX + 1);
        database.write(|t| t.execute(&far, [])).unwrap();
        let long = Audit { detail: "é".repeat(DETAIL_OCTETS_MAX), ..audit(2, "jo") };
        database.add_audit(&long).unwrap();
        let left = database.audits(&AuditFilter::default(), 9).unwrap();
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].audit.detail.len(), DETAIL_OCTETS_MAX + '…'.len_utf8());
    }
}
