//! One test: its address while nothing has come, and what was made of what came.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use postlane_api::Problem;
use postlane_api::wire::{
    EmailTestAddedBy, EmailTestComparison, EmailTestReport, EmailTestRow, EmailTestStory,
};
use postlane_mail::Instant;
use serde::Deserialize;

use super::list::chip;
use crate::answer;
use crate::desk::Desk;
use crate::frame::Frame;
use crate::live::stream;
use crate::moments;
use crate::numbers::{foreign, in_query};
use crate::patch::{Patch, drawn};
use crate::report::ReportView;
use crate::session::Visit;

/// Which message, and which findings alone.
#[derive(Deserialize)]
pub(crate) struct Asked {
    message: Option<u32>,
    #[serde(default)]
    show: String,
}

/// How a test stands: drawn anew while somebody looks.
#[derive(Template)]
#[template(path = "test_standing.html")]
struct Standing {
    chip: (&'static str, &'static str),
    /// Reports that there are: another one is another page.
    reported: usize,
    says: &'static str,
    until: String,
    is_open: bool,
}

/// A field of the header.
struct Field {
    name: String,
    value: String,
    by: &'static str,
    signed: bool,
    explained: String,
    findings: Vec<(String, &'static str)>,
}

/// What was made of a message.
struct Told {
    subject: String,
    from: String,
    came: String,
    passed: String,
    determined: usize,
    advisories: usize,
    facts: Vec<(&'static str, String)>,
    transcript: Vec<(char, String)>,
    lines_lost: u64,
    fields: Vec<Field>,
    report: ReportView,
    comparison: Option<EmailTestComparison>,
    dns: String,
    number: u32,
}

#[derive(Template)]
#[template(path = "test.html")]
struct PageOut {
    frame: Frame,
    id: String,
    to: String,
    link: String,
    is_open: bool,
    may_act: bool,
    live: String,
    standing: String,
    /// Messages that have a report.
    numbers: Vec<u32>,
    told: Option<Told>,
}

/// A test.
pub(crate) async fn show(
    State(desk): State<Desk>,
    visit: Visit,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let story = read(&desk, &visit, &id, asked.message).await?;
    let test = &story.test;
    let frame = Frame::new(&desk, &visit, "Email test", "/tests");
    let nonce = frame.bare.nonce.clone();
    let numbers = (1_u32..).zip(&test.messages).filter(|(_, state)| *state == "reported");
    let out = PageOut {
        frame,
        id: test.id.clone(),
        to: foreign(&test.address),
        link: foreign(&test.link),
        is_open: test.is_open,
        may_act: visit.may_operate(),
        live: format!("/live/tests/{}", in_query(&test.id)),
        standing: standing(test).html,
        numbers: numbers.map(|(number, _)| number).collect(),
        told: told(&story, &asked.show)?,
    };
    Ok(answer::page(&out, &nonce))
}

/// The same while somebody waits for mail.
pub(crate) async fn live(
    State(desk): State<Desk>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    read(&desk, &visit, &id, None).await?;
    Ok(stream(desk, visit, move |desk, visit| {
        let id = id.clone();
        async move {
            let story = read(&desk, &visit, &id, None).await?;
            Ok(vec![standing(&story.test)])
        }
    }))
}

async fn read(
    desk: &Desk,
    visit: &Visit,
    id: &str,
    message: Option<u32>,
) -> Result<EmailTestStory, Problem> {
    let which = message.map(|number| format!("?message={number}")).unwrap_or_default();
    desk.api().read(visit.person(), &format!("/v1/tests/{}{which}", in_query(id))).await
}

/// A part that has another name as soon as there is one more report: a page that waits for it loads
/// itself anew.
fn standing(test: &EmailTestRow) -> Patch {
    let reported = test.messages.iter().filter(|one| *one == "reported").count();
    let until = moments::read(&test.expires_at);
    let says = match test.state.as_str() {
        "looking" => "A message has come and is being looked at.",
        "failed" => {
            "A message has come and could not be looked at: the DNS did not answer in time. Send it again."
        }
        "expired" => "Nothing has come in time. Make a new test.",
        _ if test.is_open => {
            "Send a message to the address, the way you send mail to your readers."
        }
        _ => "The address takes no more mail.",
    };
    let template = Standing {
        chip: chip(&test.state),
        reported,
        says,
        until: until.map(moments::day_and_minute).unwrap_or_default(),
        is_open: test.is_open,
    };
    Patch { part: format!("standing-{reported}"), html: drawn(&template) }
}

fn told(story: &EmailTestStory, show: &str) -> Result<Option<Told>, Problem> {
    let Some(value) = &story.report else { return Ok(None) };
    let unread = |e: serde_json::Error| {
        let says = format!("our own report cannot be read: {e}; please report this");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, says)
    };
    let report: EmailTestReport = serde_json::from_value(value.clone()).map_err(unread)?;
    let comparison = story.comparison.clone().map(serde_json::from_value).transpose();
    let field = |name: &str| {
        let found = report.headers.iter().find(|field| field.name.eq_ignore_ascii_case(name));
        found.map(|field| foreign(field.value.trim())).unwrap_or_default()
    };
    let headline = &report.headline;
    Ok(Some(Told {
        subject: Some(field("Subject"))
            .filter(|text| !text.is_empty())
            .unwrap_or_else(|| "(no subject)".to_owned()),
        from: field("From"),
        came: moments::day_and_minute(Instant(report.arrival.at_us)),
        passed: format!("{} of {}", headline.passed, headline.of),
        determined: headline.determined,
        advisories: headline.advisories,
        facts: facts(&report),
        transcript: report
            .arrival
            .transcript
            .iter()
            .map(|line| (line.by.mark(), foreign(&line.text)))
            .collect(),
        lines_lost: report.arrival.lines_lost,
        fields: fields(&report),
        report: ReportView::of(value, show)?,
        comparison: comparison.map_err(unread)?,
        dns: serde_json::to_string_pretty(&report.dns).unwrap_or_default(),
        number: report.arrival.number,
    }))
}

fn facts(report: &EmailTestReport) -> Vec<(&'static str, String)> {
    let arrival = &report.arrival;
    let encryption = match (&arrival.tls, arrival.tls_offered) {
        (Some(tls), _) => format!("{}, {}", tls.version, tls.cipher),
        (None, true) => "none, though STARTTLS was offered".to_owned(),
        (None, false) => "none; STARTTLS was not offered".to_owned(),
    };
    vec![
        ("Address", arrival.client.to_string()),
        ("EHLO", foreign(&arrival.helo)),
        ("Return-path", format!("<{}>", foreign(&arrival.mail_from))),
        ("Protocol", arrival.protocol.clone()),
        ("Encryption", encryption),
        ("Size", format!("{} octets", arrival.octets)),
        ("Looked at in", format!("{} ms", report.took_ms)),
    ]
}

fn fields(report: &EmailTestReport) -> Vec<Field> {
    let all = report.headers.iter().map(|field| Field {
        name: foreign(&field.name),
        value: field.value.lines().map(foreign).collect::<Vec<String>>().join("\n"),
        by: match field.added_by {
            EmailTestAddedBy::Author => "by the author",
            EmailTestAddedBy::Host => "by a host on the way",
            EmailTestAddedBy::Signer => "by a signer",
            EmailTestAddedBy::Judge => "by a host that judged it: not believed here",
        },
        signed: field.signed,
        explained: field.explained.clone(),
        findings: field.findings.iter().map(|says| (foreign(says), class(says))).collect(),
    });
    all.collect()
}

fn class(finding: &str) -> &'static str {
    match finding.split_whitespace().next() {
        Some("fail") => "bad",
        Some("warn") => "warn",
        _ => "",
    }
}
