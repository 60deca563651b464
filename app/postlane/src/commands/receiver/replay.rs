//! What a model receiver answers to dispatches in a file: JSON in, JSON out, line by line.
//!
//! A line is `{t_ms, conn, source, msg or recipient, known}`: a message at that moment on that
//! connection, which is opened where it is not open; without `conn`, on one of its own. With
//! `event` a line may also be a `connect`, a `close`, or an `arrival` that says who a message's
//! recipient is and whether they are known; other events are passed over, so that the trace of a
//! rehearsal can be replayed. A `connect` right before a dispatch of the same moment is one with
//! it. A new connection goes to the MX host that `host` names, else to one by chance. A connection
//! that a reply closes is closed when the reply is seen, in its place where the file has a `close`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use postlane_receivers::{
    Addressee, Answer, Cause, ConnId, Greeting, Ms, Receiver, Scenario, Source,
};
use serde::{Deserialize, Serialize};

use super::dialogue::Outcome;
use super::limits::Limits;
use crate::exit::{Exit, Failure};
use crate::print;

/// Octets of a line.
const LINE_MAX: usize = 64 * 1024;
/// What is remembered of connections and messages. Chosen, not measured.
const REMEMBERED_MAX: usize = 4_000_000;

/// A line that is read.
#[derive(Deserialize)]
struct Asked {
    t_ms: u64,
    event: Option<String>,
    conn: Option<serde_json::Value>,
    source: Option<serde_json::Value>,
    /// The place of the MX host, from 0.
    host: Option<u16>,
    msg: Option<u32>,
    recipient: Option<serde_json::Value>,
    known: Option<bool>,
}

/// A line that is written: the words of a rehearsal's trace.
#[derive(Serialize)]
pub(super) struct Line<'l> {
    t_ms: u64,
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    conn: Option<serde_json::Value>,
    source: &'l str,
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    msg: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stage: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    closed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latency_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    boxed: Option<bool>,
}

/// A connection by the name the file gives it.
enum Named {
    Open(ConnId),
    /// It never opened; the message it was made for hears this.
    Refused(Answer),
}

/// A file that is being replayed.
struct Replay {
    receiver: Receiver,
    ips: Vec<String>,
    limits: Limits,
    shards: u16,
    conns: BTreeMap<String, Named>,
    /// Connections that end when a reply is seen.
    closing: BTreeSet<(Ms, ConnId)>,
    /// Recipients by name, and those of messages that have arrived.
    recipients: BTreeMap<String, u32>,
    arrived: BTreeMap<u32, Addressee>,
    /// A connect that may belong to the next line.
    pending: Option<Asked>,
    now: Ms,
}

pub(super) fn run(scenario: &Scenario, seed: u64, file: &Path) -> Result<Exit, Failure> {
    let shown = file.display();
    let wrong = |e: io::Error| Failure::usage(format!("{shown} cannot be read: {e}"));
    let mut lines: Box<dyn BufRead> = if file.as_os_str() == "-" {
        Box::new(io::stdin().lock())
    } else {
        Box::new(BufReader::new(File::open(file).map_err(wrong)?))
    };
    let mut replay = Replay::new(scenario, seed);
    let mut text = String::new();
    for number in 1.. {
        text.clear();
        let mut limited = io::Read::take(&mut lines, LINE_MAX as u64 + 1);
        if limited.read_line(&mut text).map_err(wrong)? == 0 {
            break;
        }
        if text.len() > LINE_MAX {
            return Err(Failure::usage(format!("{shown}:{number}: a line is at most 64 KiB long")));
        }
        if text.trim().is_empty() {
            continue;
        }
        let said =
            replay.line(&text).map_err(|e| Failure::usage(format!("{shown}:{number}: {e}")))?;
        said.iter().for_each(|line| print::line(line));
    }
    let last = replay.finish().map_err(|e| Failure::usage(format!("{shown}: {e}")))?;
    last.iter().for_each(|line| print::line(line));
    Ok(Exit::Yes)
}

