//! The root of the tree holds the papers of the house and its settings: what else lies there has been
//! left behind by somebody's command.

use crate::tidy::finding::Finding;
use crate::tidy::tree::Tree;

/// Files at the root, besides papers and licences.
const SETTINGS: &[&str] =
    &[".gitignore", "Cargo.lock", "Cargo.toml", "clippy.toml", "deny.toml", "rustfmt.toml"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let belongs = |path: &str| {
        path.contains('/')
            || path.ends_with(".md")
            || path.starts_with("LICENSE-")
            || SETTINGS.contains(&path)
    };
    let lost = tree.files().filter(|file| !belongs(&file.path));
    lost.map(|file| {
        Finding::at(
            &file.path,
            1,
            "no file of the root has this name",
            "take it away, or give it a folder; a new setting is named in xtask's rule `floor`",
        )
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_command_left_at_the_root_is_found() {
        let tree = Tree::of(&[
            ("README.md", ""),
            ("LICENSE-MIT", ""),
            ("Cargo.lock", ""),
            ("docs/lanes.svg", ""),
            ("numbers-1.0.whl", ""),
        ]);
        let findings = check(&tree);
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].path, "numbers-1.0.whl");
    }
}
