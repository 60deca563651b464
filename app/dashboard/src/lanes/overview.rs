//! The first page: each provider, and its lanes beneath.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Query, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use postlane_api::Problem;
use postlane_api::wire::{LaneGlances, LanePage, LaneRow, SummaryPage, SummaryRow, TallyPage};

use super::arrange::{Asked, Group, Shows};
use super::chip::Chip;
use super::figures::Figures;
use super::range::Range;
use super::row::{LaneLine, Offer, ProviderLine, age_p95};
use super::stretch::{Course, courses};
use crate::answer;
use crate::desk::Desk;
use crate::export::{File, Wanted as Form};
use crate::frame::Frame;
use crate::live;
use crate::numbers::{count, in_query, many, plain};
use crate::patch::{self, Patch};
use crate::session::Visit;
use crate::table::Head;

#[derive(Template)]
#[template(path = "overview.html")]
struct OverviewPage {
    frame: Frame,
    summary: String,
    shows: String,
    groups: Vec<Group>,
    /// Whether there is anything, whatever was asked for.
    is_any: bool,
    asked: Asked,
    heads: Vec<Head>,
    range: Range,
    smtp: String,
}

/// For somebody who sees one tenant's mail alone: lanes are everybody's, their figures too.
#[derive(Template)]
#[template(path = "glances.html")]
struct GlancesPage {
    frame: Frame,
    lanes: Vec<Glance>,
    queue: Vec<(String, String)>,
}

struct Glance {
    provider: String,
    source: String,
    chip: Chip,
}

/// What the page says in one line, above the table.
#[derive(Template)]
#[template(path = "overview_summary.html")]
struct Summary {
    lanes: String,
    troubled: Vec<(Chip, usize)>,
    waiting: String,
    accepted_per_h: String,
}

/// All lanes.
pub(crate) async fn show(
    State(desk): State<Desk>,
    visit: Visit,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let frame = Frame::new(&desk, &visit, "Lanes", "/");
    let nonce = frame.bare.nonce.clone();
    if visit.is_bound() {
        return Ok(answer::page(&glances(&desk, &visit, frame).await?, &nonce));
    }
    let range = asked.range();
    let seen = looked(&desk, &visit, &asked).await?;
    let smtp = desk.handle().smtp_addresses().first().map(ToString::to_string);
    let page = OverviewPage {
        frame,
        summary: patch::drawn(&seen.summary),
        shows: patch::drawn(&seen.shows),
        groups: seen.groups,
        is_any: seen.is_any,
        heads: asked.heads(),
        asked,
        range,
        smtp: smtp.unwrap_or_default(),
    };
    Ok(answer::page(&page, &nonce))
}

/// The rows of that page, as they change.
pub(crate) async fn live(
    State(desk): State<Desk>,
    visit: Visit,
    Query(asked): Query<Asked>,
    address: Uri,
) -> Response {
    live::stream_together((desk, visit, address.to_string()), move |desk, visit| {
        let asked = asked.clone();
        async move {
            let seen = looked(&desk, &visit, &asked).await?;
            let mut patches = vec![Patch::of("summary", &seen.summary)];
            if seen.is_any {
                patches.push(Patch::of("shows", &seen.shows));
            }
            for group in &seen.groups {
                patches.push(Patch::of(&group.provider.key, &group.provider));
                patches.extend(group.lanes.iter().map(|lane| Patch::of(&lane.key, lane)));
            }
            Ok(patches)
        }
    })
}

/// The lanes that the page of the same address shows, as a file.
pub(crate) async fn export(
    State(desk): State<Desk>,
    visit: Visit,
    Query(asked): Query<Asked>,
    Query(form): Query<Form>,
) -> Result<Response, Problem> {
    if visit.is_bound() {
        let says =
            "lanes are everybody's: whoever sees one tenant's mail alone has no figures of them";
        return Err(Problem::new(StatusCode::FORBIDDEN, says));
    }
    let seen = looked(&desk, &visit, &asked).await?;
    FILE.send_rows(&form, seen.groups.iter().flat_map(Group::cells).collect()).await
}

const FILE: File = File {
    name: "lanes",
    columns: &[
        "provider",
        "source",
        "state",
        "cap",
        "cap_set_by",
        "sessions",
        "accepted_per_h",
        "fresh_attempts",
        "fresh_deferred",
        "tries_each",
        "ready",
        "provider_waits",
        "next",
        "next_until",
        "reply_code",
        "reply",
    ],
};

/// What of all lanes is shown.
struct Seen {
    summary: Summary,
    shows: Shows,
    groups: Vec<Group>,
    is_any: bool,
}

async fn looked(desk: &Desk, visit: &Visit, asked_for: &Asked) -> Result<Seen, Problem> {
    let range = asked_for.range();
    let (api, person) = (desk.api(), visit.person());
    let lanes: LanePage = api.read(person, "/v1/lanes").await?;
    let queue: SummaryPage = api.read(person, "/v1/queue/summary").await?;
    let since = format!("{}m", range.span.as_s() / 60);
    let every = range.coarse.as_s();
    // Nothing on the page tells streams, tenants or labels apart.
    let asked = format!("/v1/tallies?since={since}&every_s={every}&by=provider,source,try");
    // No history is no reason for no lanes.
    let tallies = api.read(person, &asked).await;
    let tallies = tallies.unwrap_or(TallyPage { every_s: every, tallies: Vec::new() });
    let (summary, mut groups) =
        drawn(desk, (lanes, &queue, &tallies), (visit.may_order_lanes(), range));
    let is_any = !groups.is_empty();
    let shows = asked_for.choose(&mut groups);
    Ok(Seen { summary, shows, groups, is_any })
}