impl Replay {
    fn new(scenario: &Scenario, seed: u64) -> Self {
        Self {
            receiver: Receiver::new(scenario, seed),
            ips: scenario.sender.ips.clone(),
            limits: Limits::of(scenario),
            shards: scenario.receiver.shards.max(1),
            conns: BTreeMap::new(),
            closing: BTreeSet::new(),
            recipients: BTreeMap::new(),
            arrived: BTreeMap::new(),
            pending: None,
            now: Ms(0),
        }
    }

    /// What is answered to a line, and to the one before it if that waited; nothing where
    /// nothing is asked.
    fn line(&mut self, text: &str) -> Result<Vec<String>, String> {
        let asked: Asked = serde_json::from_str(text).map_err(|e| {
            format!("{e}: write {{\"t_ms\": 0, \"conn\": 1, \"source\": \"ip1\", \"msg\": 0}}")
        })?;
        let event = asked.event.as_deref().unwrap_or("dispatch").to_owned();
        if !matches!(event.as_str(), "dispatch" | "connect" | "close" | "arrival") {
            return Ok(Vec::new());
        }
        let at = Ms(asked.t_ms);
        if at < self.now {
            return Err(format!("{} ms is before {} ms: sort the lines by t_ms", at.0, self.now.0));
        }
        if self.conns.len() + self.recipients.len() + self.arrived.len() > REMEMBERED_MAX {
            return Err("more than 4,000,000 connections and recipients: split the file".to_owned());
        }
        let is_one = |connect: &Asked| {
            event == "dispatch" && connect.t_ms == asked.t_ms && connect.conn == asked.conn
        };
        let mut said = match self.pending.take() {
            Some(connect) if !is_one(&connect) => vec![self.connect(&connect)?],
            _ => Vec::new(),
        };
        self.now = at;
        self.close_what_was_seen(at);
        match event.as_str() {
            "arrival" => self.arrival(&asked),
            "close" => self.close(at, asked.conn.as_ref()),
            "connect" => self.pending = Some(asked),
            _ => said.push(self.dispatch(at, &asked)?),
        }
        Ok(said)
    }

    /// What is answered to a connect at the very end.
    fn finish(&mut self) -> Result<Option<String>, String> {
        self.pending.take().map(|connect| self.connect(&connect)).transpose()
    }

    fn arrival(&mut self, asked: &Asked) {
        if let Some(msg) = asked.msg {
            let to = self.addressee(asked);
            self.arrived.insert(msg, to);
        }
    }

    fn close_what_was_seen(&mut self, at: Ms) {
        while let Some((seen, conn)) = self.closing.first().copied()
            && seen <= at
        {
            self.closing.pop_first();
            self.receiver.close(seen, conn);
            self.conns.retain(|_, named| !matches!(named, Named::Open(open) if *open == conn));
        }
    }

    fn close(&mut self, at: Ms, conn: Option<&serde_json::Value>) {
        let named = conn.and_then(|conn| self.conns.remove(&conn.to_string()));
        if let Some(Named::Open(conn)) = named {
            self.receiver.close(at, conn);
        }
    }

    fn connect(&mut self, asked: &Asked) -> Result<String, String> {
        let at = Ms(asked.t_ms);
        let source = self.source(asked.source.as_ref())?;
        let Some(conn) = &asked.conn else {
            return Err("a connect needs a conn: give it a number".to_owned());
        };
        let greeting = match self.host(asked)? {
            Some(host) => self.receiver.connect_to(at, source, host),
            None => self.receiver.connect(at, source),
        };
        match greeting {
            Greeting::Open { conn: id, shard, latency } => {
                self.conns.insert(conn.to_string(), Named::Open(id));
                written(&Line {
                    host: Some(shard),
                    latency_ms: Some(latency.0),
                    ..self.blank(at, "open", asked, source)
                })
            }
            Greeting::Refused(answer) => {
                self.conns.insert(conn.to_string(), Named::Refused(answer.clone()));
                written(&self.answered(at, asked, source, &answer))
            }
        }
    }

