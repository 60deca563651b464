//! What waits, for those who ask. Looks, and changes nothing.

use postlane_lanes::{Ask, Permit, Waiting};
use postlane_mail::{Instant, Place, QueueId, Stream};

use super::operator::{Wanted, is_waiting};
use super::{Closing, Engine};
use crate::entry::{Entry, NO_LINE, State, moment};
use crate::input::Selection;
use crate::names::{DomainId, FlowId, ProviderId, SourceId};

/// Where a recipient stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// In a transaction.
    Active,
    /// Due, and waiting for its lane or its route.
    Ready,
    /// Waiting for its next attempt.
    Deferred,
    /// Held by an operator, or waiting for a verdict.
    Held,
}

/// One recipient that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The message.
    pub id: QueueId,
    /// Where the spool keeps it.
    pub place: Place,
    /// The recipient's number within the envelope.
    pub index: u16,
    /// Its domain.
    pub domain: DomainId,
    /// Its provider, once it has a route.
    pub provider: Option<ProviderId>,
    /// The source it is going by, while it is active.
    pub source: Option<SourceId>,
    /// What kind of mail.
    pub stream: Stream,
    /// Whose.
    pub flow: FlowId,
    /// Where it stands.
    pub standing: Standing,
    /// Attempts that ended in a deferral.
    pub attempts: u16,
    /// When it is due; none while it is held.
    pub due: Option<Instant>,
    /// When it is given up; none while it is held.
    pub expires: Option<Instant>,
    /// Why it is not moving; none while it is.
    pub waiting: Option<Waiting>,
}

/// A place in a listing. Stays good while mail comes and goes; what comes meanwhile may be
/// missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cursor(pub u64);

/// How many recipients stand where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// In a transaction.
    pub active: u64,
    /// Due, and waiting for a lane.
    pub ready: u64,
    /// Waiting for a route.
    pub routing: u64,
    /// Waiting for the next attempt.
    pub deferred: u64,
    /// Held by an operator.
    pub held: u64,
    /// Waiting for a verdict.
    pub verdict: u64,
    /// Sessions open or opening.
    pub sessions: u64,
}

/// How much waits for one provider, or for one domain that has no route yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// The provider, where it is known.
    pub provider: Option<ProviderId>,
    /// A domain of it; what is meant where the provider is not known.
    pub domain: DomainId,
    /// Recipients in each of the ages that were asked for, and one more for all above.
    pub standing: Standing,
    /// How long ago it was accepted, in minutes.
    pub age_min: u64,
}

/// A lane, as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaneRow {
    /// The provider.
    pub provider: ProviderId,
    /// The source.
    pub source: SourceId,
    /// Sessions open or opening.
    pub open: u16,
    /// As many as there may be.
    pub connections_max: u16,
    /// Messages accepted since the start.
    pub accepted: u64,
    /// Messages refused since the start.
    pub refused: u64,
    /// When the next message may go; none for at once.
    pub paced_until: Option<Instant>,
}

impl<E> Engine<E> {
    /// Up to `limit` recipients that agree with the selection, from a place in the listing on;
    /// and where it goes on, if it does.
    pub fn list(
        &self,
        now: Instant,
        selection: &Selection,
        standing: Option<Standing>,
        from: Cursor,
        limit: usize,
    ) -> (Vec<Row>, Option<Cursor>) {
        let wanted = Wanted::new(selection);
        let mut rows = Vec::new();
        for number in (from.0 as u32)..self.slab.end() {
            // A crowd is never cut: a page may be longer than asked for by its recipients.
            if rows.len() >= limit {
                return (rows, Some(Cursor(u64::from(number))));
            }
            let entry = &self.slab[number];
            let stands = standing.is_none_or(|s| standing_of(entry.state) == s);
            if !is_waiting(entry.state) || !stands || !self.is_wanted(&wanted, number) {
                continue;
            }
            for (index, domain) in self.recipients_of(number) {
                if wanted.wants_domain(domain) {
                    rows.push(self.row(now, number, index, domain));
                }
            }
        }
        (rows, None)
    }

    /// Each recipient that agrees with the selection, as far as a summary wants to know it.
    pub fn tally(&self, now: Instant, selection: &Selection, mut each: impl FnMut(Tally)) {
        let wanted = Wanted::new(selection);
        for number in 0..self.slab.end() {
            let entry = &self.slab[number];
            if !is_waiting(entry.state) || !self.is_wanted(&wanted, number) {
                continue;
            }
            let age_min = now.since(entry.id.moment()).as_s() / 60;
            let (provider, standing) = (self.provider_of(entry), standing_of(entry.state));
            for (_, domain) in self.recipients_of(number) {
                if wanted.wants_domain(domain) {
                    each(Tally { provider, domain, standing, age_min });
                }
            }
        }
    }

    /// How many recipients stand where.
    pub fn counts(&self) -> Counts {
        Counts { sessions: u64::from(self.sessions), ..self.counts }
    }

