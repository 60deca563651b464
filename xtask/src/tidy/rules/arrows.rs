//! The arrows between the floors, as ARCHITECTURE.md draws them.

use std::collections::{BTreeMap, BTreeSet};

use crate::tidy::finding::Finding;
use crate::tidy::manifest::{Crate, crates};
use crate::tidy::tree::Tree;

/// Whether an arrow is broken by a dependency of a dependency, too.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    Direct,
    Through,
}

/// An arrow that must never exist. `core/*` is a whole floor.
struct Law {
    /// Its number in ARCHITECTURE.md.
    number: u8,
    from: &'static str,
    to: &'static str,
    reach: Reach,
    why: &'static str,
}

const fn law(
    number: u8,
    from: &'static str,
    to: &'static str,
    reach: Reach,
    why: &'static str,
) -> Law {
    Law { number, from, to, reach, why }
}

const LAWS: &[Law] = &[
    law(1, "core/*", "io/*", Reach::Through, "the core knows no world"),
    law(1, "core/*", "app/*", Reach::Through, "the core knows no world"),
    law(1, "io/*", "app/*", Reach::Through, "the world knows no product"),
    law(2, "core/engine", "core/smtp", Reach::Through, "the engine learns outcomes, not dialogues"),
    law(3, "core/engine", "core/message", Reach::Through, "the engine never looks inside"),
    law(4, "core/lanes", "core/replies", Reach::Through, "a lane hears signals"),
    law(5, "core/replies", "core/lanes", Reach::Through, "knowledge advises; it does not act"),
    law(5, "core/replies", "core/engine", Reach::Through, "knowledge advises; it does not act"),
    law(6, "core/checks", "io/net", Reach::Through, "checks list questions and receive answers"),
    law(7, "app/api", "io/spool", Reach::Direct, "only through the server's handle"),
    law(7, "app/api", "io/net", Reach::Direct, "only through the server's handle"),
    law(7, "app/api", "core/engine", Reach::Direct, "only through the server's handle"),
    law(7, "app/dashboard", "io/spool", Reach::Direct, "only through the API and the handle"),
    law(7, "app/dashboard", "io/net", Reach::Direct, "only through the API and the handle"),
    law(7, "app/dashboard", "core/engine", Reach::Direct, "only through the API and the handle"),
    law(8, "app/rehearsal", "io/*", Reach::Through, "a rehearsal can neither send nor store"),
    law(9, "io/spool", "io/ledger", Reach::Through, "history may be lost, mail may not"),
    law(9, "io/ledger", "io/spool", Reach::Through, "history may be lost, mail may not"),
];

/// Arrows between neighbours on one floor: those that are drawn. Any other is a change of the plan.
const DRAWN: &[(&str, &str)] = &[
    ("core/*", "core/mail"),
    ("core/checks", "core/message"),
    ("core/engine", "core/lanes"),
    ("core/engine", "core/replies"),
    ("core/suppression", "core/replies"),
    ("core/triage", "core/replies"),
    ("core/maillog", "core/replies"),
    ("app/tester", "app/inspection"),
    ("app/server", "app/tester"),
    ("app/api", "app/tester"),
    ("app/postlane", "app/tester"),
    ("app/server", "app/inspection"),
    ("app/server", "app/rehearsal"),
    ("app/api", "app/server"),
    ("app/api", "app/inspection"),
    ("app/api", "app/rehearsal"),
    ("app/postlane", "app/inspection"),
    ("app/dashboard", "app/server"),
    ("app/dashboard", "app/api"),
    ("app/postlane", "app/dashboard"),
    ("app/postlane", "app/server"),
    ("app/postlane", "app/api"),
    ("app/postlane", "app/rehearsal"),
];

/// Arrows that only tests may draw, and why. A test may do more than the house, but not unsaid.
const WIDER_IN_TESTS: &[(&str, &str, &str)] = &[(
    "core/maillog",
    "core/receivers",
    "a limit that is found in a log is held against the one that was there",
)];

/// What no pure crate may be built with: it brings the world, its clock or its chance along.
const WORLD: &[&str] = &[
    "async-trait",
    "futures",
    "getrandom",
    "hickory-resolver",
    "libc",
    "mio",
    "nix",
    "parking_lot",
    "rand",
    "rustix",
    "rustls",
    "socket2",
    "tokio",
    "tokio-rustls",
];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let crates = crates(tree);
    let mut findings = Vec::new();
    for a in crates.values() {
        let direct: Vec<&Crate> = a.dependencies.iter().filter_map(|d| crates.get(d)).collect();
        let in_tests: Vec<&Crate> =
            a.dev_dependencies.iter().filter_map(|d| crates.get(d)).collect();
        let through = reached(a, &crates);
        for law in LAWS.iter().filter(|law| matches(law.from, &a.folder)) {
            for b in crates.values().filter(|b| matches(law.to, &b.folder)) {
                let broken = match law.reach {
                    Reach::Direct => a.dependencies.contains(&b.name),
                    Reach::Through => through.contains(b.name.as_str()),
                };
                let broken_in_tests =
                    a.dev_dependencies.contains(&b.name) && !is_wider_in_tests(a, b);
                if broken || broken_in_tests {
                    findings.push(breach(tree, a, b, law));
                }
            }
        }
        for b in direct.iter().chain(&in_tests).filter(|b| floor(a) == floor(b)) {
            let is_drawn = DRAWN.iter().any(|(f, t)| matches(f, &a.folder) && *t == b.folder);
            let is_for_tests = in_tests.iter().any(|t| t.name == b.name) && is_wider_in_tests(a, b);
            if !is_drawn && !is_for_tests {
                findings.push(Finding::at(
                    &a.manifest(),
                    line_of(tree, a, &b.name),
                    format!("{} → {} is not drawn in ARCHITECTURE.md", a.folder, b.folder),
                    "draw it there and in xtask's tidy, with a decision record, or do without",
                ));
            }
        }
        findings.extend(worldly(tree, a));
    }
    findings
}

