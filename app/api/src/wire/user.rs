//! People who sign in at the dashboard, as JSON.

use postlane_mail::{Instant, Label};
use postlane_registry::{NewUser, Role, User};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::suppression::Wrong;
use super::time::{Timestamp, timestamp};

/// Somebody who is to be able to sign in.
#[derive(Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UserRequest {
    /// What they are called: 1 to 64 letters, digits, dots, hyphens and underscores.
    pub name: String,
    /// `viewer`, `operator` or `admin`.
    pub role: String,
    /// Whose mail alone they see and act on; everybody's when it is left out. Not with `admin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// 12 to 256 characters. It is kept as argon2id has it, and stands in no log and no audit.
    pub password: String,
}

/// What is to be changed of somebody; which of it counts, the command says.
#[derive(Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UserOrder {
    /// For `password`: the new one, 12 to 256 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// For `role`: `viewer`, `operator` or `admin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// For `role`: whose mail alone they see from now on; everybody's when it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
}

/// Somebody who can sign in, without their password. A key without a value is `null` or empty, never
/// missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UserRow {
    /// What they are called.
    pub name: String,
    /// `viewer`, `operator` or `admin`.
    pub role: String,
    /// Whose mail alone they see and act on; empty for everybody's.
    pub tenant: String,
    /// When they were made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
    /// When they signed in last.
    pub signed_in_at: Option<Timestamp>,
    /// Since when they can sign in no more.
    pub disabled_at: Option<Timestamp>,
}

/// Everybody who can or could sign in.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct UserPage {
    /// By name.
    pub users: Vec<UserRow>,
}

/// What can be done to somebody.
pub const USER_COMMANDS: [&str; 5] = ["password", "role", "disable", "enable", "sign-out"];

impl UserRequest {
    /// Who is to be made, with the password as it is kept; or what is wrong.
    pub(crate) fn user(&self, password: String, by: &str) -> Result<NewUser, Wrong> {
        let name = Label::parse(&self.name).ok().filter(|name| !name.is_none());
        let wrong = |field, says: String| Wrong { field, says };
        Ok(NewUser {
            name: name.ok_or_else(|| wrong("name", format!("{:?}: {NAMED}", self.name)))?,
            password,
            role: role(&self.role)?,
            tenant: tenant(self.tenant.as_deref())?,
            by: by.to_owned(),
        })
    }
}

const NAMED: &str = "a name has 1 to 64 letters, digits, dots, hyphens and underscores";

pub(crate) fn role(text: &str) -> Result<Role, Wrong> {
    let says = || format!("{text:?} is no role: use viewer, operator or admin");
    Role::parse(text).ok_or_else(|| Wrong { field: "role", says: says() })
}

pub(crate) fn tenant(text: Option<&str>) -> Result<Label, Wrong> {
    let text = text.unwrap_or_default();
    Label::parse(text).map_err(|_| Wrong { field: "tenant", says: format!("{text:?}: {NAMED}") })
}

impl From<&User> for UserRow {
    fn from(user: &User) -> Self {
        let at = |at: Instant| timestamp(at);
        Self {
            name: user.name.to_string(),
            role: user.role.as_str().to_owned(),
            tenant: user.tenant.to_string(),
            created_at: at(user.created),
            created_by: user.created_by.clone(),
            signed_in_at: user.signed_in.map(at),
            disabled_at: user.disabled.map(at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_somebody_is_named_with_its_cure() {
        let of = |name: &str, role: &str, tenant: &str| {
            let (name, role) = (name.to_owned(), role.to_owned());
            let tenant = Some(tenant.to_owned());
            let request = UserRequest { name, role, tenant, password: String::new() };
            request.user("$argon2id$".to_owned(), "jo").map_err(|wrong| wrong.field)
        };
        assert_eq!(of("kim", "viewer", "acme").map(|new| new.role), Ok(Role::Viewer));
        assert_eq!(of("", "viewer", "").err(), Some("name"));
        assert_eq!(of("a b", "viewer", "").err(), Some("name"));
        assert_eq!(of("kim", "boss", "").err(), Some("role"));
        assert_eq!(of("kim", "viewer", "a/b").err(), Some("tenant"));
    }
}
