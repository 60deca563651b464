//! Incidents: what is wrong for a while, what is to be done, and the evidence for whoever can help.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::Method;
use axum::response::{IntoResponse as _, Redirect, Response};
use postlane_api::Problem;
use postlane_api::wire::{
    IncidentOrderRequest, IncidentPage, IncidentRow, IncidentStory, Timestamp,
};
use serde::Deserialize;
use serde_json::Value;

use crate::answer;
use crate::desk::Desk;
use crate::frame::Frame;
use crate::moments;
use crate::numbers::{foreign, in_query, many, percent, query};
use crate::session::{Posted, Visit};

/// Which incidents.
#[derive(Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    state: String,
}

/// What is done about one.
#[derive(Deserialize)]
pub(crate) struct Filled {
    command: String,
    #[serde(default)]
    step: String,
    #[serde(default)]
    says: String,
}

struct Line {
    id: u64,
    title: String,
    state: String,
    whom: String,
    says: String,
    impact: String,
    since: String,
    done: String,
}

#[derive(Template)]
#[template(path = "incidents.html")]
struct ListOut {
    frame: Frame,
    state: String,
    lines: Vec<Line>,
}

struct ToDo {
    id: String,
    says: String,
    done: String,
}

#[derive(Template)]
#[template(path = "incident.html")]
struct StoryOut {
    frame: Frame,
    line: Line,
    sure: String,
    steps: Vec<ToDo>,
    evidence: Vec<String>,
    against: Vec<String>,
    changed: Vec<(String, String)>,
    notes: Vec<(String, String, String)>,
    history: Vec<(String, String)>,
    may_act: bool,
    pack: String,
    log: String,
}

/// All incidents: those that are open, if it is not said otherwise.
pub(crate) async fn list(
    State(desk): State<Desk>,
    visit: Visit,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let state = if asked.state.is_empty() { "open".to_owned() } else { asked.state };
    let address = format!("/v1/incidents?state={}", in_query(&state));
    let page: IncidentPage = desk.api().read(visit.person(), &address).await?;
    let frame = Frame::new(&desk, &visit, "Incidents", "/incidents");
    let nonce = frame.bare.nonce.clone();
    let lines = page.incidents.iter().map(|incident| line(&desk, incident)).collect();
    Ok(answer::page(&ListOut { frame, state, lines }, &nonce))
}

/// One incident.
pub(crate) async fn show(
    State(desk): State<Desk>,
    visit: Visit,
    Path(id): Path<u64>,
) -> Result<Response, Problem> {
    let story: IncidentStory =
        desk.api().read(visit.person(), &format!("/v1/incidents/{id}")).await?;
    let incident = &story.incident;
    let frame = Frame::new(&desk, &visit, &incident.title, "/incidents");
    let nonce = frame.bare.nonce.clone();
    let to_do = |step: &postlane_api::wire::IncidentStepToDo| ToDo {
        id: step.id.clone(),
        says: step.says.clone(),
        done: step.done_at.as_ref().map_or_else(String::new, |at| {
            format!("done {} by {}", moment(at), foreign(&step.done_by))
        }),
    };
    let about = [("provider", incident.provider.as_str()), ("since", &incident.opened_at.0)];
    let has_pack = !incident.provider.is_empty() && !visit.is_bound();
    let out = StoryOut {
        frame,
        line: line(&desk, incident),
        sure: percent(incident.confidence),
        steps: incident.steps.iter().map(to_do).collect(),
        evidence: story.evidence.iter().map(|text| foreign(text)).collect(),
        against: story.against.iter().map(|text| foreign(text)).collect(),
        changed: story
            .changed
            .iter()
            .map(|c| (c.at.as_ref().map(moment).unwrap_or_default(), foreign(&c.says)))
            .collect(),
        notes: story
            .notes
            .iter()
            .map(|note| (moment(&note.at), foreign(&note.by), foreign(&note.says)))
            .collect(),
        history: story
            .history
            .iter()
            .map(|event| (moment(&event.at), foreign(&told(event))))
            .collect(),
        may_act: visit.may_operate() && incident.state != "closed",
        pack: if has_pack { format!("/evidence?{}", query(&about)) } else { String::new() },
        log: format!("/log?{}&kind=deferred,bounced,expired", query(&about)),
    };
    Ok(answer::page(&out, &nonce))
}

fn told(event: &postlane_api::wire::IncidentEventRow) -> String {
    let by = if event.by.is_empty() { String::new() } else { format!(" by {}", event.by) };
    let says = if event.says.is_empty() { String::new() } else { format!(": {}", event.says) };
    format!("{}{by}{says}", event.what.replace('-', " "))
}

/// Does something about an incident.
pub(crate) async fn act(
    State(desk): State<Desk>,
    visit: Visit,
    Path(id): Path<u64>,
    Posted(filled): Posted<Filled>,
) -> Result<Response, Problem> {
    let text = || Some(filled.says.trim().to_owned()).filter(|text| !text.is_empty());
    let mut order = IncidentOrderRequest::default();
    let step = in_query(&filled.step);
    let (method, address) = match filled.command.as_str() {
        "tick" => (Method::POST, format!("/v1/incidents/{id}/steps/{step}")),
        "untick" => (Method::DELETE, format!("/v1/incidents/{id}/steps/{step}")),
        command => {
            match command {
                "note" => order.says = text(),
                "close" => order.why = text(),
                _ => {}
            }
            (Method::POST, format!("/v1/incidents/{id}/{}", in_query(command)))
        }
    };
    let _: Value = desk.api().order(visit.person(), (method, &address), &order).await?;
    Ok(Redirect::to(&format!("/incidents/{id}")).into_response())
}

fn line(desk: &Desk, incident: &IncidentRow) -> Line {
    let name = match (incident.provider.is_empty(), incident.webhook.is_empty()) {
        (false, _) => desk.replies().name_of(&incident.provider),
        (true, false) => format!("webhook {}", incident.webhook),
        (true, true) => String::new(),
    };
    let from = match incident.source.is_empty() {
        true => String::new(),
        false => format!(" from {}", incident.source),
    };
    let done = incident.steps.iter().filter(|step| step.done_at.is_some()).count();
    let mut impact = vec![many(incident.delayed, "recipient delayed", "recipients delayed")];
    if incident.bounced > 0 {
        impact.push(many(incident.bounced, "refused for good", "refused for good"));
    }
    if incident.expired > 0 {
        impact.push(many(incident.expired, "given up", "given up"));
    }
    Line {
        id: incident.id,
        title: incident.title.clone(),
        state: incident.state.clone(),
        whom: foreign(&format!("{name}{from}")),
        says: foreign(&incident.says),
        impact: impact.join(", "),
        since: match &incident.closed_at {
            Some(closed) => format!("{} to {}", moment(&incident.opened_at), moment(closed)),
            None => format!("since {}", moment(&incident.opened_at)),
        },
        done: format!("{done} of {} steps done", incident.steps.len()),
    }
}

fn moment(at: &Timestamp) -> String {
    moments::read(at).map(moments::day_and_minute).unwrap_or_default()
}
