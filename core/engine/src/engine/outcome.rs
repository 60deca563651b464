//! An attempt is over: what becomes of each recipient.

use postlane_lanes as lanes;
use postlane_mail::{Instant, Span, Status, Stream};
use postlane_replies::{Extent, Persistence, Signal};
use smallvec::SmallVec;

use super::operator::Wish;
use super::session::{About, after_a_loss, signal_of};
use super::{Closing, Engine};
use crate::entry::{State, moment};
use crate::input::{Outcome, RecipientOutcome};
use crate::line::Joins;
use crate::names::{AttemptId, HostId, SlotId};
use crate::output::{End, Fate, Output, Settled};
use crate::path::Trouble;
use crate::session::Slot;

/// What is left to do with a recipient after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Left {
    /// Nothing.
    Ended(End),
    /// Another attempt, after what was asked for at least.
    Deferred(Option<Span>, Option<Status>),
    /// Whatever the operator says who holds it; this attempt counts.
    Held,
    /// Another attempt as soon as its lane sends again: the lane has to wait, not the message.
    WithLane(Option<Span>),
    /// Another attempt at once: this one cost nothing.
    NotTried,
    /// The same, where it was the first session that ended at this message; else another attempt.
    CutOff,
    /// Another host.
    Unable(Status),
}

impl Left {
    /// Where the lane does not learn, the message waits by itself.
    fn without_lane(self) -> Self {
        if let Self::WithLane(asked) = self { Self::Deferred(asked, None) } else { self }
    }
}

/// What somebody has to mend is not tried again before: as often as a lane probes what it has
/// stopped (LANES, Policy).
const MENDING_MIN: Span = Span::from_min(30);

/// Most greylisting lasts five minutes (RFC 6647 §5; Postgrey's default is 300 s): a little later.
const GREYLIST_MIN: Span = Span::from_s(315);

/// Transactional mail is tried again so soon, once, where the provider speaks of a trouble of the
/// message's or of its own. Chosen, not measured: whoever waits for it waits at the screen.
const URGENT_AGAIN: Span = Span::from_min(1);

