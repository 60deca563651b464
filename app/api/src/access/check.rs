//! The gate that every request passes: is the token right, may it, and not too often.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use parking_lot::Mutex;
use postlane_registry::SecretText;
use postlane_server::handle::Handle;

use super::asker::Asker;
use super::bucket::{Bucket, retry_after_s};
use super::failures::Failures;
use super::file_token::Token;
use super::origin::Origin;
use super::person::Person;
use super::rules::{Rule, Tenants, rule_of};
use crate::problem::Problem;

/// What the gate knows.
#[derive(Clone)]
pub(crate) struct Gate(Arc<Known>);

struct Known {
    handle: Handle,
    file: Token,
    failures: Failures,
    /// How much each token may still ask, by name.
    buckets: Mutex<HashMap<String, Bucket>>,
}

/// What the gate needs of a request.
struct Asked {
    origin: Origin,
    token: Option<String>,
    rule: Option<&'static Rule>,
    /// What it would change; none where it only looks.
    change: Option<String>,
}

/// Why a request does not pass.
enum Refusal {
    /// No token, or none that opens anything.
    Unknown(String),
    /// Too many wrong tokens from there.
    TooManyFailures(Duration),
    /// Too many requests with this token.
    TooOften(Asker, Duration),
    /// The token may not.
    Forbidden(Asker, String),
    /// It cannot be told.
    NotNow(String),
}

impl Asked {
    fn of(request: &Request) -> Self {
        let (method, extensions) = (request.method(), request.extensions());
        let origin = extensions.get::<ConnectInfo<Origin>>();
        let path = extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
        let given = request.headers().get(header::AUTHORIZATION).and_then(|v| v.to_str().ok());
        let changes = !matches!(*method, Method::GET | Method::HEAD);
        Self {
            origin: origin.map_or(Origin::Socket, |ConnectInfo(origin)| *origin),
            token: given.and_then(bearer).map(str::to_owned),
            rule: rule_of(method, path),
            change: changes.then(|| format!("{method} {}", request.uri())),
        }
    }
}

impl Gate {
    pub(crate) fn new(handle: Handle, file: Token) -> Self {
        let (failures, buckets) = (Failures::default(), Mutex::default());
        Self(Arc::new(Known { handle, file, failures, buckets }))
    }

    async fn pass(&self, asked: &Asked) -> Result<Asker, Refusal> {
        let origin = asked.origin;
        let asker = match &asked.token {
            Some(given) if self.0.file.agrees(given) => return Ok(Asker::of_the_file(origin)),
            Some(given) => self.known(given, origin).await?,
            None => return Err(self.unknown(origin, NO_TOKEN.to_owned())),
        };
        self.limit(&asker)?;
        match may(&asker, asked.rule) {
            Ok(()) => Ok(asker),
            Err(says) => Err(Refusal::Forbidden(asker, says)),
        }
    }

    /// Who has this token, by the registry.
    async fn known(&self, given: &str, origin: Origin) -> Result<Asker, Refusal> {
        let Some(secret) = SecretText::parse(given) else {
            return Err(self.unknown(origin, NO_TOKEN.to_owned()));
        };
        let (hash, now) = (secret.hash(), self.0.handle.now());
        let found = self.0.handle.registry(move |db| db.token_of(&hash, now)).await;
        match found.map_err(|why| Refusal::NotNow(why.to_string()))? {
            Some(token) if token.holds(now) => Ok(Asker::of(token, origin)),
            Some(token) => {
                let name = &token.name;
                let how = if token.disabled.is_some() { "was revoked" } else { "has expired" };
                let says = format!("the token {name} {how}; ask an admin for a new one");
                Err(self.unknown(origin, says))
            }
            None => Err(self.unknown(origin, NO_TOKEN.to_owned())),
        }
    }

    fn unknown(&self, origin: Origin, says: String) -> Refusal {
        let rate = self.0.handle.http_limits().failures;
        match self.0.failures.count(origin, rate) {
            Ok(()) => {
                self.0.handle.note_refused_token(&origin.to_string());
                Refusal::Unknown(says)
            }
            Err(wait) => Refusal::TooManyFailures(wait),
        }
    }

