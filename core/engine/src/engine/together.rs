//! Sources that a provider counts together.
//!
//! A limit of each source and one of all of them are told apart when a source is refused: where the
//! others go on, it was its own; where one that has sent far less, or far more, is refused as well,
//! and nothing was accepted between, one limit counts them. From then on their lanes are told what
//! each of them does.

use postlane_lanes::{Doing, Heard, Onset, Shared, Signal};
use postlane_mail::{Instant, Stream};
use smallvec::SmallVec;

use super::Engine;
use crate::session::SlotState;

/// A lane's part in a limit that it shares.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Shares {
    /// It is one of those that are counted together.
    pub(super) is_one: bool,
    /// Refusals of its own in a row while others of them were accepted.
    alone: u8,
    others_accepted: bool,
}

impl Shares {
    /// As it was kept.
    pub(super) fn recall(&mut self, is_one: bool) {
        *self = Self { is_one, ..Self::default() };
    }
}

/// Counts of two sources that differ by less say nothing.
const FEWER: f64 = 0.75;
/// So many messages more, at least. Chosen, not measured.
const MORE: u64 = 4;
/// What was under way when the first was refused may still be accepted, and one in fifty.
const UNDER_WAY: u64 = 1;
/// Refused so often in a row, while others are accepted, a source has trouble of its own.
const ALONE: u8 = 3;

impl<E> Engine<E> {
    /// The others of a limit that a lane shares.
    fn together(&self, lane: u32) -> SmallVec<[u32; 4]> {
        let state = &self.lanes[lane as usize];
        let is_one = |other: &u32| self.lanes[*other as usize].shares.is_one;
        if !state.shares.is_one {
            return SmallVec::new();
        }
        state.siblings.iter().copied().filter(is_one).collect()
    }

    /// The lanes that share a limit with this one hear what it does.
    pub(super) fn tell_together(&mut self, now: Instant, lane: u32, doing: Doing) {
        for other in self.together(lane) {
            self.lanes[other as usize].lane.beside(now, &doing);
            if matches!(doing, Doing::Hears(_) | Doing::Over(_) | Doing::Opened) {
                self.mark(other);
            }
            if matches!(doing, Doing::Hears(_)) {
                self.unsaved(now, other);
                self.tell_decisions(other);
            }
        }
        if let Doing::Hears(heard) = doing {
            self.watch_together(lane, &heard);
        }
    }

    /// Whether others are refused as this lane was that has just begun to rest.
    pub(super) fn compare_waves(&mut self, now: Instant, lane: u32) {
        let state = &self.lanes[lane as usize];
        let Some(own) = state.lane.wave().filter(|_| !state.shares.is_one) else { return };
        let mut all: SmallVec<[(Instant, u32); 4]> = SmallVec::from_slice(&[(own.refused, lane)]);
        let others = state.siblings.iter().copied();
        let together = others.filter_map(|other| {
            let wave = self.lanes[other as usize].lane.wave()?;
            self.broke_together(now, (lane, own), wave).then_some((wave.refused, other))
        });
        all.extend(together);
        all.sort_unstable();
        let waves = || all.iter().filter_map(|(_, lane)| self.lanes[*lane as usize].lane.wave());
        let began = waves().map(|wave| wave.began).min().unwrap_or(now);
        let last = waves().map(|wave| wave.refused).max().unwrap_or(now);
        let sent = |(_, lane): &(Instant, u32)| {
            self.lanes[*lane as usize].lane.accepted_between(began, last)
        };
        let few = all.iter().map(sent).min().unwrap_or_default();
        let many = all.iter().map(sent).max().unwrap_or_default();
        if few as f64 <= FEWER * many as f64 && many >= few + MORE {
            self.count_together(now, &all);
        }
    }

