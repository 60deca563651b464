//! The trace of a run: one JSON object to a line, enough to compute every figure again.
//!
//! | `event` | what it says besides `t_ms` |
//! |---|---|
//! | `arrival` | `msg stream tenant recipient known` |
//! | `connect` | `conn source host` |
//! | `dispatch` | `conn source host msg stream tenant` |
//! | `reply` | the same, and `stage code reply closed latency_ms limit boxed` |
//! | `close` | `conn source host` |
//! | `bounced`, `expired` | `msg stream tenant` |
//! | `lane` | `source state rate reason` |

use postlane_mail::Label;
use postlane_receivers::{Answer, Arrival, Cause, Ms, Scenario};
use serde::Serialize;

use crate::policy::Policy;
use crate::run::{ConnectionNo, LaneMark, MessageNo, Sent};

#[derive(Debug)]
pub(super) struct Trace {
    scenario: String,
    policy: Policy,
    seed: u64,
    sources: Vec<String>,
    limits: Vec<String>,
    lines: Vec<u8>,
}

/// A line; what does not apply is left out.
#[derive(Debug, Default, Serialize)]
struct Line<'t> {
    id: &'t str,
    policy: &'t str,
    seed: u64,
    t_ms: u64,
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    conn: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'t str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    msg: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<&'t str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recipient: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    known: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stage: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply: Option<&'t str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    closed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latency_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<&'t str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    boxed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'t str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rate: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'t str>,
}

impl Trace {
    pub(super) fn new(scenario: &Scenario, policy: Policy, seed: u64) -> Self {
        let limits = scenario.receiver.limits.iter().map(|limit| limit.id.clone()).collect();
        let sources = scenario.sender.ips.clone();
        Self {
            scenario: scenario.meta.id.clone(),
            policy,
            seed,
            sources,
            limits,
            lines: Vec::new(),
        }
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.lines
    }

    pub(super) fn arrived(&mut self, now: Ms, message: MessageNo, arrival: &Arrival) {
        self.write(now, "arrival", |_| Line {
            msg: Some(message.0),
            stream: Some(arrival.stream.as_str()),
            tenant: named(&arrival.tenant),
            recipient: Some(arrival.to.number),
            known: Some(arrival.to.known),
            ..Line::default()
        });
    }

    pub(super) fn connecting(&mut self, now: Ms, on: ConnectionNo, source: u16, host: u32) {
        self.write(now, "connect", |names| Line {
            conn: Some(on.0),
            source: name(names, source),
            host: Some(host),
            ..Line::default()
        });
    }

    pub(super) fn dispatched(
        &mut self,
        now: Ms,
        on: ConnectionNo,
        (source, host): (u16, u32),
        (message, sent, tenant): (MessageNo, &Sent, &Label),
    ) {
        self.write(now, "dispatch", |names| Line {
            conn: Some(on.0),
            source: name(names, source),
            host: Some(host),
            msg: Some(message.0),
            stream: Some(sent.stream.as_str()),
            tenant: named(tenant),
            ..Line::default()
        });
    }

    pub(super) fn heard(
        &mut self,
        now: Ms,
        on: ConnectionNo,
        place: Option<(u16, u32)>,
        message: Option<(MessageNo, &Sent, &Label)>,
        answer: &Answer,
    ) {
        let limit = match answer.cause {
            Cause::Limit { index, .. } => self.limits.get(index).cloned(),
            Cause::Accepted => None,
            Cause::Temp(_) => Some("temp".to_owned()),
            Cause::Outage(_) => Some("outage".to_owned()),
            Cause::UnknownRecipient => Some("unknown".to_owned()),
        };
        let is_boxed = matches!(answer.cause, Cause::Limit { boxed: true, .. });
        self.write(now, "reply", |names| Line {
            conn: Some(on.0),
            source: place.and_then(|(source, _)| name(names, source)),
            host: place.map(|(_, host)| host),
            msg: message.map(|(m, _, _)| m.0),
            stream: message.map(|(_, sent, _)| sent.stream.as_str()),
            tenant: message.and_then(|(_, _, tenant)| named(tenant)),
            stage: Some(answer.stage.as_str()),
            code: Some(answer.reply.code().number()),
            reply: Some(answer.reply.text()),
            closed: Some(answer.closes),
            latency_ms: Some(answer.latency.0),
            limit: limit.as_deref(),
            boxed: is_boxed.then_some(true),
            ..Line::default()
        });
    }

    pub(super) fn closed(&mut self, now: Ms, on: ConnectionNo, (source, host): (u16, u32)) {
        self.write(now, "close", |names| Line {
            conn: Some(on.0),
            source: name(names, source),
            host: Some(host),
            ..Line::default()
        });
    }

    pub(super) fn ended(
        &mut self,
        now: Ms,
        event: &'static str,
        (message, sent, tenant): (MessageNo, &Sent, &Label),
    ) {
        self.write(now, event, |_| Line {
            msg: Some(message.0),
            stream: Some(sent.stream.as_str()),
            tenant: named(tenant),
            ..Line::default()
        });
    }

    pub(super) fn lane(&mut self, mark: &LaneMark) {
        self.write(mark.at, "lane", |names| Line {
            source: name(names, mark.source),
            state: Some(&mark.state),
            rate: mark.rate,
            reason: Some(&mark.reason),
            ..Line::default()
        });
    }

    fn write<'l>(
        &'l mut self,
        now: Ms,
        event: &'static str,
        line: impl FnOnce(&'l [String]) -> Line<'l>,
    ) {
        let line = Line {
            id: &self.scenario,
            policy: self.policy.as_str(),
            seed: self.seed,
            t_ms: now.0,
            event,
            ..line(&self.sources)
        };
        serde_json::to_writer(&mut self.lines, &line).expect("a line is text and numbers");
        self.lines.push(b'\n');
    }
}

fn name(names: &[String], source: u16) -> Option<&str> {
    names.get(usize::from(source)).map(String::as_str)
}

fn named(tenant: &Label) -> Option<&str> {
    (!tenant.is_none()).then(|| tenant.as_str())
}
