//! The delivery log: what happened, to be searched, counted, exported and followed.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use postlane_ledger::{Filter, Ledger, LedgerError, Seq};
use postlane_mail::{QueueId, Span};
use postlane_registry::SavedView;
use postlane_server::handle::{Handle, Past};
use serde::Serialize;

use super::token::refused;
use crate::access::Asker;
use crate::log::{self, Asked, NoTrace, escaped_json};
use crate::problem::Problem;
use crate::query::UrlQuery;
use crate::wire::{
    LogEntry, LogFacets, LogPage, LogQuery, LogStats, LogView, LogViews, QueueRow, TallyPage,
    TallyQuery, TraceQuery, Traced,
};

/// How often whoever follows looks for more. Chosen, not measured: a person sees no delay, and a
/// look that finds nothing costs next to nothing.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// A follower hears something at least so often, so that what is between does not hang up. Chosen,
/// not measured.
const QUIET_MAX: Duration = Duration::from_secs(15);

/// Entries sent to a follower at once.
const AT_ONCE: usize = 500;

/// What happened, the newest first.
#[utoipa::path(
    get, path = "/v1/log", tag = "log", params(LogQuery),
    responses((status = 200, body = LogPage), (status = 400, body = Problem))
)]
pub(crate) async fn page(
    State(handle): State<Handle>,
    asker: Asker,
    UrlQuery(query): UrlQuery<LogQuery>,
) -> Result<Response, Problem> {
    let query = read(&handle, &asker, query).await?;
    let now = handle.now();
    asked(&handle, move |ledger| log::page(ledger, &query, now)).await
}

/// How often each value of some fields occurs: `limit` values of each, 10 if left out.
#[utoipa::path(
    get, path = "/v1/log/facets", tag = "log", params(LogQuery),
    responses((status = 200, body = LogFacets), (status = 400, body = Problem))
)]
pub(crate) async fn facets(
    State(handle): State<Handle>,
    asker: Asker,
    UrlQuery(query): UrlQuery<LogQuery>,
) -> Result<Response, Problem> {
    let query = read(&handle, &asker, query).await?;
    let now = handle.now();
    asked(&handle, move |ledger| log::facets(ledger, &query, now)).await
}

/// What became of mail, by provider and recipient domain: `limit` rows, 50 if left out.
#[utoipa::path(
    get, path = "/v1/log/stats", tag = "log", params(LogQuery),
    responses((status = 200, body = LogStats), (status = 400, body = Problem))
)]
pub(crate) async fn stats(
    State(handle): State<Handle>,
    asker: Asker,
    UrlQuery(query): UrlQuery<LogQuery>,
) -> Result<Response, Problem> {
    let query = read(&handle, &asker, query).await?;
    let now = handle.now();
    asked(&handle, move |ledger| log::stats(ledger, &query, now)).await
}

/// Views of the log that have a name: those that come with the program, and those that were saved
/// (`PUT /v1/views`), the tenant's own for a token that is bound to one.
#[utoipa::path(
    get, path = "/v1/log/views", tag = "log",
    responses((status = 200, body = LogViews), (status = 503, body = Problem))
)]
pub(crate) async fn views(State(handle): State<Handle>, asker: Asker) -> Result<Response, Problem> {
    let mut views = LogViews::built_in();
    let saved = saved_views(&handle, &asker).await?;
    // One that cannot be read is told of to whoever asks for it.
    let saved = saved.into_iter().filter_map(|view| {
        let query = saved_query(&view).ok()?;
        Some(LogView { title: view.name.clone(), name: view.name, query })
    });
    views.views.extend(saved);
    Ok(json(&views))
}

/// Counts over time, for plots: by provider, source, stream, tenant, kind and label.
#[utoipa::path(
    get, path = "/v1/tallies", tag = "log", params(TallyQuery),
    responses((status = 200, body = TallyPage), (status = 400, body = Problem))
)]
pub(crate) async fn tallies(
    State(handle): State<Handle>,
    asker: Asker,
    UrlQuery(mut query): UrlQuery<TallyQuery>,
) -> Result<Response, Problem> {
    query.tenant = narrow(&asker, query.tenant)?;
    let now = handle.now();
    let every = query.every_s.map(Span::from_s);
    asked(&handle, move |ledger| {
        log::tallies(ledger, &query.log(), (every, query.by.as_deref()), now)
    })
    .await
}

