//! The figures of a lane or a provider that rows are ordered by.

/// What a lane or a provider is ordered by.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Figures {
    /// Recipients accepted in the last hour.
    pub(crate) accepted_per_h: f64,
    /// First attempts, and those of them that were deferred.
    pub(crate) fresh: u64,
    pub(crate) deferred_fresh: u64,
    /// Recipients that wait: for a lane those due now, for a provider all.
    pub(crate) waits: u64,
}

impl Figures {
    /// The share of first attempts that were deferred, 0 to 1; none without any.
    pub(super) fn deferral(self) -> Option<f64> {
        (self.fresh > 0).then(|| self.deferred_fresh as f64 / self.fresh as f64)
    }
}

impl std::ops::AddAssign for Figures {
    fn add_assign(&mut self, other: Self) {
        self.accepted_per_h += other.accepted_per_h;
        self.fresh += other.fresh;
        self.deferred_fresh += other.deferred_fresh;
        self.waits += other.waits;
    }
}
