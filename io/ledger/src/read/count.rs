//! How often the values of fields occur.
//!
//! A part that lies wholly in the filter's time is answered from its counts when they know every
//! field that is asked for, and from the columns of its entries otherwise: the answer is the same.

use std::collections::HashMap;

use compact_str::CompactString;

use crate::error::LedgerError;
use crate::field::Field;
use crate::filter::Filter;
use crate::page::{Counts, Group};
use crate::part::{Matches, Part, Question, field_of};
use crate::read::parts::{ask, spread};
use crate::shared::{Shared, State};
use crate::table::{Numbers, Table, TableError, Texts};

/// Groups that are counted apart at once, at most; more are not counted. Bounds memory.
const GROUPS_MAX: usize = 200_000;

/// A key's count and delay.
#[derive(Debug, Default, Clone, Copy)]
struct Sum {
    count: u64,
    delay_ms: u64,
}

/// Sums by the values of some fields.
#[derive(Debug, Default)]
struct Sums {
    by: HashMap<Vec<CompactString>, Sum>,
    /// What found no place.
    others: u64,
}

/// See [`crate::Ledger::facets`].
pub(crate) fn facets(
    shared: &Shared,
    filter: &Filter,
    fields: &[Field],
    values_max: usize,
) -> Result<Vec<Counts>, LedgerError> {
    let asked: Vec<Vec<Field>> = fields.iter().map(|field| vec![*field]).collect();
    let sums = sums(shared, filter, &asked)?;
    let counts = |(field, sums): (&Field, Sums)| {
        let others = sums.others;
        let groups = sums.groups();
        let total = others + groups.iter().map(|group| group.count).sum::<u64>();
        let rest: u64 = groups.iter().skip(values_max).map(|group| group.count).sum();
        let value =
            |group: Group| (group.values.into_iter().next().unwrap_or_default(), group.count);
        let values = groups.into_iter().take(values_max).map(value).collect();
        Counts { field: *field, values, others: others + rest, total }
    };
    Ok(fields.iter().zip(sums).map(counts).collect())
}

/// See [`crate::Ledger::groups`].
pub(crate) fn groups(
    shared: &Shared,
    filter: &Filter,
    by: &[Field],
    groups_max: usize,
) -> Result<Vec<Group>, LedgerError> {
    let sums = sums(shared, filter, &[by.to_vec()])?;
    let mut groups = sums.into_iter().next().unwrap_or_default().groups();
    groups.truncate(groups_max);
    Ok(groups)
}

/// Sums for each of several lists of fields.
fn sums(shared: &Shared, filter: &Filter, asked: &[Vec<Field>]) -> Result<Vec<Sums>, LedgerError> {
    let mut state = shared.state.read().clone();
    let question = Question::new(filter, None);
    state.parts.retain(|part| question.reaches(&part.name));
    let empty = || -> Vec<Sums> { asked.iter().map(|_| Sums::default()).collect() };
    let mut all = unsealed(&state, filter, asked, empty());
    let results = spread(&state.parts, empty, |part, sums| {
        // What a broken part told before it broke stays out.
        let found = ask(shared, part, |part| {
            let mut found = empty();
            one(&question, part, asked, &mut found)?;
            Ok(found)
        })?;
        for (sums, found) in sums.iter_mut().zip(found.unwrap_or_default()) {
            sums.add_all(found);
        }
        Ok(())
    })?;
    for result in results {
        for (sums, found) in all.iter_mut().zip(result) {
            sums.add_all(found);
        }
    }
    Ok(all)
}

fn unsealed(
    state: &State,
    filter: &Filter,
    asked: &[Vec<Field>],
    mut sums: Vec<Sums>,
) -> Vec<Sums> {
    let entries = state.unsealed().flat_map(|batch| &batch.entries).map(|written| &written.entry);
    for entry in entries.filter(|entry| filter.has(entry)) {
        for (fields, sums) in asked.iter().zip(&mut sums) {
            let key = fields.iter().map(|field| field.of(entry)).collect();
            sums.add(key, Sum { count: 1, delay_ms: entry.delay_ms.unwrap_or(0) });
        }
    }
    sums
}

