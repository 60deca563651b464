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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_printed_to_the_millisecond_in_utc() {
        assert_eq!(timestamp(Instant(1_795_239_545_123_999)).0, "2026-11-21T05:39:05.123Z");
        assert_eq!(timestamp(Instant(0)).0, "1970-01-01T00:00:00.000Z");
    }
}
