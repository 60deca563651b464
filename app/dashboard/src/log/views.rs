//! Saved views of the log: a name for a question that is asked again, kept by the API for the command line
//! and everybody of the same tenant alike.

use askama::Template;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use postlane_api::Problem;
use postlane_api::wire::{LogQuery, LogViews, ViewPage, ViewRequest, ViewRow};
use serde::Deserialize;

use crate::answer;
use crate::desk::Desk;
use crate::frame::Frame;
use crate::numbers::{foreign, in_query, query};
use crate::session::{Nothing, Posted, Visit};

/// A view that somebody saved.
pub(super) struct Saved {
    pub(super) name: String,
    pub(super) address: String,
    /// Where it is asked whether it is to go; empty for who may not.
    pub(super) remove: String,
    /// Who saved it.
    pub(super) by: String,
    pub(super) is_here: bool,
}

/// A form to save what is shown.
#[derive(Deserialize)]
pub(crate) struct ToSave {
    #[serde(default)]
    name: String,
    #[serde(default)]
    query: String,
}

/// Which view is meant.
#[derive(Deserialize)]
pub(crate) struct Named {
    #[serde(default)]
    name: String,
}

#[derive(Template)]
#[template(path = "log_view_asked.html")]
struct AskedOut {
    frame: Frame,
    form: RemoveForm,
}

#[derive(Template)]
#[template(path = "log_view_form.html")]
struct RemoveForm {
    name: String,
    address: String,
    form_token: String,
}

/// The saved views of the log, the open one marked.
pub(super) async fn saved(
    desk: &Desk,
    visit: &Visit,
    asked: &[(String, String)],
) -> Result<Vec<Saved>, Problem> {
    let page: ViewPage = desk.api().read(visit.person(), "/v1/views").await?;
    let open = asked.iter().find(|(key, _)| key == "view").map(|(_, name)| name.as_str());
    let may_act = visit.may_operate();
    let of_log = page.views.into_iter().filter(|view| view.page == "log");
    let line = |view: ViewRow| {
        let named = in_query(&view.name);
        Saved {
            address: format!("/log?view={named}"),
            remove: if may_act { format!("/log/views/remove?name={named}") } else { String::new() },
            by: foreign(&view.changed_by),
            is_here: open == Some(view.name.as_str()),
            name: foreign(&view.name),
        }
    };
    Ok(of_log.map(line).collect())
}

/// What is shown, as a query without a view in it: a view's own filters stand in its place.
pub(super) fn whole(asked: &[(String, String)], views: &LogViews) -> String {
    const NOT_KEPT: [&str; 3] = ["view", "cursor", "limit"];
    let open = asked.iter().find(|(key, _)| key == "view");
    let of_view = open.and_then(|(_, name)| views.find(name)).map(|view| pairs(&view.query));
    let own: Vec<(&str, &str)> = asked
        .iter()
        .map(|(key, value)| (key.as_str(), value.trim()))
        .filter(|(key, _)| !NOT_KEPT.contains(key))
        .collect();
    let of_view = of_view.unwrap_or_default();
    let behind = of_view
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .filter(|(key, _)| !NOT_KEPT.contains(key) && !own.iter().any(|(own, _)| own == key));
    query(&behind.chain(own.iter().copied()).collect::<Vec<_>>())
}

/// A query of the API as pairs of key and value.
fn pairs(of: &LogQuery) -> Vec<(String, String)> {
    let Ok(serde_json::Value::Object(fields)) = serde_json::to_value(of) else { return Vec::new() };
    let text = |value: serde_json::Value| match value {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    };
    let given = fields.into_iter().filter(|(_, value)| !value.is_null());
    given.map(|(key, value)| (key, text(value))).collect()
}

/// Saves what is shown, in the place of the view of that name.
pub(crate) async fn save(
    State(desk): State<Desk>,
    visit: Visit,
    Posted(ToSave { name, query }): Posted<ToSave>,
) -> Result<Response, Problem> {
    let name = name.trim().to_owned();
    let request = ViewRequest { name: name.clone(), page: "log".to_owned(), query };
    let _: ViewRow = desk.api().order(visit.person(), (Method::PUT, "/v1/views"), &request).await?;
    Ok(Redirect::to(&format!("/log?view={}", in_query(&name))).into_response())
}

/// What goes with a view, and the button that removes it.
pub(crate) async fn ask_remove(
    State(desk): State<Desk>,
    visit: Visit,
    Query(Named { name }): Query<Named>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if !visit.may_operate() {
        let says = "a viewer looks and changes nothing; ask an admin for the role operator";
        return Err(Problem::new(StatusCode::FORBIDDEN, says));
    }
    let form = RemoveForm {
        address: format!("/log/views/remove?name={}", in_query(&name)),
        name: foreign(&name),
        form_token: visit.form_token().to_owned(),
    };
    if headers.contains_key("x-part") {
        return Ok(answer::fragment(&form));
    }
    let frame = Frame::new(&desk, &visit, "Remove view", "/log");
    let nonce = frame.bare.nonce.clone();
    Ok(answer::page(&AskedOut { frame, form }, &nonce))
}

/// Removes a view; what it showed is shown on, so that it can be saved again.
pub(crate) async fn remove(
    State(desk): State<Desk>,
    visit: Visit,
    Query(Named { name }): Query<Named>,
    Posted(Nothing {}): Posted<Nothing>,
) -> Result<Response, Problem> {
    let page: ViewPage = desk.api().read(visit.person(), "/v1/views").await?;
    let kept = page.views.iter().find(|view| view.name == name).map(|view| view.query.clone());
    let address = format!("/v1/views/{}", in_query(&name));
    let request = axum::extract::Request::delete(&address).header(header::ACCEPT, "*/*");
    let request = request.body(axum::body::Body::empty());
    let request = request.map_err(|_| Problem::bad_request("no view can be called so"))?;
    let answer = desk.api().ask(visit.person(), request).await;
    match answer.status().is_success() {
        true => Ok(Redirect::to(&format!("/log?{}", kept.unwrap_or_default())).into_response()),
        false => Ok(answer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_saved_has_the_filters_of_the_view_it_was_made_of() {
        let pairs = |of: &[(&str, &str)]| -> Vec<(String, String)> {
            of.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
        };
        let views = LogViews::built_in();
        let asked = pairs(&[("view", "gmx-421"), ("code", "4xx"), ("cursor", "9")]);
        assert_eq!(whole(&asked, &views), "since=24h&provider=united-internet&code=4xx");
        assert_eq!(whole(&pairs(&[("text", "a&b")]), &views), "text=a%26b");
        assert_eq!(whole(&pairs(&[("view", "nobody's")]), &views), "");
    }
}
