//! What is wrong with a provider, by what a log says. The one place where figures become a
//! verdict.

use postlane_maillog::{ProviderFigures, Report};
use postlane_replies::{Family, Label};
use serde::Serialize;

/// What is wrong, why, and what to do.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Verdict {
    pub(super) class: &'static str,
    pub(super) confidence: f64,
    pub(super) evidence: Vec<String>,
    pub(super) steps: Vec<String>,
}

/// The verdict on each provider of a report, in its order.
pub(super) fn of(report: &Report) -> Vec<Verdict> {
    report.providers.iter().map(on).collect()
}

fn on(figures: &ProviderFigures) -> Verdict {
    let attempts = figures.attempts().max(1) as f64;
    let of_family = |families: &[Family]| -> u64 {
        let counted = figures.labels.iter().filter(|(label, _)| families.contains(&label.family()));
        counted.map(|(_, count)| *count).sum()
    };
    let throttled = figures.paced() as f64 / attempts;
    let unknown = of_family(&[Family::RecipientInvalid]) as f64 / attempts;
    let identity = of_family(&[Family::Auth, Family::Identity]) as f64 / attempts;
    let block = of_family(&[Family::Blocklist, Family::Reputation]) as f64 / attempts;
    let grey =
        figures.labels.get(&Label::Greylisted).copied().unwrap_or_default() as f64 / attempts;
    let outage = of_family(&[Family::Network, Family::ServerTemp]) as f64 / attempts;
    let shares = [
        ("throttle", throttled),
        ("recipients", unknown),
        ("identity", identity),
        ("block", block),
        ("greylisting", grey),
        ("outage", outage),
    ];
    let worst = shares.into_iter().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or(("healthy", 0.0));
    let (class, share) = if worst.1 >= 0.02 { worst } else { ("healthy", 1.0 - worst.1) };
    let refused = format!("{:.1} % of {} tries", share * 100.0, figures.attempts());
    Verdict { class, confidence: share.min(0.9), evidence: vec![refused], steps: Vec::new() }
}
