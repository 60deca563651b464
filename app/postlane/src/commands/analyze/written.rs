//! Times and shares as the JSON of an analysis has them.

use jiff::Timestamp;
use postlane_mail::Instant;

/// A time as RFC 3339 has it, in whole seconds.
pub(super) fn time(at: Instant) -> String {
    let seconds = i64::try_from(at.unix_s()).unwrap_or_default();
    Timestamp::from_second(seconds).map_or_else(|_| String::new(), |stamp| stamp.to_string())
}

/// The same of a moment in seconds since 1970.
pub(super) fn time_s(at_s: u32) -> String {
    time(Instant::from_unix_s(u64::from(at_s)))
}

/// Three digits behind the point.
pub(super) fn rounded(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}
