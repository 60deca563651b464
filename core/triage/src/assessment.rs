//! What is to be said of a provider: the verdict, each source's, and the figures behind them.

use std::sync::Arc;

use postlane_mail::Label as Name;

use crate::changed::Changed;
use crate::figures::Figures;
use crate::picture::Sample;
use crate::slots::Slots;
use crate::statistic::Comparison;
use crate::verdict::Verdict;

/// What is to be said of a provider.
#[derive(Debug, Clone, PartialEq)]
pub struct Assessment {
    /// Its id.
    pub provider: Arc<str>,
    /// What is wrong.
    pub verdict: Verdict,
    /// Whose mail all of it was; `None` where it was several tenants', or nobody's.
    pub tenant: Option<Name>,
    /// The sums of all sources.
    pub figures: Figures,
    /// The same sources' mail to all other providers.
    pub elsewhere: Figures,
    /// Each source, in order of its name.
    pub sources: Vec<SourceAssessment>,
    /// What changed just before.
    pub changed: Vec<Changed>,
    /// Attempts along time.
    pub slots: Slots,
    /// The replies that came most, the most frequent first.
    pub samples: Vec<Sample>,
}

/// What is to be said of a source at a provider.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceAssessment {
    /// Its name; empty if unknown.
    pub source: Arc<str>,
    /// What is wrong between the two.
    pub verdict: Verdict,
    /// Its sums.
    pub figures: Figures,
    /// It against the other sources together; `None` if there are none.
    pub compared: Option<Comparison>,
}

impl Assessment {
    /// The source that is refused more than its neighbours by most, where there are several with
    /// enough attempts.
    pub fn worst_source(&self) -> Option<&str> {
        let compared = self.sources.iter().filter_map(|of| Some((&*of.source, of.compared?.z)));
        let worst = compared.max_by(|a, b| a.1.total_cmp(&b.1))?;
        (worst.1 > 0.0).then_some(worst.0)
    }
}
