//! The way from one source to one exchange: its hosts, its sessions and its troubles.

use std::net::SocketAddr;

use postlane_mail::{Chance, Instant, Span};
use smallvec::SmallVec;

use crate::input::RouteHost;
use crate::names::{ExchangeId, HostId, SourceId};
use crate::session::Chain;

/// The way from one source to one exchange.
#[derive(Debug)]
pub(crate) struct Path {
    pub(crate) exchange: ExchangeId,
    pub(crate) source: SourceId,
    pub(crate) lane: u32,
    /// The lines it may carry.
    pub(crate) lines: SmallVec<[u32; 1]>,
    /// Where among them it looks first.
    pub(crate) next_line: usize,
    /// Hosts' addresses of the source's family: by preference, a host's together.
    pub(crate) addresses: Vec<Address>,
    /// Whose turn it is among hosts of equal preference.
    turn: usize,
    /// Sessions in whatever state.
    pub(crate) slots: u32,
    pub(crate) opening: u16,
    pub(crate) open: u16,
    /// Open sessions with nothing to do.
    pub(crate) idle: Chain,
    /// Open sessions that are busy and take one more.
    pub(crate) chainable: Chain,
    /// When something last went forward on it: a session opened, a transaction ended.
    pub(crate) stirred: Instant,
    /// Whether it stands in its lane's ring of each stream.
    pub(crate) in_ring: [bool; 3],
    /// Whether it waits for the lane's window with mail of each stream.
    pub(crate) at_window: [bool; 3],
    pub(crate) crowd: Crowd,
    /// The line, and how much that had given, when it let another source go first.
    pub(crate) yielded: (u32, u64),
}

/// How a path stands to the limit of sessions in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Crowd {
    /// It wants none, or has not asked.
    Apart,
    /// It waits until there is room.
    Waits,
    /// It is its turn to open one.
    Invited,
}

/// One address of one host.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Address {
    pub(crate) host: HostId,
    pub(crate) address: SocketAddr,
    preference: u16,
    /// Times it failed since it last carried a message.
    failures: u8,
    pub(crate) failed_at: Instant,
    pub(crate) trouble: Trouble,
    /// Not tried before.
    rests_until: Instant,
    /// Messages it has accepted.
    pub(crate) accepted: u32,
    /// Messages and sessions it has refused.
    pub(crate) refused: u32,
    /// When it accepted something last.
    served: Instant,
    /// Refusals in a row, of hosts that serve, that were its.
    blamed: u8,
}

/// What it was that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// No connection, or one that broke before it was of use.
    Unreachable,
    /// A host answered, and would not have us.
    TurnedAway,
}

/// How long an address rests after it has failed; doubled each time. Chosen, not measured: a
/// host that restarts is back within a minute or two.
const REST_FIRST: Span = Span::from_s(60);

/// An address rests no longer than this, so that a host that comes back is found within it.
/// Chosen, not measured.
const REST_LONGEST: Span = Span::from_min(30);

/// A host that took mail so lately is in service. Chosen, not measured.
const SERVED_LATELY: Span = Span::from_min(10);

impl Path {
    pub(crate) fn new(exchange: ExchangeId, source: SourceId, lane: u32) -> Self {
        Self {
            exchange,
            source,
            lane,
            lines: SmallVec::new(),
            next_line: 0,
            addresses: Vec::new(),
            turn: 0,
            slots: 0,
            opening: 0,
            open: 0,
            idle: Chain::default(),
            chainable: Chain::default(),
            stirred: Instant::default(),
            in_ring: [false; 3],
            at_window: [false; 3],
            crowd: Crowd::Apart,
            yielded: (u32::MAX, 0),
        }
    }

    /// Whether nobody would miss it: no session is on it, and it stands in no queue.
    pub(crate) fn is_unused(&self) -> bool {
        let queues = self.in_ring.iter().chain(&self.at_window).any(|stands| *stands);
        self.slots == 0 && !queues && self.crowd == Crowd::Apart
    }

