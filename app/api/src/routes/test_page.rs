//! The report of a test behind its secret link: for whoever has the link, without a token.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use postlane_mail::Instant;
use postlane_server::handle::Handle;
use postlane_server::tester::{NoTest, Told};
use postlane_tester::{Shown, Waiting, report_page, waiting_page};

use super::test::{not_so, story};
use crate::problem::Problem;
use crate::wire::{EmailTestQuery, timestamp};

/// What a browser may do with a page: nothing but show it. The link is a secret, and must neither
/// lie in a cache nor be told to others.
const HEADERS: [(HeaderName, &str); 6] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::REFERRER_POLICY, "no-referrer"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("x-robots-tag"), "noindex, nofollow, noarchive"),
];

/// The page of `GET /t/SECRET`, or the JSON of `GET /t/SECRET.json`.
pub(crate) async fn show(
    State(handle): State<Handle>,
    Path(secret): Path<String>,
    query: Result<Query<EmailTestQuery>, QueryRejection>,
) -> Response {
    let answer = match query {
        Ok(Query(query)) => answer(&handle, &secret, query.message).await,
        Err(e) => Err(Problem::bad_request(e.body_text())),
    };
    (HEADERS, answer.unwrap_or_else(IntoResponse::into_response)).into_response()
}

async fn answer(handle: &Handle, secret: &str, number: Option<u32>) -> Result<Response, Problem> {
    let (link, is_json) = match secret.strip_suffix(".json") {
        Some(link) => (link, true),
        None => (secret, false),
    };
    // Whether there are tests at all is nobody's business.
    let told = handle.linked_test(link);
    let told = told.map_err(|_| Problem::new(StatusCode::NOT_FOUND, "there is nothing here"))?;
    if is_json {
        let story = story(handle, &told, number).await?;
        return Ok(axum::Json(story).into_response());
    }
    let page = match handle.report_of_test(&told.test, number).await {
        Ok((report, comparison)) => report_page(&Shown {
            report: &report,
            comparison,
            numbers: told.test.reported().collect(),
            path: told.path.clone(),
            address: told.is_open.then(|| told.address.clone()),
            came: moment(Instant(report.arrival.at_us)),
            gone: moment(told.test.until + handle.tests_kept_for()),
        }),
        Err(NoTest::NoReport) if number.is_none() => waiting(&told),
        Err(why) => return Err(not_so(why)),
    };
    Ok(([(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response())
}

fn waiting(told: &Told) -> String {
    waiting_page(&Waiting {
        address: told.address.clone(),
        until: moment(told.test.until),
        is_open: told.is_open,
        has_come: told.test.is_being_looked_at(),
        has_failed: !told.test.messages.is_empty(),
    })
}

/// To the minute, as a person reads it.
fn moment(at: Instant) -> String {
    let text = timestamp(at).0;
    let minute = text.get(..16).unwrap_or(&text);
    format!("{} UTC", minute.replace('T', " "))
}
