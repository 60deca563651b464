//! The rules for replies as they were at a commit.

use std::path::Path;
use std::process::Command;

use anyhow::Context as _;
use postlane_replies::{Providers, RuleBook};

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