    /// Whether two waves may be of one limit: both were sending when the first broke, and nothing was
    /// accepted from anybody from then on, but for what was under way.
    fn broke_together(&self, now: Instant, (lane, one): (u32, Onset), two: Onset) -> bool {
        let first = one.refused.min(two.refused);
        let accepted = |since: Instant| -> u64 {
            let of = |lane: u32| self.lanes[lane as usize].lane.accepted_between(since, now);
            self.with_siblings(lane).map(of).sum()
        };
        let before = accepted(one.began.min(two.began));
        let both_sent = one.began.max(two.began) <= first;
        both_sent && accepted(first) <= UNDER_WAY + before / 50
    }

    fn with_siblings(&self, lane: u32) -> impl Iterator<Item = u32> {
        let siblings = self.lanes[lane as usize].siblings.iter().copied();
        siblings.chain(std::iter::once(lane))
    }

    /// These are counted together from now on, the first that was refused in front.
    fn count_together(&mut self, now: Instant, refused: &[(Instant, u32)]) {
        let all: SmallVec<[u32; 4]> = refused.iter().map(|(_, lane)| *lane).collect();
        // Whoever is one of several already brings what all of them know: once.
        let mut told = false;
        let lanes: Vec<&postlane_lanes::Lane> = all
            .iter()
            .map(|lane| &self.lanes[*lane as usize])
            .filter(|state| !state.shares.is_one || !std::mem::replace(&mut told, true))
            .map(|state| &state.lane)
            .collect();
        let Some(together) = Shared::of(&lanes) else { return };
        for lane in all {
            let state = &mut self.lanes[lane as usize];
            state.shares = Shares { is_one: true, ..Shares::default() };
            state.lane.know(now, &together);
            self.unsaved(now, lane);
            self.tell_decisions(lane);
            self.mark(lane);
        }
    }

    /// A source that is refused again and again while others of the same limit are accepted has
    /// trouble of its own, and goes its own way.
    fn watch_together(&mut self, lane: u32, heard: &Heard) {
        let others = self.together(lane);
        let shares = &mut self.lanes[lane as usize].shares;
        match heard.signal {
            Signal::Accepted => {
                *shares = Shares { is_one: shares.is_one, ..Shares::default() };
                others.iter().for_each(|other| {
                    self.lanes[*other as usize].shares.others_accepted = true;
                });
            }
            Signal::Rate { .. } | Signal::Policy if shares.is_one => {
                if std::mem::take(&mut shares.others_accepted) || shares.alone == 0 {
                    shares.alone += 1;
                }
                if shares.alone >= ALONE {
                    self.part_from_others(lane);
                }
            }
            _ => {}
        }
    }

    fn part_from_others(&mut self, lane: u32) {
        let mut parted: SmallVec<[u32; 4]> = self.together(lane);
        // Of two, both are alone.
        if parted.len() > 1 {
            parted.clear();
        }
        parted.push(lane);
        let left: SmallVec<[u32; 4]> =
            self.together(lane).into_iter().filter(|other| !parted.contains(other)).collect();
        for lane in &parted {
            self.lanes[*lane as usize].shares = Shares::default();
        }
        let count = |of: &[u32]| {
            let mut under_way = [0, 0, 0];
            for slot in self.slots.iter().filter(|slot| of.contains(&slot.lane)) {
                if slot.state == SlotState::Opening {
                    under_way[2] += 1;
                }
                if slot.state != SlotState::Free {
                    for flight in &slot.in_flight {
                        under_way[usize::from(flight.stream == Stream::Transactional)] += 1;
                    }
                }
            }
            under_way
        };
        // Those that stay hear no more of it; what it has under way will not be over for them.
        for lane in &parted {
            let [bulk, urgent, opening] = count(&[*lane]);
            self.lanes[*lane as usize].lane.part(bulk, urgent, opening);
        }
        let [bulk, urgent, opening] = count(&left);
        for lane in left {
            self.lanes[lane as usize].lane.have_under_way(bulk, urgent, opening);
        }
    }
}
