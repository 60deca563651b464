//! What is counted for one key of a limit, by kind.

mod asked;
mod bucket;
mod ewma;
mod fixed;
mod grow;
mod ratio;
mod sliding;
mod window;

use crate::ms::Ms;
use crate::quota::EPSILON;
use crate::scenario::Kind;

pub(crate) use asked::Asked;
use bucket::Bucket;
use ewma::Ewma;
use fixed::Fixed;
pub(crate) use grow::Grown;
pub(crate) use ratio::{Record, TooMuch};
use sliding::Sliding;

/// What is counted for one key.
#[derive(Debug, Clone)]
pub(crate) enum Counter {
    Sliding(Sliding),
    Fixed(Fixed),
    Bucket(Bucket),
    Ewma(Ewma),
    Grow(Grown),
    /// Connections open now.
    Conns(u32),
    /// What a connection carried is counted with the connection.
    PerConn,
    /// When an attempt was first seen.
    Greylist(Option<Ms>),
    Ratio(Record),
}

impl Counter {
    pub(crate) fn new(kind: &Kind, quota_at_start: f64) -> Self {
        match kind {
            Kind::Sliding => Self::Sliding(Sliding::default()),
            Kind::Fixed => Self::Fixed(Fixed::default()),
            Kind::Bucket { .. } => Self::Bucket(Bucket::full(quota_at_start)),
            Kind::Ewma => Self::Ewma(Ewma::default()),
            Kind::Grow(_) => Self::Grow(Grown::default()),
            Kind::Conns => Self::Conns(0),
            Kind::PerConn => Self::PerConn,
            Kind::Greylist { .. } => Self::Greylist(None),
            Kind::Ratio { .. } => Self::Ratio(Record::default()),
        }
    }

    /// Whether one more is admitted.
    pub(crate) fn admits(&mut self, asked: &Asked<'_>) -> bool {
        let room = asked.room(asked.at);
        match self {
            Self::Sliding(sliding) => sliding.count(asked.limit.window, asked.at) as f64 <= room,
            Self::Fixed(fixed) => fixed.count(asked.limit, asked.at) as f64 <= room,
            Self::Bucket(bucket) => bucket.tokens(asked) >= 1.0 - EPSILON,
            Self::Ewma(ewma) => {
                ewma.with_one_more(asked.limit.window, asked.at)
                    <= asked.quota_at(asked.at) + EPSILON
            }
            Self::Grow(grown) => {
                let (used, cap) = grown.standing(asked);
                used + 1.0 + f64::from(asked.reserve) <= cap + EPSILON
            }
            Self::Conns(open) => f64::from(*open) <= room,
            Self::PerConn => f64::from(asked.carried) <= room,
            Self::Greylist(first) => match asked.limit.kind {
                Kind::Greylist { min_delay, .. } => {
                    asked.whitelisted
                        || first.is_some_and(|first| asked.at.since(first) >= min_delay)
                }
                _ => true,
            },
            Self::Ratio(record) => record.blocked_until(asked.at).is_none(),
        }
    }

    /// Counts one.
    pub(crate) fn charge(&mut self, asked: &Asked<'_>) {
        match self {
            Self::Sliding(sliding) => sliding.charge(asked.at),
            Self::Fixed(fixed) => fixed.charge(asked.limit, asked.at),
            Self::Bucket(bucket) => bucket.charge(asked),
            Self::Ewma(ewma) => ewma.charge(asked.limit.window, asked.at),
            Self::Grow(grown) => grown.charge(asked),
            Self::Conns(_) | Self::PerConn | Self::Greylist(_) | Self::Ratio(_) => {}
        }
    }

    /// How much of the quota is used, before one more, and the quota.
    pub(crate) fn used(&mut self, asked: &Asked<'_>) -> (f64, f64) {
        let quota = asked.quota_at(asked.at);
        match self {
            Self::Sliding(sliding) => (sliding.count(asked.limit.window, asked.at) as f64, quota),
            Self::Fixed(fixed) => (fixed.count(asked.limit, asked.at) as f64, quota),
            Self::Bucket(bucket) => (quota - bucket.tokens(asked), quota),
            Self::Ewma(ewma) => (ewma.now(asked.limit.window, asked.at), quota),
            Self::Grow(grown) => grown.standing(asked),
            Self::Conns(open) => (f64::from(*open), quota),
            Self::PerConn => (f64::from(asked.carried), quota),
            Self::Greylist(_) | Self::Ratio(_) => (0.0, 0.0),
        }
    }

    /// The first moment after the one asked about when one more may be admitted, if nothing
    /// else is counted until then; `None` if that depends on something else than time.
    pub(crate) fn admits_from(&mut self, asked: &Asked<'_>) -> Option<Ms> {
        match self {
            Self::Sliding(sliding) => sliding.admits_from(asked),
            Self::Fixed(fixed) => fixed.admits_from(asked),
            Self::Bucket(bucket) => bucket.admits_from(asked),
            Self::Ewma(ewma) => ewma.admits_from(asked),
            Self::Grow(_) => Some(grow::next_boundary(asked.limit, asked.at)),
            Self::Conns(_) | Self::PerConn => asked.quota.next_turn(asked.at),
            Self::Greylist(first) => match asked.limit.kind {
                Kind::Greylist { min_delay, .. } => first.map(|first| first + min_delay),
                _ => None,
            },
            Self::Ratio(record) => record.blocked_until(asked.at),
        }
    }
}
