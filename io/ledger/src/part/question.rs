//! A filter, asked of columns instead of entries.

use std::ops::Range;

use bytes::Bytes;
use compact_str::{CompactString, ToCompactString};
use postlane_mail::Code;

use crate::field::Field;
use crate::filter::{Filter, TEXT_COLUMNS};
use crate::kind::Try;
use crate::part::catalogue::Part;
use crate::part::cube::CUBE_FIELDS;
use crate::part::name::Name;
use crate::position::Cursor;
use crate::table::{Table, TableError, Texts};
use crate::words::Words;

/// A filter, made ready for asking many parts.
#[derive(Debug)]
pub(crate) struct Question<'a> {
    pub(crate) filter: &'a Filter,
    /// Only entries before this place.
    pub(crate) after: Option<Cursor>,
    /// Text columns and the texts that are wanted of each; those that tell most come first.
    wanted: Vec<(&'static str, Vec<CompactString>)>,
}

/// The rows of a table that fit.
#[derive(Debug)]
pub(crate) struct Matches {
    fits: Vec<bool>,
}

/// Columns of which a part has a Bloom filter.
const FILTERED: [&str; 11] = [
    "id",
    "recipient",
    "message_id",
    "domain",
    "campaign",
    "mx_host",
    "tenant",
    "provider",
    "source",
    "source_ip",
    "label",
];

impl<'a> Question<'a> {
    pub(crate) fn new(filter: &'a Filter, after: Option<Cursor>) -> Self {
        fn all<T: ToCompactString>(of: &[T]) -> Vec<CompactString> {
            of.iter().map(ToCompactString::to_compact_string).collect()
        }
        let mut wanted = vec![
            ("id", all(&filter.ids)),
            ("recipient", filter.recipients.clone()),
            ("message_id", filter.message_ids.clone()),
            ("domain", filter.domains.clone()),
            ("campaign", filter.campaigns.clone()),
            ("mx_host", filter.mx_hosts.clone()),
            ("label", filter.labels.clone()),
            ("tenant", filter.tenants.clone()),
            ("provider", filter.providers.clone()),
            ("source", filter.sources.clone()),
            ("source_ip", all(&filter.source_ips)),
            ("stream", all(&filter.streams)),
            ("kind", all(&filter.kinds)),
        ];
        wanted.retain(|(_, texts)| !texts.is_empty());
        Self { filter, after, wanted }
    }

    /// Whether a part may hold entries that fit, by its name.
    pub(crate) fn reaches(&self, name: &Name) -> bool {
        self.filter.from.is_none_or(|from| name.last_at >= from)
            && self.filter.to.is_none_or(|to| name.first_at < to)
            && self.after.is_none_or(|after| name.first_at <= after.at)
    }

    /// Whether all of a part's entries are in the filter's time.
    fn covers(&self, name: &Name) -> bool {
        self.filter.has_time(name.first_at) && self.filter.has_time(name.last_at)
    }

    /// Whether a part's counts answer how often `fields` have which values.
    pub(crate) fn is_counted(&self, name: &Name, fields: &[Field]) -> bool {
        self.covers(name)
            && self.filter.text.is_none()
            && fields.iter().all(|field| CUBE_FIELDS.contains(field))
            && self.wanted.iter().all(|(column, _)| is_cube_column(column))
    }

    /// Whether a part's counts can tell that nothing in it fits.
    fn is_told_by_counts(&self) -> bool {
        !self.filter.codes.is_empty()
            || self.filter.tries.is_some()
            || self.wanted.iter().any(|(column, _)| is_cube_column(column))
    }

    /// A part's entries and which of them fit; nothing when it is told without reading them that
    /// none does.
    pub(crate) fn ask(&self, part: &Part) -> Result<Option<(Table, Matches)>, TableError> {
        let places = self.places(part)?;
        if self.filter.text.is_some() && places.is_empty() {
            return Ok(None);
        }
        let events = part.events()?;
        if !self.may_fit(&events)? {
            return Ok(None);
        }
        if self.is_told_by_counts() && !self.ask_counts(&part.counts()?)?.any() {
            return Ok(None);
        }
        let matches = self.ask_events(&part.name, &events, &places)?;
        Ok(Some((events, matches)))
    }

