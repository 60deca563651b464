//! One lane, and one provider, as a row of the overview.

use askama::Template;
use postlane_api::wire::{LaneRow, LastReplyRow, OrderRow, QuotaRow, SummaryRow};
use postlane_mail::Instant;

use super::chip::{Chip, band};
use super::figures::Figures;
use super::spark;
use super::stretch::Course;
use crate::moments;
use crate::numbers::{count, foreign, in_query, percent, plain, rate, span};
use crate::replies::{Replies, Said};

/// How fast a lane may be, and who says so.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Cap {
    /// `4.2/min`, or `99 in 60 min` where a quota binds it more; a dash where nothing does.
    pub(crate) rate: String,
    /// `2 of 5 sessions`.
    pub(crate) sessions: String,
    /// `learned`, `learned, at 4.2/min`, `pinned by jo`, `configured`, `restart plan, 200 today`.
    pub(crate) set_by: String,
}

impl Cap {
    pub(crate) fn of(lane: &LaneRow) -> Self {
        let pinned = lane.orders.iter().find(|order| order.order.starts_with("pin"));
        let plan = lane.restart_plan.as_ref().filter(|plan| !plan.finished);
        let (rate, set_by) = match (pinned, plan, lane.rate_per_s) {
            (Some(order), ..) => {
                let rate = lane.pinned.clone().unwrap_or_default();
                (rate, format!("pinned by {}", foreign(&order.by)))
            }
            (None, Some(plan), learned) => {
                let cap = plan.cap.map_or_else(String::new, |cap| {
                    format!(", {} of {} today", count(plan.used.into()), count(cap.into()))
                });
                let bare = || "no rate".to_owned();
                (learned.map_or_else(bare, rate), format!("restart plan{cap}"))
            }
            (None, None, Some(learned)) => {
                let is_ceiling = lane.ceilings.rate.as_deref().is_some_and(|text| {
                    per_s(text).is_some_and(|ceiling| learned >= ceiling * 0.999)
                });
                match (tightest(lane, learned), is_ceiling) {
                    (Some(quota), _) => {
                        let sure = quota.confidence == "confirmed";
                        let by = if sure { "learned" } else { "suspected" };
                        (said(quota), format!("{by}, at {}", rate(learned)))
                    }
                    (None, true) => (rate(learned), "configured".to_owned()),
                    (None, false) => (rate(learned), "learned".to_owned()),
                }
            }
            (None, None, None) => match &lane.ceilings.rate {
                Some(ceiling) => (ceiling.clone(), "configured".to_owned()),
                None => ("no cap".to_owned(), "not learning".to_owned()),
            },
        };
        let sessions = format!("{} of {} sessions", lane.open, lane.connections);
        Self { rate, sessions, set_by }
    }
}

/// The quota that lets the least through, if that is less than the rate would.
fn tightest(lane: &LaneRow, rate_per_s: f64) -> Option<&QuotaRow> {
    let pace = |quota: &QuotaRow| f64::from(quota.messages) / quota.window_s.max(1) as f64;
    let least = lane.beliefs.quotas.iter().min_by(|a, b| pace(a).total_cmp(&pace(b)));
    least.filter(|quota| pace(quota) < rate_per_s)
}

fn said(quota: &QuotaRow) -> String {
    format!("{} in {}", count(quota.messages.into()), span(quota.window_s))
}

/// A rate of the API, as `60/m`, in messages a second.
pub(crate) fn per_s(text: &str) -> Option<f64> {
    let rate = postlane_mail::Rate::parse(text).ok()?;
    Some(1e6 / rate.gap().0.max(1) as f64)
}

/// What a host said last, and what that means.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct LastReply {
    pub(crate) code: String,
    pub(crate) text: String,
    pub(crate) means: String,
    pub(crate) ago: String,
    pub(crate) host: String,
}

impl LastReply {
    pub(crate) fn of(last: &LastReplyRow, provider: &str, replies: &Replies, now: Instant) -> Self {
        let said = Said::last(provider, last);
        let at = moments::read(&last.at).unwrap_or(now);
        Self {
            code: last.code.to_string(),
            text: foreign(&last.text),
            means: replies.explain(said).means,
            ago: moments::ago(at, now),
            host: foreign(&last.host),
        }
    }
}

