//! The table of providers as it is written: TOML, one `[[provider]]` for each.

use std::collections::BTreeMap;

use postlane_mail::Domain;
use serde::Deserialize;

use super::{Provider, ProviderId, Providers};

/// Why a table of providers cannot be used. Whoever wrote the table is to blame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProvidersError {
    /// It is no TOML, or has other keys than the table knows.
    #[error(
        "{0}: write [[provider]] with id, name, domains, mx_suffixes, source and seen for each"
    )]
    Syntax(String),
    /// An id is not made of `a`–`z`, `0`–`9` and `-`, or comes twice.
    #[error(
        "the provider id \"{0}\" is taken or has other characters than a-z, 0-9 and -: choose another"
    )]
    Id(String),
    /// A domain or suffix is no domain name.
    #[error("provider \"{id}\": \"{name}\" is no domain name: write it as in example.com")]
    Name {
        /// The provider.
        id: String,
        /// What was written.
        name: String,
    },
    /// A domain or suffix leads to two providers.
    #[error("provider \"{id}\": \"{name}\" belongs to \"{other}\" already: remove one of the two")]
    Taken {
        /// The provider.
        id: String,
        /// What was written.
        name: String,
        /// Whose it was before.
        other: String,
    },
    /// Nobody says where the facts come from.
    #[error("provider \"{0}\": say in source and seen where its hosts were read, and when")]
    Source(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(default)]
    provider: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: String,
    name: String,
    #[serde(default)]
    domains: Vec<String>,
    #[serde(default)]
    mx_suffixes: Vec<String>,
    source: String,
    seen: String,
}

pub(super) fn read(text: &str) -> Result<Providers, ProvidersError> {
    let table: Table =
        toml::from_str(text).map_err(|e| ProvidersError::Syntax(e.message().to_owned()))?;
    let mut providers =
        Providers { known: Vec::new(), by_mx_suffix: BTreeMap::new(), by_domain: BTreeMap::new() };
    for entry in table.provider {
        providers.add(entry)?;
    }
    Ok(providers)
}

impl Providers {
    fn add(&mut self, entry: Entry) -> Result<(), ProvidersError> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let taken = self.known.iter().any(|provider| provider.id.as_str() == entry.id);
        if taken || entry.id.is_empty() || !entry.id.bytes().all(plain) {
            return Err(ProvidersError::Id(entry.id));
        }
        if entry.source.is_empty() || entry.seen.is_empty() {
            return Err(ProvidersError::Source(entry.id));
        }
        let place = self.known.len();
        self.known.push(Provider {
            id: ProviderId(entry.id.as_str().into()),
            name: entry.name.into_boxed_str(),
        });
        for name in &entry.mx_suffixes {
            file(&mut self.by_mx_suffix, &self.known, place, name)?;
        }
        for name in &entry.domains {
            file(&mut self.by_domain, &self.known, place, name)?;
        }
        Ok(())
    }
}

/// Writes a name down for the provider at `place`.
fn file(
    names: &mut BTreeMap<Box<str>, usize>,
    known: &[Provider],
    place: usize,
    name: &str,
) -> Result<(), ProvidersError> {
    let id = |place: usize| known[place].id.to_string();
    let Ok(domain) = Domain::parse(name.strip_prefix('.').unwrap_or(name)) else {
        return Err(ProvidersError::Name { id: id(place), name: name.to_owned() });
    };
    match names.insert(domain.as_str().into(), place) {
        Some(other) if other != place => {
            Err(ProvidersError::Taken { id: id(place), name: name.to_owned(), other: id(other) })
        }
        _ => Ok(()),
    }
}
