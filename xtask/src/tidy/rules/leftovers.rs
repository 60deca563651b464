//! Nothing is left for later, and no test is switched off.

use crate::tidy::finding::Finding;
use crate::tidy::prose::{prose, without_code};
use crate::tidy::tree::Tree;

/// Marks of unfinished work in comments and papers.
const MARKS: &[&str] = &["TODO", "FIXME", "XXX", "HACK"];

/// Code that says "later", or "look away", and what to do instead.
const CODE: &[(&str, &str)] = &[
    ("todo!(", "finish it, or return an error that says what is missing"),
    ("unimplemented!(", "finish it, or return an error that says what is missing"),
    ("dbg!(", "take it out"),
    ("#[ignore", "a test that does not run holds nothing: make it run or delete it"),
    ("#[allow(", "mend it, or `#[expect(…, reason = \"…\")]` with a real reason"),
    ("#![allow(", "mend it, or `#[expect(…, reason = \"…\")]` with a real reason"),
    ("assert!(true", "a test must be able to fail"),
];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, rust) in tree.rust() {
        for (number, line) in rust.numbered() {
            for (code, cure) in CODE.iter().filter(|(code, _)| line.code.contains(code)) {
                findings.push(Finding::at(&file.path, number, format!("`{code}`"), *cure));
            }
            judge(&mut findings, &file.path, number, &without_code(&line.comment));
        }
    }
    for paper in tree.papers() {
        for (number, line) in prose(&paper.text) {
            judge(&mut findings, &paper.path, number, &line);
        }
    }
    let scripts = tree.files().filter(|f| f.path.ends_with(".toml") || f.path.starts_with(".ci/"));
    for script in scripts {
        for (at, line) in script.text.lines().enumerate() {
            let comment = line.split_once('#').map_or("", |(_, comment)| comment);
            judge(&mut findings, &script.path, at + 1, comment);
        }
    }
    findings
}

fn judge(findings: &mut Vec<Finding>, path: &str, number: usize, prose: &str) {
    let mut words = prose.split(|c: char| !c.is_alphanumeric());
    if let Some(mark) = words.find(|word| MARKS.contains(word)) {
        findings.push(Finding::at(
            path,
            number,
            format!("`{mark}`: something is left for later"),
            "do it now, or write an issue and leave the code without a mark",
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> usize {
        check(&Tree::of(&[(path, text)])).len()
    }

    #[test]
    fn what_is_left_for_later_is_found() {
        assert_eq!(found("a.rs", &format!("// {}: later\n", MARKS[0])), 1);
        assert_eq!(found("a.rs", "#[test]\n#[ignore = \"slow\"]\nfn a() { todo!() }\n"), 2);
        assert_eq!(found("docs/a.md", &format!("{} more\n", MARKS[1])), 1);
        assert_eq!(found("Cargo.toml", &format!("a = 1 # {}\n", MARKS[2])), 1);
    }

    #[test]
    fn a_word_that_only_looks_like_a_mark_is_not_one() {
        assert_eq!(found("a.rs", "// MASTODON, and `TODO` in code\nlet a = \"todo!(\";\n"), 0);
    }
}
