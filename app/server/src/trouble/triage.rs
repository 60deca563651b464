//! What is wrong, from what the ledger remembers.
//!
//! The decision is `core/triage`'s; here its picture is drawn: counts by slot, samples of replies,
//! names the sources greeted with, what lanes and people changed.

mod counted;
mod drawing;

use std::sync::Arc;

use compact_str::CompactString;
use postlane_ledger::{Ledger, LedgerError};
use postlane_mail::{Instant, Span};
use postlane_triage::{Assessment, Picture, assess};

pub use counted::LanesCounted;

/// Where to look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// The first moment.
    pub from: Instant,
    /// The first moment not any more.
    pub to: Instant,
    /// The provider's id; all if none.
    pub provider: Option<Arc<str>>,
    /// A tenant's mail alone; all if none.
    pub tenant: Option<CompactString>,
}

impl Look {
    /// The last stretch before a moment, at all providers.
    pub fn back(now: Instant, span: Span) -> Self {
        Self { from: now - span, to: now, provider: None, tenant: None }
    }

    /// How long a slot of the picture is: a minute for hours, an hour for weeks. Chosen, not
    /// measured: at most 720 slots.
    pub fn slot(&self) -> Span {
        let minutes = self.to.since(self.from).as_s() / 60;
        let minutes = [1, 5, 15, 60].into_iter().find(|slot| minutes / slot <= 720);
        Span::from_min(minutes.unwrap_or(24 * 60))
    }
}

/// What the ledger remembers of this stretch of time. Reads files.
///
/// # Errors
/// The ledger cannot be read.
pub fn picture(ledger: &Ledger, look: &Look) -> Result<Picture, LedgerError> {
    drawing::draw(ledger, look)
}

/// What is to be said of each provider there was mail for, or of the one that is asked for. The
/// others are looked at, too: trust is local, and only the comparison shows it.
///
/// # Errors
/// The ledger cannot be read.
pub fn diagnose(ledger: &Ledger, look: &Look) -> Result<Vec<Assessment>, LedgerError> {
    Ok(assessed(&picture(ledger, look)?, look))
}

/// The same, and what was counted of each lane until the look's end.
///
/// # Errors
/// The ledger cannot be read.
pub fn examine(
    ledger: &Ledger,
    look: &Look,
) -> Result<(Vec<Assessment>, LanesCounted), LedgerError> {
    let picture = picture(ledger, look)?;
    let assessments = assessed(&picture, look);
    let counted = counted::count(ledger, look, (&picture, &assessments))?;
    Ok((assessments, counted))
}

fn assessed(picture: &Picture, look: &Look) -> Vec<Assessment> {
    let mut assessments = assess(picture);
    assessments.retain(|of| look.provider.as_ref().is_none_or(|wanted| of.provider == *wanted));
    assessments
}

/// What the marks of a pack are made with; nobody needs to keep it. None where the system has no
/// chance to give.
pub fn fresh_key() -> Option<[u8; 32]> {
    let mut key = [0; 32];
    aws_lc_rs::rand::fill(&mut key).ok()?;
    Some(key)
}

#[cfg(test)]
mod tests;
