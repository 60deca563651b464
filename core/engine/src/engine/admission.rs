//! Which of a line's mail may go: ceilings over several lanes and inside one, and new mail that
//! waits while old mail ages.

use std::collections::BTreeMap;

use postlane_lanes::{Ask, Bands, Ceiling, Rules};
use postlane_mail::{Instant, Span, Stream};
use smallvec::SmallVec;

use super::pump::Served;
use super::{Engine, Timer};
use crate::entry::{NO_LINE, State, seconds_up};
use crate::gates::{Of, Shut};
use crate::line::{Joins, Open, Shelf};
use crate::names::{PoolId, ProviderId, SectionId, SourceId};
use crate::sections::{Passes, Sections};
use crate::session::{SlotState, Through};

/// Whether old mail still ages is looked at so often. Chosen, not measured.
const AGEING_EVERY: Span = Span::from_s(60);

impl<E> Engine<E> {
    /// An operator's sections are these from now on.
    pub(super) fn keep_sections(&mut self, now: Instant, sections: Sections) {
        self.begin_written_plans(now, &sections);
        let none = Ceiling::default();
        for of in self.gates.known() {
            self.gates.keep_to(of, none);
        }
        let other_routes = self.held.sections.routes != sections.routes;
        self.held.sections = sections;
        let inside = self.held.sections.inside.clone();
        for (section, rules) in &inside {
            self.gates.keep_to(Of::Section(*section), rules.together);
            if rules.per_source != none {
                for source in self.settings.sources.clone() {
                    self.gates.keep_to(Of::SectionAt(*section, source.id), rules.per_source);
                }
            }
        }
        for i in 0..self.lanes.len() {
            if !self.lanes[i].is_gone {
                self.watch_provider(self.lanes[i].provider);
                self.tell_rules(i as u32);
            }
        }
        self.count_anew();
        if other_routes {
            self.reroute();
        }
    }

    /// Tells a lane its operator's bands and backoff.
    pub(super) fn tell_rules(&mut self, lane: u32) {
        let state = &mut self.lanes[lane as usize];
        let rules = self.held.rules(state.provider);
        let bands = rules.bands.unwrap_or(Bands::DEFAULT);
        state.lane.heed(bands, rules.retry_backoff.unwrap_or(Span::ZERO));
    }

    /// Hears whose mail passes which gates.
    pub(super) fn learn_passes(&mut self, passes: Vec<Passes>) {
        let mut is_new = false;
        for passes in passes {
            // Nothing of a flow that nobody has heard of stands anywhere.
            let is_known = !matches!(passes, Passes::Flow(flow, _) if flow.0 >= self.flows_heard);
            is_new |= self.held.learn(passes) && is_known;
        }
        if is_new {
            self.shelve_anew();
            self.count_anew();
        }
    }

    /// A provider's sources draw on one budget.
    pub(super) fn watch_provider(&mut self, provider: ProviderId) {
        let together = self.held.rules(provider).together;
        self.gates.keep_to(Of::Provider(provider), together);
    }

    /// The shelf that an entry belongs on.
    pub(super) fn shelf_of(&self, number: u32) -> Shelf {
        let entry = &self.slab[number];
        Shelf {
            tenant: self.held.of_flow(entry.flow),
            domain: self.held.of_domain(entry.domain),
            source: self.greylisted.get(&number).copied(),
        }
    }

