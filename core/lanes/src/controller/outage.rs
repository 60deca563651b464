//! Who says that the host is out of service: it may be so, or it puts off whom it does not know, or it
//! is a limit in those words.

use postlane_mail::Instant;

use super::doubt::Kind;
use super::{Controller, FIRST_RATE, Heard, State};
use crate::curve::Curve;
use crate::decision::Decision;
use crate::rest::Rest;
use crate::signal::{Hint, Signal};

/// When a host said lately that it is out of service, with something accepted between.
#[derive(Debug, Clone, Default)]
pub(super) struct Unserved {
    said: Vec<Instant>,
    /// Something was accepted since it was said last.
    is_taken: bool,
    /// It is said to single messages, whatever is sent: one of many servers behind a name has a trouble of its own.
    is_chance: bool,
    /// The provider has said what it limits, too: it has other words for that.
    pub(super) is_told: bool,
}

/// So many are looked at together. Chosen, not measured.
const LOOKED_AT: usize = 5;

/// A limit's come where more had been sent than is ever taken; one of them may be chance's. Chosen, not measured.
const AT_A_LIMIT: usize = 1;

/// So many in a row, with nothing accepted between them, are no chance.
const IN_A_ROW: u32 = 2;

impl Unserved {
    pub(super) fn accepted(&mut self) {
        self.is_taken = true;
    }
}

impl Controller {
    pub(super) fn out_of_service(&mut self, now: Instant, heard: &Heard, hint: Hint) {
        if self.rests() {
            // A wave is no chance.
            self.unserved.said.clear();
        }
        if self.state == State::Canary {
            self.contact.put_off(heard);
            let is_news = self.rest.is_some_and(|rest| !rest.says_outage && rest.doubt.is_none());
            return if is_news {
                self.canary_unserved(now, heard)
            } else {
                self.refused(now, heard, hint)
            };
        }
        self.contact.refused(heard);
        // Retries pass, and nothing else does: that is first contact, whatever it is called.
        if self.contact.puts_off() {
            return self.greylisted(now, heard);
        }
        if !self.rests() && self.is_one_servers_trouble(now, heard) {
            if self.tries(now, heard, Kind::Outage) {
                return;
            }
            self.count(heard);
            return self.heard_of_something_else(now, heard);
        }
        self.refused(now, heard, hint);
    }

    /// Whether it is said to one message among others that are taken: one of many servers behind a name has a
    /// trouble of its own. A host that is out of service refuses what comes next, too, and a limit in those
    /// words takes again what it took once, and no more.
    fn is_one_servers_trouble(&mut self, now: Instant, heard: &Heard) -> bool {
        let kind = Kind::Outage;
        if self.doubt.is_limit(kind) {
            return false;
        }
        if !self.unserved.is_chance && self.comes_at_any_pace(heard.sent) {
            self.unserved.is_chance = true;
            self.forget_waves(now);
        }
        if !self.unserved.is_chance {
            return false;
        }
        let in_a_row = self.doubt.once_more();
        if self.are_a_limits(heard.sent, kind) {
            self.doubt.prove(kind);
            return false;
        }
        in_a_row < IN_A_ROW.max(self.contact.no_chance())
    }

    /// Whether those words were said, most times, where no more had been sent than was taken before or since.
    fn comes_at_any_pace(&mut self, sent: Instant) -> bool {
        if !std::mem::take(&mut self.unserved.is_taken) {
            return false;
        }
        let said = &mut self.unserved.said;
        let accepted = &self.counted.accepted;
        let most = Curve::of(accepted);
        let at_a_limit = said.iter().filter(|at| most.explains(accepted, **at)).count();
        let are_enough = said.len() >= LOOKED_AT;
        said.push(sent);
        if said.len() > LOOKED_AT {
            said.remove(0);
        }
        are_enough && at_a_limit <= AT_A_LIMIT
    }

    /// What was learned from refusals that had nothing to do with the pace.
    fn forget_waves(&mut self, now: Instant) {
        self.failed = None;
        self.suspects.clear();
        self.waves.forget();
        self.quick.clear();
        self.first_gap = None;
        if !self.unserved.is_told {
            self.quotas.clear();
            self.shut_out = None;
            self.asked = None;
            self.state = State::Probing;
        }
        self.pace.keep_to(self.pace.learned().max(FIRST_RATE), now);
        self.decide(now, Decision::ByChance);
    }

    /// The wave seemed to be a full quota's, and its canary is told again that the host is out of service: who has
    /// other words for what it limits means that.
    pub(super) fn believe_outage(&mut self, heard: &Heard) {
        let is_meant = self.unserved.is_told && matches!(heard.signal, Signal::Outage { .. });
        if let Some(rest) = self.rest.as_mut().filter(|rest| is_meant && rest.says_outage) {
            rest.is_outage = true;
            rest.explained = None;
            rest.asks = None;
        }
    }

    /// The lane rests for a limit, and its canary finds nobody there: that is no answer.
    fn canary_unserved(&mut self, now: Instant, heard: &Heard) {
        self.count(heard);
        let Some(rest) = self.rest else { return };
        let since = rest.unserved.unwrap_or(heard.sent);
        self.rest = Some(Rest { unserved: Some(since), asks: None, ..rest });
        let asked = Rest { unserved: Some(since), tried: heard.sent, ..rest };
        let until = self.next_canary(now).max(heard.sent + asked.outage_wait());
        self.state = State::Cooling { until };
        self.decide(now, Decision::Unserved { until });
    }
}
