//! The reference pages of replies, made of the rules: one for each provider, one for everybody,
//! one for the labels, and an index; and the page of providers' limits.

mod index;
mod labels;
mod limits;
mod page;
mod provider;
mod rules;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use postlane_lanes::Defaults;
use postlane_replies::{Meanings, Provider, Providers, Rule, RuleBook};

use crate::ended::Ended;
use crate::root::root;

/// Whether to write or to compare.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Say which pages are not as the rules say, and write nothing.
    #[arg(long)]
    check: bool,
}

/// What the pages are made of.
struct Knowledge {
    providers: Providers,
    book: RuleBook,
    meanings: Meanings,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Ended> {
    let folder = root().join("docs/reference/replies");
    let mut stale = stale(&folder, &pages())?;
    stale.extend(stale_limits());
    if arguments.check {
        let mut out = std::io::stdout().lock();
        for (path, _) in &stale {
            writeln!(out, "{}: run `cargo xtask reference`", path.display())?;
        }
        return Ok(if stale.is_empty() { Ended::Well } else { Ended::Badly });
    }
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    for (path, text) in stale {
        let written = match text {
            Some(text) => fs::write(&path, text),
            None => fs::remove_file(&path),
        };
        written.with_context(|| path.display().to_string())?;
    }
    Ok(Ended::Well)
}

/// All pages, by their file's name.
fn pages() -> BTreeMap<String, String> {
    let providers = Providers::built_in();
    let book = RuleBook::built_in(&providers);
    let known = Knowledge { providers, book, meanings: Meanings::built_in() };
    let mut pages = BTreeMap::new();
    pages.insert("README.md".to_owned(), index::page(&known));
    pages.insert("labels.md".to_owned(), labels::page(&known));
    pages.insert("generic.md".to_owned(), rules::generic(&known));
    for provider in known.with_rules() {
        pages.insert(format!("{}.md", provider.id), provider::page(&known, provider));
    }
    pages
}

/// The page of providers' limits, if it is not what it should be.
fn stale_limits() -> Option<(PathBuf, Option<String>)> {
    let path = root().join("docs/reference/provider-limits.md");
    let text = limits::page(&Providers::built_in(), &Defaults::built_in());
    (fs::read_to_string(&path).ok().as_ref() != Some(&text)).then_some((path, Some(text)))
}

/// Pages in a folder that are not what they should be, with what they should be; `None` for one
/// that should not be there.
fn stale(
    folder: &Path,
    pages: &BTreeMap<String, String>,
) -> anyhow::Result<Vec<(PathBuf, Option<String>)>> {
    let mut stale = Vec::new();
    for (name, text) in pages {
        let path = folder.join(name);
        if fs::read_to_string(&path).ok().as_ref() != Some(text) {
            stale.push((path, Some(text.clone())));
        }
    }
    let held = fs::read_dir(folder).into_iter().flatten();
    for entry in held {
        let path = entry?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        if name.is_some_and(|name| !pages.contains_key(&name)) {
            stale.push((path, None));
        }
    }
    stale.sort();
    Ok(stale)
}

impl Knowledge {
    /// Providers that rules are bound to, in the order of the table.
    fn with_rules(&self) -> impl Iterator<Item = &Provider> {
        self.providers.known().iter().filter(|known| self.rules_of(Some(known)).next().is_some())
    }

    /// The rules of a provider, or those for everybody, in the order in which they speak.
    fn rules_of<'k>(&'k self, provider: Option<&'k Provider>) -> impl Iterator<Item = &'k Rule> {
        self.book.rules().iter().filter(move |rule| {
            let mut bound = self.book.providers_of(rule).peekable();
            match provider {
                Some(provider) => bound.any(|id| *id == provider.id),
                None => bound.peek().is_none(),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pages_of_replies_are_what_the_rules_say() {
        let stale = stale(&root().join("docs/reference/replies"), &pages()).unwrap();
        let stale: Vec<_> = stale.iter().map(|(path, _)| path.display().to_string()).collect();
        assert!(stale.is_empty(), "run `cargo xtask reference`: {}", stale.join(", "));
        assert_eq!(stale_limits(), None, "run `cargo xtask reference`");
    }

    #[test]
    fn a_page_that_is_missing_stale_or_of_nobody_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let pages = ["a.md", "b.md", "c.md"].map(|name| (name.to_owned(), "text".to_owned()));
        let pages = BTreeMap::from(pages);
        for (name, text) in [("a.md", "text"), ("b.md", "other"), ("d.md", "text")] {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let told = stale(folder.path(), &pages).unwrap();
        let text = Some("text".to_owned());
        let at = |name| folder.path().join(name);
        assert_eq!(told, [(at("b.md"), text.clone()), (at("c.md"), text), (at("d.md"), None)]);
    }
}
