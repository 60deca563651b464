//! Who is signed in: sessions, by the hash of what the browser holds.

use postlane_mail::{Instant, Label, Span};
use rusqlite::{OptionalExtension as _, params};

use crate::database::{Database, kept, moment};
use crate::error::RegistryError;
use crate::secret::{SecretHash, SecretText};
use crate::user::User;

/// Somebody who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Who.
    pub user: User,
    /// When they signed in.
    pub begun: Instant,
    /// When they asked for something last, to the minute.
    pub seen: Instant,
}

/// A session in a list of one's own: from where it was begun, and whether it is the one that asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionSeen {
    /// From where they signed in.
    pub origin: String,
    /// When they signed in.
    pub begun: Instant,
    /// When they asked for something last, to the minute.
    pub seen: Instant,
    /// Whether it is the session of that hash.
    pub is_own: bool,
}

/// A session that nobody uses ends after this long. Chosen, not measured: a working day.
pub const IDLE_MAX: Span = Span::from_h(12);

/// A session ends after this long, however much it is used. Chosen, not measured: a week.
pub const SESSION_MAX: Span = Span::from_h(24 * 7);

/// That a session is used is written down so often.
const SEEN_EVERY: Span = Span::from_min(1);

/// Sessions of one person: the oldest go first.
const SESSIONS_MAX: u32 = 20;

impl Session {
    /// Whether it still opens anything.
    pub fn holds(&self, now: Instant) -> bool {
        let fresh = now.since(self.seen) < IDLE_MAX && now.since(self.begun) < SESSION_MAX;
        fresh && self.user.disabled.is_none()
    }
}

impl Database {
    /// Signs somebody in. What is given back is what their browser holds, and is nowhere else.
    pub fn begin_session(
        &mut self,
        user: &Label,
        origin: &str,
        now: Instant,
    ) -> Result<SecretText, RegistryError> {
        let secret = SecretText::random();
        let hash = secret.hash();
        let (idle, whole) = (past(now, IDLE_MAX), past(now, SESSION_MAX));
        self.write(|t| {
            t.execute("DELETE FROM session WHERE seen < ?1 OR begun < ?2", [idle, whole])?;
            t.execute(
                "DELETE FROM session WHERE user = ?1 AND hash NOT IN
                 (SELECT hash FROM session WHERE user = ?1 ORDER BY seen DESC LIMIT ?2)",
                params![user.as_str(), SESSIONS_MAX - 1],
            )?;
            let signed_in = "UPDATE user SET signed_in = ?2 WHERE name = ?1";
            t.execute(signed_in, params![user.as_str(), kept(now)])?;
            t.execute(
                "INSERT INTO session (hash, user, origin, begun, seen) VALUES (?1, ?2, ?3, ?4, ?4)",
                params![hash.0.as_slice(), user.as_str(), origin, kept(now)],
            )
        })?;
        Ok(secret)
    }

    /// Whose session this is, whether it still holds or not; that it is used is written down.
    pub fn session(
        &mut self,
        hash: &SecretHash,
        now: Instant,
    ) -> Result<Option<Session>, RegistryError> {
        let query =
            "SELECT user.*, begun, seen FROM session JOIN user ON name = user WHERE hash = ?1";
        let read = |row: &rusqlite::Row<'_>| {
            let Some(user) = User::read(row)? else { return Ok(None) };
            Ok(Some(Session { user, begun: moment(row, "begun")?, seen: moment(row, "seen")? }))
        };
        let found = {
            let failed = |e: rusqlite::Error| self.failed(&e);
            let mut query = self.connection.prepare_cached(query).map_err(failed)?;
            query.query_row([hash.0.as_slice()], read).optional().map_err(failed)?.flatten()
        };
        if let Some(session) = &found
            && session.holds(now)
            && now.since(session.seen) >= SEEN_EVERY
        {
            let note = "UPDATE session SET seen = ?2 WHERE hash = ?1";
            // A full disk shuts nobody out who is signed in: it is then that they must look.
            let _ = self.write_loosely(|t| t.execute(note, params![hash.0.as_slice(), kept(now)]));
        }
        Ok(found)
    }

    /// Signs somebody out: what their browser holds opens nothing any more.
    pub fn end_session(&mut self, hash: &SecretHash) -> Result<(), RegistryError> {
        self.write(|t| t.execute("DELETE FROM session WHERE hash = ?1", [hash.0.as_slice()]))?;
        Ok(())
    }

    /// Signs somebody out wherever they are signed in.
    pub fn end_sessions(&mut self, user: &Label) -> Result<(), RegistryError> {
        self.write(|t| t.execute("DELETE FROM session WHERE user = ?1", [user.as_str()]))?;
        Ok(())
    }

    /// Where somebody is signed in now, the latest first.
    pub fn sessions(
        &mut self,
        user: &Label,
        own: &SecretHash,
        now: Instant,
    ) -> Result<Vec<SessionSeen>, RegistryError> {
        let failed = |e: rusqlite::Error| self.failed(&e);
        let query = "SELECT origin, begun, seen, hash = ?2 AS own FROM session
                     WHERE user = ?1 AND seen >= ?3 AND begun >= ?4 ORDER BY seen DESC, begun DESC";
        let mut query = self.connection.prepare_cached(query).map_err(failed)?;
        let (idle, whole) = (past(now, IDLE_MAX), past(now, SESSION_MAX));
        let read = |row: &rusqlite::Row<'_>| {
            Ok(SessionSeen {
                origin: row.get("origin")?,
                begun: moment(row, "begun")?,
                seen: moment(row, "seen")?,
                is_own: row.get("own")?,
            })
        };
        let asked = params![user.as_str(), own.0.as_slice(), idle, whole];
        let rows = query.query_map(asked, read).map_err(failed)?;
        rows.collect::<Result<_, _>>().map_err(failed)
    }
}

