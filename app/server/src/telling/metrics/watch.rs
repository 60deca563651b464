//! The watch in figures: by state, never by address or domain.

use std::collections::BTreeMap;

use postlane_checks::watch::Shown;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use super::ByLabel;
use crate::identity::watch::Watch;

/// What subjects on lists are counted by.
const STATES: [Shown; 9] = [
    Shown::Unasked,
    Shown::Clear,
    Shown::Suspected,
    Shown::Listed,
    Shown::Clearing,
    Shown::Refused,
    Shown::Broken,
    Shown::Unreachable,
    Shown::Keyless,
];

/// The watch in figures.
pub(super) fn measure(registry: &mut Registry, watch: &Watch) {
    let mut by_state: BTreeMap<&str, u64> = STATES.iter().map(|of| (of.as_str(), 0)).collect();
    for (_, _, cell) in watch.seen().board.cells() {
        *by_state.entry(cell.shown().as_str()).or_default() += 1;
    }
    let help = "Our addresses and domains on block lists, each once for each list, by state";
    registry.register("blocklist_cells", help, ByLabel::new("state", by_state));
    let mut by_outcome: BTreeMap<&str, u64> = [("fail", 0), ("warn", 0)].into();
    let (domains, mut undetermined) = (watch.domains_seen(), 0_i64);
    for known in domains.0.values() {
        for (_, issue) in known.issues.iter().filter(|(_, issue)| issue.resolved.is_none()) {
            *by_outcome.entry(issue.outcome.as_str()).or_default() += 1;
        }
        undetermined += i64::from(!known.failed.is_empty());
    }
    let help = "What is amiss with domains that are watched, each check once for each domain";
    registry.register("domain_issues", help, ByLabel::new("outcome", by_outcome));
    let many = i64::try_from(domains.0.len()).unwrap_or(i64::MAX);
    let gauges = [
        ("domains_watched", "Domains that are watched", many),
        ("domains_undetermined", "Domains whose last look did not come to its end", undetermined),
    ];
    for (name, help, value) in gauges {
        registry.register(name, help, ConstGauge::new(value));
    }
    let (asked, put_off) = watch.questions();
    let counted = [
        ("blocklist_questions", "Questions to block lists", asked),
        (
            "blocklist_questions_put_off",
            "Times that questions to block lists had to wait (watch.questions_per_minute, _per_day)",
            put_off,
        ),
    ];
    for (name, help, value) in counted {
        registry.register(name, help, ConstCounter::new(value));
    }
}
