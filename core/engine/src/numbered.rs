//! Values by numbers that others give out and never use again: as large as what is in it, however
//! many numbers there have been.

/// Values by number. The order of its values depends on nothing but what was done to it.
#[derive(Debug)]
pub(crate) struct Numbered<T> {
    /// One past a value's place, or 0: open addressing, a power of two long.
    slots: Vec<u32>,
    values: Vec<(u32, T)>,
}

/// No table is smaller.
const SLOTS_MIN: usize = 16;

impl<T> Default for Numbered<T> {
    fn default() -> Self {
        Self { slots: vec![0; SLOTS_MIN], values: Vec::new() }
    }
}

impl<T> Numbered<T> {
    pub(crate) fn get(&self, number: u32) -> Option<&T> {
        Some(&self.values[self.place(number)?].1)
    }

    pub(crate) fn value_mut(&mut self, number: u32) -> Option<&mut T> {
        let place = self.place(number)?;
        Some(&mut self.values[place].1)
    }

    /// The value of a number that has one.
    pub(crate) fn of(&mut self, number: u32) -> &mut T {
        self.value_mut(number).expect("whoever keeps a number keeps its value from being forgotten")
    }

    pub(crate) fn or_insert_with(&mut self, number: u32, new: impl FnOnce() -> T) -> &mut T {
        let place = match self.place(number) {
            Some(place) => place,
            None => self.insert(number, new()),
        };
        &mut self.values[place].1
    }

    pub(crate) fn remove(&mut self, number: u32) -> Option<T> {
        let mut hole = self.slot(number)?;
        let place = self.slots[hole] as usize - 1;
        let last = self.values.len() - 1;
        if place != last {
            let slot = self.slot(self.values[last].0)?;
            self.slots[slot] = place as u32 + 1;
        }
        // What was pushed on by the one that leaves moves back.
        let mask = self.slots.len() - 1;
        let mut next = (hole + 1) & mask;
        while let Some(place_of_next) = (self.slots[next] as usize).checked_sub(1) {
            let number_of_next = if place_of_next == place && place != last {
                self.values[last].0
            } else {
                self.values[place_of_next].0
            };
            let home = self.home(number_of_next);
            if next.wrapping_sub(home) & mask >= next.wrapping_sub(hole) & mask {
                self.slots[hole] = self.slots[next];
                hole = next;
            }
            next = (next + 1) & mask;
        }
        self.slots[hole] = 0;
        let (_, value) = self.values.swap_remove(place);
        if self.slots.len() > SLOTS_MIN && self.values.len() * 8 < self.slots.len() {
            self.resize(self.slots.len() / 4);
            self.values.shrink_to(self.slots.len());
        }
        Some(value)
    }

    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The value at a place below [`Self::len`], with its number; places move when something is
    /// removed.
    pub(crate) fn at(&self, place: usize) -> Option<(u32, &T)> {
        self.values.get(place).map(|(number, value)| (*number, value))
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.values.iter_mut().map(|(_, value)| value)
    }

    fn insert(&mut self, number: u32, value: T) -> usize {
        if (self.values.len() + 1) * 2 > self.slots.len() {
            self.resize(self.slots.len() * 2);
        }
        let place = self.values.len();
        self.values.push((number, value));
        self.enter(number, place);
        place
    }

    fn enter(&mut self, number: u32, place: usize) {
        let mask = self.slots.len() - 1;
        let mut slot = self.home(number);
        while self.slots[slot] != 0 {
            slot = (slot + 1) & mask;
        }
        self.slots[slot] = place as u32 + 1;
    }

    fn resize(&mut self, slots: usize) {
        self.slots.clear();
        self.slots.resize(slots.max(SLOTS_MIN), 0);
        self.slots.shrink_to_fit();
        for place in 0..self.values.len() {
            self.enter(self.values[place].0, place);
        }
    }

    fn place(&self, number: u32) -> Option<usize> {
        Some(self.slots[self.slot(number)?] as usize - 1)
    }

    fn slot(&self, number: u32) -> Option<usize> {
        let mask = self.slots.len() - 1;
        let mut slot = self.home(number);
        loop {
            let place = (self.slots[slot] as usize).checked_sub(1)?;
            if self.values[place].0 == number {
                return Some(slot);
            }
            slot = (slot + 1) & mask;
        }
    }

    /// Where a number is looked for first: numbers that follow one another are spread (Knuth, The
    /// Art of Computer Programming, volume 3, §6.4: multiplicative hashing).
    fn home(&self, number: u32) -> usize {
        let bits = self.slots.len().trailing_zeros();
        (number.wrapping_mul(0x9e37_79b9) >> (32 - bits)) as usize
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn it_holds_what_was_put_in_and_not_taken_out(
            steps in proptest::collection::vec((0_u32..200, any::<bool>()), 0..2_000),
        ) {
            let (mut table, mut truth) = (Numbered::default(), BTreeMap::new());
            for (value, (number, stays)) in steps.into_iter().enumerate() {
                if stays {
                    *table.or_insert_with(number, || 0) = value;
                    truth.insert(number, value);
                } else {
                    prop_assert_eq!(table.remove(number), truth.remove(&number));
                }
                prop_assert_eq!(table.len(), truth.len());
            }
            for number in 0..200 {
                prop_assert_eq!(table.get(number), truth.get(&number));
            }
        }
    }

    #[test]
    fn a_table_through_which_many_go_stays_as_large_as_those_that_are_in_it() {
        let mut table = Numbered::default();
        for number in 0..1_000_000_u32 {
            table.or_insert_with(number, || number);
            if let Some(old) = number.checked_sub(100) {
                assert_eq!(table.remove(old), Some(old));
            }
        }
        assert_eq!(table.len(), 100);
        assert!(table.slots.len() <= 1024, "{}", table.slots.len());
    }
}
