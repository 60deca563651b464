//! Signing in and out, and the first admin.

use askama::Template;
use axum::Form;
use axum::extract::FromRequest as _;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use postlane_api::password::{self, NOBODYS};
use postlane_api::{Origin, Problem};
use postlane_mail::Label;
use postlane_registry::{Audit, NewUser, Role, User};
use serde::Deserialize;

use crate::answer;
use crate::desk::Desk;
use crate::frame::Bare;
use crate::session::{
    self, Nothing, Posted, Theme, Visit, is_by_tls, is_ours, origin_of, visit_of,
};

/// Where somebody wanted to go.
#[derive(Deserialize, Default)]
pub(crate) struct Wanted {
    #[serde(default)]
    next: String,
}

#[derive(Deserialize)]
pub(crate) struct SignIn {
    name: String,
    password: String,
    #[serde(default)]
    next: String,
}

#[derive(Deserialize)]
pub(crate) struct FirstAdmin {
    token: String,
    name: String,
    password: String,
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    bare: Bare,
    next: String,
    name: String,
    says: String,
    /// The password would go over the network as it is.
    is_exposed: bool,
    signed_out: bool,
}

#[derive(Template)]
#[template(path = "setup.html")]
struct SetupPage {
    bare: Bare,
    path: String,
    name: String,
    says: String,
    is_exposed: bool,
}

/// A form that nobody needs to be signed in for.
struct Sent<T> {
    form: T,
    headers: HeaderMap,
    origin: Origin,
}

impl<T: serde::de::DeserializeOwned> Sent<T> {
    async fn read(desk: &Desk, request: Request) -> Result<Self, Problem> {
        let (headers, origin) = (request.headers().clone(), origin_of(&request));
        if !is_ours(&headers) {
            let detail = "this did not come from the sign-in page here: load it and try again";
            return Err(Problem::new(StatusCode::FORBIDDEN, detail));
        }
        let form = Form::<T>::from_request(request, desk).await;
        let Form(form) =
            form.map_err(|e| Problem::unprocessable(format!("the form cannot be read: {e}")))?;
        Ok(Self { form, headers, origin })
    }
}

/// The page to sign in at; the page to make the first admin where nobody can sign in yet.
pub(crate) async fn show(
    State(desk): State<Desk>,
    Query(wanted): Query<Wanted>,
    request: Request,
) -> Result<Response, Problem> {
    let headers = request.headers();
    if visit_of(&desk, headers, origin_of(&request)).await?.is_some() {
        return Ok(Redirect::to(place(&wanted.next)).into_response());
    }
    if desk.registry(|db| db.users()).await?.is_empty() {
        return Ok(Redirect::to("/setup").into_response());
    }
    let asked = (headers, origin_of(&request));
    Ok(sign_in_page(&desk, asked, (&wanted.next, ""), String::new()))
}

fn sign_in_page(
    desk: &Desk,
    (headers, origin): (&HeaderMap, Origin),
    (next, name): (&str, &str),
    says: String,
) -> Response {
    let bare = Bare::new(desk, "Sign in", Theme::of(headers));
    let nonce = bare.nonce.clone();
    let page = SignInPage {
        bare,
        next: next.to_owned(),
        name: name.to_owned(),
        says,
        is_exposed: is_exposed(headers, origin),
        signed_out: next == "out",
    };
    answer::page(&page, &nonce)
}

/// Whether what is typed here goes over a network in the clear.
fn is_exposed(headers: &HeaderMap, origin: Origin) -> bool {
    match origin {
        Origin::Address(address) => !address.to_canonical().is_loopback() && !is_by_tls(headers),
        Origin::Socket => false,
    }
}

