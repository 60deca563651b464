//! Every domain of ours in a row.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use postlane_api::Problem;
use postlane_api::wire::{DomainPage, DomainRow, DomainStory, Timestamp};
use postlane_mail::{Instant, Span};
use serde::Deserialize;

use super::change::Change;
use crate::answer;
use crate::desk::Desk;
use crate::export::{File, Wanted};
use crate::frame::Frame;
use crate::moments;
use crate::numbers::{foreign, in_query, many, query};
use crate::session::Visit;
use crate::table::{Column, Head, Order, Worth, finds};

/// Which of them, in which order.
#[derive(Deserialize, Default, Clone)]
#[serde(default)]
pub(crate) struct Asked {
    show: String,
    find: String,
    sort: String,
}

/// A domain in a row.
struct Line {
    domain: String,
    address: String,
    whose: String,
    because: String,
    chip: &'static str,
    state: String,
    failed: String,
    spf: String,
    spf_is_tight: bool,
    dkim: String,
    dmarc: String,
    transport: String,
    listings: usize,
    lists: String,
    changed: String,
    changed_what: String,
    looked: String,
    rank: u8,
    spf_lookups: Option<u32>,
    changed_at: Option<Instant>,
    looked_at: Option<Instant>,
}

#[derive(Template)]
#[template(path = "domains.html")]
struct ListOut {
    frame: Frame,
    is_on: bool,
    total: usize,
    lines: Vec<Line>,
    asked: Asked,
    shows: Vec<(&'static str, &'static str, usize, String)>,
    heads: Vec<Head>,
    export: String,
}

/// What changed within this time is told in the row. Chosen, not measured.
const LATELY: Span = Span::from_h(14 * 24);

/// Domains whose last change is told in the row: each is a question to the registry.
const TOLD_MAX: usize = 20;

/// All domains that are watched.
pub(crate) async fn list(
    State(desk): State<Desk>,
    visit: Visit,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let (is_on, mut lines) = all(&desk, &visit).await?;
    let total = lines.len();
    let shows = ["", "open", "listed"].map(|show| {
        let says = match show {
            "open" => "With issues",
            "listed" => "On a list",
            _ => "All",
        };
        let many = lines.iter().filter(|line| line.is_among(show)).count();
        (show, says, many, address(&Asked { show: show.to_owned(), ..asked.clone() }))
    });
    choose(&mut lines, &asked);
    tell_changes(&desk, &visit, &mut lines, desk.now()).await;
    let frame = Frame::new(&desk, &visit, "Domains", "/domains");
    let nonce = frame.bare.nonce.clone();
    let heads = order(&asked)
        .heads(&COLUMNS, |sort| address(&Asked { sort: sort.to_owned(), ..asked.clone() }));
    let (shows, export) = (shows.into(), asked_query(&asked));
    let out = ListOut { frame, is_on, total, lines, asked, shows, heads, export };
    Ok(answer::page(&out, &nonce))
}

/// Whether records are looked at, and every domain.
async fn all(desk: &Desk, visit: &Visit) -> Result<(bool, Vec<Line>), Problem> {
    let page: DomainPage = desk.api().read(visit.person(), "/v1/domains").await?;
    let now = desk.now();
    let mut lines: Vec<Line> = page.domains.iter().map(|row| Line::of(row, now)).collect();
    lines.sort_by(|a, b| a.domain.cmp(&b.domain));
    Ok((page.on, lines))
}

/// Those that the page of the same address shows, as a file.
pub(crate) async fn export(
    State(desk): State<Desk>,
    visit: Visit,
    Query(asked): Query<Asked>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    let (_, mut lines) = all(&desk, &visit).await?;
    choose(&mut lines, &asked);
    FILE.send_rows(&wanted, lines.iter().map(Line::cells).collect()).await
}

const FILE: File = File {
    name: "domains",
    columns: &[
        "domain",
        "tenants",
        "because",
        "state",
        "spf_lookups",
        "dkim_keys",
        "dmarc",
        "beside",
        "listings",
        "changed_at",
        "looked_at",
        "failed",
    ],
};