    /// What of a line may go by a path; if not all, what it waits for first.
    pub(super) fn open_of(
        &mut self,
        now: Instant,
        path: u32,
        line: u32,
        stream: Stream,
    ) -> (Open, Option<Shut>) {
        if self.gates.is_empty() && self.ageing.is_empty() && self.greylisted.is_empty() {
            return (Open::ALL, None);
        }
        let source = self.paths[path as usize].source;
        let (pool, exchange) = (self.lines[line as usize].pool, self.lines[line as usize].exchange);
        let provider = self.exchange(exchange).provider;
        let waits = stream != Stream::Transactional && self.old_mail_ages(now, provider);
        let mut shut = waits.then(|| Shut::Until(now + AGEING_EVERY));
        if let Err(closed) = self.passable(now, self.held.of_pool(pool), source) {
            shut = Some(sooner(shut, closed));
            let none = Open { shelves: Some(SmallVec::new()), fresh: false, ..Open::ALL };
            return (none, shut);
        }
        let mut open = Open { fresh: !waits, ..Open::ALL };
        let (mut passable, mut all) = (SmallVec::new(), true);
        for shelf in self.lines[line as usize].shelves(stream) {
            let of_tenant = self.passable(now, shelf.tenant, source);
            let of_domain = of_tenant.and_then(|()| self.passable(now, shelf.domain, source));
            match of_domain.and_then(|()| self.goes_by(now, line, &shelf, source)) {
                Ok(()) => passable.push(shelf),
                Err(closed) => {
                    all = false;
                    shut = Some(sooner(shut, closed));
                }
            }
        }
        open.shelves = (!all).then_some(passable);
        (open, shut)
    }

    /// Whether a message of a section may go from a source.
    fn passable(
        &self,
        now: Instant,
        section: Option<SectionId>,
        source: SourceId,
    ) -> Result<(), Shut> {
        let Some(section) = section else { return Ok(()) };
        for of in [Of::Section(section), Of::SectionAt(section, source)] {
            self.gates.pace(now, of, Ask::Message)?;
            self.gates.room(of)?;
        }
        Ok(())
    }

    /// Whether an entry may go from a source.
    pub(super) fn may_pass(&self, now: Instant, number: u32, source: SourceId) -> Result<(), Shut> {
        if self.gates.is_empty() {
            return Ok(());
        }
        let shelf = self.shelf_of(number);
        let pool = self.pool_of(number).and_then(|pool| self.held.of_pool(pool));
        for section in [pool, shelf.tenant, shelf.domain] {
            self.passable(now, section, source)?;
        }
        Ok(())
    }

    /// The gates that an entry passes by itself, from a source.
    pub(super) fn gates_of(&self, number: u32, source: SourceId) -> SmallVec<[Of; 2]> {
        if self.gates.is_empty() {
            return SmallVec::new();
        }
        let shelf = self.shelf_of(number);
        let pool = self.pool_of(number).and_then(|pool| self.held.of_pool(pool));
        let sections = [pool, shelf.tenant, shelf.domain].into_iter().flatten();
        sections
            .flat_map(|section| [Of::Section(section), Of::SectionAt(section, source)])
            .collect()
    }

    /// The gates that each session of a path passes.
    pub(super) fn gates_of_path(&self, path: u32) -> SmallVec<[Of; 2]> {
        if self.gates.is_empty() {
            return SmallVec::new();
        }
        let path = &self.paths[path as usize];
        let provider = Of::Provider(self.lanes[path.lane as usize].provider);
        let sections = self.held.of_exchange(path.exchange).iter();
        let at =
            |section: &SectionId| [Of::Section(*section), Of::SectionAt(*section, path.source)];
        std::iter::once(provider).chain(sections.flat_map(at)).collect()
    }

    /// What the gates of a path's sessions say against one more unit, if they say anything.
    pub(super) fn refused_by_gates(&mut self, now: Instant, path: u32, ask: Ask) -> Option<Served> {
        let gates = self.gates_of_path(path);
        let shut = gates.iter().find_map(|of| Some((*of, self.gates.pace(now, *of, ask).err()?)));
        shut.map(|(of, shut)| self.wait_at_gate(path, of, shut))
    }

    /// What they say against one more session.
    pub(super) fn full_at_gates(&mut self, path: u32) -> Option<Served> {
        let gates = self.gates_of_path(path);
        let shut = gates.iter().find_map(|of| Some((*of, self.gates.room(*of).err()?)));
        let (of, shut) = shut?;
        self.make_room_at(of, path);
        Some(self.wait_at_gate(path, of, shut))
    }

