//! The date of a message (RFC 5322 §3.3), and every obsolete form of it (§4.3).

use jiff::civil::Date;

use super::scan::Scan;

/// A date as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailDate {
    /// Seconds since 1970, in UTC; before it below 0.
    pub unix_s: i64,
    /// Day, month and year as written, the year whole.
    pub day: (u8, u8, u16),
    /// Hour, minute and second as written.
    pub time: (u8, u8, u8),
    /// The zone.
    pub zone: Zone,
    /// Whether the day of the week is that of the day; none if it is not said.
    pub weekday_fits: Option<bool>,
    /// In which ways it is not as §3.3 has it today; empty if it is.
    pub obsolete: Vec<Obsolete>,
}

/// Where the clock stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Zone {
    /// So many minutes east of UTC, written as four digits.
    Digits {
        /// East is above 0.
        minutes: i16,
        /// The digits, hours and minutes, without the sign.
        written: u16,
    },
    /// `-0000`: in UTC, and where is not said.
    Unknown,
    /// By a name (§4.3).
    Named {
        /// East is above 0; 0 for names that nobody knows.
        minutes: i16,
    },
    /// None at all.
    Missing,
}

/// A way in which a date is out of use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Obsolete {
    /// A year of two or three digits.
    ShortYear,
    /// A zone with a name.
    NamedZone,
    /// A comment before its end.
    Comment,
    /// Blanks around the colons, or where none belong.
    Blanks,
    /// The month in digits; no grammar has that, some programs do.
    DigitMonth,
    /// No zone; no grammar has that.
    NoZone,
}

/// Why it is no date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DateFault {
    /// A comment does not end.
    #[error("a comment does not end")]
    Comment,
    /// The day is missing or is none.
    #[error("there is no day of the month")]
    Day,
    /// The month is none.
    #[error("there is no month: Jan, Feb, Mar…")]
    Month,
    /// The year is none.
    #[error("there is no year, or one before 1900")]
    Year,
    /// The time is none.
    #[error("there is no time: hours, minutes and, if you like, seconds")]
    Time,
    /// The zone is none.
    #[error("the zone is neither four digits behind + or - nor a name")]
    Zone,
    /// The month has no such day.
    #[error("the month does not have that day")]
    Calendar,
    /// Something follows.
    #[error("something stands behind the date")]
    Rest,
}

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Zones with names that mean something (§4.3), in hours east.
const ZONES: [(&str, i16); 10] = [
    ("ut", 0),
    ("gmt", 0),
    ("est", -5),
    ("edt", -4),
    ("cst", -6),
    ("cdt", -5),
    ("mst", -7),
    ("mdt", -6),
    ("pst", -8),
    ("pdt", -7),
];

impl MailDate {
    /// Reads the value of a `Date` field.
    pub fn parse(text: &str) -> Result<Self, DateFault> {
        let mut reading = Reading { scan: Scan::new(text), obsolete: Vec::new() };
        reading.skip()?;
        let weekday = reading.weekday()?;
        let day = reading.number(1..=31).ok_or(DateFault::Day)?;
        let month = reading.month()?;
        let year = reading.year()?;
        let time = reading.time()?;
        let before = reading.scan.comments;
        let zone = reading.zone()?;
        if before > 0 {
            reading.note(Obsolete::Comment);
        }
        if !reading.scan.rest().is_empty() {
            return Err(DateFault::Rest);
        }
        let date = civil(day, month, year)?;
        let fits = weekday
            .map(|weekday| usize::try_from(date.weekday().to_monday_zero_offset()) == Ok(weekday));
        let days = date.duration_since(Date::constant(1970, 1, 1)).as_hours() / 24;
        let (hour, minute, second) = time;
        let clock = i64::from(hour) * 3_600 + i64::from(minute) * 60 + i64::from(second);
        let unix_s = days * 86_400 + clock - i64::from(zone.minutes()) * 60;
        reading.obsolete.sort_unstable();
        reading.obsolete.dedup();
        Ok(Self {
            unix_s,
            day: (day, month, year),
            time,
            zone,
            weekday_fits: fits,
            obsolete: reading.obsolete,
        })
    }
}

fn civil(day: u8, month: u8, year: u16) -> Result<Date, DateFault> {
    let year = i16::try_from(year).map_err(|_| DateFault::Year)?;
    let number = |n: u8| i8::try_from(n).map_err(|_| DateFault::Calendar);
    Date::new(year, number(month)?, number(day)?).map_err(|_| DateFault::Calendar)
}

impl Zone {
    /// Minutes east of UTC.
    pub fn minutes(&self) -> i16 {
        match self {
            Self::Digits { minutes, .. } | Self::Named { minutes } => *minutes,
            Self::Unknown | Self::Missing => 0,
        }
    }
}