/// Sums of one part.
fn one(
    question: &Question<'_>,
    part: &Part,
    asked: &[Vec<Field>],
    sums: &mut [Sums],
) -> Result<(), TableError> {
    let fields: Vec<Field> = asked.iter().flatten().copied().collect();
    if question.is_counted(&part.name, &fields) {
        let counts = part.counts()?;
        let matches = question.ask_counts(&counts)?;
        let weights = counts.numbers("count", |page| matches.is_any(page))?;
        let column = |field: Field| counts.texts(field.as_str(), |page| matches.is_any(page));
        return add(&counts, &matches, Some(&weights), column, asked, sums);
    }
    let Some((events, matches)) = question.ask(part)? else { return Ok(()) };
    let column = |field| field_of(&events, field, |page| matches.is_any(page));
    add(&events, &matches, None, column, asked, sums)
}

/// Adds the rows of a table that fit.
fn add(
    table: &Table,
    matches: &Matches,
    weights: Option<&Numbers>,
    column: impl Fn(Field) -> Result<Texts, TableError>,
    asked: &[Vec<Field>],
    sums: &mut [Sums],
) -> Result<(), TableError> {
    let weight = |row: usize| match weights {
        Some(weights) => weights.rows[row].unwrap_or(0),
        None => 1,
    };
    for (fields, sums) in asked.iter().zip(sums) {
        if let [field] = fields[..] {
            add_single(&column(field)?, matches, weight, sums);
            continue;
        }
        let texts = fields.iter().map(|field| column(*field)).collect::<Result<Vec<_>, _>>()?;
        let delays = table.numbers("delay_ms", |page| matches.is_any(page))?;
        let mut counted: HashMap<Vec<u32>, Sum> = HashMap::new();
        let mut key = Vec::new();
        for row in matches.rows() {
            key.clear();
            key.extend(texts.iter().map(|texts| texts.rows[row]));
            let delay_ms = delays.rows[row].unwrap_or(0);
            match counted.get_mut(&key) {
                Some(sum) => sum.add(Sum { count: weight(row), delay_ms }),
                None => {
                    counted.insert(key.clone(), Sum { count: weight(row), delay_ms });
                }
            }
        }
        for (key, sum) in counted {
            let words = key.iter().zip(&texts).map(|(word, texts)| texts.word(*word).into());
            sums.add(words.collect(), sum);
        }
    }
    Ok(())
}

/// Adds the rows by the values of one field, whose delays nobody asks for.
fn add_single(texts: &Texts, matches: &Matches, weight: impl Fn(usize) -> u64, sums: &mut Sums) {
    let mut counted = vec![0; texts.words.len() + 1];
    let none = texts.words.len();
    for row in matches.rows() {
        let word = (texts.rows[row] as usize).min(none);
        counted[word] += weight(row);
    }
    for (word, count) in counted.into_iter().enumerate().filter(|(_, count)| *count > 0) {
        let text = if word == none { "" } else { texts.word(word as u32) };
        sums.add(vec![text.into()], Sum { count, delay_ms: 0 });
    }
}

impl Sum {
    fn add(&mut self, other: Self) {
        self.count = self.count.saturating_add(other.count);
        self.delay_ms = self.delay_ms.saturating_add(other.delay_ms);
    }
}

impl Sums {
    fn add(&mut self, key: Vec<CompactString>, sum: Sum) {
        if let Some(known) = self.by.get_mut(&key) {
            known.add(sum);
        } else if self.by.len() < GROUPS_MAX {
            self.by.insert(key, sum);
        } else {
            self.others = self.others.saturating_add(sum.count);
        }
    }

    fn add_all(&mut self, other: Self) {
        self.others = self.others.saturating_add(other.others);
        for (key, sum) in other.by {
            self.add(key, sum);
        }
    }

    /// The groups, largest first.
    fn groups(self) -> Vec<Group> {
        let group = |(values, Sum { count, delay_ms })| Group { values, count, delay_ms };
        let mut groups: Vec<Group> = self.by.into_iter().map(group).collect();
        groups.sort_unstable_by(|a, b| b.count.cmp(&a.count).then_with(|| a.values.cmp(&b.values)));
        groups
    }
}
