//! Lanes as JSON: what each does, what it believes, and who has ordered what.

use postlane_lanes::{Decision, Judgement, Quota, Reset, Restart, State};
use postlane_mail::{Instant, Span};
use postlane_server::handle::{
    Audit, Lane, LaneHost, LaneList, LaneStanding, Ordered, OrderedProvider,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::lane_check::LaneCheckRow;
use super::preflight::GateRow;
use super::queue::{LastReplyRow, WaitingRow};
use super::time::{Timestamp, timestamp};

/// Lanes, and what was ordered of providers as a whole.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct LanePage {
    /// Lanes, by provider and source.
    pub lanes: Vec<LaneRow>,
    /// Providers of which something was ordered as a whole.
    pub providers: Vec<OrderedRow>,
}

/// A lane: the way from one source to one provider. A key without a value is `null`, never missing.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct LaneRow {
    /// The provider's id.
    pub provider: String,
    /// The source's name.
    pub source: String,
    /// `healthy`, `steady`, `resting`, `held` or `restart`.
    pub state: String,
    /// The step of the restart plan's ladder, from 1, while there is one.
    pub restart_day: Option<u16>,
    /// What its controller does: `probing`, `normal`, `steady`, `cooling` or `canary`; `quarantined`
    /// where its source alone has been refused for an hour; `off` for a lane that does not learn.
    pub controller: String,
    /// Since when its source alone is refused, and its mail goes by the others of the pool.
    pub quarantined_since: Option<Timestamp>,
    /// When the next canary is due, while it is cooling.
    pub canary_at: Option<Timestamp>,
    /// Messages a second that it keeps to; `null` where only its ceilings bind it.
    pub rate_per_s: Option<f64>,
    /// The rate that an operator has pinned it to, as `2/m`.
    pub pinned: Option<String>,
    /// What it never exceeds.
    pub ceilings: CeilingsRow,
    /// Sessions at once, by ceilings and by what was learned.
    pub connections: u16,
    /// Messages on one session, likewise.
    pub session_messages: u32,
    /// Sessions open or opening.
    pub open: u16,
    /// Messages accepted.
    pub accepted: u64,
    /// Messages refused.
    pub refused: u64,
    /// Messages that are due and could go by it; they may go by other sources, too.
    pub ready: u64,
    /// Its MX hosts that have answered, the busiest first; 64 at most, none in the list of all lanes.
    pub hosts: Vec<HostRow>,
    /// What it believes of the provider.
    pub beliefs: BeliefsRow,
    /// The restart plan that binds it.
    pub restart_plan: Option<RestartPlanRow>,
    /// Why its next message does not go now.
    pub waiting: Option<WaitingRow>,
    /// How mail that went by it since the server began stands before the provider's gate; `null`
    /// where it has none that is known.
    pub preflight: Option<GateRow>,
    /// The last refusal on it since the server began.
    pub last_reply: Option<LastReplyRow>,
    /// Orders that hold for it.
    pub orders: Vec<OrderRow>,
    /// The last commands to it and to its provider, the oldest first.
    pub commands: Vec<CommandRow>,
    /// Its last decisions, the oldest first, as many as were asked for.
    pub decisions: Vec<DecisionRow>,
    /// What its figures come to, check by check; `null` where that was not asked for.
    pub checks: Option<Vec<LaneCheckRow>>,
}

/// One MX host of a lane, as this source has met it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct HostRow {
    /// Its name.
    pub host: String,
    /// Messages it has accepted.
    pub accepted: u64,
    /// Messages and sessions it has refused, for no recipient's sake.
    pub refused: u64,
    /// Its share of what the lane's hosts have accepted, 0 to 1; `null` where that is nothing.
    pub share: Option<f64>,
    /// Sessions open or opening.
    pub open: u32,
    /// Until when it is not tried, after it could not be reached or turned us away.
    pub rests_until: Option<Timestamp>,
}

/// What a lane never exceeds.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CeilingsRow {
    /// Sessions at once.
    pub connections: u16,
    /// Messages, as `60/m`.
    pub rate: Option<String>,
    /// Messages on one session.
    pub session_messages: u32,
}

