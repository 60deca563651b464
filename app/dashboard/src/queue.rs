//! What waits, and why: a page of the queue, with the filters of the API in the address.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use postlane_api::Problem;
use postlane_api::wire::{FilterQuery, QueuePage, QueueRow, SummaryPage};

use crate::answer;
use crate::desk::Desk;
use crate::frame::Frame;
use crate::lanes::age_p95;
use crate::moments;
use crate::numbers::{count, foreign, in_query, query};
use crate::replies::Said;
use crate::session::Visit;

struct Row {
    recipient: String,
    trace: String,
    provider: String,
    status: String,
    stream: String,
    attempts: u16,
    age: String,
    why: String,
    until: String,
    reply: String,
    means: String,
}

/// How much waits for a provider.
struct Line {
    name: String,
    address: String,
    figures: [String; 5],
    age: String,
}

#[derive(Template)]
#[template(path = "queue.html")]
struct QueueOut {
    frame: Frame,
    lines: Vec<Line>,
    rows: Vec<Row>,
    asked: FilterQuery,
    next: String,
}

/// A page of the queue.
pub(crate) async fn show(
    State(desk): State<Desk>,
    visit: Visit,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let given: Vec<(&str, &str)> = pairs
        .iter()
        .map(|(key, value)| (key.as_str(), value.trim()))
        .filter(|(_, value)| !value.is_empty())
        .collect();
    let value = |wanted: &str| {
        let found = given.iter().find(|(key, _)| *key == wanted);
        found.map(|(_, value)| (*value).to_owned())
    };
    let asked = FilterQuery {
        provider: value("provider"),
        domain: value("domain"),
        status: value("status"),
        ..FilterQuery::default()
    };
    let (api, person) = (desk.api(), visit.person());
    let page: QueuePage = api.read(person, &format!("/v1/queue?{}", query(&given))).await?;
    let summary: SummaryPage = api.read(person, "/v1/queue/summary").await?;
    let frame = Frame::new(&desk, &visit, "Queue", "/queue");
    let nonce = frame.bare.nonce.clone();
    let next = page.next.map(|next| {
        let others = given.iter().filter(|(key, _)| *key != "cursor").copied();
        let all: Vec<(&str, &str)> = others.chain([("cursor", next.as_str())]).collect();
        format!("/queue?{}", query(&all))
    });
    let out = QueueOut {
        frame,
        lines: lines(&desk, &summary),
        rows: page.recipients.iter().map(|waiting| row(&desk, waiting)).collect(),
        asked,
        next: next.unwrap_or_default(),
    };
    Ok(answer::page(&out, &nonce))
}

fn lines(desk: &Desk, summary: &SummaryPage) -> Vec<Line> {
    let line = |line: &postlane_api::wire::SummaryRow| Line {
        name: foreign(&desk.replies().name_of(&line.provider)),
        address: format!("/queue?provider={}", in_query(&line.provider)),
        figures: [line.recipients, line.active, line.ready, line.deferred, line.held].map(count),
        age: age_p95(line, &summary.ages_min),
    };
    summary.providers.iter().map(line).collect()
}

fn row(desk: &Desk, waiting: &QueueRow) -> Row {
    let now = desk.now();
    let at = moments::read(&waiting.arrived_at).unwrap_or(now);
    let why = waiting.waiting.as_ref();
    let until = why.and_then(|why| why.until.as_ref()).and_then(moments::read);
    let last = waiting.last_reply.as_ref();
    let provider = waiting.provider.clone().unwrap_or_default();
    let means = last.map(|last| {
        let said = Said {
            provider: &provider,
            host: &last.host,
            stage: &last.stage,
            code: last.code,
            text: &last.text,
        };
        desk.replies().explain(said).means
    });
    Row {
        recipient: foreign(&waiting.recipient),
        trace: format!("/trace/{}", waiting.id),
        status: waiting.status.clone(),
        stream: waiting.stream.clone(),
        attempts: waiting.attempts,
        age: crate::numbers::span(now.since(at).as_s()),
        why: why.map(|why| foreign(&why.reason)).unwrap_or_default(),
        until: until.map(moments::exact).unwrap_or_default(),
        reply: last.map(|l| foreign(&format!("{} {}", l.code, l.text))).unwrap_or_default(),
        means: means.unwrap_or_default(),
        provider: foreign(&provider),
    }
}
