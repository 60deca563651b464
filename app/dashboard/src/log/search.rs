//! The delivery log: what happened to mail, searched, counted and exported; filters stand in the
//! address, so that a question can be kept and sent on.

use askama::Template;
use axum::body::Body;
use axum::extract::{Query, Request, State};
use axum::response::Response;
use postlane_api::Problem;
use postlane_api::wire::{LogEntry, LogFacets, LogPage, LogViews};

use super::views;
use crate::answer;
use crate::desk::Desk;
use crate::frame::Frame;
use crate::moments;
use crate::numbers::{count, foreign, in_query, query};
use crate::session::Visit;

/// A filter that can be typed or chosen.
struct Field {
    key: &'static str,
    says: &'static str,
    value: String,
}

/// What is offered to be typed; others come by links.
const FIELDS: [(&str, &str); 7] = [
    ("text", "Words"),
    ("recipient", "Recipient"),
    ("provider", "Provider"),
    ("kind", "What happened"),
    ("code", "Code"),
    ("since", "Since"),
    ("until", "Until"),
];

/// A value of a field, how often it occurs, and the address that keeps to it.
struct Facet {
    value: String,
    many: String,
    address: String,
}

/// A filter that holds, and the address without it.
struct Held {
    says: String,
    without: String,
}

struct Row {
    at: String,
    exact: String,
    kind: String,
    says: String,
    provider: String,
    source: String,
    recipient: String,
    code: String,
    reply: String,
    label: String,
    attempt: String,
    took: String,
    trace: String,
}

