//! What a lane believes of its provider, in sentences, and its restart plan as a calendar.

use postlane_api::wire::{LaneRow, QuotaRow, RestartPlanRow};

use crate::numbers::{count, rate, span};

/// What a lane believes, in sentences, with how sure it is.
pub(crate) struct Beliefs {
    /// Limits: what, and how sure.
    pub(crate) quotas: Vec<(String, String, bool)>,
    /// What else is believed.
    pub(crate) others: Vec<String>,
    /// What it does to find out more.
    pub(crate) says: &'static str,
}

impl Beliefs {
    pub(crate) fn of(lane: &LaneRow) -> Self {
        let quota = |quota: &QuotaRow| {
            let is_sure = quota.confidence == "confirmed";
            let window = match quota.window.as_str() {
                "clock" => "a window that begins by the clock",
                "sliding" => "a sliding window",
                _ => "a window taken to slide",
            };
            let pace = f64::from(quota.messages) / quota.window_s.max(1) as f64;
            let says = format!(
                "{} messages in {}, {} over the whole of it",
                count(quota.messages.into()),
                span(quota.window_s),
                rate(pace)
            );
            let seen = match quota.support {
                1 => "seen once".to_owned(),
                times => format!("seen {times} times"),
            };
            let how = if is_sure { "relied on" } else { "suspected" };
            (says, format!("{how}; {seen}; {window}"), is_sure)
        };
        let mut others = Vec::new();
        if let Some(s) = lane.beliefs.box_s {
            others.push(format!("Whoever goes too far is shut out for {}", span(s)));
        }
        if let Some(most) = lane.beliefs.connections {
            others.push(format!("{most} sessions at once, and no more"));
        }
        if let Some(most) = lane.beliefs.session_messages {
            others.push(format!("{} messages on one session", count(most.into())));
        }
        let ceilings = &lane.ceilings;
        if let Some(ceiling) = &ceilings.rate {
            others.push(format!("Never more than {ceiling}, as the configuration has it"));
        }
        Self { quotas: lane.beliefs.quotas.iter().map(quota).collect(), others, says: does(lane) }
    }
}

fn does(lane: &LaneRow) -> &'static str {
    match lane.controller.as_str() {
        "probing" => "It looks for its rate: each wave that is taken lets it go faster.",
        "normal" => "It keeps within what it knows, and asks for more now and then.",
        "steady" => "It keeps its rate: some fresh mail is deferred, and it raises nothing.",
        "cooling" => "It was refused and rests; one message asks when that is over.",
        "canary" => "One message is under way to ask whether mail is taken again.",
        "quarantined" => "Its source alone is refused; the others of the pool carry its mail.",
        _ => "It does not learn: its ceilings alone bind it.",
    }
}

/// A day of a restart plan.
pub(crate) struct PlanDay {
    pub(crate) day: u16,
    pub(crate) cap: String,
    /// `done`, `today` or `to come`.
    pub(crate) state: &'static str,
    /// What is used of today's cap; empty on other days.
    pub(crate) used: String,
}

/// The days of a plan, with what has become of them.
pub(crate) fn plan_days(plan: &RestartPlanRow) -> Vec<PlanDay> {
    let day = |(place, cap): (usize, &u32)| {
        let day = u16::try_from(place + 1).unwrap_or(u16::MAX);
        let is_today = day == plan.day && !plan.finished;
        let used = format!("{} used", count(plan.used.into()));
        PlanDay {
            day,
            cap: count((*cap).into()),
            state: match (is_today, plan.finished || day < plan.day) {
                (true, _) => "today",
                (false, true) => "done",
                (false, false) => "to come",
            },
            used: if is_today { used } else { String::new() },
        }
    };
    plan.days.iter().enumerate().map(day).collect()
}
