//! What is kept of a lane, or of a provider as a whole, over a restart of the program.
//!
//! Octets for the spool's keyed state: a version, then fields. Whoever reads a version they do
//! not know keeps nothing of it but the orders: what an operator has ordered must hold after a
//! step back to an older version, too. What cannot be read is counted and said, never guessed.

mod learned;

use crate::fields::{Reader, Writer};
use crate::order::Orders;
use crate::restart::{Day, Reservation, Restart};

pub use learned::{Learned, LearnedQuota, LearnedRest, Past};

/// All that is kept of a lane or a provider.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Memory {
    /// What operators have ordered.
    pub orders: Orders,
    /// The restart plan, if there is one.
    pub restart: Option<Restart>,
    /// What the lane has learned of its provider.
    pub learned: Option<Learned>,
}

/// What was read, and what could not be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recalled {
    /// What could.
    pub memory: Memory,
    /// Parts that are there and cannot be read.
    pub unread: u32,
}

/// The version that is written. A change of meaning needs another; a new field does not.
const VERSION: u8 = 1;

const ORDER: u8 = 1;
const RESTART: u8 = 2;
const LEARNED: u8 = 3;

impl Memory {
    /// Whether nothing is worth keeping.
    pub fn is_empty(&self) -> bool {
        self.orders.is_empty() && self.restart.is_none() && self.learned.is_none()
    }

    /// As the spool keeps it.
    pub fn to_octets(&self) -> Vec<u8> {
        let mut out = Writer::default();
        self.orders.write(ORDER, &mut out);
        if let Some(restart) = &self.restart {
            out.nested(RESTART, restart.fields());
        }
        if let Some(learned) = self.learned.as_ref().map(Learned::fields).filter(|l| !l.is_empty())
        {
            out.nested(LEARNED, learned);
        }
        let mut octets = vec![VERSION];
        octets.append(&mut out.into_octets());
        octets
    }

    /// Reads what the spool has kept.
    pub fn recall(octets: &[u8]) -> Recalled {
        let Some((version, fields)) = octets.split_first() else { return Recalled::default() };
        let kept = Reader(fields);
        let (orders, mut unread) = Orders::read(ORDER, kept);
        let mut memory = Self { orders, ..Self::default() };
        if *version != VERSION {
            return Recalled { memory, unread: unread.saturating_add(1) };
        }
        if let Some(restart) = kept.nested(RESTART) {
            memory.restart = Restart::read(restart);
            unread = unread.saturating_add(u32::from(memory.restart.is_none()));
        }
        if let Some(learned) = kept.nested(LEARNED) {
            memory.learned = Learned::read(learned);
            unread = unread.saturating_add(u32::from(memory.learned.is_none()));
        }
        Recalled { memory, unread }
    }
}

impl Reservation {
    /// As the spool keeps it, beside the memory: it is written far more often.
    pub fn to_octets(self) -> Vec<u8> {
        let mut out = Writer::default();
        out.number(1, self.day.0.into());
        out.number(2, self.upto.into());
        let mut octets = vec![VERSION];
        octets.append(&mut out.into_octets());
        octets
    }

    /// Reads what the spool has kept.
    pub fn recall(octets: &[u8]) -> Option<Self> {
        let (version, fields) = octets.split_first()?;
        let kept = Reader(fields);
        let reservation = || Some(Self { day: Day(kept.small(1)?), upto: kept.small(2)? });
        (*version == VERSION).then(reservation).flatten()
    }
}

#[cfg(test)]
mod tests;
