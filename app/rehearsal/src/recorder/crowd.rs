//! How many happened within a span of time that slides.

use std::collections::VecDeque;

use postlane_receivers::Ms;

/// Moments within the last `span`, half-open: what lies exactly `span` back has left.
#[derive(Debug)]
pub(super) struct Crowd {
    span: Ms,
    moments: VecDeque<Ms>,
}

impl Crowd {
    pub(super) fn new(span: Ms) -> Self {
        Self { span, moments: VecDeque::new() }
    }

    /// One more at `now`: how many there are within the span that ends with it.
    pub(super) fn joined(&mut self, now: Ms) -> u64 {
        while self.moments.front().is_some_and(|m| now.since(*m) >= self.span) {
            self.moments.pop_front();
        }
        self.moments.push_back(now);
        self.moments.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_exactly_one_span_back_has_left() {
        let mut crowd = Crowd::new(Ms::from_s(1));
        let at = Ms;
        assert_eq!(crowd.joined(at(0)), 1);
        assert_eq!(crowd.joined(at(999)), 2);
        assert_eq!(crowd.joined(at(1_000)), 2);
        assert_eq!(crowd.joined(at(5_000)), 1);
    }
}
