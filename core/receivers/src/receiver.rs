//! The receiver: takes connections and messages, and answers as its scenario says.
//!
//! It is asked in the order of time; what is asked about an earlier moment is answered as of the
//! latest. A new connection is judged by the outage and the limits of connecting, a message by
//! those again (but for the first of a connection), then by those of RCPT and of the dot, by
//! chance, and by whether there is such a recipient. The first refusal wins.

mod meter;

use std::collections::BTreeMap;
use std::sync::Arc;

use postlane_mail::{Chance, Code, Reply, Stage};

use crate::answer::{Answer, Cause, ConnId, Greeting, Source, Verdict};
use crate::chance::{Purpose, stream};
use crate::ms::Ms;
use crate::scenario::{Charge, LimitStage, Outage, Scenario};

pub(crate) use meter::{Caller, Judged, Meter};

/// Whom a message is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addressee {
    /// The recipient's number.
    pub number: u32,
    /// Whether the receiver has such a recipient.
    pub known: bool,
}

/// A receiver at work.
#[derive(Debug, Clone)]
pub struct Receiver {
    pub(crate) meters: Vec<Meter>,
    pub(crate) outages: Vec<Outage>,
    pub(crate) conns: BTreeMap<ConnId, Conn>,
    pub(crate) shards: u16,
    pub(crate) now: Ms,
    words: Words,
    temps: Vec<f64>,
    connect: Ms,
    txn: Ms,
    next_conn: u64,
    shard_chance: Chance,
    temp_chance: Chance,
    latency_chance: Chance,
}

/// An open connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Conn {
    pub(crate) source: u16,
    pub(crate) shard: u16,
    /// Messages it has carried.
    pub(crate) carried: u32,
    /// Nothing has been sent on it: it has just been judged.
    pub(crate) fresh: bool,
}

/// Everything it ever says, ready to be said.
#[derive(Debug, Clone)]
struct Words {
    accepted: Arc<Reply>,
    unknown: Arc<Reply>,
    limits: Vec<(Arc<Reply>, Arc<Reply>)>,
    temps: Vec<Arc<Reply>>,
    outages: Vec<Arc<Reply>>,
}

impl Receiver {
    /// The receiver of a scenario, for the run with this seed.
    pub fn new(scenario: &Scenario, seed: u64) -> Self {
        let site = &scenario.receiver;
        let numbered = site.limits.iter().zip(0..);
        Self {
            meters: numbered.map(|(limit, n)| Meter::new(limit, scenario, seed, n)).collect(),
            outages: site.outages.clone(),
            conns: BTreeMap::new(),
            shards: site.shards.max(1),
            now: Ms(0),
            words: Words::of(scenario),
            temps: site.temps.iter().map(|temp| temp.p).collect(),
            connect: site.connect,
            txn: site.txn,
            next_conn: 0,
            shard_chance: stream(seed, Purpose::Shard, 0),
            temp_chance: stream(seed, Purpose::Temp, 0),
            latency_chance: stream(seed, Purpose::Latency, 0),
        }
    }

    /// A connection is made. Judged here: outage and the limits of connecting.
    pub fn connect(&mut self, at: Ms, source: Source) -> Greeting {
        let shard = self.land();
        self.connect_to(at, source, shard)
    }

    /// The same, to the MX host that the sender has chosen; beyond the last, the last.
    pub fn connect_to(&mut self, at: Ms, source: Source, shard: u16) -> Greeting {
        let shard = shard.min(self.shards - 1);
        match self.admit(at, source, shard) {
            Ok(conn) => {
                let latency = self.latency(self.connect);
                Greeting::Open { conn, shard, latency }
            }
            Err(cause) => Greeting::Refused(self.turned_away(cause, shard)),
        }
    }

    /// A message is sent on an open connection and evaluated at once. On a connection nobody
    /// knows it is answered as on a new one.
    pub fn transact(&mut self, at: Ms, source: Source, conn: ConnId, to: Addressee) -> Answer {
        self.dispatch(at, source, Some(conn), to)
    }

    /// A message is sent, on an open connection or a new one, and all of it is evaluated at once.
    pub fn dispatch(
        &mut self,
        at: Ms,
        source: Source,
        conn: Option<ConnId>,
        to: Addressee,
    ) -> Answer {
        self.dispatch_to(at, source, conn, None, to)
    }

