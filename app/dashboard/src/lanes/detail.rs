//! One lane: what is believed of the provider's limit, against what was sent, accepted and refused;
//! why it does not move, what changed it, what was said, and what can be ordered.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use postlane_api::Problem;
use postlane_api::wire::{DiagnosisPage, LaneRow, LogPage, TallyPage};
use serde::Deserialize;

use super::belief::{Beliefs, PlanDay, plan_days};
use super::chip::Chip;
use super::plot::{Marker, Plot, PlotRow};
use super::range::Range;
use super::row::{Cap, LastReply, Next, Offer, lane_address};
use super::spark;
use super::stretch::{Course, courses};
use crate::answer;
use crate::desk::Desk;
use crate::frame::Frame;
use crate::live::{self, Patch, drawn};
use crate::moments;
use crate::numbers::{count, foreign, in_query, percent, plain, query};
use crate::session::Visit;

/// How far back, and of which lane.
#[derive(Deserialize, Default, Clone)]
pub(crate) struct Asked {
    #[serde(default)]
    range: String,
}

/// What the lane is and does now.
#[derive(Template)]
#[template(path = "lane_head.html")]
struct Head {
    chip: Chip,
    next: Next,
    canary: Option<String>,
    cap: Cap,
    accepted_per_h: String,
    deferral: String,
    deferral_band: &'static str,
    pressure: String,
    ready: String,
    last_reply: Option<LastReply>,
    orders: Vec<String>,
}

/// What was sent against what is believed.
#[derive(Template)]
#[template(path = "lane_plot.html")]
struct PlotPart {
    plot: Plot,
    rows: Vec<PlotRow>,
    svg: String,
}

#[derive(Template)]
#[template(path = "lane_beliefs.html")]
struct BeliefsPart {
    beliefs: Beliefs,
}

/// What changed it last.
#[derive(Template)]
#[template(path = "lane_changes.html")]
struct ChangesPart {
    changes: Vec<(String, String, String, bool)>,
}

/// Another source at the same provider.
struct Sibling {
    source: String,
    address: String,
    is_here: bool,
    chip: Chip,
    accepted: String,
    deferral: String,
    per_h: String,
}

/// Replies that are alike, and what to do about them.
struct Heard {
    many: String,
    text: String,
    means: String,
    steps: Vec<String>,
    log: String,
}

#[derive(Template)]
#[template(path = "lane.html")]
struct LanePageOut {
    frame: Frame,
    provider_name: String,
    source: String,
    here: String,
    live: String,
    range: Range,
    head: String,
    plot: String,
    beliefs: String,
    changes: String,
    offers: Vec<Offer>,
    days: Vec<PlanDay>,
    plan_says: String,
    siblings: Vec<Sibling>,
    heard: Vec<Heard>,
    verdict: String,
    hosts: Vec<(String, String, String, String)>,
    evidence: String,
}

/// A provider: its first lane, with the others beside it.
pub(crate) async fn provider(
    State(desk): State<Desk>,
    visit: Visit,
    Path(provider): Path<String>,
) -> Result<Response, Problem> {
    let address = format!("/v1/lanes/{}", in_query(&provider));
    let page: postlane_api::wire::LanePage = read_lanes(&desk, &visit, &address).await?;
    // The busiest says most.
    let first = page.lanes.iter().max_by_key(|lane| (lane.accepted + lane.refused, lane.ready));
    let first = first.ok_or_else(|| {
        Problem::new(StatusCode::NOT_FOUND, "no mail has gone there since the server began")
    })?;
    Ok(Redirect::to(&lane_address(&first.provider, &first.source)).into_response())
}

async fn read_lanes<T: serde::de::DeserializeOwned>(
    desk: &Desk,
    visit: &Visit,
    address: &str,
) -> Result<T, Problem> {
    if visit.is_bound() {
        let says = "lanes are everybody's: whoever sees one tenant's mail alone sees what they do on \
                    the page before, and no figures";
        return Err(Problem::new(StatusCode::FORBIDDEN, says));
    }
    desk.api().read(visit.person(), address).await
}

