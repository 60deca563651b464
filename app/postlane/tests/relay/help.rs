//! The program's help, held by files, and what texts say that one can type.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::golden::golden;
use crate::relay::Home;

/// What a command says of itself.
fn help(home: &Home, command: &[String]) -> String {
    let output =
        home.command(&[]).args(command).arg("--help").env_remove("COLUMNS").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{command:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The commands that a help lists.
fn listed(help: &str) -> Vec<String> {
    // The first page has them in groups.
    let groups = help.split_once("\nBegin with:\n").and_then(|(_, rest)| rest.split_once("\n\n"));
    let lines = match (groups, help.split_once("\nCommands:\n")) {
        (Some((_, groups)), _) => groups.split("\nOptions:\n").next().unwrap_or_default(),
        (None, Some((_, behind))) => behind.split("\n\n").next().unwrap_or_default(),
        (None, None) => "",
    };
    let lines = lines.lines();
    let names = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = names.filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

#[test]
fn every_command_explains_itself() {
    let home = Home::new();
    let mut open: Vec<Vec<String>> = vec![Vec::new()];
    let mut told = 0;
    while let Some(command) = open.pop() {
        let help = help(&home, &command);
        for name in listed(&help) {
            open.push([command.clone(), vec![name]].concat());
        }
        let name = [vec!["postlane".to_owned()], command].concat().join("-");
        golden(&format!("help/{name}.txt"), &help);
        told += 1;
    }
    // Every file is of a command that there is.
    let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/relay/golden/help");
    assert_eq!(fs::read_dir(files).unwrap().count(), told);
}

/// All texts below a folder in which commands may be named.
fn texts(folder: &Path, all: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !["target", "tests"].contains(&&*name) {
            texts(&path, all);
        } else if [".rs", ".md", ".toml"].iter().any(|end| name.ends_with(end)) {
            all.push((path.display().to_string(), fs::read_to_string(&path).unwrap()));
        }
    }
}

#[test]
fn texts_name_only_commands_that_there_are() {
    let home = Home::new();
    let known: BTreeSet<String> = listed(&help(&home, &[])).into_iter().collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut all = Vec::new();
    for folder in ["core", "io", "app", "docs", "examples"] {
        texts(&root.join(folder), &mut all);
    }
    let mut named = 0;
    for (path, text) in &all {
        for behind in text.split("`postlane ").skip(1) {
            let word: String =
                behind.chars().take_while(|c| c.is_ascii_lowercase() || *c == '-').collect();
            // `postlane --help` and the like are of no command.
            if word.is_empty() || word.starts_with('-') {
                continue;
            }
            named += 1;
            assert!(known.contains(&word), "{path}: there is no `postlane {word}`");
        }
    }
    assert!(named > 100, "{named}");
}