    /// The same; a new connection goes to this MX host, where one is said. Beyond the last, to
    /// the last.
    pub fn dispatch_to(
        &mut self,
        at: Ms,
        source: Source,
        conn: Option<ConnId>,
        host: Option<u16>,
        to: Addressee,
    ) -> Answer {
        let known = conn.and_then(|id| self.conns.get(&id).map(|conn| (id, *conn)));
        let (id, shard, is_new, tarpit) = match known {
            Some((id, conn)) => {
                let caller = self.caller(at, conn, Some(to.number));
                (id, conn.shard, false, self.tarpit(caller))
            }
            None => {
                let shard = match host {
                    Some(host) => host.min(self.shards - 1),
                    None => self.land(),
                };
                let conn = Conn { source: source.0, shard, carried: 0, fresh: true };
                let caller = self.caller(at, conn, Some(to.number));
                let tarpit = self.tarpit(caller);
                match self.admit(at, source, shard) {
                    Ok(id) => (id, shard, true, tarpit),
                    Err(cause) => return self.turned_away(cause, shard),
                }
            }
        };
        let (cause, stage) = self.message(at, id, to);
        let mut latency = if is_new { self.latency(self.connect) } else { Ms(0) };
        latency = latency + self.latency(self.txn);
        if !matches!(cause, Cause::Outage(_)) {
            latency = latency + tarpit;
        }
        let reply = self.words.of_cause(cause);
        let closes = reply.code().number() == 421;
        Answer { reply, stage, cause, conn: Some(id), shard, closes, latency }
    }

    /// MAIL on an open connection: the outage, and unless it is the first message the limits of
    /// connecting again. For those who speak SMTP step by step; the others dispatch.
    pub fn mail(&mut self, at: Ms, conn: ConnId) -> Verdict {
        let Some(open) = self.conns.get_mut(&conn) else { return Verdict::Ok };
        let is_first = open.fresh;
        open.fresh = false;
        let open = *open;
        let caller = self.caller(at, open, None);
        if let Some(outage) = self.outage(caller.at) {
            return self.refused(Cause::Outage(outage));
        }
        if is_first { Verdict::Ok } else { self.stage(LimitStage::Connect, caller) }
    }

    /// RCPT, after MAIL.
    pub fn rcpt(&mut self, at: Ms, conn: ConnId, to: Addressee) -> Verdict {
        let Some(open) = self.conns.get(&conn).copied() else { return Verdict::Ok };
        let caller = self.caller(at, open, Some(to.number));
        self.meters.iter_mut().filter(|meter| meter.is_for(open.source)).for_each(|meter| {
            meter.seen(caller);
        });
        let verdict = self.stage(LimitStage::Rcpt, caller);
        if verdict != Verdict::Ok {
            self.written_to(caller, to);
        }
        verdict
    }

    /// The final dot, after RCPT: the last limits, chance, and whether there is such a recipient.
    pub fn dot(&mut self, at: Ms, conn: ConnId, to: Addressee) -> Verdict {
        let Some(open) = self.conns.get(&conn).copied() else { return Verdict::Ok };
        let caller = self.caller(at, open, Some(to.number));
        let mut verdict = self.stage(LimitStage::Dot, caller);
        if verdict == Verdict::Ok
            && let Some(cause) = self.after_limits(to)
        {
            verdict = self.refused(cause);
        }
        if verdict == Verdict::Ok {
            for meter in self.meters.iter_mut().filter(|meter| meter.is_for(open.source)) {
                meter.accepted(caller);
            }
            if let Some(open) = self.conns.get_mut(&conn) {
                open.carried += 1;
            }
        }
        self.written_to(caller, to);
        verdict
    }

    /// A connection is closed: by the sender, or because a reply closed it and was seen.
    pub fn close(&mut self, at: Ms, conn: ConnId) {
        let Some(open) = self.conns.remove(&conn) else { return };
        let caller = self.caller(at, open, None);
        for meter in self.meters.iter_mut().filter(|meter| meter.is_for(open.source)) {
            meter.closed(caller);
        }
    }

    /// What it says when it takes a message.
    pub fn taken(&self) -> &Arc<Reply> {
        &self.words.accepted
    }

    /// How many connections are open from a source.
    pub fn open_connections(&self, source: Source) -> usize {
        self.conns.values().filter(|conn| conn.source == source.0).count()
    }

    /// How long a message takes, by chance, and longer near a quota with a tarpit: for those who
    /// speak SMTP step by step.
    pub fn message_latency(&mut self, at: Ms, conn: ConnId, to: Addressee) -> Ms {
        let tarpit = self.conns.get(&conn).copied().map_or(Ms(0), |open| {
            let caller = self.caller(at, open, Some(to.number));
            self.tarpit(caller)
        });
        self.latency(self.txn) + tarpit
    }

    fn message(&mut self, at: Ms, id: ConnId, to: Addressee) -> (Cause, Stage) {
        if let Verdict::Refused(cause, _) = self.mail(at, id) {
            return (cause, Stage::Mail);
        }
        if let Verdict::Refused(cause, _) = self.rcpt(at, id, to) {
            return (cause, Stage::Rcpt);
        }
        match self.dot(at, id, to) {
            Verdict::Ok => (Cause::Accepted, Stage::Dot),
            Verdict::Refused(cause, _) => (cause, Stage::Dot),
        }
    }

    /// Opens a connection, if outage and limits allow.
    fn admit(&mut self, at: Ms, source: Source, shard: u16) -> Result<ConnId, Cause> {
        let conn = Conn { source: source.0, shard, carried: 0, fresh: true };
        let caller = self.caller(at, conn, None);
        if let Some(outage) = self.outage(caller.at) {
            return Err(Cause::Outage(outage));
        }
        let asks =
            |meter: &Meter| meter.limit.stage == LimitStage::Connect && meter.is_for(source.0);
        self.asked(caller, asks)?;
        let id = ConnId(self.next_conn);
        self.next_conn += 1;
        self.conns.insert(id, conn);
        for meter in self.meters.iter_mut().filter(|meter| meter.is_for(source.0)) {
            meter.opened(caller);
        }
        Ok(id)
    }

