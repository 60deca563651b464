//! What a scenario came to with a policy: means over the seeds, as a JSON object.

use postlane_receivers::{Ms, Scenario};
use serde::Serialize;

use crate::measures::Measures;
use crate::policy::Policy;
use crate::run::{Fate, Run};

/// A policy may take this much longer than the oracle and pass…
const RATIO_MAX: f64 = 1.25;
/// …or so many seconds longer, which is more where the oracle takes minutes.
const LATE_S_MAX: f64 = 900.0;
/// Of messages delivered, so many refusals for rate at most.
const R4XX_MAX: f64 = 0.01;

/// What a scenario came to with a policy. Means over the seeds; what is infinite in any of them is
/// `null`. Times are in seconds.
#[derive(Debug, Clone, Serialize)]
pub struct Summary {
    /// The scenario.
    pub id: String,
    /// The policy.
    pub policy: &'static str,
    /// How many runs.
    pub seeds: usize,
    /// Whether in every run nothing was left at the horizon, and T99 is finite.
    pub finished: bool,
    /// Whether it did well enough: see [`Summary::of`].
    pub pass: bool,
    #[serde(flatten)]
    figures: Figures,
    /// Each run by itself.
    pub runs: Vec<RunSummary>,
}

/// One of the things an outcome is judged by.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// Whether it is as it should be.
    pub holds: bool,
    /// What was asked, and what was found.
    pub says: String,
}

/// One run by itself.
#[derive(Debug, Clone, Serialize)]
pub struct RunSummary {
    /// Its seed.
    pub seed: u64,
    /// Whether nothing was left at the horizon, and T99 is finite.
    pub finished: bool,
    /// Messages that expired here and that the oracle delivers.
    pub expired_needlessly: usize,
    #[serde(flatten)]
    figures: Figures,
}

/// The figures of a run, or their means.
#[derive(Debug, Clone, Serialize)]
struct Figures {
    t50_s: Option<f64>,
    t99_s: Option<f64>,
    t_all_s: Option<f64>,
    oracle_t99_s: Option<f64>,
    ratio: Option<f64>,
    delivered_share: Option<f64>,
    oracle_delivered_share: Option<f64>,
    expired: Option<f64>,
    oracle_expired: Option<f64>,
    left: Option<f64>,
    attempts: Option<f64>,
    connections: Option<f64>,
    r4xx_per_delivered: Option<f64>,
    all4xx_per_delivered: Option<f64>,
    tx_p50_s: Option<f64>,
    tx_p99_s: Option<f64>,
    oracle_tx_p99_s: Option<f64>,
    tx_lost: Option<f64>,
    longest_penalty_s: Option<f64>,
    max_msgs_per_s: Option<f64>,
    ceiling_violations: Option<f64>,
}

impl Summary {
    /// Sums up runs, each beside the oracle's of the same seed.
    ///
    /// It passes if all of this holds: finished; at most 1.25 times the oracle's T99, or at most
    /// 15 minutes later; at most 1 % refusals for rate; no transactional message lost; nothing
    /// expired that the oracle delivers. Where the oracle does not deliver 99 % either, it need not
    /// have finished, but must have delivered as much as the oracle in 1.25 times the time would:
    /// 80 %.
    pub fn of(scenario: &Scenario, policy: Policy, runs: &[(&Run, &Run)]) -> Self {
        Self::of_runs(
            scenario,
            policy,
            runs.iter().map(|(run, best)| RunSummary::of(run, best)).collect(),
        )
    }

    /// The same of runs that were held against the oracle's before.
    pub(crate) fn of_runs(scenario: &Scenario, policy: Policy, each: Vec<RunSummary>) -> Self {
        let mut summary = Self {
            id: scenario.meta.id.clone(),
            policy: policy.as_str(),
            seeds: each.len(),
            finished: each.iter().all(|run| run.finished),
            pass: false,
            figures: Figures::means(&each),
            runs: each,
        };
        summary.pass = summary.verdicts().iter().all(|verdict| verdict.holds);
        summary
    }

