//! Forms that only our own pages can send.

use axum::Form;
use axum::extract::{FromRequest, FromRequestParts as _, Request};
use axum::http::StatusCode;
use postlane_api::Problem;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use subtle::ConstantTimeEq as _;

use super::visit::Visit;

/// A form that one of our own pages has sent, for whoever is signed in.
pub(crate) struct Posted<T>(pub(crate) T);

/// A form with a button and nothing else.
#[derive(Deserialize)]
pub(crate) struct Nothing {}

#[derive(Deserialize)]
struct Guarded<T> {
    #[serde(default)]
    form_token: String,
    #[serde(flatten)]
    fields: T,
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Posted<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let visit = Visit::from_request_parts(&mut parts, state).await?;
        let request = Request::from_parts(parts, body);
        let Form(form) = Form::<Guarded<T>>::from_request(request, state)
            .await
            .map_err(|e| Problem::unprocessable(format!("the form cannot be read: {e}")))?;
        let token = visit.form_token().as_bytes();
        match form.form_token.as_bytes().ct_eq(token).into() {
            true => Ok(Self(form.fields)),
            false => Err(foreign()),
        }
    }
}

/// What is said to a form that no page of this session has sent.
pub(crate) fn foreign() -> Problem {
    let detail = "this did not come from a page of this session: load the page again and repeat it";
    Problem::new(StatusCode::FORBIDDEN, detail)
}
