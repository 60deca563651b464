//! What checks look at, by their names.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use postlane_checks::address::address_checks;
use postlane_checks::{Check, domain_checks, message_checks};

static CHECKS: LazyLock<BTreeMap<&'static str, &'static Check>> = LazyLock::new(|| {
    let all = message_checks().chain(domain_checks()).chain(address_checks());
    all.map(|check| (check.id, check)).collect()
});

/// What a check looks at, in a few words; empty for one that is not known.
pub(super) fn title_of(id: &str) -> String {
    CHECKS.get(id).map(|check| check.title.to_owned()).unwrap_or_default()
}

/// Who lets nobody pass without it, as people know them.
pub(super) fn asked_by(id: &str) -> Vec<String> {
    let check = CHECKS.get(id);
    let names = check.map(|check| check.gates.iter().map(|gate| gate.name().to_owned()).collect());
    names.unwrap_or_default()
}

/// The groups of checks, by how their names begin, in the order of reports.
pub(super) const GROUPS: [(&str, &str); 14] = [
    ("IDN", "Who it says it is"),
    ("SPF", "SPF"),
    ("DKIM", "DKIM"),
    ("DK2", "DKIM2"),
    ("DMARC", "DMARC"),
    ("ARC", "ARC"),
    ("DNS", "Names and name servers"),
    ("TLS", "Encryption"),
    ("BL", "Block lists"),
    ("BULK", "Mail to many"),
    ("FMT", "Form"),
    ("CNT", "Content"),
    ("BIMI", "Logo (BIMI)"),
    ("INF", "The house"),
];

/// How a check's name begins.
pub(super) fn prefix_of(id: &str) -> &str {
    id.split('-').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_that_is_known_has_a_title_and_a_group() {
        for (id, check) in CHECKS.iter() {
            assert!(!check.title.is_empty(), "{id}");
            assert!(GROUPS.iter().any(|(prefix, _)| *prefix == prefix_of(id)), "{id}");
        }
        assert_eq!(title_of("none"), "");
        assert_eq!(title_of("DMARC-01"), "There is a policy");
        assert!(asked_by("DMARC-01").contains(&"Gmail".to_owned()));
    }
}
