//! How much of messages is on its way in, in memory, and for whom there is room beside it
//! (`limits.body_memory`).

use std::sync::atomic::{AtomicU64, Ordering};

use postlane_smtp::server::{Pressure, Standing};

/// Of the room, the part that strangers have together. They may write to our desks and to bounce addresses
/// alone; whoever of them stops in the middle of messages must not shut out who may send. Chosen, not
/// measured.
const STRANGERS: u64 = 4;

/// Octets that are on their way in.
#[derive(Debug, Default)]
pub(crate) struct OnItsWay {
    all: AtomicU64,
    /// Of those, a stranger's, of messages that are not here wholly yet.
    strangers: AtomicU64,
}

impl OnItsWay {
    /// Octets of all.
    pub(crate) fn all(&self) -> u64 {
        self.all.load(Ordering::Relaxed)
    }

    /// So many more are on their way.
    pub(crate) fn come(&self, octets: u64) {
        self.all.fetch_add(octets, Ordering::Relaxed);
    }

    /// So many are not any more.
    pub(crate) fn go(&self, octets: u64) {
        self.all.fetch_sub(octets, Ordering::Relaxed);
    }

    /// What has come of a client's message is now so much; it was so much.
    pub(crate) fn amounts_to(&self, standing: &Standing, was: usize, is: usize) {
        let counts = [Some(&self.all), (!standing.may_relay()).then_some(&self.strangers)];
        for count in counts.into_iter().flatten() {
            if is > was {
                count.fetch_add((is - was) as u64, Ordering::Relaxed);
            } else {
                count.fetch_sub((was - is) as u64, Ordering::Relaxed);
            }
        }
    }

    /// Whether there is room for more from somebody, of so many octets in all; one message of so many
    /// always has room among strangers.
    pub(crate) fn pressure(&self, standing: &Standing, room: u64, message: u64) -> Pressure {
        let of_all = beside(self.all(), room);
        if standing.may_relay() || of_all == Pressure::NoMemory {
            return of_all;
        }
        let strangers = self.strangers.load(Ordering::Relaxed);
        match beside(strangers, (room / STRANGERS).max(message)) {
            Pressure::None => of_all,
            pressed => pressed,
        }
    }
}

fn beside(octets: u64, room: u64) -> Pressure {
    match octets {
        octets if octets > room => Pressure::NoMemory,
        // What is on its way may still come in.
        octets if octets > room - room / 4 => Pressure::Busy,
        _ => Pressure::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1 << 20;

    fn pressure(on_its_way: &OnItsWay, standing: &Standing) -> Pressure {
        on_its_way.pressure(standing, 16 * MIB as u64, MIB as u64)
    }

    #[test]
    fn strangers_who_stall_shut_out_strangers_and_nobody_else() {
        let on_its_way = OnItsWay::default();
        on_its_way.amounts_to(&Standing::Stranger, 0, 2 * MIB);
        on_its_way.amounts_to(&Standing::Stranger, 0, 2 * MIB);
        assert_eq!(pressure(&on_its_way, &Standing::Stranger), Pressure::Busy);
        on_its_way.amounts_to(&Standing::Stranger, 2 * MIB, 3 * MIB);
        assert_eq!(pressure(&on_its_way, &Standing::Stranger), Pressure::NoMemory);
        assert_eq!(pressure(&on_its_way, &Standing::Neighbour), Pressure::None);
        on_its_way.amounts_to(&Standing::Stranger, 3 * MIB, 0);
        assert_eq!(pressure(&on_its_way, &Standing::Stranger), Pressure::None);
        assert_eq!(on_its_way.all(), 2 * MIB as u64);
    }

    #[test]
    fn who_may_send_shuts_out_everybody_when_all_is_taken() {
        let on_its_way = OnItsWay::default();
        on_its_way.amounts_to(&Standing::Neighbour, 0, 13 * MIB);
        assert_eq!(pressure(&on_its_way, &Standing::Stranger), Pressure::Busy);
        on_its_way.come(4 * MIB as u64);
        assert_eq!(pressure(&on_its_way, &Standing::Neighbour), Pressure::NoMemory);
        assert_eq!(pressure(&on_its_way, &Standing::Stranger), Pressure::NoMemory);
        on_its_way.go(4 * MIB as u64);
        assert_eq!(pressure(&on_its_way, &Standing::Neighbour), Pressure::Busy);
    }
}
