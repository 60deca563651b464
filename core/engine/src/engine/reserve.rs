//! What one source of several keeps free while nobody knows the provider's limit.
//!
//! Sources that find out together are shut out together, and transactional mail waits an hour for
//! the first of them. So the last one that is open lets the others find out, and carries half as much.

use postlane_lanes::{Arrivals, Lane, Quota};
use postlane_mail::{Instant, Span, Stream};

use super::Engine;

/// How soon it is asked again.
pub(super) const ASKED_AGAIN: Span = Span::from_s(5);

/// A smaller limit of one source says nothing of another: it may be that source's own trouble.
const TOLD_MIN: u32 = 30;

const DAY: Span = Span::from_h(24);

/// A source that was let in for the last time so long ago is no scout any more. Chosen, not measured:
/// longer than most providers shut anybody out.
const SHUT_OUT_FOR: Span = Span::from_h(6);

/// A source that is refused after so few, or fewer, has trouble of its own: it is no scout either. Chosen by
/// rehearsals (decision 053).
const HARDLY: u64 = 15;

/// The reserve carries so many in any case.
const FEW: u64 = 4;

impl<E> Engine<E> {
    /// Whether a lane that knows its quota keeps what is left of it for its part of the pool's
    /// transactional mail: others may have carried all of it while this one rested.
    fn keeps_its_part(&self, now: Instant, lane: u32) -> bool {
        let state = &self.lanes[lane as usize];
        let pace = |lane: &Lane| {
            let paces = lane.quotas().iter().map(Quota::pace);
            paces.fold(f64::INFINITY, f64::min)
        };
        let own = pace(&state.lane);
        if !own.is_finite() {
            return false;
        }
        let others = || state.siblings.iter().map(|other| &self.lanes[*other as usize].lane);
        let all: f64 = others().map(pace).filter(|pace| pace.is_finite()).sum::<f64>() + own;
        let pool = others().map(|lane| lane.transactional_lately(now));
        let carried = state.lane.transactional_lately(now);
        let part = pool.fold(carried, Arrivals::and).part(own / all);
        if !carried.is_less_than_half(part) {
            return false;
        }
        state.lane.quotas().iter().any(|quota| state.lane.has_only_reserve(now, quota, part))
    }

    /// Whether a lane keeps what it has for transactional mail.
    pub(super) fn keeps_reserve(&self, now: Instant, lane: u32, stream: Stream) -> bool {
        let state = &self.lanes[lane as usize];
        if state.siblings.is_empty()
            || state.shares.is_one
            || stream == Stream::Transactional
            || !state.lane.learns()
        {
            return false;
        }
        if self.keeps_its_part(now, lane) {
            return true;
        }
        let others = || state.siblings.iter().map(|other| &self.lanes[*other as usize].lane);
        // Who has hardly been let in for hours finds nothing out: nobody waits for that.
        let finds_out =
            |lane: &&Lane| !lane.is_resting() || lane.accepted_within(SHUT_OUT_FOR, now) > HARDLY;
        let siblings = || others().filter(finds_out);
        let told = siblings().flat_map(|lane| lane.quotas()).max_by_key(|quota| quota.messages);
        if let Some(quota) = told.filter(|quota| quota.messages >= TOLD_MIN) {
            // What one of them knows is likely to hold here, too, in the beginning.
            let begins = state.lane.quotas().is_empty()
                && state.lane.accepted_within(DAY, now) < 2 * u64::from(quota.messages);
            let pool = others().map(|lane| lane.transactional_lately(now));
            let pool = pool.fold(state.lane.transactional_lately(now), Arrivals::and);
            return begins && state.lane.has_only_reserve(now, quota, pool);
        }
        let open = |lane: u32| !self.lanes[lane as usize].lane.is_resting();
        let is_last =
            open(lane) && !state.siblings.iter().any(|other| *other > lane && open(*other));
        if !is_last {
            return false;
        }
        if !siblings().any(|lane| lane.is_blind(now)) {
            return false;
        }
        let most = siblings().map(|lane| lane.accepted_lately(now)).max().unwrap_or_default();
        state.lane.accepted_lately(now) >= most / 2 + FEW
    }
}
