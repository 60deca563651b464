//! What a seed stands for: how much mail, which hosts, and what breaks when.

use std::collections::BTreeMap;

use postlane_mail::Span;

use crate::dice::Dice;
use crate::hosts::Temper;

/// Something that breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The program is killed.
    Crash,
    /// The program is killed when some of what waited is durable and nobody has heard of it.
    CrashUnheard,
    /// The disk fails; somebody restarts the program later.
    DiskFails,
}

/// One simulation.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) temper: Temper,
    /// Messages of clients.
    pub(crate) messages: u64,
    /// They come within this time.
    pub(crate) arrive_within: Span,
    /// How long it goes on.
    pub(crate) lasts: Span,
    /// What breaks, by the number of the happening before which it does.
    pub(crate) faults: BTreeMap<u64, Fault>,
}

/// Longer than the longest life of a message and of the report of it.
pub(crate) const ALL_LIVES: Span = Span::from_h(200);

impl Fault {
    pub(crate) const ALL: [Self; 3] = [Self::Crash, Self::CrashUnheard, Self::DiskFails];
}

impl Plan {
    /// The simulation of a seed.
    pub(crate) fn of(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let temper = Temper::drawn(&mut dice);
        let messages = 10 + dice.roll(70);
        let faults = (0..dice.roll(12)).map(|_| {
            let at = dice.roll(messages * 25);
            (at, Fault::ALL[dice.roll(3) as usize])
        });
        let faults = faults.collect();
        let arrive_within = Span::from_s(1 + dice.roll(3600));
        Self { seed, temper, messages, arrive_within, lasts: ALL_LIVES, faults }
    }

    /// Little mail, all at once, and one fault. It ends when the first have been told that
    /// their mail is late, with some of it still waiting.
    pub(crate) fn small(seed: u64, at: u64, fault: Fault) -> Self {
        let plan = Self::of(seed);
        Self {
            messages: 6,
            arrive_within: Span::from_ms(20),
            lasts: Span::from_h(5),
            faults: BTreeMap::from([(at, fault)]),
            ..plan
        }
    }
}
