//! One's own sign-in: where one is signed in, out everywhere, and another password.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use postlane_api::{Problem, password};
use postlane_registry::SessionSeen;
use serde::Deserialize;

use crate::answer;
use crate::desk::Desk;
use crate::frame::Frame;
use crate::moments;
use crate::numbers::foreign;
use crate::session::{self, Nothing, Posted, Visit};
use crate::sign_in::{known, tell};

struct Line {
    origin: String,
    begun: String,
    seen: String,
    is_own: bool,
}

#[derive(Template)]
#[template(path = "account.html")]
struct AccountOut {
    frame: Frame,
    sessions: Vec<Line>,
    says: String,
}

/// Another password, for whoever knows the one that holds.
#[derive(Deserialize)]
pub(crate) struct Passwords {
    #[serde(default)]
    old: String,
    #[serde(default)]
    new: String,
}

/// Where one is signed in.
pub(crate) async fn show(State(desk): State<Desk>, visit: Visit) -> Result<Response, Problem> {
    page(&desk, &visit, String::new()).await
}

async fn page(desk: &Desk, visit: &Visit, says: String) -> Result<Response, Problem> {
    let (name, hash, now) = (visit.person().name.clone(), visit.secret().hash(), desk.wall());
    let sessions = desk.registry(move |db| db.sessions(&name, &hash, now)).await?;
    let line = |session: &SessionSeen| Line {
        origin: foreign(&session.origin),
        begun: moments::day_and_minute(session.begun),
        seen: moments::ago(session.seen, now),
        is_own: session.is_own,
    };
    let frame = Frame::new(desk, visit, "Your sign-in", "/account");
    let nonce = frame.bare.nonce.clone();
    let out = AccountOut { frame, sessions: sessions.iter().map(line).collect(), says };
    Ok(answer::page(&out, &nonce))
}

/// Signs whoever asks out wherever they are signed in.
pub(crate) async fn sign_out(
    State(desk): State<Desk>,
    visit: Visit,
    headers: HeaderMap,
    Posted(Nothing {}): Posted<Nothing>,
) -> Result<Response, Problem> {
    let name = visit.person().name.clone();
    desk.registry(move |db| db.end_sessions(&name)).await?;
    let who = (&visit.person().name, visit.person().origin);
    tell(&desk, who, "sign out everywhere", StatusCode::OK).await;
    Ok(signed_out(&headers))
}

fn signed_out(headers: &HeaderMap) -> Response {
    let mut answer = Redirect::to("/sign-in?next=out").into_response();
    session::hold(&mut answer, headers, None);
    answer
}

/// Gives whoever asks another password.
pub(crate) async fn change_password(
    State(desk): State<Desk>,
    visit: Visit,
    headers: HeaderMap,
    Posted(Passwords { old, new }): Posted<Passwords>,
) -> Result<Response, Problem> {
    let (name, origin) = (visit.person().name.clone(), visit.person().origin);
    let refused = async |says: String, status: StatusCode| {
        let mut page = page(&desk, &visit, says).await?;
        *page.status_mut() = status;
        Ok(page)
    };
    // Whoever sits down at somebody else's screen guesses no better than at the sign-in.
    if let Err(wait) = desk.tries().begin(name.as_str(), origin, std::time::Instant::now()) {
        let says = format!("Too many tries have failed. Try again in {} s.", wait.as_secs().max(1));
        return refused(says, StatusCode::TOO_MANY_REQUESTS).await;
    }
    let who = (&name, origin);
    if known(&desk, name.as_str(), old).await?.is_none() {
        tell(&desk, who, "change password", StatusCode::FORBIDDEN).await;
        let says = "The password you have now is not right: nothing was changed.".to_owned();
        return refused(says, StatusCode::FORBIDDEN).await;
    }
    desk.tries().succeeded(name.as_str(), origin);
    let kept = match desk.hashing(move || password::hashed(&new)).await? {
        Ok(kept) => kept,
        Err(why) => {
            let says = format!("{}.", crate::lanes::capital(&why.to_string()));
            return refused(says, StatusCode::UNPROCESSABLE_ENTITY).await;
        }
    };
    let whose = name.clone();
    desk.registry(move |db| db.set_password(&whose, &kept)).await?;
    tell(&desk, who, "change password", StatusCode::OK).await;
    Ok(signed_out(&headers))
}
