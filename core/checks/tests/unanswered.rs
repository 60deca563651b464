//! Checks that nobody here can answer: there are few, each has its reason, and the guide has them.

use postlane_checks::address::address_checks;
use postlane_checks::{Check, domain_checks, message_checks};

const GUIDE: &str = include_str!("../../../docs/guide/check.md");

/// All of them, in order.
const UNANSWERED: [&str; 17] = [
    "BL-12", "BL-14", "BL-15", "BULK-15", "BULK-15", "BULK-19", "CNT-16", "DK2-01", "DNS-09",
    "DNS-21", "IDN-15", "INF-11", "INF-14", "INF-15", "INF-16", "INF-17", "INF-18",
];

fn unanswered() -> Vec<&'static Check> {
    let all = message_checks().chain(domain_checks()).chain(address_checks());
    all.filter(|check| check.unanswered.is_some()).collect()
}

#[test]
fn whoever_adds_a_check_that_nobody_answers_must_say_so_here() {
    let mut ids: Vec<&str> = unanswered().into_iter().map(|check| check.id).collect();
    ids.sort_unstable();
    assert_eq!(ids, UNANSWERED);
}

#[test]
fn the_guide_says_of_each_why_nobody_answers_it() {
    for check in unanswered() {
        let row = format!("| `{}` | {} |", check.id, check.unanswered.unwrap_or_default());
        assert!(GUIDE.contains(&row), "docs/guide/check.md has no line {row}");
    }
}
