//! What not every host can take: a message that needs an extension goes by hosts that have
//! not shown themselves unable.

use postlane_mail::{Instant, Status};
use smallvec::SmallVec;

use super::Engine;
use super::pump::Served;
use crate::entry::{Rank, State};
use crate::line::Joins;
use crate::names::HostId;
use crate::output::End;
use crate::session::{Opening, Through};

/// Hosts that have shown themselves unable to take an entry.
#[derive(Debug, Clone)]
pub(super) struct Unable {
    hosts: SmallVec<[HostId; 2]>,
    /// What it is bounced with when no host is left.
    status: Status,
}

impl<E> Engine<E> {
    /// A host lacks what the message needs: the next one by preference, and with none left it
    /// cannot be delivered.
    pub(super) fn try_other_host(
        &mut self,
        now: Instant,
        number: u32,
        host: HostId,
        status: Status,
    ) {
        let unable = self.unable.entry(number).or_insert(Unable { hosts: SmallVec::new(), status });
        unable.status = status;
        if !unable.hosts.contains(&host) {
            unable.hosts.push(host);
        }
        let hosts = unable.hosts.clone();
        if self.has_able_host(self.slab[number].line, &hosts) {
            self.come_back(now, number, Joins::Last(Rank::Particular));
        } else {
            self.end(number, End::Bounced(Some(status)));
        }
    }

    /// Serves the first particular entry of a line by this path; nothing if the path must wait
    /// for it, so that others need not.
    pub(super) fn serve_particular(
        &mut self,
        now: Instant,
        path: u32,
        number: u32,
    ) -> Option<Served> {
        let (line, stream) = (self.slab[number].line, self.slab[number].stream);
        let Some(Unable { hosts, status }) = self.unable.get(&number).cloned() else {
            debug_assert!(false, "an entry is particular because hosts are unable");
            return None;
        };
        let source = self.paths[path as usize].source;
        if let Err(shut) = self.may_pass(now, number, source) {
            self.wait_for(path, Some(shut));
            return None;
        }
        // The hosts may have changed since.
        if !self.has_able_host(line, &hosts) {
            self.pull(number);
            self.end(number, End::Bounced(Some(status)));
            return Some(Served::Some);
        }
        let lane = self.paths[path as usize].lane;
        if let Some(place) = self.idle_session_without(path, &hosts) {
            if let Some(served) = self.refused_by_lane(now, place, stream) {
                return Some(served);
            }
            self.pull(number);
            self.lines[line as usize].account(path);
            self.send(now, place, number);
            return Some(Served::Some);
        }
        let rests_until = self.paths[path as usize].rests_until(&hosts)?;
        if rests_until > now {
            self.timers.arm_by(super::Timer::Path(path), rests_until);
            return None;
        }
        match self.may_open(now, path, stream) {
            Ok(()) => {}
            Err(Served::Waits) => return None,
            Err(served) => return Some(served),
        }
        let address = self.paths[path as usize].next_address(now, &hosts)?;
        let (host, address) = (address.host, address.address);
        self.pull(number);
        self.stand(number, State::Active);
        let particular = Some(number);
        let others = self.lanes[lane as usize].lane.open();
        let place =
            self.open(now, &Opening { stream, path, lane, host, address, particular, others });
        self.slab[number].next = place;
        Some(Served::Some)
    }

    /// The hosts that cannot take an entry.
    pub(super) fn unable_hosts(&self, number: u32) -> &[HostId] {
        self.unable.get(&number).map_or(&[], |unable| &unable.hosts)
    }

    fn idle_session_without(&self, path: u32, hosts: &[HostId]) -> Option<u32> {
        let mut idle = self.paths[path as usize].idle.iter(&self.slots, Through::Path);
        idle.find(|place| !hosts.contains(&self.slots[*place as usize].host))
    }

    fn has_able_host(&self, line: u32, hosts: &[HostId]) -> bool {
        let ways = &self.lines[line as usize].ways;
        ways.iter().any(|way| self.paths[way.path as usize].rests_until(hosts).is_some())
    }
}
