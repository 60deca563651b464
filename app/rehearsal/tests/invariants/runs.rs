//! Runs of the real engine.

use std::sync::LazyLock;

use postlane_receivers::Scenario;
use postlane_rehearsal::{Engine, Left, Policy, Tracing, run};

use crate::trace::{Event, read};

/// The rules take seconds to build without optimisation: once for all tests.
static ENGINE: LazyLock<Engine> = LazyLock::new(Engine::built_in);

/// Runs of each scenario that a law is held against.
pub(crate) const SEEDS: u64 = 3;

pub(crate) fn scenario(text: &str) -> Scenario {
    Scenario::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

pub(crate) fn left(text: &str, seed: u64, policy: Policy) -> Left {
    let scenario = scenario(text);
    run(&scenario, policy, &ENGINE, scenario.run_seed(seed), Tracing::On).unwrap()
}

/// What happens in a run with nothing known before.
pub(crate) fn events(text: &str, seed: u64) -> Vec<Event> {
    read(&left(text, seed, Policy::Lane).trace.unwrap())
}

/// Holds a law against all seeds of scenarios.
pub(crate) fn hold(scenarios: &[String], law: impl Fn(&[Event])) {
    for text in scenarios {
        for seed in 0..SEEDS {
            // The scenario and the seed are all that is needed to see it again.
            let id = text.lines().find(|line| line.trim().starts_with("id")).unwrap_or_default();
            eprintln!("{} with seed {seed}", id.trim());
            law(&events(text, seed));
        }
    }
}