    /// Whether one of its hosts rests, which would be forgotten with it.
    pub(crate) fn any_rests_until(&self, now: Instant) -> bool {
        self.addresses.iter().any(|address| address.rests_until > now)
    }

    /// Takes the addresses that `usable` says, by preference, hosts of equal preference in an
    /// order of chance (RFC 5321 §5.1). What is known of an address stays known.
    pub(crate) fn learn(
        &mut self,
        hosts: &[RouteHost],
        chance: &mut Chance,
        usable: impl Fn(&SocketAddr) -> bool,
    ) {
        let mut order: Vec<&RouteHost> = hosts.iter().collect();
        chance.shuffle(&mut order);
        order.sort_by_key(|host| host.preference);
        let known = std::mem::take(&mut self.addresses);
        for host in order {
            for address in host.addresses.iter().copied().filter(&usable) {
                let before = known.iter().find(|a| a.host == host.host && a.address == address);
                self.addresses.push(Address {
                    preference: host.preference,
                    ..before.copied().unwrap_or_else(|| Address::new(host.host, address))
                });
            }
        }
    }

    /// The address for the next session: of the best preference that has one that does not
    /// rest, hosts in turns and a host's first. `None` while all rest.
    pub(crate) fn next_address(&mut self, now: Instant, without: &[HostId]) -> Option<Address> {
        let awake = |a: &&Address| a.rests_until <= now && !without.contains(&a.host);
        let best = self.addresses.iter().find(awake)?.preference;
        let mut firsts: SmallVec<[Address; 4]> = SmallVec::new();
        for address in self.addresses.iter().filter(|a| a.preference == best).filter(awake) {
            if firsts.last().is_none_or(|last| last.host != address.host) {
                firsts.push(*address);
            }
        }
        self.turn = self.turn.wrapping_add(1);
        firsts.get(self.turn % firsts.len()).copied()
    }

    /// Until when all its addresses rest; now or before while one does not, `None` when none
    /// is left at all.
    pub(crate) fn rests_until(&self, without: &[HostId]) -> Option<Instant> {
        let able = self.addresses.iter().filter(|a| !without.contains(&a.host));
        able.map(|address| address.rests_until).min()
    }

    /// Of its hosts that have failed and not carried anything since, the one that failed last.
    pub(crate) fn failed_last(&self, without: &[HostId]) -> Option<&Address> {
        let able = self.addresses.iter().filter(|a| !without.contains(&a.host));
        able.filter(|a| a.is_doubtful()).max_by_key(|a| a.failed_at)
    }

    /// An operator says that its hosts are well again: whatever rests is tried at once.
    pub(crate) fn wake(&mut self) {
        self.addresses.iter_mut().for_each(|address| address.rests_until = Instant::default());
    }

    /// A session to an address could not be opened, or was of no use.
    pub(crate) fn failed(
        &mut self,
        now: Instant,
        address: SocketAddr,
        trouble: Trouble,
        chance: &mut Chance,
    ) {
        let spread = Span(chance.below(REST_FIRST.0 / 4));
        if let Some(failed) = self.addresses.iter_mut().find(|a| a.address == address) {
            failed.fail(now, trouble, spread);
        }
    }

    /// A host has accepted a message.
    pub(crate) fn accepted(&mut self, now: Instant, address: SocketAddr) {
        if let Some(host) = self.addresses.iter_mut().find(|a| a.address == address) {
            host.accepted = host.accepted.saturating_add(1);
            host.served = now;
        }
    }

    /// A host has refused a message, or a session.
    pub(crate) fn refused(&mut self, address: SocketAddr) {
        if let Some(host) = self.addresses.iter_mut().find(|a| a.address == address) {
            host.refused = host.refused.saturating_add(1);
        }
    }