/// What a lane believes of its provider.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct BeliefsRow {
    /// Limits in a window: those that are relied on, then those that may be there.
    pub quotas: Vec<QuotaRow>,
    /// How long the provider shuts the lane out when it goes too far, in seconds.
    pub box_s: Option<u64>,
    /// Sessions at once that it takes.
    pub connections: Option<u32>,
    /// Messages on one session that it takes.
    pub session_messages: Option<u32>,
}

/// So many messages in so long.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct QuotaRow {
    /// The window, in seconds.
    pub window_s: u64,
    /// Messages in it.
    pub messages: u32,
    /// `confirmed` where it is relied on, else `suspected`.
    pub confidence: String,
    /// How often it was seen to hold.
    pub support: u32,
    /// When its window begins: `assumed-sliding`, `sliding` or `clock`.
    pub window: String,
}

/// A restart plan.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RestartPlanRow {
    /// The step of its ladder, from 1.
    pub day: u16,
    /// The ladder: messages a day.
    pub days: Vec<u32>,
    /// Messages today; `null` when the ladder is climbed.
    pub cap: Option<u32>,
    /// Messages of the cap that are used, or were forfeited by a crash.
    pub used: u32,
    /// When the day turns.
    pub turns_at: Timestamp,
    /// Whether the ladder is climbed.
    pub finished: bool,
    /// Sends in a row that were stable.
    pub stable_sends: u8,
    /// As many must have been.
    pub stable_sends_wanted: u8,
    /// What is known of today: `unknown`, `clean` or `bad`.
    pub signs: SignsRow,
    /// What the last judgement was.
    pub last: Option<JudgementRow>,
    /// Who began it.
    pub by: String,
    /// When.
    pub since: Timestamp,
}

/// The signs of a day, each `unknown`, `clean` or `bad`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SignsRow {
    /// Most mail was accepted at its first attempt.
    pub first_attempts: String,
    /// Fresh deferrals were rare.
    pub deferrals: String,
    /// The queue of what was deferred did not grow over night.
    pub queue: String,
    /// Complaints stay under control, as somebody has told.
    pub complaints: String,
    /// Unsubscriptions do, as somebody has told.
    pub unsubscribes: String,
    /// Header samples are clean, as somebody has told.
    pub headers: String,
}

/// How a day was judged.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct JudgementRow {
    /// When.
    pub at: Timestamp,
    /// What followed: `raised from 50 to 100 a day`, `the cap stays: …`, `rolled back from …`.
    pub says: String,
    /// The day's cap.
    pub cap: u32,
    /// Messages of it that were used.
    pub used: u32,
    /// What was seen.
    pub signs: SignsRow,
}

/// An order that holds.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct OrderRow {
    /// What: `pause`, `hold-new cold`, `drain`, `exclude`, `pin 50/h`.
    pub order: String,
    /// To what it was given: `provider` or `lane`.
    pub to: String,
    /// Who.
    pub by: String,
    /// When.
    pub since: Timestamp,
    /// When it ends by itself; `null` for never.
    pub until: Option<Timestamp>,
    /// Why, in their words.
    pub why: String,
}

/// A command that was given.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CommandRow {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// What.
    pub command: String,
    /// To what it was given: `provider` or `lane`.
    pub to: String,
    /// Why, in their words.
    pub why: String,
}

/// A decision of a lane's.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct DecisionRow {
    /// When.
    pub at: Timestamp,
    /// What, and why.
    pub says: String,
    /// Until when, where it is for a time.
    pub until: Option<Timestamp>,
}

/// What was ordered of a provider as a whole.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct OrderedRow {
    /// The provider's id.
    pub provider: String,
    /// Orders that hold.
    pub orders: Vec<OrderRow>,
    /// The restart plan.
    pub restart_plan: Option<RestartPlanRow>,
    /// The last commands, the oldest first.
    pub commands: Vec<CommandRow>,
}

/// Lanes, for a token that is bound to a tenant: what goes by them is everybody's.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct LaneGlances {
    /// By provider and source.
    pub lanes: Vec<LaneGlance>,
}

