//! `cargo xtask folds CORPUS`: how well the rules knew replies that nobody had shown them.
//!
//! Rules are written by people, so a fold is not left out by a program: the replies were revealed
//! fold by fold, and `xtask/folds.toml` names for each the commit whose rules had not seen
//! it. Those rules are taken out of the history and asked by the engine as it is now.

use std::path::PathBuf;

use anyhow::Context as _;
use serde::Deserialize;

use crate::ended::Ended;
use crate::past::book_at;
use crate::root::root;
use crate::score::{judge, tell};

/// What to judge by.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Replies with their labels and groups, one JSON object a line.
    corpus: PathBuf,
}

#[derive(Deserialize)]
struct Folds {
    fold: Vec<Fold>,
}

/// Groups of replies, and the commit whose rules had not seen them.
#[derive(Deserialize)]
struct Fold {
    number: u32,
    rules: String,
    groups: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Ended> {
    let root = root();
    let folds = std::fs::read_to_string(root.join("xtask/folds.toml"))?;
    let folds: Folds = toml::from_str(&folds)?;
    let corpus = std::fs::read_to_string(&arguments.corpus)
        .with_context(|| arguments.corpus.display().to_string())?;
    let mut out = std::io::stdout().lock();
    let mut all = Vec::new();
    for fold in &folds.fold {
        let (providers, book) = book_at(&root, &fold.rules)?;
        let mut judged = Vec::new();
        for (number, line) in corpus.lines().enumerate() {
            let one =
                judge(&book, &providers, line).with_context(|| format!("line {}", number + 1))?;
            if fold.groups.contains(&one.group) {
                judged.push(one);
            }
        }
        writeln(&mut out, &format!("fold {} by the rules of {}", fold.number, fold.rules))?;
        tell(&mut out, &judged)?;
        all.extend(judged);
    }
    writeln(&mut out, "all folds, each by rules that had not seen it")?;
    tell(&mut out, &all)?;
    Ok(Ended::Well)
}

fn writeln(out: &mut impl std::io::Write, line: &str) -> anyhow::Result<()> {
    Ok(writeln!(out, "{line}")?)
}
