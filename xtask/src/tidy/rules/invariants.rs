//! Each invariant in ARCHITECTURE.md names the test that holds it, and that test stands in the file
//! that is linked.

use std::collections::{BTreeMap, BTreeSet};

use crate::tidy::finding::Finding;
use crate::tidy::prose::code_spans;
use crate::tidy::rust::named;
use crate::tidy::tree::Tree;

const PAPER: &str = "ARCHITECTURE.md";
const HEADING: &str = "## Invariants";

/// An invariant as printed: the line it begins at and its whole text.
struct Invariant {
    line: usize,
    text: String,
}

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let Some(paper) = tree.file(PAPER) else { return Vec::new() };
    let invariants = invariants(&paper.text);
    if invariants.is_empty() {
        return vec![Finding::at(
            PAPER,
            1,
            "no invariants are printed",
            format!("list them under `{HEADING}`, numbered, each with its test"),
        )];
    }
    let tests = tests(tree);
    invariants.iter().flat_map(|invariant| judge(invariant, &tests)).collect()
}

fn judge(invariant: &Invariant, tests: &BTreeMap<&str, BTreeSet<&str>>) -> Vec<Finding> {
    let named = ["test:", "tests:"].iter().find_map(|word| invariant.text.split_once(word));
    let Some((_, named)) = named.filter(|(_, named)| code_spans(named).next().is_some()) else {
        return vec![Finding::at(
            PAPER,
            invariant.line,
            "the invariant names no test",
            "end it with test: and the test's name in backticks",
        )];
    };
    let wrong = |(name, file): (&str, Option<&str>)| {
        let Some(files) = tests.get(name.rsplit("::").next().unwrap_or(name)) else {
            let cure = "name the test that holds the invariant, or write it".to_owned();
            return Some((format!("there is no test `{name}`"), cure));
        };
        let file = file.filter(|file| !files.contains(file))?;
        let holds = files.iter().copied().collect::<Vec<_>>().join(" or ");
        Some((format!("`{name}` is no test in {file}"), format!("link {holds}")))
    };
    let wrongs = linked(named).filter_map(wrong);
    wrongs.map(|(wrong, cure)| Finding::at(PAPER, invariant.line, wrong, cure)).collect()
}

/// The names between backticks, each with the file it links to, if it does.
fn linked(text: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    let behind = text.split('`').skip(2).step_by(2);
    code_spans(text).zip(behind).map(|(name, behind)| {
        (name, behind.strip_prefix("](").and_then(|behind| behind.split(')').next()))
    })
}

fn invariants(text: &str) -> Vec<Invariant> {
    let mut found: Vec<Invariant> = Vec::new();
    let mut is_inside = false;
    for (at, line) in text.lines().enumerate() {
        if line.starts_with("## ") {
            is_inside = line.trim_end() == HEADING;
        } else if is_inside && is_numbered(line) {
            found.push(Invariant { line: at + 1, text: line.to_owned() });
        } else if let Some(last) = found.last_mut().filter(|_| is_inside) {
            last.text.push(' ');
            last.text.push_str(line);
        }
    }
    found
}

fn is_numbered(line: &str) -> bool {
    line.split_once(". ").is_some_and(|(number, _)| number.parse::<u8>().is_ok())
}

/// Names of all functions in tests that are tests themselves, with the files they stand in.
fn tests(tree: &Tree) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut names: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (file, rust) in tree.rust() {
        let mut is_marked = false;
        for line in rust.lines.iter().filter(|line| line.is_test) {
            is_marked |= line.code.contains("#[test]") || line.code.contains("::test");
            for name in named(&line.code, "fn") {
                if is_marked {
                    names.entry(name).or_default().insert(&file.path);
                }
                is_marked = false;
            }
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEST: (&str, &str) = (
        "core/a/tests/b.rs",
        "#[test]\nfn a_rule() {}\nfn draw() {}\n#[tokio::test]\nasync fn c() {}",
    );

    fn wrongs(list: &str) -> Vec<String> {
        let paper = format!("# A\n\n{HEADING}\n\n{list}\n## Next\n\n1. not one\n");
        check(&Tree::of(&[(PAPER, &paper), TEST])).into_iter().map(|f| f.wrong).collect()
    }

    #[test]
    fn an_invariant_is_held_by_tests_that_exist() {
        assert!(wrongs("1. A is B.\n   tests: `a_rule`,\n   `tests::c`\n").is_empty());
        assert_eq!(
            wrongs("1. A is B. test: `no_such_rule`\n"),
            ["there is no test `no_such_rule`"]
        );
        assert_eq!(wrongs("1. A is B. test: `draw`\n"), ["there is no test `draw`"]);
    }

    #[test]
    fn a_test_stands_where_its_link_leads() {
        assert!(wrongs("1. A is B. test: [`a_rule`](core/a/tests/b.rs)\n").is_empty());
        assert_eq!(
            wrongs("1. A is B.\n   tests: [`a_rule`](core/a/tests/c.rs), `c`\n"),
            ["`a_rule` is no test in core/a/tests/c.rs"]
        );
    }

    #[test]
    fn an_invariant_without_a_test_is_a_wish() {
        assert_eq!(wrongs("1. A is `B`.\n2. C. test: `a_rule`\n"), ["the invariant names no test"]);
        assert_eq!(wrongs(""), ["no invariants are printed"]);
    }
}