/// One lane.
pub(crate) async fn show(
    State(desk): State<Desk>,
    visit: Visit,
    Path((provider, source)): Path<(String, String)>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let range = Range::named(&asked.range);
    let seen = Seen::look(&desk, &visit, (&provider, &source), range).await?;
    let (verdict, heard) = heard(&desk, &visit, &seen, range).await;
    let name = desk.replies().name_of(&seen.lane.provider);
    let title = format!("{} → {name}", foreign(&seen.lane.source));
    let frame = Frame::new(&desk, &visit, &title, "/");
    let nonce = frame.bare.nonce.clone();
    let here = lane_address(&seen.lane.provider, &seen.lane.source);
    let days = seen.lane.restart_plan.as_ref().map(plan_days).unwrap_or_default();
    let plan_says = seen.lane.restart_plan.as_ref().and_then(|plan| plan.last.as_ref());
    let page = LanePageOut {
        frame,
        provider_name: name,
        source: foreign(&seen.lane.source),
        live: format!("/live{here}?range={}", range.name),
        here,
        range,
        head: drawn(&seen.head(&desk)),
        plot: drawn(&seen.plot_part(&desk)),
        beliefs: drawn(&BeliefsPart { beliefs: Beliefs::of(&seen.lane) }),
        changes: drawn(&seen.changes_part(&desk)),
        offers: if visit.may_order_lanes() { offers(&seen.lane) } else { Vec::new() },
        plan_says: plan_says.map(|last| last.says.clone()).unwrap_or_default(),
        days,
        siblings: seen.siblings(&desk),
        heard,
        verdict,
        hosts: hosts(&seen.lane),
        evidence: format!("/evidence?provider={}", in_query(&seen.lane.provider)),
    };
    Ok(answer::page(&page, &nonce))
}

/// The parts of that page, as they change.
pub(crate) async fn live(
    State(desk): State<Desk>,
    visit: Visit,
    Path((provider, source)): Path<(String, String)>,
    Query(asked): Query<Asked>,
) -> Response {
    live::stream(desk, visit, move |desk, visit| {
        let (provider, source) = (provider.clone(), source.clone());
        let range = Range::named(&asked.range);
        async move {
            let seen = Seen::look(&desk, &visit, (&provider, &source), range).await?;
            let beliefs = BeliefsPart { beliefs: Beliefs::of(&seen.lane) };
            Ok(vec![
                Patch::of("head", &seen.head(&desk)),
                Patch::of("plot", &seen.plot_part(&desk)),
                Patch::of("beliefs", &beliefs),
                Patch::of("changes", &seen.changes_part(&desk)),
            ])
        }
    })
}

/// A lane, its siblings, and what became of mail on them.
struct Seen {
    lane: LaneRow,
    siblings: Vec<LaneRow>,
    tallies: TallyPage,
    coarse: TallyPage,
    markers: Vec<Marker>,
    range: Range,
}

impl Seen {
    async fn look(
        desk: &Desk,
        visit: &Visit,
        (provider, source): (&str, &str),
        range: Range,
    ) -> Result<Self, Problem> {
        let of = in_query(provider);
        let address = format!("/v1/lanes/{of}/{}?decisions=32", in_query(source));
        let lane: LaneRow = read_lanes(desk, visit, &address).await?;
        let siblings: postlane_api::wire::LanePage =
            read_lanes(desk, visit, &format!("/v1/lanes/{of}")).await?;
        let since = format!("{}m", range.span.as_s() / 60);
        let tallies = async |every_s: u64| {
            let asked = format!("/v1/tallies?provider={of}&since={since}&every_s={every_s}");
            let page = desk.api().read(visit.person(), &asked).await;
            page.unwrap_or(TallyPage { every_s, tallies: Vec::new() })
        };
        let asked = format!("/v1/log?provider={of}&kind=lane&since={since}&limit=200");
        let log: Option<LogPage> = desk.api().read(visit.person(), &asked).await.ok();
        let markers = log.map(|page| markers(page, &lane)).unwrap_or_default();
        let (fine, coarse) = (range.fine.as_s(), range.coarse.as_s());
        Ok(Self {
            tallies: tallies(fine).await,
            coarse: tallies(coarse).await,
            lane,
            siblings: siblings.lanes,
            markers,
            range,
        })
    }

    fn course(&self, desk: &Desk, lane: &LaneRow, page: &TallyPage, is_fine: Fine) -> Course {
        let every = match is_fine {
            Fine::Yes => self.range.fine,
            Fine::No => self.range.coarse,
        };
        let now = desk.now();
        let mut all = courses(page, now, (every, self.range.span));
        let key = (lane.provider.clone(), lane.source.clone());
        let many = (self.range.span.0 / every.0) as usize;
        all.remove(&key).unwrap_or_else(|| Course::empty(now, every, many))
    }

