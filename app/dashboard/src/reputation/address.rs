//! A look at any address that sends.

use askama::Template;
use axum::extract::{Query, State as Shared};
use axum::http::StatusCode;
use axum::response::Response;
use postlane_api::Problem;
use serde::Deserialize;
use serde_json::Value;

use crate::answer;
use crate::desk::Desk;
use crate::frame::Frame;
use crate::numbers::{foreign, in_query, query};
use crate::report::ReportView;
use crate::session::Visit;

/// What is looked at, and which findings are shown.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Asked {
    ip: String,
    helo: String,
    show: String,
}

#[derive(Template)]
#[template(path = "address_check.html")]
struct CheckOut {
    frame: Frame,
    asked: Asked,
    address: String,
    /// Why it could not be looked at.
    says: String,
    report: Option<ReportView>,
}

/// The form, and the report where an address was named.
pub(crate) async fn check(
    Shared(desk): Shared<Desk>,
    visit: Visit,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let frame = Frame::new(&desk, &visit, "Check an address", "/reputation");
    let nonce = frame.bare.nonce.clone();
    let address = asked.ip.trim().trim_matches(['[', ']']).to_owned();
    let mut status = StatusCode::OK;
    let (mut report, mut says) = (None, String::new());
    if !address.is_empty() {
        let helo = query(&[("helo", asked.helo.trim())]);
        let there = format!("/v1/checks/ip/{}?{helo}", in_query(&address));
        let told: Result<Value, Problem> = desk.api().read(visit.person(), &there).await;
        match told {
            Ok(told) => report = Some(ReportView::of(&told, &asked.show)?),
            Err(problem) => {
                status = StatusCode::from_u16(problem.status).unwrap_or(status);
                says = foreign(&problem.detail);
            }
        }
    }
    let address = foreign(&address);
    let mut page = answer::page(&CheckOut { frame, asked, address, says, report }, &nonce);
    *page.status_mut() = status;
    Ok(page)
}