    fn dispatch(&mut self, at: Ms, asked: &Asked) -> Result<String, String> {
        let source = self.source(asked.source.as_ref())?;
        let to = self.addressee(asked);
        let name = asked.conn.as_ref().map(ToString::to_string);
        let open = match name.as_ref().and_then(|name| self.conns.get(name)) {
            Some(Named::Open(conn)) => Some(*conn),
            Some(Named::Refused(answer)) => {
                let answer = answer.clone();
                name.and_then(|name| self.conns.remove(&name));
                return written(&self.answered(at, asked, source, &answer));
            }
            None => None,
        };
        let host = self.host(asked)?;
        let answer = self.receiver.dispatch_to(at, source, open, host, to);
        if let Some(conn) = answer.conn {
            if name.is_none() || answer.closes {
                // A trace has a line for it, in its place among those of that moment.
                let grace = Ms(u64::from(asked.event.is_some()));
                self.closing.insert((at + answer.latency + grace, conn));
            }
            if let Some(name) = name {
                self.conns.insert(name, Named::Open(conn));
            }
        }
        written(&self.answered(at, asked, source, &answer))
    }

    fn source(&self, named: Option<&serde_json::Value>) -> Result<Source, String> {
        let place = match named {
            None => Some(0),
            Some(serde_json::Value::String(name)) => self.ips.iter().position(|ip| ip == name),
            Some(other) => other.as_u64().and_then(|place| usize::try_from(place).ok()),
        };
        let place = place.filter(|place| *place < self.ips.len());
        place.and_then(|place| u16::try_from(place).ok()).map(Source).ok_or_else(|| {
            format!(
                "there is no such source: write one of {}, or its place from 0",
                self.ips.join(", ")
            )
        })
    }

    fn host(&self, asked: &Asked) -> Result<Option<u16>, String> {
        match asked.host {
            Some(host) if host >= self.shards => Err(format!(
                "there is no host {host}: the scenario has {}, from 0 on; leave `host` out for one \
                 by chance",
                self.shards
            )),
            host => Ok(host),
        }
    }

    fn addressee(&mut self, asked: &Asked) -> Addressee {
        let arrived = asked.msg.and_then(|msg| self.arrived.get(&msg).copied());
        let number = match (&asked.recipient, arrived) {
            (Some(name), _) => {
                let next = u32::try_from(self.recipients.len()).unwrap_or(u32::MAX);
                *self.recipients.entry(name.to_string()).or_insert(next)
            }
            (None, Some(arrived)) => arrived.number,
            (None, None) => asked.msg.unwrap_or_default(),
        };
        let known = asked.known.or_else(|| arrived.map(|arrived| arrived.known)).unwrap_or(true);
        Addressee { number, known }
    }

    fn blank(&self, at: Ms, event: &'static str, asked: &Asked, source: Source) -> Line<'_> {
        Line {
            t_ms: at.0,
            event,
            conn: asked.conn.clone(),
            source: self.ips.get(usize::from(source.0)).map_or("", String::as_str),
            host: None,
            msg: asked.msg,
            stage: None,
            code: None,
            reply: None,
            closed: None,
            latency_ms: None,
            limit: None,
            boxed: None,
        }
    }

    fn answered(&self, at: Ms, asked: &Asked, source: Source, answer: &Answer) -> Line<'_> {
        let boxed = match answer.cause {
            Cause::Limit { boxed: true, .. } => Some(true),
            _ => None,
        };
        Line {
            host: Some(answer.shard),
            stage: Some(answer.stage.as_str()),
            code: Some(answer.reply.code().number()),
            reply: Some(answer.reply.text().to_owned()),
            closed: Some(answer.closes),
            latency_ms: Some(answer.latency.0),
            limit: self.limits.blamed(answer.cause),
            boxed,
            ..self.blank(at, "reply", asked, source)
        }
    }
}

impl<'l> Line<'l> {
    /// What came of a message or a connection in a session.
    pub(super) fn of_outcome(outcome: &Outcome, source: &'l str) -> Self {
        Line {
            t_ms: outcome.at.0,
            event: "reply",
            conn: outcome.conn.map(|conn| conn.0.into()),
            source,
            host: None,
            msg: None,
            stage: Some(outcome.stage.as_str()),
            code: Some(outcome.code),
            reply: None,
            closed: Some(outcome.code == 421 || outcome.conn.is_none()),
            latency_ms: None,
            limit: outcome.limit.clone(),
            boxed: None,
        }
    }
}

fn written(line: &Line<'_>) -> Result<String, String> {
    serde_json::to_string(line).map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests;
