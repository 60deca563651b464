//! What an operator, or what is known of a provider, says about mail to it: ceilings, how long
//! a deferred message waits, when new mail is held back.
//!
//! Data only. What is not said is `None`: what is said for all, or what comes with the program,
//! stands in. A ceiling binds the sum over all sources, unless it is one for each source. Every
//! message budget counts MAIL transactions; recipients have a cap of their own beside it.

mod bands;
mod defaults;

use std::num::{NonZeroU16, NonZeroU32};

use postlane_mail::{Rate, Span};

use crate::ceilings::Ceilings;
use crate::restart::Ladder;

pub use bands::{Bands, BandsError, Share};
pub use defaults::{Defaults, DefaultsError, Fact, ProviderDefaults, Teller};

/// What one section of a configuration says, or all of them together about one provider.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rules {
    /// What binds the sum over all sources.
    pub together: Ceiling,
    /// What binds each source by itself.
    pub per_source: Ceiling,
    /// Transactions on one connection before it is closed.
    pub messages_per_connection: Option<NonZeroU32>,
    /// Recipients of one message in one transaction.
    pub recipients_per_transaction: Option<NonZeroU16>,
    /// A deferred message is not tried again before so long.
    pub retry_backoff: Option<Span>,
    /// A message is given up so long after its acceptance, if its stream's life is not over before.
    pub retry_max_age: Option<Span>,
    /// Messages that were never tried wait while one that was deferred is older than this.
    pub hold_new_when_deferred_older_than: Option<Span>,
    /// Day caps after a provider has shut its door.
    pub restart: Option<Ladder>,
    /// Between which shares of fresh deferrals the pace stays as it is.
    pub bands: Option<Bands>,
}

/// Ceilings on how many at once and how many in a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ceiling {
    /// Connections open or opening at once.
    pub connections: Option<NonZeroU16>,
    /// Transactions in a time.
    pub rate: Option<Rate>,
}

/// Two things that are said and do not go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Contradiction {
    /// One source may have more connections than all sources together.
    ConnectionsOfOneAboveSum,
    /// One source may send more in a time than all sources together.
    RateOfOneAboveSum,
    /// A deferred message would be given up before it was tried again.
    BackoffAboveAge,
    /// New mail would be held by every message that was deferred once: none is tried again before
    /// it is old enough to hold up the others.
    HoldBelowBackoff,
    /// No message gets as old as it must be to hold up others.
    HoldAboveAge,
}

impl Rules {
    /// These, and where they are silent, the others.
    #[must_use]
    pub fn over(&self, others: &Self) -> Self {
        let or = |caps: Ceiling, others: Ceiling| Ceiling {
            connections: caps.connections.or(others.connections),
            rate: caps.rate.or(others.rate),
        };
        Self {
            together: or(self.together, others.together),
            per_source: or(self.per_source, others.per_source),
            messages_per_connection: self
                .messages_per_connection
                .or(others.messages_per_connection),
            recipients_per_transaction: self
                .recipients_per_transaction
                .or(others.recipients_per_transaction),
            retry_backoff: self.retry_backoff.or(others.retry_backoff),
            retry_max_age: self.retry_max_age.or(others.retry_max_age),
            hold_new_when_deferred_older_than: self
                .hold_new_when_deferred_older_than
                .or(others.hold_new_when_deferred_older_than),
            restart: self.restart.clone().or_else(|| others.restart.clone()),
            bands: self.bands.or(others.bands),
        }
    }

    /// Both: of two ceilings the lower one.
    #[must_use]
    pub fn and(&self, others: &Self) -> Self {
        let both = |caps: Ceiling, others: Ceiling| Ceiling {
            connections: lower(caps.connections, others.connections),
            rate: slower(caps.rate, others.rate),
        };
        let mut rules = self.over(others);
        rules.together = both(self.together, others.together);
        rules.per_source = both(self.per_source, others.per_source);
        rules.messages_per_connection =
            lower(self.messages_per_connection, others.messages_per_connection);
        rules.recipients_per_transaction =
            lower(self.recipients_per_transaction, others.recipients_per_transaction);
        rules
    }

    /// What of these does not go together.
    pub fn contradictions(&self) -> impl Iterator<Item = Contradiction> {
        let (one, sum) = (self.per_source, self.together);
        let hold = self.hold_new_when_deferred_older_than;
        let above = |a: Option<Span>, b: Option<Span>| a.zip(b).is_some_and(|(a, b)| a > b);
        let connections = one.connections.zip(sum.connections).is_some_and(|(one, sum)| one > sum);
        let rate = one.rate.zip(sum.rate).is_some_and(|(one, sum)| faster(one, sum));
        let found = [
            (connections, Contradiction::ConnectionsOfOneAboveSum),
            (rate, Contradiction::RateOfOneAboveSum),
            (above(self.retry_backoff, self.retry_max_age), Contradiction::BackoffAboveAge),
            (above(self.retry_backoff, hold), Contradiction::HoldBelowBackoff),
            (above(hold, self.retry_max_age), Contradiction::HoldAboveAge),
        ];
        found.into_iter().filter_map(|(is_so, what)| is_so.then_some(what))
    }

    /// What each source's lane keeps to; `otherwise` where nothing is said.
    pub fn ceilings(&self, otherwise: Ceilings) -> Ceilings {
        let connections = lower(self.per_source.connections, self.together.connections);
        Ceilings {
            connections: connections.map_or(otherwise.connections, NonZeroU16::get),
            rate: slower(self.per_source.rate, self.together.rate).or(otherwise.rate),
            session_messages: self
                .messages_per_connection
                .map_or(otherwise.session_messages, NonZeroU32::get),
        }
    }
}

/// Whether a rate allows more than another does in the same time, on the average.
pub fn faster(rate: Rate, than: Rate) -> bool {
    let times = |rate: Rate, per: Span| u128::from(rate.messages()) * u128::from(per.0);
    times(rate, than.per()) > times(than, rate.per())
}

fn lower<T: Ord>(one: Option<T>, other: Option<T>) -> Option<T> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

fn slower(one: Option<Rate>, other: Option<Rate>) -> Option<Rate> {
    match (one, other) {
        (Some(one), Some(other)) => Some(if faster(one, other) { other } else { one }),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests;
