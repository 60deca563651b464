//! The tests there are, and a new one.

use askama::Template;
use axum::extract::{Query, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use postlane_api::Problem;
use postlane_api::wire::{
    EmailTestPage, EmailTestReport, EmailTestRequest, EmailTestRow, EmailTestStory,
};
use serde::Deserialize;

use crate::answer;
use crate::desk::Desk;
use crate::frame::Frame;
use crate::moments;
use crate::numbers::{foreign, query};
use crate::session::{Posted, Visit};
use crate::table::{Column, Head, Order, Worth, finds};

/// Reports whose verdicts are read for the list. Chosen, not measured: each is a file of 100 KB.
const READ_MAX: usize = 20;

/// Lines of the list. Chosen, not measured.
const LINES_MAX: usize = 100;

/// Which tests.
#[derive(Deserialize)]
pub(crate) struct Asked {
    /// As the API has it; empty for all.
    #[serde(default)]
    state: String,
    #[serde(default)]
    find: String,
    #[serde(default)]
    sort: String,
}

/// States that the list is narrowed to: as the API has it, and for people.
const STATES: [(&str, &str); 4] =
    [("", "All"), ("waiting", "Waiting"), ("reported", "Reported"), ("expired", "Nothing came")];

/// A new test.
#[derive(Deserialize)]
pub(crate) struct Filled {
    #[serde(default)]
    lasts_s: String,
    /// The test that it is compared with; empty for none.
    #[serde(default)]
    again: String,
}

struct Line {
    address: String,
    to: String,
    chip: (&'static str, &'static str),
    /// Tests passed, of how many; empty where there is no report, or it was not read.
    passed: String,
    /// How many providers would say what.
    gates: Vec<(&'static str, String)>,
    by: String,
    at: String,
    ago: String,
    until: String,
    messages: usize,
}

#[derive(Template)]
#[template(path = "tests.html")]
struct ListOut {
    frame: Frame,
    may_act: bool,
    /// Why there are no tests at all, in pieces, and which of them are code; empty where there may
    /// be some.
    off: Vec<(bool, String)>,
    asked: Asked,
    /// Name, words and address of each choice.
    states: Vec<(&'static str, &'static str, String)>,
    heads: Vec<Head>,
    lines: Vec<Line>,
    /// Tests that are older than those that are shown.
    older: usize,
}

/// All tests, the youngest first.
pub(crate) async fn list(
    State(desk): State<Desk>,
    visit: Visit,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let page: Result<EmailTestPage, Problem> = desk.api().read(visit.person(), "/v1/tests").await;
    let (mut tests, off) = match page {
        Ok(page) => (page.tests, Vec::new()),
        Err(problem) if problem.status == StatusCode::CONFLICT.as_u16() => {
            (Vec::new(), pieces(&problem.detail))
        }
        Err(problem) => return Err(problem),
    };
    tests.retain(|row| {
        let is_so = asked.state.is_empty() || row.state == asked.state;
        is_so && finds(&asked.find, &[&row.address, &row.made_by, &row.tenant])
    });
    let order = Order::of(&asked.sort, &COLUMNS, "made");
    order.arrange(&mut tests, worth);
    let older = tests.len().saturating_sub(LINES_MAX);
    tests.truncate(LINES_MAX);
    let mut lines = Vec::new();
    for (place, row) in tests.iter().enumerate() {
        let has_report = row.messages.iter().any(|one| one == "reported");
        let report = match has_report && place < READ_MAX {
            true => report_of(&desk, &visit, &row.id).await,
            false => None,
        };
        lines.push(line(&desk, row, report.as_ref()));
    }
    let frame = Frame::new(&desk, &visit, "Email tests", "/tests");
    let nonce = frame.bare.nonce.clone();
    let may_act = visit.may_operate();
    let heads = order.heads(&COLUMNS, |sort| asked.address(("sort", sort)));
    let states = STATES.map(|(name, says)| (name, says, asked.address(("state", name)))).into();
    let out = ListOut { frame, may_act, off, asked, states, heads, lines, older };
    Ok(answer::page(&out, &nonce))
}

/// A sentence, parted at its backticks: what stands between two of them is code.
fn pieces(says: &str) -> Vec<(bool, String)> {
    let pieces = says.split('`').enumerate();
    let pieces = pieces.map(|(n, piece)| (n % 2 == 1, piece.to_owned()));
    pieces.filter(|(_, piece)| !piece.is_empty()).collect()
}

const COLUMNS: [Column; 6] = [
    Column::words("address", "Address"),
    Column::words("state", "State"),
    Column::still("Tests passed"),
    Column::still("Providers"),
    Column::most("made", "Made"),
    Column::most("until", "Takes mail until (UTC)"),
];

fn worth(row: &EmailTestRow, by: &str) -> Worth {
    match by {
        "address" => Worth::words(&row.address),
        "state" => Worth::words(&row.state),
        "until" => Worth::at(moments::read(&row.expires_at)),
        _ => Worth::at(moments::read(&row.made_at)),
    }
}

impl Asked {
    fn address(&self, changed: (&str, &str)) -> String {
        let own = [("state", &*self.state), ("find", self.find.trim()), ("sort", &*self.sort)];
        let pairs = own.map(|(key, value)| (key, if key == changed.0 { changed.1 } else { value }));
        match query(&pairs).as_str() {
            "" => "/tests".to_owned(),
            query => format!("/tests?{query}"),
        }
    }

    fn is_narrow(&self) -> bool {
        !self.state.is_empty() || !self.find.trim().is_empty()
    }
}

/// Makes a test and leads to it.
pub(crate) async fn make(
    State(desk): State<Desk>,
    visit: Visit,
    Posted(filled): Posted<Filled>,
) -> Result<Response, Problem> {
    let lasts_s = Some(filled.lasts_s.trim()).filter(|text| !text.is_empty());
    let lasts_s = lasts_s.map(str::parse).transpose();
    let lasts_s = lasts_s.map_err(|_| {
        Problem::unprocessable("say how long the address takes mail in whole seconds")
            .at("/lasts_s")
    })?;
    let again = Some(filled.again).filter(|text| !text.is_empty());
    let request = EmailTestRequest { lasts_s, again, ..EmailTestRequest::default() };
    let made: EmailTestRow =
        desk.api().order(visit.person(), (Method::POST, "/v1/tests"), &request).await?;
    Ok(Redirect::to(&format!("/tests/{}", made.id)).into_response())
}

/// A report that cannot be read leaves its line without verdicts: its page says why.
async fn report_of(desk: &Desk, visit: &Visit, id: &str) -> Option<EmailTestReport> {
    let address = format!("/v1/tests/{id}");
    let story: EmailTestStory = desk.api().read(visit.person(), &address).await.ok()?;
    serde_json::from_value(story.report?).ok()
}

/// How a state is shown: the chip's class and its words.
pub(super) fn chip(state: &str) -> (&'static str, &'static str) {
    match state {
        "waiting" => ("calm", "waits for mail"),
        "looking" => ("calm", "is looked at"),
        "reported" => ("good", "reported"),
        "failed" => ("bad", "failed"),
        _ => ("", "nothing came"),
    }
}

fn line(desk: &Desk, row: &EmailTestRow, report: Option<&EmailTestReport>) -> Line {
    let at = moments::read(&row.made_at);
    let until = moments::read(&row.expires_at);
    Line {
        address: format!("/tests/{}", row.id),
        to: foreign(&row.address),
        chip: chip(&row.state),
        passed: report
            .map(|report| format!("{} of {}", report.headline.passed, report.headline.of))
            .unwrap_or_default(),
        gates: report.map(gates).unwrap_or_default(),
        by: foreign(&row.made_by),
        at: at.map(moments::exact).unwrap_or_default(),
        ago: at.map(|at| moments::ago(at, desk.now())).unwrap_or_default(),
        until: until.map(moments::day_and_minute).unwrap_or_default(),
        messages: row.messages.len(),
    }
}

/// Providers by verdict, the worst first, those that there are.
fn gates(report: &EmailTestReport) -> Vec<(&'static str, String)> {
    const VERDICTS: [(&str, &str); 4] =
        [("blocked", "bad"), ("at risk", "warn"), ("undetermined", ""), ("ready", "good")];
    let counted = VERDICTS.map(|(verdict, class)| {
        let many = report.providers.iter().filter(|gate| gate.verdict == verdict).count();
        (many, class, verdict)
    });
    let told = counted.into_iter().filter(|(many, ..)| *many > 0);
    told.map(|(many, class, verdict)| (class, format!("{many} {verdict}"))).collect()
}
