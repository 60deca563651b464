//! Tokens of the API: which there are, a new one shown this once, and an end to one.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method};
use axum::response::{IntoResponse as _, Redirect, Response};
use postlane_api::Problem;
use postlane_api::wire::{TokenMade, TokenRequest, TokenRow};
use serde::Deserialize;

use super::asking::{Asking, Field};
use crate::answer;
use crate::desk::Desk;
use crate::frame::Frame;
use crate::moments;
use crate::numbers::{foreign, in_query};
use crate::session::{Nothing, Posted, Visit};
use crate::table::{Column, Worth};

/// A token.
pub(super) struct Line {
    pub(super) name: String,
    pub(super) scopes: String,
    pub(super) sees: String,
    pub(super) state: String,
    pub(super) used: String,
    pub(super) ends: String,
    pub(super) made: String,
    /// Where it is asked whether it is to end; empty where it has ended.
    pub(super) revoke: String,
}

/// A form filled in.
#[derive(Deserialize)]
pub(crate) struct Filled {
    #[serde(default)]
    name: String,
    #[serde(default)]
    scopes: String,
    #[serde(default)]
    tenant: String,
    #[serde(default)]
    lasts_s: String,
}

#[derive(Template)]
#[template(path = "token_made.html")]
struct MadeOut {
    frame: Frame,
    name: String,
    token: String,
    scopes: String,
}

pub(super) const COLUMNS: [Column; 8] = [
    Column::words("name", "Name"),
    Column::words("may", "May"),
    Column::words("sees", "Sees"),
    Column::words("state", "State"),
    Column::most("used", "Used (UTC)"),
    Column::words("ends", "Ends (UTC)"),
    Column::most("made", "Made (UTC)"),
    Column::unseen("Revoke"),
];

/// What a token is worth in an order.
pub(super) fn worth(token: &TokenRow, by: &str) -> Worth {
    match by {
        "may" => Worth::words(&token.scopes.join(", ")),
        "sees" => Worth::words(&token.tenant),
        "state" => Worth::words(&token.state),
        "used" => Worth::at(token.used_at.as_ref().and_then(moments::read)),
        "ends" => {
            let ends = token.revoked_at.as_ref().or(token.expires_at.as_ref());
            Worth::at(ends.and_then(moments::read))
        }
        "made" => Worth::at(moments::read(&token.created_at)),
        _ => Worth::words(&token.name),
    }
}

pub(super) fn line(token: &TokenRow) -> Line {
    let at = |at: &postlane_api::wire::Timestamp| {
        moments::read(at).map(moments::day_and_minute).unwrap_or_default()
    };
    let revoke = format!("/tokens/{}/revoke", in_query(&token.name));
    Line {
        name: foreign(&token.name),
        scopes: token.scopes.join(", "),
        sees: match token.tenant.as_str() {
            "" => "everybody's mail".to_owned(),
            tenant => foreign(tenant),
        },
        used: token.used_at.as_ref().map_or_else(|| "never".to_owned(), at),
        ends: match (&token.revoked_at, &token.expires_at) {
            (Some(revoked), _) => format!("revoked {}", at(revoked)),
            (None, Some(expires)) => at(expires),
            (None, None) => "never".to_owned(),
        },
        made: format!("{} by {}", at(&token.created_at), foreign(&token.created_by)),
        revoke: if token.state == "revoked" { String::new() } else { revoke },
        state: token.state.clone(),
    }
}

/// The form to make a token.
pub(crate) async fn ask_new(
    State(desk): State<Desk>,
    visit: Visit,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let scopes = [
        ("submit", "submit: hands in mail, and nothing else"),
        ("read", "read: looks at queue, lanes and log"),
        ("submit+read", "submit and read"),
        ("operate", "operate: looks, and acts on what it sees"),
        ("submit+operate", "submit and operate"),
        ("admin", "admin: everything"),
    ];
    let lasts = [
        ("7776000", "90 days from now"),
        ("2592000", "30 days from now"),
        ("31536000", "a year from now"),
        ("", "never by itself"),
    ];
    let asking = Asking {
        title: "New token".to_owned(),
        says: "A token is for one program. It is shown once, when it is made.",
        does: "Make token",
        is_final: false,
        address: "/tokens/new".to_owned(),
        fields: vec![
            Field::text("name", "Name", "")
                .required()
                .hint("What the audit calls it: shop, backup…"),
            Field::choice("scopes", "May", &scopes, "submit"),
            Field::text("tenant", "Tenant", "")
                .hint("Whose mail alone it sees; empty for everybody's. Not with admin."),
            Field::choice("lasts_s", "Ends", &lasts, "7776000"),
        ],
    };
    asking.answer(&desk, &visit, &headers)
}

/// Makes a token, and shows it this once.
pub(crate) async fn make(
    State(desk): State<Desk>,
    visit: Visit,
    Posted(filled): Posted<Filled>,
) -> Result<Response, Problem> {
    let lasts_s = Some(filled.lasts_s.trim()).filter(|text| !text.is_empty()).map(str::parse);
    let lasts_s = lasts_s.transpose().map_err(|_| {
        Problem::unprocessable("say how long it lasts in whole seconds, or nothing").at("/lasts_s")
    })?;
    let request = TokenRequest {
        name: filled.name.trim().to_owned(),
        scopes: filled.scopes.split('+').map(str::to_owned).collect(),
        tenant: Some(filled.tenant.trim().to_owned()).filter(|tenant| !tenant.is_empty()),
        lasts_s,
        ..TokenRequest::default()
    };
    let made: TokenMade =
        desk.api().order(visit.person(), (Method::POST, "/v1/tokens"), &request).await?;
    let frame = Frame::new(&desk, &visit, "New token", "/people");
    let nonce = frame.bare.nonce.clone();
    let out = MadeOut {
        frame,
        name: foreign(&made.row.name),
        token: made.token,
        scopes: made.row.scopes.join(", "),
    };
    Ok(answer::page(&out, &nonce))
}

/// What a token's end means, and the button.
pub(crate) async fn ask_revoke(
    State(desk): State<Desk>,
    visit: Visit,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let asking = Asking {
        title: format!("Revoke: {}", foreign(&name)),
        says: "It opens nothing from this moment on, and cannot be given back: make a new one then. Its \
               name stays taken, so that the audit says for good who it was.",
        does: "Revoke",
        is_final: true,
        address: format!("/tokens/{}/revoke", in_query(&name)),
        fields: Vec::new(),
    };
    asking.answer(&desk, &visit, &headers)
}

/// Ends a token.
pub(crate) async fn revoke(
    State(desk): State<Desk>,
    visit: Visit,
    Path(name): Path<String>,
    Posted(Nothing {}): Posted<Nothing>,
) -> Result<Response, Problem> {
    let address = format!("/v1/tokens/{}", in_query(&name));
    let order = (Method::DELETE, address.as_str());
    let _: TokenRow = desk.api().order(visit.person(), order, &serde_json::json!({})).await?;
    Ok(Redirect::to("/people").into_response())
}
