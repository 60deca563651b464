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
use crate::run::{Left, Run};
use crate::runs::{Engine, RunError, Tracing, run, watched};
use crate::summary::{RunSummary, Summary};
use crate::watch::{Going, Look, Sight, Watch};

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

    /// Makes all runs on this thread, one after another: seed by seed, and with each seed the oracle
    /// first. No more than two runs are in memory at once. `look` is told of each while it goes and
    /// when it is over, and of the sums after each seed; it may stop everything. Gives the same sums as
    /// [`Self::perform`], in the same order.
    ///
    /// # Errors
    /// A scenario whose operator cannot be obeyed, and [`RunError::Stopped`].
    pub fn in_turn(&self, look: &Look) -> Result<Vec<Summary>, RunError> {
        let mut sums = Vec::new();
        for scenario in &self.scenarios {
            let mut each: Vec<Vec<RunSummary>> = vec![Vec::new(); self.policies.len()];
            for seed in 0..self.seeds {
                let seed = scenario.run_seed(seed);
                let oracle = self.watched((scenario, Policy::Oracle, seed), look)?;
                for (policy, runs) in self.policies.iter().zip(&mut each) {
                    let own = match policy {
                        Policy::Oracle => None,
                        policy => Some(self.watched((scenario, *policy, seed), look)?),
                    };
                    let own = own.as_ref().unwrap_or(&oracle);
                    runs.push(RunSummary::of(own, &oracle));
                }
                let so_far = self.policies.iter().zip(&each);
                let so_far: Vec<Summary> = so_far
                    .map(|(policy, runs)| Summary::of_runs(scenario, *policy, runs.clone()))
                    .collect();
                if look.at(&Sight::Sums(&so_far)) == Going::Stop {
                    return Err(RunError::Stopped);
                }
            }
            let all = self.policies.iter().zip(each);
            sums.extend(all.map(|(policy, runs)| Summary::of_runs(scenario, *policy, runs)));
        }
        Ok(sums)
    }

    fn watched(&self, run: (&Scenario, Policy, u64), look: &Look) -> Result<Run, RunError> {
        let (_, policy, seed) = run;
        let watch = Watch::new(look.clone(), policy);
        let left = watched(run, &self.engine, Tracing::Off, Some(&watch))?;
        match look.at(&Sight::Run { policy, seed, run: &left.run, is_over: true }) {
            Going::On => Ok(left.run),
            Going::Stop => Err(RunError::Stopped),
        }
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
