//! Webhooks: who is told what happens, where, and how far each has been told.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use postlane_mail::{Instant, Label};
use rusqlite::{Row, params};

use crate::database::{Database, kept, moment, moment_if_any};
use crate::error::RegistryError;
use crate::secret::random;

/// A webhook that is to be made.
#[derive(Debug, Clone)]
pub struct NewWebhook {
    /// What it is called.
    pub name: Label,
    /// Where it is told: an `http` or `https` URL.
    pub url: String,
    /// Of which events; none for all.
    pub events: Vec<String>,
    /// Of whose mail; [`Label::NONE`] for everybody's.
    pub tenant: Label,
    /// Who makes it.
    pub by: String,
}

/// A webhook as it is kept, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// What it is called.
    pub name: Label,
    /// Where it is told.
    pub url: String,
    /// Of which events; none for all.
    pub events: Vec<String>,
    /// Of whose mail; [`Label::NONE`] for everybody's.
    pub tenant: Label,
    /// When it was made.
    pub created: Instant,
    /// Who made it.
    pub created_by: String,
    /// How far it has been told: a place in the ledger, in the ledger's own words.
    pub place: String,
    /// How that goes.
    pub standing: Standing,
}

/// How telling a webhook goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// When it last took something.
    pub told_at: Option<Instant>,
    /// Since when it has taken nothing, while there was something.
    pub failing_since: Option<Instant>,
    /// Tries since then.
    pub tries: u32,
    /// When the next is due.
    pub next_try: Option<Instant>,
    /// What went wrong last; empty while nothing does.
    pub last_error: String,
    /// When it was paused, and why: by itself after days of failure, or by somebody.
    pub paused: Option<(Instant, String)>,
}

/// A webhook with what its messages are signed with, for whoever sends them.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// The webhook.
    pub webhook: Webhook,
    /// Its secrets.
    pub secrets: Secrets,
}

/// What a webhook's messages are signed with.
#[derive(Clone, PartialEq, Eq)]
pub struct Secrets {
    /// The secret of now: `whs_` and 256 random bits in base 64.
    pub current: String,
    /// The one before, and until when messages are signed with both.
    pub old: Option<(String, Instant)>,
}

/// Webhooks, at most. Chosen, not measured.
pub const WEBHOOKS_MAX: usize = 100;

/// Octets of a URL, and of what is kept of an error.
const URL_OCTETS_MAX: usize = 2048;
const ERROR_OCTETS_MAX: usize = 300;

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets")
    }
}

impl Secrets {
    /// Those that a message is signed with now: the old one, too, until it ends.
    pub fn at(&self, now: Instant) -> Vec<&str> {
        let old = self.old.as_ref().filter(|(_, until)| now < *until);
        [self.current.as_str()].into_iter().chain(old.map(|(old, _)| old.as_str())).collect()
    }
}

impl Webhook {
    fn read(row: &Row<'_>) -> rusqlite::Result<Option<Self>> {
        let label = |column| row.get(column).map(|text: String| Label::parse(&text).ok());
        // Whose mail it is told of must be known: to nobody's in particular belongs everybody's.
        let (Some(name), Some(tenant)) = (label("name")?, label("tenant")?) else {
            return Ok(None);
        };
        let events: String = row.get("events")?;
        let why: String = row.get("paused_why")?;
        Ok(Some(Self {
            name,
            url: row.get("url")?,
            events: events.split_whitespace().map(str::to_owned).collect(),
            tenant,
            created: moment(row, "created")?,
            created_by: row.get("created_by")?,
            place: row.get("place")?,
            standing: Standing {
                told_at: moment_if_any(row, "told_at")?,
                failing_since: moment_if_any(row, "failing_since")?,
                tries: row.get("tries")?,
                next_try: moment_if_any(row, "next_try")?,
                last_error: row.get("last_error")?,
                paused: moment_if_any(row, "paused")?.map(|at| (at, why)),
            },
        }))
    }

