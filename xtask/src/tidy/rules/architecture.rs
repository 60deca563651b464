//! ARCHITECTURE.md names exactly the crates that exist.

use crate::tidy::finding::Finding;
use crate::tidy::manifest::crates;
use crate::tidy::prose::code_spans;
use crate::tidy::tree::Tree;

const PAPER: &str = "ARCHITECTURE.md";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let Some(paper) = tree.file(PAPER) else {
        return vec![Finding::at(PAPER, 1, "the paper is missing", "draw the house")];
    };
    let crates = crates(tree);
    let mut findings = Vec::new();
    for (at, line) in paper.text.lines().enumerate() {
        for name in code_spans(line).filter(|name| is_crate_folder(name)) {
            if !crates.values().any(|c| c.folder == name) {
                findings.push(Finding::at(
                    PAPER,
                    at + 1,
                    format!("there is no crate `{name}`"),
                    "name what exists; a plan belongs into docs/design/",
                ));
            }
        }
    }
    for c in crates.values() {
        if !paper.text.contains(&format!("`{}`", c.folder)) {
            findings.push(Finding::at(
                PAPER,
                1,
                format!("the crate `{}` is not named", c.folder),
                "say in the map what it is and what it must never do",
            ));
        }
    }
    findings
}

fn is_crate_folder(name: &str) -> bool {
    let is_word = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase());
    matches!(name.split_once('/'), Some(("core" | "io" | "app", rest)) if is_word(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_map_has_every_crate_and_no_other() {
        let found = check(&Tree::of(&[
            ("core/mail/Cargo.toml", "[package]\nname = \"postlane-mail\"\n"),
            ("io/net/Cargo.toml", "[package]\nname = \"postlane-net\"\n"),
            (PAPER, "- `core/mail`: nouns\n- `core/lanes`: pacing, `io/net/src/dns`\n"),
        ]));
        let wrong: Vec<&str> = found.iter().map(|f| f.wrong.as_str()).collect();
        assert_eq!(wrong, ["there is no crate `core/lanes`", "the crate `io/net` is not named"]);
    }
}
