//! API tokens: who may ask for what.

use postlane_mail::{Instant, Label, Span};
use rusqlite::{OptionalExtension as _, Row, params};

use crate::database::{Database, kept, moment, moment_if_any};
use crate::error::RegistryError;
use crate::scope::{Scope, Scopes};
use crate::secret::{SecretHash, SecretText};

/// A token that is to be made.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// What it is called, in the audit and in lists.
    pub name: Label,
    /// What it may do.
    pub scopes: Scopes,
    /// Whose mail alone it sees and acts on; [`Label::NONE`] for everybody's.
    pub tenant: Label,
    /// Who makes it.
    pub by: String,
    /// When it ends by itself; none for never.
    pub expires: Option<Instant>,
}

/// A token as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// What it is called.
    pub name: Label,
    /// What it may do.
    pub scopes: Scopes,
    /// Whose mail alone it sees and acts on; [`Label::NONE`] for everybody's.
    pub tenant: Label,
    /// When it was made.
    pub created: Instant,
    /// Who made it.
    pub created_by: String,
    /// When it was last used, to the minute; none for never.
    pub used: Option<Instant>,
    /// When it ends by itself; none for never.
    pub expires: Option<Instant>,
    /// When it was revoked; none while it was not.
    pub disabled: Option<Instant>,
}

/// That a token was used is written down once in so long: a disk's write is not for every request.
const USED_EVERY: Span = Span::from_min(1);

impl Token {
    /// Whether it opens anything now.
    pub fn holds(&self, now: Instant) -> bool {
        self.disabled.is_none() && self.expires.is_none_or(|end| now < end)
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Option<Self>> {
        let label = |column| row.get(column).map(|text: String| Label::parse(&text).ok());
        let scopes: String = row.get("scopes")?;
        // A row that a damaged file or a later program left opens nothing.
        let (Some(name), Some(tenant), Some(scopes)) =
            (label("name")?, label("tenant")?, Scopes::parse(&scopes))
        else {
            return Ok(None);
        };
        Ok(Some(Self {
            name,
            scopes,
            tenant,
            created: moment(row, "created")?,
            created_by: row.get("created_by")?,
            used: moment_if_any(row, "used")?,
            expires: moment_if_any(row, "expires")?,
            disabled: moment_if_any(row, "disabled")?,
        }))
    }
}

impl Database {
    /// Makes a token. What is given back is nowhere else: it is shown once.
    ///
    /// # Errors
    /// A token of that name, revoked or not; one without a name, with the scope admin and a tenant, or
    /// with an end that has passed; or the file cannot be written.
    pub fn add_token(
        &mut self,
        new: &NewToken,
        now: Instant,
    ) -> Result<(Token, SecretText), RegistryError> {
        if new.name.is_none() {
            return Err(RegistryError::Refused("a token needs a name: say --name"));
        }
        if !new.tenant.is_none() && new.scopes.iter().any(|scope| scope == Scope::Admin) {
            let says = "a token with the scope admin is bound to no tenant, for it makes tokens \
                        for all: leave out the tenant, or take submit, read or operate";
            return Err(RegistryError::Refused(says));
        }
        if new.expires.is_some_and(|end| end <= now) {
            return Err(RegistryError::Refused("the token would have expired already"));
        }
        let secret = SecretText::random();
        let hash = secret.hash();
        let added = self.write(|t| {
            t.execute(
                "INSERT INTO token (name, hash, scopes, tenant, created, created_by, expires)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (name) DO NOTHING",
                params![
                    new.name.as_str(),
                    hash.0.as_slice(),
                    new.scopes.to_string(),
                    new.tenant.as_str(),
                    kept(now),
                    new.by,
                    new.expires.map(kept),
                ],
            )
        })?;
        if added == 0 {
            return Err(RegistryError::Taken { what: "token", name: new.name.to_string() });
        }
        let token = Token {
            name: new.name.clone(),
            scopes: new.scopes.clone(),
            tenant: new.tenant.clone(),
            created: now,
            created_by: new.by.clone(),
            used: None,
            expires: new.expires,
            disabled: None,
        };
        Ok((token, secret))
    }

    /// The token that was made as this secret, whether it still holds or not; that it is used is
    /// written down.
    pub fn token_of(
        &mut self,
        hash: &SecretHash,
        now: Instant,
    ) -> Result<Option<Token>, RegistryError> {
        let found = self.find(hash)?;
        if let Some(token) = &found
            && token.holds(now)
            && token.used.is_none_or(|used| now.since(used) >= USED_EVERY)
        {
            let note = "UPDATE token SET used = ?1 WHERE name = ?2";
            let name = token.name.clone();
            // A full disk keeps nobody out who has the right token.
            let _ = self.write_loosely(|t| t.execute(note, params![kept(now), name.as_str()]));
        }
        Ok(found)
    }

    fn find(&self, hash: &SecretHash) -> Result<Option<Token>, RegistryError> {
        let failed = |e: rusqlite::Error| self.failed(&e);
        let query = "SELECT * FROM token WHERE hash = ?1";
        let mut query = self.connection.prepare_cached(query).map_err(failed)?;
        let read = |row: &Row<'_>| {
            let own: [u8; 32] = row.get("hash")?;
            Token::read(row).map(|token| token.filter(|_| SecretHash(own).agrees(hash)))
        };
        let found = query.query_row([hash.0.as_slice()], read).optional().map_err(failed)?;
        Ok(found.flatten())
    }

