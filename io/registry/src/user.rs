//! People who sign in at the dashboard: what they may do, and whose mail they see.

use postlane_mail::{Instant, Label};
use rusqlite::{OptionalExtension as _, Row, params};

use crate::database::{Database, kept, moment, moment_if_any};
use crate::error::RegistryError;
use crate::role::Role;

/// Somebody who is to be able to sign in.
#[derive(Clone)]
pub struct NewUser {
    /// What they are called, at the sign-in and in the audit.
    pub name: Label,
    /// Their password as argon2id has it (PHC string); never the password itself.
    pub password: String,
    /// What they may do.
    pub role: Role,
    /// Whose mail alone they see and act on; [`Label::NONE`] for everybody's.
    pub tenant: Label,
    /// Who makes them.
    pub by: String,
}

/// Somebody who can sign in, as they are kept.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    /// What they are called.
    pub name: Label,
    /// Their password as argon2id has it (PHC string).
    pub password: String,
    /// What they may do.
    pub role: Role,
    /// Whose mail alone they see and act on; [`Label::NONE`] for everybody's.
    pub tenant: Label,
    /// When they were made.
    pub created: Instant,
    /// By whom.
    pub created_by: String,
    /// When they signed in last.
    pub signed_in: Option<Instant>,
    /// Since when they can sign in no more.
    pub disabled: Option<Instant>,
}

/// People there can be. Chosen, not measured.
pub const USERS_MAX: usize = 1_000;

impl User {
    pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Option<Self>> {
        let label = |column: &str| row.get::<_, String>(column);
        let (name, tenant, role) = (label("name")?, label("tenant")?, label("role")?);
        // What a later version has written and this one does not know opens nothing.
        let (Ok(name), Ok(tenant), Some(role)) =
            (Label::parse(&name), Label::parse(&tenant), Role::parse(&role))
        else {
            return Ok(None);
        };
        Ok(Some(Self {
            name,
            password: row.get("password")?,
            role,
            tenant,
            created: moment(row, "created")?,
            created_by: row.get("created_by")?,
            signed_in: moment_if_any(row, "signed_in")?,
            disabled: moment_if_any(row, "disabled")?,
        }))
    }
}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User").field("name", &self.name).field("role", &self.role).finish()
    }
}

impl Database {
    /// Makes somebody who can sign in.
    ///
    /// # Errors
    /// Somebody of that name, who may be disabled; [`USERS_MAX`] already; no name, an admin with a tenant, or a
    /// password that argon2id has not hashed; or the file cannot be written.
    pub fn add_user(&mut self, new: &NewUser, now: Instant) -> Result<User, RegistryError> {
        check(new)?;
        let many = self.users()?.len();
        if many >= USERS_MAX {
            return Err(RegistryError::Full { what: "user", max: USERS_MAX });
        }
        let added = self.write(|t| insert(t, new, now, ""))?;
        self.added(new, now, added)
    }

    /// Makes the first admin, where nobody can sign in yet.
    ///
    /// # Errors
    /// Somebody is there already: [`RegistryError::Taken`], whatever their name; else as with
    /// [`Self::add_user`].
    pub fn add_first_user(&mut self, new: &NewUser, now: Instant) -> Result<User, RegistryError> {
        check(new)?;
        let alone = "AND NOT EXISTS (SELECT 1 FROM user)";
        let added = self.write(|t| insert(t, new, now, alone))?;
        self.added(new, now, added)
    }

    fn added(&self, new: &NewUser, now: Instant, added: usize) -> Result<User, RegistryError> {
        if added == 0 {
            return Err(RegistryError::Taken { what: "user", name: new.name.to_string() });
        }
        let NewUser { name, password, role, tenant, by } = new.clone();
        Ok(User {
            name,
            password,
            role,
            tenant,
            created: now,
            created_by: by,
            signed_in: None,
            disabled: None,
        })
    }

    /// Everybody who can or could sign in, by name.
    pub fn users(&mut self) -> Result<Vec<User>, RegistryError> {
        let failed = |e: rusqlite::Error| self.failed(&e);
        let query = "SELECT * FROM user ORDER BY name";
        let mut query = self.connection.prepare_cached(query).map_err(failed)?;
        let rows = query.query_map([], User::read).map_err(failed)?;
        rows.filter_map(Result::transpose).collect::<Result<_, _>>().map_err(failed)
    }

    /// Whoever is called so, whether they can sign in or not.
    pub fn user(&mut self, name: &str) -> Result<Option<User>, RegistryError> {
        let query = "SELECT * FROM user WHERE name = ?1";
        let found = self.connection.query_row(query, [name], User::read).optional();
        found.map(Option::flatten).map_err(|e| self.failed(&e))
    }

    /// Gives somebody another password; whoever is signed in as them is so no more.
    pub fn set_password(&mut self, name: &Label, password: &str) -> Result<(), RegistryError> {
        let changed = self.write(|t| {
            t.execute("DELETE FROM session WHERE user = ?1", [name.as_str()])?;
            let set = "UPDATE user SET password = ?2 WHERE name = ?1";
            t.execute(set, params![name.as_str(), password])
        })?;
        known(name, changed)
    }

    /// Lets somebody sign in no more, or again; whoever is signed in as them is so no more.
    pub fn disable_user(
        &mut self,
        name: &Label,
        since: Option<Instant>,
    ) -> Result<(), RegistryError> {
        let changed = self.write(|t| {
            t.execute("DELETE FROM session WHERE user = ?1", [name.as_str()])?;
            let set = "UPDATE user SET disabled = ?2 WHERE name = ?1";
            t.execute(set, params![name.as_str(), since.map(kept)])
        })?;
        known(name, changed)
    }

