//! What recipients' domains want of encryption, and how sessions with their hosts went, kept over
//! restarts.

use postlane_mail::Instant;
use rusqlite::{Row, params};

use crate::database::{Database, kept, moment};
use crate::error::RegistryError;

/// A domain's policy of MTA-STS as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptStsPolicy {
    /// The domain.
    pub domain: String,
    /// The record's `id` when it was fetched.
    pub id: String,
    /// When it was fetched.
    pub fetched: Instant,
    /// The policy, as a web server has it.
    pub policy: String,
}

/// Sessions of one day that went alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsTally {
    /// What they have in common.
    pub of: TlsTallyKey,
    /// What was said of the last one that failed; empty for those that did not.
    pub reason: String,
    /// How many.
    pub sessions: u64,
}

/// What sessions have in common that are counted together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TlsTallyKey {
    /// The day in UTC, counted from 1970-01-01.
    pub day: u32,
    /// The recipients' domain.
    pub domain: String,
    /// `sts` or `tlsa` (RFC 8460 §4.4).
    pub policy_type: String,
    /// The policy, line by line; empty where it is not known.
    pub policy: String,
    /// The hosts that the policy allows, line by line.
    pub hosts: String,
    /// What went wrong (RFC 8460 §4.3); empty where nothing did.
    pub result: String,
    /// Our address; empty where there was no session.
    pub sending_ip: String,
    /// The host's name; empty where there was no session.
    pub mx_host: String,
    /// The host's address; empty where there was no session.
    pub mx_ip: String,
}

/// Rows that are given for one question. Chosen, not measured.
const ROWS_MAX: u32 = 100_000;

impl KeptStsPolicy {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            domain: row.get("domain")?,
            id: row.get("id")?,
            fetched: moment(row, "fetched")?,
            policy: row.get("policy")?,
        })
    }
}

impl TlsTally {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let of = TlsTallyKey {
            day: row.get("day")?,
            domain: row.get("domain")?,
            policy_type: row.get("policy_type")?,
            policy: row.get("policy")?,
            hosts: row.get("hosts")?,
            result: row.get("result")?,
            sending_ip: row.get("sending_ip")?,
            mx_host: row.get("mx_host")?,
            mx_ip: row.get("mx_ip")?,
        };
        let sessions = u64::try_from(row.get::<_, i64>("sessions")?).unwrap_or_default();
        Ok(Self { of, reason: row.get("reason")?, sessions })
    }
}

impl Database {
    /// All policies that are kept, in order of the domains.
    pub fn sts_policies(&mut self) -> Result<Vec<KeptStsPolicy>, RegistryError> {
        let failed = |e: rusqlite::Error| self.failed(&e);
        let query = "SELECT * FROM sts_policy ORDER BY domain";
        let mut query = self.connection.prepare_cached(query).map_err(failed)?;
        let rows = query.query_map([], KeptStsPolicy::read).map_err(failed)?;
        rows.collect::<Result<_, _>>().map_err(failed)
    }

    /// Keeps a domain's policy in the place of the one before.
    pub fn keep_sts_policy(&mut self, policy: &KeptStsPolicy) -> Result<(), RegistryError> {
        let KeptStsPolicy { domain, id, fetched, policy } = policy;
        let write = "INSERT OR REPLACE INTO sts_policy (domain, id, fetched, policy)
                     VALUES (?1, ?2, ?3, ?4)";
        self.write(|t| t.execute(write, params![domain, id, kept(*fetched), policy])).map(|_| ())
    }

    /// Forgets a domain's policy.
    pub fn forget_sts_policy(&mut self, domain: &str) -> Result<(), RegistryError> {
        let forget = "DELETE FROM sts_policy WHERE domain = ?1";
        self.write_loosely(|t| t.execute(forget, [domain])).map(|_| ())
    }