const COLUMNS: [Column; 9] = [
    Column::most("state", "State"),
    Column::words("domain", "Domain"),
    Column::most("spf", "SPF"),
    Column::still("DKIM"),
    Column::words("dmarc", "DMARC"),
    Column::still("Beside"),
    Column::figures("listings", "Listings"),
    Column::most("changed", "Changed"),
    Column::most("looked", "Looked at"),
];

fn order(asked: &Asked) -> Order {
    Order::of(&asked.sort, &COLUMNS, "state")
}

/// Leaves those that are asked for, in the order that was asked for; what needs somebody first, if none
/// was.
fn choose(lines: &mut Vec<Line>, asked: &Asked) {
    lines.retain(|line| {
        line.is_among(&asked.show)
            && finds(&asked.find, &[&line.domain, &line.whose, &line.because])
    });
    order(asked).arrange(lines, |line, by| match by {
        "state" => Worth::Figure(line.rank.into()),
        "spf" => Worth::figure(line.spf_lookups.map(f64::from)),
        "dmarc" => Worth::words(&line.dmarc),
        "listings" => Worth::Figure(line.listings as f64),
        "changed" => Worth::at(line.changed_at),
        "looked" => Worth::at(line.looked_at),
        _ => Worth::words(&line.domain),
    });
}

fn asked_query(asked: &Asked) -> String {
    query(&[("show", &*asked.show), ("find", &*asked.find), ("sort", &*asked.sort)])
}

fn address(asked: &Asked) -> String {
    let query = asked_query(asked);
    if query.is_empty() { "/domains".to_owned() } else { format!("/domains?{query}") }
}

/// What changed lately, of those that changed last.
async fn tell_changes(desk: &Desk, visit: &Visit, lines: &mut [Line], now: Instant) {
    let is_lately = |line: &&mut Line| line.changed_at.is_some_and(|at| now.since(at) <= LATELY);
    let mut lately: Vec<&mut Line> = lines.iter_mut().filter(is_lately).collect();
    lately.sort_by_key(|line| std::cmp::Reverse(line.changed_at));
    for line in lately.into_iter().take(TOLD_MAX) {
        let address = format!("/v1/domains/{}?limit=1", in_query(&line.domain));
        // A row without it is a row all the same.
        let story: Result<DomainStory, Problem> = desk.api().read(visit.person(), &address).await;
        let change = story.ok().and_then(|story| story.changes.first().map(Change::in_short));
        line.changed_what = change.unwrap_or_default();
    }
}

impl Line {
    fn of(row: &DomainRow, now: Instant) -> Self {
        let at = |at: &Option<Timestamp>| at.as_ref().and_then(moments::read);
        let ago = |at: Option<Instant>| at.map(|at| moments::ago(at, now)).unwrap_or_default();
        let (changed_at, looked_at) = (at(&row.changed_at), at(&row.looked_at));
        let (rank, chip, state) = standing(row);
        let transport = [
            row.mta_sts.is_some().then_some("MTA-STS"),
            row.dane.then_some("DANE"),
            row.tls_rpt.then_some("TLS-RPT"),
            row.bimi.then_some("BIMI"),
        ];
        let transport: Vec<&str> = transport.into_iter().flatten().collect();
        let keys = row.dkim_keys.len() as u64;
        let voids =
            if row.spf_voids > 0 { format!(", {} void", row.spf_voids) } else { String::new() };
        Self {
            domain: foreign(&row.domain),
            address: format!("/domains/{}", in_query(&row.domain)),
            whose: foreign(&row.tenants.join(", ")),
            because: reasons(&row.because),
            chip,
            state,
            failed: foreign(&row.failed),
            spf: row.spf_lookups.map(|n| format!("{n}/10{voids}")).unwrap_or_default(),
            spf_is_tight: row.spf_lookups.is_some_and(|lookups| lookups > 8) || row.spf_voids > 2,
            dkim: if keys == 0 { String::new() } else { many(keys, "key", "keys") },
            dmarc: foreign(row.dmarc.as_deref().unwrap_or_default()),
            transport: transport.join(", "),
            listings: row.listings,
            lists: format!("/reputation/history?subject={}", in_query(&row.domain)),
            changed: ago(changed_at),
            changed_what: String::new(),
            looked: ago(looked_at),
            rank,
            spf_lookups: row.spf_lookups,
            changed_at,
            looked_at,
        }
    }

