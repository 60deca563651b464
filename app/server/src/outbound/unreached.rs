//! What hosts said, or what became of the connection, when a session with them did not come
//! about: no recipient's reply, and yet the reason why recipients wait.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use postlane_engine::{DomainId, HostId, RouteHost};
use postlane_mail::{Instant, LastReply};

/// The last failure of each host that has ever failed, and where each domain's mail goes; as
/// many of them as there are names of ours.
#[derive(Debug, Clone, Default)]
pub(crate) struct Unreached(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    failures: BTreeMap<HostId, LastReply>,
    hosts: BTreeMap<DomainId, Arc<[RouteHost]>>,
}

impl Unreached {
    pub(crate) fn note(&self, host: HostId, failure: LastReply) {
        self.0.lock().failures.insert(host, failure);
    }

    /// The domain's mail goes to these hosts from now on.
    pub(crate) fn lead(&self, domain: DomainId, hosts: Arc<[RouteHost]>) {
        self.0.lock().hosts.insert(domain, hosts);
    }

    pub(crate) fn forget_host(&self, host: HostId) {
        self.0.lock().failures.remove(&host);
    }

    pub(crate) fn forget_domain(&self, domain: DomainId) {
        self.0.lock().hosts.remove(&domain);
    }

    pub(crate) fn of(&self, host: HostId) -> Option<LastReply> {
        self.0.lock().failures.get(&host).cloned()
    }

    /// The last failure since then of any host that the domain's mail goes to.
    pub(crate) fn towards(&self, domain: DomainId, since: Instant) -> Option<LastReply> {
        let known = self.0.lock();
        let hosts = known.hosts.get(&domain)?.iter();
        let failures = hosts.filter_map(|host| known.failures.get(&host.host));
        failures.filter(|last| last.at >= since).max_by_key(|last| last.at).cloned()
    }
}

#[cfg(test)]
mod tests {
    use postlane_mail::{Code, Reply, Stage};

    use super::*;

    fn failed(unreached: &Unreached, host: u32, at_s: u64, text: &str) {
        let reply = Reply::new(Code::new(451).unwrap(), text);
        let at = Instant::from_unix_s(at_s);
        unreached
            .note(HostId(host), LastReply { stage: Stage::Connect, reply, host: "".into(), at });
    }

    #[test]
    fn a_domains_last_failure_is_the_last_of_its_hosts_and_not_older_than_its_mail() {
        let unreached = Unreached::default();
        let host = |host| RouteHost {
            host: HostId(host),
            preference: 10,
            addresses: [].into_iter().collect(),
        };
        unreached.lead(DomainId(1), vec![host(1), host(2)].into());
        let towards = |domain, since_s| {
            let last = unreached.towards(DomainId(domain), Instant::from_unix_s(since_s));
            last.map(|last| last.reply.text().to_owned())
        };
        failed(&unreached, 1, 100, "refused");
        failed(&unreached, 2, 200, "timed out");
        failed(&unreached, 3, 300, "another's");
        assert_eq!(towards(1, 50).as_deref(), Some("timed out"));
        assert_eq!(towards(1, 201), None);
        assert_eq!(towards(2, 50), None);
    }
}