#[derive(Template)]
#[template(path = "log.html")]
struct LogOut {
    frame: Frame,
    fields: Vec<Field>,
    kept: Vec<(String, String)>,
    held: Vec<Held>,
    facets: Vec<(String, Vec<Facet>)>,
    views: Vec<(String, String)>,
    /// Those that somebody saved.
    saved: Vec<views::Saved>,
    /// What would be saved, and under which name; none for who may not.
    to_save: Option<(String, String)>,
    rows: Vec<Row>,
    next: String,
    searched_until: String,
    exports: Vec<(&'static str, String)>,
}

/// A page of the log.
pub(crate) async fn show(
    State(desk): State<Desk>,
    visit: Visit,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let asked = with_a_time(given(pairs));
    let (api, person) = (desk.api(), visit.person());
    let page: LogPage = api.read(person, &format!("/v1/log?{}", written(&asked))).await?;
    let counted: Vec<(String, String)> =
        asked.iter().filter(|(key, _)| key != "cursor").cloned().collect();
    let fields = "fields=kind,provider,label,code,source&limit=6";
    let facets: LogFacets =
        api.read(person, &format!("/v1/log/facets?{}&{fields}", written(&counted))).await?;
    let views: LogViews = api.read(person, "/v1/log/views").await?;
    let saved = views::saved(&desk, &visit, &asked).await?;
    let open = saved.iter().find(|view| view.is_here).map(|view| view.name.clone());
    let to_save =
        visit.may_operate().then(|| (views::whole(&asked, &views), open.unwrap_or_default()));
    let frame = Frame::new(&desk, &visit, "Delivery log", "/log");
    let nonce = frame.bare.nonce.clone();
    let next = page.next.as_ref().map(|next| address(&replaced(&asked, "cursor", next)));
    let until = page.searched_until.as_ref().and_then(moments::read);
    let out = LogOut {
        frame,
        fields: fields_of(&asked),
        kept: asked
            .iter()
            .filter(|(key, _)| key != "cursor" && !FIELDS.iter().any(|(known, _)| known == key))
            .cloned()
            .collect(),
        held: held(&asked),
        facets: faceted(&counted, &facets),
        views: views
            .views
            .iter()
            .filter(|view| LogViews::built_in().find(&view.name).is_some())
            .map(|view| (format!("/log?view={}", in_query(&view.name)), foreign(&view.title)))
            .collect(),
        saved,
        to_save,
        rows: page.entries.iter().map(|entry| row(&desk, entry)).collect(),
        next: next.unwrap_or_default(),
        searched_until: until.map(moments::day_and_minute).unwrap_or_default(),
        exports: ["csv", "jsonl", "parquet"]
            .map(|form| {
                let asked = replaced(&counted, "format", form);
                (form, format!("/log/export?{}", written(&asked)))
            })
            .into(),
    };
    Ok(answer::page(&out, &nonce))
}

/// Everything that the filter has, as a file.
pub(crate) async fn export(
    State(desk): State<Desk>,
    visit: Visit,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let address = format!("/v1/log/export?{}", written(&given(pairs)));
    let request = Request::get(&address).body(Body::empty());
    let request = request.map_err(|_| Problem::bad_request("this cannot be asked for"))?;
    Ok(desk.api().ask(visit.person(), request).await)
}

fn given(pairs: Vec<(String, String)>) -> Vec<(String, String)> {
    pairs.into_iter().filter(|(_, value)| !value.trim().is_empty()).collect()
}

/// A question without a time looks at the last day: all of history is asked for by name.
fn with_a_time(mut asked: Vec<(String, String)>) -> Vec<(String, String)> {
    const OWN_TIME: [&str; 6] = ["since", "until", "view", "id", "message_id", "recipient"];
    if !asked.iter().any(|(key, _)| OWN_TIME.contains(&key.as_str())) {
        asked.push(("since".to_owned(), "24h".to_owned()));
    }
    asked
}

fn written(pairs: &[(String, String)]) -> String {
    let pairs: Vec<(&str, &str)> =
        pairs.iter().map(|(key, value)| (key.as_str(), value.trim())).collect();
    query(&pairs)
}

fn address(pairs: &[(String, String)]) -> String {
    format!("/log?{}", written(pairs))
}

fn replaced(pairs: &[(String, String)], key: &str, value: &str) -> Vec<(String, String)> {
    let others = pairs.iter().filter(|(other, _)| other != key).cloned();
    others.chain([(key.to_owned(), value.to_owned())]).collect()
}

fn fields_of(asked: &[(String, String)]) -> Vec<Field> {
    let value = |key: &str| {
        let found = asked.iter().find(|(other, _)| other == key);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    FIELDS.map(|(key, says)| Field { key, says, value: value(key) }).into()
}

fn held(asked: &[(String, String)]) -> Vec<Held> {
    let hidden = ["cursor", "limit"];
    let shown = asked.iter().filter(|(key, _)| !hidden.contains(&key.as_str()));
    let held = |(key, value): &(String, String)| {
        let without: Vec<(String, String)> =
            asked.iter().filter(|(other, _)| other != key && other != "cursor").cloned().collect();
        Held { says: format!("{key}: {}", foreign(value)), without: address(&without) }
    };
    shown.map(held).collect()
}

fn faceted(asked: &[(String, String)], facets: &LogFacets) -> Vec<(String, Vec<Facet>)> {
    let known = facets.facets.iter().filter(|facet| facet.total > 0);
    let facet = |facet: &postlane_api::wire::LogFacet| {
        let values = facet.values.iter().filter(|counted| !counted.value.is_empty());
        let value = |counted: &postlane_api::wire::LogCount| Facet {
            value: foreign(&counted.value),
            many: count(counted.count),
            address: address(&replaced(asked, &facet.field, &counted.value)),
        };
        (facet.field.clone(), values.map(value).collect())
    };
    known.map(facet).filter(|(_, values): &(_, Vec<_>)| !values.is_empty()).collect()
}

fn row(desk: &Desk, entry: &LogEntry) -> Row {
    let at = entry.at.as_ref().and_then(moments::read);
    let means = desk.replies().means(&entry.label);
    let reply = match (&*entry.reply, &*entry.command, &*entry.detail) {
        ("", "", detail) => detail.to_owned(),
        ("", command, "") => command.to_owned(),
        ("", command, why) => format!("{command}: {why}"),
        (reply, ..) => reply.to_owned(),
    };
    let took = entry.took_ms.map(|ms| format!("{ms} ms")).unwrap_or_default();
    let code = entry.code.map(|code| code.to_string()).unwrap_or_default();
    Row {
        at: at.map(|at| format!("{} {}", moments::day(at), moments::clock(at))).unwrap_or_default(),
        exact: at.map(moments::exact).unwrap_or_default(),
        says: entry.kind.replace('-', " "),
        kind: entry.kind.clone(),
        provider: foreign(&entry.provider),
        source: foreign(&entry.source),
        recipient: foreign(&entry.recipient),
        code,
        reply: foreign(&reply),
        label: if entry.kind == "delivered" { String::new() } else { means },
        attempt: entry.attempt.map(|attempt| attempt.to_string()).unwrap_or_default(),
        took,
        trace: entry.id.as_ref().map(|id| format!("/trace/{id}")).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
        of.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_filter_can_be_taken_away_and_another_page_is_of_the_same_question() {
        let asked = with_a_time(given(pairs(&[("code", "421"), ("kind", ""), ("cursor", "x")])));
        assert_eq!(address(&asked), "/log?code=421&cursor=x&since=24h");
        let held = held(&asked);
        assert_eq!(
            (held[0].says.as_str(), held[0].without.as_str()),
            ("code: 421", "/log?since=24h")
        );
        assert_eq!(address(&replaced(&asked, "cursor", "y")), "/log?code=421&since=24h&cursor=y");
    }

    #[test]
    fn who_looks_for_one_recipient_looks_at_all_that_is_kept() {
        let asked = with_a_time(pairs(&[("recipient", "jo@example.net")]));
        assert_eq!(address(&asked), "/log?recipient=jo%40example.net");
    }
}
