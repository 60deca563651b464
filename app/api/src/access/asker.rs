//! Who asks: whose token came with a request, what it may do, and whose mail alone it sees.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use postlane_mail::Label;
use postlane_registry::{Scope, Scopes};

use super::origin::Origin;
use super::person::Person;
use crate::problem::Problem;

/// Who asks: whose token it is, and what it may do.
#[derive(Debug, Clone)]
pub(crate) struct Asker(Arc<Known>);

#[derive(Debug)]
struct Known {
    name: String,
    scopes: Scopes,
    tenant: Label,
    origin: Origin,
}

/// What the holder of the file is called in the audit. No token can have the name: it has a space.
const OF_THE_FILE: &str = "the token file";

impl Asker {
    pub(super) fn of_the_file(origin: Origin) -> Self {
        let scopes = Scopes::new([Scope::Admin]).expect("one scope is not none");
        Self(Arc::new(Known { name: OF_THE_FILE.to_owned(), scopes, tenant: Label::NONE, origin }))
    }

    pub(super) fn of(token: postlane_registry::Token, origin: Origin) -> Self {
        let postlane_registry::Token { name, scopes, tenant, .. } = token;
        Self(Arc::new(Known { name: name.to_string(), scopes, tenant, origin }))
    }

    pub(super) fn of_person(person: Person) -> Self {
        let Person { name, scopes, tenant, origin } = person;
        Self(Arc::new(Known { name: name.to_string(), scopes, tenant, origin }))
    }

    /// The token's name, or the person's, as the audit has it.
    pub(crate) fn name(&self) -> &str {
        &self.0.name
    }

    /// What the token may do.
    pub(crate) fn scopes(&self) -> &Scopes {
        &self.0.scopes
    }

    /// From where it asks.
    pub(crate) fn origin(&self) -> Origin {
        self.0.origin
    }

    /// The tenant that the token is bound to; [`Label::NONE`] for one that is bound to none.
    pub(crate) fn tenant(&self) -> &Label {
        &self.0.tenant
    }

    /// Whether the token sees and acts on one tenant's mail alone.
    pub(crate) fn is_bound(&self) -> bool {
        !self.0.tenant.is_none()
    }

    /// The tenant that a question is about: the token's own where it is bound, whatever was said
    /// or left out. Another tenant's is refused, and said so: that there is one is no secret.
    pub(crate) fn narrow(&self, asked: Option<Label>) -> Result<Option<Label>, Problem> {
        match (self.is_bound(), asked) {
            (false, asked) => Ok(asked),
            (true, None) => Ok(Some(self.0.tenant.clone())),
            (true, Some(asked)) if asked == self.0.tenant => Ok(Some(asked)),
            (true, Some(_)) => Err(self.not_yours()),
        }
    }

    /// Whether what belongs to this tenant may be seen. What may not is answered as if it were not
    /// there: 404.
    pub(crate) fn sees(&self, tenant: &str) -> bool {
        !self.is_bound() || self.0.tenant.as_str() == tenant
    }

    /// Who is written down as having done something: the token's name. The file's holder may be
    /// several people, and says who it is.
    pub(crate) fn signs(&self, said: Option<String>) -> Option<String> {
        if self.0.name == OF_THE_FILE { said } else { Some(self.0.name.clone()) }
    }

    /// What is said to who asks for another tenant's.
    pub(crate) fn not_yours(&self) -> Problem {
        let Known { name, tenant, .. } = &*self.0;
        let detail = format!(
            "the token {name} is bound to the tenant {tenant} and to no other; leave the tenant \
             out, or use another token"
        );
        Problem::new(StatusCode::FORBIDDEN, detail).at("/tenant")
    }
}

impl<S: Sync> FromRequestParts<S> for Asker {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let asker = parts.extensions.get::<Self>().cloned();
        // Every guarded route stands behind `check`, which puts it there.
        Ok(asker.expect("who asks was checked before"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound_to(tenant: &str) -> Asker {
        Asker(Arc::new(Known {
            name: "shop".to_owned(),
            scopes: Scopes::new([Scope::Operate]).unwrap(),
            tenant: Label::parse(tenant).unwrap(),
            origin: Origin::Socket,
        }))
    }

    #[test]
    fn a_bound_token_is_narrowed_to_its_tenant_and_never_widened() {
        let (acme, other) = (Label::parse("acme").unwrap(), Label::parse("other").unwrap());
        let asker = bound_to("acme");
        assert_eq!(asker.narrow(None).unwrap(), Some(acme.clone()));
        assert_eq!(asker.narrow(Some(acme.clone())).unwrap(), Some(acme));
        assert_eq!(asker.narrow(Some(other.clone())).unwrap_err().status, 403);
        assert_eq!(asker.narrow(Some(Label::NONE)).unwrap_err().status, 403);
        assert!(asker.sees("acme") && !asker.sees("other") && !asker.sees(""));
        let free = Asker::of_the_file(Origin::Socket);
        assert_eq!(free.narrow(None).unwrap(), None);
        assert_eq!(free.narrow(Some(other.clone())).unwrap(), Some(other));
        assert!(free.sees("") && free.sees("acme"));
    }
}