/// A lane without figures.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct LaneGlance {
    /// The provider's id.
    pub provider: String,
    /// The source's name.
    pub source: String,
    /// `healthy`, `steady`, `resting`, `held` or `restart`.
    pub state: String,
    /// Until when it waits, where that is known.
    pub until: Option<Timestamp>,
}

impl From<LaneRow> for LaneGlance {
    fn from(lane: LaneRow) -> Self {
        let LaneRow { provider, source, state, waiting, .. } = lane;
        Self { provider, source, state, until: waiting.and_then(|waiting| waiting.until) }
    }
}

impl From<LanePage> for LaneGlances {
    fn from(page: LanePage) -> Self {
        Self { lanes: page.lanes.into_iter().map(LaneGlance::from).collect() }
    }
}

/// How much of a lane is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields, default)]
pub struct LaneQuery {
    /// Decisions of each lane, 32 at most; none when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decisions: Option<usize>,
    /// Say what each lane's figures come to: reads a day of history. Not in the list of all lanes.
    pub checks: bool,
}

impl From<LaneList> for LanePage {
    fn from(list: LaneList) -> Self {
        Self {
            lanes: list.lanes.into_iter().map(LaneRow::from).collect(),
            providers: list.providers.into_iter().map(OrderedRow::from).collect(),
        }
    }
}

impl From<Lane> for LaneRow {
    fn from(lane: Lane) -> Self {
        let Lane { name, standing, view, hosts, orders, restart, last_reply, preflight, audits } =
            lane;
        let canary_at = match view.state {
            State::Cooling { until } if view.learns => Some(timestamp(until)),
            _ => None,
        };
        Self {
            provider: name.provider.into(),
            source: name.source.map(String::from).unwrap_or_default(),
            state: standing.as_str().to_owned(),
            restart_day: match standing {
                LaneStanding::Restart(day) => Some(day),
                _ => restart.as_ref().filter(|plan| !plan.is_finished()).map(Restart::step),
            },
            controller: match view.quarantined {
                Some(_) if view.learns => "quarantined",
                _ => controller(view.learns, view.state),
            }
            .to_owned(),
            quarantined_since: view.quarantined.map(timestamp),
            canary_at,
            rate_per_s: view.learns.then_some(rounded(view.rate)),
            pinned: view.pinned.map(|rate| rate.to_string()),
            ceilings: CeilingsRow {
                connections: view.ceilings.connections,
                rate: view.ceilings.rate.map(|rate| rate.to_string()),
                session_messages: view.ceilings.session_messages,
            },
            connections: view.connections,
            session_messages: view.session_messages,
            open: view.open,
            accepted: view.accepted,
            refused: view.refused,
            ready: view.ready,
            hosts: host_rows(hosts),
            beliefs: BeliefsRow {
                quotas: view.quotas.iter().chain(&view.suspects).map(QuotaRow::from).collect(),
                box_s: view.shut_out.map(Span::as_s),
                connections: view.caps.connections(),
                session_messages: view.caps.messages(),
            },
            restart_plan: restart.as_ref().map(RestartPlanRow::from),
            waiting: view.waiting.map(|why| WaitingRow {
                reason: why.to_string(),
                until: why.until().map(timestamp),
            }),
            preflight: (!preflight.is_empty()).then(|| GateRow::of(preflight)),
            last_reply: last_reply.map(LastReplyRow::from),
            orders: orders.iter().map(OrderRow::from).collect(),
            commands: audits.into_iter().map(CommandRow::of).collect(),
            decisions: view.decisions.iter().map(DecisionRow::from).collect(),
            checks: None,
        }
    }
}

fn host_rows(hosts: Vec<LaneHost>) -> Vec<HostRow> {
    let all: u64 = hosts.iter().map(|host| host.accepted).sum();
    let row = |host: LaneHost| HostRow {
        share: (all > 0).then(|| rounded(host.accepted as f64 / all as f64)),
        host: host.name,
        accepted: host.accepted,
        refused: host.refused,
        open: host.open,
        rests_until: host.rests_until.map(timestamp),
    };
    hosts.into_iter().map(row).collect()
}

