//! The recorder: told of everything that happens in a run, whoever drives it.
//!
//! Two loops feed it: the one for scripted policies (peers and the oracle) and the world around the
//! real engine. Both tell it the same things in the order of virtual time, so that figures, charts
//! and traces are made in one place and compare like with like.
//!
//! The way of a message through it: [`Recorder::arrived`], then for each try
//! [`Recorder::connecting`] if a connection is opened for it, [`Recorder::dispatched`],
//! [`Recorder::heard`] when the reply is observed (not when the receiver decided), and
//! [`Recorder::closed`] when the connection's slot is free again. A 250 delivers by itself; that a
//! message bounced or expired is said with [`Recorder::bounced`] and [`Recorder::expired`].
//!
//! Moments count from the start of the run: `Instant(0)` is the scenario's t = 0.

mod crowd;
mod trace;

use std::collections::BTreeMap;

use postlane_mail::{Instant, Label, Rate, Span, Stage, Stream};

use crate::run::{ConnectionNo, Fate, LaneMark, MessageNo, Minute, Run, Sent};
use crowd::Crowd;
use trace::Trace;

/// A message enters the queue.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// What kind of mail it is.
    pub stream: Stream,
    /// Whose it is.
    pub tenant: Label,
    /// Whether its recipient exists.
    pub is_known: bool,
}

