//! What an operator has decided: sources, pools, ceilings, the retry schedule.

use std::collections::BTreeMap;

use postlane_lanes::{Ceilings, Learning};
use postlane_mail::{Chance, Family, Span};

use crate::engagement::Engagement;
use crate::names::{PoolId, ProviderId, SourceId};

/// The engine's settings. Bounds are checked where they are read from a file.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The addresses we send from. Never empty.
    pub sources: Vec<Source>,
    /// Sets of sources; the first is what nobody's mail goes by. Never empty.
    pub pools: Vec<Pool>,
    /// A lane's ceilings where its provider has none of its own.
    pub ceilings: Ceilings,
    /// Ceilings of providers.
    pub provider_ceilings: BTreeMap<ProviderId, Ceilings>,
    /// Whether lanes find out what their providers take.
    pub learning: Learning,
    /// Whether what lanes have learned is kept.
    pub keeping: Keeping,
    /// In which order recipients who are quiet come.
    pub engagement: Engagement,
    /// Families that are off for a provider.
    pub families_off: BTreeMap<ProviderId, Vec<Family>>,
    /// When a deferred recipient is tried again.
    pub retry: RetrySchedule,
    /// How long a message may wait, by stream, from acceptance.
    pub expires_after: [Span; 3],
    /// When the sender is told that a message is late; never, when there is none.
    pub delay_notice_after: Option<Span>,
    /// Recipients of a message in one transaction, at most (RFC 5321 §4.5.3.1.8: a server
    /// takes 100 at least).
    pub transaction_recipients_max: u16,
    /// Sessions open or opening in all.
    pub sessions_max: u32,
    /// An idle session is closed after this long.
    pub session_idle: Span,
    /// Transactions given to a session at once: 2 chains the next behind the last dot.
    pub session_depth: u8,
}

/// Whether what lanes have learned is kept, as they learn it: [`crate::Output::Keep`]. What
/// operators order is kept always.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Keeping {
    /// It is, for the next start.
    #[default]
    On,
    /// There is no next start.
    Off,
}

/// An address we send from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source {
    /// Its number.
    pub id: SourceId,
    /// Its family.
    pub family: Family,
}

/// A set of sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    /// Its number.
    pub id: PoolId,
    /// Its sources with their weights, 1 to 1000: how often one is taken before another.
    pub sources: Vec<(SourceId, u16)>,
}

/// When a deferred recipient is tried again: `first`, then each wait `factor_percent` of the
/// last, never over `longest`; each spread by up to `jitter_percent` either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetrySchedule {
    /// The wait after the first deferral.
    pub first: Span,
    /// 100 repeats the same wait, 200 doubles it.
    pub factor_percent: u16,
    /// No wait is longer.
    pub longest: Span,
    /// 0 to 50.
    pub jitter_percent: u8,
}

impl RetrySchedule {
    /// The wait after that many deferrals, spread by chance so that what was deferred together
    /// does not come back together.
    pub(crate) fn wait(&self, attempts: u16, chance: &mut Chance) -> Span {
        let mut wait = self.first.0.min(self.longest.0);
        for _ in 1..attempts {
            if wait >= self.longest.0 || self.factor_percent <= 100 {
                break;
            }
            wait = (wait.saturating_mul(u64::from(self.factor_percent)) / 100).min(self.longest.0);
        }
        let jitter = wait / 100 * u64::from(self.jitter_percent.min(50));
        Span(wait - jitter + chance.below(2 * jitter + 1))
    }
}
