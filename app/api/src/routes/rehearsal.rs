//! Rehearsals: asked for, watched, read, stopped.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use postlane_mail::Label;
use postlane_rehearsal::Policy;
use postlane_server::handle::Handle;
use postlane_server::rehearsals::{Keep, NewRehearsal, NoRehearsal, Rehearsed, Standing, Told};
use serde::Serialize;
use tokio::sync::watch;

use crate::access::Asker;
use crate::body::JsonBody;
use crate::problem::{Pointed, Problem};
use crate::wire::{
    RehearsalPage, RehearsalPicture, RehearsalProgress, RehearsalRequest, RehearsalRow,
    RehearsalStory,
};

/// Runs of each policy where it is not said: as `postlane rehearse` makes.
const SEEDS: u64 = 5;

/// Whoever looks on hears something at least so often. Chosen, not measured: what stands between two
/// machines closes what is silent for a minute.
const QUIET_MAX: std::time::Duration = std::time::Duration::from_secs(15);

/// Has something rehearsed: what a campaign would come to with a provider, in virtual time. Nothing is
/// sent. It waits for its turn; `/v1/rehearsals/{id}/events` tells how it goes.
#[utoipa::path(
    post, path = "/v1/rehearsals", tag = "rehearsals", request_body = RehearsalRequest,
    responses(
        (status = 200, body = RehearsalRow),
        (status = 403, description = "A tenant's token asks for this relay's own settings", body = Problem),
        (status = 422, description = "It cannot be rehearsed so; each line or field with its cure", body = Problem),
        (status = 429, description = "As many wait or run as may", body = Problem),
    )
)]
pub(crate) async fn begin(
    State(handle): State<Handle>,
    asker: Asker,
    body: JsonBody,
) -> Result<Json<RehearsalRow>, Problem> {
    let request: RehearsalRequest = body.read()?;
    let tenant = request.tenant.as_deref().map(Label::parse).transpose();
    let tenant = tenant.map_err(|e| Problem::unprocessable(e.to_string()).at("/tenant"))?;
    let tenant = asker.narrow(tenant)?.unwrap_or(Label::NONE);
    let keep = keep(&asker, request.settings.as_deref())?;
    let policies = policies(&request.policies)?;
    let seeds = request.seeds.unwrap_or(SEEDS);
    let told = told(request)?;
    let asked = NewRehearsal::of(told).and_then(|asked| asked.with(&policies, seeds, keep));
    let asked = asked.map_err(not_so)?.by(asker.name(), tenant);
    let new = handle.rehearse(asked).map_err(not_so)?;
    Ok(Json(RehearsalRow::of(&new, &new.seen())))
}

/// Lists rehearsals, the youngest first, and what can be rehearsed. A token that is bound to a tenant
/// sees that tenant's.
#[utoipa::path(
    get, path = "/v1/rehearsals", tag = "rehearsals",
    responses((status = 200, body = RehearsalPage))
)]
pub(crate) async fn list(State(handle): State<Handle>, asker: Asker) -> Json<RehearsalPage> {
    let all = handle.rehearsals(asker.tenant());
    Json(RehearsalPage::of(all.iter().map(|one| RehearsalRow::of(one, &one.seen())).collect()))
}

/// One rehearsal, with all that it has shown so far.
#[utoipa::path(
    get, path = "/v1/rehearsals/{id}", tag = "rehearsals",
    params(("id" = u64, Path, description = "Its number")),
    responses((status = 200, body = RehearsalStory), (status = 404, body = Problem))
)]
pub(crate) async fn show(
    State(handle): State<Handle>,
    asker: Asker,
    Path(id): Path<String>,
) -> Result<Json<RehearsalStory>, Problem> {
    Ok(Json(RehearsalStory::of(&*find(&handle, &asker, &id)?)))
}

/// Stops a rehearsal that waits or runs; one that is over is forgotten.
#[utoipa::path(
    delete, path = "/v1/rehearsals/{id}", tag = "rehearsals",
    params(("id" = u64, Path, description = "Its number")),
    responses((status = 200, body = RehearsalRow), (status = 404, body = Problem))
)]
pub(crate) async fn end(
    State(handle): State<Handle>,
    asker: Asker,
    Path(id): Path<String>,
) -> Result<Json<RehearsalRow>, Problem> {
    let ended = handle.end_rehearsal(number(&id)?, asker.tenant()).map_err(not_so)?;
    Ok(Json(RehearsalRow::of(&ended, &ended.seen())))
}

