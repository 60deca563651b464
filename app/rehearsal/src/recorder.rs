//! The recorder: told of everything that happens in a run, whoever drives it.
//!
//! Two loops feed it: the one for scripted policies (peers and the oracle) and the world around the
//! real engine. Both tell it the same things in the order of virtual time, so that figures, charts
//! and traces are made in one place and compare like with like.
//!
//! The way of a message through it: [`Recorder::arrived`], then for each try
//! [`Recorder::connecting`] if a connection is opened for it, [`Recorder::dispatched`],
//! [`Recorder::heard`] when the reply is observed (not when the receiver decided), and
//! [`Recorder::closed`] when the connection's slot is free again. A 2xx delivers by itself; that a
//! message bounced or expired is said with [`Recorder::bounced`] and [`Recorder::expired`].

mod crowd;
mod trace;

use std::collections::BTreeMap;

use postlane_mail::Label;
use postlane_receivers::{Answer, Arrival, Ceiling, Ms, Scenario, Source};

use crate::policy::Policy;
use crate::run::{Believed, ConnectionNo, Fate, LaneMark, MessageNo, Minute, Run, Sent};
use crate::watch::{Going, Watch};
use crowd::Crowd;
use trace::Trace;

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
    since: Ms,
    until: Ms,
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
    episodes: BTreeMap<(usize, u16), Episode>,
    tenants: Vec<Label>,
    trace: Option<Trace>,
    watch: Option<Watch>,
}

impl Recorder {
    /// A recorder for a run of that scenario with that seed.
    pub fn new(scenario: &Scenario, seed: u64) -> Self {
        let ceiling = scenario.sender.ceiling;
        Self {
            run: Run::new(seed),
            ceiling,
            open: BTreeMap::new(),
            open_of_source: vec![0; scenario.sender.ips.len()],
            within_a_second: Crowd::new(Ms::from_s(1)),
            within_ceiling: Crowd::new(ceiling.rate.per),
            episodes: BTreeMap::new(),
            tenants: Vec::new(),
            trace: None,
            watch: None,
        }
    }

    /// The same, writing a trace; every line names the scenario, the policy and the seed.
    #[must_use]
    pub fn traced(mut self, scenario: &Scenario, policy: Policy) -> Self {
        self.trace = Some(Trace::new(scenario, policy, self.run.seed));
        self
    }

    /// The same, looked at by somebody while it goes, who may stop it.
    #[must_use]
    pub(crate) fn watched(mut self, watch: Option<Watch>) -> Self {
        self.watch = watch;
        self
    }

    /// The run has come that far: whether it goes on.
    pub(crate) fn passes(&mut self, now: Ms) -> Going {
        let Some(watch) = &mut self.watch else { return Going::On };
        self.run.ended = now;
        watch.passes(&self.run)
    }

    /// A message enters the queue; its number is how many came before it.
    pub fn arrived(&mut self, now: Ms, arrival: &Arrival) -> MessageNo {
        let number = u32::try_from(self.run.messages.len()).unwrap_or(u32::MAX);
        self.run.messages.push(Sent {
            arrived: now,
            stream: arrival.stream,
            is_known: arrival.to.known,
            fate: Fate::Unfinished,
        });
        self.tenants.push(arrival.tenant.clone());
        if let Some(trace) = &mut self.trace {
            trace.arrived(now, MessageNo(number), arrival);
        }
        MessageNo(number)
    }

    /// A connection is tried from that source to the MX host with that number.
    pub fn connecting(&mut self, now: Ms, source: Source, host: u16) -> ConnectionNo {
        let number = ConnectionNo(u32::try_from(self.run.connections).unwrap_or(u32::MAX));
        self.run.connections += 1;
        let (source, host) = (source.0, u32::from(host));
        self.open.insert(number, Open { source, host, dispatched: 0 });
        if let Some(open) = self.open_of_source.get_mut(usize::from(source)) {
            *open += 1;
            self.run.ceiling_violations += u64::from(*open > self.ceiling.conns_per_ip);
        }
        if let Some(trace) = &mut self.trace {
            trace.connecting(now, number, source, host);
        }
        number
    }

