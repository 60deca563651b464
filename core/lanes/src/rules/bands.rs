//! Bands: what share of fresh deferrals is healthy, and what share stops a lane.

use std::fmt;

/// A share, in parts of 10,000: 0.02 is 200.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Share(u16);

/// Up to `healthy` the pace may rise, from `stop` on the lane rests, between them it stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bands {
    healthy: Share,
    stop: Share,
}

/// Why these are no bands. Whoever wrote them is to blame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BandsError {
    /// Not between none and all.
    #[error("a share is a part of all: write 0.02 for one in fifty")]
    Share,
    /// A lane would rest while all is well.
    #[error("`stop` must be above `healthy`: write {{ healthy = 0.02, stop = 0.10 }}")]
    Order,
}

impl Share {
    /// So many of 10,000; none when that is more than all.
    pub const fn of_10000(parts: u16) -> Option<Self> {
        if parts <= 10_000 { Some(Self(parts)) } else { None }
    }

    /// A fraction from 0 to 1, to the nearest of 10,000 parts.
    pub fn of(fraction: f64) -> Result<Self, BandsError> {
        if !(0.0..=1.0).contains(&fraction) {
            return Err(BandsError::Share);
        }
        // Between 0 and 10,000: it fits.
        Ok(Self((fraction * 10_000.0).round() as u16))
    }

    /// Parts of 10,000.
    pub const fn parts(self) -> u16 {
        self.0
    }
}

impl Bands {
    /// Raise up to 2 %, stop from 10 % on. Chosen, not measured.
    pub const DEFAULT: Self = Self { healthy: Share(200), stop: Share(1000) };

    /// Bands in their order.
    pub fn new(healthy: Share, stop: Share) -> Result<Self, BandsError> {
        if healthy >= stop { Err(BandsError::Order) } else { Ok(Self { healthy, stop }) }
    }

    /// The largest share at which the pace may rise.
    pub const fn healthy(self) -> Share {
        self.healthy
    }

    /// The least share at which the lane rests.
    pub const fn stop(self) -> Share {
        self.stop
    }
}

impl fmt::Display for Share {
    /// As a fraction: `0.02`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", f64::from(self.0) / 10_000.0)
    }
}