/// A message's whole story, by queue id or `Message-ID`; or those of the last messages to a
/// recipient.
#[utoipa::path(
    get, path = "/v1/trace/{what}", tag = "log",
    params(("what" = String, Path, description = "Queue id, Message-ID, or recipient"), TraceQuery),
    responses(
        (status = 200, body = Traced),
        (status = 400, body = Problem),
        (status = 404, description = "Nothing is known of it", body = Problem),
    )
)]
pub(crate) async fn trace(
    State(handle): State<Handle>,
    Path(what): Path<String>,
    UrlQuery(query): UrlQuery<TraceQuery>,
) -> Result<Response, Problem> {
    let most = query.limit.unwrap_or(5).clamp(1, 100) as usize;
    let past = past(&handle)?;
    let traced = off_ring(move || log::trace(past.ledger(), &what, most)).await?;
    let mut traced = traced.map_err(|error| match error {
        NoTrace::Unreadable(_) => Problem::bad_request(error.to_string()),
        NoTrace::Unknown(_) => Problem::new(StatusCode::NOT_FOUND, error.to_string()),
        NoTrace::Ledger(error) => unread(&error),
    })?;
    for message in &mut traced.messages {
        let Ok(id) = QueueId::parse(&message.id) else { continue };
        // A server that closes has no queue to tell of any more; the story is told all the same.
        let waits = handle.message(id).await.ok().flatten();
        message.waits =
            waits.map(|waits| waits.rows).into_iter().flatten().map(QueueRow::from).collect();
    }
    Ok(json(&traced))
}

/// What happens from now on, as server-sent events: `id` is the entry's `seq`, `data` the entry.
/// Whoever comes back with `Last-Event-ID`, or with `after`, misses nothing that is still kept.
#[utoipa::path(
    get, path = "/v1/log/follow", tag = "log", params(LogQuery),
    responses(
        (status = 200, content_type = "text/event-stream", body = LogEntry),
        (status = 400, body = Problem),
    )
)]
pub(crate) async fn follow(
    State(handle): State<Handle>,
    asker: Asker,
    headers: HeaderMap,
    UrlQuery(query): UrlQuery<LogQuery>,
) -> Result<Response, Problem> {
    let query = read(&handle, &asker, query).await?;
    following(&handle, &query, &headers)
}

/// What happens from now on, or from where somebody was, as server-sent events.
pub(super) fn following(
    handle: &Handle,
    query: &LogQuery,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let filter = query.filter(handle.now()).map_err(Problem::bad_request)?;
    let past = past(handle)?;
    let last = headers.get("last-event-id").map(|id| {
        let seq = id.to_str().ok().and_then(|id| id.trim().parse().ok());
        seq.ok_or_else(|| Problem::bad_request("Last-Event-ID is not one that we gave"))
    });
    let after = last.transpose()?.or(query.after).map(Seq);
    let after = after.unwrap_or_else(|| past.ledger().newest());
    let following = Following { past, filter, after, is_new: true };
    let events = stream::try_unfold(following, Following::next);
    let headers =
        [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, Body::from_stream(events)).into_response())
}

/// Somebody who follows the log.
struct Following {
    past: Past,
    filter: Filter,
    after: Seq,
    is_new: bool,
}

impl Following {
    async fn next(mut self) -> std::io::Result<Option<(Bytes, Self)>> {
        if std::mem::take(&mut self.is_new) {
            // Something to read at once: that it is followed.
            return Ok(Some((Bytes::from_static(b": following\n\n"), self)));
        }
        let quiet_until = tokio::time::Instant::now() + QUIET_MAX;
        let mut looks = tokio::time::interval(LOOK_EVERY);
        loop {
            looks.tick().await;
            if self.past.ledger().newest() > self.after {
                let (events, following) = self.read().await?;
                self = following;
                if !events.is_empty() {
                    return Ok(Some((events.into(), self)));
                }
            }
            if tokio::time::Instant::now() >= quiet_until {
                return Ok(Some((Bytes::from_static(b": nothing new\n\n"), self)));
            }
        }
    }

