//! The statistics behind verdicts: shares compared, and how far a share may be off.

use crate::share::Share;

/// One share compared with another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Comparison {
    /// The share looked at.
    pub one: Share,
    /// What it is compared with.
    pub rest: Share,
    /// By how many standard errors it is larger, refusals taken to come in waves; 0 where either
    /// has too few.
    pub z: f64,
    /// How much larger it is, -1 to 1.
    pub difference: f64,
}

impl Comparison {
    /// How many attempts each side must have (chosen, not measured: below, the normal
    /// approximation is off by more than the waves are).
    pub const ATTEMPTS_MIN: u64 = 20;
    /// How many refusals there must be on the side that is worse.
    pub const REFUSALS_MIN: u64 = 5;

    /// The two-proportion z test with pooled share, its variance times `dispersion`.
    ///
    /// Why not a beta-binomial comparison? It models the same thing, waves, with a parameter that
    /// must be searched for; the moment estimate that stands in `dispersion` is its first step, is
    /// a sum over slots in any order, and cannot fail to converge.
    pub fn of(one: Share, rest: Share, dispersion: f64) -> Self {
        let difference = one.value() - rest.value();
        let mut comparison = Self { one, rest, z: 0.0, difference };
        if one.of < Self::ATTEMPTS_MIN
            || rest.of < Self::ATTEMPTS_MIN
            || one.some.max(rest.some) < Self::REFUSALS_MIN
        {
            return comparison;
        }
        let (n1, n2) = (one.of as f64, rest.of as f64);
        // Half an observation on either side: a share of none or all has an error, too.
        let pooled = (one.some as f64 + rest.some as f64 + 1.0) / (n1 + n2 + 2.0);
        let dispersion = if dispersion.is_finite() { dispersion.max(1.0) } else { 1.0 };
        let error = (pooled * (1.0 - pooled) * (1.0 / n1 + 1.0 / n2) * dispersion).sqrt();
        if error > 0.0 {
            comparison.z = difference / error;
        }
        comparison
    }
}

/// The interval in which a share lies with 95 in 100, if its observations are independent
/// (Wilson's score interval); all of 0 to 1 where there are none.
pub fn wilson(share: Share) -> (f64, f64) {
    const Z: f64 = 1.959_963_984_540_054;
    if share.of == 0 {
        return (0.0, 1.0);
    }
    let (n, p) = (share.of as f64, share.value());
    let scale = 1.0 + Z * Z / n;
    let centre = (p + Z * Z / (2.0 * n)) / scale;
    let half = Z / scale * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    ((centre - half).clamp(0.0, 1.0), (centre + half).clamp(0.0, 1.0))
}

/// 0 at `low` and below, 1 at `high` and above, even between.
pub(crate) fn ramp(value: f64, low: f64, high: f64) -> f64 {
    if value.is_nan() || high <= low {
        return 0.0;
    }
    ((value - low) / (high - low)).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn z_is_that_of_the_textbook() {
        // 60 of 100 against 40 of 100: pooled 101/202, standard error 0.0707, z 2.83.
        let compared = Comparison::of(Share::new(60, 100), Share::new(40, 100), 1.0);
        assert!((compared.z - 2.83).abs() < 0.01, "{}", compared.z);
        let waves = Comparison::of(Share::new(60, 100), Share::new(40, 100), 4.0);
        assert!((waves.z - compared.z / 2.0).abs() < 1e-9);
    }

    #[test]
    fn too_few_are_not_compared() {
        for (one, rest) in [((10, 10), (0, 1000)), ((4, 100), (0, 100)), ((100, 100), (0, 19))] {
            let (one, rest) = (Share::new(one.0, one.1), Share::new(rest.0, rest.1));
            assert!(Comparison::of(one, rest, 1.0).z.abs() < f64::EPSILON);
        }
    }

    #[test]
    fn wilson_agrees_with_published_figures() {
        // Newcombe 1998, table I: 81 of 263: 0.2553 to 0.3662; 0 of 20: 0 to 0.1611.
        let (low, high) = wilson(Share::new(81, 263));
        assert!((low - 0.2553).abs() < 5e-5 && (high - 0.3662).abs() < 5e-5, "{low} {high}");
        let (low, high) = wilson(Share::new(0, 20));
        assert!(low.abs() < 1e-12 && (high - 0.1611).abs() < 5e-5, "{low} {high}");
        assert_eq!(wilson(Share::default()), (0.0, 1.0));
    }
}
