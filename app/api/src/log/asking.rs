//! Pages, facets and tallies.

use postlane_ledger::{By, Cursor, Ledger, LedgerError, Tallies};
use postlane_mail::{Instant, Span};

use crate::wire::{
    LogEntry, LogFacet, LogFacets, LogPage, LogQuery, TallyPage, TallyRow, timestamp,
};

/// Why something was not answered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Asked {
    /// Whoever asked is to blame: what is wrong with the question.
    #[error("{0}")]
    Wrong(String),
    /// The ledger cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Entries on a page when nothing is said, and at most. Chosen, not measured.
const PAGE: (u32, u32) = (50, 10_000);

/// Values of a field when nothing is said, and at most.
const VALUES: (u32, u32) = (10, 1_000);

/// A page of the log, newest first.
pub fn page(ledger: &Ledger, query: &LogQuery, now: Instant) -> Result<LogPage, Asked> {
    let filter = query.filter(now).map_err(Asked::Wrong)?;
    let cursor = match query.cursor.as_deref().map(Cursor::parse) {
        None => None,
        Some(Some(cursor)) => Some(cursor),
        Some(None) => return Err(Asked::Wrong("cursor is not one that a page gave".to_owned())),
    };
    let page = ledger.latest(&filter, limit(query, PAGE)?, cursor)?;
    Ok(LogPage {
        entries: page.entries.into_iter().map(LogEntry::from).collect(),
        next: page.next.map(|cursor| cursor.to_string()),
        searched_until: page.searched_until.map(timestamp),
    })
}

/// How often the values of fields occur.
pub fn facets(ledger: &Ledger, query: &LogQuery, now: Instant) -> Result<LogFacets, Asked> {
    let filter = query.filter(now).map_err(Asked::Wrong)?;
    let fields = query.counted().map_err(Asked::Wrong)?;
    let counts = ledger.facets(&filter, &fields, limit(query, VALUES)?)?;
    Ok(LogFacets { facets: counts.into_iter().map(LogFacet::from).collect() })
}

/// Counts over time: the last day when nothing is said, in stretches of which there are a few
/// hundred.
pub fn tallies(
    ledger: &Ledger,
    query: &LogQuery,
    (every, by): (Option<Span>, Option<&str>),
    now: Instant,
) -> Result<TallyPage, Asked> {
    const DAY_US: u64 = 86_400_000_000;
    const STRETCHES: u64 = 288;
    let filter = query.filter(now).map_err(Asked::Wrong)?;
    let to = filter.to.unwrap_or(now);
    let from = filter.from.unwrap_or_else(|| Instant(to.0.saturating_sub(DAY_US)));
    let minutes = to.since(from).as_s().div_ceil(STRETCHES).div_ceil(60).max(1);
    let every = every.unwrap_or_else(|| Span::from_min(minutes));
    let every = Span::from_min(every.as_s().div_ceil(60).max(1));
    let (providers, tenants) = (filter.providers, filter.tenants);
    let by = by.map_or_else(|| Ok(By::ALL.to_vec()), kept_apart)?;
    let asked = Tallies { from, to, every, providers, tenants, by };
    let tallies = ledger.tallies(&asked)?;
    Ok(TallyPage {
        every_s: every.as_s(),
        tallies: tallies.into_iter().map(TallyRow::from).collect(),
    })
}

/// By what counts are kept apart, as it was written.
fn kept_apart(by: &str) -> Result<Vec<By>, Asked> {
    let names = by.split(',').map(str::trim).filter(|name| !name.is_empty());
    let read = |name: &str| {
        By::parse(name).ok_or_else(|| {
            let known = By::ALL.map(By::as_str).join(", ");
            Asked::Wrong(format!("by: \"{name}\" is none of {known}"))
        })
    };
    names.map(read).collect()
}

pub(super) fn limit(query: &LogQuery, (usual, most): (u32, u32)) -> Result<usize, Asked> {
    match query.limit.unwrap_or(usual) {
        limit if (1..=most).contains(&limit) => Ok(limit as usize),
        _ => Err(Asked::Wrong(format!("limit is 1 to {most}"))),
    }
}
