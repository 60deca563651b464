//! An attempt is over: what becomes of each recipient.

use postlane_lanes::Signal;
use postlane_mail::{Instant, Span, Status};
use postlane_replies::{Persistence, Scope};
use smallvec::SmallVec;

use super::Engine;
use crate::entry::{State, Wish, moment};
use crate::input::{Outcome, RecipientOutcome};
use crate::line::Joins;
use crate::names::{AttemptId, ExchangeId, HostId, SlotId};
use crate::output::{End, Fate, Output, Settled};
use crate::session::SlotState;

/// What is left to do with a recipient after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Left {
    /// Nothing.
    Ended(End),
    /// Another attempt, after what was asked for at least.
    Deferred(Option<Span>, Option<Status>),
    /// Another attempt at once: this one cost nothing.
    NotTried,
    /// Another host.
    Unable(Status),
}

impl<E> Engine<E> {
    pub(super) fn finished(
        &mut self,
        now: Instant,
        id: SlotId,
        attempt: AttemptId,
        outcomes: &[RecipientOutcome],
        evidence: E,
    ) {
        let Some(place) = self.place(id) else { return };
        let slot = &mut self.slots[place as usize];
        let Some(at) = slot.in_flight.iter().position(|f| f.attempt == attempt) else { return };
        let flight = slot.in_flight.remove(at);
        let (path, host) = (slot.path, slot.host);
        let tried = outcomes.iter().any(|o| !matches!(o.outcome, Outcome::NotTried));
        if tried {
            slot.finished += 1;
        }
        if outcomes.iter().any(ends_session) {
            slot.state = SlotState::Closing;
        }
        if tried {
            // The host answers messages: whatever was wrong with it is over.
            self.paths[path as usize].rests = 0;
        }
        self.tell_lane(now, path, outcomes);
        self.settle(now, flight.entry, (attempt, id, evidence), host, outcomes);
        self.list_session(now, place);
        self.close_when_spent(place);
        self.offer_path(path);
    }

    /// One signal for each transaction: what the other side said, if it said anything.
    fn tell_lane(&mut self, now: Instant, path: u32, outcomes: &[RecipientOutcome]) {
        let lane = self.paths[path as usize].lane as usize;
        let accepted = outcomes.iter().any(|o| matches!(o.outcome, Outcome::Delivered(_)));
        if accepted {
            self.lanes[lane].lane.observe(now, Signal::Accepted);
        }
        let slow = outcomes.iter().find_map(|o| match &o.outcome {
            Outcome::Refused(said) if said.scope != Scope::Recipient => Some(*said),
            _ => None,
        });
        match slow {
            Some(said) => self.hear(now, path, &said),
            None if !accepted => self.lanes[lane].lane.observe(now, Signal::Refused),
            None => {}
        }
    }

    fn settle(
        &mut self,
        now: Instant,
        number: u32,
        attempt: (AttemptId, SlotId, E),
        host: HostId,
        outcomes: &[RecipientOutcome],
    ) {
        // Nearly all mail has one recipient, and nearly all of it is delivered.
        if let [RecipientOutcome { index, outcome: Outcome::Delivered(_) }] = outcomes
            && self.recipient_count(number) == 1
        {
            let fates = SmallVec::from_iter([(*index, Fate::Ended(End::Delivered))]);
            self.settled(number, fates, Some(attempt));
            self.forget(number);
            return;
        }
        let left = self.judge(now, number, outcomes);
        let mut fates = SmallVec::new();
        for (index, left) in &left {
            if let Left::Ended(end) = left {
                fates.push((*index, Fate::Ended(*end)));
            }
        }
        let deferred = self.part(number, &left, |l| matches!(l, Left::Deferred(..)));
        let unable = self.part(number, &left, |l| matches!(l, Left::Unable(_)));
        let not_tried = self.part(number, &left, |l| *l == Left::NotTried);
        let message = self.slab[number].id;
        let place = self.slab[number].place;
        if let Some(number) = deferred {
            self.defer_part(now, number, &left, &mut fates);
        }
        if !fates.is_empty() {
            let recipients = fates;
            let attempt = Some(attempt);
            self.outputs.push_back(Output::Settled(Settled {
                message,
                place,
                recipients,
                attempt,
            }));
        }
        if let Some(number) = unable {
            self.try_other_host(now, number, host, status_of(&left));
        }
        if let Some(number) = not_tried {
            self.come_back(now, number);
        }
        if [deferred, unable, not_tried].iter().all(|part| *part != Some(number)) {
            self.forget(number);
        }
    }

    /// What is left to do with each recipient. A recipient that nobody spoke of was not tried.
    fn judge(
        &self,
        now: Instant,
        number: u32,
        outcomes: &[RecipientOutcome],
    ) -> SmallVec<[(u16, Left); 4]> {
        let entry = &self.slab[number];
        let over = now >= moment(entry.expires_s);
        let judged = self.recipients_of(number).into_iter().map(|(index, _)| {
            let outcome = outcomes.iter().find(|o| o.index == index).map(|o| &o.outcome);
            let left = judge_one(outcome.unwrap_or(&Outcome::NotTried));
            let left = match (left, entry.wish) {
                (Left::Ended(end), _) => Left::Ended(end),
                (_, Wish::Delete) => Left::Ended(End::Deleted),
                (_, Wish::Bounce) => Left::Ended(End::BouncedByOperator),
                (Left::Deferred(..), _) if over => Left::Ended(End::Expired),
                (left, _) => left,
            };
            (index, left)
        });
        judged.collect()
    }

