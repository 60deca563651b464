//! How unevenly refusals come along time.
//!
//! Refusals come in waves, a lane at a time, so they are no independent draws: a test that took
//! them for such would find a difference between any two sources.

use std::collections::BTreeMap;

use postlane_mail::{Instant, Span};

use crate::figures::is_trouble;
use crate::picture::{Kind, Tally, Turn};
use crate::share::Share;

/// Attempts and trouble by slot.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Waves {
    slots: BTreeMap<Instant, Share>,
    all: Share,
    fresh: u64,
}

impl Waves {
    pub(crate) fn of<'t>(tallies: impl IntoIterator<Item = &'t Tally>, slot: Span) -> Self {
        let length = slot.0.max(1);
        let mut waves = Self::default();
        for tally in tallies.into_iter().filter(|tally| tally.kind != Kind::Expired) {
            let at = Instant(tally.at.0 / length * length);
            let some = if is_trouble(tally) { tally.count } else { 0 };
            let one = Share { some, of: tally.count };
            add(waves.slots.entry(at).or_default(), one);
            add(&mut waves.all, one);
            if tally.turn == Turn::Fresh {
                waves.fresh = waves.fresh.saturating_add(tally.count);
            }
        }
        waves
    }

    /// Counts all that stands in others.
    pub(crate) fn join(&mut self, others: &Self) {
        for (at, share) in &others.slots {
            add(self.slots.entry(*at).or_default(), *share);
        }
        add(&mut self.all, others.all);
        self.fresh = self.fresh.saturating_add(others.fresh);
    }

    /// What is left when others that were joined are taken out.
    pub(crate) fn without(&self, others: &Self) -> Self {
        let mut left = self.clone();
        for (at, share) in &others.slots {
            take(left.slots.entry(*at).or_default(), *share);
        }
        take(&mut left.all, others.all);
        left.fresh = left.fresh.saturating_sub(others.fresh);
        left
    }

    pub(crate) fn trouble_share(&self) -> Share {
        self.all
    }

    /// First attempts.
    pub(crate) fn fresh(&self) -> u64 {
        self.fresh
    }

    /// How much more unevenly refusals come than chance alone would have it: Pearson's statistic
    /// for one share in all slots, divided by its degrees of freedom; 1 at least, and 1 where
    /// fewer than three slots have attempts.
    pub(crate) fn dispersion(&self) -> f64 {
        let share = self.all.value();
        let tried: Vec<&Share> = self.slots.values().filter(|slot| slot.of > 0).collect();
        if tried.len() < 3 || share <= 0.0 || share >= 1.0 {
            return 1.0;
        }
        let pearson = |slot: &&Share| {
            let n = slot.of as f64;
            let off = slot.some as f64 - n * share;
            off * off / (n * share * (1.0 - share))
        };
        let sum: f64 = tried.iter().map(pearson).sum();
        (sum / (tried.len() - 1) as f64).max(1.0)
    }
}

fn add(sum: &mut Share, more: Share) {
    sum.some = sum.some.saturating_add(more.some);
    sum.of = sum.of.saturating_add(more.of);
}

fn take(sum: &mut Share, less: Share) {
    sum.some = sum.some.saturating_sub(less.some);
    sum.of = sum.of.saturating_sub(less.of);
}