fn past(now: Instant, span: Span) -> i64 {
    kept(Instant(now.0.saturating_sub(span.0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NewUser, Role};

    const NOW: Instant = Instant::from_unix_s(1_000_000_000);

    fn signed_in() -> (tempfile::TempDir, Database, Label, SecretText) {
        let dir = tempfile::tempdir().unwrap();
        let mut database = Database::open(&dir.path().join("registry.db")).unwrap();
        let new = NewUser {
            name: Label::parse("jo").unwrap(),
            password: "$argon2id$v=19$…".to_owned(),
            role: Role::Operator,
            tenant: Label::parse("acme").unwrap(),
            by: "test".to_owned(),
        };
        let user = database.add_user(&new, NOW).unwrap();
        let secret = database.begin_session(&user.name, "192.0.2.7", NOW).unwrap();
        (dir, database, user.name, secret)
    }

    #[test]
    fn a_session_is_found_by_what_the_browser_holds_and_ends_with_it() {
        let (_dir, mut database, name, secret) = signed_in();
        let session = database.session(&secret.hash(), NOW).unwrap().unwrap();
        assert_eq!((&session.user.name, session.user.signed_in), (&name, Some(NOW)));
        assert!(session.holds(NOW));
        assert_eq!(database.session(&SecretText::random().hash(), NOW).unwrap(), None);
        database.end_session(&secret.hash()).unwrap();
        assert_eq!(database.session(&secret.hash(), NOW).unwrap(), None);
    }

    #[test]
    fn a_session_ends_when_nobody_uses_it_and_after_a_week_in_any_case() {
        let (_dir, mut database, _, secret) = signed_in();
        let idle = NOW + IDLE_MAX;
        assert!(!database.session(&secret.hash(), idle).unwrap().unwrap().holds(idle));
        let mut at = NOW;
        while at.since(NOW) < SESSION_MAX {
            assert!(database.session(&secret.hash(), at).unwrap().unwrap().holds(at), "{at:?}");
            at = at + Span::from_h(11);
        }
        assert!(!database.session(&secret.hash(), at).unwrap().unwrap().holds(at));
    }

    #[test]
    fn a_disk_that_takes_nothing_shuts_nobody_out_who_is_signed_in() {
        let (_dir, mut database, _, secret) = signed_in();
        database.connection.pragma_update(None, "query_only", true).unwrap();
        let later = NOW + Span::from_min(5);
        let session = database.session(&secret.hash(), later).unwrap().unwrap();
        assert!(session.holds(later));
        assert_eq!(session.seen, NOW, "that it was used could not be kept");
        assert!(database.begin_session(&session.user.name, "192.0.2.7", later).is_err());
    }

    #[test]
    fn another_password_and_being_disabled_end_all_sessions() {
        let (_dir, mut database, name, secret) = signed_in();
        database.set_password(&name, "$argon2id$v=19$other").unwrap();
        assert_eq!(database.session(&secret.hash(), NOW).unwrap(), None);
        let again = database.begin_session(&name, "192.0.2.7", NOW).unwrap();
        database.disable_user(&name, Some(NOW)).unwrap();
        assert_eq!(database.session(&again.hash(), NOW).unwrap(), None);
        let late = database.begin_session(&name, "192.0.2.7", NOW).unwrap();
        assert!(!database.session(&late.hash(), NOW).unwrap().unwrap().holds(NOW));
    }

    #[test]
    fn one_sees_where_one_is_signed_in_and_signs_out_everywhere() {
        let (_dir, mut database, name, secret) = signed_in();
        let later = NOW + Span::from_min(5);
        let other = database.begin_session(&name, "198.51.100.9", later).unwrap();
        let seen = database.sessions(&name, &secret.hash(), later).unwrap();
        let said: Vec<_> = seen.iter().map(|one| (one.origin.as_str(), one.is_own)).collect();
        assert_eq!(said, [("198.51.100.9", false), ("192.0.2.7", true)]);
        assert!(
            database
                .sessions(&name, &secret.hash(), later + IDLE_MAX + IDLE_MAX)
                .unwrap()
                .is_empty()
        );
        database.end_sessions(&name).unwrap();
        for gone in [secret, other] {
            assert_eq!(database.session(&gone.hash(), later).unwrap(), None);
        }
    }

    #[test]
    fn one_person_has_so_many_sessions_and_the_oldest_go() {
        let (_dir, mut database, name, first) = signed_in();
        for n in 1..=u64::from(SESSIONS_MAX) {
            database.begin_session(&name, "192.0.2.7", NOW + Span::from_s(n)).unwrap();
        }
        assert_eq!(database.session(&first.hash(), NOW).unwrap(), None);
    }
}
