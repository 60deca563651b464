//! How much a limit allows at a moment: base, override or change, times what the sender lacks
//! and the time of day.

use std::collections::BTreeMap;

use crate::ms::Ms;
use crate::scenario::{Change, Limit, TimeOfDay};

/// Binary fractions are not exact: 3 × 0.1 must still admit 0.3.
pub(crate) const EPSILON: f64 = 1e-9;

/// The quota of a limit over time. Real, never rounded.
#[derive(Debug, Clone)]
pub(crate) struct Quota {
    base: f64,
    overrides: BTreeMap<u16, f64>,
    changes: Vec<Change>,
    identity: f64,
    tod: Vec<TimeOfDay>,
    start_tod: Ms,
}

impl Quota {
    pub(crate) fn new(limit: &Limit, identity: &BTreeMap<String, bool>, start_tod: Ms) -> Self {
        let lacks = |name: &str| identity.get(name) == Some(&false);
        let factors = limit.identity.iter().filter(|(name, _)| lacks(name));
        Self {
            base: limit.quota,
            overrides: limit.overrides.iter().map(|one| (one.ip, one.quota)).collect(),
            changes: limit.changes.clone(),
            identity: factors.map(|(_, factor)| factor).product(),
            tod: limit.tod.clone(),
            start_tod,
        }
    }

    /// How much is allowed to a source; other senders have no override of ours.
    pub(crate) fn at(&self, source: Option<u16>, at: Ms) -> f64 {
        let own = source.and_then(|source| self.overrides.get(&source).copied());
        let changed = || {
            let passed = self.changes.partition_point(|change| change.at <= at);
            passed.checked_sub(1).and_then(|last| self.changes.get(last)).map(|last| last.quota)
        };
        own.or_else(changed).unwrap_or(self.base) * self.factor(at)
    }

    /// What base and refill are multiplied by.
    pub(crate) fn factor(&self, at: Ms) -> f64 {
        let now = time_of_day(self.start_tod, at);
        let of_day = self.tod.iter().filter(|tod| is_within(now, tod.from, tod.to));
        self.identity * of_day.map(|tod| tod.factor).product::<f64>()
    }

    /// The first moment after this one when the quota may be another.
    pub(crate) fn next_turn(&self, after: Ms) -> Option<Ms> {
        let passed = self.changes.partition_point(|change| change.at <= after);
        let change = self.changes.get(passed).map(|change| change.at);
        let now = time_of_day(self.start_tod, after).0;
        let until = |turn: Ms| match (turn.0 % Ms::DAY.0 + Ms::DAY.0 - now) % Ms::DAY.0 {
            0 => after + Ms::DAY,
            wait => after + Ms(wait),
        };
        let turns = self.tod.iter().flat_map(|tod| [until(tod.from), until(tod.to)]);
        turns.chain(change).min()
    }
}

/// The time of day at a moment of a run that started at another.
pub(crate) fn time_of_day(start_tod: Ms, at: Ms) -> Ms {
    Ms((start_tod.0 + at.0) % Ms::DAY.0)
}

/// Whether a time of day is in `[from, to)`, past midnight where `from` is the later one.
pub(crate) fn is_within(now: Ms, from: Ms, to: Ms) -> bool {
    if from <= to { from <= now && now < to } else { from <= now || now < to }
}
