//! Pages for a browser: the report, and what is shown until there is one.

use askama::Template;

use crate::compare::Comparison;
use crate::report::{Kind, Report, TestRow};

/// A report as it is shown.
#[derive(Debug, Clone)]
pub struct Shown<'a> {
    /// The report.
    pub report: &'a Report,
    /// What has changed since the message before it, if there was one.
    pub comparison: Option<Comparison>,
    /// All messages of the test that have a report, by their numbers.
    pub numbers: Vec<u32>,
    /// Where the page is: the path without `.json`.
    pub path: String,
    /// The address that takes another message, while it does.
    pub address: Option<String>,
    /// When it came, for people.
    pub came: String,
    /// When the page is gone, for people.
    pub gone: String,
}

/// A test without a report.
#[derive(Debug, Clone, Template)]
#[template(path = "waiting.html")]
pub struct Waiting {
    /// The address to write to.
    pub address: String,
    /// Until when it takes mail, for people.
    pub until: String,
    /// Whether it takes mail now.
    pub is_open: bool,
    /// A message has come and is being looked at.
    pub has_come: bool,
    /// A message has come and could not be looked at.
    pub has_failed: bool,
}

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    shown: &'a Shown<'a>,
    report: &'a Report,
    groups: Vec<Group<'a>>,
    others: Vec<&'a TestRow>,
    spf: Vec<Branch>,
}

/// Tests of one kind.
struct Group<'a> {
    title: &'static str,
    bad: Vec<&'a TestRow>,
    rest: Vec<&'a TestRow>,
}

/// A line of the SPF tree.
struct Branch {
    depth: usize,
    text: String,
    mark: &'static str,
}

const GROUPS: [(&str, &str); 10] = [
    ("IDN", "Who it says it is"),
    ("SPF", "SPF"),
    ("DKIM", "DKIM"),
    ("DMARC", "DMARC"),
    ("DNS", "The host that sent it"),
    ("TLS", "Encryption"),
    ("BL", "Block lists"),
    ("FMT", "Form"),
    ("BULK", "Mail to many"),
    ("CNT", "Content"),
];

/// The page of a report.
pub fn report_page(shown: &Shown<'_>) -> String {
    let report = shown.report;
    let groups = GROUPS.iter().map(|(prefix, title)| Group::of(prefix, title, &report.tests));
    let page = Page {
        shown,
        report,
        groups: groups.collect(),
        others: report.tests.iter().filter(|row| row.kind == Kind::Other).collect(),
        spf: spf_tree(report),
    };
    page.render().unwrap_or_default()
}

/// The page of a test that has no report yet.
pub fn waiting_page(waiting: &Waiting) -> String {
    waiting.render().unwrap_or_default()
}

impl<'a> Group<'a> {
    fn of(prefix: &str, title: &'static str, tests: &'a [TestRow]) -> Self {
        let is_of =
            |row: &&TestRow| row.kind != Kind::Other && row.id.split('-').next() == Some(prefix);
        let (bad, rest) = tests.iter().filter(is_of).partition(|row| is_bad(row));
        Self { title, bad, rest }
    }

    fn passed(&self) -> usize {
        self.rest.iter().filter(|row| matches!(row.result.as_str(), "pass" | "info")).count()
    }

    fn all(&self) -> usize {
        self.bad.len() + self.rest.len()
    }
}

fn is_bad(row: &TestRow) -> bool {
    matches!(row.result.as_str(), "fail" | "warn" | "error")
}

/// The tree of the record, a line for each record and term.
fn spf_tree(report: &Report) -> Vec<Branch> {
    let mut lines = Vec::new();
    if let Some(tree) = report.message.get("spf").and_then(|spf| spf.get("tree")) {
        branch(tree, 0, &mut lines);
    }
    lines
}

/// Lines of a tree that are shown. Chosen, not measured: records end after ten lookups.
const BRANCHES_MAX: usize = 300;

fn branch(step: &serde_json::Value, depth: usize, lines: &mut Vec<Branch>) {
    let text = |key: &str| step[key].as_str().unwrap_or_default().to_owned();
    let record = step["record"].as_str().unwrap_or("(no record)");
    lines.push(Branch { depth, text: format!("{}: {record}", text("domain")), mark: "record" });
    for term in step["terms"].as_array().into_iter().flatten() {
        if lines.len() >= BRANCHES_MAX {
            return;
        }
        let mark = match term["matched"].as_str() {
            Some("yes") => "yes",
            Some("broken") => "broken",
            _ => "no",
        };
        let name = term["name"].as_str().map(|name| format!(" → {name}")).unwrap_or_default();
        let cost = match term["lookups"].as_u64().unwrap_or_default() {
            0 => String::new(),
            n => format!("  (lookups: {n})"),
        };
        let text = format!("{}{name}{cost}", term["term"].as_str().unwrap_or_default());
        lines.push(Branch { depth: depth + 1, text, mark });
        if term["below"].is_object() {
            branch(&term["below"], depth + 2, lines);
        }
    }
}

impl Page<'_> {
    /// A number of a part of `check message --json`, for a line of text.
    fn spf_says(&self, key: &str) -> String {
        self.report.message.get("spf").map(|spf| plain(&spf[key])).unwrap_or_default()
    }

    fn subject(&self) -> String {
        let subject =
            self.report.headers.iter().find(|field| field.name.eq_ignore_ascii_case("Subject"));
        let subject = subject.map(|field| field.value.clone()).filter(|value| !value.is_empty());
        subject.unwrap_or_else(|| "(no subject)".to_owned())
    }

    fn score(&self) -> String {
        let score = self.report.message.get("score");
        score.filter(|score| score["points"].is_u64()).map_or_else(
            || "no score".to_owned(),
            |score| format!("{} ({})", plain(&score["points"]), plain(&score["grade"])),
        )
    }

    fn field(&self, key: &str) -> String {
        self.report.message.get("fields").map(|fields| plain(&fields[key])).unwrap_or_default()
    }

    fn signatures(&self) -> Vec<(String, String, String)> {
        let all = self.report.message.get("dkim").and_then(|dkim| dkim.as_array());
        let told = all.into_iter().flatten().map(|one| {
            let who =
                format!("d={} s={} a={}", plain(&one["d"]), plain(&one["s"]), plain(&one["a"]));
            (who, plain(&one["result"]), plain(&one["reason"]))
        });
        told.collect()
    }

    fn dns(&self) -> String {
        serde_json::to_string_pretty(&self.report.dns).unwrap_or_default()
    }
}

fn plain(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Null => String::new(),
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Array(all) => all.iter().map(plain).collect::<Vec<String>>().join(", "),
        other => other.to_string(),
    }
}
