//! What is known of providers' limits: facts from a table, each with who told it, where and when.
//!
//! They are ceilings for whoever says nothing else: an operator's section for a provider beats
//! them. No provider publishes its windows and quotas; those are learned.

use std::collections::BTreeMap;
use std::num::{NonZeroU16, NonZeroU32};

use postlane_mail::Rate;
use serde::Deserialize;

use super::{Ceiling, Rules};

/// The table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defaults(BTreeMap<Box<str>, ProviderDefaults>);

/// What is known of one provider.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProviderDefaults {
    /// What follows from all of it.
    pub rules: Rules,
    /// What it follows from, in the order of the table.
    pub facts: Vec<Fact>,
}

/// One fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// What it sets, as a section `[lane."NAME"]` would: `max_connections_per_source`.
    pub setting: &'static str,
    /// To what, as it would be written.
    pub value: Box<str>,
    /// Who told it.
    pub by: Teller,
    /// Where it was read.
    pub source: Box<str>,
    /// When: `2026`, `2026-11` or `2026-11-20`.
    pub seen: Box<str>,
    /// Nobody has looked it up at its source.
    pub is_unverified: bool,
}

/// Who told a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Teller {
    /// The provider itself.
    Provider,
    /// Other senders: what works for them, and no promise of anybody's.
    Senders,
}

/// Why a table cannot be used. Whoever wrote it is to blame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DefaultsError {
    /// It is no TOML, or has other keys than the table knows.
    #[error(
        "{0}: write [[limit]] with provider, by, source and seen for each, and what is limited"
    )]
    Syntax(String),
    /// A rate is none, or nothing is limited, or nobody says where it was read.
    #[error("a limit of \"{0}\" says nothing that can be used: name a limit, a source and a date")]
    Empty(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(default)]
    limit: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    provider: Box<str>,
    max_connections_per_source: Option<NonZeroU16>,
    max_rate_per_source: Option<Box<str>>,
    max_msgs_per_connection: Option<NonZeroU32>,
    max_recipients_per_transaction: Option<NonZeroU16>,
    by: Teller,
    source: Box<str>,
    seen: Box<str>,
    #[serde(default)]
    unverified: bool,
}

impl Defaults {
    /// The table that comes with the program.
    pub fn built_in() -> Self {
        Self::parse(include_str!("../../limits.toml")).expect("a test reads the table we ship")
    }

    /// Reads a table in the form of the one that comes with the program. Of two limits of one
    /// provider the lower one counts.
    pub fn parse(text: &str) -> Result<Self, DefaultsError> {
        let table: Table =
            toml::from_str(text).map_err(|error| DefaultsError::Syntax(error.to_string()))?;
        let mut known = BTreeMap::<Box<str>, ProviderDefaults>::new();
        for entry in table.limit {
            let empty = || DefaultsError::Empty(entry.provider.to_string());
            let rules = entry.rules().ok_or_else(empty)?;
            if rules == Rules::default() || entry.source.is_empty() || entry.seen.is_empty() {
                return Err(empty());
            }
            let provider = known.entry(entry.provider.clone()).or_default();
            provider.rules = provider.rules.and(&rules);
            provider.facts.extend(entry.facts());
        }
        Ok(Self(known))
    }

    /// What is known of a provider, if anything is.
    pub fn of(&self, provider: &str) -> Option<&ProviderDefaults> {
        self.0.get(provider)
    }

    /// All providers of whom anything is known, by their ids in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &ProviderDefaults)> {
        self.0.iter().map(|(provider, known)| (&**provider, known))
    }
}

impl Entry {
    fn rules(&self) -> Option<Rules> {
        let rate = self.max_rate_per_source.as_ref();
        let rate = rate.map(|text| Rate::parse(text)).transpose().ok()?;
        Some(Rules {
            per_source: Ceiling { connections: self.max_connections_per_source, rate },
            messages_per_connection: self.max_msgs_per_connection,
            recipients_per_transaction: self.max_recipients_per_transaction,
            ..Rules::default()
        })
    }

    fn facts(&self) -> impl Iterator<Item = Fact> {
        let said = [
            ("max_connections_per_source", self.max_connections_per_source.map(|n| n.to_string())),
            ("max_rate_per_source", self.max_rate_per_source.as_ref().map(|r| format!("\"{r}\""))),
            ("max_msgs_per_connection", self.max_msgs_per_connection.map(|n| n.to_string())),
            (
                "max_recipients_per_transaction",
                self.max_recipients_per_transaction.map(|n| n.to_string()),
            ),
        ];
        said.into_iter().filter_map(|(setting, value)| {
            let (by, is_unverified) = (self.by, self.unverified);
            let (source, seen) = (self.source.clone(), self.seen.clone());
            Some(Fact { setting, value: value?.into(), by, source, seen, is_unverified })
        })
    }
}
