//! `[[pool]]`: sets of sources.

use std::collections::BTreeSet;

use crate::config::declaration::{required, settings};
use crate::config::section::{Fields, Reading, Section};
use crate::config::tree::{Node, Written, find};
use crate::config::value::{Value, Wrongs};

settings! {
    /// Sets of sources: one entry for each. The first is for mail of nobody in particular.
    pub struct Pool in "pool" {
        /// Its name, as in `tenant.pool`.
        name: Box<str> = required().restart();
        /// Its sources.
        sources: Vec<PoolMember> = required();
    }
}

/// A source in a pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolMember {
    /// The source's name.
    pub name: Box<str>,
    /// How often it is taken before another, 1 to 1000.
    pub weight: u16,
}

/// Weights of the engine's settings.
const WEIGHTS: std::ops::RangeInclusive<u16> = 1..=1_000;

impl Value for PoolMember {
    fn form() -> String {
        "a source's name, or `{ name = \"a\", weight = 3 }` with a weight from 1 to 1000".to_owned()
    }

    fn read(node: &Node, wrongs: &mut Wrongs<'_>) -> Option<Self> {
        let Written::Table(entries) = &node.written else {
            return Some(Self { name: Value::read(node, wrongs)?, weight: 1 });
        };
        let unknown = entries.iter().find(|entry| !["name", "weight"].contains(&&*entry.key));
        let weight =
            find(entries, "weight").map_or(Some(1), |entry| u16::read(&entry.node, wrongs))?;
        let name = find(entries, "name").map(|entry| Value::read(&entry.node, wrongs));
        if unknown.is_some() || name.is_none() || !WEIGHTS.contains(&weight) {
            let cause = format!("`{}` has an entry that is no source", wrongs.name());
            let cure = "write \"a\" or { name = \"a\", weight = 3 }, the weight from 1 to 1000";
            wrongs.add(node, cause, cure);
            return None;
        }
        Some(Self { name: name??, weight })
    }

    fn show(&self) -> String {
        match self.weight {
            1 => self.name.show(),
            weight => format!("{{ name = {}, weight = {weight} }}", self.name.show()),
        }
    }
}

impl Section for Pool {
    fn name(&self) -> Option<(&'static str, String)> {
        Some(("name", self.name.to_string()))
    }

    fn check(&self, fields: &mut Fields<'_, '_>) {
        if self.sources.is_empty() && !fields.is_wrong("sources") {
            let cause = format!("the pool \"{}\" is empty: its mail could never leave", self.name);
            fields.complain("sources", cause, "name at least one source");
        }
        let unwritten = ["default-v4".to_owned(), "default-v6".to_owned()];
        let has_sources = !fields.names("source", "name").is_empty();
        for (at, member) in self.sources.iter().enumerate() {
            if has_sources || !unwritten.contains(&member.name.to_string()) {
                fields.refer("sources", &member.name, "source");
            }
            if self.sources.iter().take(at).any(|other| other.name == member.name) {
                let cause = format!("the source \"{}\" is named twice", member.name);
                fields.complain("sources", cause, "name it once, with a weight");
            }
        }
    }

    fn unwritten(reading: &Reading) -> String {
        let mut names = reading.names("source", "name");
        if names.is_empty() {
            names = vec!["default-v4".to_owned(), "default-v6".to_owned()];
        }
        // Two sources of one name are told where they stand.
        let mut seen = BTreeSet::new();
        names.retain(|name| seen.insert(name.clone()));
        let names: Vec<String> =
            names.iter().map(|name| Box::<str>::from(&**name).show()).collect();
        format!("[[pool]]\nname = \"default\"\nsources = [{}]\n", names.join(", "))
    }
}