/// Signs somebody in.
pub(crate) async fn sign_in(
    State(desk): State<Desk>,
    request: Request,
) -> Result<Response, Problem> {
    let Sent { form, headers, origin } = Sent::<SignIn>::read(&desk, request).await?;
    let name: String = form.name.trim().chars().take(64).collect();
    let refused = |says: String, status: StatusCode| {
        let mut page = sign_in_page(&desk, (&headers, origin), (&form.next, &name), says);
        *page.status_mut() = status;
        page
    };
    // Counted before the password is looked at, so that a burst is no way around the limit.
    if let Err(wait) = desk.tries().begin(&name, origin, std::time::Instant::now()) {
        let wait = wait.as_secs().max(1);
        let says = format!("Too many tries have failed. Try again in {wait} s.");
        let mut page = refused(says, StatusCode::TOO_MANY_REQUESTS);
        page.headers_mut().insert(header::RETRY_AFTER, wait.into());
        return Ok(page);
    }
    match known(&desk, &name, form.password.clone()).await? {
        Some(user) => {
            desk.tries().succeeded(&name, origin);
            let before = visit_of(&desk, &headers, origin).await?;
            let answer = begin(&desk, (&user, before), (&headers, origin), &form.next).await?;
            tell(&desk, (&user.name, origin), "sign in", StatusCode::OK).await;
            Ok(answer)
        }
        None => {
            let who = Label::parse(&name).unwrap_or_default();
            tell(&desk, (&who, origin), "sign in", StatusCode::UNAUTHORIZED).await;
            let says = "Name or password is not right.".to_owned();
            Ok(refused(says, StatusCode::UNAUTHORIZED))
        }
    }
}

/// Whoever has this name and password. It takes as long for a name that nobody has.
pub(crate) async fn known(
    desk: &Desk,
    name: &str,
    password: String,
) -> Result<Option<User>, Problem> {
    let asked = name.to_owned();
    let user = desk.registry(move |db| db.user(&asked)).await?;
    let kept = user.as_ref().map_or_else(|| NOBODYS.to_owned(), |user| user.password.clone());
    let agrees = desk.agrees(password, kept).await;
    Ok(user.filter(|user| agrees && user.disabled.is_none()))
}

/// Begins a session, in the place of one that the browser had.
async fn begin(
    desk: &Desk,
    (user, before): (&User, Option<Visit>),
    (headers, origin): (&HeaderMap, Origin),
    next: &str,
) -> Result<Response, Problem> {
    let (name, from, now) = (user.name.clone(), origin.to_string(), desk.wall());
    let old = before.map(|visit| visit.secret().hash());
    let secret = desk
        .registry(move |db| {
            if let Some(old) = old {
                db.end_session(&old)?;
            }
            db.begin_session(&name, &from, now)
        })
        .await?;
    let mut answer = Redirect::to(place(next)).into_response();
    session::hold(&mut answer, headers, Some(&secret));
    Ok(answer::harden(answer))
}

/// A place of ours, or the first page: nobody is sent elsewhere.
fn place(next: &str) -> &str {
    let is_ours =
        next.starts_with('/') && !next.starts_with("//") && !next.contains(['\\', '\n', '\r']);
    let is_path = next.chars().all(|c| c.is_ascii_graphic());
    if is_ours && is_path && !next.starts_with("/sign-in") { next } else { "/" }
}

/// Signs whoever asks out.
pub(crate) async fn sign_out(
    State(desk): State<Desk>,
    visit: Visit,
    headers: HeaderMap,
    Posted(Nothing {}): Posted<Nothing>,
) -> Result<Response, Problem> {
    let hash = visit.secret().hash();
    desk.registry(move |db| db.end_session(&hash)).await?;
    tell(&desk, (&visit.person().name, visit.person().origin), "sign out", StatusCode::OK).await;
    let mut answer = Redirect::to("/sign-in?next=out").into_response();
    session::hold(&mut answer, &headers, None);
    Ok(answer)
}

/// The page to make the first admin at.
pub(crate) async fn show_setup(
    State(desk): State<Desk>,
    request: Request,
) -> Result<Response, Problem> {
    if !desk.registry(|db| db.users()).await?.is_empty() {
        return Ok(Redirect::to("/sign-in").into_response());
    }
    let asked = (request.headers(), origin_of(&request));
    Ok(setup_page(&desk, asked, "", String::new()))
}