    /// Those recipients of an entry that `belongs` says, as an entry: the entry itself where it
    /// is all that are left of it.
    fn part(
        &mut self,
        number: u32,
        left: &[(u16, Left)],
        belongs: impl Fn(&Left) -> bool,
    ) -> Option<u32> {
        let is = |index: u16| left.iter().any(|(i, l)| *i == index && belongs(l));
        let all = self.recipients_of(number);
        if all.iter().all(|(index, _)| is(*index)) {
            return Some(number);
        }
        self.split(number, |index, _| is(index))
    }

    fn defer_part(
        &mut self,
        now: Instant,
        number: u32,
        left: &[(u16, Left)],
        fates: &mut SmallVec<[(u16, Fate); 1]>,
    ) {
        let asked = left.iter().filter_map(|(_, l)| match l {
            Left::Deferred(asked, _) => *asked,
            _ => None,
        });
        self.put_off(now, number, asked.max());
        let wish = std::mem::replace(&mut self.slab[number].wish, Wish::None);
        let notice = wish != Wish::Hold && self.owes_notice(now, number);
        let recipients = self.recipients_of(number);
        let progress = self.progress(number);
        for (index, _) in &recipients {
            let status = left.iter().find_map(|(i, l)| match l {
                Left::Deferred(_, status) if i == index => *status,
                _ => None,
            });
            fates.push((*index, Fate::Deferred { progress, notice, status }));
        }
        if wish == Wish::Hold {
            self.hold(now, number);
        } else {
            self.defer_in_line(number);
        }
    }

    /// Its turn had come and was not used: in front of its flow again.
    pub(super) fn come_back(&mut self, now: Instant, number: u32) {
        match std::mem::replace(&mut self.slab[number].wish, Wish::None) {
            Wish::Hold => self.hold(now, number),
            Wish::Bounce => self.end(number, End::BouncedByOperator),
            Wish::Delete => self.end(number, End::Deleted),
            Wish::None => self.route_as(now, number, Some(Joins::First)),
        }
    }

    /// A host lacks what the message needs: the next one by preference, and with none left it
    /// cannot be delivered.
    fn try_other_host(&mut self, now: Instant, number: u32, host: HostId, status: Status) {
        let unable = self.unable.entry(number).or_default();
        if !unable.contains(&host) {
            unable.push(host);
        }
        let line = self.slab[number].line;
        let exchange = self.lines[line as usize].exchange;
        if self.able_host(number, exchange).is_none() {
            self.end(number, End::Bounced(Some(status)));
        } else {
            self.go_particular(now, number, exchange);
        }
    }

    /// The first host that has not shown itself unable.
    fn able_host(&mut self, number: u32, exchange: ExchangeId) -> Option<HostId> {
        let unable = self.unable.get(&number).cloned().unwrap_or_default();
        let hosts = self.exchange(exchange).hosts.clone();
        hosts.iter().map(|host| host.host).find(|host| !unable.contains(host))
    }

    /// Opens a session of its own for an entry that not every host can take.
    pub(super) fn go_particular(&mut self, now: Instant, number: u32, exchange: ExchangeId) {
        let line = self.slab[number].line;
        let Some(host) = self.able_host(number, exchange) else {
            // Its hosts have changed since, and none of them is known to be able.
            self.unable.remove(&number);
            self.route(now, number);
            return;
        };
        for path in self.paths_of(line) {
            let state = &self.paths[path as usize];
            let address = state.candidates.iter().find(|(h, _)| *h == host).map(|(_, a)| *a);
            let rests = state.resting_until > now;
            let Some(address) = address.filter(|_| !rests) else { continue };
            if self.lane_takes_one(now, path) {
                self.stand(number, State::Active);
                self.open(now, path, host, address, Some(number));
                return;
            }
        }
        // No room for it now: it waits like everybody else, and costs no host anything.
        self.put_off(now, number, None);
        self.defer_in_line(number);
    }

    fn lane_takes_one(&self, now: Instant, path: u32) -> bool {
        use postlane_lanes::{Ask, Permit};
        let lane = self.paths[path as usize].lane;
        self.sessions < self.settings.sessions_max
            && self.lanes[lane as usize].lane.permit(now, Ask::Connection) == Permit::Now
    }

    /// Says what has become of recipients of an entry.
    pub(super) fn settled(
        &mut self,
        number: u32,
        recipients: SmallVec<[(u16, Fate); 1]>,
        attempt: Option<(AttemptId, SlotId, E)>,
    ) {
        let entry = &self.slab[number];
        let (message, place) = (entry.id, entry.place);
        self.outputs.push_back(Output::Settled(Settled { message, place, recipients, attempt }));
    }
}

fn judge_one(outcome: &Outcome) -> Left {
    match outcome {
        Outcome::Delivered(_) => Left::Ended(End::Delivered),
        Outcome::Refused(said) => match said.persistence {
            Persistence::Permanent => Left::Ended(End::Bounced(None)),
            _ => Left::Deferred(said.wait, None),
        },
        Outcome::Unknown => Left::Deferred(None, None),
        Outcome::NotTried => Left::NotTried,
        Outcome::HostUnable(status) => Left::Unable(*status),
        Outcome::Ours(status) if status.class == 5 => Left::Ended(End::Bounced(Some(*status))),
        Outcome::Ours(status) => Left::Deferred(None, Some(*status)),
    }
}

fn status_of(left: &[(u16, Left)]) -> Status {
    let unable = left.iter().find_map(|(_, l)| match l {
        Left::Unable(status) => Some(*status),
        _ => None,
    });
    unable.unwrap_or(Status::new(5, 6, 3))
}

/// A 421 closes the session (RFC 5321 §3.8), and so does a lost connection.
fn ends_session(outcome: &RecipientOutcome) -> bool {
    match &outcome.outcome {
        Outcome::Refused(said) => said.scope == Scope::Session,
        Outcome::Unknown | Outcome::NotTried => true,
        _ => false,
    }
}
