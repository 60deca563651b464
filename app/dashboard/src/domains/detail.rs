//! One domain: what is wrong with it, what it publishes, and what has changed.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::Method;
use axum::response::{IntoResponse as _, Redirect, Response};
use postlane_api::Problem;
use postlane_api::wire::{DomainStory, IssueRow, RecordRow};
use serde::Deserialize;

use super::change::{Change, moment};
use super::list::reasons;
use super::sort::Sort;
use crate::answer;
use crate::desk::Desk;
use crate::frame::Frame;
use crate::moments;
use crate::numbers::{foreign, in_query, query};
use crate::report::Finding;
use crate::session::{Nothing, Posted, Visit};

/// Which moment is meant.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Asked {
    at: String,
}

/// An issue with its times.
struct Issue {
    finding: Finding,
    opened: String,
    seen: String,
    resolved: String,
}

/// What is published at one name.
struct Record {
    sort: &'static str,
    name: String,
    kind: String,
    values: Vec<String>,
    since: String,
    seen: String,
}

#[derive(Template)]
#[template(path = "domain.html")]
struct DomainOut {
    frame: Frame,
    domain: String,
    whose: String,
    looked: String,
    next: String,
    failed: String,
    open: Vec<Issue>,
    resolved: Vec<Issue>,
    records: Vec<Record>,
    absent: Vec<(&'static str, &'static str)>,
    changes: Vec<Change>,
    listings: usize,
    lists: String,
    at: String,
    here: String,
    check: String,
    may_look: bool,
}

/// Changes on the page. Chosen, not measured.
const CHANGES: usize = 100;

/// A domain, as it is now or was at a moment.
pub(crate) async fn show(
    State(desk): State<Desk>,
    visit: Visit,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let at = asked.at.trim();
    let limit = CHANGES.to_string();
    let asked = query(&[("at", at), ("limit", &limit)]);
    let address = format!("/v1/domains/{}?{asked}", in_query(&name));
    let story: DomainStory = desk.api().read(visit.person(), &address).await?;
    let now = desk.now();
    let row = &story.domain;
    let frame = Frame::new(&desk, &visit, &foreign(&row.domain), "/domains");
    let nonce = frame.bare.nonce.clone();
    let looked = row.looked_at.as_ref().and_then(moments::read);
    let (open, resolved): (Vec<_>, Vec<_>) =
        story.issues.iter().partition(|issue| issue.state == "open");
    let mut records: Vec<&RecordRow> = story.records.iter().collect();
    records.sort_by_key(|record| Sort::of(&record.name, &record.kind));
    let issues = |rows: Vec<&IssueRow>| rows.into_iter().map(Issue::of).collect();
    let because = reasons(&row.because);
    let out = DomainOut {
        frame,
        domain: foreign(&row.domain),
        whose: match row.tenants.is_empty() {
            true => because,
            false => format!("{}: {because}", foreign(&row.tenants.join(", "))),
        },
        looked: looked.map(|at| moments::ago(at, now)).unwrap_or_default(),
        next: row.next_at.as_ref().map(|at| at.0.clone()).unwrap_or_default(),
        failed: foreign(&row.failed),
        open: issues(open),
        resolved: issues(resolved),
        absent: absent(&story.records, looked.is_some()),
        records: records.into_iter().map(Record::of).collect(),
        changes: story.changes.iter().map(Change::of).collect(),
        listings: row.listings,
        lists: format!("/reputation/history?subject={}", in_query(&row.domain)),
        at: foreign(at),
        here: format!("/domains/{}", in_query(&row.domain)),
        check: format!("/domains/check?{}", query(&[("name", &row.domain)])),
        may_look: visit.may_order_lanes(),
    };
    Ok(answer::page(&out, &nonce))
}

/// Has the relay look at a domain now.
pub(crate) async fn look_now(
    State(desk): State<Desk>,
    visit: Visit,
    Path(name): Path<String>,
    Posted(Nothing {}): Posted<Nothing>,
) -> Result<Response, Problem> {
    let address = format!("/v1/domains/{}/check", in_query(&name));
    let asked = (Method::POST, address.as_str());
    let story: DomainStory =
        desk.api().order(visit.person(), asked, &serde_json::json!({})).await?;
    let back = format!("/domains/{}", in_query(&story.domain.domain));
    Ok(Redirect::to(&back).into_response())
}

/// What is looked for and is not there; nothing before the first look.
fn absent(records: &[RecordRow], has_looked: bool) -> Vec<(&'static str, &'static str)> {
    let has = |sort: &Sort| {
        let own = records.iter().filter(|record| Sort::of(&record.name, &record.kind) == *sort);
        own.clone().any(|record| !record.values.is_empty())
    };
    let sought = Sort::SOUGHT.into_iter().filter(|sort| has_looked && !has(sort));
    sought.map(|sort| (sort.says(), sort.absent())).collect()
}

impl Issue {
    fn of(row: &IssueRow) -> Self {
        let what = (row.check.as_str(), row.outcome.as_str());
        let cure = (Some(row.remedy.as_str()), row.reference.as_str());
        Self {
            finding: Finding::new(what, &row.evidence, cure),
            opened: moment(&row.opened_at),
            seen: moment(&row.seen_at),
            resolved: row.resolved_at.as_ref().map(moment).unwrap_or_default(),
        }
    }
}

impl Record {
    fn of(row: &RecordRow) -> Self {
        Self {
            sort: Sort::of(&row.name, &row.kind).says(),
            name: foreign(&row.name),
            kind: foreign(&row.kind),
            values: row.values.iter().map(|value| foreign(value)).collect(),
            since: moment(&row.since),
            seen: moment(&row.seen_at),
        }
    }
}