    /// All lanes that have ever carried anything.
    pub fn lanes(&self, now: Instant) -> impl Iterator<Item = LaneRow> {
        self.lanes.iter().map(move |state| {
            let (accepted, refused) = state.lane.tally();
            let paced_until = match state.lane.permit(now, Ask::Message) {
                Permit::After(until) => Some(until),
                _ => None,
            };
            LaneRow {
                provider: state.provider,
                source: state.source,
                open: state.lane.open(),
                connections_max: state.lane.ceilings().connections,
                accepted,
                refused,
                paced_until,
            }
        })
    }

    pub(super) fn provider_of(&self, entry: &Entry) -> Option<ProviderId> {
        let line = self.lines.get(entry.line as usize)?;
        Some(self.exchanges[line.exchange.0 as usize].as_ref()?.provider)
    }

    fn row(&self, now: Instant, number: u32, index: u16, domain: DomainId) -> Row {
        let entry = &self.slab[number];
        let held = entry.state == State::Held;
        Row {
            id: entry.id,
            place: entry.place,
            index,
            domain,
            provider: self.provider_of(entry),
            source: self.source_of(number),
            stream: entry.stream,
            flow: entry.flow,
            standing: standing_of(entry.state),
            attempts: entry.attempts,
            due: (!held).then(|| moment(entry.due_s).max(entry.id.moment())),
            expires: (!held).then(|| moment(entry.expires_s)),
            waiting: self.waiting(now, entry),
        }
    }

    /// The source an active entry is going by. Looks through the sessions, which are few.
    fn source_of(&self, number: u32) -> Option<SourceId> {
        if self.slab[number].state != State::Active {
            return None;
        }
        let carries = |slot: &&crate::session::Slot| {
            slot.in_flight.iter().any(|f| f.entry == number) || slot.particular == Some(number)
        };
        let slot = self.slots.iter().find(carries)?;
        Some(self.paths[slot.path as usize].source)
    }

    fn waiting(&self, now: Instant, entry: &Entry) -> Option<Waiting> {
        match entry.state {
            State::Free | State::Left | State::Active => None,
            State::Held => Some(Waiting::Held),
            State::Verdict => Some(Waiting::Verdict),
            State::Routing => Some(Waiting::Routing),
            State::Deferred => {
                let until = moment(entry.due_s);
                let failure = self.known_failure(entry.domain).filter(|_| entry.line == NO_LINE);
                Some(match failure {
                    Some((status, _)) => Waiting::NoRoute { status, until },
                    None => Waiting::Deferred { until },
                })
            }
            State::Ready => Some(self.why_not(now, entry)),
        }
    }

    /// Why an entry that is due does not go: what its best path says.
    fn why_not(&self, now: Instant, entry: &Entry) -> Waiting {
        if self.closing != Closing::No {
            return Waiting::Closing;
        }
        let exchange = self.lines[entry.line as usize].exchange;
        let Some(exchange) = &self.exchanges[exchange.0 as usize] else { return Waiting::Turn };
        let paths = exchange.paths.iter().map(|(_, path)| &self.paths[*path as usize]);
        let paths: Vec<_> = paths.filter(|path| !path.candidates.is_empty()).collect();
        let awake: Vec<_> = paths.iter().filter(|path| path.resting_until <= now).collect();
        let Some(path) = awake.first() else {
            let until = paths.iter().map(|path| path.resting_until).min();
            return until.map_or(Waiting::Turn, |until| Waiting::Resting { until });
        };
        let lane = &self.lanes[path.lane as usize].lane;
        match lane.permit(now, Ask::Message) {
            Permit::After(until) => Waiting::Pace { until },
            _ if path.open == 0 && path.opening > 0 => Waiting::Opening,
            _ if lane.open() >= lane.ceilings().connections => {
                Waiting::Window { open: lane.open(), limit: lane.ceilings().connections }
            }
            _ => Waiting::Turn,
        }
    }
}

impl Counts {
    pub(super) fn join(&mut self, state: State, many: u64) {
        if let Some(count) = self.of(state) {
            *count += many;
        }
    }

    pub(super) fn leave(&mut self, state: State, many: u64) {
        if let Some(count) = self.of(state) {
            *count -= many;
        }
    }

    fn of(&mut self, state: State) -> Option<&mut u64> {
        match state {
            State::Free | State::Left => None,
            State::Routing => Some(&mut self.routing),
            State::Ready => Some(&mut self.ready),
            State::Deferred => Some(&mut self.deferred),
            State::Active => Some(&mut self.active),
            State::Held => Some(&mut self.held),
            State::Verdict => Some(&mut self.verdict),
        }
    }
}

fn standing_of(state: State) -> Standing {
    match state {
        State::Active => Standing::Active,
        State::Deferred => Standing::Deferred,
        State::Held | State::Verdict => Standing::Held,
        _ => Standing::Ready,
    }
}