/// What the policies came to: the bytes that the rehearsal's `command` prints, a JSON object to a line.
#[utoipa::path(
    get, path = "/v1/rehearsals/{id}/outcomes", tag = "rehearsals",
    params(("id" = u64, Path, description = "Its number")),
    responses(
        (status = 200, content_type = "application/x-ndjson", body = String),
        (status = 404, body = Problem),
        (status = 409, description = "It has not come to its end", body = Problem),
    )
)]
pub(crate) async fn outcomes(
    State(handle): State<Handle>,
    asker: Asker,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let one = find(&handle, &asker, &id)?;
    let seen = one.seen();
    if seen.standing != Standing::Done {
        return Err(unfinished(&one));
    }
    let mut lines = Vec::new();
    for sum in &seen.sums {
        lines.extend(serde_json::to_vec(sum).unwrap_or_default());
        lines.push(b'\n');
    }
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], lines).into_response())
}

/// The lane configuration that a rehearsal suggests, as TOML.
#[utoipa::path(
    get, path = "/v1/rehearsals/{id}/config", tag = "rehearsals",
    params(("id" = u64, Path, description = "Its number")),
    responses(
        (status = 200, content_type = "application/toml", body = String),
        (status = 404, description = "There is none of that number, or no lane of ours was rehearsed", body = Problem),
        (status = 409, description = "It has not come to its end", body = Problem),
    )
)]
pub(crate) async fn config(
    State(handle): State<Handle>,
    asker: Asker,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let one = find(&handle, &asker, &id)?;
    let seen = one.seen();
    match (seen.suggestion, seen.standing) {
        (Some(toml), _) => Ok(file(&format!("lane-{}.toml", one.asked.scenario.meta.id), toml)),
        (None, Standing::Done) => {
            let detail = "no lane of ours was rehearsed: ask for the policy lane, too";
            Err(Problem::new(StatusCode::NOT_FOUND, detail))
        }
        _ => Err(unfinished(&one)),
    }
}

/// The scenario of a rehearsal, as TOML: to be kept, changed, and rehearsed with `postlane rehearse`.
#[utoipa::path(
    get, path = "/v1/rehearsals/{id}/scenario", tag = "rehearsals",
    params(("id" = u64, Path, description = "Its number")),
    responses(
        (status = 200, content_type = "application/toml", body = String),
        (status = 404, body = Problem),
    )
)]
pub(crate) async fn scenario(
    State(handle): State<Handle>,
    asker: Asker,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let one = find(&handle, &asker, &id)?;
    Ok(file(&format!("{}.toml", one.asked.scenario.meta.id), one.asked.text.clone()))
}

/// How a rehearsal goes, as server-sent events: `picture` with the first run of a policy as far as it
/// has come, `outcomes` after each seed, `progress` whenever something is new. It ends with the
/// rehearsal.
#[utoipa::path(
    get, path = "/v1/rehearsals/{id}/events", tag = "rehearsals",
    params(("id" = u64, Path, description = "Its number")),
    responses(
        (status = 200, content_type = "text/event-stream", body = RehearsalProgress),
        (status = 404, body = Problem),
    )
)]
pub(crate) async fn events(
    State(handle): State<Handle>,
    asker: Asker,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let one = find(&handle, &asker, &id)?;
    let mut news = one.news();
    // What has happened before is new to whoever comes now.
    news.mark_changed();
    let looking = Some(Looking { one, news, pictures: Vec::new(), sums: 0 });
    let events = stream::unfold(looking, |looking| async move {
        let mut looking = looking?;
        let (event, is_over) = looking.next().await;
        Some((Ok::<_, Infallible>(Bytes::from(event)), (!is_over).then_some(looking)))
    });
    let headers =
        [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, Body::from_stream(events)).into_response())
}

/// Somebody who looks on.
struct Looking {
    one: Arc<Rehearsed>,
    news: watch::Receiver<u64>,
    pictures: Vec<RehearsalPicture>,
    /// Runs that the sums were of, which were told last.
    sums: usize,
}

impl Looking {
    /// What is new, and whether nothing comes behind it.
    async fn next(&mut self) -> (String, bool) {
        match tokio::time::timeout(QUIET_MAX, self.news.changed()).await {
            Err(_) => return (": nothing new\n\n".to_owned(), false),
            // It was forgotten: nothing comes any more.
            Ok(Err(_)) => return (String::new(), true),
            Ok(Ok(())) => {}
        }
        self.news.mark_unchanged();
        let seen = self.one.seen();
        let mut event = String::new();
        let pictures = RehearsalPicture::all(&seen);
        for picture in pictures.iter().filter(|picture| !self.pictures.contains(picture)) {
            event.push_str(&told_as("picture", picture));
        }
        self.pictures = pictures;
        let sums = seen.sums.first().map_or(0, |sum| sum.runs.len());
        if sums != self.sums {
            self.sums = sums;
            event.push_str(&told_as("outcomes", &seen.sums));
        }
        event.push_str(&told_as("progress", &RehearsalProgress::of(&seen)));
        (event, seen.standing.is_over())
    }
}