    /// A session with nothing to do elsewhere leaves its place to whoever waits for it.
    fn make_room_at(&mut self, of: Of, path: u32) {
        let is_in_the_way = |place: &u32| {
            let slot = &self.slots[*place as usize];
            slot.path != path && slot.gates.contains(&of)
        };
        let place = self.idle.iter(&self.slots, Through::Idle).find(is_in_the_way);
        if let Some(place) = place {
            self.close(place);
        }
    }

    /// A path waits for a gate; a provider's holds up all of a lane.
    fn wait_at_gate(&mut self, path: u32, of: Of, shut: Shut) -> Served {
        match (of, shut) {
            (Of::Provider(_), Shut::Until(until)) => Served::Paced(until),
            (_, shut) => self.wait_for(path, Some(shut)),
        }
    }

    /// A path waits until what is shut opens.
    pub(super) fn wait_for(&mut self, path: u32, shut: Option<Shut>) -> Served {
        match shut {
            Some(Shut::Until(until)) => self.timers.arm_by(Timer::Path(path), until),
            Some(Shut::Full(of)) => self.gates.wait(of, path),
            None => {}
        }
        Served::Waits
    }

    /// A session or a message goes through gates.
    pub(super) fn spend_at(&mut self, now: Instant, gates: &[Of], ask: Ask) {
        gates.iter().for_each(|of| self.gates.spend(now, *of, ask));
    }

    /// A connection is in use by those who pass these gates.
    pub(super) fn take_at(&mut self, gates: &[Of]) {
        gates.iter().for_each(|of| self.gates.take(*of));
    }

    /// It is no more: whoever waited is asked again.
    pub(super) fn leave_at(&mut self, gates: &[Of]) {
        for of in gates {
            for path in self.gates.leave(*of) {
                self.offer_path(path);
            }
        }
    }

    /// A transaction is over, and its session may carry no more of what passes its gates.
    pub(super) fn leave_those_of(&mut self, place: u32, gates: &[Of]) {
        let others = &self.slots[place as usize].in_flight;
        let left = gates.iter().filter(|of| !others.iter().any(|other| other.gates.contains(of)));
        let left: SmallVec<[Of; 2]> = left.copied().collect();
        self.leave_at(&left);
    }

    /// Until when an entry waits for a gate, where that is known.
    pub(super) fn shut_until(&self, now: Instant, number: u32, path: u32) -> Option<Instant> {
        let source = self.paths[path as usize].source;
        let session = self.gates_of_path(path);
        let shut = session.iter().find_map(|of| self.gates.pace(now, *of, Ask::Message).err());
        match shut.or_else(|| self.may_pass(now, number, source).err())? {
            Shut::Until(until) => Some(until),
            Shut::Full(_) => None,
        }
    }

    /// All that is said of an entry: of its provider, pool, tenant and domain.
    fn rules_of(&self, number: u32) -> impl Iterator<Item = &Rules> {
        let line = self.lines.get(self.slab[number].line as usize);
        let exchange = line.and_then(|line| self.exchanges.get(line.exchange.0));
        let provider = exchange.map(|exchange| self.held.rules(exchange.provider));
        let hosts = line.map_or(&[][..], |line| self.held.of_exchange(line.exchange));
        let pool = self.pool_of(number).and_then(|pool| self.held.of_pool(pool));
        let Shelf { tenant, domain, .. } = self.shelf_of(number);
        let sections = [pool, tenant, domain].into_iter().flatten().chain(hosts.iter().copied());
        let inside = sections.filter_map(|section| self.held.sections.inside.get(&section));
        provider.or(Some(&self.held.sections.all)).into_iter().chain(inside)
    }

    /// How long a deferred entry waits at least, by what an operator says.
    pub(super) fn backoff(&self, number: u32) -> Span {
        self.rules_of(number).filter_map(|rules| rules.retry_backoff).max().unwrap_or(Span::ZERO)
    }

    /// An entry that has a line lives no longer than an operator says.
    pub(super) fn shorten_life(&mut self, number: u32) {
        let Some(life) = self.rules_of(number).filter_map(|rules| rules.retry_max_age).min() else {
            return;
        };
        let entry = &mut self.slab[number];
        entry.expires_s = entry.expires_s.min(seconds_up(entry.id.moment() + life));
    }

