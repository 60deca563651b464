//! Rehearsals, as JSON.

use postlane_receivers::{Ms, Scenario, builtin};
use postlane_rehearsal::{Counts, Description, KnownLimit, Picture, Policy, Summary};
use postlane_server::rehearsals::{Keep, Rehearsed, Seen, Standing};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::suppression::Wrong;
use super::time::{Timestamp, timestamp};

/// What is to be rehearsed: one of `scenario`, `toml` and `description`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RehearsalRequest {
    /// The name of a scenario that comes with the program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scenario: Option<String>,
    /// A scenario as TOML, 64 KiB at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub toml: Option<String>,
    /// A scenario in a few words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<RehearsalDescription>,
    /// Who decides when to send, by the names that `postlane rehearse` has; `lane` when it is left out.
    pub policies: Vec<String>,
    /// Runs of each policy, 1 to 10; 5 when it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seeds: Option<u64>,
    /// Whose settings our lanes keep to: `built-in`, or `own` for this relay's; `built-in` when it is left
    /// out. A token that is bound to a tenant has no `own`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settings: Option<String>,
    /// Whose it is; nobody's in particular when it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
}

/// A scenario in a few words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RehearsalDescription {
    /// The provider: its name, one of its domains, or an MX host.
    pub provider: String,
    /// Messages in all.
    pub messages: u32,
    /// The share of them that is transactional, 0 to 1. These come one by one until the deadline; the
    /// others are there at once.
    #[serde(default)]
    pub transactional: f64,
    /// How long after it came a message is wanted: `24h`, `90m`, `3d`.
    pub deadline: String,
    /// Addresses to send from, 1 to 64; 1 when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sources: Option<u16>,
    /// Messages that the provider takes from one address in `window`, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<u32>,
    /// In how long: `1h`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<String>,
    /// What counts: `accepted` messages, or every one that was `attempted`; `accepted` when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counts: Option<String>,
    /// For how long nothing is taken after ten refusals within ten minutes: `1h`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub penalty: Option<String>,
    /// Connections at once that the provider takes from one address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connections: Option<u32>,
    /// Where chance begins: run number s has the seed `seed·1000 + s`; 1 when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
}

/// A rehearsal in a row. A key without a value is `null` or empty, never missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RehearsalRow {
    /// Its number. A restart forgets all of them, and begins with 1 again.
    pub id: u64,
    /// The scenario's id.
    pub scenario: String,
    /// What the scenario is about.
    pub title: String,
    /// Whether it comes with the program.
    pub is_built_in: bool,
    /// Who decides when to send, in the order of the outcomes.
    pub policies: Vec<String>,
    /// Runs of each.
    pub seeds: u64,
    /// `built-in` or `own`.
    pub settings: String,
    /// Whose it is; empty for nobody's.
    pub tenant: String,
    /// Who asked for it.
    pub made_by: String,
    /// When.
    pub made_at: Timestamp,
    /// `waits`, `runs`, `done`, `stopped` or `failed`.
    pub state: String,
    /// Why it failed; empty where it has not.
    pub says: String,
    /// Runs that are made, the oracle's too.
    pub runs_done: u64,
    /// Runs in all.
    pub runs: u64,
    /// When it began to run.
    pub began_at: Option<Timestamp>,
    /// When it was over.
    pub ended_at: Option<Timestamp>,
    /// The command that makes the very same runs: what it prints is what `/outcomes` answers, byte for
    /// byte. A scenario that does not come with the program is at `/scenario`, to be kept as the file that
    /// is named.
    pub command: String,
}

/// Rehearsals, the youngest first, and what can be rehearsed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RehearsalPage {
    /// All that the token sees.
    pub rehearsals: Vec<RehearsalRow>,
    /// Scenarios that come with the program.
    pub scenarios: Vec<RehearsalScenario>,
    /// Policies, in the order of outcomes.
    pub policies: Vec<RehearsalPolicy>,
}

/// A scenario that comes with the program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RehearsalScenario {
    /// Its name.
    pub name: String,
    /// What it is about.
    pub title: String,
}

/// Who decides when to send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RehearsalPolicy {
    /// Its name.
    pub name: String,
    /// What it does.
    pub says: String,
}

