//! The crates of the workspace and what they depend on, as their manifests say.

use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};

use super::tree::Tree;

/// One crate of the workspace.
#[derive(Debug)]
pub(crate) struct Crate {
    /// Folder from the root: `core/mail`.
    pub(crate) folder: String,
    pub(crate) name: String,
    /// Names of what it is built with.
    pub(crate) dependencies: BTreeSet<String>,
    /// Names of what its tests are built with besides.
    pub(crate) dev_dependencies: BTreeSet<String>,
}

impl Crate {
    /// Path of its manifest.
    pub(crate) fn manifest(&self) -> String {
        format!("{}/Cargo.toml", self.folder)
    }
}

/// All crates of the workspace, by name; a manifest that cannot be read is cargo's to complain of.
pub(crate) fn crates(tree: &Tree) -> BTreeMap<String, Crate> {
    let mut crates = BTreeMap::new();
    for file in tree.files() {
        let Some(folder) = file.path.strip_suffix("/Cargo.toml").filter(|f| is_member(f)) else {
            continue;
        };
        let Ok(manifest) = file.text.parse::<Table>() else { continue };
        let name = manifest.get("package").and_then(|p| p.get("name")).and_then(Value::as_str);
        if let Some(name) = name {
            crates.insert(
                name.to_owned(),
                Crate {
                    folder: folder.to_owned(),
                    name: name.to_owned(),
                    dependencies: names(&manifest, &["dependencies", "build-dependencies"]),
                    dev_dependencies: names(&manifest, &["dev-dependencies"]),
                },
            );
        }
    }
    crates
}

/// Whether the root manifest's `members` take the folder in: `core/*`, `io/*`, `app/*`, `xtask`.
fn is_member(folder: &str) -> bool {
    match folder.split_once('/') {
        Some(("core" | "io" | "app", name)) => !name.contains('/'),
        Some(_) => false,
        None => folder == "xtask",
    }
}

fn names(manifest: &Table, kinds: &[&str]) -> BTreeSet<String> {
    let targets = manifest.get("target").and_then(Value::as_table);
    let tables = targets.into_iter().flat_map(|t| t.values()).filter_map(Value::as_table);
    std::iter::once(manifest)
        .chain(tables)
        .flat_map(|table| kinds.iter().filter_map(|kind| table.get(*kind)?.as_table()))
        .flat_map(|dependencies| dependencies.iter())
        .map(|(key, value)| value.get("package").and_then(Value::as_str).unwrap_or(key).to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_is_read_with_all_its_dependencies() {
        let manifest = "[package]\nname = \"a\"\n[dependencies]\nb.workspace = true\n\
            c = { package = \"d\", version = \"1\" }\n[target.'cfg(unix)'.dependencies]\ne = \"1\"\n\
            [dev-dependencies]\nf = \"1\"\n";
        let crates = crates(&Tree::of(&[("core/a/Cargo.toml", manifest)]));
        assert_eq!(crates["a"].folder, "core/a");
        assert_eq!(crates["a"].dependencies, ["b", "d", "e"].map(str::to_owned).into());
        assert_eq!(crates["a"].dev_dependencies, ["f".to_owned()].into());
    }

    #[test]
    fn only_the_workspace_counts() {
        let manifest = "[package]\nname = \"a\"\n";
        for path in ["fuzz/Cargo.toml", "tools/mailbench/Cargo.toml", "core/a/b/Cargo.toml"] {
            assert!(crates(&Tree::of(&[(path, manifest)])).is_empty(), "{path}");
        }
        assert_eq!(crates(&Tree::of(&[("xtask/Cargo.toml", manifest)])).len(), 1);
    }
}
