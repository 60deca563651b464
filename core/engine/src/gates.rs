//! Gates: ceilings that bind more than one lane, or a part of one lane's mail.
//!
//! A provider's gate binds the sum over all its sources; the gate of a section (some hosts, a
//! pool, a tenant, a domain) binds that mail alone, in whatever lanes. All gates of a message
//! must be open before it goes; one that is shut holds up nothing that does not pass it.

use std::collections::BTreeMap;

use postlane_lanes::{Ask, Budget, Ceiling};
use postlane_mail::Instant;

use crate::names::{ProviderId, SectionId, SourceId};

/// What a gate is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Of {
    /// A provider, all sources together.
    Provider(ProviderId),
    /// A section, all sources together.
    Section(SectionId),
    /// A section, one source.
    SectionAt(SectionId, SourceId),
}

/// Why something may not go yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shut {
    /// Too much has gone already.
    Until(Instant),
    /// As many connections as may be are in use. The gate remembers who asked.
    Full(Of),
}

/// All gates with a ceiling.
#[derive(Debug, Default)]
pub(crate) struct Gates {
    gates: BTreeMap<Of, Gate>,
}

#[derive(Debug)]
struct Gate {
    ceiling: Ceiling,
    /// Messages and sessions, when they are begun.
    budget: Budget,
    /// Messages, when they go: a session takes its time to open.
    wire: Budget,
    /// Connections in use.
    used: u32,
    /// Paths that found it full.
    waiting: Vec<u32>,
}

impl Gates {
    /// A gate keeps to a ceiling from now on; one without any is always open. What was spent
    /// and what is in use stays counted.
    pub(crate) fn keep_to(&mut self, of: Of, ceiling: Ceiling) {
        if ceiling == Ceiling::default() {
            // Who waits is offered when settings change; connections in use are counted anew
            // by nobody, so the gate stays, open.
            if let Some(gate) = self.gates.get_mut(&of) {
                gate.keep_to(ceiling);
            }
            return;
        }
        self.gates.entry(of).or_insert_with(|| Gate::new(ceiling)).keep_to(ceiling);
    }

    /// Nobody will pass it any more.
    pub(crate) fn forget(&mut self, of: Of) {
        self.gates.remove(&of);
    }

    /// Every gate there is.
    pub(crate) fn known(&self) -> Vec<Of> {
        self.gates.keys().copied().collect()
    }

    /// Whether there is none at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.gates.is_empty()
    }

    /// Whether a session may be opened, or a message go.
    pub(crate) fn pace(&self, now: Instant, of: Of, ask: Ask) -> Result<(), Shut> {
        let Some(gate) = self.gates.get(&of) else { return Ok(()) };
        let next = match ask {
            Ask::Connection => gate.budget.next(),
            Ask::Message => gate.budget.next().max(gate.wire.next()),
            Ask::Prepaid => gate.wire.next(),
        };
        if next <= now { Ok(()) } else { Err(Shut::Until(next)) }
    }

    /// Whether one more connection may be used.
    pub(crate) fn room(&self, of: Of) -> Result<(), Shut> {
        let full = |gate: &Gate| {
            gate.ceiling.connections.is_some_and(|most| gate.used >= u32::from(most.get()))
        };
        if self.gates.get(&of).is_some_and(full) { Err(Shut::Full(of)) } else { Ok(()) }
    }

    /// A session is opened, or a message goes.
    pub(crate) fn spend(&mut self, now: Instant, of: Of, ask: Ask) {
        let Some(gate) = self.gates.get_mut(&of) else { return };
        if ask != Ask::Prepaid {
            gate.budget.spend(now);
        }
        if ask != Ask::Connection {
            gate.wire.spend(now);
        }
    }

    /// One more connection is in use. Told for gates without a ceiling, too, it is forgotten.
    pub(crate) fn take(&mut self, of: Of) {
        if let Some(gate) = self.gates.get_mut(&of) {
            gate.used += 1;
        }
    }

    /// A connection is in use no more: who waited for that, the longest waiting first.
    pub(crate) fn leave(&mut self, of: Of) -> Vec<u32> {
        let Some(gate) = self.gates.get_mut(&of) else { return Vec::new() };
        gate.used = gate.used.saturating_sub(1);
        std::mem::take(&mut gate.waiting)
    }

    /// A path waits until a connection is in use no more.
    pub(crate) fn wait(&mut self, of: Of, path: u32) {
        if let Some(gate) = self.gates.get_mut(&of)
            && !gate.waiting.contains(&path)
        {
            gate.waiting.push(path);
        }
    }

    /// Connections in use were counted anew.
    pub(crate) fn set_used(&mut self, used: &BTreeMap<Of, u32>) {
        for (of, gate) in &mut self.gates {
            gate.used = used.get(of).copied().unwrap_or_default();
            gate.waiting.clear();
        }
    }
}

impl Gate {
    fn new(ceiling: Ceiling) -> Self {
        let budget = Budget::new(ceiling.rate);
        Self { ceiling, budget, wire: budget, used: 0, waiting: Vec::new() }
    }

    fn keep_to(&mut self, ceiling: Ceiling) {
        self.ceiling = ceiling;
        self.budget.keep_to(ceiling.rate);
        self.wire.keep_to(ceiling.rate);
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU16;

    use postlane_mail::{Rate, Span};

    use super::*;

    const NOW: Instant = Instant::from_unix_s(1_000);
    const GATE: Of = Of::Section(SectionId(1));

    fn gates(connections: u16, rate: &str) -> Gates {
        let mut gates = Gates::default();
        let rate = Rate::parse(rate).ok();
        gates.keep_to(GATE, Ceiling { connections: NonZeroU16::new(connections), rate });
        gates
    }

    #[test]
    fn a_gate_that_nobody_set_is_open() {
        let mut gates = Gates::default();
        gates.spend(NOW, GATE, Ask::Message);
        gates.take(GATE);
        assert_eq!((gates.pace(NOW, GATE, Ask::Message), gates.room(GATE)), (Ok(()), Ok(())));
    }

    #[test]
    fn what_was_spent_counts_when_the_ceiling_changes() {
        let mut gates = gates(1, "1/h");
        gates.spend(NOW, GATE, Ask::Message);
        assert!(matches!(gates.pace(NOW, GATE, Ask::Message), Err(Shut::Until(_))));
        let rate = Rate::new(1, Span::from_min(1));
        gates.keep_to(GATE, Ceiling { connections: None, rate });
        assert!(matches!(
            gates.pace(NOW + Span::from_s(59), GATE, Ask::Message),
            Err(Shut::Until(_))
        ));
        assert_eq!(gates.pace(NOW + Span::from_s(61), GATE, Ask::Message), Ok(()));
    }

    #[test]
    fn whoever_finds_a_gate_full_is_told_when_it_is_not() {
        let mut gates = gates(1, "");
        gates.take(GATE);
        assert_eq!(gates.room(GATE), Err(Shut::Full(GATE)));
        for path in [3, 4, 3] {
            gates.wait(GATE, path);
        }
        assert_eq!(gates.leave(GATE), [3, 4]);
        assert_eq!(gates.room(GATE), Ok(()));
    }
}
