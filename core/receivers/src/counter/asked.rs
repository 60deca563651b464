//! A question to a limit, with all that its answer hangs on.

use crate::ms::Ms;
use crate::quota::{EPSILON, Quota};
use crate::scenario::Limit;

/// A limit asked at a moment, for a source.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) limit: &'a Limit,
    pub(crate) quota: &'a Quota,
    /// Whose override holds; `None` for other senders.
    pub(crate) source: Option<u16>,
    pub(crate) at: Ms,
    /// Messages the connection has carried.
    pub(crate) carried: u32,
    /// Messages there must still be room for afterwards.
    pub(crate) reserve: u32,
    /// Whether the source has had enough accepted to come at once.
    pub(crate) whitelisted: bool,
}

impl Asked<'_> {
    pub(crate) fn quota_at(&self, at: Ms) -> f64 {
        self.quota.at(self.source, at)
    }

    /// How many may be counted already for one more, and the reserve, to fit at that moment;
    /// negative if none fits.
    pub(super) fn room(&self, at: Ms) -> f64 {
        self.quota_at(at) + EPSILON - 1.0 - f64::from(self.reserve)
    }
}
