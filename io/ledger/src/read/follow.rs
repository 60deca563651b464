//! Entries in the order of writing, and one entry's sample.

use crate::entry::{Sample, Written};
use crate::error::LedgerError;
use crate::filter::Filter;
use crate::page::Followed;
use crate::part::Question;
use crate::position::Seq;
use crate::read::parts::{ask, look};
use crate::shared::Shared;

/// See [`crate::Ledger::follow`].
pub(crate) fn follow(
    shared: &Shared,
    after: Seq,
    filter: &Filter,
    n: usize,
) -> Result<Followed, LedgerError> {
    let state = shared.state.read().clone();
    let question = Question::new(filter, None);
    let mut entries: Vec<Written> = Vec::new();
    let mut parts = state.parts.clone();
    parts.retain(|part| part.name.last > after && question.reaches(&part.name));
    parts.sort_unstable_by_key(|part| part.name.first);
    for part in &parts {
        let found = ask(shared, part, |part| {
            let Some((events, matches)) = question.ask(part)? else { return Ok(Vec::new()) };
            let seqs = events.numbers("seq", |page| matches.is_any(page))?;
            let mut rows: Vec<usize> =
                matches.rows().filter(|row| seqs.rows[*row] > Some(after.0)).collect();
            rows.sort_unstable_by_key(|row| seqs.rows[*row]);
            rows.truncate(n.saturating_add(1) - entries.len().min(n));
            rows.sort_unstable();
            let mut found = part.read(&events, &rows)?;
            found.sort_unstable_by_key(|written| written.seq);
            Ok(found)
        })?;
        entries.extend(found.unwrap_or_default());
        if entries.len() > n {
            break;
        }
    }
    for written in state.unsealed().flat_map(|batch| &batch.entries) {
        if entries.len() > n {
            break;
        }
        if written.seq > after && filter.has(&written.entry) {
            entries.push(written.clone());
        }
    }
    let is_more = entries.len() > n;
    entries.truncate(n);
    let upto = match entries.last().filter(|_| is_more) {
        Some(last) => last.seq,
        None if is_more => after,
        None => after.max(state.newest),
    };
    Ok(Followed { entries, upto })
}

/// See [`crate::Ledger::sample`].
pub(crate) fn sample(shared: &Shared, seq: Seq) -> Result<Option<Sample>, LedgerError> {
    let state = shared.state.read().clone();
    if let Some(sample) = state.unsealed().find_map(|batch| batch.sample(seq)) {
        return Ok(Some(sample.clone()));
    }
    let Some(part) = state.parts.iter().find(|part| part.name.has(seq)) else { return Ok(None) };
    let path = shared.files.samples(&part.name);
    Ok(look(shared, &path, || part.sample(seq))?.flatten())
}
