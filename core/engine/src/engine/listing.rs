//! What waits, for those who ask. Looks, and changes nothing.

use std::collections::BTreeSet;

use postlane_lanes::{Ask, Lane, Permit, Waiting};
use postlane_mail::{Instant, Place, QueueId, Stream};

use super::operator::Wanted;
use super::{Closing, Engine};
use crate::entry::{Entry, NO_LINE, State, moment};
use crate::input::Selection;
use crate::names::{DomainId, FlowId, HostId, ProviderId, SourceId};
use crate::path::{Address, Trouble};

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
    /// While it is due: of the hosts it could go to and that do not let it, the one that failed
    /// last.
    pub failing: Option<HostId>,
}

/// A place in a listing: the last message before it, by the number of its id. Stays good while
/// mail comes and goes: who waits all the while is listed once.
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

/// One recipient, as far as a summary wants to know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// Its provider, where it is known.
    pub provider: Option<ProviderId>,
    /// Its domain.
    pub domain: DomainId,
    /// Where it stands.
    pub standing: Standing,
    /// How long ago it was accepted, in whole minutes.
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
    /// Up to `limit` recipients that agree with the selection, oldest message first, from a
    /// place in the listing on; and where it goes on, if it does. Looks at everything that
    /// waits.
    pub fn list(
        &self,
        now: Instant,
        selection: &Selection,
        standing: Option<Standing>,
        from: Cursor,
        limit: usize,
    ) -> (Vec<Row>, Option<Cursor>) {
        let wanted = Wanted::new(selection);
        let stands = |entry: &Entry| standing.is_none_or(|s| standing_of(entry.state) == s);
        let is_meant = |number: &u32| {
            let entry = &self.slab[*number];
            entry.id.bits() > from.0 && stands(entry) && self.is_wanted(&wanted, *number)
        };
        let meant = || (0..self.slab.end()).filter(is_meant);
        let Some(last) = self.last_of_page(meant(), limit) else { return (Vec::new(), None) };
        let mut entries: Vec<u32> =
            meant().filter(|number| self.slab[*number].id <= last).collect();
        entries.sort_unstable_by_key(|number| self.slab[*number].id);
        let mut rows: Vec<Row> = Vec::new();
        let mut full = None;
        for number in entries {
            let id = self.slab[number].id;
            // A message is never cut: a page may be longer than asked for by its recipients.
            full = full.or_else(|| rows.last().filter(|_| rows.len() >= limit).map(|row| row.id));
            if let Some(end) = full.filter(|end| *end != id) {
                return (in_order(rows), Some(Cursor(end.bits())));
            }
            for (index, domain) in self.recipients_of(number) {
                if wanted.wants_domain(domain) {
                    rows.push(self.row(now, number, index, domain));
                }
            }
        }
        let goes_on = meant().any(|number| self.slab[number].id > last);
        (in_order(rows), goes_on.then(|| Cursor(last.bits())))
    }

    /// The youngest of the `limit` oldest messages among these entries.
    fn last_of_page(&self, entries: impl Iterator<Item = u32>, limit: usize) -> Option<QueueId> {
        let mut oldest = BTreeSet::new();
        for id in entries.map(|number| self.slab[number].id) {
            let is_full = oldest.len() >= limit;
            if is_full && oldest.last().is_some_and(|last| id >= *last) {
                continue;
            }
            if oldest.insert(id) && is_full {
                oldest.pop_last();
            }
        }
        oldest.pop_last()
    }

    /// Each recipient that agrees with the selection, as far as a summary wants to know it.
    /// Looks at everything that waits.
    pub fn tally(&self, now: Instant, selection: &Selection, mut each: impl FnMut(Tally)) {
        let wanted = Wanted::new(selection);
        for number in 0..self.slab.end() {
            if !self.is_wanted(&wanted, number) {
                continue;
            }
            let entry = &self.slab[number];
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
        self.lanes.iter().filter(|state| !state.is_gone).map(move |state| {
            let (accepted, refused) = state.lane.tally();
            let paced_until = match state.lane.permit(now, Stream::Transactional, Ask::Message) {
                Permit::After(waiting) => waiting.until(),
                _ => None,
            };
            LaneRow {
                provider: state.provider,
                source: state.source,
                open: state.lane.open(),
                connections_max: state.lane.connections(),
                accepted,
                refused,
                paced_until,
            }
        })
    }

    /// What is known of all lanes that have ever carried anything: their states, beliefs and
    /// decisions.
    pub fn known_lanes(&self) -> impl Iterator<Item = (ProviderId, SourceId, &Lane)> {
        let lanes = self.lanes.iter().filter(|state| !state.is_gone);
        lanes.map(|state| (state.provider, state.source, &state.lane))
    }

    /// All lanes that have ever carried anything, and what each believes.
    pub fn each_lane(&self) -> impl Iterator<Item = (ProviderId, SourceId, &Lane)> {
        let lanes = self.lanes.iter().filter(|state| !state.is_gone);
        lanes.map(|state| (state.provider, state.source, &state.lane))
    }

    pub(super) fn provider_of(&self, entry: &Entry) -> Option<ProviderId> {
        match self.lines.get(entry.line as usize) {
            Some(line) => Some(self.exchanges.get(line.exchange.0)?.provider),
            None => self.known_provider(entry.domain),
        }
    }

    fn row(&self, now: Instant, number: u32, index: u16, domain: DomainId) -> Row {
        let entry = &self.slab[number];
        let held = entry.state == State::Held;
        let due = moment(entry.due_s).max(entry.id.moment());
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
            due: (!held).then_some(due),
            expires: (!held).then(|| moment(entry.expires_s)),
            waiting: self.waiting(now, number),
            failing: self.failing_host(number),
        }
    }

    fn failing_host(&self, number: u32) -> Option<HostId> {
        let entry = &self.slab[number];
        let line = self.lines.get(entry.line as usize).filter(|_| entry.state == State::Ready)?;
        let paths = line.ways.iter().map(|way| &self.paths[way.path as usize]);
        let failed = paths.filter_map(|path| path.failed_last(self.unable_hosts(number)));
        failed.max_by_key(|failed| failed.failed_at).map(|failed| failed.host)
    }

    fn waiting(&self, now: Instant, number: u32) -> Option<Waiting> {
        let entry = &self.slab[number];
        match entry.state {
            State::Free | State::Moving | State::Active => None,
            State::Held => Some(Waiting::Held),
            State::Verdict => Some(Waiting::Verdict),
            State::Routing => Some(Waiting::Routing),
            State::Deferred => {
                let until = moment(entry.due_s);
                let failure = self.known_failure(entry.domain).filter(|_| entry.line == NO_LINE);
                Some(match failure {
                    Some(status) => Waiting::NoRoute { status, until },
                    None => Waiting::Deferred { until },
                })
            }
            State::Ready => Some(self.why_not(now, number)),
        }
    }

    /// Why an entry that is due does not go: what its best path says.
    fn why_not(&self, now: Instant, number: u32) -> Waiting {
        if self.closing != Closing::No {
            return Waiting::Closing;
        }
        let unable = self.unable_hosts(number);
        let stream = self.slab[number].stream;
        let (line, shelf) = (self.slab[number].line, self.shelf_of(number));
        let ways = self.lines[line as usize].ways.iter().filter(|way| {
            self.goes_by(now, line, &shelf, self.paths[way.path as usize].source).is_ok()
        });
        let (mut rests, mut ordered) = (None, None);
        let mut busy = None;
        for way in ways.map(|way| way.path) {
            let path = &self.paths[way as usize];
            let Some(until) = path.rests_until(unable) else { continue };
            if until > now && path.open == 0 {
                let resting = resting(until, path.failed_last(unable));
                rests = rests.filter(|(first, _)| *first <= until).or(Some((until, resting)));
                continue;
            }
            let accepted = self.slab[number].id.moment();
            if let Some(waiting) = self.why_ordered(now, path.lane, stream, accepted) {
                ordered = ordered.or(Some(waiting));
                continue;
            }
            let lane = &self.lanes[path.lane as usize].lane;
            let (open, limit) = (lane.open(), lane.connections());
            let waiting = match lane.permit(now, stream, Ask::Message) {
                Permit::After(waiting) => waiting,
                Permit::Busy if matches!(lane.state(), postlane_lanes::State::Canary) => {
                    Waiting::Canary
                }
                _ if path.open == 0 && path.opening > 0 => Waiting::Opening,
                _ if open >= limit => Waiting::Window { open, limit },
                _ => match self.shut_until(now, number, way) {
                    Some(until) => Waiting::Pace { until },
                    None => Waiting::Turn,
                },
            };
            // Nothing is nearer to going than what waits for its turn.
            if busy.is_none() || waiting == Waiting::Turn {
                busy = Some(waiting);
            }
        }
        let resting = rests.map(|(_, resting)| resting);
        busy.or(resting).or(ordered).unwrap_or(Waiting::Turn)
    }
}

/// Why hosts that rest are not tried: the one that failed last says it.
pub(super) fn resting(until: Instant, failed: Option<&Address>) -> Waiting {
    match failed.map(|failed| failed.trouble) {
        Some(Trouble::TurnedAway) => Waiting::TurnedAway { until },
        _ => Waiting::Resting { until },
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
            State::Free | State::Moving => None,
            State::Routing => Some(&mut self.routing),
            State::Ready => Some(&mut self.ready),
            State::Deferred => Some(&mut self.deferred),
            State::Active => Some(&mut self.active),
            State::Held => Some(&mut self.held),
            State::Verdict => Some(&mut self.verdict),
        }
    }
}

/// The recipients of a message by their number, whatever parts the message waits in.
fn in_order(mut rows: Vec<Row>) -> Vec<Row> {
    rows.sort_unstable_by_key(|row| (row.id, row.index));
    rows
}

fn standing_of(state: State) -> Standing {
    match state {
        State::Active => Standing::Active,
        State::Deferred => Standing::Deferred,
        State::Held | State::Verdict => Standing::Held,
        _ => Standing::Ready,
    }
}
