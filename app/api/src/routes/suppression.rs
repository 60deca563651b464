//! To whom no mail goes.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use postlane_mail::{Host, Label as Tenant};
use postlane_server::handle::{Handle, NotListed, SuppressionFilter};
use postlane_suppression::{Bounded, Entry, Subject, Whom};

use crate::access::Asker;
use crate::body::{JsonBody, read_value};
use crate::problem::Problem;
use crate::query::{UrlQuery, limit};
use crate::wire::{
    AllUnsuppressed, NewSuppression, NewSuppressions, NotSuppressed, Suppressed, SuppressionPage,
    SuppressionQuery, SuppressionRow, UnsuppressQuery, Unsuppressed, tenant,
};

/// Entries on a page or in one request, at most. Chosen, not measured: some megabytes.
const ENTRIES_MAX: u32 = 10_000;

/// Lists entries, domain by domain.
#[utoipa::path(
    get, path = "/v1/suppressions", tag = "suppressions", params(SuppressionQuery),
    responses((status = 200, body = SuppressionPage), (status = 400, body = Problem))
)]
pub(crate) async fn list(
    State(handle): State<Handle>,
    asker: Asker,
    UrlQuery(query): UrlQuery<SuppressionQuery>,
) -> Result<Json<SuppressionPage>, Problem> {
    let mut filter =
        query.filter(handle.now()).map_err(|wrong| Problem::bad_request(wrong.says))?;
    filter.tenant = asker.narrow(filter.tenant)?;
    let limit = limit(query.limit, (100, ENTRIES_MAX))?;
    page(&handle, filter, query.cursor, limit).await.map(Json)
}

/// What stops mail to an address: its own entries, and its domain's.
#[utoipa::path(
    get, path = "/v1/suppressions/{address}", tag = "suppressions",
    params(("address" = String, Path, description = "`jo@example.net`, or `example.net`")),
    responses((status = 200, body = SuppressionPage), (status = 404, body = Problem))
)]
pub(crate) async fn show(
    State(handle): State<Handle>,
    asker: Asker,
    Path(address): Path<String>,
) -> Result<Json<SuppressionPage>, Problem> {
    let subject = subject(&address)?;
    let tenant = asker.narrow(None)?;
    let of = |subject| SuppressionFilter {
        subject: Some(subject),
        tenant: tenant.clone(),
        ..SuppressionFilter::default()
    };
    let mut found = page(&handle, of(subject.clone()), None, ENTRIES_MAX).await?;
    if subject.whom() == Whom::Recipient
        && let Ok(host) = Host::parse(subject.host())
    {
        let domain = of(Subject::domain(&host, &Tenant::NONE));
        found.entries.extend(page(&handle, domain, None, ENTRIES_MAX).await?.entries);
    }
    match found.entries.is_empty() {
        true => Err(nobody(&address)),
        false => Ok(Json(SuppressionPage { next: None, ..found })),
    }
}

/// Puts entries on the list, or in the place of those that are there.
///
/// The answer comes when all that were taken are safe on disk. In a list each is taken or refused
/// for itself.
#[utoipa::path(
    post, path = "/v1/suppressions", tag = "suppressions", request_body = NewSuppressions,
    responses(
        (status = 200, body = Suppressed),
        (status = 400, description = "Not JSON", body = Problem),
        (status = 415, description = "Not said to be JSON", body = Problem),
        (status = 422, description = "No such entry can be made, or the list is full", body = Problem),
        (status = 503, description = "It may or may not be on disk: look, and ask again", body = Problem),
    )
)]
pub(crate) async fn add(
    State(handle): State<Handle>,
    asker: Asker,
    body: JsonBody,
) -> Result<Json<Suppressed>, Problem> {
    // Told apart here and not by an untagged enum, whose errors name no field.
    let is_list = body.0.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'[');
    if !is_list {
        let new: NewSuppression = body.read()?;
        let entry = signed(&asker, new)?.entry(handle.now());
        let entry =
            entry.map_err(|e| Problem::unprocessable(e.says).at(format!("/{}", e.field)))?;
        return put(&handle, vec![entry], Vec::new()).await.map(Json);
    }
    let given: Vec<serde_json::Value> = body.read()?;
    if given.len() > ENTRIES_MAX as usize {
        let detail = format!("the list has {} entries; send {ENTRIES_MAX} at most", given.len());
        return Err(Problem::unprocessable(detail));
    }
    let now = handle.now();
    let (mut entries, mut refused) = (Vec::with_capacity(given.len()), Vec::new());
    for (index, value) in given.into_iter().enumerate() {
        let read = read_value::<NewSuppression>(value).map_err(|problem| {
            let field = problem.errors.first().map(|e| e.pointer.clone()).unwrap_or_default();
            NotSuppressed { index, field, detail: problem.detail }
        });
        let entry = read.and_then(|new| {
            let new = signed(&asker, new).map_err(|problem| NotSuppressed {
                index,
                field: "/tenant".to_owned(),
                detail: problem.detail,
            })?;
            let wrong = |e: crate::wire::Wrong| NotSuppressed {
                index,
                field: format!("/{}", e.field),
                detail: e.says,
            };
            new.entry(now).map_err(wrong)
        });
        match entry {
            Ok(entry) => entries.push(entry),
            Err(wrong) => refused.push(wrong),
        }
    }
    put(&handle, entries, refused).await.map(Json)
}

