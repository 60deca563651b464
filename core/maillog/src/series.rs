//! What a lane took and refused, moment by moment: enough to look for the limit behind it.
//!
//! A moment is a second, or two, four… where there would be too many.

/// What happened in a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Moment {
    /// When it began, in seconds since 1970.
    pub at_s: u32,
    /// Messages taken.
    pub accepted: u32,
    /// Tries refused for their rate, or for a bad name that passes.
    pub paced: u32,
    /// Tries that failed for another reason.
    pub failed: u32,
}

/// The moments of a lane.
#[derive(Debug, Clone, Default)]
pub(crate) struct Series {
    moments: Vec<Moment>,
    /// A moment has `1 << coarse` seconds.
    coarse: u32,
}

impl Series {
    /// The moment of this second, to be counted in. Gives whether it is a new one.
    pub(crate) fn at(&mut self, at_s: u32) -> (&mut Moment, bool) {
        let at_s = at_s >> self.coarse << self.coarse;
        let is_new = self.moments.last().is_none_or(|last| last.at_s != at_s);
        if is_new {
            self.moments.push(Moment { at_s, ..Moment::default() });
        }
        let last = self.moments.last_mut().expect("one was pushed if there was none");
        (last, is_new)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.moments.len()
    }

    /// Makes the moments twice as long; gives how many there are now.
    pub(crate) fn coarsen(&mut self) -> usize {
        self.coarse += 1;
        for moment in &mut self.moments {
            moment.at_s = moment.at_s >> self.coarse << self.coarse;
        }
        self.settle();
        self.moments.shrink_to_fit();
        self.moments.len()
    }

    /// Puts moments in order that came from interleaved files.
    pub(crate) fn settle(&mut self) {
        self.moments.sort_by_key(|moment| moment.at_s);
        self.moments.dedup_by(|later, kept| {
            let is_same = later.at_s == kept.at_s;
            if is_same {
                kept.accepted = kept.accepted.saturating_add(later.accepted);
                kept.paced = kept.paced.saturating_add(later.paced);
                kept.failed = kept.failed.saturating_add(later.failed);
            }
            is_same
        });
    }

    /// The moments of several lanes as those of one.
    pub(crate) fn together<'s>(all: impl Iterator<Item = &'s Self>) -> Self {
        let mut sum = Self::default();
        for one in all {
            sum.coarse = sum.coarse.max(one.coarse);
            sum.moments.extend_from_slice(&one.moments);
        }
        sum.settle();
        sum
    }

    /// In order of time, once it is settled.
    pub(crate) fn moments(&self) -> &[Moment] {
        &self.moments
    }

    /// How long a moment is, in seconds.
    pub(crate) fn step_s(&self) -> u32 {
        1 << self.coarse
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_put_in_order_and_counted_once() {
        let mut series = Series::default();
        for at_s in [10, 10, 12, 11, 10] {
            series.at(at_s).0.accepted += 1;
        }
        assert_eq!(series.len(), 4);
        series.settle();
        let counts: Vec<_> = series.moments().iter().map(|m| (m.at_s, m.accepted)).collect();
        assert_eq!(counts, [(10, 3), (11, 1), (12, 1)]);
        assert_eq!(series.coarsen(), 2);
        let counts: Vec<_> = series.moments().iter().map(|m| (m.at_s, m.accepted)).collect();
        assert_eq!((counts, series.step_s()), (vec![(10, 4), (12, 1)], 2));
    }
}