    /// Recipients in one transaction at most, by what an operator says of a path's provider.
    pub(super) fn recipients_at_once(&self, path: u32) -> Option<usize> {
        let provider = self.lanes[self.paths[path as usize].lane as usize].provider;
        let most = self.held.rules(provider).recipients_per_transaction?;
        Some(usize::from(most.get()))
    }

    /// The pool by which an entry goes: its provider's, where an operator has said one.
    pub(super) fn pool_to(&self, provider: ProviderId, number: u32) -> PoolId {
        let pool = self.held.sections.routes.get(&provider);
        pool.copied().unwrap_or(self.slab[number].pool)
    }

    fn pool_of(&self, number: u32) -> Option<PoolId> {
        Some(self.lines.get(self.slab[number].line as usize)?.pool)
    }

    /// Writes down how old a message is that was deferred, where new mail waits for old.
    pub(super) fn note_age(&mut self, number: u32) {
        let entry = &self.slab[number];
        if entry.line == NO_LINE || entry.attempts == 0 {
            return;
        }
        let exchange = self.lines[entry.line as usize].exchange;
        let (accepted_s, provider) =
            (seconds_up(entry.id.moment()), self.exchange(exchange).provider);
        if self.held.rules(provider).hold_new_when_deferred_older_than.is_some() {
            self.ageing.entry(provider).or_default().insert((accepted_s, number));
        }
    }

    /// Whether a message that was deferred is older than an operator lets new mail go beside.
    fn old_mail_ages(&mut self, now: Instant, provider: ProviderId) -> bool {
        let Some(older_than) = self.held.rules(provider).hold_new_when_deferred_older_than else {
            self.ageing.remove(&provider);
            return false;
        };
        let Some(ageing) = self.ageing.get_mut(&provider) else { return false };
        while let Some((accepted_s, number)) = ageing.first().copied() {
            let entry = &self.slab[number];
            let is_the_same = entry.state != State::Free
                && entry.attempts > 0
                && seconds_up(entry.id.moment()) == accepted_s;
            // What an operator holds does not hold up others.
            if is_the_same && entry.state != State::Held {
                return now.since(entry.id.moment()) > older_than;
            }
            ageing.pop_first();
        }
        self.ageing.remove(&provider);
        false
    }

    /// Everything that is ready stands on the shelves that hold now.
    fn shelve_anew(&mut self) {
        for line in 0..self.lines.len() {
            let ready = self.lines[line].clear(&mut self.slab);
            for number in ready {
                let (rank, shelf) = (self.slab[number].rank, self.shelf_of(number));
                self.lines[line].join(&mut self.slab, number, Joins::Last(rank), shelf);
            }
            self.offer_line(line as u32);
        }
    }

    /// Counts the connections in use at each gate.
    fn count_anew(&mut self) {
        let mut used: BTreeMap<Of, u32> = BTreeMap::new();
        for place in 0..self.slots.len() {
            if self.slots[place].state == SlotState::Free {
                continue;
            }
            let gates = self.gates_of_path(self.slots[place].path);
            let slot = &mut self.slots[place];
            slot.gates = gates;
            let mut all: SmallVec<[Of; 8]> = slot.gates.iter().copied().collect();
            all.extend(slot.in_flight.iter().flat_map(|flight| flight.gates.iter().copied()));
            all.sort_unstable();
            all.dedup();
            all.into_iter().for_each(|of| *used.entry(of).or_default() += 1);
        }
        self.gates.set_used(&used);
        (0..self.paths.len() as u32).for_each(|path| self.offer_path(path));
    }
}

/// Which of two opens first; one that is full opens when something ends, which may be at once.
fn sooner(one: Option<Shut>, other: Shut) -> Shut {
    match (one, other) {
        (Some(Shut::Until(one)), Shut::Until(other)) => Shut::Until(one.min(other)),
        (Some(Shut::Full(of)), _) | (_, Shut::Full(of)) => Shut::Full(of),
        (None, other) => other,
    }
}
