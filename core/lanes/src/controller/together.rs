//! Several sources that one limit counts together: each controller hears what all of them do.
//!
//! They begin alike, with what the first that was refused had learned and with everybody's mail,
//! and are told the same from then on: so each of them knows what the others have left of the limit.

use postlane_mail::{Instant, Stream};

use super::{Controller, Heard, Wants};
use crate::decision::Decision;
use crate::history::History;
use crate::quota::Counted;
use crate::rest::Rest;

/// A wave of refusals that no limit that is known explains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Onset {
    /// When the sending before it had begun.
    pub began: Instant,
    /// When the message went out that was refused first.
    pub refused: Instant,
}

/// What another source of the same limit does.
#[derive(Debug, Clone, Copy)]
pub enum Doing {
    /// It opens a session.
    Opens,
    /// The session is open, or never will be.
    Opened,
    /// It sends a message whose session has paid for it.
    SendsPrepaid(Stream),
    /// It sends a message.
    Sends(Stream),
    /// A message of it is over.
    Over(Stream),
    /// It hears what became of something.
    Hears(Heard),
}

impl Controller {
    /// What all of them know together: what the first of them has learned, of everybody's mail.
    pub(crate) fn of_all(all: &[&Self]) -> Option<Self> {
        let first = *all.first()?;
        let mut one = first.clone();
        let each =
            |of: fn(&Self) -> &History| merged(&all.iter().map(|c| of(c)).collect::<Vec<_>>());
        one.counted =
            Counted { all: each(|c| &c.counted.all), accepted: each(|c| &c.counted.accepted) };
        one.transactional = each(|c| &c.transactional);
        one.under_way = all
            .iter()
            .fold([0; 2], |[bulk, urgent], c| [bulk + c.under_way[0], urgent + c.under_way[1]]);
        one.sessions_opening = all.iter().map(|c| c.sessions_opening).sum();
        let rate: f64 = all.iter().map(|c| c.pace.learned()).sum();
        let scale = rate / first.pace.learned().max(1e-9);
        one.pace.keep_to(rate, one.pace.since);
        one.failed = one.failed.map(|failed| failed * scale);
        if let Some(rest) = &mut one.rest {
            rest.pace = rest.pace.map(|pace| pace * scale);
        }
        Some(one)
    }

    /// Knows what all of them know; chance stays its own, so that they do not ask all at once.
    pub(crate) fn know(&mut self, now: Instant, one: &Self) {
        let chance = self.chance.clone();
        let decisions = std::mem::take(&mut self.decisions);
        *self = Self { chance, decisions, is_shared: true, ..one.clone() };
        self.decide(now, Decision::Shares);
    }

    /// It goes its own way again: these alone are under way.
    pub(crate) fn part(&mut self, bulk: u32, urgent: u32, opening: u32) {
        (self.under_way, self.sessions_opening) = ([bulk, urgent], opening);
        self.is_shared = false;
    }

    /// One of them has parted: these are under way, of those that are left.
    pub(crate) fn have_under_way(&mut self, bulk: u32, urgent: u32, opening: u32) {
        (self.under_way, self.sessions_opening) = ([bulk, urgent], opening);
    }

    /// Another of them does something.
    pub(crate) fn beside(&mut self, now: Instant, doing: &Doing) {
        match doing {
            Doing::Opens => self.opening(now),
            Doing::Opened => self.opening_is_over(),
            Doing::SendsPrepaid(stream) => self.sending(now, *stream, Wants::Prepaid),
            Doing::Sends(stream) => self.sending(now, *stream, Wants::Unit),
            Doing::Over(stream) => self.over(*stream),
            Doing::Hears(heard) => self.hear(now, heard),
        }
    }

    /// The wave that it rests for, where no limit that is known explains it.
    pub(crate) fn wave(&self) -> Option<Onset> {
        let is_first = |rest: &Rest| self.last_refused.is_none() && rest.explained.is_none();
        let rest = self.rest.filter(is_first)?;
        Some(Onset { began: rest.began, refused: rest.refused })
    }

    pub(crate) fn accepted_between(&self, since: Instant, until: Instant) -> u64 {
        self.counted.accepted.between(since, until)
    }
}

/// What happened here or there, in its order.
fn merged(histories: &[&History]) -> History {
    let mut all = History::default();
    let mut walks: Vec<_> = histories.iter().map(|h| h.walk(Instant::default())).collect();
    while let Some(at) = walks.iter().filter_map(|walk| walk.next_end()).min() {
        let many: u64 = walks.iter_mut().map(|walk| walk.go_to(at)).sum();
        all.restore(at, u32::try_from(many).unwrap_or(u32::MAX));
    }
    all
}

#[cfg(test)]
mod tests {
    use postlane_mail::Span;

    use super::*;
    use crate::controller::{FIRST_RATE, State};
    use crate::quota::Quota;
    use crate::signal::{Hint, Signal};

    /// A source that asked whether its quota takes one more, just as another had trouble of its own, was not
    /// refused together with it.
    #[test]
    fn what_a_known_limit_explains_is_no_wave() {
        let refused_after_30 = |quotas: &[Quota]| {
            let start = Instant::from_unix_s(1_000_000);
            let mut controller = Controller::new(FIRST_RATE, 1);
            controller.state = State::Normal;
            controller.quotas.extend_from_slice(quotas);
            for s in 0..30 {
                controller.counted.accepted.record(start + Span::from_s(s));
                controller.counted.all.record(start + Span::from_s(s));
            }
            let hint = Hint { wait: None, window: None, quota: None, closes: false };
            let (sent, stream) = (start + Span::from_s(31), Stream::Engaged);
            let signal = Signal::Rate { hint };
            let heard = Heard { signal, sent, stream, attempts: 0, carried: 0, open: 1 };
            controller.hear(sent, &heard);
            assert!(controller.rests());
            controller.wave().is_some()
        };
        assert!(refused_after_30(&[]));
        assert!(!refused_after_30(&[Quota::new(Span::from_h(1), 30, 2)]));
    }
}