    /// Whether it wants to be told of this kind of event.
    pub fn wants(&self, event: &str) -> bool {
        self.events.is_empty() || self.events.iter().any(|wanted| wanted == event)
    }
}

impl Endpoint {
    fn read(row: &Row<'_>) -> rusqlite::Result<Option<Self>> {
        let Some(webhook) = Webhook::read(row)? else { return Ok(None) };
        let old: Option<String> = row.get("old_secret")?;
        let old = old.zip(moment_if_any(row, "old_until")?);
        let secrets = Secrets { current: row.get("secret")?, old };
        Ok(Some(Self { webhook, secrets }))
    }
}

impl Database {
    /// Makes a webhook that is told what comes after `place`. Its secret is given back.
    ///
    /// # Errors
    /// One of that name; [`WEBHOOKS_MAX`] already; no name, or a URL over 2,048 octets; or the file cannot
    /// be written.
    pub fn add_webhook(
        &mut self,
        new: &NewWebhook,
        place: &str,
        now: Instant,
    ) -> Result<(Webhook, String), RegistryError> {
        if new.name.is_none() {
            return Err(RegistryError::Refused("a webhook needs a name: say --name"));
        }
        if new.url.len() > URL_OCTETS_MAX {
            return Err(RegistryError::Refused("the URL has more than 2048 octets"));
        }
        if self.endpoints()?.len() >= WEBHOOKS_MAX {
            return Err(RegistryError::Full { what: "webhook", max: WEBHOOKS_MAX });
        }
        let secret = secret();
        let added = self.write(|t| {
            t.execute(
                "INSERT INTO webhook
                     (name, url, events, tenant, created, created_by, secret, place)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (name) DO NOTHING",
                params![
                    new.name.as_str(),
                    new.url,
                    new.events.join(" "),
                    new.tenant.as_str(),
                    kept(now),
                    new.by,
                    secret,
                    place,
                ],
            )
        })?;
        if added == 0 {
            return Err(RegistryError::Taken { what: "webhook", name: new.name.to_string() });
        }
        Ok((self.webhook(&new.name)?, secret))
    }

    /// All webhooks with their secrets, by name, but for those that cannot be read.
    pub fn endpoints(&mut self) -> Result<Vec<Endpoint>, RegistryError> {
        let failed = |e: rusqlite::Error| self.failed(&e);
        let query = "SELECT * FROM webhook ORDER BY name";
        let mut query = self.connection.prepare_cached(query).map_err(failed)?;
        let webhooks = query.query_map([], Endpoint::read).map_err(failed)?;
        webhooks.filter_map(Result::transpose).collect::<Result<_, _>>().map_err(failed)
    }

    /// One webhook.
    ///
    /// # Errors
    /// There is none of that name, or the file cannot be read.
    pub fn webhook(&mut self, name: &Label) -> Result<Webhook, RegistryError> {
        let found = self.endpoints()?.into_iter().find(|known| known.webhook.name == *name);
        found.map(|endpoint| endpoint.webhook).ok_or_else(|| unknown(name))
    }

    /// Removes a webhook: it is told nothing more.
    ///
    /// # Errors
    /// There is none of that name, or the file cannot be written.
    pub fn remove_webhook(&mut self, name: &Label) -> Result<Webhook, RegistryError> {
        let webhook = self.webhook(name)?;
        self.write(|t| t.execute("DELETE FROM webhook WHERE name = ?1", [name.as_str()]))?;
        Ok(webhook)
    }

    /// A webhook has taken what lies between two places. False, and nothing is changed, where it
    /// is no longer at the first: somebody has removed it, or set it back.
    pub fn webhook_told(
        &mut self,
        name: &Label,
        (from, to): (&str, &str),
        now: Instant,
    ) -> Result<bool, RegistryError> {
        let told = "UPDATE webhook SET place = ?3, told_at = ?4, failing_since = NULL, tries = 0,
                    next_try = NULL, last_error = '' WHERE name = ?1 AND place = ?2";
        let values = params![name.as_str(), from, to, kept(now)];
        self.write_loosely(|t| t.execute(told, values)).map(|changed| changed > 0)
    }

