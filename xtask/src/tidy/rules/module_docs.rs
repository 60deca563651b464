//! Every file says at its head what it is, in at most 15 lines.
//!
//! Only `foo/tests.rs` need not: it holds the tests of `foo.rs`, as its name says.

use crate::tidy::finding::Finding;
use crate::tidy::tree::Tree;

/// Lines a module's documentation may have; longer belongs into `docs/design/`.
const LINES_MAX: usize = 15;
/// Words a first line must have to say anything.
const WORDS_MIN: usize = 3;
/// What stands in a text that somebody meant to write later.
const PLACEHOLDERS: &[&str] = &["placeholder", "to be written", "coming soon", "lorem ipsum"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let files = tree.rust().filter(|(file, _)| !file.path.ends_with("/tests.rs"));
    files.filter_map(|(file, _)| judge(&file.path, &file.text)).collect()
}

fn judge(path: &str, text: &str) -> Option<Finding> {
    let docs: Vec<&str> = text.lines().map_while(|line| line.strip_prefix("//!")).collect();
    let first = docs.first().map_or("", |line| line.trim());
    let all = docs.join(" ").to_lowercase();
    if docs.is_empty() {
        Some(Finding::at(
            path,
            1,
            "the file does not say what it is",
            "begin with `//!` and a sentence a mail operator understands",
        ))
    } else if first.split_whitespace().count() < WORDS_MIN
        || PLACEHOLDERS.iter().any(|placeholder| all.contains(placeholder))
    {
        Some(Finding::at(
            path,
            1,
            "the module's documentation says nothing",
            "say what it is in a mail operator's words",
        ))
    } else if docs.len() > LINES_MAX {
        Some(Finding::at(
            path,
            LINES_MAX + 1,
            format!("{} lines of module documentation, {LINES_MAX} are allowed", docs.len()),
            "move the reasoning to docs/design/ and link to it",
        ))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_begins_with_what_it_is() {
        assert!(judge("a.rs", "//! Reads the reply.\n\nuse a;\n").is_none());
        for text in ["", "use a;\n//! late", "//! Reply.\n", "//! This is a placeholder.\n"] {
            assert!(judge("a.rs", text).is_some(), "{text}");
        }
    }

    #[test]
    fn the_tests_of_a_file_are_said_by_their_name() {
        let tree = Tree::of(&[("core/a/src/b/tests.rs", "use c;\n"), ("core/a/tests/d.rs", "")]);
        let findings = check(&tree);
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].path, "core/a/tests/d.rs");
    }

    #[test]
    fn an_essay_is_a_decision_record() {
        assert!(judge("a.rs", &"//! One two three.\n".repeat(15)).is_none());
        assert_eq!(judge("a.rs", &"//! One two three.\n".repeat(16)).unwrap().line, 16);
    }
}
