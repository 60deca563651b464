//! The tree as tidy sees it: every file a clone has, in memory.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Context as _;

use super::rust::Rust;

/// Folders whose files are kept by name only: what a fuzzer found is nobody's prose.
const NAMES_ONLY: [&str; 1] = ["fuzz/corpus/"];

/// One file.
#[derive(Debug)]
pub(crate) struct File {
    /// Path from the root, with `/`.
    pub(crate) path: String,
    /// Its text; empty for a file that is not UTF-8.
    pub(crate) text: String,
    /// The same as Rust, when it is.
    pub(crate) rust: Option<Rust>,
}

/// All files, by path.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    files: BTreeMap<String, File>,
}

impl Tree {
    /// Reads the tree under `root`, without what `.gitignore` names there.
    pub(crate) fn read(root: &Path) -> anyhow::Result<Self> {
        let ignored = fs::read_to_string(root.join(".gitignore")).unwrap_or_default();
        let mut ignored: Vec<&str> =
            ignored.lines().filter_map(|line| line.strip_prefix('/')).collect();
        ignored.push(".git");
        let mut texts = Vec::new();
        let mut folders = vec![String::new()];
        while let Some(folder) = folders.pop() {
            let entries = fs::read_dir(root.join(&folder))
                .with_context(|| format!("while reading the folder {folder:?}"))?;
            for entry in entries {
                let entry = entry?;
                let name = entry.file_name().to_string_lossy().into_owned();
                let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
                let kind = entry.file_type()?;
                if ignored.contains(&path.as_str()) {
                    continue;
                }
                if kind.is_dir() {
                    folders.push(path);
                } else if kind.is_file() {
                    let octets = if NAMES_ONLY.iter().any(|folder| path.starts_with(folder)) {
                        Vec::new()
                    } else {
                        fs::read(entry.path()).with_context(|| format!("while reading {path}"))?
                    };
                    texts.push((path, String::from_utf8(octets).unwrap_or_default()));
                }
            }
        }
        Ok(Self::from_texts(texts))
    }

    /// The tree with these files.
    pub(crate) fn from_texts(texts: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut tree = Self::default();
        for (path, text) in texts {
            let rust = path.ends_with(".rs").then(|| Rust::read(&text));
            tree.files.insert(path.clone(), File { path, text, rust });
        }
        tree.mark_test_files();
        tree
    }

    /// All files, by path.
    pub(crate) fn files(&self) -> impl Iterator<Item = &File> {
        self.files.values()
    }

    /// All Rust files.
    pub(crate) fn rust(&self) -> impl Iterator<Item = (&File, &Rust)> {
        self.files().filter_map(|file| Some((file, file.rust.as_ref()?)))
    }

    /// All Markdown files.
    pub(crate) fn papers(&self) -> impl Iterator<Item = &File> {
        self.files().filter(|file| file.path.ends_with(".md"))
    }

    /// The file at `path`.
    pub(crate) fn file(&self, path: &str) -> Option<&File> {
        self.files.get(path)
    }

    /// Whether a file or folder stands at `path`.
    pub(crate) fn has(&self, path: &str) -> bool {
        let folder = format!("{path}/");
        self.files.contains_key(path)
            || self.files.range(folder.clone()..).next().is_some_and(|f| f.0.starts_with(&folder))
    }

    /// Whole files are tests when they stand in `tests/`, are called `tests.rs`, or are declared so.
    fn mark_test_files(&mut self) {
        let mut declared = Vec::new();
        for (file, rust) in self.rust() {
            let (folder, name) = file.path.rsplit_once('/').unwrap_or(("", &file.path));
            let home = match name {
                "lib.rs" | "main.rs" | "mod.rs" => folder.to_owned(),
                _ => file.path.trim_end_matches(".rs").to_owned(),
            };
            declared.extend(rust.test_modules.iter().map(|module| format!("{home}/{module}")));
        }
        for (path, file) in &mut self.files {
            let stem = path.trim_end_matches(".rs");
            let is_declared = declared
                .iter()
                .any(|module| stem == module || stem.starts_with(&format!("{module}/")));
            let is_named =
                path.split('/').any(|part| matches!(part, "tests" | "tests.rs" | "benches"));
            if let Some(rust) = file.rust.as_mut().filter(|_| is_declared || is_named) {
                rust.is_all_test();
            }
        }
    }
}

#[cfg(test)]
impl Tree {
    /// A small tree for a test.
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        Self::from_texts(files.iter().map(|(path, text)| ((*path).into(), (*text).into())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_a_test_by_its_name_its_folder_or_its_declaration() {
        let tree = Tree::of(&[
            ("core/a/src/lib.rs", "#[cfg(test)]\nmod laws;\n"),
            ("core/a/src/laws.rs", "a\n"),
            ("core/a/src/laws/deep.rs", "a\n"),
            ("core/a/src/lawsuit.rs", "a\n"),
            ("core/a/src/b/tests.rs", "a\n"),
            ("core/a/tests/c.rs", "a\n"),
        ]);
        let tests: Vec<&str> = tree
            .rust()
            .filter(|(_, rust)| rust.lines.iter().all(|line| line.is_test))
            .map(|(file, _)| file.path.as_str())
            .collect();
        assert_eq!(
            tests,
            [
                "core/a/src/b/tests.rs",
                "core/a/src/laws.rs",
                "core/a/src/laws/deep.rs",
                "core/a/src/lib.rs",
                "core/a/tests/c.rs",
            ]
        );
    }

    #[test]
    fn a_folder_is_there_when_a_file_is_in_it() {
        let tree = Tree::of(&[("docs/guide/a.md", "")]);
        assert!(tree.has("docs/guide/a.md") && tree.has("docs/guide") && tree.has("docs"));
        assert!(!tree.has("docs/gui") && !tree.has("doc"));
    }
}
