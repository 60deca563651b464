//! Scenarios: files, and those that come with the program.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use postlane_receivers::{Scenario, builtin};

use crate::exit::Failure;
use crate::print;
use crate::reach::Reach;

/// Reads all of them; everything that is wrong with any of them is told, with its line.
pub(super) fn read(paths: &[PathBuf]) -> Result<Vec<Scenario>, Failure> {
    let mut scenarios: Vec<Scenario> = Vec::new();
    let mut wrong = Vec::new();
    for path in paths {
        let (name, text) = text_of(path)?;
        match Scenario::parse(&text) {
            Ok(scenario) => scenarios.push(scenario),
            Err(error) => {
                wrong.extend(error.0.iter().map(|f| format!("{name}:{}: {}", f.line, f.what)));
            }
        }
    }
    if wrong.is_empty() { Ok(scenarios) } else { Err(Failure::usage(wrong.join("\n"))) }
}

/// The names of those that come with the program, and what they are about.
pub(super) fn list(reach: &Reach) {
    let of = |text: &str| Scenario::parse(text).map_or_else(|_| String::new(), |s| s.meta.title);
    if reach.json {
        for (name, text) in builtin() {
            print::json(&serde_json::json!({ "name": name, "title": of(text) }));
        }
        return;
    }
    let rows = builtin().iter().map(|(name, text)| vec![(*name).to_owned(), of(text)]);
    print::table(&["NAME", "WHAT IT IS ABOUT"], rows);
}

/// A file, or a scenario of that name; and what to call it.
fn text_of(path: &Path) -> Result<(String, String), Failure> {
    let name = path.display().to_string();
    let known = builtin().iter().find(|(known, _)| *known == name);
    match (fs::read_to_string(path), known) {
        (Ok(text), _) => Ok((name, text)),
        (Err(_), Some((_, text))) => Ok((name, (*text).to_owned())),
        (Err(e), None) => Err(no_scenario(path, &e)),
    }
}

/// What to do where a scenario cannot be read: the name that was meant, where one is like it.
pub(in crate::commands) fn no_scenario(path: &Path, error: &io::Error) -> Failure {
    /// In octets; shorter pieces are in many names. Chosen.
    const WRITTEN_MIN: usize = 3;
    let written = path.file_stem().unwrap_or_default().to_string_lossy().to_lowercase();
    let is_meant = |name: &&str| {
        written.len() >= WRITTEN_MIN && (name.contains(&*written) || written.contains(name))
    };
    let meant = builtin().iter().map(|(name, _)| *name).find(is_meant);
    let cure = "name a TOML file, or one of `postlane rehearse --list`";
    let cure =
        meant.map_or_else(|| cure.to_owned(), |name| format!("did you mean {name}? Else {cure}"));
    Failure::unreadable(path, error).cured_by(&cure)
}
