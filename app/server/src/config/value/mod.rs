//! Values of settings: how each kind is written, read and shown.

mod amount;
mod called_at;
mod collection;
mod key_file;
mod lane;
mod moment;
mod name;
mod network;
mod path;
mod rules;
mod secret;
mod span;
mod word;

use std::hash::{DefaultHasher, Hash as _};
use std::path::{Path, PathBuf};

use super::finding::{Finding, Weight};
use super::tree::{Node, Origin};

pub use amount::{Percent, Size};
pub use called_at::CalledAt;
pub use collection::Switch;
pub use key_file::KeyFile;
pub use lane::ByPool;
pub use rules::RulesFile;
pub use secret::SecretFile;
pub(crate) use secret::parse_verifier;
pub(crate) use word::{Spelled, spelled};

/// A kind of value that a setting can have.
pub(crate) trait Value: Sized {
    /// How it is written, for people.
    fn form() -> String;

    /// Reads it; what is wrong goes to `wrongs`. What is there for all that stands in for it, so
    /// that reading can go on.
    fn read(node: &Node, wrongs: &mut Wrongs<'_>) -> Option<Self>;

    /// As it would be written; a secret is not shown.
    fn show(&self) -> String;

    /// Whether it says that there is nothing, which no bounds concern.
    fn is_off(&self) -> bool {
        false
    }

    /// Makes a difference of any difference, secrets too.
    fn mark(&self, hasher: &mut DefaultHasher) {
        self.show().hash(hasher);
    }
}

/// What is wrong with one setting.
pub(crate) struct Wrongs<'a> {
    folder: &'a Path,
    /// The setting, dotted.
    name: String,
    list: Vec<(Origin, String, String)>,
}

impl<'a> Wrongs<'a> {
    pub(crate) fn new(folder: &'a Path, name: String) -> Self {
        Self { folder, name, list: Vec::new() }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Something is wrong there.
    pub(crate) fn add(&mut self, node: &Node, cause: impl Into<String>, cure: impl Into<String>) {
        self.list.push((node.origin.clone(), cause.into(), cure.into()));
    }

    /// A text was wanted, and something else is there.
    pub(crate) fn text<'n>(&mut self, node: &'n Node, example: &str) -> Option<&'n str> {
        let text = node.text();
        if text.is_none() {
            let cause = format!("`{}` is {}, and a text is wanted", self.name, node.kind());
            self.add(node, cause, format!("write it in quotes, as {example}"));
        }
        text
    }

    /// A text was wanted that can be read in a certain way.
    pub(crate) fn parse<T, E: std::fmt::Display>(
        &mut self,
        node: &Node,
        example: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.text(node, example)?;
        match parse(text) {
            Ok(value) => Some(value),
            Err(error) => {
                let cause = format!("`{}` is \"{}\": {error}", self.name, shown(text));
                self.add(node, cause, format!("write it as {example}"));
                None
            }
        }
    }

    /// A name of a file begins at the folder of the configuration, a flag's where we are.
    pub(crate) fn resolve(&self, node: &Node, path: &str) -> PathBuf {
        match node.origin {
            Origin::File(_) => self.folder.join(path),
            _ => PathBuf::from(path),
        }
    }

    pub(crate) fn into_findings(self) -> Vec<Finding> {
        let setting = self.name;
        let finding = |(origin, cause, cure)| Finding {
            weight: Weight::Error,
            setting: Some(setting.clone()),
            origin,
            cause,
            cure,
        };
        self.list.into_iter().map(finding).collect()
    }
}

/// A text as it may be quoted on one line.
fn shown(text: &str) -> String {
    const CHARS_MAX: usize = 80;
    let mut shown: String = text.chars().take(CHARS_MAX).flat_map(char::escape_debug).collect();
    if text.chars().nth(CHARS_MAX).is_some() {
        shown.push('…');
    }
    shown
}

/// A text as TOML has it.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