    /// There was nothing for a webhook between two places. Nobody was told.
    pub fn webhook_passed(
        &mut self,
        name: &Label,
        (from, to): (&str, &str),
    ) -> Result<bool, RegistryError> {
        let passed = "UPDATE webhook SET place = ?3 WHERE name = ?1 AND place = ?2";
        let values = params![name.as_str(), from, to];
        self.write_loosely(|t| t.execute(passed, values)).map(|changed| changed > 0)
    }

    /// A webhook has not taken something; when it is tried again.
    pub fn webhook_failed(
        &mut self,
        name: &Label,
        error: &str,
        next_try: Instant,
        now: Instant,
    ) -> Result<(), RegistryError> {
        let error = error.get(..error.floor_char_boundary(ERROR_OCTETS_MAX)).unwrap_or_default();
        let failed = "UPDATE webhook SET failing_since = coalesce(failing_since, ?2),
                      tries = tries + 1, next_try = ?3, last_error = ?4 WHERE name = ?1";
        let values = params![name.as_str(), kept(now), kept(next_try), error];
        self.write_loosely(|t| t.execute(failed, values)).map(|_| ())
    }

    /// Has a webhook told nothing until it is resumed; its place is kept.
    ///
    /// # Errors
    /// There is none of that name, or the file cannot be written.
    pub fn pause_webhook(
        &mut self,
        name: &Label,
        why: &str,
        now: Instant,
    ) -> Result<Webhook, RegistryError> {
        let pause = "UPDATE webhook SET paused = ?2, paused_why = ?3, next_try = NULL
                     WHERE name = ?1 AND paused IS NULL";
        self.write(|t| t.execute(pause, params![name.as_str(), kept(now), why]))?;
        self.webhook(name)
    }

    /// Has a webhook told again at once, from where it was, or from another place.
    ///
    /// # Errors
    /// There is none of that name, or the file cannot be written.
    pub fn resume_webhook(
        &mut self,
        name: &Label,
        place: Option<&str>,
    ) -> Result<Webhook, RegistryError> {
        let resume = "UPDATE webhook SET place = coalesce(?2, place), paused = NULL,
                      paused_why = '', failing_since = NULL, tries = 0, next_try = NULL
                      WHERE name = ?1";
        self.write(|t| t.execute(resume, params![name.as_str(), place]))?;
        self.webhook(name)
    }

    /// Gives a webhook a new secret. Its messages are signed with the old one, too, until then.
    ///
    /// # Errors
    /// There is none of that name, or the file cannot be written.
    pub fn rotate_secret(
        &mut self,
        name: &Label,
        old_until: Instant,
    ) -> Result<(Webhook, String), RegistryError> {
        let new = secret();
        let rotate = "UPDATE webhook SET old_secret = secret, old_until = ?2, secret = ?3
                      WHERE name = ?1";
        self.write(|t| t.execute(rotate, params![name.as_str(), kept(old_until), new]))?;
        Ok((self.webhook(name)?, new))
    }
}

fn secret() -> String {
    format!("whs_{}", URL_SAFE_NO_PAD.encode(random()))
}

