//! Sources that rest alike ask one after another.
//!
//! A provider that refuses several of our sources after as many messages will let them in after as
//! long, mostly. So one canary is under way at a time, and what it is told counts for those that are
//! like it; and a limit that one of them has found out is the others' where they were refused at it.

use postlane_lanes::{Asking, Quota};
use postlane_mail::Instant;
use smallvec::SmallVec;

use super::Engine;

impl<E> Engine<E> {
    /// Whether another lane, which was refused after as many messages, is asking at the moment.
    pub(super) fn lets_another_ask(&self, lane: u32) -> bool {
        let state = &self.lanes[lane as usize];
        if state.shares.is_one || state.siblings.is_empty() {
            return false;
        }
        let Some(own) = state.lane.asking().filter(|asking| !asking.is_under_way) else {
            return false;
        };
        let asks = |other: &u32| {
            let other = self.lanes[*other as usize].lane.asking();
            other.is_some_and(|other| other.is_under_way && other.is_like(&own))
        };
        state.siblings.iter().any(asks)
    }

    /// A lane that was asking has heard something: what it was told is told to those that are like it.
    pub(super) fn tell_answer(
        &mut self,
        now: Instant,
        lane: u32,
        asked: Option<Asking>,
        sent: Instant,
    ) {
        let state = &self.lanes[lane as usize];
        let Some(asked) = asked.filter(|asked| asked.is_under_way && !state.shares.is_one) else {
            return;
        };
        let refused = state.lane.asking().filter(|asking| asking.canaries > asked.canaries);
        let is_let_in = !state.lane.is_resting();
        for other in self.like(lane, &asked) {
            let other_lane = &mut self.lanes[other as usize].lane;
            if let Some(refused) = refused {
                other_lane.follow_no(now, refused.waited);
            } else if is_let_in {
                other_lane.follow_yes(now, sent.since(asked.refused));
            }
            self.unsaved(now, other);
            self.mark(other);
        }
    }

    /// Limits that one of a pool's lanes has confirmed are those of the others that were refused at
    /// them, and the words for them are the same.
    pub(super) fn tell_limits(&mut self, now: Instant, lane: u32) {
        let state = &self.lanes[lane as usize];
        if state.shares.is_one || state.siblings.is_empty() {
            return;
        }
        let siblings = state.siblings.clone();
        for other in siblings {
            self.let_follow(now, lane, other);
            self.let_follow(now, other, lane);
        }
    }

    fn let_follow(&mut self, now: Instant, from: u32, to: u32) {
        if let Ok([from, to]) = self.lanes.get_disjoint_mut([from as usize, to as usize]) {
            to.lane.follow_words(&from.lane);
        }
        let quotas: SmallVec<[Quota; 3]> = self.lanes[from as usize]
            .lane
            .quotas()
            .iter()
            .copied()
            .filter(Quota::is_confirmed)
            .collect();
        for quota in quotas {
            if self.lanes[to as usize].lane.follow_quota(now, &quota) {
                self.unsaved(now, to);
                self.tell_decisions(to);
                self.mark(to);
            }
        }
    }

    fn like(&self, lane: u32, asked: &Asking) -> SmallVec<[u32; 4]> {
        let is_like = |other: &u32| {
            let other = &self.lanes[*other as usize];
            let asking = other.lane.asking().filter(|_| !other.shares.is_one);
            asking.is_some_and(|asking| asking.is_like(asked))
        };
        self.lanes[lane as usize].siblings.iter().copied().filter(is_like).collect()
    }
}
