//! What a text has, by number: a bit for each, which all fit into the nearest cache.

/// Numbers, each there or not.
#[derive(Debug, Default)]
pub(crate) struct Flags {
    bits: Vec<u64>,
}

impl Flags {
    /// Forgets all, and makes room for numbers below `count`. All are forgotten at once: to
    /// remember which ones there are cost more for each than this does for a hundred.
    #[inline]
    pub(crate) fn clear(&mut self, count: usize) {
        let length = count.div_ceil(64);
        if self.bits.len() != length {
            self.make_room(length);
        }
        self.bits.fill(0);
    }

    #[cold]
    fn make_room(&mut self, length: usize) {
        self.bits = vec![0; length];
    }

    /// Puts a number in; says whether it was not there before.
    #[inline]
    pub(crate) fn set(&mut self, number: u32) -> bool {
        let bits = &mut self.bits[number as usize / 64];
        let is_new = *bits >> (number % 64) & 1 == 0;
        *bits |= 1 << (number % 64);
        is_new
    }

    /// Whether a number is there.
    #[inline]
    pub(crate) fn has(&self, number: u32) -> bool {
        self.bits.get(number as usize / 64).is_some_and(|bits| bits >> (number % 64) & 1 != 0)
    }
}
