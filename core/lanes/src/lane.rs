//! A lane: what may go now, and if not, when.

use postlane_mail::{Instant, Span};

use crate::budget::Budget;
use crate::ceilings::Ceilings;
use crate::signal::Signal;

/// The way from one source to one provider.
#[derive(Debug, Clone)]
pub struct Lane {
    ceilings: Ceilings,
    budget: Budget,
    open: u16,
    accepted: u64,
    refused: u64,
}

/// What somebody wants of a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// To open a session. It costs one unit, and the first message on it then costs none.
    Connection,
    /// To send a message on a session that is open.
    Message,
}

/// A lane waits no longer than this at one word of a provider's, however long it says:
/// a slip of theirs must not stop a lane for weeks. Chosen, not measured.
const WAIT_MAX: Span = Span::from_h(24);

/// What a lane says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permit {
    /// Go.
    Now,
    /// Not before.
    After(Instant),
    /// When a session closes.
    Full,
}

impl Lane {
    /// A lane that nothing is known of.
    pub fn new(ceilings: Ceilings) -> Self {
        Self { ceilings, budget: Budget::new(ceilings.rate), open: 0, accepted: 0, refused: 0 }
    }

    /// Keeps other ceilings from now on; sessions that are open above them go on.
    pub fn keep_to(&mut self, ceilings: Ceilings) {
        self.ceilings = ceilings;
        self.budget.keep_to(ceilings.rate);
    }

    /// Whether it may be done now.
    pub fn permit(&self, now: Instant, ask: Ask) -> Permit {
        if ask == Ask::Connection && self.open >= self.ceilings.connections {
            return Permit::Full;
        }
        if self.budget.next() <= now { Permit::Now } else { Permit::After(self.budget.next()) }
    }

    /// A session is being opened: it takes its place and its unit.
    pub fn opening(&mut self, now: Instant) {
        self.open = self.open.saturating_add(1);
        self.budget.spend(now);
    }

    /// A session is gone, opened or not.
    pub fn closed(&mut self) {
        self.open = self.open.saturating_sub(1);
    }

    /// A message goes that no connection has paid for.
    pub fn sending(&mut self, now: Instant) {
        self.budget.spend(now);
    }

    /// Hears what became of it.
    pub fn observe(&mut self, now: Instant, signal: Signal) {
        match signal {
            Signal::Accepted => self.accepted += 1,
            Signal::Rate { wait } => {
                self.refused += 1;
                // Told to wait, it waits; what rate to take up again is learned later.
                if let Some(wait) = wait {
                    self.budget.wait_until(now + wait.min(WAIT_MAX));
                }
            }
            Signal::Conn | Signal::PerConn | Signal::Outage | Signal::Ambiguous => {
                self.refused += 1;
            }
            Signal::Greylist | Signal::Mailbox | Signal::Temp | Signal::Policy | Signal::Perm => {
                self.refused += 1
            }
            Signal::ConnectFailed | Signal::Connected => {}
        }
    }

    /// Its ceilings.
    pub fn ceilings(&self) -> Ceilings {
        self.ceilings
    }

    /// Sessions open or opening.
    pub fn open(&self) -> u16 {
        self.open
    }

    /// Messages accepted and refused since the start.
    pub fn tally(&self) -> (u64, u64) {
        (self.accepted, self.refused)
    }
}

#[cfg(test)]
mod tests {
    use postlane_mail::Rate;

    use super::*;

    const NOW: Instant = Instant::from_unix_s(1_000);

    fn lane(connections: u16, per_minute: u32) -> Lane {
        let rate = Rate::new(per_minute, Span::from_min(1));
        Lane::new(Ceilings { connections, rate, session_messages: 100 })
    }

    #[test]
    fn connections_and_messages_draw_on_one_budget() {
        let mut lane = lane(10, 60);
        lane.opening(NOW);
        let Permit::After(next) = lane.permit(NOW, Ask::Message) else { panic!("paced") };
        assert_eq!(lane.permit(NOW, Ask::Connection), Permit::After(next));
        assert_eq!(lane.permit(next, Ask::Message), Permit::Now);
    }

    #[test]
    fn a_lane_opens_no_more_sessions_than_its_ceiling() {
        let mut lane = lane(2, 60_000);
        lane.opening(NOW);
        lane.opening(NOW);
        let later = NOW + Span::from_s(10);
        assert_eq!(lane.permit(later, Ask::Connection), Permit::Full);
        lane.closed();
        assert_eq!(lane.permit(later, Ask::Connection), Permit::Now);
    }

    #[test]
    fn a_lane_is_not_stopped_for_weeks_by_one_word() {
        let mut lane = lane(2, 60_000);
        lane.observe(NOW, Signal::Rate { wait: Some(Span(u64::MAX)) });
        assert_eq!(lane.permit(NOW, Ask::Message), Permit::After(NOW + Span::from_h(24)));
    }

    #[test]
    fn other_ceilings_hold_from_now_on_and_close_nothing() {
        let mut lane = lane(5, 60_000);
        (0..3).for_each(|_| lane.opening(NOW));
        lane.keep_to(Ceilings { connections: 1, rate: None, session_messages: 1 });
        assert_eq!((lane.open(), lane.permit(NOW, Ask::Connection)), (3, Permit::Full));
        assert_eq!(lane.permit(NOW, Ask::Message), Permit::Now);
    }

    #[test]
    fn a_lane_that_is_told_to_wait_waits_as_long_as_it_was_told() {
        let mut lane = lane(2, 60_000);
        lane.observe(NOW, Signal::Rate { wait: Some(Span::from_s(300)) });
        assert_eq!(lane.permit(NOW, Ask::Message), Permit::After(NOW + Span::from_s(300)));
    }
}
