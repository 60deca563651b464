//! Incidents: what is wrong for a while, and what is done about it.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use postlane_mail::Instant;
use postlane_replies::Providers;
use postlane_server::handle::{Handle, IncidentOrder, NoIncident};
use postlane_triage::{Incident, IncidentError};

use super::token::refused;
use crate::access::Asker;
use crate::body::JsonBody;
use crate::problem::Problem;
use crate::query::{UrlQuery, limit, since};
use crate::wire::{
    INCIDENT_COMMANDS, IncidentOrderRequest, IncidentPage, IncidentQuery, IncidentRow,
    IncidentStory, Told,
};

/// Incidents on a page when nothing is said, and at most. Chosen, not measured.
const PAGE: (u32, u32) = (100, 1_000);

/// Lists incidents, the youngest first: those that are open, if it is not said otherwise. A token that
/// is bound to a tenant sees those that are about that tenant's mail alone.
#[utoipa::path(
    get, path = "/v1/incidents", tag = "triage", params(IncidentQuery),
    responses(
        (status = 200, body = IncidentPage),
        (status = 400, body = Problem),
        (status = 503, body = Problem),
    )
)]
pub(crate) async fn list(
    State(handle): State<Handle>,
    asker: Asker,
    UrlQuery(query): UrlQuery<IncidentQuery>,
) -> Result<Json<IncidentPage>, Problem> {
    let wanted = Wanted::of(&query, handle.now())?;
    let incidents = handle.incidents(asker.tenant()).await.map_err(|why| not_so(&why))?;
    let mut found = incidents.iter().filter(|incident| wanted.has(incident));
    let page: Vec<IncidentRow> =
        found.by_ref().take(wanted.limit).map(|of| IncidentRow::of(of, told(&asker))).collect();
    let last = page.last().map(|row| row.id.to_string());
    let next = found.next().and(last);
    Ok(Json(IncidentPage { incidents: page, next }))
}

/// One incident: why, what had changed before, what is to be done, and what became of it.
#[utoipa::path(
    get, path = "/v1/incidents/{id}", tag = "triage",
    params(("id" = u64, Path, description = "Its number")),
    responses(
        (status = 200, body = IncidentStory),
        (status = 404, body = Problem),
        (status = 503, body = Problem),
    )
)]
pub(crate) async fn show(
    State(handle): State<Handle>,
    asker: Asker,
    Path(id): Path<String>,
) -> Result<Json<IncidentStory>, Problem> {
    let id = numbered(&id)?;
    let found = handle.incident(id, asker.tenant()).await.map_err(|why| not_so(&why))?;
    Ok(Json(IncidentStory::of(&found, told(&asker))))
}

/// Checks a step off: somebody has done it.
#[utoipa::path(
    post, path = "/v1/incidents/{id}/steps/{step}", tag = "triage",
    request_body = IncidentOrderRequest,
    params(
        ("id" = u64, Path, description = "The incident's number"),
        ("step" = String, Path, description = "The step's name"),
    ),
    responses(
        (status = 200, body = IncidentStory),
        (status = 404, description = "No such incident", body = Problem),
        (status = 422, description = "It has no such step", body = Problem),
        (status = 503, body = Problem),
    )
)]
pub(crate) async fn tick(
    State(handle): State<Handle>,
    asker: Asker,
    Path((id, step)): Path<(String, String)>,
    body: JsonBody,
) -> Result<Json<IncidentStory>, Problem> {
    let by = body.read::<IncidentOrderRequest>()?.by;
    done(&handle, &asker, (&id, by), IncidentOrder::Tick(step)).await
}

/// Takes back that a step was done.
#[utoipa::path(
    delete, path = "/v1/incidents/{id}/steps/{step}", tag = "triage",
    params(
        ("id" = u64, Path, description = "The incident's number"),
        ("step" = String, Path, description = "The step's name"),
    ),
    responses(
        (status = 200, body = IncidentStory),
        (status = 404, description = "No such incident", body = Problem),
        (status = 422, description = "It has no such step", body = Problem),
        (status = 503, body = Problem),
    )
)]
pub(crate) async fn untick(
    State(handle): State<Handle>,
    asker: Asker,
    Path((id, step)): Path<(String, String)>,
) -> Result<Json<IncidentStory>, Problem> {
    done(&handle, &asker, (&id, None), IncidentOrder::Untick(step)).await
}

