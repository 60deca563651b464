//! A message's whole story, with each reply explained.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use postlane_api::Problem;
use postlane_api::wire::{LogEntry, QueueRow, Step, Traced, TracedMessage};
use serde::Deserialize;

use crate::answer;
use crate::desk::Desk;
use crate::frame::Frame;
use crate::moments;
use crate::numbers::{foreign, in_query, span};
use crate::replies::{Explained, Said};
use crate::session::Visit;

/// What is looked for.
#[derive(Deserialize)]
pub(crate) struct Sought {
    #[serde(default)]
    what: String,
}

struct Told {
    at: String,
    exact: String,
    kind: String,
    says: String,
    around: bool,
    way: String,
    code: String,
    reply: String,
    explained: Explained,
    transcript: String,
    headers: String,
    log: String,
}

struct Message {
    id: String,
    message_id: String,
    sender: String,
    story: Vec<Told>,
    waits: Vec<(String, String, String)>,
    more: bool,
}

#[derive(Template)]
#[template(path = "trace.html")]
struct TraceOut {
    frame: Frame,
    what: String,
    says: String,
    messages: Vec<Message>,
    more: bool,
}

/// Looks for a message by what somebody typed.
pub(crate) async fn find(Query(sought): Query<Sought>) -> Response {
    match sought.what.trim() {
        "" => Redirect::to("/log").into_response(),
        what => Redirect::to(&format!("/trace/{}", in_query(what))).into_response(),
    }
}

/// The story of a message, or of the last to a recipient.
pub(crate) async fn show(
    State(desk): State<Desk>,
    visit: Visit,
    Path(what): Path<String>,
) -> Result<Response, Problem> {
    let address = format!("/v1/trace/{}", in_query(&what));
    let traced: Result<Traced, Problem> = desk.api().read(visit.person(), &address).await;
    let (traced, says) = match traced {
        Ok(traced) => (traced, String::new()),
        Err(problem) if problem.status == 404 || problem.status == 400 => {
            let nothing = Traced { by: String::new(), messages: Vec::new(), more: false };
            (nothing, problem.detail)
        }
        Err(problem) => return Err(problem),
    };
    let frame = Frame::new(&desk, &visit, "Message", "/log");
    let nonce = frame.bare.nonce.clone();
    let is_unknown = traced.messages.is_empty();
    let out = TraceOut {
        frame,
        what: foreign(&what),
        says: foreign(&says),
        messages: traced.messages.into_iter().map(|message| story(&desk, message)).collect(),
        more: traced.more,
    };
    let mut page = answer::page(&out, &nonce);
    if is_unknown {
        *page.status_mut() = StatusCode::NOT_FOUND;
    }
    Ok(page)
}

fn story(desk: &Desk, message: TracedMessage) -> Message {
    let wait = |row: QueueRow| {
        let waiting = row.waiting;
        let until = waiting.as_ref().and_then(|w| w.until.as_ref()).and_then(moments::read);
        (
            foreign(&row.recipient),
            waiting.map(|waiting| foreign(&waiting.reason)).unwrap_or_default(),
            until.map(moments::exact).unwrap_or_default(),
        )
    };
    Message {
        id: message.id,
        message_id: foreign(&message.message_id),
        sender: foreign(&message.sender),
        waits: message.waits.into_iter().map(wait).collect(),
        story: message.story.into_iter().map(|step| told(desk, step)).collect(),
        more: message.more,
    }
}

fn told(desk: &Desk, step: Step) -> Told {
    let Step { entry, around, means, transcript, headers } = step;
    let at = entry.at.as_ref().and_then(moments::read);
    let is_refused = !["delivered", "accepted"].contains(&entry.kind.as_str());
    let explained = match entry.code.filter(|_| is_refused && !entry.reply.is_empty()) {
        Some(code) => desk.replies().explain(Said {
            provider: &entry.provider,
            host: &entry.mx_host,
            stage: entry.stage.as_deref().unwrap_or_default(),
            code,
            text: &entry.reply,
        }),
        None => Explained { means, ..Explained::default() },
    };
    let code = entry.code.map(|code| code.to_string());
    let log = if entry.label.is_empty() || !is_refused {
        String::new()
    } else {
        let of = [("provider", entry.provider.as_str()), ("label", &entry.label), ("since", "24h")];
        format!("/log?{}", crate::numbers::query(&of))
    };
    Told {
        at: at.map(|at| format!("{} {}", moments::day(at), moments::clock(at))).unwrap_or_default(),
        exact: at.map(moments::exact).unwrap_or_default(),
        says: said(&entry),
        way: way(&entry),
        around,
        code: code.unwrap_or_default(),
        reply: foreign(&entry.reply),
        explained,
        transcript: foreign(&transcript),
        headers: foreign(&headers),
        log,
        kind: entry.kind,
    }
}

/// What happened, in a few words.
fn said(entry: &LogEntry) -> String {
    let recipient = foreign(&entry.recipient);
    let again = entry.attempt.map(|n| format!(", attempt {n}")).unwrap_or_default();
    let particulars = [foreign(&entry.command), foreign(&entry.detail)];
    let particulars: Vec<&str> =
        particulars.iter().map(String::as_str).filter(|text| !text.is_empty()).collect();
    let particulars = match particulars[..] {
        // What the lane says of it may begin with the same word.
        [command, detail]
            if detail.strip_prefix(command).is_some_and(|rest| rest.starts_with(':')) =>
        {
            detail.to_owned()
        }
        _ => particulars.join(": "),
    };
    match (recipient.is_empty(), particulars.is_empty()) {
        (false, true) => format!("{recipient}{again}"),
        (false, false) => format!("{recipient}{again} ({particulars})"),
        (true, _) => super::lanes::capital(&particulars),
    }
}

/// By which way, how, and how long it took.
fn way(entry: &LogEntry) -> String {
    let mut parts = Vec::new();
    if !entry.source.is_empty() {
        parts.push(format!("from {}", foreign(&entry.source)));
    }
    if !entry.mx_host.is_empty() {
        let address = entry.mx_ip.as_ref().map(|ip| format!(" [{ip}]")).unwrap_or_default();
        // A host that is named by its address is not named twice.
        let to = match foreign(&entry.mx_host) {
            host if address.ends_with(&host) => host,
            host => format!("{host}{address}"),
        };
        parts.push(format!("to {to}"));
    }
    if !entry.tls.is_empty() {
        parts.push(foreign(&entry.tls));
    }
    if let Some(stage) = entry.stage.as_ref().filter(|_| entry.code.is_some()) {
        parts.push(format!("answer to {stage}"));
    }
    if let Some(ms) = entry.took_ms {
        parts.push(format!("{ms} ms"));
    }
    if let Some(ms) = entry.delay_ms.filter(|_| entry.kind != "accepted") {
        parts.push(format!("{} after it was accepted", span(ms / 1_000)));
    }
    parts.join(" · ")
}