    /// The columns in which the words that are looked for may stand.
    fn places(&self, part: &Part) -> Result<Vec<&'static str>, TableError> {
        let Some(words) = &self.filter.text else { return Ok(Vec::new()) };
        let trigrams = part.trigrams()?;
        let may_have =
            |column: &&str| trigrams.as_ref().is_none_or(|of| of.may_have(column, words));
        Ok(TEXT_COLUMNS.into_iter().filter(may_have).collect())
    }

    /// Whether a part's Bloom filters leave room for an entry that fits.
    fn may_fit(&self, events: &Table) -> Result<bool, TableError> {
        for (column, texts) in &self.wanted {
            if !FILTERED.contains(column) {
                continue;
            }
            let mut may_have = texts.iter().any(|text| text.is_empty());
            for text in texts {
                may_have = may_have || events.may_have(column, text)?;
            }
            if !may_have {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The rows of a part's counts that fit, as far as counts can tell.
    pub(crate) fn ask_counts(&self, counts: &Table) -> Result<Matches, TableError> {
        let mut matches = Matches { fits: vec![true; counts.rows()] };
        for (column, texts) in self.wanted.iter().filter(|(column, _)| is_cube_column(column)) {
            let found = counts.texts(column, |page| matches.is_any(page))?;
            matches.keep_words(&found, |word| texts.iter().any(|text| text == word));
        }
        if !self.filter.codes.is_empty() {
            let found = counts.texts("code", |page| matches.is_any(page))?;
            matches.keep_words(&found, |word| self.has_code(word.parse().ok()));
        }
        if let Some(tried) = self.filter.tries {
            let found = counts.texts("try", |page| matches.is_any(page))?;
            matches.keep_words(&found, |word| word == tried.as_str());
        }
        Ok(matches)
    }

    /// The rows of a part's entries that fit; words may stand in the columns `places`.
    fn ask_events(
        &self,
        name: &Name,
        events: &Table,
        places: &[&str],
    ) -> Result<Matches, TableError> {
        let mut matches = Matches { fits: vec![true; events.rows()] };
        for (column, texts) in &self.wanted {
            let found = events.texts(column, |page| matches.is_any(page))?;
            matches.keep_words(&found, |word| texts.iter().any(|text| text == word));
        }
        if !self.filter.codes.is_empty() {
            let found = events.numbers("code", |page| matches.is_any(page))?;
            matches.keep(|row| self.has_code(found.rows[row]));
        }
        if let Some(tried) = self.filter.tries {
            let found = events.numbers("attempt", |page| matches.is_any(page))?;
            matches.keep(|row| try_of(found.rows[row]) == Some(tried));
        }
        if !self.covers(name) || self.after.is_some_and(|after| name.last_at >= after.at) {
            self.keep_time(events, &mut matches)?;
        }
        if let Some(words) = &self.filter.text {
            keep_text(events, words, places, &mut matches)?;
        }
        Ok(matches)
    }

    fn keep_time(&self, events: &Table, matches: &mut Matches) -> Result<(), TableError> {
        let at = events.numbers("ts", |page| matches.is_any(page))?;
        let seq = events.numbers("seq", |page| matches.is_any(page))?;
        matches.keep(|row| {
            let (Some(at), Some(seq)) = (at.rows[row], seq.rows[row]) else { return false };
            let place = Cursor { at: postlane_mail::Instant(at), seq: crate::position::Seq(seq) };
            self.filter.has_time(place.at) && self.after.is_none_or(|after| place < after)
        });
        Ok(())
    }

    fn has_code(&self, code: Option<u64>) -> bool {
        let code = code.and_then(|code| u16::try_from(code).ok()).and_then(Code::new);
        code.is_some_and(|code| self.filter.codes.iter().any(|codes| codes.has(code)))
    }
}

impl Matches {
    /// Whether any row fits.
    pub(crate) fn any(&self) -> bool {
        self.fits.contains(&true)
    }

    /// Whether any row of a page fits.
    pub(crate) fn is_any(&self, page: Range<usize>) -> bool {
        self.fits.get(page).is_some_and(|fits| fits.contains(&true))
    }

    /// The rows that fit, in order.
    pub(crate) fn rows(&self) -> impl DoubleEndedIterator<Item = usize> {
        self.fits.iter().enumerate().filter(|(_, fits)| **fits).map(|(row, _)| row)
    }

    /// Keeps the rows whose word fits; every word is looked at once.
    fn keep_words(&mut self, texts: &Texts, fits: impl Fn(&str) -> bool) {
        let words: Vec<bool> =
            (0..texts.words.len()).map(|word| fits(texts.word(word as u32))).collect();
        let none = fits("");
        for (row, word) in self.fits.iter_mut().zip(&texts.rows) {
            *row &= words.get(*word as usize).copied().unwrap_or(none);
        }
    }

    fn keep(&mut self, fits: impl Fn(usize) -> bool) {
        for row in 0..self.fits.len() {
            if self.fits[row] {
                self.fits[row] = fits(row);
            }
        }
    }
}

/// Keeps the rows in which `words` stand in any of the columns `places`.
fn keep_text(
    events: &Table,
    words: &str,
    places: &[&str],
    matches: &mut Matches,
) -> Result<(), TableError> {
    let mut found = vec![false; matches.fits.len()];
    let words = Words::new(words);
    for column in places {
        let has = events.words(column, words, |page| matches.is_any(page))?;
        for (row, has) in found.iter_mut().zip(has) {
            *row |= has;
        }
    }
    matches.keep(|row| found[row]);
    Ok(())
}

/// What a field says in each row of a part's entries.
pub(crate) fn field_of(
    events: &Table,
    field: Field,
    is_wanted: impl Fn(Range<usize>) -> bool,
) -> Result<Texts, TableError> {
    match field {
        Field::Try => {
            let attempts = events.numbers("attempt", is_wanted)?;
            let words = Try::ALL.map(|tried| Bytes::from_static(tried.as_str().as_bytes()));
            let word = |attempt| try_of(attempt).map_or(Texts::NONE, |tried| tried as u32);
            Ok(Texts { words: words.to_vec(), rows: attempts.rows.into_iter().map(word).collect() })
        }
        Field::Code => {
            let codes = events.numbers("code", is_wanted)?;
            let words = (0..600).map(|code: u32| Bytes::from(code.to_string())).collect();
            let word = |code: Option<u64>| code.map_or(Texts::NONE, |code| code.min(599) as u32);
            Ok(Texts { words, rows: codes.rows.into_iter().map(word).collect() })
        }
        _ => events.texts(field.as_str(), is_wanted),
    }
}

fn try_of(attempt: Option<u64>) -> Option<Try> {
    attempt.map(|n| if n <= 1 { Try::Fresh } else { Try::Retry })
}

fn is_cube_column(column: &str) -> bool {
    CUBE_FIELDS.iter().any(|field| field.as_str() == column)
}
