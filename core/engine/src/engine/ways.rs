//! The ways a line's mail can go: its pool's sources, and the addresses they can reach.

use std::net::IpAddr;

use postlane_mail::{Family, Instant, Status, Stream};

use super::Engine;
use crate::entry::State;
use crate::line::Way;
use crate::names::{ExchangeId, SourceId};
use crate::path::Path;

/// Whether an address is on this machine or in a private network (RFC 1918, RFC 4193, RFC 3927,
/// RFC 4291 §2.5.6).
fn is_our_own(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

/// No address of its hosts is of a family that its pool can send from (RFC 3463 §3.5, X.4.4).
pub(super) const NO_FAMILY: Status = Status::new(4, 4, 4);

impl<E> Engine<E> {
    /// Tells everybody who could carry a line's mail that there is some.
    pub(super) fn offer_line(&mut self, line: u32) {
        for i in 0..self.lines[line as usize].ways.len() {
            let path = self.lines[line as usize].ways[i].path;
            self.offer_path(path);
        }
    }

    /// A path joins its lane's rings for every stream that has something ready for it.
    pub(super) fn offer_path(&mut self, path: u32) {
        let state = &mut self.paths[path as usize];
        let lane = state.lane;
        let mut in_a_ring = false;
        for stream in Stream::ALL {
            let ready = state.lines.iter().any(|line| self.lines[*line as usize].ready(stream) > 0);
            if ready && !state.in_ring[stream as usize] && !state.addresses.is_empty() {
                state.in_ring[stream as usize] = true;
                self.lanes[lane as usize].rings[stream as usize].push_back(path);
            }
            in_a_ring |= state.in_ring[stream as usize];
        }
        if in_a_ring {
            self.mark(lane);
        }
    }

    /// A path joins its lane's rings in front: a session of it is open and paid for, and would be
    /// closed again if others of the lane had to wait for their moment before it.
    pub(super) fn offer_path_first(&mut self, path: u32) {
        self.offer_path(path);
        let lane = self.paths[path as usize].lane;
        for stream in Stream::ALL {
            let ring = &mut self.lanes[lane as usize].rings[stream as usize];
            if self.paths[path as usize].in_ring[stream as usize] && ring.front() != Some(&path) {
                ring.retain(|in_ring| *in_ring != path);
                ring.push_front(path);
            }
        }
    }

    /// New settings: other sources, pools and families.
    pub(super) fn find_ways_anew(&mut self) {
        for path in &mut self.paths {
            path.lines.clear();
        }
        for line in 0..self.lines.len() as u32 {
            if !self.lines[line as usize].is_gone() {
                self.find_ways(line);
            }
        }
        for path in 0..self.paths.len() as u32 {
            self.learn_addresses(path);
            self.offer_path(path);
        }
        for line in 0..self.lines.len() as u32 {
            self.strand_without_way(line);
        }
    }

    /// What stands in a line that no source can carry any more is deferred, a step of it.
    pub(super) fn clear_stranded(&mut self, now: Instant) {
        while self.has_time() {
            let Some(line) = self.stranded.front().copied() else { return };
            let gone = !self.has_way(line);
            let slab = &mut self.slab;
            let number = gone.then(|| self.lines[line as usize].pop_any(slab)).flatten();
            let Some(number) = number else {
                self.stranded.pop_front();
                continue;
            };
            self.stand(number, State::Moving);
            self.defer_for(now, number, Some(NO_FAMILY));
        }
    }

    /// The ways a line's mail can go: one for each source of its pool.
    pub(super) fn find_ways(&mut self, line: u32) {
        let (exchange, pool) = {
            let line = &self.lines[line as usize];
            (line.exchange, line.pool)
        };
        let before = std::mem::take(&mut self.lines[line as usize].ways);
        for (source, weight) in self.sources(pool).to_vec() {
            let path = self.path(exchange, source);
            let taken = before.iter().find(|way| way.path == path).map_or(0, |way| way.taken);
            self.paths[path as usize].lines.push(line);
            self.lines[line as usize].ways.push(Way { path, weight, taken });
        }
    }

    /// Whether a source has an address to go to.
    pub(super) fn has_way(&self, line: u32) -> bool {
        let ways = &self.lines[line as usize].ways;
        ways.iter().any(|way| !self.paths[way.path as usize].addresses.is_empty())
    }

    pub(super) fn strand_without_way(&mut self, line: u32) {
        let waits = !self.lines[line as usize].is_empty();
        if waits && !self.has_way(line) && !self.stranded.contains(&line) {
            self.stranded.push_back(line);
        }
    }

    fn path(&mut self, exchange: ExchangeId, source: SourceId) -> u32 {
        let known = self.exchange(exchange).paths.iter().find(|(s, _)| *s == source);
        if let Some((_, path)) = known {
            return *path;
        }
        let state = self.exchange(exchange);
        let (provider, lane_source) = (state.provider, state.lane_source(source));
        let lane = self.lane(provider, lane_source);
        let path = self.forgetting.paths.pop().unwrap_or(self.paths.len() as u32);
        let new = Path::new(exchange, source, lane);
        match self.paths.get_mut(path as usize) {
            Some(gone) => *gone = new,
            None => self.paths.push(new),
        }
        self.lanes[lane as usize].paths.push(path);
        self.exchange(exchange).paths.push((source, path));
        self.learn_addresses(path);
        path
    }

    pub(super) fn learn_addresses(&mut self, path: u32) {
        let path = &mut self.paths[path as usize];
        let Some(exchange) = self.exchanges.get(path.exchange.0) else { return };
        let sources = &self.settings.sources;
        let family = sources.iter().find(|s| s.id == path.source).map(|s| s.family);
        let off = self.settings.families_off.get(&exchange.provider);
        path.learn(&exchange.hosts, &mut self.chance, |address| {
            let of = Family::of(address.ip());
            Some(of) == family && !off.is_some_and(|off| off.contains(&of))
        });
        let (lane, has_way) = (path.lane, !path.addresses.is_empty());
        if path.addresses.iter().any(|a| !is_our_own(a.address.ip())) {
            self.lanes[lane as usize].lane.leads_elsewhere();
        }
        if has_way {
            self.has_way_now(lane);
        }
    }
}
