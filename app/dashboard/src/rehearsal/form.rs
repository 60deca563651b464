//! The list of rehearsals, and the form that begins one.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Query, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use postlane_api::Problem;
use postlane_api::wire::{
    RehearsalDescription, RehearsalPage, RehearsalRequest, RehearsalRow, RehearsalStory,
};
use serde::Deserialize;

use super::chip;
use crate::answer;
use crate::desk::Desk;
use crate::frame::Frame;
use crate::moments;
use crate::numbers::{foreign, query};
use crate::session::{Posted, Visit};
use crate::table::{Column, Head, Order, Worth};

/// What a form has, field by field.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct Filled(BTreeMap<String, String>);

/// Which rehearsal is to be made again, if any, and how those there are stand.
#[derive(Deserialize)]
pub(crate) struct Asked {
    again: Option<u64>,
    /// The order of those that are there.
    #[serde(default)]
    sort: String,
}

/// Fields of the description: name, what it says, an example, what it begins with, and the unit or bound.
const FIELDS: [Field; 10] = [
    field("provider", "Provider", "web.de", "a name, a domain or an MX host"),
    field("messages", "Messages", "5000", "at most 100,000"),
    field("deadline", "Deadline", "24h", "what is older has missed its time"),
    field("transactional", "Transactional, %", "2", "come one by one until the deadline"),
    field("sources", "Source addresses", "1", "at most 64"),
    field("quota", "Quota of an address", "", "messages taken in the window; empty if unknown"),
    field("window", "Window", "", "as 1h or 10m"),
    field("penalty", "Penalty", "", "shut out so long after 10 refusals in 10 minutes"),
    field("connections", "Connections at once", "", "of one address; empty if unknown"),
    field("seed", "Seed", "1", "the same seed repeats the same runs"),
];

struct Field {
    name: &'static str,
    says: &'static str,
    begins: &'static str,
    hint: &'static str,
}

const fn field(
    name: &'static str,
    says: &'static str,
    begins: &'static str,
    hint: &'static str,
) -> Field {
    Field { name, says, begins, hint }
}

/// A field as it is shown.
struct Shown {
    field: &'static Field,
    value: String,
    wrong: String,
}

struct Line {
    address: String,
    title: String,
    scenario: String,
    chip: (&'static str, &'static str),
    policies: String,
    runs: String,
    by: String,
    at: String,
    ago: String,
}

#[derive(Template)]
#[template(path = "rehearsals.html")]
struct ListOut {
    frame: Frame,
    may_act: bool,
    may_own: bool,
    told: String,
    scenarios: Vec<(String, String, bool)>,
    fields: Vec<Shown>,
    counts_attempts: bool,
    toml: String,
    policies: Vec<(String, String, bool)>,
    seeds: String,
    is_own: bool,
    problem: String,
    heads: Vec<Head>,
    lines: Vec<Line>,
}

const COLUMNS: [Column; 5] = [
    Column::words("what", "What"),
    Column::words("state", "State"),
    Column::still("Policies"),
    Column::figures("runs", "Runs"),
    Column::most("made", "Made"),
];

fn worth(row: &RehearsalRow, by: &str) -> Worth {
    match by {
        "what" => Worth::words(&row.title),
        "state" => Worth::words(&row.state),
        "runs" => Worth::Figure(row.runs as f64),
        _ => Worth::at(moments::read(&row.made_at)),
    }
}

/// All rehearsals, and the form.
pub(crate) async fn list(
    State(desk): State<Desk>,
    visit: Visit,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let filled = match asked.again {
        Some(id) => again(&desk, &visit, id).await?,
        None => Filled::default(),
    };
    page(&desk, &visit, &filled, (None, &asked.sort)).await
}

/// The form as it was filled for one that is there.
async fn again(desk: &Desk, visit: &Visit, id: u64) -> Result<Filled, Problem> {
    let story: RehearsalStory =
        desk.api().read(visit.person(), &format!("/v1/rehearsals/{id}")).await?;
    let row = story.rehearsal;
    let mut filled = BTreeMap::from([
        ("seeds".to_owned(), row.seeds.to_string()),
        ("settings".to_owned(), row.settings),
    ]);
    let (told, text) = match row.is_built_in {
        true => ("scenario", row.scenario),
        false => ("toml", story.toml),
    };
    filled.extend([("told".to_owned(), told.to_owned()), (told.to_owned(), text)]);
    filled.extend(row.policies.iter().map(|name| (format!("policy-{name}"), "on".to_owned())));
    Ok(Filled(filled))
}

