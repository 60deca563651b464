//! What is wrong with a configuration, where, and what to do about it.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use super::tree::Origin;

/// Something wrong with the configuration, or doubtful.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Whether anything can start with it.
    pub weight: Weight,
    /// The setting, dotted, if it is about one.
    pub setting: Option<String>,
    /// Where it stands.
    pub origin: Origin,
    /// What is wrong.
    pub cause: String,
    /// What to do.
    pub cure: String,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Weight {
    /// Nothing starts with it.
    Error,
    /// It can be meant.
    Warning,
}

/// All that is wrong with a configuration, in the order of the file.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Findings {
    pub(super) file: Option<PathBuf>,
    /// The file as it is, secrets and all: not to be shown but in pieces.
    pub(super) text: String,
    pub(super) list: Vec<Finding>,
}

impl Findings {
    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Finding> {
        self.list.iter()
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Whether anything was found with which nothing can start.
    pub fn refuse(&self) -> bool {
        self.errors() > 0
    }

    /// With how many of them nothing can start.
    pub fn errors(&self) -> usize {
        self.list.iter().filter(|finding| finding.weight == Weight::Error).count()
    }

    /// Each on one line: place, cause, cure.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        self.list.iter().map(|finding| {
            let weight = if finding.weight == Weight::Warning { "warning: " } else { "" };
            format!("{}: {weight}{}: {}", self.place(finding), finding.cause, finding.cure)
        })
    }

    /// Each as a JSON object: `weight`, `file`, `line`, `column`, `flag`, `setting`, `cause`,
    /// `cure`.
    pub fn to_json(&self) -> Vec<serde_json::Value> {
        let line = |finding| serde_json::to_value(self.wire(finding));
        self.list.iter().map(|finding| line(finding).unwrap_or_default()).collect()
    }

    pub(super) fn sort(&mut self) {
        self.list.sort_by(|a, b| a.origin.cmp(&b.origin));
        self.list.dedup();
    }

    pub(super) fn place(&self, finding: &Finding) -> String {
        match &finding.origin {
            Origin::File(spot) => format!("{}:{}:{}", self.file_name(), spot.line, spot.column),
            Origin::Flag(flag) => (*flag).to_owned(),
            Origin::Default if self.file.is_some() => self.file_name(),
            Origin::Default => "defaults".to_owned(),
        }
    }

    pub(super) fn file_name(&self) -> String {
        self.file.as_ref().map_or_else(|| "configuration".to_owned(), |f| f.display().to_string())
    }

    fn wire<'a>(&self, finding: &'a Finding) -> Wire<'a> {
        let (line, column, flag) = match &finding.origin {
            Origin::File(spot) => (Some(spot.line), Some(spot.column), None),
            Origin::Flag(flag) => (None, None, Some(*flag)),
            Origin::Default => (None, None, None),
        };
        Wire {
            weight: finding.weight,
            file: self.file.as_ref().map(|file| file.display().to_string()),
            line,
            column,
            flag,
            setting: finding.setting.as_deref(),
            cause: &finding.cause,
            cure: &finding.cure,
        }
    }
}

impl fmt::Debug for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.list).finish()
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, line) in self.lines().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            f.write_str(&line)?;
        }
        Ok(())
    }
}

#[derive(Serialize)]
struct Wire<'a> {
    weight: Weight,
    file: Option<String>,
    line: Option<usize>,
    column: Option<usize>,
    flag: Option<&'static str>,
    setting: Option<&'a str>,
    cause: &'a str,
    cure: &'a str,
}

/// A finding about a setting: its key, the cause, the cure.
pub(super) struct Told {
    pub(super) weight: Weight,
    pub(super) key: &'static str,
    pub(super) cause: String,
    pub(super) cure: String,
}