    /// Adds sessions to those that were counted before, and forgets days before `since`.
    pub fn add_tls_tallies(
        &mut self,
        tallies: &[TlsTally],
        since: u32,
    ) -> Result<(), RegistryError> {
        let add = "INSERT INTO tls_tally (day, domain, policy_type, policy, hosts, result,
                                          sending_ip, mx_host, mx_ip, reason, sessions)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
                   ON CONFLICT DO UPDATE SET sessions = sessions + ?11, reason = ?10";
        self.write_loosely(|t| {
            let mut add = t.prepare_cached(add)?;
            for TlsTally { of, reason, sessions } in tallies {
                let sessions = i64::try_from(*sessions).unwrap_or(i64::MAX);
                add.execute(params![
                    of.day,
                    of.domain,
                    of.policy_type,
                    of.policy,
                    of.hosts,
                    of.result,
                    of.sending_ip,
                    of.mx_host,
                    of.mx_ip,
                    reason,
                    sessions
                ])?;
            }
            t.execute("DELETE FROM tls_tally WHERE day < ?1", [since]).map(|_| ())
        })
    }

    /// What was counted on a day, of one domain or of all, in order.
    pub fn tls_tallies(
        &mut self,
        day: u32,
        domain: Option<&str>,
    ) -> Result<Vec<TlsTally>, RegistryError> {
        let failed = |e: rusqlite::Error| self.failed(&e);
        let query = "SELECT * FROM tls_tally WHERE day = ?1 AND (?2 IS NULL OR domain = ?2)
                     ORDER BY domain, policy_type, policy, result, mx_host, mx_ip, sending_ip
                     LIMIT ?3";
        let mut query = self.connection.prepare_cached(query).map_err(failed)?;
        let rows =
            query.query_map(params![day, domain, ROWS_MAX], TlsTally::read).map_err(failed)?;
        rows.collect::<Result<_, _>>().map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database(dir: &tempfile::TempDir) -> Database {
        Database::open(&dir.path().join("registry.db")).unwrap()
    }

    #[test]
    fn a_policy_is_kept_in_the_place_of_the_one_before_and_outlives_the_program() {
        let dir = tempfile::tempdir().unwrap();
        let policy = |id: &str| KeptStsPolicy {
            domain: "a.example".to_owned(),
            id: id.to_owned(),
            fetched: Instant(7),
            policy: "version: STSv1".to_owned(),
        };
        let mut open = database(&dir);
        open.keep_sts_policy(&policy("1")).unwrap();
        open.keep_sts_policy(&policy("2")).unwrap();
        drop(open);
        let mut again = database(&dir);
        assert_eq!(again.sts_policies().unwrap(), [policy("2")]);
        again.forget_sts_policy("a.example").unwrap();
        assert!(again.sts_policies().unwrap().is_empty());
    }

    #[test]
    fn sessions_add_up_by_day_and_old_days_go() {
        let dir = tempfile::tempdir().unwrap();
        let mut open = database(&dir);
        let tally = |day, result: &str, sessions| TlsTally {
            of: TlsTallyKey {
                day,
                domain: "a.example".to_owned(),
                policy_type: "sts".to_owned(),
                policy: String::new(),
                hosts: String::new(),
                result: result.to_owned(),
                sending_ip: "192.0.2.1".to_owned(),
                mx_host: "mx.a.example".to_owned(),
                mx_ip: "192.0.2.2".to_owned(),
            },
            reason: format!("the {sessions}."),
            sessions,
        };
        open.add_tls_tallies(&[tally(10, "", 1), tally(10, "certificate-expired", 2)], 0).unwrap();
        open.add_tls_tallies(&[tally(11, "", 4), tally(10, "certificate-expired", 3)], 0).unwrap();
        let found = open.tls_tallies(10, Some("a.example")).unwrap();
        let counts: Vec<(u64, &str)> =
            found.iter().map(|of| (of.sessions, of.reason.as_str())).collect();
        assert_eq!(counts, [(1, "the 1."), (5, "the 3.")]);
        assert!(open.tls_tallies(10, Some("b.example")).unwrap().is_empty());
        open.add_tls_tallies(&[], 11).unwrap();
        assert!(open.tls_tallies(10, None).unwrap().is_empty());
        assert_eq!(open.tls_tallies(11, None).unwrap().len(), 1);
    }
}
