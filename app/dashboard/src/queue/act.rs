//! Doing something with what waits: first how many recipients and which, then it is done.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use postlane_api::Problem;
use postlane_api::wire::{Act, Acted, QueuePage, SummaryPage};
use serde::Deserialize;

use super::which::Which;
use crate::answer;
use crate::desk::Desk;
use crate::frame::Frame;
use crate::numbers::{count, foreign, many};
use crate::session::{Posted, Visit};

/// Something that can be done with what waits.
pub(crate) struct Wording {
    /// As the API has it.
    pub(crate) action: &'static str,
    /// On the button.
    pub(crate) does: &'static str,
    /// What it will do.
    says: &'static str,
    /// How it is taken back.
    undo: &'static str,
    /// As it is told when it was done.
    done: &'static str,
    /// What takes it back, and of which mail; none where nothing does.
    back: Option<(&'static str, &'static str, &'static str)>,
}

pub(crate) const WORDINGS: [Wording; 6] = [
    Wording {
        action: "retry",
        does: "Retry now",
        says: "It is due at once. The lane's pace and its rests hold all the same.",
        undo: "Nothing has to be taken back: what is put off again waits as before.",
        done: "due now",
        back: None,
    },
    Wording {
        action: "deliver-now",
        does: "Deliver first",
        says: "It is due at once, in front of its stream. The lane's pace and its rests hold all the same.",
        undo: "Nothing has to be taken back.",
        done: "due now, in front of their stream",
        back: None,
    },
    Wording {
        action: "hold",
        does: "Hold",
        says: "It stays in the queue and is not tried; its clock stands still, so that it does not expire.",
        undo: "Release lets it go on; it expires later by the time it was held.",
        done: "held",
        back: Some(("release", "held", "Release them")),
    },
    Wording {
        action: "release",
        does: "Release",
        says: "What is held of it goes on; it expires later by the time it was held.",
        undo: "Hold stops it again.",
        done: "released",
        back: Some(("hold", "", "Hold them again")),
    },
    Wording {
        action: "bounce",
        does: "Remove with a report",
        says: "It is given up now, and its senders get a report that it was not delivered.",
        undo: "This cannot be taken back: the mail has to be sent again.",
        done: "given up, with a report to their senders",
        back: None,
    },
    Wording {
        action: "delete",
        does: "Remove silently",
        says: "It is given up now, and nobody is told.",
        undo: "This cannot be taken back: the mail has to be sent again.",
        done: "removed; nobody was told",
        back: None,
    },
];

impl Wording {
    pub(crate) fn named(action: &str) -> Option<&'static Self> {
        WORDINGS.iter().find(|wording| wording.action == action)
    }

    fn is_final(&self) -> bool {
        matches!(self.action, "bounce" | "delete")
    }
}

/// What was done, as the page's address tells it afterwards.
pub(crate) fn told(
    action: &str,
    recipients: u64,
    which: &Which,
) -> Option<(String, String, &'static str)> {
    let wording = Wording::named(action)?;
    let says = match recipients {
        0 => "Nothing matches this any more: nothing was changed.".to_owned(),
        _ => format!("{} {}.", recipients_words(recipients), was(recipients, wording.done)),
    };
    let back = wording.back.filter(|_| recipients > 0);
    let (address, back) = back.map_or_else(Default::default, |(action, status, says)| {
        let which = which.with("status", status);
        (format!("/queue/act/{action}?{}", which.query(&[])), says)
    });
    Some((says, address, back))
}

fn was(recipients: u64, done: &str) -> String {
    let verb = if recipients == 1 { "is" } else { "are" };
    format!("{verb} {done}")
}

fn recipients_words(recipients: u64) -> String {
    many(recipients, "recipient", "recipients")
}

#[derive(Template)]
#[template(path = "queue_act.html")]
struct ActPage {
    frame: Frame,
    form: ActForm,
}

/// The form alone, for a dialogue on a page that is there already.
#[derive(Template)]
#[template(path = "queue_form.html")]
struct ActForm {
    wording: &'static Wording,
    which: Which,
    recipients: u64,
    many: String,
    providers: Vec<(String, String)>,
    examples: Vec<String>,
    form_token: String,
    back: String,
    /// What has changed since it was asked.
    changed: String,
}

/// The form, filled in.
#[derive(Deserialize)]
pub(crate) struct Filled {
    /// Recipients that were told when it was asked.
    #[serde(default)]
    recipients: String,
    #[serde(default)]
    sure: String,
}

