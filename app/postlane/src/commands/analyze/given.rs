//! Moments as they are given on the command line.

use jiff::{SignedDuration, Timestamp, civil, tz::TimeZone};
use postlane_mail::Instant;

use crate::exit::Failure;

/// A moment that was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment(Instant);

/// Reads `2026-11-21T06:30:00Z`, `2026-11-21` (its beginning, in UTC) or `24h` (before now).
pub(super) fn moment(text: &str) -> Result<Moment, String> {
    let stamp = text.parse::<Timestamp>().ok().or_else(|| {
        let day = text.parse::<civil::Date>().ok()?;
        Some(day.to_zoned(TimeZone::UTC).ok()?.timestamp())
    });
    let stamp = stamp.or_else(|| {
        let before = text.parse::<SignedDuration>().ok().or_else(|| days(text))?;
        Timestamp::now().checked_sub(before).ok()
    });
    let micros = stamp.and_then(|stamp| u64::try_from(stamp.as_microsecond()).ok());
    micros.map(|micros| Moment(Instant(micros))).ok_or_else(|| {
        "write a time as 2026-11-21T06:30:00Z, a day as 2026-11-21, or a span before now as 24h or \
         7d"
        .to_owned()
    })
}

/// `7d`.
fn days(text: &str) -> Option<SignedDuration> {
    let days: i64 = text.strip_suffix('d')?.parse().ok()?;
    Some(SignedDuration::from_hours(days.checked_mul(24)?))
}

/// From when and before when.
pub(super) fn span(
    since: Option<Moment>,
    until: Option<Moment>,
) -> Result<(Instant, Instant), Failure> {
    let since = since.map_or(Instant(0), |moment| moment.0);
    let until = until.map_or(Instant::MAX, |moment| moment.0);
    if since < until {
        Ok((since, until))
    } else {
        Err(Failure::usage("--until is not after --since: nothing lies between them"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_and_a_day_can_be_given() {
        let at = |text| moment(text).map(|moment| moment.0.unix_s());
        assert_eq!(at("2026-11-21T06:30:01Z"), Ok(1_795_242_601));
        assert_eq!(at("2026-11-21"), Ok(1_795_219_200));
        assert!(at("24h").unwrap() - at("2d").unwrap() >= 86_399);
        assert!(at("yesterday").is_err());
    }

    #[test]
    fn an_end_before_the_beginning_is_a_mistake() {
        let at = |text| moment(text).ok();
        assert!(span(at("2026-11-21"), at("2026-11-20")).is_err());
        assert!(span(None, at("2026-11-20")).is_ok());
    }
}
