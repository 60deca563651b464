//! Moments as mail and logs write them.
//!
//! Both forms are in UTC: a relay's own clock has no home. Mail writes `+0000`, since `-0000`
//! would say that the local time is unknown (RFC 5322 §3.3).

use std::fmt;

use jiff::civil::{DateTime, Weekday};
use jiff::fmt::rfc2822::DateTimeParser;
use jiff::tz::Offset;
use postlane_mail::Instant;

/// A moment as a header field has it: `Sat, 21 Nov 2026 05:39:05 +0000` (RFC 5322 §3.3).
///
/// The day has two digits always; a moment beyond the year 9999 is written as its end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct MailDate([u8; 31]);

/// A moment as logs and JSON have it: `2026-11-21T05:39:05.123Z` (RFC 3339 §5.6).
///
/// Milliseconds always, rounded down, so that the text sorts as the time does; a moment
/// beyond the year 9999 is written as its end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct LogDate([u8; 24]);

/// Microseconds of 9999-12-30T22:00:00Z, the last moment that the calendar takes.
const MOMENT_MAX: u64 = 253_402_207_200_000_000;

impl MailDate {
    /// The text for a moment.
    pub fn of(at: Instant) -> Self {
        let date = civil(at);
        let mut text = *b"Day, 00 Mon 0000 00:00:00 +0000";
        text[..3].copy_from_slice(day_name(date.weekday()));
        put(&mut text[5..7], number(date.day()));
        text[8..11].copy_from_slice(month_name(date.month()));
        put(&mut text[12..16], u64::try_from(date.year()).unwrap_or_default());
        put(&mut text[17..19], number(date.hour()));
        put(&mut text[20..22], number(date.minute()));
        put(&mut text[23..25], number(date.second()));
        Self(text)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Reads a date as other programs write it: obsolete zones, two-digit years and comments
    /// (RFC 5322 §4.3) too; a wrong day of the week is no matter. None if it is no date, or
    /// before 1970.
    pub fn parse(text: &str) -> Option<Instant> {
        const PARSER: DateTimeParser = DateTimeParser::new().relaxed_weekday(true);
        // jiff takes no trailing comment with folding in it, and dates are short.
        let text = text.get(..text.len().min(128))?.trim();
        let timestamp = PARSER.parse_timestamp(text).ok()?;
        u64::try_from(timestamp.as_microsecond()).ok().map(Instant)
    }
}

/// A date as programs write it: a day, which begins in UTC, a moment by RFC 3339, or as in `Date`.
pub(crate) fn plain_date(text: &str) -> Option<Instant> {
    let text = text.get(..text.len().min(128))?.trim();
    let day = || {
        let day: jiff::civil::Date =
            text.parse().ok().filter(|_| text.len() == "2026-05-31".len())?;
        Some(day.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
    };
    match day().or_else(|| text.parse::<jiff::Timestamp>().ok()) {
        Some(at) => u64::try_from(at.as_microsecond()).ok().map(Instant),
        None => MailDate::parse(text),
    }
}

impl LogDate {
    /// The text for a moment.
    pub fn of(at: Instant) -> Self {
        let date = civil(at);
        let mut text = *b"0000-00-00T00:00:00.000Z";
        put(&mut text[..4], u64::try_from(date.year()).unwrap_or_default());
        put(&mut text[5..7], number(date.month()));
        put(&mut text[8..10], number(date.day()));
        put(&mut text[11..13], number(date.hour()));
        put(&mut text[14..16], number(date.minute()));
        put(&mut text[17..19], number(date.second()));
        put(&mut text[20..23], u64::try_from(date.millisecond()).unwrap_or_default());
        Self(text)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Reads a day, `2026-12-01`, which begins at midnight UTC, or a moment of RFC 3339,
    /// `2026-12-01T08:30:00Z`. None if it is neither, or before 1970.
    pub fn parse(text: &str) -> Option<Instant> {
        let text = text.get(..text.len().min(64))?;
        let timestamp = match text.parse::<jiff::Timestamp>() {
            Ok(timestamp) => timestamp,
            Err(_) if text.len() == 10 => {
                let day: jiff::civil::Date = text.parse().ok()?;
                Offset::UTC.to_timestamp(day.at(0, 0, 0, 0)).ok()?
            }
            Err(_) => return None,
        };
        u64::try_from(timestamp.as_microsecond()).ok().map(Instant)
    }
}

fn civil(at: Instant) -> DateTime {
    let microsecond = i64::try_from(at.0.min(MOMENT_MAX)).unwrap_or_default();
    Offset::UTC.to_datetime(jiff::Timestamp::from_microsecond(microsecond).unwrap_or_default())
}

/// Calendar parts are never negative here: the time line begins in 1970.
fn number(part: i8) -> u64 {
    u64::from(part.unsigned_abs())
}

/// The last digits of `n`, as many as there is room for.
fn put(room: &mut [u8], mut n: u64) {
    for digit in room.iter_mut().rev() {
        *digit = b'0' + (n % 10) as u8;
        n /= 10;
    }
}

fn day_name(day: Weekday) -> &'static [u8; 3] {
    match day {
        Weekday::Monday => b"Mon",
        Weekday::Tuesday => b"Tue",
        Weekday::Wednesday => b"Wed",
        Weekday::Thursday => b"Thu",
        Weekday::Friday => b"Fri",
        Weekday::Saturday => b"Sat",
        Weekday::Sunday => b"Sun",
    }
}

fn month_name(month: i8) -> &'static [u8; 3] {
    const NAMES: [&[u8; 3]; 12] = [
        b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov",
        b"Dec",
    ];
    let nth = usize::from(month.unsigned_abs()).saturating_sub(1);
    NAMES.get(nth).copied().unwrap_or(b"Dec")
}

impl fmt::Display for MailDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for MailDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for LogDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for LogDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_plain_date_is_a_day_a_moment_or_as_in_date() {
        let day = plain_date("2026-05-31").unwrap();
        assert_eq!(plain_date(" 2026-05-31T00:00:00Z "), Some(day));
        assert_eq!(plain_date("2026-05-31T02:00:00+02:00"), Some(day));
        assert_eq!(plain_date("Sun, 31 May 2026 00:00:00 +0000"), Some(day));
        for text in ["", "2026-13-01", "yesterday", "1969-12-31", "20260531"] {
            assert_eq!(plain_date(text), None, "{text}");
        }
    }

