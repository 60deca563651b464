//! A file of rules as it is written: TOML, with what all its rules share in `[about]`.

use serde::Deserialize;
use toml::Spanned;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    #[serde(default)]
    pub(super) about: About,
    #[serde(default)]
    pub(super) words: Vec<Class>,
    #[serde(default, rename = "rule")]
    pub(super) rules: Vec<Entry>,
    #[serde(default, rename = "carrier")]
    pub(super) carriers: Vec<Carrier>,
    #[serde(default)]
    pub(super) advice: Vec<OfLabel>,
}

/// What the rules of a file share.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct About {
    #[serde(default)]
    pub(super) providers: Vec<Spanned<String>>,
    /// Words that these providers write and nobody else does: who says them is known by them.
    #[serde(default)]
    pub(super) speaks: Vec<Spanned<String>>,
    pub(super) line: Option<Spanned<String>>,
    pub(super) source: Option<String>,
    pub(super) seen: Option<String>,
}

/// Words that stand for one another.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Class {
    pub(super) name: Spanned<String>,
    pub(super) any: Vec<String>,
}

/// Phrases that say where something was judged, or where to read on, and not why.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Carrier {
    pub(super) says: Vec<Spanned<String>>,
    /// What it is and where it was read; for whoever reads the file.
    #[serde(rename = "source")]
    _source: Option<String>,
    #[serde(rename = "seen")]
    _seen: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    pub(super) id: Spanned<String>,
    pub(super) label: Spanned<String>,
    #[serde(default)]
    pub(super) says: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) also: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) unless: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) code: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) status: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) stage: Vec<Spanned<String>>,
    /// The words mean this at these stages only: where nobody knows the stage they decide nothing.
    #[serde(default)]
    pub(super) only_there: bool,
    #[serde(default)]
    pub(super) mx: Vec<String>,
    pub(super) rank: Option<Spanned<String>>,
    pub(super) wait: Option<Spanned<String>>,
    pub(super) source: Option<String>,
    pub(super) seen: Option<String>,
    #[serde(default)]
    pub(super) means: String,
    #[serde(default)]
    pub(super) operator: Vec<String>,
    #[serde(default)]
    pub(super) sender: Vec<String>,
    #[serde(default)]
    pub(super) examples: Vec<Spanned<Said>>,
    #[serde(default)]
    pub(super) not_examples: Vec<Spanned<Said>>,
}

/// An example: the reply alone, or with where and by whom it was said.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Said {
    Reply(String),
    Whole(Whole),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Whole {
    pub(super) reply: String,
    pub(super) stage: Option<String>,
    pub(super) mx: Option<String>,
    /// Where this very reply was read; for whoever reads the rules.
    #[serde(rename = "source")]
    pub(super) _source: Option<String>,
}

/// What people are told of a label, at this provider.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OfLabel {
    pub(super) label: Spanned<String>,
    #[serde(default)]
    pub(super) means: String,
    #[serde(default)]
    pub(super) operator: Vec<String>,
    #[serde(default)]
    pub(super) sender: Vec<String>,
}