/// Why nothing moves, or that it does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Next {
    pub(crate) says: String,
    /// When that ends, exactly; empty where nobody knows.
    pub(crate) until: String,
    /// The same as people say it.
    pub(crate) ahead: String,
}

impl Next {
    pub(crate) fn of(lane: &LaneRow, now: Instant) -> Self {
        let Some(waiting) = &lane.waiting else {
            let says = match lane.ready {
                0 => "Nothing waits for it",
                _ => "Sends now",
            };
            return Self { says: says.to_owned(), ..Self::default() };
        };
        let until = waiting.until.as_ref().and_then(moments::read);
        Self {
            says: capital(&waiting.reason),
            until: until.map(moments::exact).unwrap_or_default(),
            ahead: until.map(|until| moments::until(until, now)).unwrap_or_default(),
        }
    }
}

/// The orders that hold, each as `pause by jo, until 14:05:09 UTC: too many complaints`.
pub(crate) fn orders_of(lane: &LaneRow, now: Instant) -> Vec<String> {
    let order = |order: &OrderRow| {
        let until = order.until.as_ref().and_then(moments::read);
        let until = until.map(|at| format!(", {}", moments::until(at, now))).unwrap_or_default();
        let why = if order.why.is_empty() { String::new() } else { format!(": {}", order.why) };
        foreign(&format!("{} by {}{until}{why}", order.order, order.by))
    };
    lane.orders.iter().map(order).collect()
}

/// A sentence as it begins.
pub(crate) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    format!("{}{}", first.unwrap_or_default(), letters.as_str())
}

/// Something that can be ordered of a lane or provider, where the row offers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Offer {
    pub(crate) says: &'static str,
    pub(crate) address: String,
}

impl Offer {
    /// What is offered, the likeliest first.
    pub(crate) fn all(provider: &str, source: Option<&str>, is_held: bool) -> Vec<Self> {
        let first = match is_held {
            true => ("Resume", "resume"),
            false => ("Pause", "pause"),
        };
        let offer = |(says, command): (&'static str, &str)| {
            let source = source.map_or_else(String::new, |s| format!("?source={}", in_query(s)));
            let address = format!("/lanes/{}/order/{command}{source}", in_query(provider));
            Self { says, address }
        };
        let rest = [("Hold new mail", "hold-new"), ("Drain", "drain"), ("Roll back", "rollback")];
        [first].into_iter().chain(rest).map(offer).collect()
    }
}

/// A lane as a row.
#[derive(Template)]
#[template(path = "lane_row.html")]
pub(crate) struct LaneLine {
    pub(crate) key: String,
    pub(crate) source: String,
    pub(crate) address: String,
    pub(crate) chip: Chip,
    pub(crate) cap: Cap,
    pub(crate) accepted_per_h: String,
    pub(crate) log: String,
    pub(crate) accepted: String,
    pub(crate) deferral: String,
    pub(crate) deferral_band: &'static str,
    pub(crate) deferral_plot: String,
    pub(crate) ready: String,
    pub(crate) pressure: String,
    pub(crate) last_reply: Option<LastReply>,
    pub(crate) next: Next,
    /// The orders that hold, with who gave them and why.
    pub(crate) orders: Vec<String>,
    pub(crate) offers: Vec<Offer>,
    pub(crate) figures: Figures,
}

/// Where a lane's page stands.
pub(crate) fn lane_address(provider: &str, source: &str) -> String {
    match source {
        "" => format!("/lanes/{}", in_query(provider)),
        source => format!("/lanes/{}/{}", in_query(provider), in_query(source)),
    }
}

