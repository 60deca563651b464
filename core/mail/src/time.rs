//! Time as the core knows it: numbers handed in from outside.
//!
//! There is one time line, microseconds since the Unix epoch, for pacing and for what is
//! written to disk alike. The server anchors it to the wall clock once at start and then
//! follows the monotonic clock, so that it never runs backwards; the rehearsal makes it up.

use std::fmt;
use std::ops::{Add, Sub};

/// A moment, in microseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Instant(pub u64);

/// A length of time, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span(pub u64);

impl Instant {
    /// The far end of the time line: later than anything that is waited for.
    pub const MAX: Self = Self(u64::MAX);

    /// The moment that many whole seconds after the epoch.
    pub const fn from_unix_s(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn unix_s(self) -> u64 {
        self.0 / 1_000_000
    }

    /// Whole milliseconds since the epoch, rounded down.
    pub const fn unix_ms(self) -> u64 {
        self.0 / 1_000
    }

    /// How long ago `earlier` was; zero if it lies ahead.
    pub const fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// That many milliseconds.
    pub const fn from_ms(ms: u64) -> Self {
        Self(ms.saturating_mul(1_000))
    }

    /// That many seconds.
    pub const fn from_s(s: u64) -> Self {
        Self(s.saturating_mul(1_000_000))
    }

    /// That many minutes.
    pub const fn from_min(min: u64) -> Self {
        Self::from_s(min.saturating_mul(60))
    }

    /// That many hours.
    pub const fn from_h(h: u64) -> Self {
        Self::from_min(h.saturating_mul(60))
    }

    /// Whole seconds, rounded down.
    pub const fn as_s(self) -> u64 {
        self.0 / 1_000_000
    }

    /// Whole milliseconds, rounded down.
    pub const fn as_ms(self) -> u64 {
        self.0 / 1_000
    }

    /// The span `n` times over, as far as the number reaches.
    pub const fn times(self, n: u64) -> Self {
        Self(self.0.saturating_mul(n))
    }

    /// The span as the standard library writes it, for timers.
    pub const fn to_std(self) -> std::time::Duration {
        std::time::Duration::from_micros(self.0)
    }
}

impl Add<Span> for Instant {
    type Output = Self;

    fn add(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl Sub<Span> for Instant {
    type Output = Self;

    fn sub(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }
}

impl Add for Span {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl fmt::Display for Span {
    /// As an operator writes it: the two largest units that are not zero (`1h30m`, `5m`, `250ms`).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u64, &str); 5] = [
            (86_400_000_000, "d"),
            (3_600_000_000, "h"),
            (60_000_000, "m"),
            (1_000_000, "s"),
            (1_000, "ms"),
        ];
        let mut left = self.0;
        let mut printed = 0;
        for (size, unit) in UNITS {
            let n = left / size;
            if n > 0 && printed < 2 {
                write!(f, "{n}{unit}")?;
                printed += 1;
            }
            left %= size;
        }
        if printed == 0 { f.write_str("0s") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_prints_its_two_largest_units() {
        for (span, text) in [
            (Span::ZERO, "0s"),
            (Span::from_ms(250), "250ms"),
            (Span::from_min(90), "1h30m"),
            (Span::from_s(86_400 + 61), "1d1m"),
            (Span(5), "0s"),
        ] {
            assert_eq!(span.to_string(), text);
        }
    }

    #[test]
    fn time_saturates_and_never_wraps() {
        assert_eq!(Instant::MAX + Span::from_s(1), Instant::MAX);
        assert_eq!(Instant(5).since(Instant(9)), Span::ZERO);
        assert_eq!(Instant(5) - Span(9), Instant(0));
    }
}