/// Begins one and leads to it; what is wrong is said in the form, as it was filled.
pub(crate) async fn begin(
    State(desk): State<Desk>,
    visit: Visit,
    Posted(filled): Posted<Filled>,
) -> Result<Response, Problem> {
    let begun: Result<RehearsalRow, Problem> = match request(&filled) {
        Ok(request) => {
            let address = (Method::POST, "/v1/rehearsals");
            desk.api().order(visit.person(), address, &request).await
        }
        Err(problem) => Err(problem),
    };
    match begun {
        Ok(row) => Ok(Redirect::to(&format!("/rehearsals/{}", row.id)).into_response()),
        Err(problem) if [422, 429].contains(&problem.status) => {
            page(&desk, &visit, &filled, (Some(&problem), "")).await
        }
        Err(problem) => Err(problem),
    }
}

async fn page(
    desk: &Desk,
    visit: &Visit,
    filled: &Filled,
    (problem, sort): (Option<&Problem>, &str),
) -> Result<Response, Problem> {
    let mut page: RehearsalPage = desk.api().read(visit.person(), "/v1/rehearsals").await?;
    let order = Order::of(sort, &COLUMNS, "made");
    order.arrange(&mut page.rehearsals, worth);
    let heads = order.heads(&COLUMNS, |sort| match sort {
        "" => "/rehearsals".to_owned(),
        sort => format!("/rehearsals?{}", query(&[("sort", sort)])),
    });
    let frame = Frame::new(desk, visit, "Rehearsal", "/rehearsals");
    let nonce = frame.bare.nonce.clone();
    let is_new = filled.0.is_empty();
    let chosen = |name: &str| match is_new {
        true => ["lane", "postfix", "oracle"].contains(&name),
        false => !filled.of(&format!("policy-{name}")).is_empty(),
    };
    let told = filled.or("told", "scenario");
    let out = ListOut {
        frame,
        may_act: visit.may_operate(),
        may_own: !visit.is_bound(),
        scenarios: page
            .scenarios
            .into_iter()
            .map(|one| (filled.of("scenario") == one.name, one))
            .map(|(is_chosen, one)| (one.name, one.title, is_chosen))
            .collect(),
        fields: FIELDS.iter().map(|field| shown(field, filled, problem)).collect(),
        counts_attempts: filled.of("counts") == "attempted",
        toml: filled.of("toml").to_owned(),
        policies: page
            .policies
            .into_iter()
            .map(|one| (chosen(&one.name), one))
            .map(|(is_chosen, one)| (one.name, one.says, is_chosen))
            .collect(),
        seeds: filled.or("seeds", "3").to_owned(),
        is_own: filled.of("settings") == "own",
        problem: problem.map(says).unwrap_or_default(),
        heads,
        lines: page.rehearsals.iter().map(|row| line(desk, row)).collect(),
        told: told.to_owned(),
    };
    let mut answer = answer::page(&out, &nonce);
    if let Some(status) = problem.and_then(|problem| StatusCode::from_u16(problem.status).ok()) {
        *answer.status_mut() = status;
    }
    Ok(answer)
}

/// All that is wrong, line by line; what belongs to a field stands there.
fn says(problem: &Problem) -> String {
    let elsewhere = |pointer: &str| !pointer.starts_with("/description/");
    let lines = problem.errors.iter().filter(|one| elsewhere(&one.pointer));
    let lines: Vec<&str> = lines.map(|one| one.detail.as_str()).collect();
    if lines.len() > 1 { foreign(&lines.join(" · ")) } else { foreign(&problem.detail) }
}

fn shown(field: &'static Field, filled: &Filled, problem: Option<&Problem>) -> Shown {
    let pointer = format!("/description/{}", field.name);
    let wrong = problem.into_iter().flat_map(|problem| &problem.errors);
    let wrong = wrong.filter(|one| one.pointer == pointer).map(|one| foreign(&one.detail));
    let value = filled.0.get(field.name).cloned();
    Shown {
        field,
        value: value.unwrap_or_else(|| field.begins.to_owned()),
        wrong: wrong.collect::<Vec<String>>().join("; "),
    }
}