/// Does something about an incident: takes it on, writes a note to it, or closes it with a reason. One
/// that is closed and not over comes back.
#[utoipa::path(
    post, path = "/v1/incidents/{id}/{command}", tag = "triage",
    request_body = IncidentOrderRequest,
    params(
        ("id" = u64, Path, description = "The incident's number"),
        ("command" = String, Path, description = "`acknowledge`, `note` or `close`"),
    ),
    responses(
        (status = 200, body = IncidentStory),
        (status = 404, description = "No such incident", body = Problem),
        (status = 409, description = "It is closed already", body = Problem),
        (status = 422, description = "No such command, or it lacks something", body = Problem),
        (status = 503, body = Problem),
    )
)]
pub(crate) async fn order(
    State(handle): State<Handle>,
    asker: Asker,
    Path((id, command)): Path<(String, String)>,
    body: JsonBody,
) -> Result<Json<IncidentStory>, Problem> {
    let IncidentOrderRequest { why, says, by } = body.read()?;
    let order = match command.as_str() {
        "acknowledge" => IncidentOrder::Acknowledge,
        "note" => IncidentOrder::Note(says.unwrap_or_default()),
        "close" => IncidentOrder::Close(why.unwrap_or_default()),
        _ => {
            let known = INCIDENT_COMMANDS.join(", ");
            let says = format!("{command:?} is no command for incidents: use one of {known}");
            return Err(Problem::unprocessable(says).at("/command"));
        }
    };
    done(&handle, &asker, (&id, by), order).await
}

async fn done(
    handle: &Handle,
    asker: &Asker,
    (id, by): (&str, Option<String>),
    order: IncidentOrder,
) -> Result<Json<IncidentStory>, Problem> {
    let by = asker.signs(by).unwrap_or_else(|| asker.name().to_owned());
    if by.chars().count() > BY_MAX {
        let says = format!("who does it has {BY_MAX} characters at most");
        return Err(Problem::unprocessable(says).at("/by"));
    }
    let ordered = handle.order_of_incident((numbered(id)?, asker.tenant()), &order, &by).await;
    let found = ordered.map_err(|why| not_so(&why))?;
    Ok(Json(IncidentStory::of(&found, told(asker))))
}

/// Characters of a name. Chosen, not measured.
const BY_MAX: usize = 200;

fn told(asker: &Asker) -> Told {
    if asker.is_bound() { Told::Own } else { Told::Whole }
}

fn numbered(id: &str) -> Result<u64, Problem> {
    let says = format!("{id:?} is no incident's number; /v1/incidents lists them");
    id.parse().map_err(|_| Problem::new(StatusCode::NOT_FOUND, says))
}

/// Which incidents are meant.
struct Wanted<'q> {
    state: &'q str,
    provider: Option<String>,
    kind: Option<&'q str>,
    since: Instant,
    before: u64,
    limit: usize,
}

impl<'q> Wanted<'q> {
    fn of(query: &'q IncidentQuery, now: Instant) -> Result<Self, Problem> {
        let state = query.state.as_deref().unwrap_or("open");
        if !["open", "closed", "all"].contains(&state) {
            let says = format!("state {state:?} is not known: use open, closed or all");
            return Err(Problem::bad_request(says));
        }
        let resolved = |name: &str| {
            let known = Providers::built_in();
            known.resolve(name).map_or_else(|| name.to_owned(), |id| id.as_str().to_owned())
        };
        let wrong = |what: &str| Problem::bad_request(what.to_owned());
        let since = since(query.since.as_deref(), now)?;
        let before = query.cursor.as_deref().map(str::parse).transpose();
        let limit = limit(query.limit, PAGE)? as usize;
        Ok(Self {
            state,
            provider: query.provider.as_deref().map(resolved),
            kind: query.kind.as_deref(),
            since: since.unwrap_or_default(),
            before: before
                .map_err(|_| wrong("cursor is not one that a page gave"))?
                .unwrap_or(u64::MAX),
            limit,
        })
    }

    fn has(&self, incident: &Incident) -> bool {
        let is_open = incident.closed.is_none();
        let state = match self.state {
            "open" => is_open,
            "closed" => !is_open,
            _ => true,
        };
        let of = |wanted: Option<&str>, it: &str| wanted.is_none_or(|wanted| wanted == it);
        state
            && incident.id < self.before
            && incident.seen >= self.since
            && of(self.provider.as_deref(), incident.key.provider())
            && of(self.kind, incident.key.kind())
    }
}

fn not_so(why: &NoIncident) -> Problem {
    let says = why.to_string();
    match why {
        NoIncident::Registry(why) => refused(why),
        NoIncident::Refused(IncidentError::Unknown(_)) => Problem::new(StatusCode::NOT_FOUND, says),
        NoIncident::Refused(IncidentError::Closed(_)) => Problem::new(StatusCode::CONFLICT, says),
        NoIncident::Refused(IncidentError::Why) => Problem::unprocessable(says).at("/why"),
        NoIncident::Refused(IncidentError::Note) => Problem::unprocessable(says).at("/says"),
        NoIncident::Refused(_) => Problem::unprocessable(says),
        _ => Problem::unavailable(says),
    }
}
