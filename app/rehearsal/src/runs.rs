//! One run: a scenario, a policy and a seed.

use std::collections::BTreeMap;
use std::sync::Arc;

use postlane_engine::Settings;
use postlane_lanes::Defaults;
use postlane_receivers::{Scenario, Workload};

use crate::floor::{Floor, Script};
use crate::oracle::Oracle;
use crate::peers::{Aimd, Back, KumoTsa, Postfix, PowerMta, Static};
use crate::policy::Policy;
use crate::recorder::Recorder;
use crate::run::Left;
use crate::said::Said;
use crate::watch::Watch;
use crate::world::{self, Beliefs, CommandError, Knowledge, default_settings};

/// Why a run could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// A command of the scenario's operator cannot be done.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// Whoever looked on stopped it.
    #[error("the rehearsal was stopped before its end")]
    Stopped,
}

/// Whether a run writes a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tracing {
    /// None.
    Off,
    /// Every event.
    On,
}

/// What the real engine is given: what it knows of providers, and the operator's settings.
#[derive(Debug)]
pub struct Engine {
    /// Providers, and what they say.
    pub knowledge: Arc<Knowledge>,
    /// What the operator has set; sources and pools are the scenario's.
    pub settings: Settings,
    /// What the operator has set for the lanes of single providers, by the provider's id.
    pub towards: BTreeMap<String, Settings>,
    /// What else the operator says of mail to a scenario's receiver, by its `site`.
    pub said: BTreeMap<String, Said>,
}

/// The run whose beliefs a warm lane begins with has the same seed plus this.
const EARLIER: u64 = 500;

/// Runs a scenario with a policy and that seed.
pub fn run(
    scenario: &Scenario,
    policy: Policy,
    engine: &Engine,
    seed: u64,
    tracing: Tracing,
) -> Result<Left, RunError> {
    watched((scenario, policy, seed), engine, tracing, None)
}

/// The same, looked at by somebody while it goes. What is looked at changes nothing of what comes to
/// pass.
pub(crate) fn watched(
    (scenario, policy, seed): (&Scenario, Policy, u64),
    engine: &Engine,
    tracing: Tracing,
    watch: Option<&Watch>,
) -> Result<Left, RunError> {
    let left = made((scenario, policy, seed), engine, tracing, watch)?;
    match watch {
        Some(watch) if watch.is_stopped() => Err(RunError::Stopped),
        _ => Ok(left),
    }
}

fn made(
    (scenario, policy, seed): (&Scenario, Policy, u64),
    engine: &Engine,
    tracing: Tracing,
    watch: Option<&Watch>,
) -> Result<Left, RunError> {
    let mut recorder = Recorder::new(scenario, seed).watched(watch.cloned());
    if tracing == Tracing::On {
        recorder = recorder.traced(scenario, policy);
    }
    let mail = Workload::new(scenario, seed);
    match policy {
        Policy::Oracle => {
            let oracle = Oracle::new(scenario, &mail);
            Ok(scripted(scenario, seed, mail, recorder, oracle))
        }
        Policy::Postfix => {
            Ok(scripted(scenario, seed, mail, recorder, Postfix::new(&scenario.sender)))
        }
        Policy::Static => {
            Ok(scripted(scenario, seed, mail, recorder, Static::new(&scenario.sender)))
        }
        Policy::KumoTsa => Ok(scripted(scenario, seed, mail, recorder, KumoTsa::new(scenario))),
        Policy::Pmta | Policy::Pmta2h => {
            let back = if policy == Policy::Pmta { Back::FirstDelivery } else { Back::Time };
            Ok(scripted(scenario, seed, mail, recorder, PowerMta::new(&scenario.sender, back)))
        }
        Policy::Aimd => Ok(scripted(scenario, seed, mail, recorder, Aimd::new(&scenario.sender))),
        Policy::Lane => Ok(engine.run(scenario, seed, &Beliefs::default(), recorder)?.0),
        Policy::LaneWarm => {
            let earlier = seed.wrapping_add(EARLIER);
            let untraced = Recorder::new(scenario, earlier).watched(watch.cloned());
            let (_, beliefs) = engine.run(scenario, earlier, &Beliefs::default(), untraced)?;
            Ok(engine.run(scenario, seed, &beliefs, recorder)?.0)
        }
    }
}

impl Engine {
    /// What comes with the program, what is known of providers' limits too, and nothing set by
    /// anybody.
    pub fn built_in() -> Self {
        let settings = default_settings();
        let known = Defaults::built_in();
        let towards = known.iter().map(|(id, known)| {
            let ceilings = known.rules.ceilings(settings.ceilings);
            (id.to_owned(), Settings { ceilings, ..settings.clone() })
        });
        let towards = towards.collect();
        Self {
            knowledge: Arc::new(Knowledge::built_in()),
            settings,
            towards,
            said: BTreeMap::new(),
        }
    }

    fn run(
        &self,
        scenario: &Scenario,
        seed: u64,
        before: &Beliefs,
        recorder: Recorder,
    ) -> Result<(Left, Beliefs), RunError> {
        let Self { knowledge, settings, towards, said } = self;
        let provider = knowledge.provider_of(&scenario.receiver.site);
        let settings = towards.get(provider.as_str()).unwrap_or(settings);
        let nothing = Said::default();
        let said = said.get(&scenario.receiver.site).unwrap_or(&nothing);
        Ok(world::run((scenario, seed), knowledge, (settings, said), before, recorder)?)
    }
}

fn scripted(
    scenario: &Scenario,
    seed: u64,
    mail: Workload,
    recorder: Recorder,
    mut script: impl Script,
) -> Left {
    let (run, trace) = Floor::new(scenario, seed, mail, recorder).run(&mut script);
    Left { run, trace }
}