fn setup_page(
    desk: &Desk,
    (headers, origin): (&HeaderMap, Origin),
    name: &str,
    says: String,
) -> Response {
    let bare = Bare::new(desk, "First sign-in", Theme::of(headers));
    let nonce = bare.nonce.clone();
    let page = SetupPage {
        bare,
        path: desk.setup().path().display().to_string(),
        name: name.to_owned(),
        says,
        is_exposed: is_exposed(headers, origin),
    };
    answer::page(&page, &nonce)
}

/// Makes the first admin, for whoever has read the file.
pub(crate) async fn set_up(
    State(desk): State<Desk>,
    request: Request,
) -> Result<Response, Problem> {
    let Sent { form, headers, origin } = Sent::<FirstAdmin>::read(&desk, request).await?;
    let refused = |says: String, status: StatusCode| {
        let mut page = setup_page(&desk, (&headers, origin), &form.name, says);
        *page.status_mut() = status;
        Ok(page)
    };
    if let Err(wait) = desk.tries().begin(" setup", origin, std::time::Instant::now()) {
        let says = format!("Too many tries have failed. Try again in {} s.", wait.as_secs().max(1));
        return refused(says, StatusCode::TOO_MANY_REQUESTS);
    }
    if !desk.setup().agrees(&form.token) {
        let says = "This is not the token in the file. A restart of the server makes a new one.";
        return refused(says.to_owned(), StatusCode::FORBIDDEN);
    }
    desk.tries().succeeded(" setup", origin);
    let Some(name) = Label::parse(form.name.trim()).ok().filter(|name| !name.is_none()) else {
        let says = "A name has 1 to 64 letters, digits, dots, hyphens and underscores.";
        return refused(says.to_owned(), StatusCode::UNPROCESSABLE_ENTITY);
    };
    let password = form.password.clone();
    let hashed = match desk.hashing(move || password::hashed(&password)).await? {
        Ok(hashed) => hashed,
        Err(why) => return refused(capital(&why.to_string()), StatusCode::UNPROCESSABLE_ENTITY),
    };
    let new = NewUser {
        name,
        password: hashed,
        role: Role::Admin,
        tenant: Label::NONE,
        by: "the first sign-in".to_owned(),
    };
    let at = desk.wall();
    let user = desk.registry(move |db| db.add_first_user(&new, at)).await?;
    // That it opens nothing any more is held by the registry, too: there is somebody now.
    let _ = desk.setup().remove();
    let detail = format!("user add {}, admin", user.name);
    tell(&desk, (&user.name, origin), &detail, StatusCode::OK).await;
    begin(&desk, (&user, None), (&headers, origin), "").await
}

fn capital(says: &str) -> String {
    let mut letters = says.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), letters.as_str())
}

/// Writes down who has signed in or out, or has not been let in.
pub(crate) async fn tell(
    desk: &Desk,
    (who, origin): (&Label, Origin),
    what: &str,
    status: StatusCode,
) {
    let audit = Audit {
        at: desk.now(),
        who: who.to_string(),
        origin: origin.to_string(),
        tenant: Label::NONE,
        what: what.to_owned(),
        detail: String::new(),
        status: status.as_u16(),
    };
    desk.handle().audit(audit).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_elsewhere_after_the_sign_in() {
        assert_eq!(place("/log?code=421&since=24h"), "/log?code=421&since=24h");
        for elsewhere in [
            "",
            "out",
            "//evil.example",
            "https://evil.example",
            "/\\evil.example",
            "/a\r\nSet-Cookie: b",
            "/sign-in?next=/",
        ] {
            assert_eq!(place(elsewhere), "/", "{elsewhere}");
        }
    }

    #[test]
    fn a_password_in_the_clear_is_warned_of_and_loopback_is_not() {
        let from = |text: &str| Origin::Address(text.parse().unwrap());
        let plain = HeaderMap::new();
        let mut tls = HeaderMap::new();
        tls.insert("x-forwarded-proto", "https".parse().unwrap());
        assert!(is_exposed(&plain, from("192.0.2.7")));
        assert!(!is_exposed(&plain, from("127.0.0.1")) && !is_exposed(&plain, from("::1")));
        assert!(!is_exposed(&tls, from("192.0.2.7")) && !is_exposed(&plain, Origin::Socket));
    }
}