    /// A host has refused less or fewer. Whether it has done so more than `enough` times in a row,
    /// each time while others served: then it rests, for longer each time.
    pub(crate) fn blame(
        &mut self,
        now: Instant,
        address: SocketAddr,
        serves_elsewhere: bool,
        enough: u8,
        chance: &mut Chance,
    ) -> bool {
        for other in self.addresses.iter_mut().filter(|a| a.address != address) {
            other.blamed = 0;
        }
        let Some(host) = self.addresses.iter_mut().find(|a| a.address == address) else {
            return false;
        };
        // What was under way when it began to rest says nothing more.
        if host.blamed > enough && host.rests_until > now {
            return true;
        }
        host.blamed = if serves_elsewhere { host.blamed.saturating_add(1) } else { 0 };
        let Some(times) = host.blamed.checked_sub(enough + 1) else { return false };
        let rest = REST_FIRST.times(1 << times.min(10)).min(REST_LONGEST);
        let spread = Span(chance.below(REST_FIRST.0 / 4));
        host.rests_until = host.rests_until.max(now + rest + spread);
        host.failed_at = now;
        host.failures = host.failures.max(1);
        host.trouble = Trouble::TurnedAway;
        true
    }

    /// Whether another host than that of an address has lately taken mail, and may take more.
    pub(crate) fn serves_elsewhere(&self, now: Instant, address: SocketAddr) -> bool {
        let host = self.addresses.iter().find(|a| a.address == address).map(|a| a.host);
        self.addresses.iter().any(|other| {
            Some(other.host) != host
                && other.rests_until <= now
                && other.failures == 0
                && other.served + SERVED_LATELY > now
        })
    }

    /// Nothing can be sent from its source.
    pub(crate) fn all_failed(&mut self, now: Instant, chance: &mut Chance) {
        let spread = Span(chance.below(REST_FIRST.0 / 4));
        let fail = |address: &mut Address| address.fail(now, Trouble::Unreachable, spread);
        self.addresses.iter_mut().for_each(fail);
    }

    /// A session that was begun at `began` has carried a message: the address is well. That an
    /// older session still works says nothing of whether a new one would be let in.
    pub(crate) fn carried(&mut self, address: SocketAddr, began: Instant) {
        let failed = self.addresses.iter_mut().find(|a| a.failures > 0 && a.address == address);
        if let Some(well) = failed.filter(|a| a.failed_at < began) {
            well.failures = 0;
            well.rests_until = Instant::default();
        }
    }
}

impl Address {
    /// Until when it is not tried.
    pub(crate) fn rests_until(&self) -> Instant {
        self.rests_until
    }

    fn new(host: HostId, address: SocketAddr) -> Self {
        Self {
            host,
            address,
            preference: 0,
            failures: 0,
            failed_at: Instant::default(),
            trouble: Trouble::Unreachable,
            rests_until: Instant::default(),
            accepted: 0,
            refused: 0,
            served: Instant::default(),
            blamed: 0,
        }
    }

    /// Whether it is to be tried by one connection before others follow.
    pub(crate) fn is_doubtful(&self) -> bool {
        self.failures > 0
    }