/// Six figures: what is behind them changes with each look.
fn rounded(rate: f64) -> f64 {
    (rate * 1e6).round() / 1e6
}

fn controller(learns: bool, state: State) -> &'static str {
    match state {
        _ if !learns => "off",
        State::Probing => "probing",
        State::Normal => "normal",
        State::Steady => "steady",
        State::Cooling { .. } => "cooling",
        State::Canary => "canary",
    }
}

impl From<OrderedProvider> for OrderedRow {
    fn from(ordered: OrderedProvider) -> Self {
        Self {
            provider: ordered.provider.into(),
            orders: ordered.orders.iter().map(OrderRow::from).collect(),
            restart_plan: ordered.restart.as_ref().map(RestartPlanRow::from),
            commands: ordered
                .audits
                .into_iter()
                .map(|audit| CommandRow::of((true, audit)))
                .collect(),
        }
    }
}

impl From<&Quota> for QuotaRow {
    fn from(quota: &Quota) -> Self {
        Self {
            window_s: quota.window.as_s(),
            messages: quota.messages,
            confidence: if quota.is_confirmed() { "confirmed" } else { "suspected" }.to_owned(),
            support: quota.support,
            window: match quota.reset {
                Reset::Assumed => "assumed-sliding",
                Reset::Slides => "sliding",
                Reset::Clock { .. } => "clock",
            }
            .to_owned(),
        }
    }
}

impl From<&Restart> for RestartPlanRow {
    fn from(plan: &Restart) -> Self {
        Self {
            day: plan.step(),
            days: plan.ladder().days().to_vec(),
            cap: plan.cap(),
            used: plan.used(),
            turns_at: timestamp(plan.next_turn()),
            finished: plan.is_finished(),
            stable_sends: plan.streak(),
            stable_sends_wanted: plan.ladder().stable_sends,
            signs: signs(&plan.signs_now()),
            last: plan.last().as_ref().map(JudgementRow::from),
            by: plan.by().as_str().to_owned(),
            since: timestamp(plan.since()),
        }
    }
}

impl From<&Judgement> for JudgementRow {
    fn from(judgement: &Judgement) -> Self {
        Self {
            at: timestamp(judgement.at),
            says: judgement.verdict.to_string(),
            cap: judgement.cap,
            used: judgement.used,
            signs: signs(&judgement.signs),
        }
    }
}

fn signs(signs: &postlane_lanes::Signs) -> SignsRow {
    let says = |sign: postlane_lanes::Sign| sign.as_str().to_owned();
    SignsRow {
        first_attempts: says(signs.first_attempts),
        deferrals: says(signs.deferrals),
        queue: says(signs.queue),
        complaints: says(signs.complaints),
        unsubscribes: says(signs.unsubscribes),
        headers: says(signs.headers),
    }
}

impl From<&Ordered> for OrderRow {
    fn from(ordered: &Ordered) -> Self {
        let Ordered { order, is_providers, why } = ordered;
        Self {
            order: order.what.to_string(),
            to: if *is_providers { "provider" } else { "lane" }.to_owned(),
            by: order.by.as_str().to_owned(),
            since: timestamp(order.since),
            until: order.until.map(timestamp),
            why: why.clone(),
        }
    }
}

impl CommandRow {
    /// A command, and whether it was given to the provider as a whole.
    fn of((is_providers, audit): (bool, Audit)) -> Self {
        let Audit { at, by, command, why } = audit;
        let to = if is_providers { "provider" } else { "lane" }.to_owned();
        Self { at: timestamp(Instant(at)), by, command, to, why }
    }
}

impl From<&(Instant, Decision)> for DecisionRow {
    fn from((at, decision): &(Instant, Decision)) -> Self {
        let until = match decision {
            Decision::Rests { until, .. }
            | Decision::CanaryRefused { until, .. }
            | Decision::Unserved { until } => Some(*until),
            _ => None,
        };
        Self { at: timestamp(*at), says: decision.to_string(), until: until.map(timestamp) }
    }
}
