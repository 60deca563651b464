//! The gate that every page stands behind: who is signed in passes, everybody else is sent to the
//! sign-in, and what went wrong becomes a page.

use axum::body::to_bytes;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Redirect, Response};
use postlane_api::{Origin, Problem};

use super::cookie;
use super::form::foreign;
use super::origin::is_ours;
use super::theme::Theme;
use super::visit::Visit;
use crate::answer;
use crate::desk::Desk;
use crate::frame::{Frame, refused_page};

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
    let Some(secret) = cookie::held(headers) else { return Ok(None) };
    let (hash, now) = (secret.hash(), desk.wall());
    let session = desk.registry(move |db| db.session(&hash, now)).await?;
    let session = session.filter(|session| session.holds(now));
    let theme = Theme::of(headers);
    Ok(session.map(|session| Visit::new(session.user, secret, (origin, theme))))
}
