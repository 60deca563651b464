//! What a sealed file's name says: when its entries happened and in which places they stand.
//!
//! `2026-11-21T14-00-00_<first at>_<last at>_<first seq>_<last seq>_<entries>.parquet`, numbers in
//! hexadecimal. The day stands in front for people and for `read_parquet('…/2026-11-21*')`; the
//! rest lets the ledger open without reading a thousand files.

use postlane_mail::Instant;

use crate::position::Seq;

/// What a sealed file's name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Name {
    /// When its first entry happened.
    pub(crate) first_at: Instant,
    /// When its last entry happened.
    pub(crate) last_at: Instant,
    /// The first entry's place in the order of writing.
    pub(crate) first: Seq,
    /// The last one's.
    pub(crate) last: Seq,
    /// How many entries.
    pub(crate) entries: u64,
}

impl Name {
    /// Reads a file's name; nothing when it is not one of ours.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let mut pieces = name.strip_suffix(".parquet")?.split('_');
        let day = pieces.next()?;
        let mut number = || u64::from_str_radix(pieces.next()?, 16).ok();
        let (first_at, last_at) = (Instant(number()?), Instant(number()?));
        let (first, last, entries) = (Seq(number()?), Seq(number()?), number()?);
        let name = Self { first_at, last_at, first, last, entries };
        let is_sound = first_at <= last_at && first <= last && entries > 0 && day.len() == 19;
        (is_sound && name.file() == *name_of(day, name)).then_some(name)
    }

    /// The file's name.
    pub(crate) fn file(&self) -> String {
        name_of(&day(self.first_at), *self)
    }

    /// Whether `seq` lies between the first and the last place.
    pub(crate) fn has(&self, seq: Seq) -> bool {
        self.first <= seq && seq <= self.last
    }
}

fn name_of(day: &str, name: Name) -> String {
    let Name { first_at, last_at, first, last, entries } = name;
    format!("{day}_{:x}_{:x}_{:x}_{:x}_{entries:x}.parquet", first_at.0, last_at.0, first.0, last.0)
}

/// A moment as `2026-11-21T14-00-00`, in UTC.
pub(crate) fn day(at: Instant) -> String {
    let s = at.unix_s();
    let (days, of_day) = (s / 86_400, s % 86_400);
    // Days to a date in the proleptic Gregorian calendar, by eras of 400 years that begin in March.
    let z = days + 719_468;
    let (era, of_era) = (z / 146_097, z % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let date = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (h, min, s) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{date:02}T{h:02}-{min:02}-{s:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_as_a_date() {
        for (s, text) in [
            (0, "1970-01-01T00-00-00"),
            (951_782_400, "2000-02-29T00-00-00"),
            (1_763_700_000, "2025-11-21T04-40-00"),
            (4_107_542_399, "2100-02-28T23-59-59"),
        ] {
            assert_eq!(day(Instant::from_unix_s(s)), text);
        }
    }

    #[test]
    fn a_name_is_read_back_and_another_programs_is_not() {
        let name = Name {
            first_at: Instant::from_unix_s(1_763_700_000),
            last_at: Instant::from_unix_s(1_763_700_600),
            first: Seq(1_763_700_000_000_001),
            last: Seq(1_763_700_600_000_009),
            entries: 28_000,
        };
        assert_eq!(Name::parse(&name.file()), Some(name));
        for other in
            ["", "events.parquet", "2025-11-21T04-40-00_1_2_3_4_5.txt", "x_1_2_3_4_5.parquet"]
        {
            assert_eq!(Name::parse(other), None, "{other}");
        }
    }
}
