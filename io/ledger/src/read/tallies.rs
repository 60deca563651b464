//! Counts by the minute.

use postlane_mail::Instant;

use crate::error::LedgerError;
use crate::part::minutes;
use crate::read::parts::{look, spread};
use crate::shared::Shared;
use crate::tally::{Tallies, Tally};

/// See [`crate::Ledger::tallies`].
pub(crate) fn tallies(shared: &Shared, asked: &Tallies) -> Result<Vec<Tally>, LedgerError> {
    let state = shared.state.read().clone();
    let mut all: Vec<Tally> = state
        .unsealed()
        .flat_map(|batch| &batch.entries)
        .map(|written| Tally::of(&written.entry))
        .filter(|tally| asked.has(tally))
        .map(|tally| asked.rounded(tally))
        .collect();
    let mut names = state.minutes;
    names.retain(|name| asked.reaches(name.first_at, name.last_at));
    let results = spread(&names, Vec::new, |name, found: &mut Vec<Tally>| {
        let path = shared.files.minutes(name);
        let stretch = |minute: Instant| asked.has_minute(minute).then(|| asked.stretch(minute));
        let read = look(shared, &path, || minutes::read(&path, stretch, |by| asked.reads(by)))?;
        let about = read.unwrap_or_default().into_iter().filter(|tally| asked.is_about(tally));
        found.extend(about.map(|tally| asked.rounded(tally)));
        Ok(())
    })?;
    all.extend(results.into_iter().flatten());
    Ok(Tally::together(all))
}
