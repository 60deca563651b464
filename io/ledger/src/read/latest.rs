//! The newest entries of a filter.
//!
//! Parts are asked from new to old, a few at a time, more the less was found, and the search ends
//! when no part is left that could hold anything newer than what was found.

use std::cmp::Reverse;
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
    let mut found: Vec<Written> = state
        .unsealed()
        .flat_map(|batch| &batch.entries)
        .filter(|written| after.is_none_or(|after| place(written) < after))
        .filter(|written| filter.has(&written.entry))
        .map(|written| Written { seq: written.seq, entry: written.entry.clone() })
        .collect();
    newest(&mut found, n.saturating_add(1));
    let mut parts = state.parts;
    parts.retain(|part| question.reaches(&part.name));
    parts.sort_unstable_by_key(|part| Reverse((part.name.last_at, part.name.last)));
    let (mut left, mut at_once, mut looked) = (&parts[..], 1, 0);
    while let Some(part) = left.first() {
        let is_full = found.len() > n && found[n].entry.at > part.name.last_at;
        if is_full {
            break;
        }
        // A search that goes on must come further than the one before.
        let is_further = after.is_none_or(|after| part.name.last_at < after.at);
        if is_further && looked >= shared.settings.search_entries_max {
            return Ok(broken_off(found, n, part.name.last_at));
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
    let is_more = found.len() > n;
    found.truncate(n);
    let next = found.last().map(place).filter(|_| is_more);
    Ok(Page { entries: found, next, searched_until: None })
}

/// What one thread found.
#[derive(Default)]
struct Asked {
    found: Vec<Written>,
    /// Entries that were looked through.
    looked: u64,
}

/// Asks one part for its newest `n`.
fn one(
    shared: &Shared,
    question: &Question<'_>,
    part: &Arc<Part>,
    n: usize,
    asked: &mut Asked,
) -> Result<(), LedgerError> {
    let found = ask(shared, part, |part| {
        let events = part.events()?;
        if !question.may_fit(&events)? {
            return Ok((Vec::new(), 0));
        }
        if question.is_told_by_counts() && !question.ask_counts(&part.counts()?)?.any() {
            return Ok((Vec::new(), 0));
        }
        let matches = question.ask_events(&part.name, &events)?;
        let mut rows: Vec<usize> = matches.rows().rev().take(n).collect();
        rows.reverse();
        let found = if rows.is_empty() { Vec::new() } else { part.read(&events, &rows)? };
        Ok((found, events.rows() as u64))
    })?;
    let (found, looked) = found.unwrap_or_default();
    asked.found.extend(found);
    asked.looked += looked;
    Ok(())
}

/// What was found after everything newer than `until` was looked through, and nothing else.
fn broken_off(mut found: Vec<Written>, n: usize, until: Instant) -> Page {
    found.retain(|written| written.entry.at > until);
    let is_more = found.len() > n;
    found.truncate(n);
    let next = match found.last().filter(|_| is_more) {
        Some(last) => place(last),
        None => Cursor { at: until, seq: Seq(u64::MAX) },
    };
    let searched_until = (!is_more).then_some(Instant(until.0.saturating_add(1)));
    Page { entries: found, next: Some(next), searched_until }
}

/// Keeps the newest `n`, newest first.
fn newest(found: &mut Vec<Written>, n: usize) {
    found.sort_unstable_by_key(|written| Reverse(place(written)));
    found.truncate(n);
}

fn place(written: &Written) -> Cursor {
    Cursor { at: written.entry.at, seq: written.seq }
}
