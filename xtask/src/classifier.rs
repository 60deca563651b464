//! The weights of the classifier of replies, made of the labelled replies of the tree.
//!
//! Same replies, same octets, on every machine: nothing but sums, products and roots is used, and
//! those are exact. It takes seconds with `--release` and minutes without; `--check` trains nothing and
//! asks whether the replies are those of the weights. `--leave-out` makes weights that have not seen a file's replies, nor what is
//! nearly theirs, so that `score --classifier` can judge by them.

mod chance;
mod lessons;
mod training;
mod yielding;

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use postlane_replies::Classifier;

use crate::ended::Ended;
use crate::root::root;

/// What to learn from, and where to write it.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Say whether the weights were trained on other replies than there are now, and write nothing.
    #[arg(long, conflicts_with = "out")]
    check: bool,
    /// Learn nothing from the replies of this file, nor from those that are nearly the same.
    #[arg(long, value_name = "FILE")]
    leave_out: Vec<PathBuf>,
    /// Take the rules' examples as they were at this commit.
    #[arg(long, value_name = "COMMIT")]
    rules_of: Option<String>,
    /// Write the weights here instead of where the program has them from.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Ended> {
    let mut out = std::io::stdout().lock();
    let book = lessons::rules(arguments.rules_of.as_deref())?;
    let mut lessons = lessons::of_tree(&book)?;
    let all = lessons.len();
    for file in &arguments.leave_out {
        lessons = lessons::without(lessons, file)?;
    }
    let records = yielding::of(&book, &lessons);
    let yielding: Vec<String> = records.iter().map(|record| record.rule.clone()).collect();
    let path = root().join("core/replies/classifier.bin");
    if arguments.check {
        let is_stale = Classifier::built_in().trained_on() != training::digest(&lessons, &yielding);
        if is_stale {
            writeln!(out, "{}: run `cargo run --release -p xtask -- classifier`", path.display())?;
        }
        return Ok(if is_stale { Ended::Badly } else { Ended::Well });
    }
    let weights = training::train(&lessons, &yielding);
    writeln!(out, "{} replies, {} left out", lessons.len(), all - lessons.len())?;
    for yielding::Record { rule, right, decided } in &records {
        writeln!(out, "{rule} yields: right in {right} of {decided}")?;
    }
    let path = arguments.out.as_ref().unwrap_or(&path);
    fs::write(path, weights).with_context(|| path.display().to_string())?;
    Ok(Ended::Well)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weights_were_trained_on_the_replies_of_the_tree() {
        let book = lessons::rules(None).unwrap();
        let lessons = lessons::of_tree(&book).unwrap();
        let yielding: Vec<_> =
            yielding::of(&book, &lessons).into_iter().map(|record| record.rule).collect();
        let command = "cargo run --release -p xtask -- classifier";
        let trained_on = Classifier::built_in().trained_on();
        assert_eq!(trained_on, training::digest(&lessons, &yielding), "run `{command}`");
    }

    #[test]
    fn what_judges_is_not_learned_from_nor_what_is_nearly_the_same() {
        let all = lessons::of_tree(&lessons::rules(None).unwrap()).unwrap();
        let file = root().join("core/replies/tests/data/tune.jsonl");
        let replies = fs::read_to_string(&file).unwrap().lines().count();
        let count = all.len();
        let left = lessons::without(all, &file).unwrap();
        assert!(left.len() + replies <= count, "{} of {count}", left.len());
        let again = lessons::without(left, &file).unwrap();
        assert!(again.len() + replies <= count && again.iter().all(|of| !of.is_from(&file)));
    }
}