    #[test]
    fn a_moment_is_written_as_mail_and_as_logs_have_it() {
        let at = Instant(1_795_239_545_123_999);
        assert_eq!(MailDate::of(at).as_str(), "Sat, 21 Nov 2026 05:39:05 +0000");
        assert_eq!(LogDate::of(at).as_str(), "2026-11-21T05:39:05.123Z");
        assert_eq!(MailDate::of(Instant(0)).as_str(), "Thu, 01 Jan 1970 00:00:00 +0000");
        let leap = Instant::from_unix_s(1_709_164_800);
        assert_eq!(MailDate::of(leap).as_str(), "Thu, 29 Feb 2024 00:00:00 +0000");
    }

    #[test]
    fn the_far_end_of_the_time_line_is_written_and_not_a_panic() {
        assert_eq!(MailDate::of(Instant::MAX).as_str(), "Thu, 30 Dec 9999 22:00:00 +0000");
        assert_eq!(LogDate::of(Instant::MAX).as_str(), "9999-12-30T22:00:00.000Z");
    }

    #[test]
    fn dates_are_read_as_others_write_them() {
        let at = Some(Instant::from_unix_s(1_795_239_545));
        for text in [
            "Sat, 21 Nov 2026 05:39:05 +0000",
            "Sat, 21 Nov 2026 06:39:05 +0100",
            "21 Nov 2026 05:39:05 GMT",
            "Fri, 21 Nov 2026 05:39:05 +0000",
            "Sat, 21 Nov 2026 05:39:05 -0000 (UTC)",
            " Sat, 21 Nov 2026 00:39:05 EST ",
        ] {
            assert_eq!(MailDate::parse(text), at, "{text}");
        }
        for text in ["", "today", "Sat, 32 Nov 2026 05:39:05 +0000", "1 Jan 1960 00:00:00 GMT"] {
            assert_eq!(MailDate::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back_to_the_second(micros in 0..MOMENT_MAX) {
            let at = Instant(micros);
            let read = MailDate::parse(MailDate::of(at).as_str());
            prop_assert_eq!(read, Some(Instant::from_unix_s(at.unix_s())));
        }
    }

    #[test]
    fn a_day_begins_at_midnight_and_a_moment_is_one() {
        let day = LogDate::parse("2026-12-01").unwrap();
        assert_eq!(LogDate::of(day).as_str(), "2026-12-01T00:00:00.000Z");
        assert_eq!(LogDate::parse("2026-12-01T01:00:00+01:00"), Some(day));
        for wrong in ["", "2026-13-01", "2026-12-1", "1969-12-31", "tomorrow", "20261201"] {
            assert_eq!(LogDate::parse(wrong), None, "{wrong}");
        }
    }
}
