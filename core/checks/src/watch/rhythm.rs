//! How often lists are asked.

use postlane_mail::{Instant, Span, mixed};

use crate::blocklist::Weight;

/// How often lists are asked, and how long it is waited before what they say is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rhythm {
    /// Lists by which large providers refuse mail.
    pub critical: Span,
    /// All other lists.
    pub others: Span,
    /// A list that said for the first time that it lists somebody is asked again after this.
    pub listing: Span,
    /// Somebody is off a list when it has said so twice, this long apart at least.
    pub delisting: Span,
    /// A list that refuses us, or is not healthy, is asked again after this, and not sooner.
    pub refused: Span,
}

impl Rhythm {
    /// How often a list of this weight is asked.
    pub const fn every(&self, weight: Weight) -> Span {
        match weight {
            Weight::Critical => self.critical,
            _ => self.others,
        }
    }
}

/// The moment so long after another, and up to a tenth later: so that not all relays of the world
/// ask a list at the same minute. Never sooner. The same chance gives the same moment.
pub(super) fn later(from: Instant, span: Span, chance: u64) -> Instant {
    let tenth = span.0 / 10;
    let jitter = if tenth == 0 { 0 } else { mixed(chance) % tenth };
    Instant(from.0.saturating_add(span.0).saturating_add(jitter))
}

/// A seed and a name as one number.
pub(super) fn chance(seed: u64, name: &str, at: Instant) -> u64 {
    // FNV-1a.
    let of_name = name.bytes().fold(0xcbf2_9ce4_8422_2325, |sum: u64, b| {
        (sum ^ u64::from(b)).wrapping_mul(0x100_0000_01b3)
    });
    mixed(seed ^ of_name ^ at.0)
}
