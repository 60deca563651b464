//! What is said of lanes: lines of the log, and events for whoever listens.

use std::sync::Arc;

use postlane_engine::{Scope, Turn};
use postlane_lanes::{Decision, Judgement, Verdict};
use postlane_mail::{Instant, Label};

use super::{Audit, LaneName};
use crate::engine::names::Names;
use crate::setup::Live;
use crate::telling::events::{Event, Events};
use crate::telling::history::{CONTROLLER, History, command_of};
use crate::telling::journal::{Journal, Line};

/// Tells the log and whoever listens.
#[derive(Clone)]
pub(crate) struct Teller {
    pub(crate) journal: Journal,
    pub(crate) events: Events,
    pub(crate) history: History,
    pub(crate) names: Arc<Names>,
    pub(crate) live: Live,
}

impl Teller {
    /// An operator's command holds.
    pub(crate) fn ordered(&self, now: Instant, name: &LaneName, audit: &Audit) {
        let mut line = line(now, "lane-ordered", name);
        line.field("command", &audit.command);
        line.field("by", &audit.by);
        if !audit.why.is_empty() {
            line.field("text", &audit.why);
        }
        self.journal.write(line.end());
        self.history.ordered(&self.live.borrow(), now, name, audit);
        let why = if audit.why.is_empty() { String::new() } else { format!(": {}", audit.why) };
        let detail = format!("{}, by {}{why}", audit.command, audit.by);
        self.events.tell(|| event(now, "lane-ordered", name, detail));
    }

    /// A lane has decided something; the line of the log where it is worth one.
    pub(crate) fn decided(&self, now: Instant, scope: Scope, decision: &Decision) -> String {
        let Some(kind) = kind_of(decision) else { return String::new() };
        let name = LaneName::of(scope, &self.names, &self.live.borrow());
        let detail = decision.to_string();
        let mut line = line(now, kind, &name);
        line.field("text", &detail);
        let decided = (command_of(kind), &name);
        self.history.lane(&self.live.borrow(), now, decided, (CONTROLLER, &detail));
        if kind != "lane-learned" {
            self.events.tell(|| event(now, kind, &name, detail));
        }
        line.end()
    }

    /// A source was quarantined with a provider, or is no more.
    pub(crate) fn quarantined(&self, now: Instant, scope: Scope, turn: Turn) -> String {
        let name = LaneName::of(scope, &self.names, &self.live.borrow());
        let (kind, detail) = match turn {
            Turn::Begins => (
                "lane-quarantined",
                "refused for an hour while other sources send: its mail goes by them",
            ),
            Turn::Ends => ("lane-included", "the quarantine is over"),
        };
        let mut line = line(now, kind, &name);
        line.field("text", detail);
        self.events.tell(|| event(now, kind, &name, detail.to_owned()));
        line.end()
    }

    /// What a provider asks of mail is missing, or there again. It concerns whoever's mail it is.
    pub(crate) fn preflight(
        &self,
        now: Instant,
        name: &LaneName,
        (kind, tenant): (&'static str, &Label),
        detail: String,
    ) {
        let mut line = line(now, kind, name);
        if !tenant.is_none() {
            line.field("tenant", tenant.as_str());
        }
        line.field("text", &detail);
        self.journal.write(line.end());
        self.history.gate(&self.live.borrow(), now, (kind, name), (tenant, &detail));
        let tenant = tenant.as_str().to_owned();
        self.events.tell(|| Event { tenant, ..event(now, kind, name, detail) });
    }

    /// A restart plan's day was judged, or the plan was rolled back.
    pub(crate) fn judged(&self, now: Instant, scope: Scope, judgement: &Judgement) -> String {
        let name = LaneName::of(scope, &self.names, &self.live.borrow());
        let kind = match judgement.verdict {
            Verdict::RolledBack { .. } => "lane-rolled-back",
            _ => "lane-judged",
        };
        let mut line = line(now, kind, &name);
        line.number("used", u64::from(judgement.used));
        line.number("cap", u64::from(judgement.cap));
        for (sign, says) in judgement.signs.named() {
            line.field(sign, says.as_str());
        }
        let detail = judgement.verdict.to_string();
        line.field("text", &detail);
        let judged = (command_of(kind), &name);
        self.history.lane(&self.live.borrow(), now, judged, (CONTROLLER, &detail));
        self.events.tell(|| event(now, kind, &name, detail));
        line.end()
    }
}

/// What a decision is called; nothing for the small steps, which `lanes show --decisions` has.
fn kind_of(decision: &Decision) -> Option<&'static str> {
    match decision {
        Decision::Rests { .. } => Some("lane-rests"),
        Decision::Reopens { .. } => Some("lane-recovered"),
        Decision::RolledBack(_) => Some("lane-rolled-back"),
        Decision::Raises(_)
        | Decision::TakesMore { .. }
        | Decision::CanaryRefused { .. }
        | Decision::Unserved { .. } => None,
        _ => Some("lane-learned"),
    }
}

fn line(now: Instant, kind: &str, name: &LaneName) -> Line {
    let mut line = Line::new(now, kind);
    line.field("provider", &name.provider);
    if let Some(source) = &name.source {
        line.field("source", source);
    }
    line
}

fn event(now: Instant, kind: &'static str, name: &LaneName, detail: String) -> Event {
    Event {
        provider: name.provider.to_string(),
        source: name.source.as_deref().unwrap_or_default().to_owned(),
        detail,
        ..Event::new(now, kind, None)
    }
}
