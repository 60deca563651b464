//! One lane: what is believed of the provider's limit, against what was sent, accepted and refused;
//! why it does not move, what changed it, what was said, and what can be ordered.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse as _, Redirect, Response};
use postlane_api::Problem;
use postlane_api::wire::{BeliefPage, DiagnosisPage, LaneRow, LogPage, TallyPage};
use postlane_mail::{Instant, Span};

use super::belief::{Beliefs, PlanDay, plan_days};
use super::chip::Chip;
use super::drawing::PlotPart;
use super::past;
use super::plot::{Marker, Plot};
use super::range::Range;
use super::row::{Cap, LastReply, Next, Offer, lane_address, orders_of};
use super::sample::Sample;
use super::spark;
use super::stretch::{Course, courses};
use super::window::{Asked, Window};
use crate::answer;
use crate::desk::Desk;
use crate::frame::Frame;
use crate::live;
use crate::moments;
use crate::numbers::{count, foreign, in_query, percent, plain, query};
use crate::patch::{Patch, drawn};
use crate::session::Visit;

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
    window: Window,
    /// Other windows one step away: what it says, and the address.
    steps: Vec<(&'static str, String)>,
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
    let window = Window::of(&asked, desk.now())?;
    let seen = match Seen::look(&desk, &visit, (&provider, &source), window).await {
        Err(none) if none.status == StatusCode::NOT_FOUND.as_u16() => {
            return past::show(&desk, &visit, (&provider, &source), (window, none)).await;
        }
        seen => seen?,
    };
    let (verdict, heard) = heard(&desk, &visit, &seen).await;
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
        live: format!("/live{here}?{}", window.query()),
        steps: window
            .steps(desk.now())
            .into_iter()
            .map(|(says, query)| (says, format!("{here}?{query}")))
            .collect(),
        here,
        window,
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
    address: Uri,
) -> Response {
    live::stream_together((desk, visit, address.to_string()), move |desk, visit| {
        let (provider, source) = (provider.clone(), source.clone());
        let asked = asked.clone();
        async move {
            let window = Window::of(&asked, desk.now())?;
            let seen = Seen::look(&desk, &visit, (&provider, &source), window).await?;
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
    /// In the window that is shown.
    tallies: TallyPage,
    /// Back from now, for the small plots and the figures at the top.
    coarse: TallyPage,
    believed: Vec<Sample>,
    markers: Vec<Marker>,
    window: Window,
}

impl Seen {
    async fn look(
        desk: &Desk,
        visit: &Visit,
        (provider, source): (&str, &str),
        window: Window,
    ) -> Result<Self, Problem> {
        let (api, person) = (desk.api(), visit.person());
        let (of, from) = (in_query(provider), in_query(source));
        let lane: LaneRow =
            read_lanes(desk, visit, &format!("/v1/lanes/{of}/{from}?decisions=32")).await?;
        let siblings: postlane_api::wire::LanePage =
            read_lanes(desk, visit, &format!("/v1/lanes/{of}")).await?;
        let tallies = async |since: String, every: Span| {
            let every_s = every.as_s();
            let asked = format!(
                "/v1/tallies?provider={of}&every_s={every_s}&by=provider,source,try&{since}"
            );
            let page = api.read(person, &asked).await;
            page.unwrap_or(TallyPage { every_s, tallies: Vec::new() })
        };
        let ago = format!("since={}m", window.range.span.as_s() / 60);
        let (since, until) = (moments::exact(window.from), moments::exact(window.to));
        let shown = query(&[("since", &since), ("until", &until)]);
        let asked = format!("/v1/log?provider={of}&kind=lane&limit=200&{shown}");
        let log: Option<LogPage> = api.read(person, &asked).await.ok();
        // No history is no reason for no lane.
        let asked = format!("/v1/lanes/{of}/{from}/beliefs?{shown}");
        let beliefs: Option<BeliefPage> = api.read(person, &asked).await.ok();
        let beliefs = beliefs.map(|page| page.beliefs).unwrap_or_default();
        let mut believed: Vec<Sample> = beliefs.iter().filter_map(Sample::of).collect();
        believed.push(Sample::now(&lane, desk.now()));
        Ok(Self {
            tallies: tallies(shown, window.every).await,
            coarse: tallies(ago, window.range.coarse).await,
            markers: log.map(|page| markers(page, &lane)).unwrap_or_default(),
            lane,
            siblings: siblings.lanes,
            believed,
            window,
        })
    }

    /// What became of mail on the lane in the window that is shown.
    fn shown(&self) -> Course {
        let Window { every, to, .. } = self.window;
        self.course(&self.lane, &self.tallies, (to - Span(1), every, self.window.span()))
    }

    /// What became of mail on a lane, back from now.
    fn until_now(&self, desk: &Desk, lane: &LaneRow) -> Course {
        let Range { coarse, span, .. } = self.window.range;
        self.course(lane, &self.coarse, (desk.now(), coarse, span))
    }

    fn course(
        &self,
        lane: &LaneRow,
        page: &TallyPage,
        (last, every, span): (Instant, Span, Span),
    ) -> Course {
        let mut all = courses(page, last, (every, span));
        let key = (lane.provider.clone(), lane.source.clone());
        let many = usize::try_from(span.0 / every.0.max(1)).unwrap_or_default();
        all.remove(&key).unwrap_or_else(|| Course::empty(last, every, many))
    }

    fn head(&self, desk: &Desk) -> Head {
        let (lane, now) = (&self.lane, desk.now());
        let course = self.until_now(desk, lane);
        let sum = course.sum();
        let share = sum.fresh_deferral();
        let canary = lane.canary_at.as_ref().and_then(moments::read);
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
            orders: orders_of(lane, now),
        }
    }

    fn plot_part(&self, desk: &Desk) -> PlotPart {
        let (provider, source) = (self.lane.provider.clone(), self.lane.source.clone());
        let here = lane_address(&provider, &source);
        let of = vec![("provider".to_owned(), provider), ("source".to_owned(), source)];
        let ceiling = self.lane.ceilings.rate.as_deref().and_then(super::row::per_s);
        let known = (desk.now(), ceiling, of);
        let plot = Plot::new(self.shown(), &self.believed, self.markers.clone(), known);
        PlotPart::of(plot, here)
    }

    fn changes_part(&self, desk: &Desk) -> ChangesPart {
        let now = desk.now();
        let told = self.markers.iter().map(|m| (m.at, m.says.clone(), m.who.clone(), m.is_manual));
        let decided = self.lane.decisions.iter().filter_map(|decision| {
            let at = moments::read(&decision.at).filter(|at| self.window.holds(*at))?;
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
            let course = self.until_now(desk, lane);
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

fn at_words(at: Instant, now: Instant) -> String {
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
async fn heard(desk: &Desk, visit: &Visit, seen: &Seen) -> (String, Vec<Heard>) {
    let provider = &seen.lane.provider;
    let (since, until) = match seen.window.is_zoomed {
        true => (moments::exact(seen.window.from), moments::exact(seen.window.to)),
        false => (format!("{}m", seen.window.range.span.as_s() / 60), String::new()),
    };
    let asked = query(&[("provider", provider), ("since", &since), ("until", &until)]);
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
            ("until", until.as_str()),
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
