//! Tests wait for what must happen, never for a while.

use crate::tidy::finding::Finding;
use crate::tidy::tree::Tree;

/// Test files that may sleep, and why nothing else does.
const ALLOWED: &[(&str, &str)] = &[];

/// Calls that let time pass.
const CALLS: &[&str] = &["sleep", "sleep_until", "sleep_ms", "park_timeout"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, rust) in tree.rust() {
        if ALLOWED.iter().any(|(path, _)| *path == file.path) {
            continue;
        }
        for (number, line) in rust.numbered().filter(|(_, line)| line.is_test) {
            if CALLS.iter().any(|call| calls(&line.code, call)) {
                findings.push(Finding::at(
                    &file.path,
                    number,
                    "a test sleeps: too short on a busy machine, too long on any other",
                    "wait for the event itself, with a deadline, or pass the time as an argument",
                ));
            }
        }
    }
    findings
}

fn calls(code: &str, call: &str) -> bool {
    code.match_indices(call).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let is_whole = before.is_none_or(|c| !c.is_alphanumeric() && c != '_');
        is_whole && code[at + call.len()..].starts_with('(') && !code[..at].ends_with("fn ")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tests_must_not_sleep() {
        let call = "thread::sleep(a);\n";
        let tree = Tree::of(&[
            ("io/a/src/b.rs", call),
            ("io/a/src/c.rs", &format!("#[cfg(test)]\nmod tests {{\n{call}}}\n")),
            ("io/a/tests/d.rs", "tokio::time::sleep_until(b).await;\n"),
            ("io/a/tests/e.rs", "let sleep = no_sleep(b); // sleep(c)\n"),
        ]);
        let paths: Vec<String> = check(&tree).into_iter().map(|f| f.path).collect();
        assert_eq!(paths, ["io/a/src/c.rs", "io/a/tests/d.rs"]);
    }
}