fn breach(tree: &Tree, a: &Crate, b: &Crate, law: &Law) -> Finding {
    Finding::at(
        &a.manifest(),
        line_of(tree, a, &b.name),
        format!("arrow {} must never exist: {} → {}", law.number, a.folder, b.folder),
        format!("{}: turn the dependency round or pass a value", law.why),
    )
}

fn worldly(tree: &Tree, a: &Crate) -> Vec<Finding> {
    let is_pure = floor(a) == "core";
    let brought = a.dependencies.iter().filter(|d| is_pure && WORLD.contains(&d.as_str()));
    let finding = |name: &String| {
        Finding::at(
            &a.manifest(),
            line_of(tree, a, name),
            format!("{} is pure and must not be built with {name}", a.folder),
            "take time, chance, bytes and answers as arguments",
        )
    };
    brought.map(finding).collect()
}

/// Names of everything a crate is built with in the workspace, however far.
fn reached<'a>(from: &'a Crate, crates: &'a BTreeMap<String, Crate>) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut open = vec![from];
    while let Some(a) = open.pop() {
        for b in a.dependencies.iter().filter_map(|name| crates.get(name)) {
            if reached.insert(b.name.as_str()) {
                open.push(b);
            }
        }
    }
    reached
}

fn floor(a: &Crate) -> &str {
    a.folder.split('/').next().unwrap_or_default()
}

fn matches(pattern: &str, folder: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(floor) => folder.starts_with(floor),
        None => pattern == folder,
    }
}

fn is_wider_in_tests(a: &Crate, b: &Crate) -> bool {
    WIDER_IN_TESTS.iter().any(|(from, to, _)| *from == a.folder && *to == b.folder)
}

/// The line of the manifest that names the dependency; 1 when it comes through another.
fn line_of(tree: &Tree, a: &Crate, name: &str) -> usize {
    let text = tree.file(&a.manifest()).map_or("", |file| file.text.as_str());
    let names =
        |line: &str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['.', ' ', '=']));
    text.lines().position(names).map_or(1, |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(name: &str, dependencies: &[&str], in_tests: &[&str]) -> String {
        let list = |names: &[&str]| -> String {
            names.iter().map(|name| format!("{name}.workspace = true\n")).collect()
        };
        format!(
            "[package]\nname = \"{name}\"\n[dependencies]\n{}[dev-dependencies]\n{}",
            list(dependencies),
            list(in_tests)
        )
    }

    fn wrongs(crates: &[(&str, &[&str], &[&str])]) -> Vec<String> {
        let files: Vec<(String, String)> = crates
            .iter()
            .map(|(folder, dependencies, in_tests)| {
                let name = folder.rsplit('/').next().unwrap();
                (format!("{folder}/Cargo.toml"), manifest(name, dependencies, in_tests))
            })
            .collect();
        check(&Tree::from_texts(files)).into_iter().map(|f| f.wrong).collect()
    }

    #[test]
    fn the_plan_as_drawn_has_no_findings() {
        let found = wrongs(&[
            ("core/mail", &[], &[]),
            ("core/lanes", &["mail"], &["proptest"]),
            ("core/engine", &["mail", "lanes"], &[]),
            ("io/net", &["mail", "tokio"], &[]),
            ("app/server", &["net", "engine"], &[]),
            ("app/api", &["server"], &[]),
        ]);
        assert_eq!(found, Vec::<String>::new());
    }

    #[test]
    fn a_forbidden_arrow_is_found_through_another_crate() {
        let found = wrongs(&[
            ("core/mail", &["net"], &[]),
            ("io/net", &[], &[]),
            ("core/lanes", &["mail"], &[]),
        ]);
        assert_eq!(
            found,
            [
                "arrow 1 must never exist: core/lanes → io/net",
                "arrow 1 must never exist: core/mail → io/net"
            ]
        );
    }

    #[test]
    fn the_api_may_reach_the_spool_only_through_the_server() {
        let spool: (&str, &[&str], &[&str]) = ("io/spool", &[], &[]);
        let server: (&str, &[&str], &[&str]) = ("app/server", &["spool"], &[]);
        assert!(wrongs(&[spool, server, ("app/api", &["server"], &[])]).is_empty());
        assert_eq!(
            wrongs(&[spool, server, ("app/api", &["server", "spool"], &[])]),
            ["arrow 7 must never exist: app/api → io/spool"]
        );
    }

    #[test]
    fn a_test_draws_no_arrow_that_the_table_does_not_allow() {
        let found = wrongs(&[("core/replies", &[], &[]), ("core/lanes", &[], &["replies"])]);
        assert_eq!(
            found,
            [
                "arrow 4 must never exist: core/lanes → core/replies",
                "core/lanes → core/replies is not drawn in ARCHITECTURE.md"
            ]
        );
    }

    #[test]
    fn the_core_is_not_built_with_the_world() {
        let findings = check(&Tree::from_texts([(
            "core/mail/Cargo.toml".to_owned(),
            manifest("mail", &["idna", "tokio"], &[]),
        )]));
        assert_eq!(findings[0].wrong, "core/mail is pure and must not be built with tokio");
        assert_eq!(findings[0].line, 5);
    }
}
