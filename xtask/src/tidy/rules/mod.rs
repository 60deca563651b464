//! The rules, one file each.

mod architecture;
mod arrows;
mod changelog;
mod citations;
mod floor;
mod fuzzing;
mod invariants;
mod leftovers;
mod length;
mod links;
mod module_docs;
mod names;
mod papers;
mod places;
mod provenance;
mod sleeps;

use super::finding::Finding;
use super::tree::Tree;

/// Every finding of every rule, by path and line.
pub(super) fn check_all(tree: &Tree) -> Vec<Finding> {
    let rules = [
        architecture::check,
        arrows::check,
        changelog::check,
        citations::check,
        floor::check,
        fuzzing::check,
        invariants::check,
        leftovers::check,
        length::check,
        links::check,
        module_docs::check,
        names::check,
        papers::check,
        places::check,
        provenance::check,
        sleeps::check,
    ];
    let mut findings: Vec<Finding> = rules.iter().flat_map(|check| check(tree)).collect();
    findings.sort();
    findings.dedup();
    findings
}