    fn fail(&mut self, now: Instant, trouble: Trouble, spread: Span) {
        // Connections that failed together are one failure.
        if self.rests_until <= now {
            let rest = REST_FIRST.times(1 << self.failures.min(10)).min(REST_LONGEST);
            self.rests_until = now + rest + spread;
            self.failures = self.failures.saturating_add(1);
        }
        self.failed_at = now;
        self.trouble = trouble;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant::from_unix_s(1_000);

    fn address(n: u8) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, n], 25))
    }

    fn path(hosts: &[(u16, &[u8])]) -> Path {
        let host = |(id, (preference, addresses)): (u32, &(u16, &[u8]))| RouteHost {
            host: HostId(id),
            preference: *preference,
            addresses: addresses.iter().map(|n| address(*n)).collect(),
        };
        let hosts: Vec<_> = (0..).zip(hosts).map(host).collect();
        let mut path = Path::new(ExchangeId(0), SourceId(0), 0);
        path.learn(&hosts, &mut Chance::new(5), |_| true);
        path
    }

    fn taken(path: &mut Path, now: Instant, times: usize) -> Vec<Option<SocketAddr>> {
        let mut taken: Vec<_> =
            (0..times).map(|_| path.next_address(now, &[]).map(|a| a.address)).collect();
        taken.sort();
        taken.dedup();
        taken
    }

    #[test]
    fn hosts_of_equal_preference_take_turns_and_a_worse_one_waits() {
        let mut path = path(&[(10, &[1, 2]), (10, &[3]), (20, &[4])]);
        assert_eq!(taken(&mut path, NOW, 10), [Some(address(1)), Some(address(3))]);
    }

    #[test]
    fn a_hosts_addresses_are_tried_in_order_and_then_the_next_host() {
        let mut path = path(&[(10, &[1, 2]), (20, &[3])]);
        let mut chance = Chance::new(1);
        for n in [1, 2, 3] {
            assert_eq!(taken(&mut path, NOW, 5), [Some(address(n))]);
            path.failed(NOW, address(n), Trouble::Unreachable, &mut chance);
        }
        assert_eq!(taken(&mut path, NOW, 5), [None]);
        let until = path.rests_until(&[]).unwrap();
        assert!(until >= NOW + Span::from_s(60) && until < NOW + Span::from_s(75));
        // The best one is tried first again.
        assert_eq!(taken(&mut path, NOW + Span::from_s(75), 5), [Some(address(1))]);
    }

    #[test]
    fn rests_double_up_to_half_an_hour() {
        let mut path = path(&[(10, &[1])]);
        let mut chance = Chance::new(1);
        let mut now = NOW;
        let mut rests = Vec::new();
        for _ in 0..8 {
            path.failed(now, address(1), Trouble::Unreachable, &mut chance);
            let until = path.rests_until(&[]).unwrap();
            rests.push(until.since(now).as_s() / 60);
            now = until;
        }
        assert_eq!(rests, [1, 2, 4, 8, 16, 30, 30, 30]);
    }

    #[test]
    fn connections_that_fail_together_are_one_failure() {
        let mut path = path(&[(10, &[1])]);
        let mut chance = Chance::new(1);
        (0..20).for_each(|_| path.failed(NOW, address(1), Trouble::Unreachable, &mut chance));
        assert!(path.rests_until(&[]).unwrap() < NOW + Span::from_s(75));
    }

    #[test]
    fn an_older_session_that_works_does_not_say_that_new_ones_are_let_in() {
        let mut path = path(&[(10, &[1])]);
        path.failed(NOW, address(1), Trouble::Unreachable, &mut Chance::new(1));
        path.carried(address(1), NOW - Span::from_s(5));
        assert_eq!(taken(&mut path, NOW, 1), [None]);
        path.carried(address(1), NOW + Span::from_s(5));
        assert_eq!(taken(&mut path, NOW, 1), [Some(address(1))]);
    }

    #[test]
    fn a_host_that_cannot_take_it_is_left_out() {
        let mut path = path(&[(10, &[1, 2]), (20, &[3])]);
        let next = path.next_address(NOW, &[HostId(0)]).map(|a| a.address);
        assert_eq!(next, Some(address(3)));
        assert_eq!(path.rests_until(&[HostId(0), HostId(1)]), None);
    }

    #[test]
    fn what_is_known_is_of_an_address_at_its_host_and_a_new_address_is_new() {
        let mut path = path(&[(10, &[1, 2]), (20, &[3])]);
        let mut chance = Chance::new(1);
        path.failed(NOW, address(1), Trouble::Unreachable, &mut chance);
        path.failed(NOW, address(3), Trouble::Unreachable, &mut chance);
        // The first host has another address now, and what was the second's is the third's.
        let hosts = [(0, 10, vec![1, 4]), (2, 20, vec![3])].map(|(host, preference, addresses)| {
            let addresses = addresses.into_iter().map(address).collect();
            RouteHost { host: HostId(host), preference, addresses }
        });
        path.learn(&hosts, &mut chance, |_| true);
        let known = path.addresses.iter().map(|a| (a.host.0, a.address, a.is_doubtful()));
        let wanted = [(0, address(1), true), (0, address(4), false), (2, address(3), false)];
        assert_eq!(known.collect::<Vec<_>>(), wanted);
    }

    #[test]
    fn the_host_that_failed_last_is_named_unless_it_is_none_that_may_be_taken() {
        let mut path = path(&[(10, &[1]), (10, &[2]), (10, &[3])]);
        let mut chance = Chance::new(1);
        assert!(path.failed_last(&[]).is_none(), "none has failed");
        path.failed(NOW, address(1), Trouble::Unreachable, &mut chance);
        path.failed(NOW + Span::from_s(1), address(2), Trouble::Unreachable, &mut chance);
        let failed_last = |without: &[HostId]| path.failed_last(without).map(|a| a.address);
        assert_eq!(failed_last(&[]), Some(address(2)));
        assert_eq!(failed_last(&[HostId(1)]), Some(address(1)));
        assert_eq!(failed_last(&[HostId(0), HostId(1)]), None);
    }

    #[test]
    fn a_host_that_is_blamed_rests_a_minute_and_twice_as_long_the_next_time_and_is_heard_once() {
        let mut rests = Vec::new();
        for seed in 0..20 {
            let mut path = path(&[(10, &[1]), (10, &[2])]);
            let mut chance = Chance::new(seed);
            let mut blame =
                |path: &mut Path, now| path.blame(now, address(1), true, 2, &mut chance);
            let until = |path: &Path| {
                path.addresses.iter().find(|a| a.address == address(1)).unwrap().rests_until
            };
            assert!(!blame(&mut path, NOW) && !blame(&mut path, NOW), "twice is not enough");
            assert!(blame(&mut path, NOW));
            let first = until(&path);
            rests.push(first.since(NOW));
            // What was under way when it began to rest says nothing more.
            assert!((0..9).all(|_| blame(&mut path, NOW + Span::from_s(1))));
            assert_eq!(until(&path), first);
            assert!(blame(&mut path, first), "it is back, and the same again");
            let again = until(&path).since(first);
            assert!(again >= Span::from_s(120) && again <= Span::from_s(135), "{again:?}");
        }
        assert!(rests.iter().all(|rest| (Span::from_s(60)..=Span::from_s(75)).contains(rest)));
        assert!(rests.iter().any(|rest| *rest > Span::from_s(65)), "not all at once: {rests:?}");
    }

    #[test]
    fn another_host_serves_if_it_took_mail_lately_and_may_take_more() {
        let mut path = path(&[(10, &[1, 2]), (10, &[3])]);
        let mut chance = Chance::new(1);
        assert!(!path.serves_elsewhere(NOW, address(1)), "nobody has taken anything");
        path.accepted(NOW, address(2));
        assert!(!path.serves_elsewhere(NOW, address(1)), "the same host by another address");
        assert!(path.serves_elsewhere(NOW, address(3)));
        let lately = NOW + Span::from_min(10);
        assert!(!path.serves_elsewhere(lately, address(3)), "that was long ago");
        path.failed(NOW, address(2), Trouble::TurnedAway, &mut chance);
        assert!(!path.serves_elsewhere(NOW, address(3)), "it rests");
        path.wake();
        assert!(!path.serves_elsewhere(NOW, address(3)), "nobody knows whether it is well");
        path.carried(address(2), NOW + Span::from_s(1));
        assert!(path.serves_elsewhere(NOW, address(3)), "it is");
    }
}
