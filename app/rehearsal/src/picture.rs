//! A run as a picture has it: what was accepted and refused, the lanes' pace and their states, in
//! columns of equal length. Drawn by whoever asks; it may be of a run that is not over.

use postlane_receivers::{Ms, Scenario};

use crate::chart::Bins;
use crate::run::Run;

/// A run in columns. Rates are messages a minute.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// The seed of the run.
    pub seed: u64,
    /// How far it has come.
    pub until: Ms,
    /// How long a column is; the last one may reach beyond `until`.
    pub column: Ms,
    /// 250s.
    pub accepted: Vec<f64>,
    /// 4xx.
    pub refused: Vec<f64>,
    /// What lanes that were not at rest would have sent; `None` for policies without lanes.
    pub pace: Option<Vec<f64>>,
    /// The states of each source's lane.
    pub bands: Vec<Band>,
}

/// The state that lasted longest in each column: `healthy`, `steady`, `resting`, `held`, or
/// `restart plan`; none before the lane began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Band {
    /// The source's name.
    pub source: String,
    /// By column.
    pub states: Vec<Option<&'static str>>,
}

impl Picture {
    /// Of a run, in as many columns at most.
    pub fn of(scenario: &Scenario, run: &Run, columns: usize) -> Self {
        let bins = Bins::of(run, columns);
        let band = |(source, states): (u16, Vec<Option<crate::chart::State>>)| Band {
            source: scenario.sender.ips.get(usize::from(source)).cloned().unwrap_or_default(),
            states: states
                .into_iter()
                .map(|state| state.map(crate::chart::State::as_str))
                .collect(),
        };
        let rounded = |rates: Vec<f64>| -> Vec<f64> {
            rates.into_iter().map(|rate| (rate * 1e3).round() / 1e3).collect()
        };
        Self {
            seed: run.seed,
            until: run.ended,
            column: bins.width,
            accepted: rounded(bins.accepted),
            refused: rounded(bins.deferred),
            pace: bins.pace.map(rounded),
            bands: bins.lanes.into_iter().map(band).collect(),
        }
    }
}
