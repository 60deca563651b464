//! The API asked from inside the program, by whoever is known already: the dashboard.
//!
//! The same addresses, rules and audit as outside, so that a person who is signed in can never do or
//! see what a token of the same scopes and tenant could not.

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{Method, StatusCode, header};
use axum::response::Response;
use axum::{Router, middleware};
use postlane_server::handle::Handle;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tower::ServiceExt as _;

use crate::access::{self, Person};
use crate::problem::Problem;
use crate::router::guarded;

/// The API, for whoever is known already. Cheap to clone.
#[derive(Clone)]
pub struct InnerApi(Router);

/// Octets of an answer that is read whole. Chosen, not measured: a page of ten thousand rows.
const ANSWER_OCTETS_MAX: usize = 64 << 20;

impl InnerApi {
    /// Around a server.
    pub fn new(handle: Handle) -> Self {
        let (routes, _) = guarded().split_for_parts();
        let known = middleware::from_fn_with_state(handle.clone(), access::known);
        Self(routes.layer(known).with_state(handle))
    }

    /// Asks an address as somebody; what comes is not read.
    pub async fn ask(&self, person: &Person, mut request: Request) -> Response {
        request.extensions_mut().insert(person.clone());
        match self.0.clone().oneshot(request).await {
            Ok(answer) => answer,
            Err(never) => match never {},
        }
    }

    /// What stands at an address, path and query.
    ///
    /// # Errors
    /// What the API answers whoever may not, or asks for what is not there.
    pub async fn read<T: DeserializeOwned>(
        &self,
        person: &Person,
        address: &str,
    ) -> Result<T, Problem> {
        let request = Request::get(address).body(Body::empty());
        self.answered(person, request.map_err(|_| unreadable(address))?).await
    }

    /// Has something done.
    ///
    /// # Errors
    /// What the API answers whoever may not, or asks for what cannot be done.
    pub async fn order<T: DeserializeOwned>(
        &self,
        person: &Person,
        (method, address): (Method, &str),
        order: &impl Serialize,
    ) -> Result<T, Problem> {
        let order = serde_json::to_vec(order).unwrap_or_default();
        let request = Request::builder().method(method).uri(address);
        let request = request.header(header::CONTENT_TYPE, "application/json");
        self.answered(person, request.body(order.into()).map_err(|_| unreadable(address))?).await
    }

    /// Sends what is no JSON: a message that is to be looked at.
    ///
    /// # Errors
    /// What the API answers whoever may not, or to what cannot be read.
    pub async fn send<T: DeserializeOwned>(
        &self,
        person: &Person,
        address: &str,
        (kind, octets): (&str, Bytes),
    ) -> Result<T, Problem> {
        let request = Request::post(address).header(header::CONTENT_TYPE, kind);
        let request = request.body(Body::from(octets)).map_err(|_| unreadable(address))?;
        self.answered(person, request).await
    }

    async fn answered<T: DeserializeOwned>(
        &self,
        person: &Person,
        request: Request,
    ) -> Result<T, Problem> {
        let (parts, body) = self.ask(person, request).await.into_parts();
        let octets = to_bytes(body, ANSWER_OCTETS_MAX).await;
        let octets = octets.map_err(|_| Problem::unavailable("the answer broke off: ask again"))?;
        if !parts.status.is_success() {
            let bare = || Problem::new(parts.status, String::from_utf8_lossy(&octets));
            return Err(serde_json::from_slice(&octets).unwrap_or_else(|_| bare()));
        }
        let unread = |e: serde_json::Error| {
            let says = format!("our own answer cannot be read: {e}; please report this");
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, says)
        };
        serde_json::from_slice(&octets).map_err(unread)
    }
}

fn unreadable(address: &str) -> Problem {
    Problem::bad_request(format!("{address:?} is no address"))
}
