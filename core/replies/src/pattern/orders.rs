//! The orders in which the pieces of a pattern may stand: `a & b` is `a .. b` and `b .. a`.

use super::{Gap, PatternError};

/// How many pieces may stand in any order.
const TOGETHER_MAX: usize = 4;

/// What stands between two gaps, with the gap before it. Several pieces: all of them, in any order
/// and each near the one before.
pub(super) struct Slot {
    pub(super) gap: Gap,
    pub(super) pieces: Vec<String>,
}

/// Every row of pieces that slots allow, each piece with the gap before it.
pub(super) fn orders(slots: &[Slot]) -> Result<Vec<Vec<(Gap, &str)>>, PatternError> {
    let mut rows = vec![Vec::new()];
    for slot in slots {
        if slot.pieces.len() > TOGETHER_MAX {
            return Err(PatternError::TooMany);
        }
        let ways = permutations(slot.pieces.len());
        rows = rows
            .iter()
            .flat_map(|row| ways.iter().map(move |way| longer(row, slot, way)))
            .collect();
        if rows.len() > 24 {
            return Err(PatternError::TooMany);
        }
    }
    Ok(rows)
}

/// A row with the pieces of a slot behind it, in the order of `way`.
fn longer<'s>(row: &[(Gap, &'s str)], slot: &'s Slot, way: &[usize]) -> Vec<(Gap, &'s str)> {
    let mut row = row.to_vec();
    let mut gap = slot.gap;
    for piece in way.iter().filter_map(|number| slot.pieces.get(*number)) {
        row.push((gap, piece));
        gap = Gap::Near;
    }
    row
}

/// All orders of so many things, by number.
fn permutations(count: usize) -> Vec<Vec<usize>> {
    let mut all = vec![Vec::new()];
    for next in 0..count {
        let with = |way: &Vec<usize>| {
            let way = way.clone();
            (0..=way.len()).map(move |at| [&way[..at], &[next], &way[at..]].concat())
        };
        all = all.iter().flat_map(with).collect();
    }
    all
}
