//! How lanes are shown to people.

use postlane_api::wire::{
    CommandRow, GateRow, HostRow, LaneOrdered, LanePage, LaneRow, OrderRow, OrderedRow, QuotaRow,
    RestartPlanRow, WaitingRow,
};
use postlane_mail::Span;

use crate::commands::lane_checks::told;
use crate::print;
use crate::reach::Reach;

/// A table of lanes, and below it what was ordered of providers that have none yet.
pub(super) fn list(page: &LanePage) {
    let columns = ["provider", "source", "state", "rate", "sessions", "ready", "today", "waiting"];
    print::table(&columns, page.lanes.iter().map(cells));
    for provider in &page.providers {
        let has_lanes = page.lanes.iter().any(|lane| lane.provider == provider.provider);
        if !has_lanes {
            print::line("");
            ordered(provider);
        }
    }
}

fn cells(lane: &LaneRow) -> Vec<String> {
    vec![
        lane.provider.clone(),
        lane.source.clone(),
        state(lane),
        rate(lane),
        format!("{}/{}", lane.open, lane.connections),
        lane.ready.to_string(),
        lane.restart_plan.as_ref().map_or_else(|| "-".to_owned(), today),
        lane.waiting.as_ref().map_or_else(|| "-".to_owned(), waiting),
    ]
}

/// Lanes, as they were asked for: JSON has one to a line.
pub(super) fn lanes_or_json(reach: &Reach, lanes: &[LaneRow]) {
    for (number, row) in lanes.iter().enumerate() {
        if reach.json {
            print::json(row);
            continue;
        }
        if number > 0 {
            print::line("");
        }
        lane(row);
    }
}

/// What was ordered of a provider that has no lanes.
pub(super) fn providers_or_json(reach: &Reach, page: &LanePage) {
    if reach.json {
        print::json(page);
    } else {
        page.providers.iter().for_each(ordered);
    }
}

/// What a command has done.
pub(super) fn done(done: &LaneOrdered) -> String {
    let to = match &done.source {
        Some(source) => format!("{} by {source}", done.provider),
        None => done.provider.clone(),
    };
    match done.changed {
        true => format!("{to}: {}", done.command),
        false => format!("{to}: {}: there was nothing to change", done.command),
    }
}

/// Why a lane has no controller, and how it gets one.
const LEARNS_NOTHING: &str = "nothing: its host is in a private network, or `lane.learning` is \
                              \"off\". With \"on\" it learns anywhere.";

fn lane(lane: &LaneRow) {
    print::field("lane", &format!("{} by {}", lane.provider, lane.source));
    print::field("state", &state(lane));
    if let Some(waiting) = &lane.waiting {
        print::field("waiting", &self::waiting(waiting));
    }
    print::field("rate", &rate(lane));
    if lane.controller == "off" {
        print::field("learns", LEARNS_NOTHING);
    }
    let ceiling = lane.ceilings.rate.as_deref().unwrap_or("no rate");
    let ceilings = &lane.ceilings;
    print::field(
        "ceilings",
        &format!(
            "{} sessions, {ceiling}, {} messages on a session",
            ceilings.connections, ceilings.session_messages
        ),
    );
    print::field("sessions", &format!("{} of {} open", lane.open, lane.connections));
    let counts = format!("{} accepted, {} refused", lane.accepted, lane.refused);
    print::field("messages", &format!("{counts}, {} ready", lane.ready));
    hosts(lane);
    beliefs(lane);
    if let Some(plan) = &lane.restart_plan {
        self::plan(plan);
    }
    if let Some(gate) = &lane.preflight {
        preflight(gate);
    }
    if let Some(last) = &lane.last_reply {
        let text = print::printable(&last.text);
        let said =
            format!("{} at {}: {text} ({}, {})", last.code, last.stage, last.host, last.at.0);
        print::field("last reply", &said);
    }
    orders(&lane.orders);
    commands(&lane.commands);
    for text in told(lane.checks.as_deref().unwrap_or_default()) {
        print::field(if text.0 == 0 { "checks" } else { "" }, &print::printable(&text.1));
    }
    let mut name = "decisions";
    for decision in &lane.decisions {
        let until = decision.until.as_ref().map_or_else(String::new, |u| format!(" until {}", u.0));
        print::entry(name, &format!("{} {}{until}", decision.at.0, decision.says));
        name = "";
    }
}

fn ordered(provider: &OrderedRow) {
    print::field("provider", &provider.provider);
    if let Some(plan) = &provider.restart_plan {
        self::plan(plan);
    }
    orders(&provider.orders);
    commands(&provider.commands);
}

/// Hosts, where there are several or one rests.
fn hosts(lane: &LaneRow) {
    if let [HostRow { rests_until: None, .. }] | [] = &lane.hosts[..] {
        return;
    }
    let mut name = "hosts";
    for host in &lane.hosts {
        let rests = host.rests_until.as_ref();
        let rests = rests.map_or_else(String::new, |until| format!(", rests until {}", until.0));
        let counts = format!("{} accepted, {} refused", host.accepted, host.refused);
        print::entry(name, &format!("{}: {counts}, {} open{rests}", host.host, host.open));
        name = "";
    }
}