/// How many and which it will be done to, and the button that does it.
pub(crate) async fn ask(
    State(desk): State<Desk>,
    visit: Visit,
    Path(action): Path<String>,
    Query(pairs): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let wording = known(&visit, &action)?;
    let form = form(&desk, &visit, wording, Which::of(&pairs), String::new()).await?;
    if headers.contains_key("x-part") {
        return Ok(answer::fragment(&form));
    }
    Ok(page(&desk, &visit, form))
}

fn page(desk: &Desk, visit: &Visit, form: ActForm) -> Response {
    let frame = Frame::new(desk, visit, form.wording.does, "/queue");
    let nonce = frame.bare.nonce.clone();
    answer::page(&ActPage { frame, form }, &nonce)
}

fn known(visit: &Visit, action: &str) -> Result<&'static Wording, Problem> {
    let nothing = "there is no such action for what waits";
    let wording =
        Wording::named(action).ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, nothing))?;
    match visit.may_operate() {
        true => Ok(wording),
        false => {
            let says = "a viewer looks and changes nothing; ask an admin for the role operator";
            Err(Problem::new(StatusCode::FORBIDDEN, says))
        }
    }
}

/// Recipients that agree, by provider.
async fn counted(desk: &Desk, visit: &Visit, which: &Which) -> Result<SummaryPage, Problem> {
    desk.api().read(visit.person(), &format!("/v1/queue/summary?{}", which.query(&[]))).await
}

async fn form(
    desk: &Desk,
    visit: &Visit,
    wording: &'static Wording,
    which: Which,
    changed: String,
) -> Result<ActForm, Problem> {
    let summary = counted(desk, visit, &which).await?;
    let few = format!("/v1/queue?{}", which.query(&[("limit", "5")]));
    let few: QueuePage = desk.api().read(visit.person(), &few).await?;
    let recipients = summary.providers.iter().map(|line| line.recipients).sum();
    let line = |line: &postlane_api::wire::SummaryRow| {
        (foreign(&desk.replies().name_of(&line.provider)), count(line.recipients))
    };
    let mut examples: Vec<String> =
        few.recipients.iter().map(|row| foreign(&row.recipient)).collect();
    examples.dedup();
    Ok(ActForm {
        wording,
        back: format!("/queue?{}", which.query(&[])),
        which,
        recipients,
        many: recipients_words(recipients),
        providers: summary.providers.iter().take(8).map(line).collect(),
        examples,
        form_token: visit.form_token().to_owned(),
        changed,
    })
}

/// Does it.
pub(crate) async fn give(
    State(desk): State<Desk>,
    visit: Visit,
    Path(action): Path<String>,
    Query(pairs): Query<Vec<(String, String)>>,
    Posted(filled): Posted<Filled>,
) -> Result<Response, Problem> {
    let wording = known(&visit, &action)?;
    let which = Which::of(&pairs);
    if wording.is_final() {
        let summary = counted(&desk, &visit, &which).await?;
        let now: u64 = summary.providers.iter().map(|line| line.recipients).sum();
        let asked: u64 = filled.recipients.parse().unwrap_or_default();
        let is_more = now > asked;
        if is_more || filled.sure != "yes" {
            // What cannot be taken back is done to no more than was said.
            let changed = match is_more {
                true => format!("Mail has come since: now it is {}.", recipients_words(now)),
                false => "Say that you know: nothing was done.".to_owned(),
            };
            let form = form(&desk, &visit, wording, which, changed).await?;
            let mut answer = page(&desk, &visit, form);
            *answer.status_mut() = StatusCode::CONFLICT;
            return Ok(answer);
        }
    }
    let everything = which.is_everything();
    let act = Act { action: action.clone(), filter: which.filter(), everything };
    let acted: Acted =
        desk.api().order(visit.person(), (Method::POST, "/v1/queue/actions"), &act).await?;
    let recipients = acted.recipients.to_string();
    let done = [("done", action.as_str()), ("recipients", recipients.as_str())];
    Ok(Redirect::to(&format!("/queue?{}", which.query(&done))).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_is_told_with_the_way_back_where_there_is_one() {
        let which = Which::of(&[("domain".to_owned(), "example.net".to_owned())]);
        let (says, back, offer) = told("hold", 12, &which).unwrap();
        assert_eq!(says, "12 recipients are held.");
        assert_eq!(back, "/queue/act/release?domain=example.net&status=held");
        assert_eq!(offer, "Release them");
        let (says, back, _) = told("delete", 1, &which).unwrap();
        assert_eq!(
            (says.as_str(), back.as_str()),
            ("1 recipient is removed; nobody was told.", "")
        );
        assert!(told("hold", 0, &which).unwrap().0.contains("nothing was changed"));
        assert_eq!(told("dance", 1, &which), None);
    }
}