    fn limit(&self, asker: &Asker) -> Result<(), Refusal> {
        let limits = self.0.handle.http_limits();
        let now = Instant::now();
        let mut buckets = self.0.buckets.lock();
        // Tokens are made by an admin: there are never many, and those at rest are forgotten.
        if buckets.len() > 1_000 {
            buckets.retain(|_, bucket| !bucket.is_full(now));
        }
        let bucket = buckets.entry(asker.name().to_owned()).or_insert_with(|| Bucket::full(now));
        let taken = bucket.take(now, limits.rate, limits.burst);
        taken.map_err(|wait| Refusal::TooOften(asker.clone(), wait))
    }
}

/// Lets a request through if who asks may; changes are written down.
pub(crate) async fn check(State(gate): State<Gate>, mut request: Request, next: Next) -> Response {
    let asked = Asked::of(&request);
    match gate.pass(&asked).await {
        Ok(asker) => {
            request.extensions_mut().insert(asker.clone());
            match asked.change {
                Some(what) => {
                    super::write_down((&gate.0.handle, &asker), what, request, next).await
                }
                None => next.run(request).await,
            }
        }
        Err(refusal) => refused(&gate.0.handle, asked, refusal).await,
    }
}

/// Lets a request of somebody through who is known already, if they may; changes are written down.
pub(crate) async fn known(
    State(handle): State<Handle>,
    mut request: Request,
    next: Next,
) -> Response {
    let Some(person) = request.extensions_mut().remove::<Person>() else {
        return Problem::new(StatusCode::UNAUTHORIZED, NO_TOKEN).into_response();
    };
    let asker = Asker::of_person(person);
    let asked = Asked::of(&request);
    if let Err(says) = may(&asker, asked.rule) {
        return refused(&handle, asked, Refusal::Forbidden(asker, says)).await;
    }
    request.extensions_mut().insert(asker.clone());
    match asked.change {
        Some(what) => super::write_down((&handle, &asker), what, request, next).await,
        None => next.run(request).await,
    }
}

const NO_TOKEN: &str = "the request carries no valid token; send `Authorization: Bearer TOKEN` with the content of \
                        the file `token` in the data directory, or a token that `postlane token new` made";

/// The token in `Bearer TOKEN`; the scheme in any case (RFC 9110 §11.1).
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Whether who asks may do what the rule is for; why not, in words.
fn may(asker: &Asker, rule: Option<&Rule>) -> Result<(), String> {
    let name = asker.name();
    let Some(rule) = rule else {
        return Err("nobody but the token file's holder may ask for this address".to_owned());
    };
    let mut scopes = rule.scope.into_iter().chain(rule.or).peekable();
    if scopes.peek().is_some() && !scopes.any(|scope| asker.scopes().allow(scope)) {
        let (scope, has) = (rule.wants(), asker.scopes());
        return Err(format!(
            "this asks for the scope {scope}, and the token {name} has {has}; use another token"
        ));
    }
    if asker.is_bound() && rule.tenants == Tenants::Closed {
        let tenant = asker.tenant();
        return Err(format!(
            "this is not one tenant's, and the token {name} is bound to the tenant {tenant}"
        ));
    }
    Ok(())
}

async fn refused(handle: &Handle, asked: Asked, refusal: Refusal) -> Response {
    match refusal {
        Refusal::Unknown(says) => Problem::new(StatusCode::UNAUTHORIZED, says).into_response(),
        Refusal::TooManyFailures(wait) => {
            too_many(wait, "too many requests without a valid token came from your address")
        }
        Refusal::TooOften(asker, wait) => {
            let name = asker.name();
            too_many(wait, &format!("the token {name} asks too often (http.rate, http.burst)"))
        }
        Refusal::Forbidden(asker, says) => {
            if let Some(what) = asked.change {
                super::audit::tell((handle, &asker), what, String::new(), StatusCode::FORBIDDEN)
                    .await;
            }
            Problem::new(StatusCode::FORBIDDEN, says).into_response()
        }
        Refusal::NotNow(says) => {
            let detail =
                format!("tokens cannot be checked now: {says}; the token file still opens");
            Problem::unavailable(detail).into_response()
        }
    }
}

fn too_many(wait: Duration, says: &str) -> Response {
    let after = retry_after_s(wait);
    let detail = format!("{says}; ask again in {after} s");
    let mut answer = Problem::new(StatusCode::TOO_MANY_REQUESTS, detail).into_response();
    answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(after));
    answer
}