/// An attempt that is over.
pub(super) struct Over<'a, E> {
    attempt: AttemptId,
    slot: SlotId,
    host: HostId,
    /// Transactions that were under way before it on its session.
    behind: usize,
    pub(super) outcomes: &'a [RecipientOutcome],
    /// Its session had carried others before.
    used: bool,
    pub(super) path: u32,
    lane: u32,
    /// Attempts before it.
    attempts_before: u16,
    evidence: E,
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
        let Some(behind) = slot.in_flight.iter().position(|f| f.attempt == attempt) else { return };
        let flight = slot.in_flight.remove(behind);
        let Slot { path, lane, host, address, carried, others, .. } = *slot;
        let used = self.note_tried(now, place, outcomes);
        self.blame_for_silence(now, place, outcomes);
        self.leave_those_of(place, &flight.gates);
        self.lanes[lane as usize].lane.over(flight.stream);
        self.tell_together(now, lane, lanes::Doing::Over(flight.stream));
        let about = About {
            sent: flight.sent,
            stream: flight.stream,
            attempts: if self.is_new_from(flight.entry, path) { 0 } else { flight.attempts },
            carried,
            others,
        };
        self.tell_lane(now, (lane, path, address), about, outcomes);
        if let Some((taken, _)) = beyond(outcomes) {
            self.take_no_more_at_once(now, path, taken);
        }
        let (attempts_before, slot) = (flight.attempts, id);
        self.settle(
            now,
            flight.entry,
            Over {
                attempt,
                slot,
                host,
                behind,
                outcomes,
                used,
                path,
                lane,
                attempts_before,
                evidence,
            },
        );
        if ends_session(outcomes) {
            let is_refused = |o: &RecipientOutcome| matches!(o.outcome, Outcome::Refused(_));
            self.slots[place as usize].told |= outcomes.iter().any(is_refused);
            // It may be closed already; what closes it twice is told once.
            self.close(place);
        } else {
            self.list_session(now, place);
            self.close_when_spent(place);
        }
        self.offer_path(path);
    }

    /// What an attempt that is over says of its session and of the address it went to. Whether
    /// the session had tried others before.
    fn note_tried(&mut self, now: Instant, place: u32, outcomes: &[RecipientOutcome]) -> bool {
        let slot = &mut self.slots[place as usize];
        let path = &mut self.paths[slot.path as usize];
        path.stirred = now;
        let is_accepted = outcomes.iter().any(|o| matches!(o.outcome, Outcome::Delivered(_)));
        if is_accepted {
            slot.carried += 1;
        }
        if !is_untried(outcomes) {
            slot.tried += 1;
            path.carried(slot.address, slot.began);
        }
        if is_accepted {
            path.accepted(now, slot.address);
        } else if outcomes.iter().any(|o| is_hosts_refusal(&o.outcome)) {
            path.refused(slot.address);
        }
        slot.tried > 1
    }

    /// A session that ends without a word at the first message is of no use: its host rests, before that
    /// message goes to it again.
    fn blame_for_silence(&mut self, now: Instant, place: u32, outcomes: &[RecipientOutcome]) {
        let slot = &mut self.slots[place as usize];
        let (path, address) = (slot.path, slot.address);
        let is_silent = slot.tried == 0 && outcomes.iter().any(is_cut_off);
        if is_silent && self.closing == Closing::No && !std::mem::replace(&mut slot.blamed, true) {
            self.failed(now, path, address, Trouble::Unreachable);
        }
    }

    /// One signal for each transaction: what the other side said, if it said anything.
    fn tell_lane(
        &mut self,
        now: Instant,
        (lane, path, address): (u32, u32, std::net::SocketAddr),
        about: About,
        outcomes: &[RecipientOutcome],
    ) {
        let mut accepted = false;
        let mut refused = None;
        for outcome in outcomes {
            match &outcome.outcome {
                Outcome::Delivered(_) => accepted = true,
                Outcome::Refused(said) if refused.is_none_or(is_recipients) => {
                    refused = Some(said);
                }
                _ => {}
            }
        }
        if accepted {
            self.hear(now, lane, about, lanes::Signal::Accepted);
        }
        if let Some(said) = refused.filter(|said| !accepted || !is_recipients(said)) {
            let signal = signal_of(said);
            if !self.is_hosts_own(now, path, address, signal) {
                self.hear(now, lane, about, signal);
            }
        }
    }

    fn settle(&mut self, now: Instant, number: u32, over: Over<'_, E>) {
        // Nearly all mail has one recipient, and nearly all of it is delivered.
        if let [RecipientOutcome { index, outcome: Outcome::Delivered(_) }] = over.outcomes
            && self.slab[number].recipients.as_one() == Some(*index)
        {
            let fates = SmallVec::from_iter([(*index, Fate::Ended(End::Delivered))]);
            self.settled(number, fates, over);
            self.forget(number);
            return;
        }
        let left = self.judge(now, number, &over);
        self.slab[number].marks.set_cut_off(over.outcomes.iter().any(is_cut_off));
        let comes_back =
            if beyond(over.outcomes).is_some() { Joins::First } else { after_a_loss(over.behind) };
        let mut fates: SmallVec<[(u16, Fate); 1]> = SmallVec::new();
        for (index, left) in &left {
            if let Left::Ended(end) = left {
                fates.push((*index, Fate::Ended(*end)));
            }
        }
        self.stand(number, State::Moving);
        let deferred = self.part(number, &left, |l| matches!(l, Left::Deferred(..)));
        let held = self.part(number, &left, |l| *l == Left::Held);
        let unable = self.part(number, &left, |l| matches!(l, Left::Unable(_)));
        let not_tried = self.part(number, &left, |l| *l == Left::NotTried);
        let with_lane = self.part(number, &left, |l| matches!(l, Left::WithLane(_)));
        let goes_on = [deferred, held, unable, not_tried, with_lane].contains(&Some(number));
        if let Some(part) = with_lane {
            let fate = self.put_off_with_lane(now, part);
            fates.extend(self.recipients_of(part).iter().map(|(index, _)| (*index, fate)));
        }
        if let Some(part) = deferred {
            self.note_greylisted(part, &over);
            let soon = self.goes_soon(part, over.outcomes).then_some(URGENT_AGAIN);
            self.defer_part(now, (part, soon), &left, &mut fates);
        }
        if let Some(part) = held {
            self.put_off(now, part, None);
            let fate = self.put_on_hold(now, part);
            fates.extend(self.recipients_of(part).iter().map(|(index, _)| (*index, fate)));
        }
        for part in [deferred, held].into_iter().flatten() {
            self.wishes.remove(&part);
        }
        let host = over.host;
        if !fates.is_empty() {
            self.settled(number, fates, over);
        }
        if let Some(part) = unable {
            let wanted = left.iter().find_map(|(_, l)| match l {
                Left::Unable(status) => Some(*status),
                _ => None,
            });
            self.try_other_host(now, part, host, wanted.unwrap_or(Status::new(5, 6, 3)));
        }
        if let Some(part) = not_tried {
            self.come_back(now, part, comes_back);
        }
        if let Some(part) = with_lane {
            self.come_back(now, part, Joins::First);
        }
        if !goes_on {
            self.forget(number);
        }
    }

    /// What is left to do with each recipient. A recipient that nobody spoke of was not tried,
    /// nor was one that was too many.
    fn judge(&self, now: Instant, number: u32, over: &Over<'_, E>) -> SmallVec<[(u16, Left); 4]> {
        let outcomes = over.outcomes;
        // Where an operator says how long it waits, it waits by itself.
        let learns =
            self.lanes[over.lane as usize].lane.learns() && self.backoff(number) == Span::ZERO;
        let expired = now >= moment(self.slab[number].expires_s);
        let beyond = beyond(outcomes).map_or(&[][..], |(_, beyond)| beyond);
        let is_new = self.is_new_from(number, over.path);
        let judged = self.recipients_of(number).into_iter().map(|(index, _)| {
            let is_beyond = beyond.iter().any(|o| o.index == index && is_too_many(o));
            let outcome = outcomes.iter().find(|o| o.index == index && !is_beyond);
            let outcome = outcome.map(|o| &o.outcome);
            let attempts = if is_new { 0 } else { self.slab[number].attempts };
            let left = match judge_one(now, outcome, over.used, attempts) {
                Left::CutOff if self.was_cut_off(number) => Left::Deferred(None, None),
                Left::CutOff => Left::NotTried,
                Left::Deferred(asked, None) if self.is_lanes(over.lane, outcome) => {
                    Left::WithLane(asked)
                }
                left => left,
            };
            let left = if learns { left } else { left.without_lane() };
            let left = match (left, self.wish_for(number, index)) {
                (Left::Ended(end), _) => Left::Ended(end),
                (_, Some(Wish::Delete)) => Left::Ended(End::Deleted),
                (_, Some(Wish::Bounce)) => Left::Ended(End::BouncedByOperator),
                (Left::Deferred(..) | Left::WithLane(_), Some(Wish::Hold)) => Left::Held,
                (Left::Deferred(..) | Left::WithLane(_), None) if expired => {
                    Left::Ended(End::Expired)
                }
                (left, _) => left,
            };
            (index, left)
        });
        judged.collect()
    }

    /// Whether the last session, too, ended at this message without an answer: then it may be the message
    /// that ends them (a firewall does that), and it waits by itself. Else it would be first again
    /// whenever its lane has rested, and no other mail would go.
    fn was_cut_off(&self, number: u32) -> bool {
        self.slab[number].marks.cut_off() && self.closing == Closing::No
    }

    /// Whether a refusal is the lane's limit, whatever its words.
    fn is_lanes(&self, lane: u32, outcome: Option<&Outcome>) -> bool {
        let Some(Outcome::Refused(said)) = outcome else { return false };
        self.lanes[lane as usize].lane.takes_for_rate(signal_of(said))
    }

    /// Those recipients of an entry that `belongs` says, as an entry: the entry itself where
    /// they are all that are left of it.
    fn part(
        &mut self,
        number: u32,
        left: &[(u16, Left)],
        belongs: impl Fn(&Left) -> bool,
    ) -> Option<u32> {
        let is = |index: u16| left.iter().any(|(i, l)| *i == index && belongs(l));
        if self.recipients_of(number).iter().all(|(index, _)| is(*index)) {
            return Some(number);
        }
        let part = self.split(number, |index, _| is(index))?;
        if let Some(wishes) = self.wishes.get(&number).cloned() {
            self.wishes.insert(part, wishes);
        }
        Some(part)
    }

    /// Whether an entry is urgent and was put off for the first time, for reasons of the message.
    fn goes_soon(&self, number: u32, outcomes: &[RecipientOutcome]) -> bool {
        let entry = &self.slab[number];
        let is_soon = |o: &RecipientOutcome| {
            let Outcome::Refused(said) = &o.outcome else { return false };
            let is_own = said.signal == Signal::Temp && said.persistence != Persistence::UntilFixed;
            is_own && said.asked_wait().is_none()
        };
        let is_first = entry.stream == Stream::Transactional && entry.attempts == 0;
        is_first && outcomes.iter().all(is_soon)
    }

    fn defer_part(
        &mut self,
        now: Instant,
        (number, soon): (u32, Option<Span>),
        left: &[(u16, Left)],
        fates: &mut SmallVec<[(u16, Fate); 1]>,
    ) {
        let asked = left.iter().filter_map(|(_, l)| match l {
            Left::Deferred(asked, _) => *asked,
            _ => None,
        });
        match soon {
            Some(wait) => self.put_off_for(now, number, wait.max(self.backoff(number))),
            None => self.put_off(now, number, asked.max()),
        }
        let notice = self.owes_notice(now, number);
        let progress = self.progress(number);
        for (index, _) in self.recipients_of(number) {
            let status = left.iter().find_map(|(i, l)| match l {
                Left::Deferred(_, status) if *i == index => *status,
                _ => None,
            });
            fates.push((index, Fate::Deferred { progress, notice, status }));
        }
        self.defer_in_line(number);
    }

    /// Its turn had come and was not used: an entry in no list waits for another one, unless
    /// an operator wants something else.
    pub(super) fn come_back(&mut self, now: Instant, number: u32, joins: Joins) {
        self.stand(number, State::Moving);
        let wishes = self.wishes.remove(&number).unwrap_or_default();
        for wish in [Wish::Hold, Wish::Bounce, Wish::Delete] {
            let wants = |index: u16| wishes.iter().any(|(i, w)| *i == index && *w == wish);
            if wishes.is_empty() || !wishes.iter().any(|(_, w)| *w == wish) {
                continue;
            }
            let all = self.recipients_of(number);
            let entire = all.iter().all(|(index, _)| wants(*index));
            let part = if entire { Some(number) } else { self.split(number, |i, _| wants(i)) };
            match (part, wish) {
                (Some(part), Wish::Hold) => self.hold(now, part),
                (Some(part), Wish::Bounce) => self.end(part, End::BouncedByOperator),
                (Some(part), Wish::Delete) => self.end(part, End::Deleted),
                (None, _) => {}
            }
            if entire {
                return;
            }
        }
        self.route(now, number, Some(joins));
    }

    /// Says what an attempt has made of recipients of an entry.
    fn settled(&mut self, number: u32, recipients: SmallVec<[(u16, Fate); 1]>, over: Over<'_, E>) {
        let entry = &self.slab[number];
        self.outputs.push_back(Output::Settled(Settled {
            message: entry.id,
            place: entry.place,
            recipients,
            attempt: Some((over.attempt, over.slot, over.evidence)),
            attempts_before: over.attempts_before,
            provider: Some(self.lanes[over.lane as usize].provider),
        }));
    }
}

