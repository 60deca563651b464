//! A look at any message: pasted, or as a file.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use postlane_api::Problem;
use serde_json::Value;

use super::upload::{Bringer, Upload};
use crate::answer;
use crate::desk::Desk;
use crate::frame::Frame;
use crate::numbers::{count, foreign, query};
use crate::report::{ReportView, gate_name};
use crate::session::Visit;

#[derive(Template)]
#[template(path = "message_check.html")]
struct CheckOut {
    frame: Frame,
    bringer: Bringer,
    most: String,
    /// Why it could not be looked at.
    says: String,
    looked: Option<Looked>,
}

/// A message that was looked at.
struct Looked {
    report: ReportView,
    /// What it is called, and how large it is.
    what: String,
    from: String,
    date: String,
    message_id: String,
    /// What is to be known of the recipient's provider.
    to: String,
}

/// The form.
pub(crate) async fn form(State(desk): State<Desk>, visit: Visit) -> Response {
    drawn(&desk, &visit, Bringer::default(), Ok(None))
}

/// The report on what was sent. Nothing of it is kept.
pub(crate) async fn check(
    State(desk): State<Desk>,
    visit: Visit,
    upload: Result<Upload, Problem>,
) -> Result<Response, Problem> {
    let upload = match upload {
        Ok(upload) => upload,
        // What came from elsewhere gets no page of this form.
        Err(problem) if problem.status == StatusCode::FORBIDDEN.as_u16() => return Err(problem),
        Err(problem) => return Ok(drawn(&desk, &visit, Bringer::default(), Err(problem))),
    };
    let bringer = upload.bringer.clone();
    let looked = looked(&desk, &visit, upload).await;
    Ok(drawn(&desk, &visit, bringer, looked.map(Some)))
}

async fn looked(desk: &Desk, visit: &Visit, upload: Upload) -> Result<Looked, Problem> {
    let Upload { message, file, bringer } = upload;
    if message.is_empty() {
        let says = "there is no message: choose a file, or paste it with its whole header";
        return Err(Problem::unprocessable(says));
    }
    let octets = count(message.len() as u64);
    let pairs = [
        ("ip", bringer.ip.trim_matches(['[', ']'])),
        ("helo", &*bringer.helo),
        ("mail_from", &*bringer.mail_from),
        ("transactional", if bringer.transactional { "true" } else { "" }),
    ];
    let address = format!("/v1/checks/message?{}", query(&pairs));
    let asked = ("message/rfc822", message);
    let told: Value = desk.api().send(visit.person(), &address, asked).await?;
    let provider = provider_of(desk, &bringer.rcpt)?;
    let has_gate = told.get("gates").and_then(|gates| gates.get(&provider)).is_some();
    let name = if has_gate { gate_name(&provider) } else { desk.replies().name_of(&provider) };
    let to = match (provider.is_empty(), has_gate) {
        (true, _) => String::new(),
        (false, true) => format!("Goes to {name}: its gate stands first."),
        (false, false) => {
            format!("{} has published nothing that could be held against it.", foreign(&name))
        }
    };
    let field = |key: &str| told.get("fields").and_then(|fields| fields.get(key)).map(plain);
    Ok(Looked {
        report: ReportView::of_mail_to(&told, "", &provider)?,
        what: match file.is_empty() {
            true => format!("pasted, {octets} octets"),
            false => format!("{file}, {octets} octets"),
        },
        from: field("from").unwrap_or_default(),
        date: field("date_utc").unwrap_or_default(),
        message_id: field("message_id").unwrap_or_default(),
        to,
    })
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => foreign(text),
        Value::Array(all) => all.iter().map(plain).collect::<Vec<String>>().join(", "),
        other => foreign(&other.to_string()),
    }
}

/// Whose mailbox a recipient has, by the domain; empty where none was typed.
fn provider_of(desk: &Desk, rcpt: &str) -> Result<String, Problem> {
    let rcpt = rcpt.trim_matches(['<', '>']);
    if rcpt.is_empty() {
        return Ok(String::new());
    }
    let domain = rcpt.rsplit('@').next().unwrap_or_default();
    let found = desk.handle().provider_called(domain);
    found.map(String::from).map_err(|why| Problem::unprocessable(format!("recipient: {why}")))
}

fn drawn(
    desk: &Desk,
    visit: &Visit,
    bringer: Bringer,
    looked: Result<Option<Looked>, Problem>,
) -> Response {
    let frame = Frame::new(desk, visit, "Check a message", "/preflight");
    let nonce = frame.bare.nonce.clone();
    let status = looked.as_ref().err().and_then(|why| StatusCode::from_u16(why.status).ok());
    let says = looked.as_ref().err().map(|why| foreign(&why.detail)).unwrap_or_default();
    let most = format!("{} MiB", desk.handle().message_octets_max().div_ceil(1 << 20));
    let looked = looked.unwrap_or_default();
    let mut page = answer::page(&CheckOut { frame, bringer, most, says, looked }, &nonce);
    if let Some(status) = status {
        *page.status_mut() = status;
    }
    page
}
