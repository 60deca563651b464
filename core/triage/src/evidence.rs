//! What was seen, in a sentence with the figure behind it.

/// A figure behind a sentence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measure {
    /// What was measured: `trouble_share`, `z`, `attempts_per_accepted`.
    pub name: &'static str,
    /// How much; shares are 0 to 1.
    pub value: f64,
    /// Of how many observations.
    pub of: u64,
}

/// A sentence with its figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// What was seen.
    pub says: String,
    /// The figure.
    pub measure: Measure,
    /// How much it weighs, in nats before calibration: positive for the verdict, negative
    /// against it, 0 for what was not seen.
    pub weight: f64,
}