    fn head(&self, desk: &Desk) -> Head {
        let (lane, now) = (&self.lane, desk.now());
        let course = self.course(desk, lane, &self.tallies, Fine::Yes);
        let sum = course.sum();
        let share = sum.fresh_deferral();
        let canary = lane.canary_at.as_ref().and_then(moments::read);
        let order = |order: &postlane_api::wire::OrderRow| {
            let until = order.until.as_ref().and_then(moments::read);
            let until = until.map(|at| format!(", {}", moments::until(at, now)));
            let why = if order.why.is_empty() { String::new() } else { format!(": {}", order.why) };
            let by = foreign(&order.by);
            foreign(&format!("{} by {by}{}{why}", order.order, until.unwrap_or_default()))
        };
        let last = lane.last_reply.as_ref();
        Head {
            chip: Chip::of(&lane.state, lane.restart_day, lane.quarantined_since.is_some()),
            next: Next::of(lane, now),
            canary: canary.map(moments::exact),
            cap: Cap::of(lane),
            accepted_per_h: plain(course.accepted_per_h(now)),
            deferral: share.map_or_else(|| "–".to_owned(), percent),
            deferral_band: share.map_or("none", super::chip::band),
            pressure: sum.pressure().map_or_else(|| "–".to_owned(), |p| format!("{p:.1}")),
            ready: count(lane.ready),
            last_reply: last.map(|last| LastReply::of(last, &lane.provider, desk.replies(), now)),
            orders: lane.orders.iter().map(order).collect(),
        }
    }

    fn plot_part(&self, desk: &Desk) -> PlotPart {
        let course = self.course(desk, &self.lane, &self.tallies, Fine::Yes);
        let (provider, source) = (self.lane.provider.clone(), self.lane.source.clone());
        let mut samples = desk.recorder().of(&provider, &source, course.from);
        samples.push(super::recorder::Sample::of(&self.lane, desk.now()));
        let of = vec![("provider".to_owned(), provider), ("source".to_owned(), source)];
        let plot = Plot::new(course, &samples, self.markers.clone(), (desk.now(), of));
        PlotPart { rows: plot.rows(), svg: plot.svg(), plot }
    }

    fn changes_part(&self, desk: &Desk) -> ChangesPart {
        let now = desk.now();
        let told = self.markers.iter().map(|m| (m.at, m.says.clone(), m.who.clone(), m.is_manual));
        let decided = self.lane.decisions.iter().filter_map(|decision| {
            let at = moments::read(&decision.at)?;
            Some((at, super::row::capital(&decision.says), "the lane".to_owned(), false))
        });
        let mut all: Vec<_> = told.chain(decided).collect();
        // A decision that the ledger has, too, is told once.
        all.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        all.dedup_by(|a, b| a.1 == b.1 && a.0.0 / 1_000_000 == b.0.0 / 1_000_000);
        let row = |(at, says, who, is_manual)| (at_words(at, now), says, who, is_manual);
        ChangesPart { changes: all.into_iter().take(24).map(row).collect() }
    }

    fn siblings(&self, desk: &Desk) -> Vec<Sibling> {
        let sibling = |lane: &LaneRow| {
            let course = self.course(desk, lane, &self.coarse, Fine::No);
            Sibling {
                source: foreign(&lane.source),
                address: lane_address(&lane.provider, &lane.source),
                is_here: lane.source == self.lane.source,
                chip: Chip::of(&lane.state, lane.restart_day, lane.quarantined_since.is_some()),
                accepted: spark::accepted(&course),
                deferral: spark::deferral(&course),
                per_h: plain(course.accepted_per_h(desk.now())),
            }
        };
        self.siblings.iter().map(sibling).collect()
    }
}

/// Whether bars are as short as the large plot has them.
#[derive(Clone, Copy)]
enum Fine {
    Yes,
    No,
}

fn at_words(at: postlane_mail::Instant, now: postlane_mail::Instant) -> String {
    match now.since(at).as_s() {
        0..=43_200 => moments::clock(at),
        _ => moments::day_and_minute(at),
    }
}