/// Who in the model receiver gave a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause<'r> {
    /// Nobody stood in the way: a 220 or a 250.
    None,
    /// A limit of rate, number or reputation (`conns`, `perconn`, `sliding`, `fixed`, `bucket`,
    /// `ewma`, `grow`, `ratio`).
    Rate(&'r str),
    /// A penalty box of whatever limit; it ends at that moment unless it is extended.
    Boxed(&'r str, Instant),
    /// A greylist that is not boxed.
    Greylist(&'r str),
    /// A random temporary failure.
    Temp,
    /// An outage.
    Outage,
    /// The recipient does not exist.
    Unknown,
}

/// A reply, as it is observed.
#[derive(Debug, Clone, Copy)]
pub struct Heard<'r> {
    /// On which connection.
    pub connection: ConnectionNo,
    /// To which message; `None` for a greeting, or a connection refused before it had a message.
    pub message: Option<MessageNo>,
    /// Where in the dialogue.
    pub stage: Stage,
    /// The whole reply line, code first.
    pub reply: &'r str,
    /// Whether the receiver closed the connection with it.
    pub is_closed: bool,
    /// From the dispatch, or from connecting, to now.
    pub latency: Span,
    /// Who in the receiver gave it.
    pub cause: Cause<'r>,
}

/// What the operator allows at most, and no policy may exceed.
#[derive(Debug, Clone, Copy)]
pub struct Ceiling {
    /// Connections of one source at a time.
    pub connections_per_source: u32,
    /// Dispatches of all sources together.
    pub rate: Rate,
    /// Dispatches on one connection.
    pub messages_per_connection: Option<u32>,
}

/// A connection while it is open or being opened.
#[derive(Debug)]
struct Open {
    source: u16,
    host: u32,
    dispatched: u32,
}

/// A key in a penalty box: since when, and until when as far as is known.
#[derive(Debug, Clone, Copy)]
struct Episode {
    since: Instant,
    until: Instant,
}

/// Writes down one run.
#[derive(Debug)]
pub struct Recorder {
    run: Run,
    ceiling: Ceiling,
    open: BTreeMap<ConnectionNo, Open>,
    open_of_source: Vec<u32>,
    within_a_second: Crowd,
    within_ceiling: Crowd,
    episodes: BTreeMap<(String, u16), Episode>,
    tenants: Vec<Label>,
    trace: Option<Trace>,
}

impl Recorder {
    /// A recorder for a run with that seed, for so many sources.
    pub fn new(seed: u64, ceiling: Ceiling, sources: usize) -> Self {
        let run = Run {
            seed,
            ended: Instant(0),
            messages: Vec::new(),
            attempts: 0,
            connections: 0,
            accepted: 0,
            refused_for_rate: 0,
            refused: 0,
            longest_penalty: Span::ZERO,
            most_in_a_second: 0,
            ceiling_violations: 0,
            minutes: BTreeMap::new(),
            lanes: Vec::new(),
        };
        Self {
            run,
            ceiling,
            open: BTreeMap::new(),
            open_of_source: vec![0; sources],
            within_a_second: Crowd::new(Span::from_s(1)),
            within_ceiling: Crowd::new(ceiling.rate.per()),
            episodes: BTreeMap::new(),
            tenants: Vec::new(),
            trace: None,
        }
    }

    /// The same, writing a trace; every line names the scenario, the policy and the seed.
    pub fn with_trace(mut self, scenario: &str, policy: &str, sources: Vec<String>) -> Self {
        self.trace = Some(Trace::new(scenario, policy, self.run.seed, sources));
        self
    }

    /// A message enters the queue; its number is how many came before it.
    pub fn arrived(&mut self, now: Instant, arrival: &Arrival) -> MessageNo {
        let number = u32::try_from(self.run.messages.len()).unwrap_or(u32::MAX);
        self.run.messages.push(Sent {
            arrived: now,
            stream: arrival.stream,
            is_known: arrival.is_known,
            fate: Fate::Unfinished,
        });
        self.tenants.push(arrival.tenant.clone());
        if let Some(trace) = &mut self.trace {
            trace.arrived(now, MessageNo(number), arrival);
        }
        MessageNo(number)
    }

    /// A connection is tried from that source (its place in `sender.ips`) to that MX host.
    pub fn connecting(&mut self, now: Instant, source: u16, host: u32) -> ConnectionNo {
        let number = ConnectionNo(u32::try_from(self.run.connections).unwrap_or(u32::MAX));
        self.run.connections += 1;
        self.open.insert(number, Open { source, host, dispatched: 0 });
        if let Some(open) = self.open_of_source.get_mut(usize::from(source)) {
            *open += 1;
            self.run.ceiling_violations += u64::from(*open > self.ceiling.connections_per_source);
        }
        if let Some(trace) = &mut self.trace {
            trace.connecting(now, number, source, host);
        }
        number
    }

    /// A message is offered on that connection: the moment the receiver judges it.
    pub fn dispatched(&mut self, now: Instant, connection: ConnectionNo, message: MessageNo) {
        self.run.attempts += 1;
        self.minute(now).attempts += 1;
        self.run.most_in_a_second = self.run.most_in_a_second.max(self.within_a_second.joined(now));
        let within = self.within_ceiling.joined(now);
        self.run.ceiling_violations += u64::from(within > u64::from(self.ceiling.rate.messages()));
        if let Some(open) = self.open.get_mut(&connection) {
            open.dispatched += 1;
            let cap = self.ceiling.messages_per_connection;
            self.run.ceiling_violations += u64::from(cap.is_some_and(|cap| open.dispatched > cap));
            if let Some(trace) = &mut self.trace {
                let at = message.0 as usize;
                let message = (message, &self.run.messages[at], &self.tenants[at]);
                trace.dispatched(now, connection, (open.source, open.host), message);
            }
        }
    }

    /// A reply is observed. A 250 to a message delivers it.
    pub fn heard(&mut self, now: Instant, heard: &Heard<'_>) {
        let is_final = heard.message.is_some();
        match heard.reply.as_bytes().first() {
            Some(b'2') if is_final => self.accepted(now, heard.message),
            Some(b'4') => self.deferred(now, heard),
            _ => {}
        }
        if let Some(trace) = &mut self.trace {
            let open = self.open.get(&heard.connection);
            let place = open.map(|open| (open.source, open.host));
            let message = heard
                .message
                .map(|m| (m, &self.run.messages[m.0 as usize], &self.tenants[m.0 as usize]));
            trace.heard(now, heard, place, message);
        }
    }

    /// The connection's slot is free: a close, a 421 or a failed connect has been observed.
    pub fn closed(&mut self, now: Instant, connection: ConnectionNo) {
        let Some(open) = self.open.remove(&connection) else { return };
        if let Some(count) = self.open_of_source.get_mut(usize::from(open.source)) {
            *count = count.saturating_sub(1);
        }
        if let Some(trace) = &mut self.trace {
            trace.closed(now, connection, (open.source, open.host));
        }
    }

    /// A message is refused for good.
    pub fn bounced(&mut self, now: Instant, message: MessageNo) {
        self.end(now, message, Fate::Bounced, "bounced");
    }

    /// A message has grown too old.
    pub fn expired(&mut self, now: Instant, message: MessageNo) {
        self.end(now, message, Fate::Expired, "expired");
    }

    /// A lane has another state, another pace or another reason.
    pub fn lane(&mut self, mark: LaneMark) {
        if let Some(trace) = &mut self.trace {
            trace.lane(&mark);
        }
        self.run.lanes.push(mark);
    }

    /// The run is over: what it left, and its trace, one JSON object to a line.
    pub fn finish(mut self, now: Instant) -> (Run, Option<Vec<u8>>) {
        self.run.ended = now;
        (self.run, self.trace.map(Trace::into_bytes))
    }

    /// How many messages are neither delivered, bounced nor expired.
    pub fn unfinished(&self) -> usize {
        self.run.messages.iter().filter(|sent| sent.fate == Fate::Unfinished).count()
    }

    fn minute(&mut self, now: Instant) -> &mut Minute {
        self.run.minutes.entry(now.0 / Span::from_min(1).0).or_default()
    }

    fn accepted(&mut self, now: Instant, message: Option<MessageNo>) {
        self.run.accepted += 1;
        self.minute(now).accepted += 1;
        if let Some(sent) = message.and_then(|m| self.run.messages.get_mut(m.0 as usize)) {
            sent.fate = Fate::Delivered(now);
        }
    }

    fn deferred(&mut self, now: Instant, heard: &Heard<'_>) {
        self.run.refused += 1;
        self.minute(now).deferred += 1;
        match heard.cause {
            Cause::Rate(_) => self.run.refused_for_rate += 1,
            Cause::Boxed(limit, until) => {
                self.run.refused_for_rate += 1;
                self.in_the_box(now, limit, heard.connection, until);
            }
            _ => {}
        }
    }

    /// A box that is hit before its end is the same episode, from its first refusal to its last end.
    fn in_the_box(&mut self, now: Instant, limit: &str, on: ConnectionNo, until: Instant) {
        let source = self.open.get(&on).map_or(0, |open| open.source);
        let episode = self
            .episodes
            .entry((limit.to_owned(), source))
            .or_insert(Episode { since: now, until });
        if now > episode.until {
            *episode = Episode { since: now, until };
        }
        episode.until = episode.until.max(until);
        let lasted = episode.until.since(episode.since);
        self.run.longest_penalty = self.run.longest_penalty.max(lasted);
    }

    fn end(&mut self, now: Instant, message: MessageNo, fate: Fate, says: &'static str) {
        if let Some(sent) = self.run.messages.get_mut(message.0 as usize) {
            sent.fate = fate;
            if let Some(trace) = &mut self.trace {
                trace.ended(now, says, (message, sent, &self.tenants[message.0 as usize]));
            }
        }
    }
}
