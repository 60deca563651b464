//! A look at what nobody outside can see: whether a message would be taken, and from when on.
//! Only the oracle may look; looking counts nothing.

use crate::answer::{Answer, ConnId, Source};
use crate::ms::Ms;
use crate::receiver::{Addressee, Conn, Receiver};
use crate::scenario::{Kind, LimitStage};

/// What is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Asking {
    /// Who would send.
    pub source: Source,
    /// The open connection it would be sent on; `None`: a new one.
    pub conn: Option<ConnId>,
    /// Whom the message is for.
    pub to: Addressee,
    /// How many more messages windowed limits must have room for afterwards (sliding, fixed
    /// and grow, without a counter for each recipient): `n + 1 + reserve ≤ Q`.
    pub reserve: u32,
}

/// Whether there is room for a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// Every MX host would take it now.
    Now,
    /// Not before this moment, which is later than now. It is the exact one if one limit is in
    /// the way, its quota stays and nobody else sends until then; else look again then.
    From(Ms),
    /// Time alone makes none: a connection must close, or never.
    Unknown,
}

/// How much of a limit is used.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Usage {
    /// Counted now; of a bucket, the tokens that are missing.
    pub used: f64,
    /// The quota now; of a growing limit, its cap.
    pub quota: f64,
    /// Until when the key is in the box, if it is.
    pub boxed_until: Option<Ms>,
}

impl Receiver {
    /// Whether the receiver would take a message now on every MX host. Random refusals,
    /// unknown recipients and greylisting are not looked at: who is greylisted sends once and
    /// comes back after the delay.
    pub fn would_take(&mut self, now: Ms, asking: Asking) -> Room {
        let mut from = None;
        if let Some(outage) = self.outage(now.max(self.now)) {
            from = self.outages.get(outage).map(|outage| outage.to);
        }
        let open = asking.conn.and_then(|id| self.conns.get(&id).copied());
        let source = asking.source.0;
        for shard in 0..self.shards {
            let new = Conn { source, shard, carried: 0, fresh: true };
            let conn = open.map_or(new, |open| Conn { shard, ..open });
            let caller = self.caller(now, conn, Some(asking.to.number));
            for meter in self.meters.iter_mut().filter(|meter| meter.is_for(source)) {
                let limit = &meter.limit;
                let is_asked = match (limit.stage, open) {
                    (LimitStage::Connect, Some(open)) => !open.fresh && !limit.is_of_connections(),
                    _ => true,
                };
                let is_seen = shard == 0 || limit.per_shard;
                if !is_asked || !is_seen || matches!(limit.kind, Kind::Greylist { .. }) {
                    continue;
                }
                let reserve = if limit.keeps_reserve() { asking.reserve } else { 0 };
                match meter.look(caller, reserve) {
                    Ok(()) => {}
                    Err(None) => return Room::Unknown,
                    Err(Some(at)) => from = from.max(Some(at)),
                }
            }
        }
        match from {
            None => Room::Now,
            Some(at) => Room::From(at.max(now + Ms(1))),
        }
    }

    /// How much of the limit with this number is used by a source on an MX host. Not for limits
    /// by recipient or connection, nor for numbers there are none of.
    pub fn usage(&mut self, now: Ms, limit: usize, source: Source, shard: u16) -> Option<Usage> {
        let conn = Conn { source: source.0, shard, carried: 0, fresh: true };
        let caller = self.caller(now, conn, None);
        let meter = self.meters.get_mut(limit).filter(|meter| !meter.limit.key.rcpt)?;
        let (used, quota) = meter.used(caller);
        Some(Usage { used, quota, boxed_until: meter.boxed_until(caller) })
    }

    /// The limit behind an answer by its number, and until when its box holds the source; none
    /// where no limit is behind it, or one without a penalty.
    pub fn boxed(&mut self, now: Ms, source: Source, answer: &Answer) -> Option<(usize, Ms)> {
        let limit = answer.cause.limit()?;
        self.meters.get(limit).filter(|meter| meter.limit.penalty.is_some())?;
        let until = self.usage(now, limit, source, answer.shard)?.boxed_until?;
        Some((limit, until))
    }
}
