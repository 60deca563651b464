//! What waits, and why: a page of the queue, with the filters of the API in the address.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use postlane_api::Problem;
use postlane_api::wire::{QueuePage, QueueRow, SummaryPage, SummaryRow};

use super::act::{WORDINGS, told};
use super::which::Which;
use crate::answer;
use crate::desk::Desk;
use crate::export::{FORMS, File, Part, Wanted};
use crate::frame::Frame;
use crate::lanes::{age_p95, age_place};
use crate::moments;
use crate::numbers::{count, foreign, in_query, many};
use crate::replies::Said;
use crate::session::Visit;
use crate::table::{Column, Head, Order, Worth};

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
    /// The page with its message alone.
    only: String,
}

/// How much waits for a provider.
struct Line {
    name: String,
    address: String,
    /// In all, active, ready, deferred and held, each with the way to its rows.
    figures: Vec<(String, String)>,
    age: String,
}

/// What was done a moment ago, and the way back.
struct Done {
    says: String,
    back: String,
    offer: &'static str,
}

#[derive(Template)]
#[template(path = "queue.html")]
struct QueueOut {
    frame: Frame,
    lines: Vec<Line>,
    rows: Vec<Row>,
    which: Which,
    /// Recipients that agree.
    agree: String,
    offers: Vec<(&'static str, String)>,
    exports: Vec<(&'static str, String)>,
    done: Option<Done>,
    next: String,
    heads: Vec<Head>,
    /// The order of the table of providers, which a search keeps.
    by: String,
}

/// What can be chosen of a status, a stream and an age: as the address has it, and as it is said.
const STATUSES: [&str; 4] = ["active", "ready", "deferred", "held"];
const STREAMS: [&str; 3] = ["transactional", "engaged", "cold"];
const AGES: [(&str, &str); 4] =
    [("900", "15 min"), ("3600", "1 h"), ("14400", "4 h"), ("86400", "1 day")];

/// A page of the queue.
pub(crate) async fn show(
    State(desk): State<Desk>,
    visit: Visit,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let which = Which::of(&pairs);
    let given = |wanted: &str| {
        let found = pairs.iter().find(|(key, _)| key == wanted);
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    };
    let (api, person) = (desk.api(), visit.person());
    let asked = which.query(&[("cursor", given("cursor"))]);
    let page: QueuePage = api.read(person, &format!("/v1/queue?{asked}")).await?;
    let mut all: SummaryPage = api.read(person, "/v1/queue/summary").await?;
    let order = Order::of(given("by"), &COLUMNS, "");
    order.arrange(&mut all.providers, worth);
    let agree = match which.is_everything() {
        true => recipients(&all),
        false => {
            let asked = format!("/v1/queue/summary?{}", which.query(&[]));
            recipients(&api.read(person, &asked).await?)
        }
    };
    let done = given("recipients").parse().ok().and_then(|many| told(given("done"), many, &which));
    let frame = Frame::new(&desk, &visit, "Queue", "/queue");
    let nonce = frame.bare.nonce.clone();
    let next = page
        .next
        .map(|next| format!("/queue?{}", which.query(&[("by", given("by")), ("cursor", &next)])));
    let may_act = visit.may_operate();
    let out = QueueOut {
        frame,
        lines: lines(&desk, &all),
        rows: page.recipients.iter().map(|waiting| row(&desk, waiting)).collect(),
        agree: many(agree, "recipient", "recipients"),
        offers: if may_act && agree > 0 { offers(&which) } else { Vec::new() },
        exports: FORMS
            .map(|form| (form, format!("/queue/export?{}", which.query(&[("format", form)]))))
            .into(),
        heads: order.heads(&COLUMNS, |by| format!("/queue?{}", which.query(&[("by", by)]))),
        by: given("by").to_owned(),
        which,
        done: done.map(|(says, back, offer)| {
            let back = if may_act { back } else { String::new() };
            Done { says, back, offer }
        }),
        next: next.unwrap_or_default(),
    };
    Ok(answer::page(&out, &nonce))
}

const COLUMNS: [Column; 7] = [
    Column::words("provider", "Provider"),
    Column::figures("recipients", "Recipients"),
    Column::figures("active", "Active"),
    Column::figures("ready", "Ready"),
    Column::figures("deferred", "Deferred"),
    Column::figures("held", "Held"),
    Column::figures("age", "Age, p95"),
];

/// What a provider is worth in an order.
fn worth(line: &SummaryRow, by: &str) -> Worth {
    let figure = match by {
        "recipients" => line.recipients,
        "active" => line.active,
        "ready" => line.ready,
        "deferred" => line.deferred,
        "held" => line.held,
        "age" => age_place(line) as u64,
        _ => return Worth::words(&line.provider),
    };
    Worth::Figure(figure as f64)
}

/// All that agrees, as a file.
pub(crate) async fn export(
    State(desk): State<Desk>,
    visit: Visit,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let which = Which::of(&pairs);
    let address = move |cursor: &str| {
        format!("/v1/queue?{}", which.query(&[("limit", "10000"), ("cursor", cursor)]))
    };
    let part = |page: &QueuePage| Part::of(&page.recipients, cells, page.next.clone());
    FILE.send_pages(&Wanted::of(&pairs), (desk, visit), address, part).await
}

const FILE: File = File {
    name: "queue",
    columns: &[
        "id",
        "recipient",
        "sender",
        "provider",
        "source",
        "stream",
        "tenant",
        "campaign",
        "status",
        "attempts",
        "arrived_at",
        "next_attempt_at",
        "expires_at",
        "waiting",
        "waiting_until",
        "code",
        "reply",
        "stage",
        "host",
        "replied_at",
    ],
};

fn cells(row: &QueueRow) -> Vec<String> {
    let at = |at: &Option<postlane_api::wire::Timestamp>| {
        at.as_ref().map(|at| at.0.clone()).unwrap_or_default()
    };
    let (why, last) = (row.waiting.as_ref(), row.last_reply.as_ref());
    vec![
        row.id.clone(),
        row.recipient.clone(),
        row.sender.clone(),
        row.provider.clone().unwrap_or_default(),
        row.source.clone().unwrap_or_default(),
        row.stream.clone(),
        row.tenant.clone(),
        row.campaign.clone(),
        row.status.clone(),
        row.attempts.to_string(),
        row.arrived_at.0.clone(),
        at(&row.next_attempt_at),
        at(&row.expires_at),
        why.map(|why| why.reason.clone()).unwrap_or_default(),
        why.map(|why| at(&why.until)).unwrap_or_default(),
        last.map(|last| last.code.to_string()).unwrap_or_default(),
        last.map(|last| last.text.clone()).unwrap_or_default(),
        last.map(|last| last.stage.clone()).unwrap_or_default(),
        last.map(|last| last.host.clone()).unwrap_or_default(),
        last.map(|last| last.at.0.clone()).unwrap_or_default(),
    ]
}

fn recipients(summary: &SummaryPage) -> u64 {
    summary.providers.iter().map(|line| line.recipients).sum()
}

/// What can be done with mail, and where it is asked for.
fn offers(which: &Which) -> Vec<(&'static str, String)> {
    let query = which.query(&[]);
    let address = |action: &str| match query.is_empty() {
        true => format!("/queue/act/{action}"),
        false => format!("/queue/act/{action}?{query}"),
    };
    WORDINGS.iter().map(|wording| (wording.does, address(wording.action))).collect()
}

fn lines(desk: &Desk, summary: &SummaryPage) -> Vec<Line> {
    let line = |line: &SummaryRow| {
        let address = format!("/queue?provider={}", in_query(&line.provider));
        let of = |status: &str, many: u64| {
            (
                count(many),
                if many > 0 { format!("{address}&status={status}") } else { String::new() },
            )
        };
        let figures = vec![
            (count(line.recipients), address.clone()),
            of("active", line.active),
            of("ready", line.ready),
            of("deferred", line.deferred),
            of("held", line.held),
        ];
        Line {
            name: foreign(&desk.replies().name_of(&line.provider)),
            address,
            figures,
            age: age_p95(line, &summary.ages_min),
        }
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
    let means = last.map(|last| desk.replies().explain(Said::last(&provider, last)).means);
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
        only: format!("/queue?id={}", waiting.id),
    }
}
