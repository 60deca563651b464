//! Email tests: made, listed, read.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use postlane_mail::Label;
use postlane_server::handle::Handle;
use postlane_server::tester::{NoTest, TestId, Told};

use crate::access::Asker;
use crate::body::JsonBody;
use crate::problem::Problem;
use crate::query::UrlQuery;
use crate::wire::{EmailTestPage, EmailTestQuery, EmailTestRequest, EmailTestRow, EmailTestStory};

/// Makes a test: an address that takes mail for a while, and a secret link to what is made of it.
#[utoipa::path(
    post, path = "/v1/tests", tag = "tester", request_body = EmailTestRequest,
    responses(
        (status = 200, body = EmailTestRow),
        (status = 404, description = "No such earlier test", body = Problem),
        (status = 409, description = "There is no test domain", body = Problem),
        (status = 422, description = "It cannot be made so", body = Problem),
        (status = 503, description = "As many are kept as may be", body = Problem),
    )
)]
pub(crate) async fn make(
    State(handle): State<Handle>,
    asker: Asker,
    body: JsonBody,
) -> Result<Json<EmailTestRow>, Problem> {
    let request: EmailTestRequest = body.read()?;
    let tenant = request.tenant.as_deref().map(Label::parse).transpose();
    let tenant = tenant.map_err(|e| Problem::unprocessable(e.to_string()).at("/tenant"))?;
    let tenant = asker.narrow(tenant)?.unwrap_or(Label::NONE);
    let new = request.test(asker.name(), tenant);
    let new = new.map_err(|e| Problem::unprocessable(e.says).at(format!("/{}", e.field)))?;
    let made = handle.new_test(new).await.map_err(not_so)?;
    Ok(Json(EmailTestRow::of(&made)))
}

/// Lists tests, the youngest first. A token that is bound to a tenant sees that tenant's.
#[utoipa::path(
    get, path = "/v1/tests", tag = "tester",
    responses(
        (status = 200, body = EmailTestPage),
        (status = 409, description = "There is no test domain", body = Problem),
    )
)]
pub(crate) async fn list(
    State(handle): State<Handle>,
    asker: Asker,
) -> Result<Json<EmailTestPage>, Problem> {
    let tests = handle.tests(asker.tenant()).map_err(not_so)?;
    Ok(Json(EmailTestPage { tests: tests.iter().map(EmailTestRow::of).collect() }))
}

/// One test, with what was made of its last message, or of the one that is asked for.
#[utoipa::path(
    get, path = "/v1/tests/{id}", tag = "tester",
    params(("id" = String, Path, description = "The test's name"), EmailTestQuery),
    responses(
        (status = 200, body = EmailTestStory),
        (status = 404, body = Problem),
        (status = 409, description = "There is no test domain", body = Problem),
    )
)]
pub(crate) async fn show(
    State(handle): State<Handle>,
    asker: Asker,
    Path(id): Path<String>,
    UrlQuery(query): UrlQuery<EmailTestQuery>,
) -> Result<Json<EmailTestStory>, Problem> {
    let id = TestId::parse(&id).ok_or(NoTest::Unknown).map_err(not_so)?;
    let told = handle.test(id, asker.tenant()).map_err(not_so)?;
    Ok(Json(story(&handle, &told, query.message).await?))
}

/// A test with the report of a message; without one as long as there is none, unless it was asked
/// for by its number.
pub(crate) async fn story(
    handle: &Handle,
    told: &Told,
    number: Option<u32>,
) -> Result<EmailTestStory, Problem> {
    let test = EmailTestRow::of(told);
    let (report, comparison) = match handle.report_of_test(&told.test, number).await {
        Ok((report, comparison)) => (
            serde_json::to_value(report).ok(),
            comparison.and_then(|comparison| serde_json::to_value(comparison).ok()),
        ),
        Err(NoTest::NoReport) if number.is_none() => (None, None),
        Err(why) => return Err(not_so(why)),
    };
    Ok(EmailTestStory { test, report, comparison })
}

pub(crate) fn not_so(why: NoTest) -> Problem {
    let says = why.to_string();
    match why {
        NoTest::Off => Problem::new(StatusCode::CONFLICT, says),
        NoTest::Unknown | NoTest::NoReport => Problem::new(StatusCode::NOT_FOUND, says),
        NoTest::Expiry => Problem::unprocessable(says).at("/lasts_s"),
        _ => Problem::unavailable(says),
    }
}