/// Takes an address or a domain off the list; mail that waited for it goes on.
#[utoipa::path(
    delete, path = "/v1/suppressions/{address}", tag = "suppressions",
    params(("address" = String, Path, description = "`jo@example.net`, or `example.net`"), UnsuppressQuery),
    responses(
        (status = 200, body = Unsuppressed),
        (status = 400, body = Problem),
        (status = 404, body = Problem),
        (status = 503, description = "It may or may not be on disk: look, and ask again", body = Problem),
    )
)]
pub(crate) async fn remove(
    State(handle): State<Handle>,
    asker: Asker,
    Path(address): Path<String>,
    UrlQuery(query): UrlQuery<UnsuppressQuery>,
) -> Result<Json<Unsuppressed>, Problem> {
    let subject = subject(&address)?;
    let tenant = tenant(&query.tenant).map_err(|wrong| Problem::bad_request(wrong.says))?;
    let tenant = asker.narrow(tenant)?;
    let by = asker.signs(query.by);
    let by = Bounded::<{ Entry::BY_OCTETS }>::new(by.as_deref().unwrap_or("api"));
    let removed = handle.unsuppress(&subject, tenant, by.as_str()).await.map_err(not_listed)?;
    if removed.is_empty() {
        return Err(nobody(&address));
    }
    let now = handle.now();
    let entries = removed.iter().map(|entry| SuppressionRow::of(entry, now)).collect();
    Ok(Json(Unsuppressed { entries }))
}

/// Takes all entries that agree with the query off the list.
#[utoipa::path(
    delete, path = "/v1/suppressions", tag = "suppressions", params(SuppressionQuery),
    responses(
        (status = 200, body = AllUnsuppressed),
        (status = 400, description = "No filter is given, or one that cannot be read", body = Problem),
        (status = 503, description = "Some may or may not be off it on disk: look, and ask again", body = Problem),
    )
)]
pub(crate) async fn remove_all(
    State(handle): State<Handle>,
    asker: Asker,
    UrlQuery(query): UrlQuery<SuppressionQuery>,
) -> Result<Json<AllUnsuppressed>, Problem> {
    let mut filter =
        query.filter(handle.now()).map_err(|wrong| Problem::bad_request(wrong.says))?;
    if filter == SuppressionFilter::default() {
        let detail =
            "no filter is given, so all entries would be meant; give one, as reason=import";
        return Err(Problem::bad_request(detail));
    }
    filter.tenant = asker.narrow(filter.tenant)?;
    let by = asker.signs(query.by);
    let by = Bounded::<{ Entry::BY_OCTETS }>::new(by.as_deref().unwrap_or("api"));
    let removed = handle.unsuppress_all(filter, by.as_str()).await.map_err(not_listed)?;
    Ok(Json(AllUnsuppressed { removed }))
}

/// An entry as who asks may make it: in their own tenant's mail alone where they are bound to one.
fn signed(asker: &Asker, new: NewSuppression) -> Result<NewSuppression, Problem> {
    let mut new = new;
    if asker.is_bound() {
        let said = tenant(&new.tenant).map_err(|wrong| Problem::unprocessable(wrong.says))?;
        new.tenant = asker.narrow(said)?.map(|own| own.to_string());
    }
    new.by = asker.signs(new.by);
    Ok(new)
}

async fn put(
    handle: &Handle,
    entries: Vec<Entry>,
    refused: Vec<NotSuppressed>,
) -> Result<Suppressed, Problem> {
    let many = entries.len() as u64;
    let added = handle.suppress(entries).await.map_err(not_listed)?;
    Ok(Suppressed { added, replaced: many.saturating_sub(added), refused })
}

async fn page(
    handle: &Handle,
    filter: SuppressionFilter,
    cursor: Option<String>,
    limit: u32,
) -> Result<SuppressionPage, Problem> {
    let page = handle.suppressions(filter, cursor, limit as usize).await;
    let page = page.map_err(|stopped| Problem::unavailable(stopped.to_string()))?;
    let now = handle.now();
    let entries = page.entries.iter().map(|entry| SuppressionRow::of(entry, now)).collect();
    Ok(SuppressionPage { entries, next: page.next })
}

fn subject(address: &str) -> Result<Subject, Problem> {
    let subject = Subject::parse(address, &Tenant::NONE);
    subject.map_err(|e| Problem::bad_request(format!("{address:?}: {e}")))
}

fn nobody(address: &str) -> Problem {
    let detail = format!(
        "nothing about {address} is on the suppression list; GET /v1/suppressions lists what is"
    );
    Problem::new(StatusCode::NOT_FOUND, detail)
}

fn not_listed(why: NotListed) -> Problem {
    match why {
        NotListed::Full(full) => Problem::unprocessable(full.to_string()),
        why => Problem::unavailable(why.to_string()),
    }
}
