//! One timer for each thing that can be due, however much waits in it.

use postlane_mail::Instant;

/// Something that is due at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Timer {
    /// Entries without a line are due.
    Unrouted,
    /// Sessions have been idle for long enough.
    Idle,
    /// The next slice of the sweep.
    Sweep,
    /// A day of a restart plan turns, or an order ends.
    Orders,
    /// What lanes have learned is to be kept.
    Keeping,
    /// What nobody has used for long is looked for.
    Forgetting,
    /// Deferred entries of a line are due.
    Line(u32),
    /// A lane may go on.
    Lane(u32),
    /// A path's hosts have rested, or its patience is over.
    Path(u32),
}

/// Timers in a heap that knows where each of them stands, so that one is moved in O(log n).
#[derive(Debug, Default)]
pub(crate) struct Timers {
    /// Ordered as a heap of four: nobody is later than those below.
    heap: Vec<(Instant, u32)>,
    /// Each timer's place in the heap.
    places: Vec<u32>,
}

const NOWHERE: u32 = u32::MAX;

/// Children of a place: four share a line of the processor's cache.
const BELOW: usize = 4;

impl Timer {
    fn number(self) -> u32 {
        match self {
            Self::Unrouted => 0,
            Self::Idle => 1,
            Self::Sweep => 2,
            Self::Orders => 3,
            Self::Keeping => 4,
            Self::Forgetting => 5,
            Self::Line(n) => 6 + 3 * n,
            Self::Lane(n) => 7 + 3 * n,
            Self::Path(n) => 8 + 3 * n,
        }
    }

    fn from_number(number: u32) -> Self {
        match number {
            0 => Self::Unrouted,
            1 => Self::Idle,
            2 => Self::Sweep,
            3 => Self::Orders,
            4 => Self::Keeping,
            5 => Self::Forgetting,
            _ => match ((number - 6) % 3, (number - 6) / 3) {
                (0, n) => Self::Line(n),
                (1, n) => Self::Lane(n),
                (_, n) => Self::Path(n),
            },
        }
    }
}

impl Timers {
    /// Due at `at` and not before; a timer that was armed is moved.
    pub(crate) fn arm(&mut self, timer: Timer, at: Instant) {
        let number = timer.number();
        if self.places.len() <= number as usize {
            self.places.resize(number as usize + 1, NOWHERE);
        }
        let mut place = self.places[number as usize] as usize;
        if place == NOWHERE as usize {
            place = self.heap.len();
            self.heap.push((at, number));
        } else {
            self.heap[place].0 = at;
        }
        self.rise(place);
        self.sink(self.places[number as usize] as usize);
    }

    /// Due at `at` or before.
    pub(crate) fn arm_by(&mut self, timer: Timer, at: Instant) {
        if self.armed(timer).is_none_or(|was| was > at) {
            self.arm(timer, at);
        }
    }

    /// It rings no more.
    pub(crate) fn disarm(&mut self, timer: Timer) {
        let number = timer.number() as usize;
        let place = self.places.get(number).copied().unwrap_or(NOWHERE) as usize;
        if place == NOWHERE as usize {
            return;
        }
        self.places[number] = NOWHERE;
        let Some(last) = self.heap.pop() else { return };
        if place < self.heap.len() {
            self.heap[place] = last;
            self.places[last.1 as usize] = place as u32;
            self.rise(place);
            self.sink(self.places[last.1 as usize] as usize);
        }
    }

    /// The first timer that is due, no longer armed.
    pub(crate) fn due(&mut self, now: Instant) -> Option<Timer> {
        let (_, number) = *self.heap.first().filter(|(at, _)| *at <= now)?;
        self.places[number as usize] = NOWHERE;
        let last = self.heap.pop()?;
        if let Some(first) = self.heap.first_mut() {
            *first = last;
            self.sink(0);
        }
        Some(Timer::from_number(number))
    }

    pub(crate) fn armed(&self, timer: Timer) -> Option<Instant> {
        let place = *self.places.get(timer.number() as usize)?;
        self.heap.get(place as usize).map(|(at, _)| *at)
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        self.heap.first().map(|(at, _)| *at)
    }

    fn rise(&mut self, mut place: usize) {
        while place > 0 && self.heap[place] < self.heap[(place - 1) / BELOW] {
            self.swap(place, (place - 1) / BELOW);
            place = (place - 1) / BELOW;
        }
        self.places[self.heap[place].1 as usize] = place as u32;
    }

    fn sink(&mut self, mut place: usize) {
        loop {
            let below = BELOW * place + 1..self.heap.len().min(BELOW * place + BELOW + 1);
            let Some(least) = below.min_by_key(|below| self.heap[*below]) else { break };
            if self.heap[place] <= self.heap[least] {
                break;
            }
            self.swap(place, least);
            place = least;
        }
        self.places[self.heap[place].1 as usize] = place as u32;
    }

    fn swap(&mut self, a: usize, b: usize) {
        self.heap.swap(a, b);
        self.places[self.heap[a].1 as usize] = a as u32;
        self.places[self.heap[b].1 as usize] = b as u32;
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
        fn a_timer_that_was_disarmed_never_rings(
            arms in proptest::collection::vec((0u32..60, 0u64..1000, any::<bool>()), 0..300),
        ) {
            let (mut timers, mut expected) = (Timers::default(), BTreeMap::new());
            for (number, at, stays) in arms {
                if stays {
                    timers.arm(Timer::from_number(number), Instant(at));
                    expected.insert(number, at);
                } else {
                    timers.disarm(Timer::from_number(number));
                    expected.remove(&number);
                }
                prop_assert_eq!(timers.next().map(|at| at.0), expected.values().min().copied());
            }
            while let Some(timer) = timers.due(Instant::MAX) {
                prop_assert!(expected.remove(&timer.number()).is_some());
            }
            prop_assert!(expected.is_empty());
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn timers_are_due_in_order_however_they_are_moved(
            arms in proptest::collection::vec((0u32..60, 0u64..1000), 0..300),
        ) {
            let mut timers = Timers::default();
            let mut expected = BTreeMap::new();
            for (number, at) in &arms {
                timers.arm(Timer::from_number(*number), Instant(*at));
                expected.insert(*number, *at);
                prop_assert_eq!(timers.next().map(|at| at.0), expected.values().min().copied());
            }
            let mut order: Vec<_> = expected.into_iter().map(|(n, at)| (at, n)).collect();
            order.sort_unstable();
            for (at, number) in order {
                prop_assert_eq!(timers.armed(Timer::from_number(number)), Some(Instant(at)));
                prop_assert!(at == 0 || timers.due(Instant(at - 1)).is_none());
                let due = timers.due(Instant(at)).map(Timer::number);
                prop_assert_eq!(due, Some(number));
            }
            prop_assert!(timers.due(Instant::MAX).is_none());
        }
    }
}