/// A session that has had its share of messages is not the message's fault: another is opened.
/// Where the first message of a session is told so, that would never end, and it waits.
fn judge_one(now: Instant, outcome: Option<&Outcome>, used: bool, attempts: u16) -> Left {
    match outcome {
        Some(Outcome::Refused(said)) if used && said.signal == Signal::PerConn => Left::NotTried,
        Some(Outcome::Delivered(_)) => Left::Ended(End::Delivered),
        Some(Outcome::Refused(said)) => match said.persistence {
            Persistence::Permanent => Left::Ended(End::Bounced(None)),
            _ if said.signal == Signal::Rate || said.signal == Signal::Conn => {
                Left::WithLane(said.asked_wait())
            }
            Persistence::UntilFixed => {
                Left::Deferred(Some(said.asked_wait().unwrap_or_default().max(MENDING_MIN)), None)
            }
            _ if said.signal == Signal::Greylist => {
                let wait = GREYLIST_MIN.times(1 << attempts.min(4));
                Left::Deferred(Some(said.asked_wait().unwrap_or_default().max(wait)), None)
            }
            _ => Left::Deferred(said.asked_wait(), None),
        },
        Some(Outcome::Unknown) => Left::Deferred(None, None),
        Some(Outcome::NotTried) | None => Left::NotTried,
        Some(Outcome::CutOff) => Left::CutOff,
        Some(Outcome::HostUnable(status)) => Left::Unable(*status),
        Some(Outcome::Ours(status)) if status.class == 5 => {
            Left::Ended(End::Bounced(Some(*status)))
        }
        Some(Outcome::Ours(status)) => Left::Deferred(None, Some(*status)),
        Some(Outcome::Waits { status, until }) => {
            Left::Deferred(Some(until.since(now)), Some(*status))
        }
    }
}

