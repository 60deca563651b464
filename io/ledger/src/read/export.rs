//! Entries on their way out, as Parquet.

use std::io::Write;

use crate::entry::Written;
use crate::error::LedgerError;
use crate::filter::Filter;
use crate::part::{ENTRY_COLUMNS, Question, values};
use crate::read::parts::ask;
use crate::shared::Shared;
use crate::table::Groups;

/// Entries in a group of rows, and so in memory. Chosen, not measured: some 20 MB.
const GROUP_ROWS: usize = 32_768;

/// See [`crate::Ledger::export`].
pub(crate) fn export<W: Write + Send>(
    shared: &Shared,
    filter: &Filter,
    out: W,
) -> Result<u64, LedgerError> {
    let state = shared.state.read().clone();
    let question = Question::new(filter, None);
    let mut groups = Groups::new(out, &ENTRY_COLUMNS, GROUP_ROWS).map_err(LedgerError::Export)?;
    let (mut waiting, mut written) = (Vec::new(), 0);
    let mut flush = |waiting: &mut Vec<Written>, rows_min: usize| {
        while waiting.len() >= rows_min.max(1) {
            let rows: Vec<Written> = waiting.drain(..waiting.len().min(GROUP_ROWS)).collect();
            let rows: Vec<&Written> = rows.iter().collect();
            groups.add(|column| values(column, &rows)).map_err(LedgerError::Export)?;
            written += rows.len() as u64;
        }
        Ok(())
    };
    for part in state.parts.iter().filter(|part| question.reaches(&part.name)) {
        let rows: Vec<usize> = ask(shared, part, |part| {
            let found = question.ask(part)?;
            Ok(found.map(|(_, matches)| matches.rows().collect()).unwrap_or_default())
        })?
        .unwrap_or_default();
        for rows in rows.chunks(GROUP_ROWS) {
            let found = ask(shared, part, |part| part.read(&part.events()?, rows))?;
            waiting.extend(found.unwrap_or_default());
            flush(&mut waiting, GROUP_ROWS)?;
        }
    }
    for written in state.unsealed().flat_map(|batch| &batch.entries) {
        if filter.has(&written.entry) {
            waiting.push(written.clone());
            flush(&mut waiting, GROUP_ROWS)?;
        }
    }
    flush(&mut waiting, 1)?;
    groups.end().map_err(LedgerError::Export)?;
    Ok(written)
}
