//! What a text has, by number: a bit for each, which all fit into the nearest cache.

/// Numbers, each there or not.
#[derive(Debug, Default)]
pub(super) struct Flags(Vec<u64>);

impl Flags {
    /// Forgets all, and makes room for numbers below `count`.
    pub(super) fn clear(&mut self, count: usize) {
        self.0.clear();
        self.0.resize(count.div_ceil(64), 0);
    }

    /// Puts a number in; says whether it was not there before.
    pub(super) fn set(&mut self, number: u32) -> bool {
        let flags = &mut self.0[number as usize / 64];
        let before = *flags;
        *flags |= 1 << (number % 64);
        before != *flags
    }

    /// Whether a number is there.
    pub(super) fn has(&self, number: u32) -> bool {
        self.0.get(number as usize / 64).is_some_and(|flags| flags >> (number % 64) & 1 != 0)
    }
}
