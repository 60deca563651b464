//! What lanes have come to believe, taken from one run to the next.

use postlane_engine::{Engine, Recalled, Scope};
use postlane_lanes::{Learned, LearnedQuota, Memory};
use postlane_mail::Instant;

use crate::run::{Believed, BelievedQuota};

/// A quota that has been seen to hold so often is relied on ([`LearnedQuota::support`]).
const RELIED_ON: u32 = 2;

/// What the lanes of a run believed at its end: rates, limits, penalties and caps. What was sent
/// when, and a rest that was under way, are of that run alone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Beliefs(Vec<(Scope, Learned)>);

impl Beliefs {
    /// Those of all lanes.
    pub(super) fn of(engine: &Engine<()>, now: Instant) -> Self {
        let learned = engine.each_lane().filter_map(|(provider, source, lane)| {
            let scope = Scope { provider, source: Some(source) };
            lane.learned(now).map(|learned| (scope, lasting(learned)))
        });
        Self(learned.collect())
    }

    /// The same for whoever reads what a run has left: by source, what is relied on.
    pub(super) fn told(&self) -> Vec<Believed> {
        let quota =
            |quota: &LearnedQuota| BelievedQuota { messages: quota.messages, window: quota.window };
        let told = |(scope, learned): &(Scope, Learned)| {
            let relied_on = learned.quotas.iter().filter(|quota| quota.support >= RELIED_ON);
            Some(Believed {
                source: scope.source?.0,
                quotas: relied_on.map(quota).collect(),
                connections: learned.connections,
                session_messages: learned.session_messages,
                penalty: learned.penalty,
            })
        };
        self.0.iter().filter_map(told).collect()
    }

    /// As an engine takes them up that begins at `start`.
    pub(super) fn recalled(&self, start: Instant) -> Vec<Recalled> {
        let recalled = |(scope, learned): &(Scope, Learned)| Recalled {
            scope: *scope,
            memory: Memory {
                learned: Some(Learned { at: start, ..learned.clone() }),
                ..Memory::default()
            },
            reserved: None,
        };
        self.0.iter().map(recalled).collect()
    }
}

fn lasting(mut learned: Learned) -> Learned {
    learned.is_last = true;
    learned.rest = None;
    learned.last_refused = None;
    learned.past.clear();
    learned.gap_held = None;
    for quota in learned.quotas.iter_mut().chain(&mut learned.suspects) {
        quota.asks_at = Instant::default();
    }
    learned
}
