//! The table of providers as it is written: TOML, one `[[provider]]` for each.

use std::collections::BTreeMap;

use postlane_mail::Domain;
use serde::Deserialize;

use super::{Brand, Note, PostmasterPage, Provider, ProviderId, Providers, Standing, names};

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
    /// A domain or suffix is no domain name, or a name has no letter or digit.
    #[error(
        "provider \"{id}\": \"{name}\" is no domain name or no name: write it as in example.com"
    )]
    Name {
        /// The provider.
        id: String,
        /// What was written.
        name: String,
    },
    /// A domain, suffix, brand or alias leads to two providers.
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
    name: Box<str>,
    #[serde(default)]
    brands: Vec<BrandEntry>,
    #[serde(default)]
    aliases: Vec<Box<str>>,
    #[serde(default)]
    domains: Vec<Box<str>>,
    #[serde(default)]
    mx_suffixes: Vec<Box<str>>,
    #[serde(default)]
    mx_unverified: Vec<Box<str>>,
    #[serde(default)]
    postmaster: Vec<PageEntry>,
    #[serde(default)]
    notes: Vec<NoteEntry>,
    source: Box<str>,
    seen: Box<str>,
    #[serde(default)]
    unverified: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BrandEntry {
    id: Box<str>,
    name: Box<str>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PageEntry {
    url: Box<str>,
    source: Box<str>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoteEntry {
    says: Box<str>,
    source: Box<str>,
}

pub(super) fn read(text: &str) -> Result<Providers, ProvidersError> {
    let table: Table =
        toml::from_str(text).map_err(|e| ProvidersError::Syntax(e.message().to_owned()))?;
    let mut providers = Providers {
        known: Vec::new(),
        by_mx_suffix: BTreeMap::new(),
        by_domain: BTreeMap::new(),
        by_name: BTreeMap::new(),
    };
    for entry in table.provider {
        providers.add(entry)?;
    }
    Ok(providers)
}

impl Providers {
    fn add(&mut self, entry: Entry) -> Result<(), ProvidersError> {
        let taken = self.known.iter().any(|provider| provider.id.as_str() == entry.id);
        let ids = entry.brands.iter().map(|brand| &*brand.id).chain([&*entry.id]);
        if let Some(wrong) = ids.into_iter().find(|id| !is_id(id)) {
            return Err(ProvidersError::Id(wrong.to_owned()));
        }
        if taken {
            return Err(ProvidersError::Id(entry.id));
        }
        let unread = entry.postmaster.iter().map(|page| &page.source);
        let mut sources = unread.chain(entry.notes.iter().map(|note| &note.source));
        if entry.source.is_empty() || entry.seen.is_empty() || sources.any(|s| s.is_empty()) {
            return Err(ProvidersError::Source(entry.id));
        }
        let place = self.known.len();
        self.known.push(Provider::from(entry));
        let Self { known, by_mx_suffix, by_domain, by_name } = self;
        let Some(provider) = known.last() else { return Ok(()) };
        for name in &provider.mx_suffixes {
            file(by_mx_suffix, known, place, name, domain(name))?;
        }
        for name in &provider.domains {
            file(by_domain, known, place, name, domain(name))?;
        }
        for name in provider.names() {
            let plain = names::plain(name);
            file(by_name, known, place, name, (!plain.is_empty()).then(|| plain.into()))?;
        }
        Ok(())
    }
}

impl From<Entry> for Provider {
    fn from(entry: Entry) -> Self {
        let mut mx_suffixes = entry.mx_suffixes;
        mx_suffixes.extend(entry.mx_unverified.iter().cloned());
        let brands = entry.brands.into_iter().map(|BrandEntry { id, name }| Brand { id, name });
        let pages = entry.postmaster.into_iter();
        let notes = entry.notes.into_iter();
        Self {
            id: ProviderId(entry.id.into()),
            name: entry.name,
            brands: brands.collect(),
            aliases: entry.aliases,
            domains: entry.domains,
            mx_unverified: if entry.unverified { mx_suffixes.clone() } else { entry.mx_unverified },
            mx_suffixes,
            postmaster: pages
                .map(|PageEntry { url, source }| PostmasterPage { url, source })
                .collect(),
            notes: notes.map(|NoteEntry { says, source }| Note { says, source }).collect(),
            source: entry.source,
            seen: entry.seen,
            standing: if entry.unverified { Standing::Unverified } else { Standing::Read },
        }
    }
}

fn is_id(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    !text.is_empty() && text.bytes().all(plain)
}

/// A domain or the suffix of a host, without the dot in front.
fn domain(written: &str) -> Option<Box<str>> {
    let domain = Domain::parse(written.strip_prefix('.').unwrap_or(written)).ok()?;
    Some(domain.as_str().into())
}

/// Writes a name down for the provider at `place`.
fn file(
    names: &mut BTreeMap<Box<str>, usize>,
    known: &[Provider],
    place: usize,
    written: &str,
    key: Option<Box<str>>,
) -> Result<(), ProvidersError> {
    let id = |place: usize| known[place].id.to_string();
    let Some(key) = key else {
        return Err(ProvidersError::Name { id: id(place), name: written.to_owned() });
    };
    match names.insert(key, place) {
        Some(other) if other != place => {
            Err(ProvidersError::Taken { id: id(place), name: written.to_owned(), other: id(other) })
        }
        _ => Ok(()),
    }
}