fn unknown(name: &Label) -> RegistryError {
    RegistryError::Unknown { what: "webhook", name: name.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant(5_000_000);

    fn database() -> (tempfile::TempDir, Database) {
        let dir = tempfile::tempdir().unwrap();
        let database = Database::open(&dir.path().join("registry.db")).unwrap();
        (dir, database)
    }

    fn name() -> Label {
        Label::parse("shop").unwrap()
    }

    fn new() -> NewWebhook {
        NewWebhook {
            name: name(),
            url: "https://shop.example/hook".to_owned(),
            events: vec!["delivered".to_owned(), "bounced".to_owned()],
            tenant: Label::NONE,
            by: "admin".to_owned(),
        }
    }

    #[test]
    fn how_far_a_webhook_was_told_goes_on_from_where_it_was_and_nowhere_else() {
        let (_dir, mut database) = database();
        let (made, _) = database.add_webhook(&new(), "0", NOW).unwrap();
        assert!(made.wants("bounced") && !made.wants("deferred"));
        assert!(database.webhook_told(&name(), ("0", "7"), NOW).unwrap());
        // Somebody sets it back while a message is under way.
        database.resume_webhook(&name(), Some("3")).unwrap();
        assert!(!database.webhook_told(&name(), ("7", "9"), NOW).unwrap());
        assert_eq!(database.webhook(&name()).unwrap().place, "3");
        assert!(database.webhook_passed(&name(), ("3", "4")).unwrap());
        assert!(!database.webhook_passed(&Label::parse("gone").unwrap(), ("3", "4")).unwrap());
    }

    #[test]
    fn a_failure_is_counted_from_its_first_try_and_forgotten_when_it_is_over() {
        let (_dir, mut database) = database();
        database.add_webhook(&new(), "0", NOW).unwrap();
        let later = Instant(NOW.0 + 10);
        database.webhook_failed(&name(), "connection refused", later, NOW).unwrap();
        database.webhook_failed(&name(), &"é".repeat(400), Instant(99), later).unwrap();
        let standing = database.webhook(&name()).unwrap().standing;
        assert_eq!((standing.failing_since, standing.tries), (Some(NOW), 2));
        assert_eq!(standing.last_error.len(), ERROR_OCTETS_MAX);
        let paused = database.pause_webhook(&name(), "5 days of failure", later).unwrap();
        assert_eq!(paused.standing.paused, Some((later, "5 days of failure".to_owned())));
        let resumed = database.resume_webhook(&name(), None).unwrap();
        assert_eq!((resumed.standing.paused, resumed.standing.failing_since), (None, None));
        database.webhook_told(&name(), ("0", "1"), later).unwrap();
        assert_eq!(database.webhook(&name()).unwrap().standing.told_at, Some(later));
    }

    #[test]
    fn both_secrets_sign_until_the_old_one_ends() {
        let (_dir, mut database) = database();
        let (_, first) = database.add_webhook(&new(), "0", NOW).unwrap();
        let until = Instant(NOW.0 + 100);
        let (_, second) = database.rotate_secret(&name(), until).unwrap();
        let secrets = &database.endpoints().unwrap()[0].secrets;
        assert_eq!(secrets.at(NOW), [&second, &first]);
        assert_eq!(secrets.at(until), [&second]);
        assert!(first.starts_with("whs_") && first != second);
        assert_eq!(format!("{secrets:?}"), "Secrets");
    }

    #[test]
    fn a_webhook_of_a_tenant_that_cannot_be_read_is_told_nothing() {
        let (_dir, mut database) = database();
        let acme = NewWebhook { tenant: Label::parse("acme").unwrap(), ..new() };
        database.add_webhook(&acme, "0", NOW).unwrap();
        database.write(|t| t.execute("UPDATE webhook SET tenant = 'ac me!'", [])).unwrap();
        assert!(database.endpoints().unwrap().is_empty(), "and not of everybody's mail");
        assert!(database.webhook(&name()).is_err());
    }

    #[test]
    fn a_name_is_one_webhooks_and_what_is_removed_is_gone() {
        let (_dir, mut database) = database();
        database.add_webhook(&new(), "0", NOW).unwrap();
        assert!(matches!(database.add_webhook(&new(), "0", NOW), Err(RegistryError::Taken { .. })));
        database.remove_webhook(&name()).unwrap();
        assert!(matches!(database.webhook(&name()), Err(RegistryError::Unknown { .. })));
    }
}