fn told_as(event: &str, value: &impl Serialize) -> String {
    format!("event: {event}\ndata: {}\n\n", serde_json::to_string(value).unwrap_or_default())
}

fn keep(asker: &Asker, settings: Option<&str>) -> Result<Keep, Problem> {
    match settings {
        None | Some("built-in") => Ok(Keep::BuiltIn),
        Some("own") if asker.is_bound() => {
            let detail = "this relay's settings are everybody's, and this token is bound to a tenant; \
                          leave settings out";
            Err(Problem::new(StatusCode::FORBIDDEN, detail).at("/settings"))
        }
        Some("own") => Ok(Keep::Own),
        Some(other) => {
            let detail = format!("{other:?} are no settings: write built-in or own");
            Err(Problem::unprocessable(detail).at("/settings"))
        }
    }
}

fn policies(names: &[String]) -> Result<Vec<Policy>, Problem> {
    let known = || Policy::ALL.map(Policy::as_str).join(", ");
    let read = |(place, name): (usize, &String)| {
        Policy::parse(name).ok_or_else(|| Pointed {
            pointer: format!("/policies/{place}"),
            detail: format!("there is no policy {name:?}: use one of {}", known()),
        })
    };
    let (mut found, mut wrong) = (Vec::new(), Vec::new());
    for one in names.iter().enumerate().map(read) {
        match one {
            Ok(policy) => found.push(policy),
            Err(pointed) => wrong.push(pointed),
        }
    }
    match wrong.first() {
        None => Ok(found),
        Some(first) => Err(Problem::unprocessable(first.detail.clone()).at_all(wrong)),
    }
}

fn told(request: RehearsalRequest) -> Result<Told, Problem> {
    match (request.scenario, request.toml, request.description) {
        (Some(name), None, None) => Ok(Told::BuiltIn(name)),
        (None, Some(text), None) => Ok(Told::Toml(text)),
        (None, None, Some(described)) => {
            let read = described.read().map_err(|e| {
                Problem::unprocessable(e.says).at(format!("/description/{}", e.field))
            })?;
            Ok(Told::Description(read))
        }
        _ => {
            let detail = "what is rehearsed? send one of scenario, toml and description; GET \
                          /v1/rehearsals lists the scenarios that come with the program";
            Err(Problem::unprocessable(detail).at("/scenario"))
        }
    }
}

fn find(handle: &Handle, asker: &Asker, id: &str) -> Result<Arc<Rehearsed>, Problem> {
    handle.rehearsal(number(id)?, asker.tenant()).map_err(not_so)
}

fn number(id: &str) -> Result<u64, Problem> {
    id.parse().map_err(|_| not_so(NoRehearsal::Unknown))
}

fn unfinished(one: &Rehearsed) -> Problem {
    let state = RehearsalProgress::of(&one.seen());
    let detail = match state.state.as_str() {
        "waits" | "runs" => "it has not come to its end: /events tells when".to_owned(),
        "stopped" => "it was stopped before its end: rehearse it again".to_owned(),
        _ => format!("it did not come to its end: {}", state.says),
    };
    Problem::new(StatusCode::CONFLICT, detail)
}

fn file(name: &str, text: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/toml; charset=utf-8".to_owned()),
        // A scenario's id has letters, digits, dots, hyphens and underscores.
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    (headers, text).into_response()
}

pub(crate) fn not_so(why: NoRehearsal) -> Problem {
    let says = why.to_string();
    match why {
        NoRehearsal::Unknown => Problem::new(StatusCode::NOT_FOUND, says),
        NoRehearsal::NoScenario(_) => Problem::unprocessable(says).at("/scenario"),
        NoRehearsal::Faults(faults) => {
            let pointed = faults
                .iter()
                .map(|fault| Pointed { pointer: "/toml".to_owned(), detail: fault.to_string() });
            let first = faults.first().map(|fault| format!(": {fault}")).unwrap_or_default();
            let more = match faults.len() {
                0 | 1 => String::new(),
                many => format!("; and {} more", many - 1),
            };
            let detail = format!("the scenario cannot be used{first}{more}");
            Problem::unprocessable(detail).at_all(pointed)
        }
        NoRehearsal::Description(wrong) => {
            let pointed = wrong.iter().map(|one| Pointed {
                pointer: format!("/description/{}", one.field),
                detail: one.says.clone(),
            });
            let first = wrong.first().map(|one| format!(": {one}")).unwrap_or_default();
            Problem::unprocessable(format!("the description cannot be used{first}")).at_all(pointed)
        }
        NoRehearsal::TooLarge(_) => Problem::unprocessable(says),
        NoRehearsal::TooMany => Problem::new(StatusCode::TOO_MANY_REQUESTS, says),
        _ => Problem::unavailable(says),
    }
}