/// What became of a lane and was ordered of it, of all that the log has of its provider.
fn markers(page: LogPage, lane: &LaneRow) -> Vec<Marker> {
    let of_lane = |entry: &postlane_api::wire::LogEntry| {
        entry.source.is_empty() || entry.source == lane.source
    };
    let marker = |entry: postlane_api::wire::LogEntry| {
        let is_manual = entry.who != "controller";
        let says = match (is_manual, entry.detail.is_empty()) {
            (true, true) => entry.command.clone(),
            (true, false) => format!("{}: {}", entry.command, entry.detail),
            (false, _) => entry.detail.clone(),
        };
        Some(Marker {
            at: entry.at.as_ref().and_then(moments::read)?,
            says: foreign(&super::row::capital(&says)),
            who: if is_manual { foreign(&entry.who) } else { "the lane".to_owned() },
            is_manual,
        })
    };
    page.entries.into_iter().filter(of_lane).filter_map(marker).collect()
}

/// What is wrong and what was said, by the triage of the time that is shown.
async fn heard(desk: &Desk, visit: &Visit, seen: &Seen, range: Range) -> (String, Vec<Heard>) {
    let provider = &seen.lane.provider;
    let since = format!("{}m", range.span.as_s() / 60);
    let asked = query(&[("provider", provider), ("since", &since)]);
    let page: Result<DiagnosisPage, Problem> =
        desk.api().read(visit.person(), &format!("/v1/diagnosis?{asked}")).await;
    let found = page.ok().and_then(|page| page.providers.into_iter().next());
    let Some(found) = found else { return (String::new(), Vec::new()) };
    let of_source = |reply: &&postlane_api::wire::ReplySeenRow| {
        reply.source.is_empty() || reply.source == seen.lane.source
    };
    let told = |reply: &postlane_api::wire::ReplySeenRow| {
        let code = reply.reply.get(..3).and_then(|code| code.parse().ok()).unwrap_or_default();
        let text = reply.reply.get(3..).unwrap_or_default().trim_start_matches([' ', '-']);
        let said = crate::replies::Said { provider, host: "", stage: "", code, text };
        let explained = desk.replies().explain(said);
        let log = [
            ("provider", provider.as_str()),
            ("source", seen.lane.source.as_str()),
            ("label", reply.label.as_str()),
            ("since", since.as_str()),
        ];
        Heard {
            many: count(reply.count),
            text: foreign(&reply.reply),
            means: match explained.means.is_empty() {
                true => desk.replies().means(&reply.label),
                false => explained.means,
            },
            steps: explained.steps,
            log: format!("/log?{}", query(&log)),
        }
    };
    let replies = found.replies.iter().filter(of_source).take(6).map(told).collect();
    (found.verdict.says, replies)
}

/// What can be ordered of a lane, with what holds of it.
fn offers(lane: &LaneRow) -> Vec<Offer> {
    let has = |order: &str| lane.orders.iter().any(|of| of.order.starts_with(order));
    let is_stopped = ["pause", "hold-new", "drain"].into_iter().any(has);
    let plan = lane.restart_plan.is_some();
    let mut wanted: Vec<(&'static str, &'static str)> = Vec::new();
    wanted.push(if is_stopped { ("Resume", "resume") } else { ("Pause", "pause") });
    wanted.extend([("Hold new mail", "hold-new"), ("Drain", "drain"), ("Roll back", "rollback")]);
    wanted.push(if has("pin") { ("Unpin", "unpin") } else { ("Pin rate", "pin") });
    wanted.push(match has("exclude") || lane.quarantined_since.is_some() {
        true => ("Include source", "include"),
        false => ("Exclude source", "exclude"),
    });
    wanted.push(match plan {
        true => ("End restart plan", "end-restart-plan"),
        false => ("Restart plan", "restart-plan"),
    });
    let source = in_query(&lane.source);
    let offer = |(says, command)| Offer {
        says,
        address: format!("/lanes/{}/order/{command}?source={source}", in_query(&lane.provider)),
    };
    wanted.into_iter().map(offer).collect()
}

fn hosts(lane: &LaneRow) -> Vec<(String, String, String, String)> {
    let host = |host: &postlane_api::wire::HostRow| {
        let rests = host.rests_until.as_ref().and_then(moments::read);
        (
            foreign(&host.host),
            count(host.accepted),
            count(host.refused),
            rests.map(|at| format!("rests until {} UTC", moments::clock(at))).unwrap_or_default(),
        )
    };
    lane.hosts.iter().take(12).map(host).collect()
}
