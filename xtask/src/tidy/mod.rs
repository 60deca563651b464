//! Tidy: the house style as a test, for what no lint of the compiler can see.
//!
//! One file per rule under `rules/`. A finding is printed as `path:line: what is wrong: the cure`.

mod finding;
mod manifest;
mod prose;
mod rules;
mod rust;
mod tree;

use std::path::Path;

use finding::Finding;
use tree::Tree;

/// Everything in the tree under `root` that breaks a rule.
pub(crate) fn findings(root: &Path) -> anyhow::Result<Vec<Finding>> {
    Ok(rules::check_all(&Tree::read(root)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_house_is_tidy() {
        let findings = findings(&crate::root::root()).unwrap();
        let list: Vec<String> = findings.iter().map(Finding::to_string).collect();
        assert!(list.is_empty(), "{} findings:\n{}", list.len(), list.join("\n"));
    }
}
