//! Every fuzz target is declared and has a first corpus, so that CI replays something.

use crate::tidy::finding::Finding;
use crate::tidy::tree::Tree;

const MANIFEST: &str = "fuzz/Cargo.toml";
const TARGETS: &str = "fuzz/fuzz_targets/";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let manifest = tree.file(MANIFEST).map_or("", |file| file.text.as_str());
    let mut findings = Vec::new();
    for (file, _) in tree.rust() {
        let name = file.path.strip_prefix(TARGETS).and_then(|name| name.strip_suffix(".rs"));
        let Some(name) = name.filter(|name| !name.contains('/')) else { continue };
        if !manifest.contains(&format!("name = \"{name}\"")) {
            findings.push(Finding::at(
                &file.path,
                1,
                format!("{MANIFEST} does not declare the target"),
                "add its `[[bin]]`",
            ));
        }
        if !tree.has(&format!("fuzz/corpus/{name}")) {
            findings.push(Finding::at(
                &file.path,
                1,
                "the target has no corpus",
                format!("put a few real inputs into fuzz/corpus/{name}/"),
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_declared_and_has_a_corpus() {
        let target = ("fuzz/fuzz_targets/reply.rs", "");
        let manifest = (MANIFEST, "[[bin]]\nname = \"reply\"\n");
        assert!(check(&Tree::of(&[target, manifest, ("fuzz/corpus/reply/a", "")])).is_empty());
        assert_eq!(check(&Tree::of(&[target])).len(), 2);
    }
}
