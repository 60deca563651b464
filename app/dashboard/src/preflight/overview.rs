//! What the relay found on messages about to go: provider by provider, what is missing, what is held
//! and until when.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Query, State};
use axum::http::Method;
use axum::response::{IntoResponse as _, Redirect, Response};
use postlane_api::Problem;
use postlane_api::wire::{PreflightEntry, PreflightPage, PreflightQuery, Rechecked, Timestamp};
use serde::Deserialize;

use crate::answer;
use crate::desk::Desk;
use crate::frame::Frame;
use crate::moments;
use crate::numbers::{count, foreign, in_query, many, query};
use crate::report::{Finding, chip_of_verdict};
use crate::session::{Posted, Visit};

/// Which of it.
#[derive(Deserialize, Default, Clone)]
#[serde(default)]
pub(crate) struct Asked {
    provider: String,
    source: String,
    domain: String,
    show: String,
    /// How many will be looked at again, on the way back from asking for it.
    meant: Option<usize>,
}

/// What is to be looked at again.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Filled {
    provider: String,
    source: String,
    domain: String,
    tenant: String,
}

/// A provider with all that goes there.
struct Group {
    id: String,
    name: String,
    chip: &'static str,
    verdict: String,
    counts: String,
    modes: String,
    lines: Vec<Line>,
}

/// One domain's mail of one stream, by one source.
struct Line {
    domain: String,
    stream: String,
    source: String,
    tenant: String,
    chip: &'static str,
    verdict: String,
    mode: &'static str,
    since: String,
    looked: String,
    before_restart: bool,
    counted: String,
    due: String,
    held: usize,
    held_says: String,
    reason: String,
    missing: Vec<Finding>,
    lane: String,
    queue: String,
    turns: String,
    trace: String,
    /// What a form sends, to have it looked at again.
    again: [(&'static str, String); 4],
}

#[derive(Template)]
#[template(path = "preflight.html")]
struct PreflightOut {
    frame: Frame,
    groups: Vec<Group>,
    total: usize,
    asked: Asked,
    shows: Vec<(&'static str, &'static str, usize, String)>,
    meant: String,
    may_look: bool,
    sees_lanes: bool,
}

/// How mail stands before gates.
pub(crate) async fn show(
    State(desk): State<Desk>,
    visit: Visit,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let pairs = [
        ("provider", asked.provider.trim()),
        ("source", asked.source.trim()),
        ("domain", asked.domain.trim()),
        ("limit", "10000"),
    ];
    let page: PreflightPage =
        desk.api().read(visit.person(), &format!("/v1/preflight?{}", query(&pairs))).await?;
    let frame = Frame::new(&desk, &visit, "Preflight", "/preflight");
    let nonce = frame.bare.nonce.clone();
    let shows = [("", "All"), ("missing", "Something missing"), ("held", "Held")];
    let shows = shows.map(|(show, says)| {
        let many = page.rows.iter().filter(|row| is_among(row, show)).count();
        (show, says, many, address(&Asked { show: show.to_owned(), ..asked.clone() }))
    });
    let meant = asked.meant.map(|meant| match meant {
        0 => "Nothing is known of that any more.".to_owned(),
        _ => format!(
            "The next message of each of {} is looked at again, or one that is held at once.",
            many(meant as u64, "domain and stream", "domains and streams")
        ),
    });
    let rows = page.rows.iter().filter(|row| is_among(row, &asked.show));
    let out = PreflightOut {
        frame,
        groups: groups(&desk, rows),
        total: page.total,
        shows: shows.into(),
        meant: meant.unwrap_or_default(),
        asked,
        may_look: visit.may_operate(),
        sees_lanes: !visit.is_bound(),
    };
    Ok(answer::page(&out, &nonce))
}

/// Has mail looked at again.
pub(crate) async fn look_again(
    State(desk): State<Desk>,
    visit: Visit,
    Posted(filled): Posted<Filled>,
) -> Result<Response, Problem> {
    let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let order = PreflightQuery {
        provider: given(&filled.provider),
        source: given(&filled.source),
        domain: given(&filled.domain),
        tenant: given(&filled.tenant),
        limit: None,
    };
    let asked = (Method::POST, "/v1/preflight/recheck");
    let done: Rechecked = desk.api().order(visit.person(), asked, &order).await?;
    let meant = done.meant.to_string();
    let back = query(&[("provider", &filled.provider), ("meant", &meant)]);
    Ok(Redirect::to(&format!("/preflight?{back}")).into_response())
}

fn address(asked: &Asked) -> String {
    let pairs = [
        ("provider", &*asked.provider),
        ("source", &*asked.source),
        ("domain", &*asked.domain),
        ("show", &*asked.show),
    ];
    format!("/preflight?{}", query(&pairs))
}

fn is_among(row: &PreflightEntry, show: &str) -> bool {
    match show {
        "missing" => !row.missing.is_empty(),
        "held" => row.held > 0,
        _ => true,
    }
}

/// Verdicts, the worst first.
fn rank(verdict: &str) -> usize {
    let order = ["blocked", "at risk", "undetermined", "ready"];
    order.iter().position(|of| *of == verdict).unwrap_or(order.len())
}

/// Providers with what goes there: who lets the least pass first.
fn groups<'r>(desk: &Desk, rows: impl Iterator<Item = &'r PreflightEntry>) -> Vec<Group> {
    let mut providers: BTreeMap<&str, Vec<&PreflightEntry>> = BTreeMap::new();
    for row in rows {
        providers.entry(&row.provider).or_default().push(row);
    }
    let mut groups: Vec<Group> =
        providers.into_iter().map(|(id, rows)| Group::of(desk, id, &rows)).collect();
    groups.sort_by_key(|group| rank(&group.verdict));
    groups
}

/// What stands there before the first look has ended.
const UNLOOKED: &str = "not looked at yet";

fn verdict_of(row: &PreflightEntry) -> &str {
    row.verdict.as_deref().unwrap_or(UNLOOKED)
}

/// What follows where something is missing.
fn mode_of(policy: &str) -> &'static str {
    match policy {
        "hold" => "holds mail",
        "warn" => "warns, and mail goes",
        _ => "off: nothing is looked at",
    }
}

