//! A file that wants to be 600 lines holds two concepts.

use crate::tidy::finding::Finding;
use crate::tidy::tree::Tree;

/// Lines a file may have, its tests not counted.
const LINES_MAX: usize = 600;

/// Files that may be longer, and why: tables of facts, nothing else.
const TABLES: &[(&str, &str)] = &[];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, rust) in tree.rust() {
        let lines = rust.lines.iter().filter(|line| !line.is_test).count();
        if lines > LINES_MAX && !TABLES.iter().any(|(path, _)| *path == file.path) {
            findings.push(Finding::at(
                &file.path,
                LINES_MAX + 1,
                format!("{lines} lines without tests, {LINES_MAX} are allowed"),
                "it holds two concepts: give the second a file of its own",
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_do_not_count() {
        let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "fn a() {}\n".repeat(700));
        let tree = Tree::of(&[
            ("core/a/src/ok.rs", &format!("{}{tests}", "\n".repeat(600))),
            ("core/a/src/long.rs", &"\n".repeat(601)),
            ("core/a/src/ok/tests.rs", &"\n".repeat(900)),
        ]);
        let findings = check(&tree);
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].path, "core/a/src/long.rs");
    }
}
