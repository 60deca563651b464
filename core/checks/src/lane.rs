//! What a lane's own figures say: how often it is refused, how it tries again, what it shows.
//!
//! Whoever has counted feeds what was counted; a check that nobody feeds is told as that.

mod catalogue;
mod judged;

use postlane_mail::Span;

use crate::check::{Check, Finding, Found};
use catalogue::CHECKS;

/// What was counted of one lane, as far as it was. Everything may be missing.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LaneFigures {
    /// In the last hour.
    pub hour: Option<Attempts>,
    /// In the last 24 hours.
    pub day: Option<Attempts>,
    /// Recipients that all sources together reached at the provider in the last 24 hours.
    pub reached_by_all: Option<u64>,
    /// Attempts in the same hour of earlier weeks, one for each week that there was mail in.
    pub same_hour_before: Vec<u64>,
    /// How old mail is when it is deferred, as far as it was seen.
    pub age: Option<Span>,
    /// How long mail may wait before it is given up.
    pub life: Option<Span>,
    /// Sessions that are open, and how many may be.
    pub sessions: Option<(u64, u64)>,
    /// What went today under a restart plan, and what may.
    pub plan: Option<(u64, u64)>,
    /// By how many standard errors it is refused more often than the pool's others.
    pub z: Option<f64>,
    /// What the diagnosis calls it.
    pub class: Option<String>,
    /// Attempts of the last 24 hours that were looked at one by one; none where none were.
    pub looked_at: Option<LookedAt>,
}

/// Attempts, and what became of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Attempts {
    /// First attempts.
    pub fresh: u64,
    /// First attempts that were put off.
    pub fresh_deferred: u64,
    /// All attempts, retries and those without a session, too.
    pub all: u64,
    /// Recipients that were taken.
    pub accepted: u64,
    /// Recipients that were refused for good.
    pub bounced: u64,
    /// Recipients that were refused, since nobody has that mailbox.
    pub no_mailbox: u64,
    /// Refusals of any kind.
    pub refused: u64,
    /// Refusals that no rule knows.
    pub unknown: u64,
    /// Refusals that name a list of the provider's own, or of others.
    pub listed: u64,
}

/// Single attempts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LookedAt {
    /// How many.
    pub attempts: u64,
    /// How many of them were in an encrypted session.
    pub encrypted: u64,
    /// How many of them were held to a policy of the domain's (MTA-STS, DANE).
    pub held_to_policy: u64,
    /// Deferrals among them.
    pub deferred: u64,
    /// Deferrals that lack what a postmaster asks for, with what they lack first.
    pub incomplete: u64,
    /// What the first of those lacks.
    pub lacks: &'static str,
    /// Names that were given with EHLO.
    pub greeted_as: Vec<String>,
}

/// A check of a lane.
pub(crate) struct LaneCheck {
    pub(crate) check: Check,
    pub(crate) run: fn(&LaneFigures) -> Option<Found>,
}

/// What there is to be looked at of a lane.
pub fn lane_checks() -> impl Iterator<Item = &'static Check> {
    CHECKS.iter().map(|each| &each.check)
}

/// Looks at a lane's figures. What nobody has counted is skipped.
pub fn check_lane(figures: &LaneFigures) -> Vec<Finding> {
    let find = |each: &'static LaneCheck| {
        let unfed = || each.check.finding(Found::unfed());
        each.check
            .open()
            .unwrap_or_else(|| (each.run)(figures).map_or_else(unfed, |f| each.check.finding(f)))
    };
    CHECKS.iter().map(find).collect()
}

impl Found {
    fn unfed() -> Self {
        Self::new(crate::check::Outcome::Skip, "nothing was counted")
    }
}

impl LaneCheck {
    /// One that nobody here can answer.
    const fn left_open(check: Check, why: &'static str) -> Self {
        Self { check: check.left_open(why), run: |_| None }
    }
}

#[cfg(test)]
mod tests;
