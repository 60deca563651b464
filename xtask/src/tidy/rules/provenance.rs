//! Every fact in a table of facts says where it was read, and when.

use toml::{Table, Value};

use crate::tidy::finding::Finding;
use crate::tidy::tree::Tree;

/// What every entry has, itself or by the `[about]` its file begins with.
const KEYS: &[&str] = &["source", "seen"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files().filter(|file| is_facts(&file.path)) {
        let Ok(table) = file.text.parse::<Table>() else {
            findings.push(Finding::at(&file.path, 1, "not TOML", "mend the file"));
            continue;
        };
        let shared = table.get("about").and_then(Value::as_table);
        let is_told = |key: &str| shared.is_some_and(|about| about.contains_key(key));
        let keys: Vec<_> = KEYS.iter().filter(|key| !is_told(key)).collect();
        for (name, entries) in &table {
            let entries = entries.as_array().map(Vec::as_slice).unwrap_or_default();
            let lines = lines_of(&file.text, &format!("[[{name}]]"));
            for (entry, line) in entries.iter().filter_map(Value::as_table).zip(lines) {
                for key in keys.iter().filter(|key| !entry.contains_key(***key)) {
                    findings.push(Finding::at(
                        &file.path,
                        line,
                        format!("the {name} has no `{key}`"),
                        "say which page the fact was read on, and the day",
                    ));
                }
            }
        }
    }
    findings
}

/// TOML files inside a pure crate are tables of facts; its manifest and its lints are not.
fn is_facts(path: &str) -> bool {
    path.starts_with("core/")
        && path.ends_with(".toml")
        && !path.ends_with("Cargo.toml")
        && !path.ends_with("clippy.toml")
}

fn lines_of(text: &str, wanted: &str) -> Vec<usize> {
    let lines = text.lines().enumerate().filter(|(_, line)| line.trim() == wanted);
    lines.map(|(at, _)| at + 1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fact_without_a_source_is_found_at_its_line() {
        let table = "[[rule]]\nid = 1\nsource = \"a\"\nseen = \"2026-11-20\"\n[[rule]]\nid = 2\n";
        let findings = check(&Tree::of(&[("core/replies/rules/a.toml", table)]));
        let places: Vec<usize> = findings.iter().map(|f| f.line).collect();
        assert_eq!(places, [5, 5]);
        assert!(check(&Tree::of(&[("core/replies/Cargo.toml", table)])).is_empty());
    }

    #[test]
    fn what_a_file_is_about_holds_for_every_fact_in_it() {
        let table = "[about]\nsource = \"a\"\n[[rule]]\nid = 1\n";
        let findings = check(&Tree::of(&[("core/replies/rules/a.toml", table)]));
        let told: Vec<_> = findings.iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), 1);
        assert!(told[0].contains("`seen`"), "{told:?}");
        let whole = table.replace("[[rule]]", "seen = \"2026\"\n[[rule]]");
        assert!(check(&Tree::of(&[("core/replies/rules/a.toml", &whole)])).is_empty());
    }
}
