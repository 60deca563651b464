//! What lanes do and believe, written down whenever it changes.

use postlane_engine::Engine;
use postlane_lanes::{Lane, State};
use postlane_receivers::Ms;

use crate::recorder::Recorder;
use crate::run::LaneMark;

/// What was written down last of each source's lane.
#[derive(Debug, Default)]
pub(super) struct Marks {
    lanes: Vec<Seen>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Seen {
    /// Decisions it had made.
    decided: u64,
    state: Option<&'static str>,
}

impl Marks {
    /// Looks at all lanes, and writes down every decision and every change of state since the
    /// last look.
    pub(super) fn look(&mut self, now: Ms, engine: &Engine<()>, recorder: &mut Recorder) {
        for (_, source, lane) in engine.each_lane() {
            let place = usize::from(source.0);
            if self.lanes.len() <= place {
                self.lanes.resize(place + 1, Seen::default());
            }
            let seen = &mut self.lanes[place];
            let is = Seen { decided: lane.decided(), state: Some(word(lane.state())) };
            if *seen == is {
                continue;
            }
            let before = std::mem::replace(seen, is);
            for reason in reasons(lane, before) {
                recorder.lane(LaneMark {
                    at: now,
                    source: source.0,
                    state: word(lane.state()).to_owned(),
                    rate: Some(lane.rate()),
                    reason,
                });
            }
        }
    }
}

/// Why a lane is what it is now: its decisions since, or what the state says by itself.
fn reasons(lane: &Lane, before: Seen) -> Vec<String> {
    // A lane that was forgotten begins anew: all that it has decided is new.
    let new = lane.decided().checked_sub(before.decided).unwrap_or_else(|| lane.decided());
    let new = usize::try_from(new).unwrap_or(usize::MAX);
    let mut reasons: Vec<String> =
        lane.decisions().rev().take(new).map(|(_, decision)| decision.to_string()).collect();
    reasons.reverse();
    if reasons.is_empty() {
        reasons.push(
            match lane.state() {
                State::Probing => "nothing is known of the provider yet",
                State::Normal => "all is accepted",
                State::Steady => "some fresh mail is deferred",
                State::Cooling { .. } => "the provider refuses",
                State::Canary => "one message goes first",
            }
            .to_owned(),
        );
    }
    reasons
}

/// The state, as operators say it.
fn word(state: State) -> &'static str {
    match state {
        State::Probing | State::Normal => "healthy",
        State::Steady => "steady",
        State::Cooling { .. } | State::Canary => "resting",
    }
}
