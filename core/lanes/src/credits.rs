//! What a lane may spend on questions whose answer may be a refusal.

/// Every accepted message earns a little, every refusal costs much: so questions stay below half
/// a percent of the mail (LANES §7).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Credits(f64);

impl Default for Credits {
    fn default() -> Self {
        Self(5.0)
    }
}

impl Credits {
    pub(crate) fn accepted(&mut self) {
        self.0 = (self.0 + 0.005).min(10.0);
    }

    pub(crate) fn refused(&mut self) {
        self.0 -= 0.5;
    }

    /// Refused with others of its wave: it had been sent when the first was heard.
    pub(crate) fn refused_as_well(&mut self) {
        self.0 -= 0.05;
    }

    /// As it is kept: thousandths.
    pub(crate) fn thousandths(self) -> i32 {
        (self.0 * 1000.0) as i32
    }

    /// As it was kept.
    pub(crate) fn of_thousandths(kept: i32) -> Self {
        Self((f64::from(kept) / 1000.0).clamp(-100.0, 10.0))
    }

    pub(crate) fn has_one(self) -> bool {
        self.0 >= 1.0
    }
}
