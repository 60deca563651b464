//! Domains over time: what they published from when to when, and what is wrong with them.

use postlane_mail::Instant;
use rusqlite::{Row, Transaction, params};

use crate::database::{Database, kept, moment, moment_if_any};
use crate::error::RegistryError;

/// A domain that is watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptDomain {
    /// Its name.
    pub domain: String,
    /// All that is held of it beside its records, as JSON.
    pub state: String,
}

/// What a domain publishes at one name, of one type, or published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptVersion {
    /// Whose.
    pub domain: String,
    /// At which name.
    pub name: String,
    /// Which type.
    pub kind: String,
    /// What, as JSON: a list of texts, empty for nothing.
    pub says: String,
    /// When it was seen first.
    pub since: Instant,
    /// When it was seen last.
    pub seen: Instant,
    /// When something else was seen; `None` while nothing was.
    pub until: Option<Instant>,
}

/// Versions of one domain that are remembered beside those that hold; the oldest goes first.
/// Chosen, not measured.
pub const VERSIONS_MAX: u32 = 2_000;

impl KeptVersion {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            domain: row.get("domain")?,
            name: row.get("name")?,
            kind: row.get("kind")?,
            says: row.get("says")?,
            since: moment(row, "since")?,
            seen: moment(row, "seen")?,
            until: moment_if_any(row, "until")?,
        })
    }

    /// As it holds now; what held there before ends with it.
    fn write(&self, t: &Transaction<'_>) -> rusqlite::Result<()> {
        let Self { domain, name, kind, says, .. } = self;
        let (since, seen) = (kept(self.since), kept(self.seen));
        let goes_on = "UPDATE record_version SET seen = ?5 WHERE domain = ?1 AND name = ?2
                       AND kind = ?3 AND since = ?4 AND until IS NULL";
        let values = params![domain, name, kind, since, seen];
        if t.prepare_cached(goes_on)?.execute(values)? > 0 {
            return Ok(());
        }
        let ends = "UPDATE record_version SET until = ?4 WHERE domain = ?1 AND name = ?2
                    AND kind = ?3 AND until IS NULL";
        t.prepare_cached(ends)?.execute(params![domain, name, kind, since])?;
        let begins = "INSERT INTO record_version (domain, name, kind, says, since, seen)
                      VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let values = params![domain, name, kind, says, since, seen];
        t.prepare_cached(begins)?.execute(values).map(|_| ())
    }
}

impl Database {
    /// All domains that are watched, by name.
    pub fn watched_domains(&mut self) -> Result<Vec<KeptDomain>, RegistryError> {
        let failed = |e: rusqlite::Error| self.failed(&e);
        let query = "SELECT domain, state FROM watched_domain ORDER BY domain";
        let mut query = self.connection.prepare_cached(query).map_err(failed)?;
        let read = |row: &Row<'_>| Ok(KeptDomain { domain: row.get(0)?, state: row.get(1)? });
        let rows = query.query_map([], read).map_err(failed)?;
        rows.collect::<Result<_, _>>().map_err(failed)
    }

    /// What all domains publish now.
    pub fn records_now(&mut self) -> Result<Vec<KeptVersion>, RegistryError> {
        let failed = |e: rusqlite::Error| self.failed(&e);
        let query = "SELECT * FROM record_version WHERE until IS NULL ORDER BY id";
        let mut query = self.connection.prepare_cached(query).map_err(failed)?;
        let rows = query.query_map([], KeptVersion::read).map_err(failed)?;
        rows.collect::<Result<_, _>>().map_err(failed)
    }

    /// Keeps a domain as it is now, with all that it publishes: all of it or nothing.
    pub fn keep_domain(
        &mut self,
        domain: &KeptDomain,
        versions: &[KeptVersion],
    ) -> Result<(), RegistryError> {
        self.write(|t| {
            let keep = "INSERT INTO watched_domain VALUES (?1, ?2)
                        ON CONFLICT (domain) DO UPDATE SET state = ?2";
            t.prepare_cached(keep)?.execute([&domain.domain, &domain.state])?;
            versions.iter().try_for_each(|version| version.write(t))?;
            let oldest = "DELETE FROM record_version WHERE domain = ?1 AND until IS NOT NULL
                          AND id <= (SELECT id FROM record_version WHERE domain = ?1
                                     AND until IS NOT NULL ORDER BY id DESC LIMIT 1 OFFSET ?2)";
            let values = params![domain.domain, VERSIONS_MAX];
            t.prepare_cached(oldest)?.execute(values).map(|_| ())
        })
    }

