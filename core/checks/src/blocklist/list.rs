//! The lists there are, as the file beside this one has them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::check::Outcome;

/// A block list.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// Its short name, as `spamhaus-zen`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The check that it belongs to, as `BL-01`.
    pub check: String,
    zone: Option<String>,
    key_zone: Option<String>,
    pub(super) of: Vec<Sort>,
    /// How much it counts.
    pub weight: Weight,
    /// It answers only resolvers that were registered with it.
    #[serde(default)]
    pub register: bool,
    /// Where one asks to be taken off.
    pub delist: Option<String>,
    /// Where its codes are written.
    pub source: String,
    /// When that was last read; `unverified` if it was not.
    pub seen: String,
    /// Codes are of two octets.
    #[serde(default)]
    pub(super) wide: bool,
    /// The last octet is a sum of bits.
    #[serde(default)]
    pub(super) mask: bool,
    /// The bit that says that we were refused.
    pub(super) refused_bit: Option<u16>,
    /// The last octet that says so.
    pub(super) refused_last: Option<u16>,
    pub(super) tests: Option<Tests>,
    pub(super) codes: Vec<Code>,
}

/// What a list has entries of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Sort {
    Ipv4,
    Ipv6,
    /// Domains, as they are.
    Host,
    /// Domains, by the organisation's.
    Organisation,
}

/// How much a list counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weight {
    /// Worth knowing, never a fault.
    Info,
    /// Few ask it.
    Low,
    /// Some do.
    Medium,
    /// Many do.
    High,
    /// Large providers refuse mail by it.
    Critical,
}

/// Names below a zone that must be listed and must not; empty: nothing is asked.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tests {
    pub(super) listed: String,
    pub(super) not_listed: String,
}

/// What an answer, or a bit of one, means.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Code {
    pub(super) from: u16,
    to: Option<u16>,
    pub(super) is: Verdict,
    /// It says that the address is one of those that change hands.
    #[serde(default)]
    pub(super) dynamic: bool,
    pub(super) means: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Verdict {
    Pass,
    Info,
    Warn,
    Fail,
    Refused,
}

/// A list that is gone, and since when: it is never asked.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dead {
    /// Its zone, and everything below.
    pub zone: String,
    /// Since when, or why.
    pub since: String,
    /// Where that is written.
    pub source: String,
    /// When that was last read; `unverified` if it was not.
    pub seen: String,
}

/// The lists.
#[derive(Debug, Clone)]
pub struct Lists {
    all: Vec<List>,
    dead: Vec<Dead>,
}

/// Keys for lists that want one, by the list's id.
#[derive(Debug, Clone, Default)]
pub struct Keys(BTreeMap<String, String>);

/// Why a table of lists cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ListFault {
    /// It is no such table.
    #[error("{0}")]
    Syntax(String),
    /// A list of it is gone, or two have one name, or one can be asked in no way.
    #[error("the list {id} {why}")]
    List {
        /// Which list.
        id: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A key for a list that takes none, or one that cannot stand in a name.
    #[error("{id}: {why}; `postlane blocklists list` names the lists that take a key")]
    Key {
        /// Which list.
        id: String,
        /// What is wrong with it.
        why: &'static str,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    list: Vec<List>,
    dead: Vec<Dead>,
}

static BUILT_IN: LazyLock<Lists> = LazyLock::new(|| {
    Lists::parse(include_str!("lists.toml")).expect("a test reads the table we ship")
});

impl Lists {
    /// The lists that Postlane knows.
    pub fn built_in() -> &'static Self {
        &BUILT_IN
    }

    /// Reads a table.
    pub fn parse(text: &str) -> Result<Self, ListFault> {
        let File { list, dead } =
            toml::from_str(text).map_err(|error| ListFault::Syntax(error.to_string()))?;
        let lists = Self { all: list, dead };
        for (at, list) in lists.all.iter().enumerate() {
            let fault = |why| ListFault::List { id: list.id.clone(), why };
            let zones = [&list.zone, &list.key_zone];
            if zones.iter().all(|zone| zone.is_none()) {
                return Err(fault("has no zone"));
            }
            if zones.into_iter().flatten().any(|zone| lists.is_dead(zone)) {
                return Err(fault("is gone, and must not be asked"));
            }
            if lists.all[..at].iter().any(|other| other.id == list.id) {
                return Err(fault("stands there twice"));
            }
        }
        Ok(lists)
    }

    /// Every list, in the order of the table.
    pub fn all(&self) -> impl Iterator<Item = &List> {
        self.all.iter()
    }

    /// The lists that are gone.
    pub fn dead(&self) -> &[Dead] {
        &self.dead
    }

    /// The list of an id.
    pub fn named(&self, id: &str) -> Option<&List> {
        self.all.iter().find(|list| list.id == id)
    }

    /// Whether a zone is that of a list that is gone, or lies below one.
    pub fn is_dead(&self, zone: &str) -> bool {
        self.dead.iter().any(|dead| {
            let rest = zone.strip_suffix(&*dead.zone);
            rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        })
    }
}