impl LaneLine {
    pub(crate) fn of(
        lane: &LaneRow,
        course: &Course,
        (replies, now, may_order): (&Replies, Instant, bool),
    ) -> Self {
        let sum = course.sum();
        let share = sum.fresh_deferral();
        let is_held = lane.orders.iter().any(|order| !order.order.starts_with("pin"));
        let last = lane.last_reply.as_ref();
        let offers = Offer::all(&lane.provider, Some(&lane.source), is_held);
        let asked = [
            ("provider", lane.provider.as_str()),
            ("source", lane.source.as_str()),
            ("since", &moments::exact(course.from)),
        ];
        Self {
            key: format!("lane {} {}", lane.provider, lane.source),
            source: foreign(&lane.source),
            address: lane_address(&lane.provider, &lane.source),
            chip: Chip::of(&lane.state, lane.restart_day, lane.quarantined_since.is_some()),
            cap: Cap::of(lane),
            accepted_per_h: plain(course.accepted_per_h(now)),
            log: format!("/log?{}", crate::numbers::query(&asked)),
            accepted: spark::accepted(course),
            deferral: share.map_or_else(|| "–".to_owned(), percent),
            deferral_band: share.map_or("none", band),
            deferral_plot: spark::deferral(course),
            ready: count(lane.ready),
            pressure: sum.pressure().map_or_else(|| "–".to_owned(), |p| format!("{p:.1}")),
            last_reply: last.map(|last| LastReply::of(last, &lane.provider, replies, now)),
            next: Next::of(lane, now),
            orders: orders_of(lane, now),
            offers: if may_order { offers } else { Vec::new() },
            figures: Figures {
                accepted_per_h: course.accepted_per_h(now),
                fresh: sum.fresh,
                deferred_fresh: sum.deferred_fresh,
                waits: lane.ready,
            },
        }
    }
}

/// A provider, above its lanes.
#[derive(Template)]
#[template(path = "provider_row.html")]
pub(crate) struct ProviderLine {
    pub(crate) key: String,
    /// As the API has it.
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) address: String,
    pub(crate) chip: Chip,
    pub(crate) accepted_per_h: String,
    pub(crate) depth: String,
    pub(crate) age: String,
    pub(crate) queue: String,
    pub(crate) offers: Vec<Offer>,
    pub(crate) figures: Figures,
    /// Whether mail waits for it and it has no lane.
    pub(crate) is_bare: bool,
}

/// How old the waiting mail is, but for the oldest twentieth.
pub(crate) fn age_p95(line: &SummaryRow, ages_min: &[u32]) -> String {
    match ages_min.get(age_place(line)) {
        _ if line.by_age.is_empty() => String::new(),
        Some(upto) => format!("≤ {}", span(u64::from(*upto) * 60)),
        None => {
            let over = ages_min.last().copied().unwrap_or_default();
            format!("> {}", span(u64::from(over) * 60))
        }
    }
}

/// The place among the ages in which that is.
pub(crate) fn age_place(line: &SummaryRow) -> usize {
    let all: u64 = line.by_age.iter().sum();
    let wanted = all - all / 20;
    let mut seen = 0;
    let reached = line.by_age.iter().position(|many| {
        seen += many;
        seen >= wanted
    });
    reached.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(by_age: Vec<u64>) -> SummaryRow {
        SummaryRow {
            provider: "google".to_owned(),
            recipients: by_age.iter().sum(),
            active: 0,
            ready: 0,
            deferred: 0,
            held: 0,
            by_age,
        }
    }

    #[test]
    fn the_age_is_that_of_nineteen_in_twenty() {
        let ages = [5, 10, 20, 40, 80, 160, 320, 640, 1_280];
        let of = |by_age| age_p95(&summary(by_age), &ages);
        assert_eq!(of(vec![19, 0, 1, 0, 0, 0, 0, 0, 0, 0]), "≤ 5 min");
        assert_eq!(of(vec![10, 0, 10, 0, 0, 0, 0, 0, 0, 0]), "≤ 20 min");
        assert_eq!(of(vec![0, 0, 0, 0, 0, 0, 0, 0, 0, 3]), "> 21 h 20 min");
    }

    #[test]
    fn what_is_offered_fits_what_holds() {
        let offers = Offer::all("route:a:25", Some("ip 1"), true);
        assert_eq!(offers[0].says, "Resume");
        assert_eq!(offers[0].address, "/lanes/route%3Aa%3A25/order/resume?source=ip%201");
        assert_eq!(Offer::all("google", None, false)[0].address, "/lanes/google/order/pause");
    }
}