    /// Forgets that a domain is watched. What it published stays until it is watched again.
    pub fn forget_domain(&mut self, domain: &str) -> Result<(), RegistryError> {
        let forget = "DELETE FROM watched_domain WHERE domain = ?1";
        self.write(|t| t.execute(forget, [domain])).map(|_| ())
    }

    /// What a domain published, the youngest version first, so many at most; at that moment, where
    /// one is given.
    pub fn record_versions(
        &mut self,
        domain: &str,
        at: Option<Instant>,
        most: u32,
    ) -> Result<Vec<KeptVersion>, RegistryError> {
        let failed = |e: rusqlite::Error| self.failed(&e);
        let query = "SELECT * FROM record_version WHERE domain = ?1
                       AND (?2 IS NULL OR (since <= ?2 AND (until IS NULL OR until > ?2)))
                     ORDER BY since DESC, id DESC LIMIT ?3";
        let mut query = self.connection.prepare_cached(query).map_err(failed)?;
        let values = params![domain, at.map(kept), most];
        let rows = query.query_map(values, KeptVersion::read).map_err(failed)?;
        rows.collect::<Result<_, _>>().map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(says: &str, since: u64, seen: u64) -> KeptVersion {
        KeptVersion {
            domain: "example.com".to_owned(),
            name: "_dmarc.example.com".to_owned(),
            kind: "TXT".to_owned(),
            says: says.to_owned(),
            since: Instant(since),
            seen: Instant(seen),
            until: None,
        }
    }

    fn domain() -> KeptDomain {
        KeptDomain { domain: "example.com".to_owned(), state: "{}".to_owned() }
    }

    #[test]
    fn what_a_domain_published_at_any_moment_can_be_told() {
        let dir = tempfile::tempdir().unwrap();
        let mut database = Database::open(&dir.path().join("registry.db")).unwrap();
        for (says, since, seen) in
            [("[\"a\"]", 1, 1), ("[\"a\"]", 1, 4), ("[]", 6, 6), ("[\"b\"]", 9, 9)]
        {
            database.keep_domain(&domain(), &[version(says, since, seen)]).unwrap();
        }
        let at = |database: &mut Database, at| {
            let found = database.record_versions("example.com", at, 9).unwrap();
            found.into_iter().map(|of| of.says).collect::<Vec<_>>()
        };
        assert_eq!(at(&mut database, None), ["[\"b\"]", "[]", "[\"a\"]"]);
        assert_eq!(at(&mut database, Some(Instant(5))), ["[\"a\"]"]);
        assert_eq!(at(&mut database, Some(Instant(6))), ["[]"]);
        assert!(at(&mut database, Some(Instant(0))).is_empty());
        let all = database.record_versions("example.com", None, 9).unwrap();
        assert_eq!((all[2].seen, all[2].until), (Instant(4), Some(Instant(6))));
        assert_eq!(database.records_now().unwrap(), [version("[\"b\"]", 9, 9)]);
        assert_eq!(database.watched_domains().unwrap(), [domain()]);
        database.forget_domain("example.com").unwrap();
        assert!(database.watched_domains().unwrap().is_empty());
        assert_eq!(at(&mut database, None).len(), 3);
    }

    #[test]
    fn only_so_many_versions_are_remembered_and_those_that_hold_are_among_them() {
        let dir = tempfile::tempdir().unwrap();
        let mut database = Database::open(&dir.path().join("registry.db")).unwrap();
        let mx = KeptVersion { kind: "MX".to_owned(), ..version("[\"10 a\"]", 1, 1) };
        let mut versions = vec![mx.clone()];
        versions.extend(
            (2..u64::from(VERSIONS_MAX) + 20).map(|n| version(&format!("[\"{n}\"]"), n, n)),
        );
        database.keep_domain(&domain(), &versions).unwrap();
        let all = database.record_versions("example.com", None, u32::MAX).unwrap();
        assert_eq!(all.len(), VERSIONS_MAX as usize + 2);
        assert_eq!(all.last(), Some(&mx));
    }
}