fn drawn(
    desk: &Desk,
    (lanes, queue, tallies): (LanePage, &SummaryPage, &TallyPage),
    (may_order, range): (bool, Range),
) -> (Summary, Vec<Group>) {
    let now = desk.now();
    let courses = courses(tallies, now, (range.coarse, range.span));
    let nothing = Course::empty(now, range.coarse, (range.span.0 / range.coarse.0) as usize);
    let mut providers: BTreeMap<String, Vec<LaneRow>> = BTreeMap::new();
    for lane in lanes.lanes {
        providers.entry(lane.provider.clone()).or_default().push(lane);
    }
    // Mail that waits for a provider without a lane is mail all the same.
    for line in &queue.providers {
        providers.entry(line.provider.clone()).or_default();
    }
    let mut states: BTreeMap<Chip, usize> = BTreeMap::new();
    let mut accepted = 0.0;
    let mut groups: Vec<(u64, Group)> = Vec::new();
    for (provider, lanes) in providers {
        let line = |lane: &LaneRow| {
            let course = courses.get(&(provider.clone(), lane.source.clone())).unwrap_or(&nothing);
            LaneLine::of(lane, course, (desk.replies(), now, may_order))
        };
        let lanes: Vec<LaneLine> = lanes.iter().map(line).collect();
        for lane in &lanes {
            *states.entry(lane.chip).or_default() += 1;
            accepted += lane.figures.accepted_per_h;
        }
        let depth = queue.providers.iter().find(|line| line.provider == provider);
        let head = head((desk, &provider), &lanes, (depth, &queue.ages_min), may_order);
        let waits = depth.map_or(0, |depth| depth.recipients);
        groups.push((waits, Group { provider: head, lanes }));
    }
    // What needs somebody comes first, then what has most to do.
    groups.sort_by(|(a_waits, a), (b_waits, b)| {
        let worst = |group: &Group| group.provider.chip >= Chip::Held;
        (worst(b), b_waits, &a.provider.name).cmp(&(worst(a), a_waits, &b.provider.name))
    });
    let all: usize = states.values().sum();
    let waiting: u64 = queue.providers.iter().map(|line| line.recipients).sum();
    let summary = Summary {
        lanes: many(all as u64, "lane", "lanes"),
        troubled: states.into_iter().rev().filter(|(chip, _)| *chip != Chip::Healthy).collect(),
        waiting: count(waiting),
        accepted_per_h: count(accepted.round() as u64),
    };
    (summary, groups.into_iter().map(|(_, group)| group).collect())
}

fn head(
    (desk, provider): (&Desk, &str),
    lanes: &[LaneLine],
    (depth, ages_min): (Option<&SummaryRow>, &[u32]),
    may_order: bool,
) -> ProviderLine {
    let mut figures = Figures::default();
    lanes.iter().for_each(|lane| figures += lane.figures);
    figures.waits = depth.map_or(0, |depth| depth.recipients);
    let is_held = !lanes.is_empty() && lanes.iter().all(|lane| lane.chip == Chip::Held);
    let offers = Offer::all(provider, None, is_held);
    let name = if provider.is_empty() { "not routed yet" } else { provider };
    ProviderLine {
        key: format!("provider {provider}"),
        id: provider.to_owned(),
        name: desk.replies().name_of(name),
        address: format!("/lanes/{}", in_query(provider)),
        chip: lanes.iter().map(|lane| lane.chip).max().unwrap_or(Chip::Healthy),
        accepted_per_h: plain(figures.accepted_per_h),
        depth: count(figures.waits),
        age: depth.map_or_else(String::new, |depth| age_p95(depth, ages_min)),
        queue: format!("/queue?provider={}", in_query(provider)),
        offers: if may_order && !lanes.is_empty() { offers } else { Vec::new() },
        figures,
        is_bare: lanes.is_empty(),
    }
}

async fn glances(desk: &Desk, visit: &Visit, frame: Frame) -> Result<GlancesPage, Problem> {
    let lanes: LaneGlances = desk.api().read(visit.person(), "/v1/lanes").await?;
    let queue: SummaryPage = desk.api().read(visit.person(), "/v1/queue/summary").await?;
    let name = |provider: &str| desk.replies().name_of(provider);
    let glance = |lane: &postlane_api::wire::LaneGlance| Glance {
        provider: name(&lane.provider),
        source: lane.source.clone(),
        chip: Chip::of(&lane.state, None, false),
    };
    Ok(GlancesPage {
        frame,
        lanes: lanes.lanes.iter().map(glance).collect(),
        queue: queue
            .providers
            .iter()
            .map(|line| (name(&line.provider), count(line.recipients)))
            .collect(),
    })
}
