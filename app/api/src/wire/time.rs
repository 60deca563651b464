//! Moments in JSON: RFC 3339, UTC, to the millisecond.

use postlane_mail::Instant;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A moment, `2026-11-21T05:39:05.123Z`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct Timestamp(pub String);

/// A moment as JSON has it.
pub fn timestamp(at: Instant) -> Timestamp {
    let ms = i64::try_from(at.unix_ms()).unwrap_or(i64::MAX);
    let at = jiff::Timestamp::from_millisecond(ms).unwrap_or(jiff::Timestamp::MAX);
    Timestamp(format!("{at:.3}"))
}

/// The moment that a text says, to the microsecond; not before 1970.
pub(crate) fn moment(text: &Timestamp) -> Result<Instant, &'static str> {
    let read = text.0.parse::<jiff::Timestamp>().ok();
    let us = read.and_then(|at| u64::try_from(at.as_microsecond()).ok());
    us.map(Instant).ok_or("it is no moment; write it as 2026-11-21T05:39:05Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_printed_to_the_millisecond_in_utc() {
        assert_eq!(timestamp(Instant(1_795_239_545_123_999)).0, "2026-11-21T05:39:05.123Z");
        assert_eq!(timestamp(Instant(0)).0, "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn a_moment_is_read_in_any_zone() {
        let read = |text: &str| moment(&Timestamp(text.to_owned()));
        assert_eq!(read("2026-11-21T05:39:05.123Z"), Ok(Instant(1_795_239_545_123_000)));
        assert_eq!(read("2026-11-21T06:39:05.123+01:00"), read("2026-11-21T05:39:05.123Z"));
        for wrong in ["", "soon", "2026-11-21", "1969-12-31T23:59:59Z"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
