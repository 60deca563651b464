//! One limit: which keys its kind needs, and which do not go together.

use std::ops::Range;

use toml::Spanned;

use super::{ENTRIES_MAX, Faults, MESSAGES_MAX, reply, share};
use crate::ms::Ms;
use crate::scenario::file;
use crate::scenario::{
    Background, Change, Charge, Extend, Grow, Key, Kind, Limit, LimitStage, Meta, Override,
    Penalty, Sender, Tarpit, TimeOfDay, Unit,
};

/// A quota nobody reaches.
const QUOTA_MAX: f64 = 1e9;

pub(super) fn limit(
    faults: &mut Faults<'_>,
    written: Spanned<file::Limit>,
    sender: &Sender,
    meta: &Meta,
) -> Limit {
    let span = written.span();
    let written = written.into_inner();
    let mut one = One { faults, span: &span, sender, meta };
    one.words(&written);
    let kind = one.kind(&written);
    let limit = Limit {
        kind,
        key: one.key(&written.key),
        unit: one.unit(written.unit.as_deref()),
        charge: one.charge(written.charge.as_deref()),
        quota: one.quota(&written, kind),
        window: written.window.unwrap_or(Ms::DAY),
        phase: written.phase,
        stage: one.stage(written.stage.as_deref()),
        reply: reply(one.faults, &written.reply, &span),
        per_shard: written.per_shard,
        only_ip: written.only_ip.as_deref().and_then(|ip| one.source(ip)),
        overrides: one.overrides(&written.overrides),
        changes: one.changes(&written.change),
        tod: one.tod(&written.tod),
        background: written.background.as_ref().map(|other| one.background(other)),
        penalty: written.penalty.as_ref().map(|penalty| one.penalty(penalty)),
        tarpit: written.tarpit.as_ref().map(|tarpit| one.tarpit(tarpit)),
        id: written.id,
        identity: written.identity,
    };
    one.together(&limit);
    limit
}

/// The limit that is being read.
struct One<'a, 't> {
    faults: &'a mut Faults<'t>,
    span: &'a Range<usize>,
    sender: &'a Sender,
    meta: &'a Meta,
}

impl One<'_, '_> {
    fn fault(&mut self, what: impl Into<String>) {
        self.faults.add(self.span, what);
    }

    fn words(&mut self, written: &file::Limit) {
        if written.id.is_empty()
            || written.id.len() > 64
            || written.id.chars().any(char::is_control)
        {
            self.fault("the id is no name: write 1 to 64 letters, digits and hyphens");
        }
        for (entries, what) in [
            (written.overrides.len(), "overrides"),
            (written.change.len(), "changes"),
            (written.tod.len(), "times of day"),
            (written.identity.len(), "properties of identity"),
        ] {
            self.faults.few(entries, ENTRIES_MAX, self.span, what);
        }
        for factor in written.identity.values() {
            self.amount(*factor, "a factor of identity");
        }
    }

    fn amount(&mut self, value: f64, name: &str) {
        if !(0.0..=QUOTA_MAX).contains(&value) {
            self.fault(format!("{name} is no amount: write a number from 0 to 1000000000"));
        }
    }

    fn need<T: Copy + Default>(&mut self, value: Option<T>, name: &str, kind: &str) -> T {
        value.unwrap_or_else(|| {
            self.fault(format!("a limit of kind {kind} needs {name}: add it"));
            T::default()
        })
    }

