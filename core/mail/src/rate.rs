//! How many messages in how long.

use std::fmt;
use std::num::NonZeroU32;

use crate::time::Span;

/// Messages allowed per span; neither is ever zero, so a lane can always move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rate {
    messages: NonZeroU32,
    per: Span,
}

/// Why a text is not a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RateError {
    /// Not of the form `N/unit`.
    #[error(
        "a rate is written N/s, N/m, N/h or N/d, with an optional number before the unit: 200/10m"
    )]
    Shape,
    /// No message, or no time.
    #[error("a rate of zero would never move; hold the lane instead")]
    Zero,
}

impl Rate {
    /// So many messages per span; `None` if either is zero.
    pub fn new(messages: u32, per: Span) -> Option<Self> {
        let messages = NonZeroU32::new(messages)?;
        (per > Span::ZERO).then_some(Self { messages, per })
    }

    /// Reads `N/s`, `N/m`, `N/h`, `N/d` or `N/10m`.
    pub fn parse(text: &str) -> Result<Self, RateError> {
        let (count, per) = text.split_once('/').ok_or(RateError::Shape)?;
        let messages = count.trim().parse().map_err(|_| RateError::Shape)?;
        let per = per.trim();
        let unit_at = per.find(|c: char| !c.is_ascii_digit()).ok_or(RateError::Shape)?;
        let times: u64 =
            if unit_at == 0 { 1 } else { per[..unit_at].parse().map_err(|_| RateError::Shape)? };
        let unit = match &per[unit_at..] {
            "s" => Span::from_s(1),
            "m" => Span::from_min(1),
            "h" => Span::from_h(1),
            "d" => Span::from_h(24),
            _ => return Err(RateError::Shape),
        };
        Self::new(messages, unit.times(times)).ok_or(RateError::Zero)
    }

    /// Messages allowed within [`Self::per`].
    pub fn messages(self) -> u32 {
        self.messages.get()
    }

    /// The span the messages are counted in.
    pub fn per(self) -> Span {
        self.per
    }

    /// The even distance between two messages.
    pub fn gap(self) -> Span {
        Span(self.per.0.div_ceil(u64::from(self.messages.get())))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let per = self.per.to_string();
        write!(
            f,
            "{}/{}",
            self.messages,
            per.strip_prefix('1').filter(|u| u.len() == 1).unwrap_or(&per)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_and_printed_alike() {
        for text in ["2/m", "100/s", "200/10m", "50/h", "800/d"] {
            assert_eq!(Rate::parse(text).unwrap().to_string(), text);
        }
        for text in ["", "2", "2/", "/m", "2/x", "-1/m", "2/m5", "1.5/s"] {
            assert_eq!(Rate::parse(text), Err(RateError::Shape), "{text}");
        }
        assert_eq!(Rate::parse("0/m"), Err(RateError::Zero));
        assert_eq!(Rate::parse("1/0m"), Err(RateError::Zero));
    }

    #[test]
    fn the_gap_never_lets_more_through_than_the_rate() {
        assert_eq!(Rate::parse("2/m").unwrap().gap(), Span::from_s(30));
        let odd = Rate::parse("7/s").unwrap();
        assert!(odd.gap().times(7) >= odd.per());
    }
}