/// A rehearsal with all that it has shown so far.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RehearsalStory {
    /// The rehearsal.
    #[serde(flatten)]
    pub rehearsal: RehearsalRow,
    /// The first run of each policy, as far as it has come.
    pub pictures: Vec<RehearsalPicture>,
    /// What each policy came to, of the seeds that are done: each as `postlane rehearse --json` has it.
    #[schema(value_type = Vec<Object>)]
    pub outcomes: Vec<Value>,
    /// What each of them is judged by.
    pub judgements: Vec<RehearsalJudgement>,
    /// What our lanes decided in their first run, and why.
    pub decisions: Vec<String>,
    /// Decisions that are left out.
    pub decisions_more: usize,
    /// The lane configuration that is suggested, as TOML; `null` before the end, and where no lane of ours
    /// was rehearsed.
    pub config: Option<String>,
    /// The scenario, as TOML.
    pub toml: String,
}

/// A run in columns of equal length. Rates are messages a minute.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RehearsalPicture {
    /// The policy.
    pub policy: String,
    /// The run's seed.
    pub seed: u64,
    /// How far it has come, in seconds of virtual time.
    pub until_s: f64,
    /// How long a column is, in seconds.
    pub column_s: f64,
    /// 250s.
    pub accepted: Vec<f64>,
    /// 4xx.
    pub refused: Vec<f64>,
    /// What our lanes would have sent while they were not at rest; `null` for other policies.
    pub pace: Option<Vec<f64>>,
    /// The states of our lanes, by source, 16 at most.
    pub bands: Vec<RehearsalBand>,
}

/// The state that lasted longest in each column: `healthy`, `steady`, `resting`, `held` or `restart
/// plan`; `null` before the lane began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RehearsalBand {
    /// The source's name in the scenario.
    pub source: String,
    /// By column.
    pub states: Vec<Option<String>>,
}

/// What a policy is judged by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RehearsalJudgement {
    /// The policy.
    pub policy: String,
    /// What it does.
    pub says: String,
    /// Whether all holds.
    pub pass: bool,
    /// What was asked and found, and whether it holds.
    pub verdicts: Vec<RehearsalVerdict>,
}

/// One of the things a policy is judged by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RehearsalVerdict {
    /// Whether it is as it should be.
    pub holds: bool,
    /// What was asked, and what was found.
    pub says: String,
}

/// How far a rehearsal has come, as an event says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RehearsalProgress {
    /// As [`RehearsalRow::state`].
    pub state: String,
    /// Why it failed; empty where it has not.
    pub says: String,
    /// Runs that are made.
    pub runs_done: u64,
    /// Runs in all.
    pub runs: u64,
}

impl RehearsalDescription {
    /// What is described, or what is wrong with it.
    pub(crate) fn read(&self) -> Result<Description, Wrong> {
        let span = |field: &'static str, text: &str| {
            Ms::parse(text.trim()).map_err(|e| Wrong { field, says: format!("{text:?}: {e}") })
        };
        let counts = match self.counts.as_deref() {
            None | Some("accepted") => Counts::Accepted,
            Some("attempted") => Counts::Attempted,
            Some(other) => {
                let says = format!("{other:?} can be neither counted: write accepted or attempted");
                return Err(Wrong { field: "counts", says });
            }
        };
        let penalty = self.penalty.as_deref().map(|text| span("penalty", text)).transpose()?;
        let limit = match (self.quota, self.window.as_deref()) {
            (Some(quota), Some(window)) => {
                let window = span("window", window)?;
                Some(KnownLimit { quota, window, counts_refused: counts, penalty })
            }
            (None, None) if penalty.is_none() => None,
            (Some(_), None) => {
                let says = "a quota is of a time: write in how long, as in \"1h\"".to_owned();
                return Err(Wrong { field: "window", says });
            }
            _ => {
                let says = "how many in that time? write a quota, or leave window and penalty out";
                return Err(Wrong { field: "quota", says: says.to_owned() });
            }
        };
        Ok(Description {
            provider: self.provider.clone(),
            messages: self.messages,
            transactional: self.transactional,
            deadline: span("deadline", &self.deadline)?,
            sources: self.sources.unwrap_or(1),
            limit,
            connections: self.connections,
            seed: self.seed.unwrap_or(1),
        })
    }
}