    /// What it is judged by, one by one.
    pub fn verdicts(&self) -> Vec<Verdict> {
        let figures = &self.figures;
        let or = |figure: Option<f64>| figure.unwrap_or(f64::INFINITY);
        let needlessly: usize = self.runs.iter().map(|run| run.expired_needlessly).sum();
        let tell = |holds, says| Verdict { holds, says };
        vec![
            tell(figures.is_in_time(self.finished), self.time_says()),
            tell(
                or(figures.r4xx_per_delivered) <= R4XX_MAX,
                format!(
                    "refusals for rate per message delivered: {:.4}, of at most {R4XX_MAX}",
                    or(figures.r4xx_per_delivered)
                ),
            ),
            tell(
                figures.tx_lost == Some(0.0),
                format!("transactional messages lost: {}", or(figures.tx_lost)),
            ),
            tell(
                needlessly == 0,
                format!("messages expired that the oracle delivers: {needlessly}"),
            ),
        ]
    }

    fn time_says(&self) -> String {
        let figures = &self.figures;
        let hours = |s: f64| s / 3_600.0;
        match (figures.t99_s, figures.oracle_t99_s) {
            (Some(own), Some(best)) => format!(
                "99 % delivered after {:.2} h, {:.2} times the oracle's {:.2} h, of at most \
                 {RATIO_MAX} times or 15 minutes more{}",
                hours(own),
                figures.ratio.unwrap_or(f64::INFINITY),
                hours(best),
                if self.finished { "" } else { "; but something was left at the horizon" },
            ),
            _ => format!(
                "delivered: {:.1} %, the oracle {:.1} %; 99 % are not reached",
                figures.delivered_share.unwrap_or_default() * 100.0,
                figures.oracle_delivered_share.unwrap_or_default() * 100.0,
            ),
        }
    }

    /// T99 relative to the oracle's.
    pub fn ratio(&self) -> Option<f64> {
        self.figures.ratio
    }

    /// T99 in seconds.
    pub fn t99_s(&self) -> Option<f64> {
        self.figures.t99_s
    }

    /// The oracle's T99 in seconds.
    pub fn oracle_t99_s(&self) -> Option<f64> {
        self.figures.oracle_t99_s
    }

    /// The share of messages delivered.
    pub fn delivered_share(&self) -> Option<f64> {
        self.figures.delivered_share
    }

    /// Refusals for rate, for each message delivered.
    pub fn r4xx_per_delivered(&self) -> Option<f64> {
        self.figures.r4xx_per_delivered
    }

    /// The 99th percentile of transactional mail's time to its 250, in seconds.
    pub fn tx_p99_s(&self) -> Option<f64> {
        self.figures.tx_p99_s
    }

    /// The oracle's 99th percentile of the same, in seconds.
    pub fn oracle_tx_p99_s(&self) -> Option<f64> {
        self.figures.oracle_tx_p99_s
    }

    /// Messages that expired.
    pub fn expired(&self) -> Option<f64> {
        self.figures.expired
    }

    /// Transactional messages expired or unfinished.
    pub fn tx_lost(&self) -> Option<f64> {
        self.figures.tx_lost
    }

    /// How often the operator's ceilings were exceeded.
    pub fn ceiling_violations(&self) -> Option<f64> {
        self.figures.ceiling_violations
    }
}

impl RunSummary {
    /// A run beside the oracle's of the same seed.
    pub(crate) fn of(run: &Run, oracle: &Run) -> Self {
        let measures = Measures::of(run);
        let seed = measures.seed;
        let finished = measures.is_finished;
        let needlessly = run.messages.iter().zip(&oracle.messages).filter(|(ours, theirs)| {
            ours.fate == Fate::Expired && matches!(theirs.fate, Fate::Delivered(_))
        });
        let expired_needlessly = needlessly.count();
        let figures = Figures::of(&measures, &Measures::of(oracle));
        Self { seed, finished, expired_needlessly, figures }
    }
}

