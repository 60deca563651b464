//! When a line was written: RFC 3164, RFC 3339 and their kin.
//!
//! RFC 3164 writes neither year nor zone. The year of a file's first line is told by whoever
//! opens it, and goes on where December turns into January; a clock without a zone is taken as
//! it stands.

use postlane_mail::Instant;

/// Seconds in a day.
const DAY_S: i64 = 86_400;

/// The clock of a log: the year its next line is of, and the last minute that was read.
#[derive(Debug, Clone)]
pub(crate) struct Clock {
    year: i32,
    month: u32,
    /// The text up to the minute, and when that minute began, in seconds since 1970.
    minute: ([u8; 16], i64),
}

impl Clock {
    /// A clock whose first line is of this year.
    pub(crate) fn new(year: i32) -> Self {
        Self { year, month: 0, minute: ([0; 16], 0) }
    }

    /// The year the next line is of, as far as is known.
    pub(crate) fn year(&self) -> i32 {
        self.year
    }

    /// The moment at the beginning of a line, and where the rest begins, behind one blank.
    pub(crate) fn read(&mut self, line: &[u8]) -> Option<(Instant, usize)> {
        match line.first()? {
            b'0'..=b'9' => self.numeric(line, 0),
            // `Sat 2026-11-21 07:30:01 UTC`, as `journalctl -o short-full` writes it.
            _ if line.get(3) == Some(&b' ')
                && line.get(4).is_some_and(u8::is_ascii_digit)
                && line.get(8) == Some(&b'-') =>
            {
                let (at, end) = self.numeric(line, 4)?;
                let zone = memchr::memchr(b' ', line.get(end..)?)?;
                Some((at, end + zone + 1))
            }
            _ => self.rfc3164(line),
        }
    }

    /// `Nov 21 07:30:01`, with or without a fraction.
    fn rfc3164(&mut self, line: &[u8]) -> Option<(Instant, usize)> {
        let text: &[u8; 16] = line.first_chunk()?;
        let minute = if self.minute.0[..12] == text[..12] && self.minute.0[12] == 1 {
            self.minute.1
        } else {
            let month = month(text.first_chunk()?)?;
            let day = two(text[4], text[5])?;
            let (hour, min) = (two(text[7], text[8])?, two(text[10], text[11])?);
            let is_clock = text[3] == b' ' && text[6] == b' ' && text[9] == b':';
            if !is_clock || !(1..=31).contains(&day) || hour > 23 || min > 59 {
                return None;
            }
            let year = self.year_of(month);
            let begun = days(year, month, day) * DAY_S + i64::from(hour * 3600 + min * 60);
            self.minute.0[..12].copy_from_slice(&text[..12]);
            // Not the text of a line, so that the two forms never meet.
            self.minute.0[12] = 1;
            self.minute.1 = begun;
            begun
        };
        let second = two(text[13], text[14]).filter(|s| *s <= 60)?;
        if text[12] != b':' {
            return None;
        }
        let (micros, end) = fraction(line, 15);
        (line.get(end) == Some(&b' ')).then_some(())?;
        Some((moment(minute + i64::from(second), micros)?, end + 1))
    }

    /// The year of a line of this month: the next one where the months begin again. Lines of
    /// several machines may be a little out of order.
    fn year_of(&mut self, month: u32) -> i32 {
        let before = self.month;
        if before != 0 && month >= before + 10 {
            return self.year - 1;
        }
        if before == month + 1 {
            return self.year;
        }
        if month < before {
            self.year += 1;
        }
        self.month = month;
        self.year
    }

    /// `2026-11-21T07:30:01.123456+01:00`, `2026-11-21 07:30:01,123`.
    fn numeric(&mut self, line: &[u8], from: usize) -> Option<(Instant, usize)> {
        let text: &[u8; 19] = line.get(from..)?.first_chunk()?;
        let minute = if self.minute.0 == text[..16] {
            self.minute.1
        } else {
            let year = i32::try_from(two(text[0], text[1])? * 100 + two(text[2], text[3])?).ok()?;
            let (month, day) = (two(text[5], text[6])?, two(text[8], text[9])?);
            let (hour, min) = (two(text[11], text[12])?, two(text[14], text[15])?);
            let is_clock = text[4] == b'-'
                && text[7] == b'-'
                && matches!(text[10], b'T' | b't' | b' ')
                && text[13] == b':';
            let is_date = (1..=12).contains(&month) && (1..=31).contains(&day);
            if !is_clock || !is_date || hour > 23 || min > 59 {
                return None;
            }
            let begun = days(year, month, day) * DAY_S + i64::from(hour * 3600 + min * 60);
            self.minute = (*text.first_chunk()?, begun);
            begun
        };
        let second = two(text[17], text[18]).filter(|s| *s <= 60)?;
        if text[16] != b':' {
            return None;
        }
        let (micros, end) = fraction(line, from + 19);
        let (offset, end) = zone(line, end)?;
        let end = if line.get(end) == Some(&b' ') { end + 1 } else { end };
        Some((moment(minute + i64::from(second) - offset, micros)?, end))
    }
}