/// Whether a refusal is no single recipient's or message's: a share of these is a host's own.
fn is_hosts_refusal(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Refused(said) if said.persistence != Persistence::Permanent && !is_recipients(said))
}

fn is_recipients(said: &postlane_replies::Diagnosis) -> bool {
    matches!(said.extent, Extent::Recipient | Extent::Transaction)
}

fn is_too_many(outcome: &RecipientOutcome) -> bool {
    matches!(&outcome.outcome, Outcome::Refused(said) if said.extent == Extent::Transaction)
}

/// Of a transaction with more recipients than the host takes at once: how many it took, and who
/// came behind the last of them. Where it took none, or took one behind one that it did not,
/// their number was not the reason; where the session broke off, they wait as well. Each such transaction leaves fewer to come, as those that
/// were taken are delivered or refused with their message.
fn beyond(outcomes: &[RecipientOutcome]) -> Option<(usize, &[RecipientOutcome])> {
    let was_taken = |o: &RecipientOutcome| match &o.outcome {
        Outcome::Delivered(_) => true,
        Outcome::Refused(said) => said.extent == Extent::Message,
        _ => false,
    };
    let (last, rest) = outcomes.split_last()?;
    // Nearly all have one recipient, and most are taken whole.
    if rest.is_empty() || was_taken(last) {
        return None;
    }
    let behind = outcomes.iter().rposition(was_taken)? + 1;
    let (before, behind) = outcomes.split_at(behind);
    let is_limit = behind.iter().any(is_too_many) && !before.iter().any(is_too_many);
    is_limit.then(|| (before.iter().filter(|o| was_taken(o)).count(), behind))
}

/// A 421 closes the session (RFC 5321 §3.8), and so does a lost connection; one that has had its
/// share of messages is closed by us. Some recipients
/// that were not tried are not that: a host may take fewer at once.
fn ends_session(outcomes: &[RecipientOutcome]) -> bool {
    let ends = |o: &RecipientOutcome| match &o.outcome {
        Outcome::Refused(said) => said.extent == Extent::Session || said.signal == Signal::PerConn,
        outcome => matches!(outcome, Outcome::Unknown),
    };
    outcomes.iter().any(ends) || is_untried(outcomes)
}

fn is_cut_off(outcome: &RecipientOutcome) -> bool {
    matches!(outcome.outcome, Outcome::CutOff)
}

/// Whether nothing was said of any of them.
fn is_untried(outcomes: &[RecipientOutcome]) -> bool {
    outcomes.iter().all(|o| is_cut_off(o) || matches!(o.outcome, Outcome::NotTried))
}