    /// Gives somebody another role, and says whose mail they see; whoever is signed in as them is so no
    /// more.
    pub fn set_role(
        &mut self,
        name: &Label,
        role: Role,
        tenant: &Label,
    ) -> Result<(), RegistryError> {
        bound(role, tenant)?;
        let changed = self.write(|t| {
            t.execute("DELETE FROM session WHERE user = ?1", [name.as_str()])?;
            let set = "UPDATE user SET role = ?2, tenant = ?3 WHERE name = ?1";
            t.execute(set, params![name.as_str(), role.as_str(), tenant.as_str()])
        })?;
        known(name, changed)
    }
}

fn bound(role: Role, tenant: &Label) -> Result<(), RegistryError> {
    match role == Role::Admin && !tenant.is_none() {
        false => Ok(()),
        true => Err(RegistryError::Refused(
            "an admin is bound to no tenant, for admins see to everybody: leave out the tenant, or \
             take the role viewer or operator",
        )),
    }
}

fn check(new: &NewUser) -> Result<(), RegistryError> {
    if new.name.is_none() {
        return Err(RegistryError::Refused("a user needs a name"));
    }
    bound(new.role, &new.tenant)?;
    if !new.password.starts_with("$argon2id$") {
        return Err(RegistryError::Refused("a password is kept as argon2id has it, or not at all"));
    }
    Ok(())
}

fn insert(
    t: &rusqlite::Transaction<'_>,
    new: &NewUser,
    now: Instant,
    alone: &str,
) -> rusqlite::Result<usize> {
    let insert = format!(
        "INSERT INTO user (name, password, role, tenant, created, created_by)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE true {alone} ON CONFLICT (name) DO NOTHING"
    );
    let NewUser { name, password, role, tenant, by } = new;
    let values = params![name.as_str(), password, role.as_str(), tenant.as_str(), kept(now), by];
    t.execute(&insert, values)
}

fn known(name: &Label, changed: usize) -> Result<(), RegistryError> {
    match changed {
        0 => Err(RegistryError::Unknown { what: "user", name: name.to_string() }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant::from_unix_s(1_000_000);

    fn database() -> (tempfile::TempDir, Database) {
        let dir = tempfile::tempdir().unwrap();
        let database = Database::open(&dir.path().join("registry.db")).unwrap();
        (dir, database)
    }

    fn new(name: &str, role: Role) -> NewUser {
        NewUser {
            name: Label::parse(name).unwrap(),
            password: "$argon2id$v=19$…".to_owned(),
            role,
            tenant: Label::NONE,
            by: "test".to_owned(),
        }
    }

    #[test]
    fn the_first_admin_is_made_once() {
        let (_dir, mut database) = database();
        database.add_first_user(&new("jo", Role::Admin), NOW).unwrap();
        let second = database.add_first_user(&new("al", Role::Admin), NOW).err().unwrap();
        assert!(matches!(second, RegistryError::Taken { .. }), "{second:?}");
        database.add_user(&new("al", Role::Viewer), NOW).unwrap();
        let names: Vec<_> = database.users().unwrap().into_iter().map(|user| user.name).collect();
        assert_eq!(names.iter().map(Label::as_str).collect::<Vec<_>>(), ["al", "jo"]);
    }

    #[test]
    fn a_name_is_taken_once_and_somebody_unknown_is_told_by_name() {
        let (_dir, mut database) = database();
        database.add_user(&new("jo", Role::Viewer), NOW).unwrap();
        assert!(database.add_user(&new("jo", Role::Viewer), NOW).is_err());
        let al = Label::parse("al").unwrap();
        assert!(database.set_password(&al, "$argon2id$").is_err());
        assert!(database.disable_user(&al, Some(NOW)).is_err());
        assert_eq!(database.user("al").unwrap(), None);
    }

    #[test]
    fn another_role_ends_all_sessions_and_an_admin_stays_unbound() {
        let (_dir, mut database) = database();
        let (user, acme) = (
            database.add_user(&new("jo", Role::Viewer), NOW).unwrap(),
            Label::parse("acme").unwrap(),
        );
        let secret = database.begin_session(&user.name, "192.0.2.7", NOW).unwrap();
        database.set_role(&user.name, Role::Operator, &acme).unwrap();
        let changed = database.user("jo").unwrap().unwrap();
        assert_eq!((changed.role, &changed.tenant), (Role::Operator, &acme));
        assert_eq!(database.session(&secret.hash(), NOW).unwrap(), None);
        assert!(database.set_role(&user.name, Role::Admin, &acme).is_err());
        assert!(
            database.set_role(&acme, Role::Viewer, &Label::NONE).is_err(),
            "nobody is called so"
        );
    }

    #[test]
    fn an_admin_is_bound_to_no_tenant_and_no_password_is_kept_as_it_is() {
        let (_dir, mut database) = database();
        let tenant = Label::parse("acme").unwrap();
        let bound = NewUser { tenant, ..new("jo", Role::Admin) };
        assert!(matches!(database.add_user(&bound, NOW), Err(RegistryError::Refused(_))));
        let plain = NewUser { password: "hunter2".to_owned(), ..new("jo", Role::Admin) };
        assert!(matches!(database.add_user(&plain, NOW), Err(RegistryError::Refused(_))));
    }
}