    async fn read(self) -> std::io::Result<(Vec<u8>, Self)> {
        let read = tokio::task::spawn_blocking(move || {
            let Self { past, filter, after, is_new } = self;
            let followed = past.ledger().follow(after, &filter, AT_ONCE)?;
            let mut events = Vec::new();
            for written in followed.entries {
                events.extend_from_slice(format!("id: {}\ndata: ", written.seq.0).as_bytes());
                events.extend_from_slice(&escaped_json(&LogEntry::from(written)));
                events.extend_from_slice(b"\n\n");
            }
            Ok::<_, LedgerError>((events, Self { past, filter, after: followed.upto, is_new }))
        });
        read.await.map_err(std::io::Error::other)?.map_err(std::io::Error::other)
    }
}

/// What is asked for, the view that it names included.
pub(super) async fn read(
    handle: &Handle,
    asker: &Asker,
    query: LogQuery,
) -> Result<LogQuery, Problem> {
    let built_in = LogViews::built_in();
    let saved = query.view.as_deref().filter(|name| built_in.find(name).is_none());
    let mut query = match saved {
        None => built_in.resolve(query).map_err(Problem::bad_request)?,
        Some(name) => {
            let views = saved_views(handle, asker).await?;
            let Some(view) = views.iter().find(|view| view.name == name) else {
                let saved = views.iter().map(|view| &*view.name);
                let known: Vec<&str> =
                    built_in.views.iter().map(|v| &*v.name).chain(saved).collect();
                let says = format!("view {name:?} is not known: use {}", known.join(", "));
                return Err(Problem::bad_request(says));
            };
            let of_view = saved_query(view).map_err(Problem::bad_request)?;
            query.or(&of_view)
        }
    };
    query.tenant = narrow(asker, query.tenant)?;
    Ok(query)
}

/// Views of the log that were saved: the tenant's own for a token that is bound to one.
async fn saved_views(handle: &Handle, asker: &Asker) -> Result<Vec<SavedView>, Problem> {
    let tenant = asker.tenant().clone();
    let mut views =
        handle.registry(move |db| db.views(&tenant)).await.map_err(|why| refused(&why))?;
    views.retain(|view| view.page == "log");
    Ok(views)
}

/// What a saved view asks for; or what is wrong with it.
fn saved_query(view: &SavedView) -> Result<LogQuery, String> {
    let wrong =
        |why: String| format!("the view {:?} cannot be asked for: {why}; save it again", view.name);
    let address: Uri = format!("/?{}", view.query).parse().map_err(|e| wrong(format!("{e}")))?;
    let Query(query) =
        Query::<LogQuery>::try_from_uri(&address).map_err(|e| wrong(e.body_text()))?;
    Ok(query)
}

/// A token that is bound to a tenant sees that one's alone.
fn narrow(asker: &Asker, asked: Option<String>) -> Result<Option<String>, Problem> {
    let own = asker.tenant().as_str();
    match asked {
        _ if !asker.is_bound() => Ok(asked),
        Some(asked) if asked != own => Err(asker.not_yours()),
        _ => Ok(Some(own.to_owned())),
    }
}

/// Asks the ledger, on a thread that may wait for the disk.
async fn asked<T: Serialize + Send + 'static>(
    handle: &Handle,
    ask: impl FnOnce(&Ledger) -> Result<T, Asked> + Send + 'static,
) -> Result<Response, Problem> {
    let past = past(handle)?;
    let answer = off_ring(move || ask(past.ledger())).await?;
    answer.map(|answer| json(&answer)).map_err(|error| match error {
        Asked::Wrong(says) => Problem::bad_request(says),
        Asked::Ledger(error) => unread(&error),
    })
}

async fn off_ring<T: Send + 'static>(
    ask: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    let answer = tokio::task::spawn_blocking(ask).await;
    answer.map_err(|_| Problem::unavailable("the server is closing"))
}

pub(super) fn past(handle: &Handle) -> Result<Past, Problem> {
    handle.past().ok_or_else(|| {
        Problem::unavailable(
            "no history is kept: ledger.on is false, or the ledger could not be opened; the \
             server's log says why",
        )
    })
}

fn unread(error: &LedgerError) -> Problem {
    Problem::unavailable(error.to_string())
}

fn json(value: &impl Serialize) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], escaped_json(value)).into_response()
}
