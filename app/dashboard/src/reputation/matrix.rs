//! Who is on which list: addresses and domains down, lists across.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Query, State as Shared};
use axum::http::Method;
use axum::response::{IntoResponse as _, Redirect, Response};
use postlane_api::Problem;
use postlane_api::wire::{BlocklistCell, BlocklistPage, WatchedList, WatchedSubjectRow};
use serde::Deserialize;

use super::state::{STATES, State};
use crate::answer;
use crate::desk::Desk;
use crate::domains::reasons;
use crate::frame::Frame;
use crate::moments;
use crate::numbers::{foreign, many, query, span};
use crate::session::{Nothing, Posted, Visit};

/// Which rows.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Asked {
    show: String,
}

/// A list at the head of its column.
struct Head {
    name: String,
    weight: String,
    title: String,
    history: String,
}

/// Somebody on each list.
struct Row {
    subject: String,
    whose: String,
    history: String,
    cells: Vec<Option<Field>>,
}

/// Somebody on one list.
struct Field {
    state: State,
    /// What the list answers, where it lists.
    code: String,
    /// All of it, read aloud.
    says: String,
    address: String,
}

/// Addresses, or domains.
struct Table {
    title: &'static str,
    id: &'static str,
    heads: Vec<Head>,
    rows: Vec<Row>,
}

