//! Who is signed in and asks for a page, and what they may.

use std::sync::Arc;

use aws_lc_rs::digest;
use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use postlane_api::{Origin, Person, Problem};
use postlane_registry::{Role, SecretText, User};

use super::theme::Theme;

/// Somebody who is signed in and asks for a page. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Visit(Arc<Known>);

struct Known {
    person: Person,
    role: Role,
    form_token: String,
    secret: SecretText,
    theme: Theme,
}

impl Visit {
    pub(super) fn new(user: User, secret: SecretText, (origin, theme): (Origin, Theme)) -> Self {
        let User { name, role, tenant, .. } = user;
        let person = Person { name, scopes: role.scopes(), tenant, origin };
        let form_token = form_token(&secret);
        Self(Arc::new(Known { person, role, form_token, secret, theme }))
    }

    /// Who it is, for the API.
    pub(crate) fn person(&self) -> &Person {
        &self.0.person
    }

    pub(crate) fn role(&self) -> Role {
        self.0.role
    }

    pub(crate) fn theme(&self) -> Theme {
        self.0.theme
    }

    /// What every form carries, so that none from elsewhere is taken.
    pub(crate) fn form_token(&self) -> &str {
        &self.0.form_token
    }

    /// What the browser holds.
    pub(crate) fn secret(&self) -> &SecretText {
        &self.0.secret
    }

    /// Whether they may act on what they see.
    pub(crate) fn may_operate(&self) -> bool {
        self.0.role >= Role::Operator
    }

    /// Whether they see one tenant's mail alone.
    pub(crate) fn is_bound(&self) -> bool {
        !self.0.person.tenant.is_none()
    }

    /// Whether they may order something of lanes, which are everybody's.
    pub(crate) fn may_order_lanes(&self) -> bool {
        self.may_operate() && !self.is_bound()
    }
}

impl<S: Sync> FromRequestParts<S> for Visit {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let signed_out = || Problem::new(StatusCode::UNAUTHORIZED, "sign in first");
        parts.extensions.get::<Self>().cloned().ok_or_else(signed_out)
    }
}

/// What the form of a session carries. It is made of what the browser holds, and says nothing of it.
fn form_token(secret: &SecretText) -> String {
    let text = format!("postlane form {}", secret.as_str());
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forms_token_is_the_sessions_own_and_does_not_tell_it() {
        let (one, two) = (SecretText::random(), SecretText::random());
        assert_eq!(form_token(&one), form_token(&one));
        assert_ne!(form_token(&one), form_token(&two));
        assert!(!one.as_str().contains(&form_token(&one)));
    }
}