    /// A message is offered on that connection: the moment the receiver judges it.
    pub fn dispatched(&mut self, now: Ms, connection: ConnectionNo, message: MessageNo) {
        self.run.attempts += 1;
        self.minute(now).attempts += 1;
        self.run.most_in_a_second = self.run.most_in_a_second.max(self.within_a_second.joined(now));
        let is_too_fast = self.within_ceiling.joined(now) as f64 > self.ceiling.rate.count.max(1.0);
        self.run.ceiling_violations += u64::from(is_too_fast);
        if let Some(open) = self.open.get_mut(&connection) {
            open.dispatched += 1;
            let cap = self.ceiling.per_conn;
            self.run.ceiling_violations += u64::from(cap.is_some_and(|cap| open.dispatched > cap));
            if let Some(trace) = &mut self.trace {
                let at = message.0 as usize;
                let message = (message, &self.run.messages[at], &self.tenants[at]);
                trace.dispatched(now, connection, (open.source, open.host), message);
            }
        }
    }

    /// A reply is observed: to a message, or to a connection that has none yet (`None`). A 2xx to a
    /// message delivers it.
    pub fn heard(
        &mut self,
        now: Ms,
        connection: ConnectionNo,
        message: Option<MessageNo>,
        answer: &Answer,
    ) {
        let code = answer.reply.code();
        if code.is_success() {
            self.accepted(now, message);
        } else if code.is_transient() {
            self.run.refused += 1;
            self.minute(now).deferred += 1;
        }
        // A limit that refuses for good refuses for the rate, too.
        self.run.refused_for_rate += u64::from(answer.cause.is_of_rate());
        if let Some(trace) = &mut self.trace {
            let place = self.open.get(&connection).map(|open| (open.source, open.host));
            let message =
                message.map(|m| (m, &self.run.messages[m.0 as usize], &self.tenants[m.0 as usize]));
            trace.heard(now, connection, place, message, answer);
        }
    }

    /// A limit's penalty box holds that source until then, as far as the receiver knows now.
    pub fn boxed(&mut self, now: Ms, limit: usize, source: Source, until: Ms) {
        let new = Episode { since: now, until };
        let episode = self.episodes.entry((limit, source.0)).or_insert(new);
        // A box that is hit before its end is the same episode, from its first moment to its end.
        if now >= episode.until {
            *episode = new;
        }
        episode.until = episode.until.max(until);
        let lasted = episode.until.since(episode.since);
        self.run.longest_penalty = self.run.longest_penalty.max(lasted);
    }

    /// The connection's slot is free: a close, a 421 or a failed connect has been observed.
    pub fn closed(&mut self, now: Ms, connection: ConnectionNo) {
        let Some(open) = self.open.remove(&connection) else { return };
        if let Some(count) = self.open_of_source.get_mut(usize::from(open.source)) {
            *count = count.saturating_sub(1);
        }
        if let Some(trace) = &mut self.trace {
            trace.closed(now, connection, (open.source, open.host));
        }
    }

    /// A message is refused for good.
    pub fn bounced(&mut self, now: Ms, message: MessageNo) {
        self.end(now, message, Fate::Bounced, "bounced");
    }

    /// A message has grown too old.
    pub fn expired(&mut self, now: Ms, message: MessageNo) {
        self.end(now, message, Fate::Expired, "expired");
    }

    /// A lane has another state, another pace or another reason.
    pub fn lane(&mut self, mark: LaneMark) {
        if let Some(trace) = &mut self.trace {
            trace.lane(&mark);
        }
        self.run.lanes.push(mark);
    }

    /// What a lane believes at the end.
    pub(crate) fn believed(&mut self, believed: Vec<Believed>) {
        self.run.believed = believed;
    }

    /// The run is over: what it left, and its trace, one JSON object to a line.
    pub fn finish(mut self, now: Ms) -> (Run, Option<Vec<u8>>) {
        self.run.ended = now;
        (self.run, self.trace.map(Trace::into_bytes))
    }

    fn minute(&mut self, now: Ms) -> &mut Minute {
        self.run.minutes.entry(now.0 / Ms::from_min(1).0).or_default()
    }

    fn accepted(&mut self, now: Ms, message: Option<MessageNo>) {
        let Some(message) = message else { return };
        self.run.accepted += 1;
        self.minute(now).accepted += 1;
        if let Some(sent) = self.run.messages.get_mut(message.0 as usize) {
            sent.fate = Fate::Delivered(now);
        }
    }

    fn end(&mut self, now: Ms, message: MessageNo, fate: Fate, says: &'static str) {
        if let Some(sent) = self.run.messages.get_mut(message.0 as usize) {
            sent.fate = fate;
            if let Some(trace) = &mut self.trace {
                trace.ended(now, says, (message, sent, &self.tenants[message.0 as usize]));
            }
        }
    }
}