impl List {
    /// The zone to ask; none if it wants a key and there is none.
    pub fn zone(&self, keys: &Keys) -> Option<String> {
        match (keys.0.get(&self.id), &self.key_zone) {
            (Some(key), Some(zone)) => Some(zone.replace("{key}", key)),
            _ => self.zone.clone(),
        }
    }

    /// The zone as it may be shown: a key is a secret.
    pub fn shown_zone(&self) -> &str {
        self.zone.as_deref().or(self.key_zone.as_deref()).unwrap_or_default()
    }

    /// Whether it takes a key.
    pub fn takes_key(&self) -> bool {
        self.key_zone.is_some()
    }

    /// Whether it is not asked without a key.
    pub fn wants_key(&self) -> bool {
        self.zone.is_none()
    }

    /// Whether it lists good senders: that somebody is not on it says nothing.
    pub fn is_of_good_senders(&self) -> bool {
        self.check == "BL-16"
    }

    /// Whether it has entries of addresses.
    pub fn is_of_addresses(&self) -> bool {
        self.of.iter().any(|sort| matches!(sort, Sort::Ipv4 | Sort::Ipv6))
    }
}

impl Keys {
    /// Adds a key.
    pub fn add(&mut self, lists: &Lists, id: &str, key: &str) -> Result<(), ListFault> {
        let fault = |why| ListFault::Key { id: id.to_owned(), why };
        let list = lists.named(id).ok_or_else(|| fault("there is no such list"))?;
        if !list.takes_key() {
            return Err(fault("the list takes no key"));
        }
        let is_label = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if key.is_empty() || key.len() > 63 || !key.chars().all(is_label) {
            return Err(fault("a key has 1 to 63 letters, digits and hyphens"));
        }
        self.0.insert(id.to_owned(), key.to_ascii_lowercase());
        Ok(())
    }
}

impl Code {
    /// Whether an answer is this one.
    pub(super) fn is_for(&self, code: u16) -> bool {
        (self.from..=self.to.unwrap_or(self.from)).contains(&code)
    }
}

impl Verdict {
    /// As checks have it; none for a refusal, which says nothing.
    pub(super) fn outcome(self) -> Option<Outcome> {
        match self {
            Self::Pass => Some(Outcome::Pass),
            Self::Info => Some(Outcome::Info),
            Self::Warn => Some(Outcome::Warn),
            Self::Fail => Some(Outcome::Fail),
            Self::Refused => None,
        }
    }
}

impl Weight {
    /// As reports have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_we_ship_can_be_read_and_names_no_list_that_is_gone() {
        let lists = Lists::parse(include_str!("lists.toml")).unwrap();
        assert!(lists.named("spamhaus-zen").is_some());
        assert!(lists.is_dead("dnsbl.sorbs.net") && lists.is_dead("sorbs.net"));
        assert!(!lists.is_dead("notsorbs.net"));
        for list in lists.all() {
            assert!(list.source.starts_with("https://"), "{}", list.id);
            assert!(!list.codes.is_empty() && !list.seen.is_empty(), "{}", list.id);
        }
    }

    #[test]
    fn a_list_that_is_gone_is_refused_with_its_name() {
        let text = include_str!("lists.toml").replace("psbl.surriel.com", "dnsbl.sorbs.net");
        let said = Lists::parse(&text).unwrap_err().to_string();
        assert_eq!(said, "the list psbl is gone, and must not be asked");
    }

    #[test]
    fn a_key_stands_in_the_zone_and_is_never_shown() {
        let (lists, mut keys) = (Lists::built_in(), Keys::default());
        let zen = lists.named("spamhaus-zen").unwrap();
        let abusix = lists.named("abusix").unwrap();
        assert_eq!(zen.zone(&keys).as_deref(), Some("zen.spamhaus.org"));
        assert_eq!(abusix.zone(&keys), None);
        keys.add(lists, "spamhaus-zen", "Abc123").unwrap();
        assert_eq!(zen.zone(&keys).as_deref(), Some("abc123.zen.dq.spamhaus.net"));
        assert_eq!(zen.shown_zone(), "zen.spamhaus.org");
        for (id, key) in [("psbl", "x"), ("nothing", "x"), ("abusix", "a.b"), ("abusix", "")] {
            assert!(keys.add(lists, id, key).is_err(), "{id} {key}");
        }
    }
}