#[derive(Template)]
#[template(path = "reputation.html")]
struct MatrixOut {
    frame: Frame,
    tables: Vec<Table>,
    total: usize,
    summary: Vec<(&'static str, String)>,
    asking: String,
    why: String,
    looked: String,
    shows: Vec<(&'static str, &'static str, usize, String)>,
    show: String,
    states: &'static [State],
    may_ask: bool,
}

/// The matrix.
pub(crate) async fn show(
    Shared(desk): Shared<Desk>,
    visit: Visit,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let page: BlocklistPage = desk.api().read(visit.person(), "/v1/blocklists").await?;
    let now = desk.now();
    let frame = Frame::new(&desk, &visit, "Reputation", "/reputation");
    let nonce = frame.bare.nonce.clone();
    let own = |show: &str| -> Vec<&WatchedSubjectRow> {
        page.subjects.iter().filter(|of| is_among(&page, &of.subject, show)).collect()
    };
    let shows = [("", "All"), ("listed", "Listed"), ("silent", "With a list that says nothing")];
    let shows = shows.map(|(show, says)| {
        let asked = query(&[("show", show)]);
        let there =
            if show.is_empty() { "/reputation".to_owned() } else { format!("/reputation?{asked}") };
        (show, says, own(show).len(), there)
    });
    let subjects: Vec<&WatchedSubjectRow> = own(&asked.show);
    let looked = page.looked_at.as_ref().and_then(moments::read);
    let out = MatrixOut {
        frame,
        tables: tables(&page, &subjects),
        total: page.subjects.len(),
        summary: summary(&page),
        asking: page.asking.clone(),
        why: foreign(&page.why),
        looked: looked.map(|at| moments::ago(at, now)).unwrap_or_default(),
        shows: shows.into(),
        show: asked.show,
        states: &STATES,
        may_ask: visit.may_order_lanes() && page.asking == "on",
    };
    Ok(answer::page(&out, &nonce))
}

/// Has all lists asked now.
pub(crate) async fn ask_now(
    Shared(desk): Shared<Desk>,
    visit: Visit,
    Posted(Nothing {}): Posted<Nothing>,
) -> Result<Response, Problem> {
    let asked = (Method::POST, "/v1/blocklists/check");
    let _: BlocklistPage = desk.api().order(visit.person(), asked, &serde_json::json!({})).await?;
    Ok(Redirect::to("/reputation").into_response())
}

fn state(cell: &BlocklistCell) -> State {
    State::of(&cell.state, &cell.colour)
}

fn is_among(page: &BlocklistPage, subject: &str, show: &str) -> bool {
    let mut own = page.cells.iter().filter(|cell| cell.subject == subject).map(state);
    match show {
        "listed" => own.any(State::is_listed),
        "silent" => own.any(State::is_silent),
        _ => true,
    }
}

/// What there is, counted, what needs somebody first.
fn summary(page: &BlocklistPage) -> Vec<(&'static str, String)> {
    let count =
        |is: fn(State) -> bool| page.cells.iter().map(state).filter(|s| is(*s)).count() as u64;
    let silent = |list: &&WatchedList| {
        let mut own = page.cells.iter().filter(|cell| cell.list == list.id).map(state).peekable();
        own.peek().is_some() && own.all(State::is_silent)
    };
    let listed = count(|state| state.id == "listed");
    let doubtful = count(|state| state.is_listed() && state.id != "listed");
    let silent = page.lists.iter().filter(silent).count() as u64;
    let mut told = Vec::new();
    match listed {
        0 => told.push(("good", "no listing".to_owned())),
        _ => told.push(("bad", many(listed, "listing", "listings"))),
    }
    if doubtful > 0 {
        told.push((
            "warn",
            many(doubtful, "waits for a second answer", "wait for a second answer"),
        ));
    }
    if silent > 0 {
        told.push(("still", many(silent, "list says nothing", "lists say nothing")));
    }
    told
}

fn tables(page: &BlocklistPage, subjects: &[&WatchedSubjectRow]) -> Vec<Table> {
    let cells: BTreeMap<(&str, &str), &BlocklistCell> =
        page.cells.iter().map(|cell| ((&*cell.subject, &*cell.list), cell)).collect();
    let is_address = |of: &&&WatchedSubjectRow| of.subject.parse::<std::net::IpAddr>().is_ok();
    let (addresses, domains): (Vec<&WatchedSubjectRow>, Vec<&WatchedSubjectRow>) =
        subjects.iter().partition(|of| is_address(of));
    let table = |title, id, own: Vec<&WatchedSubjectRow>| {
        let has = |list: &&WatchedList| {
            own.iter().any(|of| cells.contains_key(&(&*of.subject, &*list.id)))
        };
        let lists: Vec<&WatchedList> = page.lists.iter().filter(has).collect();
        let rows = own.iter().map(|of| {
            let of_list = |list: &&WatchedList| cells.get(&(&*of.subject, &*list.id)).copied();
            let cells = lists.iter().map(|list| of_list(list).map(|cell| Field::of(cell, list)));
            Row {
                subject: foreign(&of.subject),
                whose: whose(of),
                history: format!("/reputation/history?{}", query(&[("subject", &of.subject)])),
                cells: cells.collect(),
            }
        });
        let rows = rows.collect();
        Table { title, id, heads: lists.iter().map(|list| Head::of(list)).collect(), rows }
    };
    let tables = [table("Addresses", "addresses", addresses), table("Domains", "domains", domains)];
    tables.into_iter().filter(|table| !table.rows.is_empty()).collect()
}

fn whose(of: &WatchedSubjectRow) -> String {
    match of.tenants.is_empty() {
        true => reasons(&of.because),
        false => format!("{}: {}", foreign(&of.tenants.join(", ")), reasons(&of.because)),
    }
}

impl Head {
    fn of(list: &WatchedList) -> Self {
        let asked = list.asked_today.map(|many| format!("; asked {many} times today"));
        Self {
            name: foreign(&list.name),
            weight: foreign(&list.weight),
            title: format!("asked every {}{}", span(list.every_s), asked.unwrap_or_default()),
            history: format!("/reputation/history?{}", query(&[("list", &list.id)])),
        }
    }
}

impl Field {
    fn of(cell: &BlocklistCell, list: &WatchedList) -> Self {
        let state = state(cell);
        let answers = foreign(&cell.answers);
        let code = answers.split(',').next().unwrap_or_default().trim().to_owned();
        let on = format!("{} on {}", foreign(&cell.subject), foreign(&list.name));
        Self {
            state,
            says: format!("{on}: {} {code}", state.word).trim_end().to_owned(),
            code,
            address: format!(
                "/reputation/cell?{}",
                query(&[("list", &cell.list), ("subject", &cell.subject)])
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn page() -> BlocklistPage {
        let cell = |list: &str, subject: &str, state: &str, colour: &str| json!({"list": list, "subject": subject, "state": state, "colour": colour});
        let list = |id: &str| json!({"id": id, "name": id, "weight": "critical", "every_s": 900});
        let subject =
            |of: &str| json!({"subject": of, "because": ["watch"], "tenants": [], "colour": "red"});
        serde_json::from_value(json!({
            "asking": "on",
            "lists": [list("zen"), list("barracuda"), list("surbl")],
            "subjects": [subject("192.0.2.1"), subject("2001:db8::1"), subject("a.example")],
            "cells": [cell("zen", "192.0.2.1", "listed", "red"), cell("barracuda", "192.0.2.1", "refused", "grey"),
                      cell("zen", "2001:db8::1", "clear", "green"), cell("surbl", "a.example", "clearing", "amber")],
        }))
        .unwrap()
    }

    #[test]
    fn addresses_and_domains_each_have_the_lists_that_are_for_them() {
        let page = page();
        let subjects: Vec<&WatchedSubjectRow> = page.subjects.iter().collect();
        let tables = tables(&page, &subjects);
        let heads = |table: &Table| table.heads.iter().map(|h| h.name.clone()).collect::<Vec<_>>();
        assert_eq!(heads(&tables[0]), ["zen", "barracuda"]);
        assert_eq!((heads(&tables[1]), tables.len()), (vec!["surbl".to_owned()], 2));
        // Barracuda has no addresses of IPv6: there is no field.
        assert!(tables[0].rows[1].cells[1].is_none());
        assert_eq!(tables[0].rows[0].cells[0].as_ref().unwrap().state.word, "listed");
    }

    #[test]
    fn a_list_that_refuses_counts_neither_as_listed_nor_as_clear() {
        let page = page();
        let says: Vec<String> = summary(&page).into_iter().map(|(_, says)| says).collect();
        assert_eq!(says, ["1 listing", "1 waits for a second answer", "1 list says nothing"]);
        assert!(is_among(&page, "192.0.2.1", "silent") && !is_among(&page, "a.example", "silent"));
        assert!(
            is_among(&page, "a.example", "listed") && !is_among(&page, "2001:db8::1", "listed")
        );
    }
}
