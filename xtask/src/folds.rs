//! `cargo xtask folds CORPUS`: how well the rules knew replies that nobody had shown them.
//!
//! Rules are written by people, so a fold is not left out by a program: the replies were revealed
//! fold by fold, and `xtask/folds.toml` names for each the commit whose rules had not seen
//! it. Those rules are taken out of the history and asked by the engine as it is now.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use postlane_replies::{Providers, RuleBook};
use serde::Deserialize;

use crate::score::{judge, tell};
use crate::{Ended, root};

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

/// The rules and providers as they were at a commit.
pub(crate) fn book_at(root: &Path, commit: &str) -> anyhow::Result<(Providers, RuleBook)> {
    let providers = Providers::parse(&show(root, commit, "core/replies/providers.toml")?)?;
    let names = git(root, &["ls-tree", "-r", "--name-only", commit, "core/replies/rules"])?;
    // Those of providers first, as in the program; either in the order of their names.
    let mut names: Vec<&str> = names.lines().filter(|name| name.ends_with(".toml")).collect();
    names.sort_by_key(|name| (name.contains("/generic/"), *name));
    let texts = names.iter().map(|name| show(root, commit, name)).collect::<Result<Vec<_>, _>>()?;
    let file =
        |(name, text)| (Path::new(name).file_name().and_then(|n| n.to_str()).unwrap_or(name), text);
    let files: Vec<(&str, &str)> =
        names.iter().copied().zip(texts.iter().map(String::as_str)).map(file).collect();
    let book = RuleBook::of(&providers, &[], &files).with_context(|| commit.to_owned())?;
    Ok((providers, book))
}

fn show(root: &Path, commit: &str, name: &str) -> anyhow::Result<String> {
    git(root, &["show", &format!("{commit}:{name}")])
}

fn git(root: &Path, arguments: &[&str]) -> anyhow::Result<String> {
    let output = Command::new("git").current_dir(root).args(arguments).output().context("git")?;
    anyhow::ensure!(
        output.status.success(),
        "git {}: {}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8(output.stdout)?)
}
