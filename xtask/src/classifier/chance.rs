//! Chance that is the same on every machine: a linear congruential generator (Knuth's MMIX).

pub(super) struct Chance(u64);

impl Default for Chance {
    fn default() -> Self {
        Self(20_261_122)
    }
}

impl Chance {
    /// From 0 to less than 1.
    pub(super) fn share(&mut self) -> f32 {
        const BITS: u32 = f32::MANTISSA_DIGITS;
        (self.next() >> (u64::BITS - BITS)) as f32 / (1_u32 << BITS) as f32
    }

    pub(super) fn shuffle(&mut self, all: &mut [usize]) {
        for last in (1..all.len()).rev() {
            all.swap(last, (self.next() >> 33) as usize % (last + 1));
        }
    }

    fn next(&mut self) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0
    }
}