fn line(desk: &Desk, row: &RehearsalRow) -> Line {
    let at = moments::read(&row.made_at);
    Line {
        address: format!("/rehearsals/{}", row.id),
        title: foreign(&row.title),
        scenario: row.scenario.clone(),
        chip: chip(&row.state),
        policies: row.policies.join(", "),
        runs: format!("{} of {}", row.runs_done, row.runs),
        by: foreign(&row.made_by),
        at: at.map(moments::exact).unwrap_or_default(),
        ago: at.map(|at| moments::ago(at, desk.now())).unwrap_or_default(),
    }
}

impl Filled {
    fn of(&self, name: &str) -> &str {
        self.0.get(name).map(|text| text.trim()).unwrap_or_default()
    }

    fn or<'f>(&'f self, name: &str, otherwise: &'f str) -> &'f str {
        Some(self.of(name)).filter(|text| !text.is_empty()).unwrap_or(otherwise)
    }
}

/// The form as the API has it.
fn request(filled: &Filled) -> Result<RehearsalRequest, Problem> {
    let given = |name: &str| Some(filled.of(name).to_owned()).filter(|text| !text.is_empty());
    let policies = filled.0.iter().filter(|(_, value)| !value.is_empty());
    let policies = policies.filter_map(|(name, _)| name.strip_prefix("policy-"));
    let mut request = RehearsalRequest {
        policies: policies.map(str::to_owned).collect(),
        seeds: Some(number(filled, "seeds", 3)?),
        settings: given("settings"),
        ..RehearsalRequest::default()
    };
    match filled.of("told") {
        "description" => {
            request.description = Some(RehearsalDescription {
                provider: filled.of("provider").to_owned(),
                messages: number(filled, "messages", 0)?,
                transactional: number::<f64>(filled, "transactional", 0.0)? / 100.0,
                deadline: filled.of("deadline").to_owned(),
                sources: Some(number(filled, "sources", 1)?),
                quota: some_number(filled, "quota")?,
                window: given("window"),
                counts: given("counts"),
                penalty: given("penalty"),
                connections: some_number(filled, "connections")?,
                seed: some_number(filled, "seed")?,
            });
        }
        // A browser ends lines with CRLF.
        "toml" => request.toml = Some(filled.of("toml").replace("\r\n", "\n")),
        _ => request.scenario = Some(filled.of("scenario").to_owned()),
    }
    Ok(request)
}

fn number<T: std::str::FromStr>(filled: &Filled, name: &str, otherwise: T) -> Result<T, Problem> {
    Ok(some_number(filled, name)?.unwrap_or(otherwise))
}

fn some_number<T: std::str::FromStr>(filled: &Filled, name: &str) -> Result<Option<T>, Problem> {
    let text = filled.of(name).replace([',', ' '], "");
    if text.is_empty() {
        return Ok(None);
    }
    let says = || format!("{text:?} is no number that can be used here: write one as in 250");
    let wrong = |_| Problem::unprocessable(says()).at(format!("/description/{name}"));
    text.parse().map(Some).map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(of: &[(&str, &str)]) -> Filled {
        Filled(of.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn the_form_is_read_as_the_api_has_it() {
        let form = filled(&[
            ("told", "description"),
            ("provider", " web.de "),
            ("messages", "12,000"),
            ("deadline", "36h"),
            ("transactional", "2.5"),
            ("quota", ""),
            ("connections", "4"),
            ("policy-lane", "on"),
            ("policy-kumo-tsa", "on"),
        ]);
        let read = request(&form).unwrap();
        let described = read.description.unwrap();
        assert_eq!((described.provider.as_str(), described.messages), ("web.de", 12_000));
        assert_eq!((described.transactional, described.quota), (0.025, None));
        assert_eq!((described.connections, described.sources), (Some(4), Some(1)));
        assert_eq!((read.policies.join(","), read.seeds), ("kumo-tsa,lane".to_owned(), Some(3)));
        let toml = request(&filled(&[("told", "toml"), ("toml", "a = 1\r\nb = 2\r\n")])).unwrap();
        assert_eq!(toml.toml.as_deref(), Some("a = 1\nb = 2"));
        let named = request(&filled(&[("scenario", "p01-webde")])).unwrap();
        assert_eq!(named.scenario.as_deref(), Some("p01-webde"));
    }

    #[test]
    fn what_is_no_number_is_said_at_its_field() {
        let wrong = request(&filled(&[("told", "description"), ("messages", "many")])).unwrap_err();
        assert_eq!(wrong.errors[0].pointer, "/description/messages");
        let shown = shown(&FIELDS[1], &filled(&[("messages", "many")]), Some(&wrong));
        assert!(shown.wrong.contains("as in 250") && shown.value == "many", "{}", shown.wrong);
    }
}
