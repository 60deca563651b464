//! Virtual time: whole milliseconds from the start of a run.

use std::fmt;
use std::ops::{Add, Sub};

use postlane_mail::Span;
use serde::Deserialize;
use serde::de::Error as _;

/// A moment in virtual time, or a length of it, in milliseconds. A run starts at 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Ms(pub u64);

/// How often something happens: so many in so long.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frequency {
    /// How many; more than 0, and may have a fraction.
    pub count: f64,
    /// In how long; more than 0.
    pub per: Ms,
}

/// Why a text is no duration or rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MsError {
    /// Not a number and a unit.
    #[error(
        "a duration is a number and a unit: write \"250ms\", \"30s\", \"5m\", \"2h\" or \"1d\""
    )]
    Duration,
    /// Longer than a year.
    #[error("a duration is at most 366d: write a shorter one")]
    TooLong,
    /// Not `N/unit`, or nothing in it.
    #[error(
        "a rate is a number above 0 in a time: write \"1/s\", \"30/m\", \"100/h\" or \"200/10m\""
    )]
    Rate,
}

impl Ms {
    /// The longest time a scenario can name: 366 days.
    pub const MAX: Self = Self(366 * Self::DAY.0);
    /// One day.
    pub const DAY: Self = Self(86_400_000);

    /// That many seconds.
    pub const fn from_s(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1_000))
    }

    /// That many minutes.
    pub const fn from_min(minutes: u64) -> Self {
        Self::from_s(minutes.saturating_mul(60))
    }

    /// That many hours.
    pub const fn from_h(hours: u64) -> Self {
        Self::from_min(hours.saturating_mul(60))
    }

    /// The same length in the unit of the rest of the house.
    pub const fn to_span(self) -> Span {
        Span::from_ms(self.0)
    }

    /// How long ago `earlier` was; 0 if it lies ahead.
    pub const fn since(self, earlier: Self) -> Self {
        Self(self.0.saturating_sub(earlier.0))
    }

    /// Seconds, with the fraction.
    pub fn as_s_f64(self) -> f64 {
        self.0 as f64 / 1_000.0
    }

    /// Reads `250ms`, `30s`, `5m`, `2h`, `1d`; also several after one another (`1h30m`).
    pub fn parse(text: &str) -> Result<Self, MsError> {
        let mut rest = text;
        let mut sum: u64 = 0;
        while !rest.is_empty() || sum == 0 && rest.len() == text.len() {
            let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or(MsError::Duration)?;
            let (number, after) = rest.split_at(digits);
            let letters = after.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(after.len());
            let (unit, after) = after.split_at(letters);
            if number.is_empty() || number.len() > 15 {
                return Err(MsError::Duration);
            }
            let number: u64 = number.parse().map_err(|_| MsError::Duration)?;
            let unit = unit_of(unit).ok_or(MsError::Duration)?;
            sum = sum.saturating_add(number.saturating_mul(unit.0));
            rest = after;
        }
        if sum > Self::MAX.0 { Err(MsError::TooLong) } else { Ok(Self(sum)) }
    }
}

fn unit_of(text: &str) -> Option<Ms> {
    Some(match text {
        "ms" => Ms(1),
        "s" => Ms(1_000),
        "m" => Ms(60_000),
        "h" => Ms(3_600_000),
        "d" => Ms::DAY,
        _ => return None,
    })
}

impl Frequency {
    /// Reads `N/s`, `N/m`, `N/h`, `N/d` or `N/10m`; N may have a fraction.
    pub fn parse(text: &str) -> Result<Self, MsError> {
        let (count, per) = text.split_once('/').ok_or(MsError::Rate)?;
        let is_plain = |c: char| c.is_ascii_digit() || c == '.';
        if count.is_empty() || count.len() > 15 || !count.chars().all(is_plain) {
            return Err(MsError::Rate);
        }
        let count: f64 = count.parse().map_err(|_| MsError::Rate)?;
        let per = match unit_of(per) {
            Some(one) => one,
            None => Ms::parse(per).map_err(|_| MsError::Rate)?,
        };
        if count > 0.0 && count <= 1e9 && per > Ms(0) {
            Ok(Self { count, per })
        } else {
            Err(MsError::Rate)
        }
    }

    /// How many in a millisecond.
    pub fn per_ms(self) -> f64 {
        self.count / self.per.0 as f64
    }
}

impl Add for Ms {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Ms {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self.since(other)
    }
}

impl fmt::Display for Ms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_span().fmt(f)
    }
}

impl<'de> Deserialize<'de> for Ms {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Frequency {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_number_and_a_unit() {
        for (text, ms) in [
            ("0s", 0),
            ("250ms", 250),
            ("30s", 30_000),
            ("5m", 300_000),
            ("2h", 7_200_000),
            ("1d", 86_400_000),
            ("1h30m", 5_400_000),
        ] {
            assert_eq!(Ms::parse(text), Ok(Ms(ms)), "{text}");
        }
        for text in ["", "5", "m", "5 m", "-1s", "1.5h", "5x", "5m3", "99999999999999999s"] {
            assert_eq!(Ms::parse(text), Err(MsError::Duration), "{text}");
        }
        assert_eq!(Ms::parse("367d"), Err(MsError::TooLong));
    }

    #[test]
    fn a_rate_is_a_number_in_a_time() {
        for (text, count, per) in [
            ("1/s", 1.0, 1_000),
            ("30/m", 30.0, 60_000),
            ("0.5/h", 0.5, 3_600_000),
            ("200/10m", 200.0, 600_000),
            ("7/d", 7.0, 86_400_000),
        ] {
            assert_eq!(Frequency::parse(text), Ok(Frequency { count, per: Ms(per) }), "{text}");
        }
        for text in ["", "1", "/s", "0/s", "1/", "1/0m", "inf/s", "1e3/s", "-1/s", "1/x"] {
            assert_eq!(Frequency::parse(text), Err(MsError::Rate), "{text}");
        }
    }
}
