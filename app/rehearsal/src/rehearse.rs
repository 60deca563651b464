//! Many runs at once: every scenario with every policy and every seed, on all cores.
//!
//! Each run is alone with its scenario and seed, so that how many threads there are changes
//! nothing but how long it takes.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use postlane_receivers::Scenario;

use crate::policy::Policy;
use crate::run::Run;
use crate::runs::{Engine, Left, RunError, Tracing, run};
use crate::summary::Summary;

/// What is to be run.
#[derive(Debug)]
pub struct Rehearsal {
    /// The scenarios.
    pub scenarios: Vec<Scenario>,
    /// With each of these policies. The oracle is run beside them in any case.
    pub policies: Vec<Policy>,
    /// What the real engine is given.
    pub engine: Arc<Engine>,
    /// So many runs each.
    pub seeds: u64,
    /// Whether the policies' runs are traced; the oracle's only if it was asked for.
    pub tracing: Tracing,
    /// On so many threads.
    pub threads: usize,
}

/// A scenario with a policy: what it came to, and what its runs left.
#[derive(Debug)]
pub struct Outcome {
    /// The place of the scenario in the rehearsal.
    pub scenario: usize,
    /// The policy.
    pub policy: Policy,
    /// Means and figures.
    pub summary: Summary,
    /// What the runs left, by seed.
    pub runs: Vec<Left>,
}

/// A run to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Planned {
    scenario: usize,
    policy: Policy,
    seed: u64,
}

impl Rehearsal {
    /// How many runs there are to make.
    pub fn runs(&self) -> usize {
        self.plan().len()
    }

    /// Makes all runs. `done` is called after each, from any thread.
    pub fn perform(&self, done: &(dyn Fn() + Sync)) -> Result<Vec<Outcome>, RunError> {
        let plan = self.plan();
        let next = AtomicUsize::new(0);
        let left = Mutex::new(BTreeMap::new());
        thread::scope(|scope| {
            for _ in 0..self.threads.clamp(1, plan.len().max(1)) {
                scope.spawn(|| {
                    while let Some(planned) = plan.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let made = self.make(*planned);
                        left.lock().expect("no run panics").insert(*planned, made);
                        done();
                    }
                });
            }
        });
        self.sum_up(left.into_inner().expect("no run panics"))
    }

    fn plan(&self) -> Vec<Planned> {
        let mut policies = self.policies.clone();
        policies.push(Policy::Oracle);
        policies.sort_unstable();
        policies.dedup();
        let mut plan = Vec::new();
        for scenario in 0..self.scenarios.len() {
            for &policy in &policies {
                plan.extend((0..self.seeds).map(|seed| Planned { scenario, policy, seed }));
            }
        }
        plan
    }

    fn make(&self, planned: Planned) -> Result<Left, RunError> {
        let scenario = &self.scenarios[planned.scenario];
        let is_wanted = self.policies.contains(&planned.policy);
        let tracing = if is_wanted { self.tracing } else { Tracing::Off };
        run(scenario, planned.policy, &self.engine, scenario.run_seed(planned.seed), tracing)
    }

    fn sum_up(
        &self,
        left: BTreeMap<Planned, Result<Left, RunError>>,
    ) -> Result<Vec<Outcome>, RunError> {
        let mut by_policy: BTreeMap<(usize, Policy), Vec<Left>> = BTreeMap::new();
        for (planned, made) in left {
            by_policy.entry((planned.scenario, planned.policy)).or_default().push(made?);
        }
        let mut outcomes = Vec::new();
        for (index, scenario) in self.scenarios.iter().enumerate() {
            for &policy in &self.policies {
                let (Some(own), Some(oracle)) =
                    (by_policy.get(&(index, policy)), by_policy.get(&(index, Policy::Oracle)))
                else {
                    continue;
                };
                let pairs: Vec<(&Run, &Run)> =
                    own.iter().zip(oracle).map(|(own, best)| (&own.run, &best.run)).collect();
                let summary = Summary::of(scenario, policy, &pairs);
                outcomes.push((index, policy, summary));
            }
        }
        let take = |(scenario, policy, summary)| Outcome {
            runs: by_policy.remove(&(scenario, policy)).unwrap_or_default(),
            scenario,
            policy,
            summary,
        };
        Ok(outcomes.into_iter().map(take).collect())
    }
}