impl RehearsalPage {
    pub(crate) fn of(rehearsals: Vec<RehearsalRow>) -> Self {
        let scenario = |(name, text): &(&str, &str)| RehearsalScenario {
            name: (*name).to_owned(),
            title: Scenario::parse(text).map(|scenario| scenario.meta.title).unwrap_or_default(),
        };
        let policy = |policy: Policy| RehearsalPolicy {
            name: policy.as_str().to_owned(),
            says: policy.says().to_owned(),
        };
        Self {
            rehearsals,
            scenarios: builtin().iter().map(scenario).collect(),
            policies: Policy::ALL.into_iter().map(policy).collect(),
        }
    }
}

impl RehearsalRow {
    pub(crate) fn of(one: &Rehearsed, seen: &Seen) -> Self {
        let asked = &one.asked;
        let progress = RehearsalProgress::of(seen);
        Self {
            id: one.id,
            scenario: asked.scenario.meta.id.clone(),
            title: asked.scenario.meta.title.clone(),
            is_built_in: asked.built_in.is_some(),
            policies: asked.policies.iter().map(|policy| policy.to_string()).collect(),
            seeds: asked.seeds,
            settings: match asked.keep {
                Keep::BuiltIn => "built-in",
                Keep::Own => "own",
            }
            .to_owned(),
            tenant: asked.tenant.to_string(),
            made_by: asked.by.clone(),
            made_at: timestamp(one.at),
            state: progress.state,
            says: progress.says,
            runs_done: progress.runs_done,
            runs: progress.runs,
            began_at: seen.began.map(timestamp),
            ended_at: seen.ended.map(timestamp),
            command: asked.command(&format!("{}.toml", asked.scenario.meta.id)),
        }
    }
}

impl RehearsalStory {
    pub(crate) fn of(one: &Rehearsed) -> Self {
        let seen = one.seen();
        Self {
            rehearsal: RehearsalRow::of(one, &seen),
            pictures: RehearsalPicture::all(&seen),
            outcomes: seen.sums.iter().filter_map(|sum| serde_json::to_value(sum).ok()).collect(),
            judgements: seen.sums.iter().map(RehearsalJudgement::of).collect(),
            decisions: seen.decisions.0,
            decisions_more: seen.decisions.1,
            config: seen.suggestion,
            toml: one.asked.text.clone(),
        }
    }
}

impl RehearsalPicture {
    pub(crate) fn all(seen: &Seen) -> Vec<Self> {
        seen.pictures.iter().map(|(policy, picture)| Self::of(*policy, picture)).collect()
    }

    fn of(policy: Policy, picture: &Picture) -> Self {
        let band = |band: &postlane_rehearsal::Band| RehearsalBand {
            source: band.source.clone(),
            states: band.states.iter().map(|state| state.map(str::to_owned)).collect(),
        };
        Self {
            policy: policy.to_string(),
            seed: picture.seed,
            until_s: picture.until.as_s_f64(),
            column_s: picture.column.as_s_f64(),
            accepted: picture.accepted.clone(),
            refused: picture.refused.clone(),
            pace: picture.pace.clone(),
            bands: picture.bands.iter().map(band).collect(),
        }
    }
}

impl RehearsalJudgement {
    fn of(sum: &Summary) -> Self {
        let verdicts = sum.verdicts().into_iter();
        Self {
            policy: sum.policy.to_owned(),
            says: Policy::parse(sum.policy).map(Policy::says).unwrap_or_default().to_owned(),
            pass: sum.pass,
            verdicts: verdicts
                .map(|verdict| RehearsalVerdict { holds: verdict.holds, says: verdict.says })
                .collect(),
        }
    }
}

impl RehearsalProgress {
    pub(crate) fn of(seen: &Seen) -> Self {
        let (state, says) = match &seen.standing {
            Standing::Waits => ("waits", ""),
            Standing::Runs => ("runs", ""),
            Standing::Done => ("done", ""),
            Standing::Stopped => ("stopped", ""),
            Standing::Failed(says) => ("failed", says.as_str()),
        };
        let (state, says) = (state.to_owned(), says.to_owned());
        Self { state, says, runs_done: seen.runs.0, runs: seen.runs.1 }
    }
}