fn beliefs(lane: &LaneRow) {
    let mut says: Vec<String> = lane.beliefs.quotas.iter().map(quota).collect();
    says.extend(
        lane.beliefs.box_s.map(|s| format!("who goes too far is shut out for {}", Span::from_s(s))),
    );
    says.extend(lane.beliefs.connections.map(|cap| format!("{cap} sessions at once")));
    says.extend(lane.beliefs.session_messages.map(|cap| format!("{cap} messages on a session")));
    let mut name = "believes";
    for belief in says {
        print::entry(name, &belief);
        name = "";
    }
}

fn quota(quota: &QuotaRow) -> String {
    let window = Span::from_s(quota.window_s);
    let QuotaRow { messages, confidence, support, .. } = quota;
    let by_clock = if quota.window == "clock" { ", by the clock" } else { "" };
    format!("{messages} messages in {window}{by_clock} ({confidence}, seen {support} times)")
}

fn plan(plan: &RestartPlanRow) {
    let days = plan.days.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
    let begun = format!("{days} messages a day, by {} since {}", plan.by, plan.since.0);
    if plan.finished {
        print::field("plan", &format!("over, no cap binds; it was {begun}"));
        return;
    }
    print::field("plan", &begun);
    print::field("today", &format!("{}; the day turns at {}", today(plan), plan.turns_at.0));
    let stable = (plan.stable_sends, plan.stable_sends_wanted);
    print::field("sends", &format!("{} stable in a row, {} wanted", stable.0, stable.1));
    let signs = &plan.signs;
    let named = [
        ("first attempts", &signs.first_attempts),
        ("deferrals", &signs.deferrals),
        ("queue", &signs.queue),
        ("complaints", &signs.complaints),
        ("unsubscribes", &signs.unsubscribes),
        ("headers", &signs.headers),
    ];
    let says: Vec<String> = named.iter().map(|(name, sign)| format!("{name} {sign}")).collect();
    print::field("signs", &says.join(", "));
    if let Some(last) = &plan.last {
        print::field("last day", &format!("{} ({} of {} used)", last.says, last.used, last.cap));
    }
}

/// How the lane's mail stands before the gate.
fn preflight(gate: &GateRow) {
    let counts = [
        (gate.blocked, "blocked"),
        (gate.at_risk, "at risk"),
        (gate.undetermined, "undetermined"),
        (gate.ready, "ready"),
    ];
    let counts = counts.iter().filter(|(many, _)| *many > 0);
    let counts: Vec<String> = counts.map(|(many, word)| format!("{many} {word}")).collect();
    let held = if gate.held > 0 { format!("; {} held", gate.held) } else { String::new() };
    print::field("preflight", &format!("{}{held}", counts.join(", ")));
    for row in &gate.worst {
        let Some(verdict) = &row.verdict else { continue };
        let mail = format!("{} mail of {}: {verdict}", row.stream, row.domain);
        let since = row.since.as_ref().map_or("", |since| &since.0);
        let before = if row.before_restart { ", seen before the restart" } else { "" };
        print::field("", &print::printable(&format!("{mail} since {since}{before}")));
        for missing in &row.missing {
            let says = format!("{}: {}; {}", missing.id, missing.evidence, missing.remedy);
            print::field("", &print::printable(&says));
        }
    }
}

fn orders(orders: &[OrderRow]) {
    let mut name = "orders";
    for order in orders {
        let until = order.until.as_ref().map_or_else(String::new, |u| format!(" until {}", u.0));
        let why = if order.why.is_empty() { String::new() } else { format!(": {}", order.why) };
        let OrderRow { order, to, by, since, .. } = order;
        let why = print::printable(&why);
        print::entry(name, &format!("{order}{until} (the {to}), by {by} at {}{why}", since.0));
        name = "";
    }
}

fn commands(commands: &[CommandRow]) {
    let mut name = "commands";
    for command in commands {
        let CommandRow { at, by, command, to, why } = command;
        let why = if why.is_empty() { String::new() } else { format!(": {why}") };
        let says = format!("{} {command} (the {to}), by {by}{why}", at.0);
        print::entry(name, &print::printable(&says));
        name = "";
    }
}

fn state(lane: &LaneRow) -> String {
    let day = lane.restart_day.map_or_else(String::new, |day| format!(" day {day}"));
    let shown = if lane.state == "restart" { format!("restart{day}") } else { lane.state.clone() };
    if shown == lane.controller || lane.controller == "off" {
        return shown;
    }
    format!("{shown} ({})", lane.controller)
}

/// By the second, the minute or the hour, whichever gives one at least.
fn rate(lane: &LaneRow) -> String {
    if let Some(pinned) = &lane.pinned {
        return format!("{pinned} pinned");
    }
    let Some(rate) = lane.rate_per_s else {
        return lane.ceilings.rate.clone().unwrap_or_else(|| "free".to_owned());
    };
    let (times, unit) = match rate {
        rate if rate >= 1.0 => (1.0, "s"),
        rate if rate * 60.0 >= 1.0 => (60.0, "m"),
        _ => (3600.0, "h"),
    };
    format!("{:.1}/{unit}", rate * times)
}

fn today(plan: &RestartPlanRow) -> String {
    match plan.cap {
        Some(cap) => format!("{} of {cap}", plan.used),
        None => "no cap".to_owned(),
    }
}

fn waiting(waiting: &WaitingRow) -> String {
    match &waiting.until {
        Some(until) => format!("{} until {}", waiting.reason, until.0),
        None => waiting.reason.clone(),
    }
}