    /// All tokens, by name, those that hold no more, too.
    pub fn tokens(&mut self) -> Result<Vec<Token>, RegistryError> {
        let failed = |e: rusqlite::Error| self.failed(&e);
        let query = "SELECT * FROM token ORDER BY name";
        let mut query = self.connection.prepare_cached(query).map_err(failed)?;
        let tokens = query.query_map([], Token::read).map_err(failed)?;
        let tokens: Result<Vec<Option<Token>>, _> = tokens.collect();
        Ok(tokens.map_err(failed)?.into_iter().flatten().collect())
    }

    /// Has a token open nothing any more, from now on. It stays in the list, and its name is taken.
    ///
    /// # Errors
    /// There is none of that name, or the file cannot be written.
    pub fn revoke_token(&mut self, name: &Label, now: Instant) -> Result<Token, RegistryError> {
        let revoke = "UPDATE token SET disabled = coalesce(disabled, ?1) WHERE name = ?2";
        self.write(|t| t.execute(revoke, params![kept(now), name.as_str()]))?;
        let revoked = self.tokens()?.into_iter().find(|token| token.name == *name);
        revoked.ok_or_else(|| RegistryError::Unknown { what: "token", name: name.to_string() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant(1_000_000_000);

    fn database() -> (tempfile::TempDir, Database) {
        let dir = tempfile::tempdir().unwrap();
        let database = Database::open(&dir.path().join("registry.db")).unwrap();
        (dir, database)
    }

    fn new(name: &str) -> NewToken {
        NewToken {
            name: Label::parse(name).unwrap(),
            scopes: Scopes::new([Scope::Read]).unwrap(),
            tenant: Label::NONE,
            by: "admin".to_owned(),
            expires: None,
        }
    }

    #[test]
    fn a_token_is_found_by_its_secret_and_its_secret_is_nowhere_in_the_file() {
        let (dir, mut database) = database();
        let (made, secret) = database.add_token(&new("shop"), NOW).unwrap();
        let found = database.token_of(&secret.hash(), NOW).unwrap().unwrap();
        assert_eq!(found, made);
        assert_eq!(database.token_of(&SecretText::random().hash(), NOW).unwrap(), None);
        drop(database);
        for file in std::fs::read_dir(dir.path()).unwrap() {
            let octets = std::fs::read(file.unwrap().path()).unwrap();
            let needle = &secret.as_str().as_bytes()[8..];
            assert!(!octets.windows(needle.len()).any(|w| w == needle));
        }
    }

    #[test]
    fn a_name_is_taken_once_also_by_a_token_that_was_revoked() {
        let (_dir, mut database) = database();
        database.add_token(&new("shop"), NOW).unwrap();
        let taken = database.add_token(&new("shop"), NOW).err().unwrap();
        assert!(matches!(taken, RegistryError::Taken { .. }), "{taken:?}");
        database.revoke_token(&Label::parse("shop").unwrap(), NOW).unwrap();
        assert!(database.add_token(&new("shop"), NOW).is_err());
        assert!(database.revoke_token(&Label::parse("ship").unwrap(), NOW).is_err());
    }

    #[test]
    fn a_token_that_was_revoked_or_has_expired_holds_no_more() {
        let (_dir, mut database) = database();
        let end = Instant(NOW.0 + 5);
        let (token, secret) =
            database.add_token(&NewToken { expires: Some(end), ..new("shop") }, NOW).unwrap();
        assert!(token.holds(NOW) && !token.holds(end));
        let revoked = database.revoke_token(&token.name, NOW).unwrap();
        assert_eq!(revoked.disabled, Some(NOW));
        let again = database.revoke_token(&token.name, end).unwrap();
        assert_eq!(again.disabled, Some(NOW), "when it was revoked first is what counts");
        assert!(!database.token_of(&secret.hash(), NOW).unwrap().unwrap().holds(NOW));
        let past = NewToken { expires: Some(NOW), ..new("late") };
        assert!(database.add_token(&past, NOW).is_err());
    }

    #[test]
    fn that_a_token_is_used_is_written_down_to_the_minute() {
        let (_dir, mut database) = database();
        let (_, secret) = database.add_token(&new("shop"), NOW).unwrap();
        let (soon, later) = (NOW + Span::from_s(30), NOW + Span::from_s(61));
        for at in [NOW, soon, later] {
            database.token_of(&secret.hash(), at).unwrap();
            let used = database.tokens().unwrap()[0].used;
            assert_eq!(used, Some(if at == later { later } else { NOW }));
        }
    }

    #[test]
    fn an_admin_is_bound_to_no_tenant() {
        let (_dir, mut database) = database();
        let scopes = Scopes::new([Scope::Admin]).unwrap();
        let tenant = Label::parse("acme").unwrap();
        let refused = database.add_token(&NewToken { scopes, tenant, ..new("a") }, NOW);
        assert!(matches!(refused, Err(RegistryError::Refused(_))));
    }
}
