//! Nothing in the tree knows the machine or the desk it was written at.

use crate::tidy::finding::Finding;
use crate::tidy::tree::Tree;

/// Paths of somebody's machine. Assembled, so that this file does not hold them itself.
const PATHS: &[&str] = &[
    concat!("/ho", "me/"),
    concat!("/ro", "ot/"),
    concat!("/wo", "rk/"),
    concat!("/tm", "p/"),
    concat!("/Use", "rs/"),
];

/// Words of a desk, not of mail; compared in lower case.
const WORDS: &[&str] = &[
    concat!("cla", "ude"),
    concat!("anthro", "pic"),
    concat!("chat", "gpt"),
    concat!("co", "pilot"),
    concat!("sub", "agent"),
    concat!("language ", "model"),
];

/// Files that are not our words.
const FOREIGN: &[&str] = &["LICENSE-APACHE", "LICENSE-MIT"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files() {
        if file.path.ends_with("Cargo.lock") || FOREIGN.contains(&file.path.as_str()) {
            continue;
        }
        for (at, line) in file.text.lines().enumerate() {
            if let Some(path) = PATHS.iter().find(|path| starts_a_path(line, path)) {
                findings.push(Finding::at(
                    &file.path,
                    at + 1,
                    format!("`{path}` is a path of one machine"),
                    "take it from an argument or the environment, or make a temporary folder",
                ));
            }
            let lower = line.to_lowercase();
            if let Some(word) = WORDS.iter().find(|word| lower.contains(*word)) {
                findings.push(Finding::at(
                    &file.path,
                    at + 1,
                    format!("`{word}` is no mail operator's word"),
                    "say it in the words of mail, or leave it out",
                ));
            }
        }
    }
    findings
}

/// Whether `path` stands in the line at the start of an absolute path, not inside a longer one.
fn starts_a_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|c| !c.is_alphanumeric() && !matches!(c, '.' | '_' | '-' | '}' | '*'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_one_machine_is_found_everywhere() {
        let line = format!("open \"{}me/spool\"\n", PATHS[0]);
        let findings = check(&Tree::of(&[("docs/a.md", &line), ("a.toml", &line)]));
        assert_eq!(findings.len(), 2);
    }

    #[test]
    fn a_folder_of_that_name_inside_the_tree_is_not_meant() {
        let line = format!("see docs{}plan.md\n", PATHS[2]);
        assert!(check(&Tree::of(&[("docs/a.md", &line)])).is_empty());
    }

    #[test]
    fn a_word_of_the_desk_is_found() {
        let line = format!("written by {}\n", WORDS[0].to_uppercase());
        assert_eq!(check(&Tree::of(&[("a.rs", &line)])).len(), 1);
    }
}