    fn cells(&self) -> Vec<String> {
        let at = |at: Option<Instant>| at.map(moments::exact).unwrap_or_default();
        vec![
            self.domain.clone(),
            self.whose.clone(),
            self.because.clone(),
            self.state.clone(),
            self.spf.clone(),
            self.dkim.clone(),
            self.dmarc.clone(),
            self.transport.clone(),
            self.listings.to_string(),
            at(self.changed_at),
            at(self.looked_at),
            self.failed.clone(),
        ]
    }

    fn is_among(&self, show: &str) -> bool {
        match show {
            "open" => self.rank >= 2,
            "listed" => self.listings > 0,
            _ => true,
        }
    }
}

/// Why somebody is watched, in words: `signs mail`, `EHLO of a`, `bounces of acme`.
pub(crate) fn reasons(because: &[String]) -> String {
    let says = |of: &String| match of.as_str() {
        "dkim" => "signs mail".to_owned(),
        "watch" => "named in [watch]".to_owned(),
        other => match other.strip_prefix("ehlo of ") {
            Some(source) => format!("EHLO of {}", foreign(source)),
            None => foreign(other),
        },
    };
    because.iter().map(says).collect::<Vec<String>>().join(", ")
}

/// How a domain stands: the worst first, the colour, and the words.
fn standing(row: &DomainRow) -> (u8, &'static str, String) {
    let issues = many(row.open_issues as u64, "issue", "issues");
    match row {
        _ if row.listings > 0 && row.open_issues > 0 => (4, "bad", format!("listed, {issues}")),
        _ if row.listings > 0 => (4, "bad", "listed".to_owned()),
        _ if row.open_issues > 0 => (3, "warn", issues),
        _ if !row.failed.is_empty() => (2, "warn", "look failed".to_owned()),
        _ if row.looked_at.is_none() => (1, "still", "not looked at yet".to_owned()),
        _ => (0, "good", "well".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(domain: &str) -> DomainRow {
        serde_json::from_value(serde_json::json!({
            "domain": domain, "because": ["dkim"], "tenants": [], "spf_voids": 0, "dkim_keys": [],
            "tls_rpt": true, "dane": false, "bimi": false, "listings": 0, "open_issues": 0,
            "looked_at": "2026-11-21T05:39:05.000Z",
        }))
        .unwrap()
    }

    #[test]
    fn what_needs_somebody_stands_first() {
        let now = Instant(1_795_239_645_000_000);
        let well = Line::of(&row("a.example"), now);
        assert_eq!(
            (well.state.as_str(), well.chip, well.looked.as_str()),
            ("well", "good", "1 min ago")
        );
        let issues = Line::of(&DomainRow { open_issues: 2, ..row("b.example") }, now);
        assert_eq!(issues.state, "2 issues");
        let listed = Line::of(&DomainRow { listings: 1, ..row("c.example") }, now);
        let fresh = Line::of(&DomainRow { looked_at: None, ..row("d.example") }, now);
        let mut lines = vec![well, issues, listed, fresh];
        assert_eq!(lines.iter().filter(|line| line.is_among("open")).count(), 2);
        choose(&mut lines, &Asked::default());
        let names: Vec<&str> = lines.iter().map(|line| line.domain.as_str()).collect();
        assert_eq!(names, ["c.example", "b.example", "d.example", "a.example"]);
        choose(&mut lines, &Asked { sort: "domain".to_owned(), ..Asked::default() });
        assert_eq!(lines[0].domain, "a.example");
        choose(&mut lines, &Asked { find: "B.Ex".to_owned(), ..Asked::default() });
        assert_eq!((lines.len(), lines[0].domain.as_str()), (1, "b.example"));
    }
}
