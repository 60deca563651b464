//! All subjects on all lists.

use std::collections::{BTreeMap, BTreeSet};

use postlane_mail::Instant;

use super::cell::{Cell, Hearing, ListedAs, Turn};
use super::rhythm::{Rhythm, chance};
use crate::blocklist::{Keys, List, Lists, Reading, Subject};

/// All subjects on all lists that have entries of such.
#[derive(Debug, Clone, Default)]
pub struct Board {
    cells: BTreeMap<(Box<str>, Subject), Cell>,
    seed: u64,
}

/// What is to be asked of one list now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The list, by its id.
    pub list: Box<str>,
    /// About whom, whoever has waited longest first.
    pub subjects: Vec<Subject>,
}

/// A cell that is watched no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotWatched {
    /// The list, by its id.
    pub list: Box<str>,
    /// Who.
    pub subject: Subject,
    /// How it was listed, if it was.
    pub listed: Option<ListedAs>,
}

/// Questions by which a list is tested itself (RFC 5782 §5).
const OF_THE_LIST: u32 = 2;

impl Due {
    /// Questions that this takes at most: the list's own two tests, and one for each subject.
    pub fn questions(&self) -> u32 {
        u32::try_from(self.subjects.len()).unwrap_or(u32::MAX).saturating_add(OF_THE_LIST)
    }

    /// The same in parts of so many questions at most, each with the list's own tests.
    pub fn in_parts(self, questions: u32) -> Vec<Self> {
        let most = questions.saturating_sub(OF_THE_LIST).max(1);
        let parts = self.subjects.chunks(usize::try_from(most).unwrap_or(usize::MAX));
        parts.map(|part| Self { list: self.list.clone(), subjects: part.to_vec() }).collect()
    }
}

impl Board {
    /// What was kept. The seed spreads the questions.
    pub fn restored(seed: u64, cells: impl IntoIterator<Item = (Box<str>, Subject, Cell)>) -> Self {
        let cells = cells.into_iter().map(|(list, subject, cell)| ((list, subject), cell));
        Self { cells: cells.collect(), seed }
    }

    /// Watches these subjects on these lists from now on, and no others. Gives what was watched
    /// before and is not any more.
    pub fn watch(
        &mut self,
        now: Instant,
        subjects: &BTreeSet<Subject>,
        lists: &[&List],
        keys: &Keys,
    ) -> Vec<NotWatched> {
        let mut wanted: BTreeSet<(Box<str>, Subject)> = BTreeSet::new();
        for list in lists {
            let is_keyless = list.zone(keys).is_none();
            for subject in subjects.iter().filter(|subject| subject.is_of(list)) {
                let key = (Box::from(&*list.id), subject.clone());
                let cell = self.cells.entry(key.clone()).or_insert_with(|| Cell::new(now));
                if is_keyless {
                    (cell.hearing, cell.next) = (Hearing::Keyless, Instant::MAX);
                } else if cell.hearing == Hearing::Keyless {
                    (cell.hearing, cell.next) = (Hearing::Well, now);
                }
                wanted.insert(key);
            }
        }
        let gone: Vec<(Box<str>, Subject)> =
            self.cells.keys().filter(|key| !wanted.contains(*key)).cloned().collect();
        let forget = |key: (Box<str>, Subject)| {
            let cell = self.cells.remove(&key)?;
            let (list, subject) = key;
            Some(NotWatched { list, subject, listed: cell.listed().cloned() })
        };
        gone.into_iter().filter_map(forget).collect()
    }

    /// What is to be asked by this moment, list by list.
    pub fn due(&self, now: Instant) -> Vec<Due> {
        self.gathered(|cell| cell.next <= now)
    }

    /// Everything that can be asked, list by list, whether or not it is due.
    pub fn everything(&self) -> Vec<Due> {
        self.gathered(|_| true)
    }

    fn gathered(&self, wanted: impl Fn(&Cell) -> bool) -> Vec<Due> {
        let mut due: BTreeMap<&str, Vec<(Instant, &Subject)>> = BTreeMap::new();
        for ((list, subject), cell) in &self.cells {
            if cell.hearing != Hearing::Keyless && wanted(cell) {
                due.entry(list).or_default().push((cell.next, subject));
            }
        }
        let one = |(list, mut subjects): (&str, Vec<(Instant, &Subject)>)| {
            subjects.sort_unstable();
            let subjects = subjects.into_iter().map(|(_, subject)| subject.clone()).collect();
            Due { list: list.into(), subjects }
        };
        due.into_iter().map(one).collect()
    }

    /// When something is due next; none where nothing is watched.
    pub fn next(&self) -> Option<Instant> {
        self.cells.values().map(|cell| cell.next).min().filter(|next| *next < Instant::MAX)
    }

    /// Hears what a list says of a subject. One that is watched no more is passed over.
    pub fn hear(
        &mut self,
        now: Instant,
        (list, subject): (&str, &Subject),
        reading: &Reading,
        rhythm: &Rhythm,
    ) -> Option<Turn> {
        let weight = Lists::built_in().named(list)?.weight;
        // All subjects of a list that are asked together are asked together the next time, too:
        // its own tests are asked once for all.
        let chance = chance(self.seed, list, now);
        let cell = self.cells.get_mut(&(list.into(), subject.clone()))?;
        cell.hear(now, reading, (rhythm, weight), chance)
    }

    /// One cell.
    pub fn cell(&self, list: &str, subject: &Subject) -> Option<&Cell> {
        self.cells.get(&(list.into(), subject.clone()))
    }

    /// All cells, list by list.
    pub fn cells(&self) -> impl Iterator<Item = (&str, &Subject, &Cell)> {
        self.cells.iter().map(|((list, subject), cell)| (&**list, subject, cell))
    }
}

#[cfg(test)]
mod tests;