/// A date while it is read.
struct Reading<'a> {
    scan: Scan<'a>,
    obsolete: Vec<Obsolete>,
}

impl Reading<'_> {
    fn note(&mut self, obsolete: Obsolete) {
        self.obsolete.push(obsolete);
    }

    fn skip(&mut self) -> Result<(), DateFault> {
        self.scan.skip().map(|_| ()).map_err(|_| DateFault::Comment)
    }

    /// A day of the week and its comma, by its number from Monday.
    fn weekday(&mut self) -> Result<Option<usize>, DateFault> {
        let word = self.scan.while_(|c| c.is_ascii_alphabetic()).to_ascii_lowercase();
        if word.is_empty() {
            return Ok(None);
        }
        let found = WEEKDAYS.iter().position(|day| *day == word).ok_or(DateFault::Day)?;
        if self.scan.peek() != Some(',') {
            self.note(Obsolete::Blanks);
        }
        self.skip()?;
        if !self.scan.take(',') {
            return Err(DateFault::Day);
        }
        self.skip()?;
        Ok(Some(found))
    }

    /// A number of one or two digits.
    fn number(&mut self, range: std::ops::RangeInclusive<u8>) -> Option<u8> {
        let digits = self.scan.while_(|c| c.is_ascii_digit());
        let number = digits.parse::<u8>().ok().filter(|_| digits.len() <= 2)?;
        range.contains(&number).then_some(number)
    }

    fn month(&mut self) -> Result<u8, DateFault> {
        self.skip()?;
        if self.scan.peek().is_some_and(|c| c.is_ascii_digit()) {
            self.note(Obsolete::DigitMonth);
            return self.number(1..=12).ok_or(DateFault::Month);
        }
        let word = self.scan.while_(|c| c.is_ascii_alphabetic()).to_ascii_lowercase();
        let found = (1..).zip(MONTHS).find(|(_, month)| *month == word);
        found.map(|(number, _)| number).ok_or(DateFault::Month)
    }

    /// A year; of two digits it is one from 1950 to 2049, of three one from 1900 on (§4.3).
    fn year(&mut self) -> Result<u16, DateFault> {
        self.skip()?;
        let digits = self.scan.while_(|c| c.is_ascii_digit());
        let year: u16 = digits.parse().map_err(|_| DateFault::Year)?;
        let whole = match digits.len() {
            2 if year < 50 => 2_000 + year,
            2 | 3 => 1_900 + year,
            4 => year,
            _ => return Err(DateFault::Year),
        };
        if digits.len() < 4 {
            self.note(Obsolete::ShortYear);
        }
        if whole < 1_900 { Err(DateFault::Year) } else { Ok(whole) }
    }

    fn time(&mut self) -> Result<(u8, u8, u8), DateFault> {
        self.skip()?;
        let hour = self.number(0..=23).ok_or(DateFault::Time)?;
        let minute = self.behind_colon(59)?.ok_or(DateFault::Time)?;
        // A leap second counts as the first of the next minute.
        let second = self.behind_colon(60)?.unwrap_or(0);
        Ok((hour, minute, second))
    }

    fn behind_colon(&mut self, most: u8) -> Result<Option<u8>, DateFault> {
        let before = self.scan.clone();
        self.skip()?;
        let blanks = self.scan.rest().len() != before.rest().len();
        if !self.scan.take(':') {
            self.scan = before;
            return Ok(None);
        }
        let colon = self.scan.rest().len();
        self.skip()?;
        if blanks || self.scan.rest().len() != colon {
            self.note(Obsolete::Blanks);
        }
        self.number(0..=most).map(Some).ok_or(DateFault::Time)
    }

    fn zone(&mut self) -> Result<Zone, DateFault> {
        self.skip()?;
        let zone = match self.scan.peek() {
            None => {
                self.note(Obsolete::NoZone);
                return Ok(Zone::Missing);
            }
            Some(sign @ ('+' | '-')) => {
                self.scan.next();
                self.digits(sign)?
            }
            Some(c) if c.is_ascii_alphabetic() => {
                self.note(Obsolete::NamedZone);
                let name = self.scan.while_(|c| c.is_ascii_alphanumeric()).to_ascii_lowercase();
                let found = ZONES.iter().find(|(zone, _)| name.starts_with(zone));
                Zone::Named { minutes: found.map_or(0, |(_, hours)| hours * 60) }
            }
            Some(_) => return Err(DateFault::Zone),
        };
        self.skip_end()?;
        Ok(zone)
    }

    /// What may stand behind the zone: blanks, and a comment, which is in use (FMT-02).
    fn skip_end(&mut self) -> Result<(), DateFault> {
        let comments = self.scan.comments;
        self.skip()?;
        self.scan.comments = comments;
        Ok(())
    }

    fn digits(&mut self, sign: char) -> Result<Zone, DateFault> {
        let digits = self.scan.while_(|c| c.is_ascii_digit());
        let written = digits.parse::<u16>().ok().filter(|_| digits.len() == 4);
        let written = written.ok_or(DateFault::Zone)?;
        let minutes = i16::try_from(written / 100 * 60 + written % 100);
        let minutes = minutes.map_err(|_| DateFault::Zone)?;
        Ok(match (sign, written) {
            ('-', 0) => Zone::Unknown,
            ('-', _) => Zone::Digits { minutes: -minutes, written },
            _ => Zone::Digits { minutes, written },
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> MailDate {
        MailDate::parse(text).unwrap()
    }

    #[test]
    fn a_date_as_it_should_be_has_nothing_obsolete() {
        for text in [
            "Mon, 09 May 2022 17:34:53 +0000",
            "9 May 2022 17:34 +0000",
            "Thu,\r\n\t13 Feb 1969 23:32:54 -0330 (Newfoundland Time)",
        ] {
            assert_eq!(read(text).obsolete, [], "{text}");
        }
        let date = read("Mon, 09 May 2022 17:34:53 +0200");
        assert_eq!((date.unix_s, date.weekday_fits), (1_652_110_493, Some(true)));
        assert_eq!(read("Tue, 09 May 2022 17:34:53 +0200").weekday_fits, Some(false));
    }

    #[test]
    fn every_obsolete_form_is_read_and_named() {
        use Obsolete::{Blanks, Comment, DigitMonth, NamedZone, NoZone, ShortYear};
        assert_eq!(read("21 Nov 97 09:55:06 GMT").obsolete, [ShortYear, NamedZone]);
        assert_eq!(read("1 Jul 2003 (a (b)) 10:52:37 +0200").obsolete, [Comment]);
        assert_eq!(read("Fri, 21 Nov 1997 09 : 55 : 06 -0600").obsolete, [Blanks]);
        assert_eq!(read("20 11 1979 05:34:27 -0300").obsolete, [DigitMonth]);
        assert_eq!(read("20 Nov 1979 05:34:27").obsolete, [NoZone]);
        assert_eq!(
            read("21 Nov 1997 09:55:06 EST").unix_s,
            read("21 Nov 1997 14:55:06 +0000").unix_s
        );
        assert_eq!(read("21 Nov 1997 09:55:06 -0000").zone, Zone::Unknown);
        assert_eq!(read("21 Nov 149 09:55:06 A").day.2, 2049);
    }

    #[test]
    fn what_is_no_date_says_where_it_breaks() {
        let parse = |text| MailDate::parse(text).unwrap_err();
        assert_eq!(parse(""), DateFault::Day);
        assert_eq!(parse("yesterday"), DateFault::Day);
        assert_eq!(parse("Fri, 32 Nov 1997 09:55:06 -0600"), DateFault::Day);
        assert_eq!(parse("Fri, 31 Nov 1997 09:55:06 -0600"), DateFault::Calendar);
        assert_eq!(parse("Fri, 21 Now 1997 09:55:06 -0600"), DateFault::Month);
        assert_eq!(parse("Fri, 21 Nov 19997 09:55:06 -0600"), DateFault::Year);
        assert_eq!(parse("Fri, 21 Nov 1997 25:55:06 -0600"), DateFault::Time);
        assert_eq!(parse("Fri, 21 Nov 1997 09:55:06 -06"), DateFault::Zone);
        assert_eq!(parse("Fri, 21 Nov 1997 09:55:06 -0600 x"), DateFault::Rest);
        assert_eq!(parse("Fri, 21 Nov 1997 (09:55:06 -0600"), DateFault::Comment);
    }

    proptest! {
        #[test]
        fn any_text_is_a_date_or_none(text in "[ -~\r\n]{0,60}|[A-Za-z0-9 :,()+-]{0,60}") {
            let _ = MailDate::parse(&text);
        }

        #[test]
        fn what_is_written_is_read_back(unix_s in 0_i64..4_000_000_000, minutes in -720_i16..=840) {
            let local = unix_s + i64::from(minutes) * 60;
            prop_assume!(local >= 0);
            let at = jiff::Timestamp::from_second(local).unwrap().to_zoned(jiff::tz::TimeZone::UTC);
            let sign = if minutes < 0 { '-' } else { '+' };
            let zone = minutes.abs() / 60 * 100 + minutes.abs() % 60;
            let text = format!("{} {sign}{zone:04}", at.strftime("%a, %d %b %Y %H:%M:%S"));
            let date = MailDate::parse(&text).unwrap();
            prop_assert_eq!((date.unix_s, date.weekday_fits), (unix_s, Some(true)));
        }
    }
}
