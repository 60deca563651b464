//! Tokens, as JSON.

use postlane_mail::{Instant, Label, Span};
use postlane_registry::{NewToken, Scope, Scopes, Token};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::suppression::Wrong;
use super::time::{Timestamp, moment, timestamp};

/// A token to be made.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TokenRequest {
    /// What it is called: 1 to 64 letters, digits, dots, hyphens and underscores.
    pub name: String,
    /// What it may do, one at least: `submit`, `read`, `operate` (reads, too), `admin` (everything).
    pub scopes: Vec<String>,
    /// Whose mail alone it sees and acts on; everybody's when it is left out. Not with `admin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// When it ends by itself; never when it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// The same, as seconds from now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lasts_s: Option<u64>,
}

/// A token, without its secret. A key without a value is `null` or empty, never missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TokenRow {
    /// What it is called.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// Whose mail alone it sees and acts on; empty for everybody's.
    pub tenant: String,
    /// Whether it opens anything now: `valid`, `expired` or `revoked`.
    pub state: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it.
    pub created_by: String,
    /// When it was last used, to the minute.
    pub used_at: Option<Timestamp>,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// A token that was made, with its secret.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TokenMade {
    /// What to send as `Authorization: Bearer …`. It is shown this once and kept nowhere.
    pub token: String,
    /// The token.
    #[serde(flatten)]
    pub row: TokenRow,
}

/// All tokens.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TokenPage {
    /// By name; those that open nothing any more, too.
    pub tokens: Vec<TokenRow>,
}

/// Who asks.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Whoami {
    /// The token's name.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// Whose mail alone it sees and acts on; empty for everybody's.
    pub tenant: String,
    /// From where it asks, as the server sees it.
    pub from: String,
}

impl TokenRequest {
    /// The token that is to be made, or what is wrong with it.
    pub fn token(&self, by: &str, now: Instant) -> Result<NewToken, Wrong> {
        let wrong = |field, says: String| Wrong { field, says };
        let label = |field, text: &str| {
            let read = Label::parse(text);
            read.map_err(|_| wrong(field, format!("{text:?}: {NAMED}")))
        };
        let name = label("name", &self.name)?;
        if name.is_none() {
            return Err(wrong("name", format!("the token has no name; {NAMED}")));
        }
        let known = |text: &String| {
            let says = format!("{text:?} is no scope: use submit, read, operate or admin");
            Scope::parse(text).ok_or_else(|| wrong("scopes", says))
        };
        let scopes = self.scopes.iter().map(known).collect::<Result<Vec<_>, _>>()?;
        let none =
            || wrong("scopes", "say what it may do: submit, read, operate, admin".to_owned());
        let expires = match (&self.expires_at, self.lasts_s) {
            (Some(_), Some(_)) => {
                let says = "expires_at is given as well; leave out one of them";
                return Err(wrong("lasts_s", says.to_owned()));
            }
            (Some(at), None) => {
                let says = |e| wrong("expires_at", format!("{:?}: {e}", at.0));
                Some(moment(at).map_err(says)?)
            }
            (None, lasts) => lasts.map(|s| now + Span::from_s(s)),
        };
        Ok(NewToken {
            name,
            scopes: Scopes::new(scopes).ok_or_else(none)?,
            tenant: label("tenant", self.tenant.as_deref().unwrap_or_default())?,
            by: by.to_owned(),
            expires,
        })
    }
}

const NAMED: &str = "a name has 1 to 64 letters, digits, dots, hyphens and underscores";

impl TokenRow {
    /// A token as it stands now.
    pub fn of(token: &Token, now: Instant) -> Self {
        let state = match token.disabled {
            Some(_) => "revoked",
            None if token.holds(now) => "valid",
            None => "expired",
        };
        Self {
            name: token.name.to_string(),
            scopes: scopes(&token.scopes),
            tenant: token.tenant.to_string(),
            state: state.to_owned(),
            created_at: timestamp(token.created),
            created_by: token.created_by.clone(),
            used_at: token.used.map(timestamp),
            expires_at: token.expires.map(timestamp),
            revoked_at: token.disabled.map(timestamp),
        }
    }
}

/// Scopes by their names.
pub(crate) fn scopes(scopes: &Scopes) -> Vec<String> {
    scopes.iter().map(|scope| scope.to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant::from_unix_s(1_795_239_545);

    #[test]
    fn what_is_wrong_with_a_token_is_named_with_its_cure() {
        let of = |change: fn(&mut TokenRequest)| {
            let mut request = TokenRequest {
                name: "shop".to_owned(),
                scopes: vec!["read".to_owned()],
                ..TokenRequest::default()
            };
            change(&mut request);
            request.token("admin", NOW)
        };
        let (token, wrong) = (of(|_| {}).unwrap(), |change| of(change).unwrap_err().field);
        assert_eq!((token.name.as_str(), token.expires), ("shop", None));
        assert_eq!(of(|r| r.lasts_s = Some(60)).unwrap().expires, Some(NOW + Span::from_min(1)));
        assert_eq!(wrong(|r| r.name.clear()), "name");
        assert_eq!(wrong(|r| r.name = "a b".to_owned()), "name");
        assert_eq!(wrong(|r| r.scopes.clear()), "scopes");
        assert_eq!(wrong(|r| r.scopes.push("paint".to_owned())), "scopes");
        assert_eq!(wrong(|r| r.tenant = Some("a/b".to_owned())), "tenant");
        assert_eq!(wrong(|r| r.expires_at = Some(Timestamp("soon".to_owned()))), "expires_at");
    }
}
