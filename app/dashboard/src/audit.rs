//! The audit: who has changed what, when, from where, and what came of it.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use postlane_api::Problem;
use postlane_api::wire::{AuditPage, ChangeRow};

use crate::answer;
use crate::desk::Desk;
use crate::export::{FORMS, File, Part, Wanted};
use crate::frame::Frame;
use crate::moments;
use crate::numbers::{foreign, query};
use crate::session::Visit;

struct Line {
    at: String,
    exact: String,
    who: String,
    /// The page with what they did alone.
    by: String,
    from: String,
    tenant: String,
    what: String,
    detail: String,
    is_done: bool,
    status: u16,
}

#[derive(Template)]
#[template(path = "audit.html")]
struct AuditOut {
    frame: Frame,
    asked: Asked,
    changes: Vec<Line>,
    exports: Vec<(&'static str, String)>,
    next: String,
}

/// What is asked for: pairs of key and value, none of them empty.
#[derive(Clone)]
struct Asked(Vec<(String, String)>);

const KEYS: [&str; 5] = ["who", "from", "text", "outcome", "younger_than_s"];

/// How long ago at most: as the address has it, and as it is said.
const AGES: [(&str, &str); 3] = [("3600", "hour"), ("86400", "day"), ("604800", "week")];

impl Asked {
    fn of(pairs: &[(String, String)]) -> Self {
        let given = pairs.iter().map(|(key, value)| (key.clone(), value.trim().to_owned()));
        Self(
            given
                .filter(|(key, value)| KEYS.contains(&key.as_str()) && !value.is_empty())
                .collect(),
        )
    }

    fn value(&self, key: &str) -> String {
        let found = self.0.iter().find(|(known, _)| known == key);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    }

    fn query(&self, more: &[(&str, &str)]) -> String {
        let own = self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        query(&own.chain(more.iter().copied()).collect::<Vec<_>>())
    }
}

/// A page of the audit.
pub(crate) async fn show(
    State(desk): State<Desk>,
    visit: Visit,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let asked = Asked::of(&pairs);
    let cursor = pairs.iter().find(|(key, _)| key == "cursor").map(|(_, value)| value.as_str());
    let address = asked.query(&[("cursor", cursor.unwrap_or_default())]);
    let page: AuditPage = desk.api().read(visit.person(), &format!("/v1/audit?{address}")).await?;
    let frame = Frame::new(&desk, &visit, "Audit", "/audit");
    let nonce = frame.bare.nonce.clone();
    let next =
        page.next.map(|next| format!("/audit?{}", asked.query(&[("cursor", &next.to_string())])));
    let out = AuditOut {
        frame,
        changes: page.changes.iter().map(line).collect(),
        exports: FORMS
            .map(|form| (form, format!("/audit/export?{}", asked.query(&[("format", form)]))))
            .into(),
        asked,
        next: next.unwrap_or_default(),
    };
    Ok(answer::page(&out, &nonce))
}

fn line(change: &ChangeRow) -> Line {
    let at = moments::read(&change.at);
    Line {
        at: at.map(|at| format!("{} {}", moments::day(at), moments::clock(at))).unwrap_or_default(),
        exact: change.at.0.clone(),
        by: format!("/audit?{}", query(&[("who", &change.who)])),
        who: foreign(&change.who),
        from: foreign(&change.from),
        tenant: foreign(&change.tenant),
        what: foreign(&change.what),
        detail: foreign(&change.detail),
        is_done: change.status < 400,
        status: change.status,
    }
}

/// All that agrees, as a file.
pub(crate) async fn export(
    State(desk): State<Desk>,
    visit: Visit,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let asked = Asked::of(&pairs);
    let address = move |cursor: &str| {
        format!("/v1/audit?{}", asked.query(&[("limit", "1000"), ("cursor", cursor)]))
    };
    let part =
        |page: &AuditPage| Part::of(&page.changes, cells, page.next.map(|next| next.to_string()));
    FILE.send_pages(&Wanted::of(&pairs), (desk, visit), address, part).await
}

const FILE: File =
    File { name: "audit", columns: &["at", "who", "from", "tenant", "what", "detail", "status"] };

fn cells(row: &ChangeRow) -> Vec<String> {
    let ChangeRow { at, who, from, tenant, what, detail, status } = row.clone();
    vec![at.0, who, from, tenant, what, detail, status.to_string()]
}