    fn stage(&mut self, stage: LimitStage, caller: Caller) -> Verdict {
        match self.asked(caller, |meter| meter.asks_message(stage, caller.source)) {
            Ok(()) => Verdict::Ok,
            Err(cause) => self.refused(cause),
        }
    }

    /// Asks limits in their order until one refuses, then charges those that count attempts.
    fn asked(&mut self, caller: Caller, asks: impl Fn(&Meter) -> bool) -> Result<(), Cause> {
        let mut result = Ok(());
        for (index, meter) in self.meters.iter_mut().enumerate().filter(|(_, m)| asks(m)) {
            let boxed = match meter.judge(caller) {
                Judged::Admitted => continue,
                Judged::Refused => false,
                Judged::Boxed => true,
            };
            result = Err(Cause::Limit { index, kind: meter.limit.kind, boxed });
            break;
        }
        let counts = |meter: &&mut Meter| asks(meter) && meter.limit.charge == Charge::Attempted;
        self.meters.iter_mut().filter(counts).for_each(|meter| meter.charge(caller));
        result
    }

    /// What comes after all limits: chance, then whether there is such a recipient.
    fn after_limits(&mut self, to: Addressee) -> Option<Cause> {
        for (index, p) in self.temps.iter().enumerate() {
            if self.temp_chance.unit() < *p {
                return Some(Cause::Temp(index));
            }
        }
        (!to.known).then_some(Cause::UnknownRecipient)
    }

    fn written_to(&mut self, caller: Caller, to: Addressee) {
        for meter in self.meters.iter_mut().filter(|meter| meter.is_for(caller.source)) {
            meter.written_to(caller, to);
        }
    }

    fn tarpit(&mut self, caller: Caller) -> Ms {
        let asked = self.meters.iter_mut().filter(|meter| meter.is_for(caller.source));
        asked.fold(Ms(0), |sum, meter| sum + meter.tarpit(caller))
    }

    pub(crate) fn outage(&self, at: Ms) -> Option<usize> {
        self.outages.iter().position(|outage| outage.from <= at && at < outage.to)
    }

    /// Who asks; time never runs backwards.
    pub(crate) fn caller(&mut self, at: Ms, conn: Conn, rcpt: Option<u32>) -> Caller {
        self.now = self.now.max(at);
        let Conn { source, shard, carried, .. } = conn;
        Caller { at: self.now, source, shard, rcpt, carried }
    }

    fn refused(&self, cause: Cause) -> Verdict {
        Verdict::Refused(cause, self.words.of_cause(cause))
    }

    fn turned_away(&mut self, cause: Cause, shard: u16) -> Answer {
        let latency = self.latency(self.connect);
        let reply = self.words.of_cause(cause);
        Answer { reply, stage: Stage::Connect, cause, conn: None, shard, closes: true, latency }
    }

    fn land(&mut self) -> u16 {
        self.shard_chance.below(u64::from(self.shards)) as u16
    }

    fn latency(&mut self, mean: Ms) -> Ms {
        Ms((mean.0 as f64 * self.latency_chance.between(0.8, 1.3)).round() as u64)
    }
}

impl Words {
    fn of(scenario: &Scenario) -> Self {
        let site = &scenario.receiver;
        let said = |number, text: &str| {
            Arc::new(Reply::new(Code::new(number).expect("250 and 550 are codes"), text))
        };
        let limits = site.limits.iter().map(|limit| {
            let usual = Arc::new(limit.reply.clone());
            let boxed = limit.penalty.as_ref().and_then(|penalty| penalty.reply.clone());
            (Arc::clone(&usual), boxed.map_or(usual, Arc::new))
        });
        Self {
            accepted: said(250, "2.0.0 Ok: queued"),
            unknown: said(550, "5.1.1 Recipient address rejected: User unknown"),
            limits: limits.collect(),
            temps: site.temps.iter().map(|temp| Arc::new(temp.reply.clone())).collect(),
            outages: site.outages.iter().map(|outage| Arc::new(outage.reply.clone())).collect(),
        }
    }

    fn of_cause(&self, cause: Cause) -> Arc<Reply> {
        let reply = match cause {
            Cause::Accepted => Some(&self.accepted),
            Cause::Outage(index) => self.outages.get(index),
            Cause::Limit { index, boxed: false, .. } => {
                self.limits.get(index).map(|(usual, _)| usual)
            }
            Cause::Limit { index, boxed: true, .. } => {
                self.limits.get(index).map(|(_, boxed)| boxed)
            }
            Cause::Temp(index) => self.temps.get(index),
            Cause::UnknownRecipient => Some(&self.unknown),
        };
        Arc::clone(reply.unwrap_or(&self.unknown))
    }
}
