//! What a text has, by number: a bit for each, which all fit into the nearest cache.

/// Numbers, each there or not.
#[derive(Debug, Default)]
pub(crate) struct Flags {
    bits: Vec<u64>,
    /// Which of `bits` are not 0: the little that a text has is forgotten one by one.
    touched: Vec<u32>,
}

impl Flags {
    /// Forgets all, and makes room for numbers below `count`.
    #[inline]
    pub(crate) fn clear(&mut self, count: usize) {
        let length = count.div_ceil(64);
        if self.bits.len() != length {
            *self = Self::with_room(length);
        }
        while let Some(touched) = self.touched.pop() {
            self.bits[touched as usize] = 0;
        }
    }

    #[cold]
    fn with_room(length: usize) -> Self {
        Self { bits: vec![0; length], touched: Vec::with_capacity(length) }
    }

    /// Puts a number in; says whether it was not there before.
    #[inline]
    pub(crate) fn set(&mut self, number: u32) -> bool {
        let bits = &mut self.bits[number as usize / 64];
        let before = *bits;
        *bits |= 1 << (number % 64);
        let after = *bits;
        if before == 0 {
            self.touched.push(number / 64);
        }
        before != after
    }

    /// Whether a number is there.
    #[inline]
    pub(crate) fn has(&self, number: u32) -> bool {
        self.bits.get(number as usize / 64).is_some_and(|bits| bits >> (number % 64) & 1 != 0)
    }
}