impl Figures {
    fn of(own: &Measures, oracle: &Measures) -> Self {
        let seconds = |ms: Option<Ms>| ms.map(|ms| ms.as_s_f64());
        let ratio = own.t99.zip(oracle.t99).map(|(own, best)| own.0 as f64 / best.0.max(1) as f64);
        let rounded = |x: f64| (x * 1e6).round() / 1e6;
        Self {
            t50_s: seconds(own.t50),
            t99_s: seconds(own.t99),
            t_all_s: seconds(own.t_all),
            oracle_t99_s: seconds(oracle.t99),
            ratio: ratio.map(rounded),
            delivered_share: Some(rounded(own.delivered_share)),
            oracle_delivered_share: Some(rounded(oracle.delivered_share)),
            expired: Some(own.expired as f64),
            oracle_expired: Some(oracle.expired as f64),
            left: Some(own.left as f64),
            attempts: Some(own.attempts as f64),
            connections: Some(own.connections as f64),
            r4xx_per_delivered: own.r4xx.map(rounded),
            all4xx_per_delivered: own.all4xx.map(rounded),
            tx_p50_s: seconds(own.tx_p50),
            tx_p99_s: seconds(own.tx_p99),
            oracle_tx_p99_s: seconds(oracle.tx_p99),
            tx_lost: Some(own.tx_lost as f64),
            longest_penalty_s: Some(own.longest_penalty.as_s_f64()),
            max_msgs_per_s: Some(own.most_in_a_second as f64),
            ceiling_violations: Some(own.ceiling_violations as f64),
        }
    }

    fn means(runs: &[RunSummary]) -> Self {
        let mean = |figure: fn(&Self) -> Option<f64>| {
            let all: Option<Vec<f64>> = runs.iter().map(|run| figure(&run.figures)).collect();
            let all = all.filter(|all| !all.is_empty())?;
            Some((all.iter().sum::<f64>() / all.len() as f64 * 1e6).round() / 1e6)
        };
        Self {
            t50_s: mean(|f| f.t50_s),
            t99_s: mean(|f| f.t99_s),
            t_all_s: mean(|f| f.t_all_s),
            oracle_t99_s: mean(|f| f.oracle_t99_s),
            ratio: mean(|f| f.ratio),
            delivered_share: mean(|f| f.delivered_share),
            oracle_delivered_share: mean(|f| f.oracle_delivered_share),
            expired: mean(|f| f.expired),
            oracle_expired: mean(|f| f.oracle_expired),
            left: mean(|f| f.left),
            attempts: mean(|f| f.attempts),
            connections: mean(|f| f.connections),
            r4xx_per_delivered: mean(|f| f.r4xx_per_delivered),
            all4xx_per_delivered: mean(|f| f.all4xx_per_delivered),
            tx_p50_s: mean(|f| f.tx_p50_s),
            tx_p99_s: mean(|f| f.tx_p99_s),
            oracle_tx_p99_s: mean(|f| f.oracle_tx_p99_s),
            tx_lost: mean(|f| f.tx_lost),
            longest_penalty_s: mean(|f| f.longest_penalty_s),
            max_msgs_per_s: mean(|f| f.max_msgs_per_s),
            ceiling_violations: mean(|f| f.ceiling_violations),
        }
    }

    fn is_in_time(&self, finished: bool) -> bool {
        match (self.t99_s, self.oracle_t99_s) {
            (Some(own), Some(best)) => {
                let is_near = self.ratio.is_some_and(|ratio| ratio <= RATIO_MAX);
                finished && (is_near || own - best <= LATE_S_MAX)
            }
            (_, None) => self
                .delivered_share
                .zip(self.oracle_delivered_share)
                .is_some_and(|(own, best)| own >= best / RATIO_MAX),
            (None, Some(_)) => false,
        }
    }
}
