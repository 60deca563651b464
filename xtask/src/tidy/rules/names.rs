//! Names are the field's: no word that could stand for anything, no prefix that says nothing.

use crate::tidy::finding::Finding;
use crate::tidy::rust::named;
use crate::tidy::tree::Tree;

/// Where a word may not stand.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In the name of a file, a folder or a module.
    File,
    /// In the name of a type or a trait.
    Type,
    /// In the name of a function.
    Function,
}

const EVERYWHERE: &[Place] = &[Place::File, Place::Type, Place::Function];
/// As a verb or in a phrase such a word may be right; as the name of a thing it is not.
const THINGS: &[Place] = &[Place::File, Place::Type];

/// A word, where it may not stand, and what to say instead.
const BANNED: &[(&str, &[Place], &str)] = &[
    ("job", EVERYWHERE, "say attempt, transaction, message or what else it is"),
    ("payload", EVERYWHERE, "say message, body, record or frame"),
    ("manager", EVERYWHERE, "say what it decides or keeps"),
    ("handler", EVERYWHERE, "say what it answers"),
    ("processor", EVERYWHERE, "say what it does to what"),
    ("helper", EVERYWHERE, "put it in the file of its only user, or find its noun"),
    ("helpers", EVERYWHERE, "put each in the file of its only user, or find its noun"),
    ("util", EVERYWHERE, "put it in the file of its only user, or find its noun"),
    ("utils", EVERYWHERE, "put each in the file of its only user, or find its noun"),
    ("misc", EVERYWHERE, "put each in the file of its only user, or find its noun"),
    ("common", THINGS, "find the noun of what is shared"),
    ("prelude", THINGS, "import by name"),
    ("types", &[Place::File], "one concept per file, named by the concept"),
    ("data", THINGS, "say which: message, body, record, evidence"),
    ("info", THINGS, "say which: facts, row, summary, evidence"),
    ("context", THINGS, "say which: what is known, asked or shared"),
];

/// Where the DATA command lives: there the word has its meaning.
const DATA_COMMAND: &[&str] = &["core/smtp/", "io/net/", "fuzz/fuzz_targets/smtp_data.rs"];

/// Prefixes of functions that say nothing.
const PREFIXES: &[(&str, &str)] = &[
    ("get_", "name what is returned: `queue_id()`, not `get_queue_id()`"),
    ("test_", "name the rule that must hold, as a sentence"),
];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, rust) in tree.rust() {
        for part in file.path.trim_end_matches(".rs").split('/') {
            judge(&mut findings, &file.path, 1, part, Place::File);
        }
        for (number, line) in rust.numbered() {
            for keyword in ["struct", "enum", "trait", "union"] {
                for name in named(&line.code, keyword) {
                    judge(&mut findings, &file.path, number, name, Place::Type);
                }
            }
            for name in named(&line.code, "mod") {
                judge(&mut findings, &file.path, number, name, Place::File);
            }
            for name in named(&line.code, "fn") {
                judge(&mut findings, &file.path, number, name, Place::Function);
                findings.extend(prefixed(&file.path, number, name));
            }
            findings.extend(alias(&file.path, number, &line.code));
        }
    }
    findings
}

fn judge(findings: &mut Vec<Finding>, path: &str, line: usize, name: &str, place: Place) {
    let words = words(name);
    for (banned, places, cure) in BANNED {
        let is_data_command =
            *banned == "data" && DATA_COMMAND.iter().any(|home| path.starts_with(home));
        if places.contains(&place) && words.iter().any(|w| w == banned) && !is_data_command {
            findings.push(Finding::at(
                path,
                line,
                format!("`{name}` could stand for anything (`{banned}`)"),
                *cure,
            ));
        }
    }
    if words.windows(2).any(|pair| pair == ["task", "item"]) {
        findings.push(Finding::at(path, line, format!("`{name}` is no mail word"), BANNED[0].2));
    }
}

fn prefixed(path: &str, line: usize, name: &str) -> Option<Finding> {
    let (prefix, cure) = PREFIXES.iter().find(|(prefix, _)| name.starts_with(prefix))?;
    Some(Finding::at(path, line, format!("`{name}` begins with `{prefix}`"), *cure))
}

/// A `type` at the left edge is an alias; an associated type is indented.
fn alias(path: &str, line: usize, code: &str) -> Option<Finding> {
    let code = code.strip_prefix("pub ").unwrap_or(code);
    let code = code.strip_prefix("pub(crate) ").unwrap_or(code);
    let code = code.strip_prefix("pub(super) ").unwrap_or(code);
    let name = code.strip_prefix("type ").and_then(|_| named(code, "type").next())?;
    Some(Finding::at(
        path,
        line,
        format!("`{name}` is an alias: it looks like a type and checks nothing"),
        "make it a newtype, or write the type out",
    ))
}

/// The words of a name in snake or camel case, in lower case.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for c in name.chars() {
        if matches!(c, '_' | '-') || c.is_uppercase() {
            words.push(String::new());
        }
        if c.is_alphanumeric() {
            words.last_mut().expect("there is a word").extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names_found(path: &str, text: &str) -> Vec<String> {
        let findings = check(&Tree::of(&[(path, text)]));
        findings.into_iter().map(|f| f.wrong.split('`').nth(1).unwrap().to_owned()).collect()
    }

    #[test]
    fn a_word_for_anything_is_found_in_files_types_and_functions() {
        assert_eq!(names_found("core/a/src/util.rs", ""), ["util"]);
        assert_eq!(names_found("core/a/tests/common/mod.rs", ""), ["common"]);
        let text = "struct LaneManager;\nenum Info {}\nfn handle_job() {}\nmod helpers {}\n";
        assert_eq!(
            names_found("core/a/src/b.rs", text),
            ["LaneManager", "Info", "handle_job", "helpers"]
        );
    }

    #[test]
    fn a_verb_may_use_a_word_that_is_no_thing() {
        let text = "fn sync_data() {}\nfn with_context() {}\nfn common_suffix() {}\n";
        assert!(names_found("core/a/src/b.rs", text).is_empty());
        assert!(names_found("core/a/src/b.rs", "// a job\nlet x = \"struct Job\";\n").is_empty());
    }

    #[test]
    fn the_data_command_may_be_called_data() {
        assert!(names_found("core/smtp/src/data/mod.rs", "enum DataStep {}\n").is_empty());
        assert_eq!(names_found("core/lanes/src/data.rs", ""), ["data"]);
    }

    #[test]
    fn prefixes_and_aliases_say_nothing() {
        let text = "fn get_id() {}\nfn test_id() {}\npub type Id = u64;\n    type Item = u8;\n";
        assert_eq!(names_found("core/a/src/b.rs", text), ["get_id", "test_id", "Id"]);
    }
}