/// Microseconds behind a dot or comma, and where they end.
fn fraction(line: &[u8], from: usize) -> (u64, usize) {
    if !matches!(line.get(from), Some(b'.' | b',')) {
        return (0, from);
    }
    let mut end = from + 1;
    let (mut micros, mut scale) = (0, 100_000);
    while let Some(digit @ b'0'..=b'9') = line.get(end) {
        micros += u64::from(digit - b'0') * scale;
        scale /= 10;
        end += 1;
    }
    (micros, end)
}

/// Seconds east of Greenwich, and where the zone ends.
fn zone(line: &[u8], from: usize) -> Option<(i64, usize)> {
    let sign = match line.get(from) {
        Some(b'Z' | b'z') => return Some((0, from + 1)),
        Some(b'+') => 1,
        Some(b'-') => -1,
        // ` -0500` and ` +0100` are Exim's and KumoMTA's.
        Some(b' ') if matches!(line.get(from + 1), Some(b'+' | b'-')) => {
            let is_zone = line.get(from + 2..from + 6)?.iter().all(u8::is_ascii_digit);
            return if is_zone { zone(line, from + 1) } else { Some((0, from)) };
        }
        _ => return Some((0, from)),
    };
    let hours = two(*line.get(from + 1)?, *line.get(from + 2)?)?;
    let colon = usize::from(line.get(from + 3) == Some(&b':'));
    let minutes = two(*line.get(from + 3 + colon)?, *line.get(from + 4 + colon)?)?;
    let east = i64::from(hours * 3600 + minutes * 60);
    Some((sign * east, from + 5 + colon))
}

fn moment(seconds: i64, micros: u64) -> Option<Instant> {
    // Seconds are kept in 32 bits further on.
    let seconds = u32::try_from(seconds).ok()?;
    Some(Instant(u64::from(seconds) * 1_000_000 + micros))
}

/// Two digits, the first of which may be a blank.
fn two(tens: u8, ones: u8) -> Option<u32> {
    let tens = match tens {
        b' ' => 0,
        b'0'..=b'9' => tens - b'0',
        _ => return None,
    };
    ones.is_ascii_digit().then(|| u32::from(tens) * 10 + u32::from(ones - b'0'))
}

fn month(name: &[u8; 3]) -> Option<u32> {
    const NAMES: &[u8; 36] = b"JanFebMarAprMayJunJulAugSepOctNovDec";
    let (names, _) = NAMES.as_chunks::<3>();
    let at = names.iter().position(|known| known == name)?;
    u32::try_from(at + 1).ok()
}

/// Days since 1970-01-01 of a date of the Gregorian calendar.
pub(crate) fn days(year: i32, month: u32, day: u32) -> i64 {
    let year = i64::from(year) - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let from_march = i64::from((month + 9) % 12);
    let of_year = (153 * from_march + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(clock: &mut Clock, line: &str) -> Option<(u64, String)> {
        let (at, rest) = clock.read(line.as_bytes())?;
        Some((at.0, line[rest..].to_owned()))
    }

    #[test]
    fn every_form_says_the_same_moment() {
        // date -u -d '2026-11-21T06:30:01Z' +%s
        let wanted = 1_795_242_601_u64 * 1_000_000;
        for (line, micros) in [
            ("Nov 21 06:30:01 mx x", 0),
            ("Nov 21 06:30:01.250 mx x", 250_000),
            ("2026-11-21T06:30:01Z mx x", 0),
            ("2026-11-21T07:30:01.123456+01:00 mx x", 123_456),
            ("2026-11-21T05:30:01-0100 mx x", 0),
            ("2026-11-21 06:30:01,5 mx x", 500_000),
            ("2026-11-21 07:30:01 +0100 mx x", 0),
            ("Sat 2026-11-21 06:30:01 UTC mx x", 0),
        ] {
            let read = at(&mut Clock::new(2026), line);
            assert_eq!(read, Some((wanted + micros, "mx x".to_owned())), "{line}");
        }
    }

    #[test]
    fn december_is_followed_by_the_next_year() {
        let mut clock = Clock::new(2024);
        let mut year = |line| at(&mut clock, line).map(|(micros, _)| micros / 1_000_000);
        assert_eq!(year("Dec 31 23:59:59 a"), Some(1_735_689_599));
        assert_eq!(year("Jan  1 00:00:00 a"), Some(1_735_689_600));
        // A line of another machine that came late.
        assert_eq!(year("Dec 31 23:59:59 a"), Some(1_735_689_599));
        assert_eq!(year("Jan  1 00:00:02 a"), Some(1_735_689_602));
        assert_eq!(year("Aug  1 00:00:00 a"), Some(1_754_006_400));
        assert_eq!(year("Jan  1 00:00:00 a"), Some(1_767_225_600));
    }

    #[test]
    fn what_is_no_moment_is_none() {
        for line in [
            "",
            "Nov",
            "Nov 32 06:30:01 a",
            "Nix 21 06:30:01 a",
            "Nov 21 24:30:01 a",
            "Nov 21 06:30:01",
            "2026-13-21T06:30:01Z a",
            "2026-11-21T06:30",
            "hello world of mail",
            "1969-11-21T06:30:01Z a",
            "2026-11-21T06:30:01+0",
        ] {
            assert_eq!(at(&mut Clock::new(2026), line), None, "{line}");
        }
    }
}
