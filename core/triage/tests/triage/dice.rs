//! What is drawn for these pictures, all of it out of one seed.

use postlane_mail::Chance;

pub(crate) struct Dice(Chance);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Chance::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d))
    }

    /// Even between two numbers.
    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        self.0.between(low, high)
    }

    /// Even between the logarithms of two numbers.
    pub(crate) fn scaled(&mut self, low: f64, high: f64) -> f64 {
        self.between(low.ln(), high.ln()).exp()
    }

    pub(crate) fn happens(&mut self, chance: f64) -> bool {
        self.between(0.0, 1.0) < chance
    }

    /// One of a few.
    pub(crate) fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[(self.0.draw() % of.len() as u64) as usize]
    }

    /// How many of `n` happen, drawn one by one.
    pub(crate) fn count(&mut self, n: u64, chance: f64) -> u64 {
        (0..n).filter(|_| self.happens(chance)).count() as u64
    }
}
