//! Domains: what they publish and published, and what is wrong with them.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use postlane_checks::Name;
use postlane_mail::Domain;
use postlane_server::handle::{DomainsSeen, Handle};

use super::token::refused;
use crate::access::Asker;
use crate::problem::Problem;
use crate::query::{UrlQuery, limit};
use crate::wire::{DomainPage, DomainQuery, DomainRow, DomainStory, moment_or_ago};

/// Changes told of a domain when nothing is said, and at most. Chosen, not measured.
const PAGE: (u32, u32) = (100, 1_000);

/// The domains that are watched, each in a row. A token that is bound to a tenant sees that
/// tenant's alone.
#[utoipa::path(
    get, path = "/v1/domains", tag = "watch", responses((status = 200, body = DomainPage))
)]
pub(crate) async fn list(State(handle): State<Handle>, asker: Asker) -> Json<DomainPage> {
    Json(DomainPage::of(&handle.domains_seen(), asker.tenant()))
}

/// One domain: what it publishes, or published at a moment, what has changed, and what is wrong.
#[utoipa::path(
    get, path = "/v1/domains/{name}", tag = "watch",
    params(("name" = String, Path, description = "Its name"), DomainQuery),
    responses(
        (status = 200, body = DomainStory),
        (status = 400, body = Problem),
        (status = 404, description = "It is not watched", body = Problem),
        (status = 503, body = Problem),
    )
)]
pub(crate) async fn show(
    State(handle): State<Handle>,
    asker: Asker,
    Path(name): Path<String>,
    UrlQuery(query): UrlQuery<DomainQuery>,
) -> Result<Json<DomainStory>, Problem> {
    told(&handle, &handle.domains_seen(), &asker, &name, &query).await.map(Json)
}

/// Looks at a domain now, and answers when it is done.
#[utoipa::path(
    post, path = "/v1/domains/{name}/check", tag = "watch",
    params(("name" = String, Path, description = "Its name")),
    responses(
        (status = 200, body = DomainStory),
        (status = 404, description = "It is not watched", body = Problem),
        (status = 503, body = Problem),
    )
)]
pub(crate) async fn check(
    State(handle): State<Handle>,
    asker: Asker,
    Path(name): Path<String>,
) -> Result<Json<DomainStory>, Problem> {
    let domain = named(&name)?;
    let seen = handle.look_at_domains_now(Some(domain)).await.map_err(|why| refused(&why))?;
    told(&handle, &seen, &asker, &name, &DomainQuery::default()).await.map(Json)
}

async fn told(
    handle: &Handle,
    seen: &DomainsSeen,
    asker: &Asker,
    name: &str,
    query: &DomainQuery,
) -> Result<DomainStory, Problem> {
    let limit = limit(query.limit, PAGE)?;
    let now = handle.now();
    let at = query.at.as_deref().map(|text| moment_or_ago(text, now)).transpose();
    let at = at.map_err(|why| Problem::bad_request(format!("at: {why}")))?;
    let domain = named(name)?;
    let Some(known) = seen.find(&domain, asker.tenant()) else { return Err(unwatched(name)) };
    let read = |at, most| handle.published(&domain, at, most);
    let records = read(Some(at.unwrap_or(now)), PAGE.1).await.map_err(|why| refused(&why))?;
    let versions = read(None, u32::MAX).await.map_err(|why| refused(&why))?;
    let row = DomainRow::of(seen, &domain, known);
    Ok(DomainStory::of(row, known, &records, &versions, limit as usize))
}

fn named(name: &str) -> Result<Name, Problem> {
    Domain::parse(name).map(|domain| Name::from(&domain)).map_err(|_| unwatched(name))
}

fn unwatched(name: &str) -> Problem {
    let detail = format!(
        "{} is not watched; watch.domains names more, and /v1/checks/domain looks at any",
        name.escape_debug()
    );
    Problem::new(StatusCode::NOT_FOUND, detail)
}