    fn kind(&mut self, written: &file::Limit) -> Kind {
        match written.kind.as_str() {
            "sliding" => Kind::Sliding,
            "fixed" => Kind::Fixed,
            "bucket" => match written.rate {
                Some(rate) => Kind::Bucket { rate },
                None => {
                    self.fault(
                        "a limit of kind bucket needs a rate: add rate = \"1/s\" or another",
                    );
                    Kind::Sliding
                }
            },
            "ewma" => Kind::Ewma,
            "grow" => Kind::Grow(self.grow(written)),
            "conns" => Kind::Conns,
            "perconn" => Kind::PerConn,
            "greylist" => Kind::Greylist {
                min_delay: written.min_delay.unwrap_or(Ms::from_min(5)),
                whitelist_after: written.whitelist_after,
            },
            "ratio" => {
                let ratio = self.need(written.ratio, "ratio", "ratio");
                share(self.faults, ratio, self.span, "ratio");
                let min_n = self.need(written.min_n, "min_n", "ratio");
                let min_delay = written.min_delay.unwrap_or(Ms::from_h(1));
                Kind::Ratio { ratio, min_n, min_delay }
            }
            other => {
                self.fault(format!(
                    "there is no kind \"{other}\": write sliding, fixed, bucket, ewma, grow, conns, perconn, greylist or ratio"
                ));
                Kind::Sliding
            }
        }
    }

    fn grow(&mut self, written: &file::Limit) -> Grow {
        let grow = Grow {
            up: self.need(written.up, "up", "grow"),
            down: self.need(written.down, "down", "grow"),
            max: self.need(written.max, "max", "grow"),
            clean: self.need(written.clean, "clean", "grow"),
            dirty: self.need(written.dirty, "dirty", "grow"),
            min_use: self.need(written.min_use, "min_use", "grow"),
        };
        for (value, name) in [(grow.up, "up"), (grow.down, "down"), (grow.max, "max")] {
            self.amount(value, name);
        }
        for (value, name) in
            [(grow.clean, "clean"), (grow.dirty, "dirty"), (grow.min_use, "min_use")]
        {
            self.amount(value, name);
        }
        grow
    }

    fn key(&mut self, written: &[String]) -> Key {
        let mut key = Key::default();
        for part in written.iter().take(ENTRIES_MAX) {
            match part.as_str() {
                "ip" => key.ip = true,
                "rcpt" => key.rcpt = true,
                "sender_domain" => {}
                other => self.fault(format!(
                    "\"{other}\" is nothing to count by: write ip, sender_domain or rcpt"
                )),
            }
        }
        key
    }

    fn unit(&mut self, written: Option<&str>) -> Unit {
        match written {
            None | Some("message") => Unit::Message,
            Some("connection") => Unit::Connection,
            Some(other) => {
                self.fault(format!("there is no unit \"{other}\": write message or connection"));
                Unit::Message
            }
        }
    }

    fn charge(&mut self, written: Option<&str>) -> Charge {
        match written {
            None | Some("accepted") => Charge::Accepted,
            Some("attempted") => Charge::Attempted,
            Some(other) => {
                self.fault(format!("there is no charge \"{other}\": write accepted or attempted"));
                Charge::Accepted
            }
        }
    }

    fn stage(&mut self, written: Option<&str>) -> LimitStage {
        match written {
            None | Some("rcpt") => LimitStage::Rcpt,
            Some("connect") => LimitStage::Connect,
            Some("dot") => LimitStage::Dot,
            Some(other) => {
                self.fault(format!("there is no stage \"{other}\": write connect, rcpt or dot"));
                LimitStage::Rcpt
            }
        }
    }

    fn quota(&mut self, written: &file::Limit, kind: Kind) -> f64 {
        if matches!(kind, Kind::Greylist { .. } | Kind::Ratio { .. }) {
            return written.quota.unwrap_or_default();
        }
        let quota = self.need(written.quota, "a quota", kind.as_str());
        self.amount(quota, "quota");
        quota
    }

    fn source(&mut self, name: &str) -> Option<u16> {
        let place = self.sender.ips.iter().position(|ip| ip == name);
        if place.is_none() {
            self.fault(format!("the sender has no source \"{name}\": write one of its ips"));
        }
        place.and_then(|place| u16::try_from(place).ok())
    }

    fn overrides(&mut self, written: &[file::Override]) -> Vec<Override> {
        let mut overrides = Vec::new();
        for one in written.iter().take(ENTRIES_MAX) {
            self.amount(one.quota, "a quota");
            overrides.extend(self.source(&one.ip).map(|ip| Override { ip, quota: one.quota }));
        }
        overrides
    }

