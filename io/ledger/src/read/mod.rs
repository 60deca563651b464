//! Answers to questions about what happened.

use std::cmp::Reverse;
use std::collections::HashMap;

use compact_str::CompactString;

use crate::entry::{Sample, Written};
use crate::error::LedgerError;
use crate::field::Field;
use crate::filter::Filter;
use crate::page::{Counts, Followed, Group, Page};
use crate::position::{Cursor, Seq};
use crate::shared::{Shared, State};
use crate::tally::{Tallies, Tally};

/// See [`crate::Ledger::latest`].
pub(crate) fn latest(
    shared: &Shared,
    filter: &Filter,
    n: usize,
    after: Option<Cursor>,
) -> Result<Page, LedgerError> {
    let state = shared.state.read().clone();
    let mut found: Vec<&Written> = open(&state)
        .filter(|written| after.is_none_or(|after| place(written) < after))
        .filter(|written| filter.has(&written.entry))
        .collect();
    let is_more = found.len() > n;
    if is_more && n > 0 {
        found.select_nth_unstable_by_key(n - 1, |written| Reverse(place(written)));
    }
    found.truncate(n);
    found.sort_unstable_by_key(|written| Reverse(place(written)));
    let entries: Vec<Written> = found.into_iter().cloned().collect();
    let next = entries.last().map(place).filter(|_| is_more);
    Ok(Page { entries, next, searched_until: None })
}

/// See [`crate::Ledger::facets`].
pub(crate) fn facets(
    shared: &Shared,
    filter: &Filter,
    fields: &[Field],
    values_max: usize,
) -> Result<Vec<Counts>, LedgerError> {
    fields
        .iter()
        .map(|field| {
            let groups = groups(shared, filter, &[*field], usize::MAX)?;
            let total = groups.iter().map(|group| group.count).sum();
            let others = groups.iter().skip(values_max).map(|group| group.count).sum();
            let values = groups
                .into_iter()
                .take(values_max)
                .map(|group| (group.values.into_iter().next().unwrap_or_default(), group.count))
                .collect();
            Ok(Counts { field: *field, values, others, total })
        })
        .collect()
}

/// See [`crate::Ledger::groups`].
pub(crate) fn groups(
    shared: &Shared,
    filter: &Filter,
    by: &[Field],
    groups_max: usize,
) -> Result<Vec<Group>, LedgerError> {
    let state = shared.state.read().clone();
    let mut counted: HashMap<Vec<CompactString>, (u64, u64)> = HashMap::new();
    for written in open(&state).filter(|written| filter.has(&written.entry)) {
        let values = by.iter().map(|field| field.of(&written.entry)).collect();
        let (count, delay_ms) = counted.entry(values).or_default();
        *count += 1;
        *delay_ms = delay_ms.saturating_add(written.entry.delay_ms.unwrap_or(0));
    }
    let mut groups: Vec<Group> = counted
        .into_iter()
        .map(|(values, (count, delay_ms))| Group { values, count, delay_ms })
        .collect();
    groups.sort_unstable_by(|a, b| b.count.cmp(&a.count).then_with(|| a.values.cmp(&b.values)));
    groups.truncate(groups_max);
    Ok(groups)
}

/// See [`crate::Ledger::follow`].
pub(crate) fn follow(
    shared: &Shared,
    after: Seq,
    filter: &Filter,
    n: usize,
) -> Result<Followed, LedgerError> {
    let state = shared.state.read().clone();
    let mut upto = after.max(state.newest);
    let mut entries = Vec::new();
    for written in open(&state).filter(|written| written.seq > after) {
        if entries.len() >= n {
            upto = entries.last().map_or(after, |written: &Written| written.seq);
            break;
        }
        if filter.has(&written.entry) {
            entries.push(written.clone());
        }
    }
    Ok(Followed { entries, upto })
}

/// See [`crate::Ledger::tallies`].
pub(crate) fn tallies(shared: &Shared, asked: &Tallies) -> Result<Vec<Tally>, LedgerError> {
    let state = shared.state.read().clone();
    let tallies = open(&state)
        .map(|written| Tally::of(&written.entry))
        .filter(|tally| asked.has(tally))
        .map(|tally| Tally { from: asked.stretch(tally.from), ..tally })
        .collect();
    Ok(Tally::together(tallies))
}

/// See [`crate::Ledger::sample`].
pub(crate) fn sample(shared: &Shared, seq: Seq) -> Result<Option<Sample>, LedgerError> {
    let state = shared.state.read().clone();
    Ok(state.open.iter().find_map(|batch| batch.sample(seq)).cloned())
}

/// Entries that are not sealed, in the order of writing.
fn open(state: &State) -> impl Iterator<Item = &Written> {
    state.open.iter().flat_map(|batch| &batch.entries)
}

fn place(written: &Written) -> Cursor {
    Cursor { at: written.entry.at, seq: written.seq }
}
