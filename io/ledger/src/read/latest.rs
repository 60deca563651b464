//! The newest entries of a filter.
//!
//! Parts are asked from new to old, a few at a time, more the less was found, and the search ends
//! when no part is left that could hold anything newer than what was found.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use postlane_mail::Instant;

use crate::entry::Written;
use crate::error::LedgerError;
use crate::filter::Filter;
use crate::page::Page;
use crate::part::{Part, Question};
use crate::position::{Cursor, Seq};
use crate::read::parts::{ask, spread};
use crate::shared::Shared;
use crate::table::TableError;

/// Parts that are asked at once, at most.
const AT_ONCE_MAX: usize = 64;

/// See [`crate::Ledger::latest`].
pub(crate) fn latest(
    shared: &Shared,
    filter: &Filter,
    n: usize,
    after: Option<Cursor>,
) -> Result<Page, LedgerError> {
    let state = shared.state.read().clone();
    let question = Question::new(filter, after);
    let mut found: Vec<Found<'_>> = state
        .unsealed()
        .flat_map(|batch| &batch.entries)
        .filter(|written| after.is_none_or(|after| place(written) < after))
        .filter(|written| filter.has(&written.entry))
        .map(|written| Found { place: place(written), lies: Lies::Here(written) })
        .collect();
    newest(&mut found, n.saturating_add(1));
    let mut parts = state.parts.clone();
    parts.retain(|part| question.reaches(&part.name));
    parts.sort_unstable_by_key(|part| Reverse((part.name.last_at, part.name.last)));
    let (mut left, mut at_once, mut looked) = (&parts[..], 1, 0);
    while let Some(part) = left.first() {
        let until = part.name.last_at;
        if found.get(n).is_some_and(|found| found.place.at > until) {
            break;
        }
        // A search that goes on must come further than the one before.
        let is_further = after.is_none_or(|after| until < after.at);
        if is_further && looked >= shared.settings.search_entries_max {
            found.retain(|found| found.place.at > until);
            let is_full = found.len() > n;
            let mut page = page(shared, found, n)?;
            if !is_full {
                page.next = Some(Cursor { at: until, seq: Seq(u64::MAX) });
                page.searched_until = Some(Instant(until.0.saturating_add(1)));
            }
            return Ok(page);
        }
        let (now, later) = left.split_at(at_once.min(left.len()));
        let results = spread(now, Asked::default, |part, asked| {
            one(shared, &question, part, n.saturating_add(1), asked)
        })?;
        for asked in results {
            looked += asked.looked;
            found.extend(asked.found);
        }
        newest(&mut found, n.saturating_add(1));
        left = later;
        at_once = (at_once * 4).min(AT_ONCE_MAX);
    }
    page(shared, found, n)
}

/// An entry that was found, and is not read yet.
struct Found<'a> {
    place: Cursor,
    lies: Lies<'a>,
}

/// Where it lies.
enum Lies<'a> {
    Here(&'a Written),
    There { part: Arc<Part>, row: usize },
}

/// What one thread found.
#[derive(Default)]
struct Asked<'a> {
    found: Vec<Found<'a>>,
    /// Entries that were looked through.
    looked: u64,
}

/// Asks one part for its newest `n`.
fn one(
    shared: &Shared,
    question: &Question<'_>,
    part: &Arc<Part>,
    n: usize,
    asked: &mut Asked<'_>,
) -> Result<(), LedgerError> {
    let found = ask(shared, part, |of| {
        let Some((events, matches)) = question.ask(of)? else { return Ok((Vec::new(), 0)) };
        let looked = events.rows() as u64;
        if !matches.any() {
            return Ok((Vec::new(), looked));
        }
        let at = events.numbers("ts", |page| matches.is_any(page))?.rows;
        let seq = events.numbers("seq", |page| matches.is_any(page))?.rows;
        let mut found = Vec::new();
        for row in matches.rows().rev().take(n) {
            let (Some(at), Some(seq)) = (at[row], seq[row]) else {
                return Err(TableError::Broken("an entry without its time".to_owned()));
            };
            let place = Cursor { at: Instant(at), seq: Seq(seq) };
            found.push(Found { place, lies: Lies::There { part: Arc::clone(part), row } });
        }
        Ok((found, looked))
    })?;
    let (found, looked) = found.unwrap_or_default();
    asked.found.extend(found);
    asked.looked += looked;
    Ok(())
}

/// The first `n` of what was found, read.
fn page(shared: &Shared, mut found: Vec<Found<'_>>, n: usize) -> Result<Page, LedgerError> {
    let is_more = found.len() > n;
    found.truncate(n);
    let next = found.last().map(|found| found.place).filter(|_| is_more);
    let mut by_part: BTreeMap<Seq, (Arc<Part>, Vec<usize>)> = BTreeMap::new();
    for found in &found {
        if let Lies::There { part, row } = &found.lies {
            let of = by_part.entry(part.name.first);
            of.or_insert_with(|| (Arc::clone(part), Vec::new())).1.push(*row);
        }
    }
    let by_part: Vec<(Arc<Part>, Vec<usize>)> = by_part.into_values().collect();
    let results = spread(&by_part, HashMap::new, |(part, rows), read| {
        let mut rows = rows.clone();
        rows.sort_unstable();
        let entries = ask(shared, part, |part| part.read(&part.events()?, &rows))?;
        read.extend(entries.unwrap_or_default().into_iter().map(|written| (written.seq, written)));
        Ok(())
    })?;
    let mut read: HashMap<Seq, Written> = results.into_iter().flatten().collect();
    let entries = found.iter().filter_map(|found| match found.lies {
        Lies::Here(written) => Some(written.clone()),
        Lies::There { .. } => read.remove(&found.place.seq),
    });
    Ok(Page { entries: entries.collect(), next, searched_until: None })
}

/// Keeps the newest `n`, newest first.
fn newest(found: &mut Vec<Found<'_>>, n: usize) {
    found.sort_unstable_by_key(|found| Reverse(found.place));
    found.truncate(n);
}

fn place(written: &Written) -> Cursor {
    Cursor { at: written.entry.at, seq: written.seq }
}