    fn changes(&mut self, written: &[file::Change]) -> Vec<Change> {
        for one in written.iter().take(ENTRIES_MAX) {
            self.amount(one.quota, "a quota");
        }
        let mut changes: Vec<_> =
            written.iter().map(|one| Change { at: one.at, quota: one.quota }).collect();
        changes.sort_by_key(|change| change.at);
        changes
    }

    fn tod(&mut self, written: &[file::TimeOfDay]) -> Vec<TimeOfDay> {
        let mut tod = Vec::new();
        for one in written.iter().take(ENTRIES_MAX) {
            self.time_of_day(one.from, one.to);
            self.amount(one.factor, "factor");
            tod.push(TimeOfDay { from: one.from, to: one.to, factor: one.factor });
        }
        tod
    }

    fn time_of_day(&mut self, from: Ms, to: Ms) {
        if from > Ms::DAY || to > Ms::DAY {
            self.fault("from and to are times of day: write them from 0h to 24h");
        }
    }

    fn background(&mut self, written: &file::Background) -> Background {
        let (from, to) = (written.from.unwrap_or_default(), written.to.unwrap_or(Ms::DAY));
        self.time_of_day(from, to);
        let longest = self.meta.horizon.max(Ms::from_h(1));
        if written.rate.per_ms() * longest.0 as f64 > MESSAGES_MAX {
            self.fault("other senders send more than 2,000,000 messages: write a lower rate");
        }
        Background { rate: written.rate, from, to }
    }

    fn penalty(&mut self, written: &file::Penalty) -> Penalty {
        let extend = match written.extend.as_deref() {
            None | Some("none") => Extend::None,
            Some("reset") => Extend::Reset,
            Some("double") => Extend::Double,
            Some(other) => {
                self.fault(format!("there is no extend \"{other}\": write none, reset or double"));
                Extend::None
            }
        };
        if written.after == 0 {
            self.fault("a penalty after no refusal is an outage: write at least after = 1");
        }
        Penalty {
            after: written.after,
            within: written.within,
            hold: written.hold,
            extend,
            max: written.max.unwrap_or(Ms::DAY),
            reply: written.reply.as_deref().map(|text| reply(self.faults, text, self.span)),
        }
    }

    fn tarpit(&mut self, written: &file::Tarpit) -> Tarpit {
        share(self.faults, written.from, self.span, "tarpit.from");
        if written.max_delay > Ms::from_h(1) {
            self.fault("nobody waits longer than an hour: write a shorter max_delay");
        }
        Tarpit { from: written.from, max_delay: written.max_delay }
    }

    /// What must not be written together.
    fn together(&mut self, limit: &Limit) {
        if limit.window == Ms(0) {
            self.fault("a window of no time counts nothing: write one above 0");
        }
        if matches!(limit.kind, Kind::Grow(_)) && limit.window < Ms::from_min(1) {
            self.fault("a cap that grows is looked at by the day: write a window of 1m or more");
        }
        if limit.is_of_connections() && limit.stage != LimitStage::Connect {
            self.fault("connections are counted when they open: write stage = \"connect\"");
        }
        if limit.stage == LimitStage::Connect && limit.key.rcpt {
            self.fault(
                "nobody knows the recipient when connecting: write stage = \"rcpt\" or another key",
            );
        }
        let counts_messages =
            matches!(limit.kind, Kind::PerConn | Kind::Greylist { .. } | Kind::Ratio { .. });
        if limit.unit == Unit::Connection && counts_messages {
            self.fault(format!(
                "a limit of kind {} is about messages: remove unit",
                limit.kind.as_str()
            ));
        }
        if limit.background.is_some() {
            let can = matches!(limit.kind, Kind::Sliding | Kind::Fixed | Kind::Bucket { .. });
            if !can || limit.key.rcpt {
                self.fault(
                    "other senders are counted by sliding, fixed and bucket limits without a counter for each recipient: remove background",
                );
            }
        }
    }
}