impl Group {
    fn of(desk: &Desk, id: &str, rows: &[&PreflightEntry]) -> Self {
        let worst = rows.iter().map(|row| verdict_of(row)).min_by_key(|verdict| rank(verdict));
        let verdict = worst.unwrap_or(UNLOOKED).to_owned();
        let counted =
            ["blocked", "at risk", "undetermined", "ready"].into_iter().filter_map(|of| {
                let many = rows.iter().filter(|row| verdict_of(row) == of).count();
                (many > 0).then(|| format!("{many} {of}"))
            });
        let mut modes: Vec<&str> = rows.iter().map(|row| mode_of(&row.policy)).collect();
        modes.sort_unstable();
        modes.dedup();
        Self {
            id: id.to_owned(),
            name: foreign(&desk.replies().name_of(id)),
            chip: chip_of_verdict(&verdict),
            counts: counted.collect::<Vec<String>>().join(", "),
            modes: modes.join("; "),
            lines: rows.iter().map(|row| Line::of(desk, row)).collect(),
            verdict,
        }
    }
}

impl Line {
    fn of(desk: &Desk, row: &PreflightEntry) -> Self {
        let now = desk.now();
        let at = |at: &Option<Timestamp>| at.as_ref().and_then(moments::read);
        let ago = |at: Option<_>| at.map(|at| moments::ago(at, now)).unwrap_or_default();
        let about = [("provider", &*row.provider), ("source", &*row.source)];
        let mail = format!("mail of {}", row.domain);
        let turns = [&about[..], &[("kind", "lane"), ("text", &*mail), ("since", "7d")]];
        let waits = [("provider", &*row.provider), ("status", "deferred")];
        let missing = row.missing.iter().map(|one| {
            let cure = (Some(one.remedy.as_str()), one.reference.as_str());
            Finding::new((&one.id, &one.result), &one.evidence, cure)
        });
        Self {
            domain: match row.domain.is_empty() {
                true => "nobody that can be read".to_owned(),
                false => foreign(&row.domain),
            },
            stream: foreign(&row.stream),
            source: foreign(&row.source),
            tenant: foreign(&row.tenant),
            chip: chip_of_verdict(verdict_of(row)),
            verdict: foreign(verdict_of(row)),
            mode: mode_of(&row.policy),
            since: ago(at(&row.since)),
            looked: ago(at(&row.looked_at)),
            before_restart: row.before_restart,
            counted: format!(
                "{} of {} looked at",
                count(row.looks),
                many(row.messages, "message", "messages")
            ),
            due: at(&row.due).map(moments::exact).unwrap_or_default(),
            held: row.held,
            held_says: many(row.held as u64, "message is held", "messages are held"),
            reason: foreign(row.reason.as_deref().unwrap_or_default()),
            missing: missing.collect(),
            lane: format!("/lanes/{}/{}", in_query(&row.provider), in_query(&row.source)),
            queue: format!("/queue?{}", query(&waits)),
            turns: format!("/log?{}", query(&turns.concat())),
            trace: row.id.as_ref().map(|id| format!("/trace/{}", in_query(id))).unwrap_or_default(),
            again: [
                ("provider", row.provider.clone()),
                ("source", row.source.clone()),
                ("domain", row.domain.clone()),
                ("tenant", row.tenant.clone()),
            ],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_blocked_stands_before_what_nobody_knows() {
        let mut verdicts = ["ready", UNLOOKED, "undetermined", "blocked", "at risk"];
        verdicts.sort_by_key(|verdict| rank(verdict));
        assert_eq!(verdicts, ["blocked", "at risk", "undetermined", "ready", UNLOOKED]);
        assert_eq!(mode_of("hold"), "holds mail");
    }

    #[test]
    fn a_page_keeps_its_question_in_its_address() {
        let asked = Asked {
            provider: "gmx".to_owned(),
            show: "held".to_owned(),
            meant: Some(3),
            ..Asked::default()
        };
        assert_eq!(address(&asked), "/preflight?provider=gmx&show=held");
    }
}
