//! Who is signed in: the cookie, the gate that every page stands behind, and forms that only our own
//! pages can send.

use std::sync::Arc;

use aws_lc_rs::digest;
use axum::Form;
use axum::body::to_bytes;
use axum::extract::{ConnectInfo, FromRequest, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Redirect, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use postlane_api::{Origin, Person, Problem};
use postlane_registry::{Role, SESSION_MAX, SecretText, User};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use subtle::ConstantTimeEq as _;

use crate::answer;
use crate::desk::Desk;
use crate::frame::{Frame, Theme, refused_page};
use crate::origin::{is_by_tls, is_ours};

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
    fn new(user: User, secret: SecretText, (origin, theme): (Origin, Theme)) -> Self {
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

/// A form that one of our own pages has sent, for whoever is signed in.
pub(crate) struct Posted<T>(pub(crate) T);

#[derive(Deserialize)]
struct Guarded<T> {
    #[serde(default)]
    form_token: String,
    #[serde(flatten)]
    fields: T,
}

impl<T: DeserializeOwned> FromRequest<Desk> for Posted<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, desk: &Desk) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let visit = Visit::from_request_parts(&mut parts, desk).await?;
        let request = Request::from_parts(parts, body);
        let Form(form) = Form::<Guarded<T>>::from_request(request, desk)
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

/// Lets whoever is signed in through, and sends everybody else to the sign-in. What changes
/// something must come from a page of ours. What went wrong becomes a page.
pub(crate) async fn signed_in(
    State(desk): State<Desk>,
    mut request: Request,
    next: Next,
) -> Response {
    let visit = match visit_of(&desk, request.headers(), origin_of(&request)).await {
        Ok(Some(visit)) => visit,
        Ok(None) => return to_sign_in(&request),
        Err(problem) => return answer::harden(problem.into_response()),
    };
    let is_safe = matches!(*request.method(), Method::GET | Method::HEAD);
    let wants_page = wants_page(request.headers());
    let answer = match is_safe || is_ours(request.headers()) {
        true => {
            request.extensions_mut().insert(visit.clone());
            next.run(request).await
        }
        false => foreign().into_response(),
    };
    let is_problem = answer.headers().get(header::CONTENT_TYPE);
    let is_problem = is_problem.is_some_and(|kind| kind == "application/problem+json");
    match is_problem && wants_page {
        true => explained(&desk, &visit, answer).await,
        false => answer::harden(answer),
    }
}

/// An error as a page.
async fn explained(desk: &Desk, visit: &Visit, answer: Response) -> Response {
    let (parts, body) = answer.into_parts();
    let octets = to_bytes(body, 1 << 20).await.unwrap_or_default();
    let bare = || Problem::new(parts.status, "something went wrong");
    let problem: Problem = serde_json::from_slice(&octets).unwrap_or_else(|_| bare());
    let mut page = refused_page(Frame::new(desk, visit, "Not done", ""), problem);
    *page.status_mut() = parts.status;
    page
}

fn wants_page(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

fn to_sign_in(request: &Request) -> Response {
    let is_page = *request.method() == Method::GET && wants_page(request.headers());
    if !is_page {
        let detail = "nobody is signed in here, or the session has ended: sign in again";
        let problem = Problem::new(StatusCode::UNAUTHORIZED, detail);
        return answer::harden(problem.into_response());
    }
    let wanted = request.uri().path_and_query().map_or("/", |wanted| wanted.as_str());
    let next = match wanted {
        "/" => "/sign-in".to_owned(),
        wanted => format!("/sign-in?next={}", crate::numbers::in_query(wanted)),
    };
    answer::harden(Redirect::to(&next).into_response())
}

/// From where somebody asks.
pub(crate) fn origin_of(request: &Request) -> Origin {
    let origin = request.extensions().get::<ConnectInfo<Origin>>();
    origin.map_or(Origin::Socket, |ConnectInfo(origin)| *origin)
}

/// Who is signed in with what a browser has sent.
pub(crate) async fn visit_of(
    desk: &Desk,
    headers: &HeaderMap,
    origin: Origin,
) -> Result<Option<Visit>, Problem> {
    let held = cookie(headers, cookie_name(headers));
    let Some(secret) = held.and_then(SecretText::parse) else { return Ok(None) };
    let (hash, now) = (secret.hash(), desk.wall());
    let session = desk.registry(move |db| db.session(&hash, now)).await?;
    let session = session.filter(|session| session.holds(now));
    let theme = Theme::of(headers);
    Ok(session.map(|session| Visit::new(session.user, secret, (origin, theme))))
}

/// The cookie's name: by TLS one that no other host and no plain page can set.
fn cookie_name(headers: &HeaderMap) -> &'static str {
    if is_by_tls(headers) { "__Host-postlane-session" } else { "postlane-session" }
}

/// The cookie of that name.
pub(crate) fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = all.flat_map(|value| value.split(';')).filter_map(|pair| pair.split_once('='));
    pairs.find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim())
}

/// Gives the browser its session to hold, or takes it back.
pub(crate) fn hold(answer: &mut Response, headers: &HeaderMap, secret: Option<&SecretText>) {
    let name = cookie_name(headers);
    let secure = if is_by_tls(headers) { "; Secure" } else { "" };
    let (value, age) = secret.map_or(("", 0), |secret| (secret.as_str(), SESSION_MAX.as_s()));
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={age}{secure}");
    let value = HeaderValue::from_str(&text).expect("a secret of ours has no odd character");
    answer.headers_mut().append(header::SET_COOKIE, value);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(of: &[(&'static str, &'static str)]) -> HeaderMap {
        of.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    fn set_cookie(headers: &HeaderMap) -> String {
        let mut answer = Response::default();
        hold(&mut answer, headers, Some(&SecretText::random()));
        answer.headers()[header::SET_COOKIE].to_str().unwrap().to_owned()
    }

    #[test]
    fn the_cookie_is_for_no_script_and_no_other_site_and_by_tls_for_this_host_alone() {
        let plain = set_cookie(&headers(&[]));
        assert!(plain.starts_with("postlane-session=plt_"), "{plain}");
        assert!(plain.contains("; Path=/; HttpOnly; SameSite=Lax; Max-Age=604800"), "{plain}");
        assert!(!plain.contains("Secure"));
        let by_tls = set_cookie(&headers(&[("x-forwarded-proto", "https")]));
        assert!(by_tls.starts_with("__Host-postlane-session=plt_"), "{by_tls}");
        assert!(by_tls.ends_with("; Secure") && !by_tls.contains("Domain"), "{by_tls}");
    }

    #[test]
    fn a_cookie_is_found_among_others_by_its_whole_name() {
        let sent = headers(&[("cookie", "xpostlane-session=a; theme=dark; postlane-session=b")]);
        assert_eq!(cookie(&sent, "postlane-session"), Some("b"));
        assert_eq!(cookie(&sent, "theme"), Some("dark"));
        assert_eq!(cookie(&sent, "session"), None);
    }

    #[test]
    fn a_forms_token_is_the_sessions_own_and_does_not_tell_it() {
        let (one, two) = (SecretText::random(), SecretText::random());
        assert_eq!(form_token(&one), form_token(&one));
        assert_ne!(form_token(&one), form_token(&two));
        assert!(!one.as_str().contains(&form_token(&one)));
    }
}
