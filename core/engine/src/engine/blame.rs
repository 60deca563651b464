//! A host of several whose own limit it is: it rests, or is capped, alone.
//!
//! The hosts of a provider mostly share their counters, and where one refuses, the lane slows. Some
//! count each for itself. Which it is shows in who refuses: of hosts that take turns and share a
//! limit, now one and now another is the first to refuse.

use postlane_lanes::Signal;
use postlane_mail::Instant;

use super::Engine;
use crate::session::{Slot, SlotState};

/// Waves in a row that one host must have begun alone, while others took mail, before the next is
/// held to be its own: by chance one of two hosts does so once in eight times. Chosen, not measured.
const WAVES: u8 = 3;

/// The same for refusals of one more connection, which slow nothing. Chosen, not measured.
const REFUSALS: u8 = 1;

impl<E> Engine<E> {
    /// Whether what a host has refused is its own limit. Then it rests, and the lane need not hear
    /// of it.
    pub(super) fn is_hosts_own(
        &mut self,
        now: Instant,
        path: u32,
        address: std::net::SocketAddr,
        signal: Signal,
    ) -> bool {
        let enough = match signal {
            Signal::Rate { .. } => WAVES,
            Signal::Conn => REFUSALS,
            _ => return false,
        };
        let state = &mut self.paths[path as usize];
        let lane = &self.lanes[state.lane as usize].lane;
        // What is refused while the lane rests belongs to the wave that made it rest.
        if !lane.learns() || lane.is_resting() {
            return false;
        }
        let serves_elsewhere = state.serves_elsewhere(now, address);
        if !state.blame(now, address, serves_elsewhere, enough, &mut self.chance) {
            return false;
        }
        // Whoever is let in may stay, if only the number of sessions is too large.
        if matches!(signal, Signal::Rate { .. }) {
            self.leave_host(path, address);
        }
        true
    }

    /// No session to a host is given anything more, nor is the one that was just refused.
    fn leave_host(&mut self, path: u32, address: std::net::SocketAddr) {
        let is_its = |slot: &Slot| {
            slot.state == SlotState::Open && slot.path == path && slot.address == address
        };
        let slots = (0..).zip(&self.slots);
        let places: Vec<u32> =
            slots.filter(|(_, slot)| is_its(slot)).map(|(place, _)| place).collect();
        places.into_iter().for_each(|place| self.close(place));
    }
}
