//! The DNS as name servers tell it.
//!
//! Asks recursive name servers one after the other, the one that answered last first, and
//! remembers what they said. Transport, retransmission, TCP after a truncated answer and
//! questions that are under way already are the DNS library's business; which answer to
//! believe, whom to ask next and how long it is good for are said here. It does not validate
//! signatures itself: it asks for and passes on what the name server says about them.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverOpts};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::xfer::{DnsHandle, FirstAnswer};
use hickory_resolver::proto::op::{DnsRequest, DnsRequestOptions, Edns, Message, Query};
use hickory_resolver::proto::rr::Name;
use hickory_resolver::{NameServerPool, PoolContext, TlsConfig};
use parking_lot::Mutex;
use postlane_checks as checks;
use postlane_mail::{Domain, Family, Span};
use tokio::sync::Semaphore;

use super::answer::{Answer, DnsError, Mx};
use super::cache::{Cache, CacheBounds, HEARD};
use super::question::Dns;
use super::reading::{ALIASES_MAX, Addresses, Kind, MxRecords, Reading, read, read_error, seconds};
use super::servers::NameServers;

/// How name servers are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResolverSettings {
    /// A server has this long to answer, then the next one is asked. Chosen, not measured:
    /// resolv.conf(5) says 5 s.
    pub server_timeout: Span,
    /// How often every server is asked; at least 1. resolv.conf(5) says 2.
    pub rounds: u8,
    /// A question has this long to be answered by whomever, aliases included.
    pub lookup_timeout: Span,
    /// Questions under way at a time; more wait their turn. At least 1. Each holds a socket.
    pub lookups_max: usize,
    /// How long answers are kept, and how many.
    pub cache: CacheBounds,
}

/// Asks name servers. Cheap to clone: clones have one memory, and one number of questions under way.
#[derive(Clone)]
pub struct Resolver(pub(super) Arc<Inside>);

/// What all clones of a resolver share.
pub(super) struct Inside {
    servers: Vec<Server>,
    first: AtomicUsize,
    turns: Semaphore,
    settings: ResolverSettings,
    mx: Mutex<Cache<Domain, Mx>>,
    addresses: Mutex<Cache<(Domain, Family), IpAddr>>,
    /// What checks have heard.
    pub(super) answers: Mutex<Cache<checks::Question, checks::Record>>,
}

/// One name server.
struct Server {
    address: SocketAddr,
    pool: NameServerPool<TokioRuntimeProvider>,
}

/// What UDP answers may have, in octets: what passes every path unfragmented (RFC 9715 §3.2
/// says 1,400 at most; 1,232 is the DNS Flag Day's).
const UDP_OCTETS_MAX: u16 = 1_232;

impl Default for ResolverSettings {
    fn default() -> Self {
        Self {
            server_timeout: Span::from_s(3),
            rounds: 2,
            lookup_timeout: Span::from_s(15),
            lookups_max: 200,
            cache: CacheBounds::default(),
        }
    }
}

impl Resolver {
    /// Asks these servers. Nothing is asked yet, so nothing can fail yet.
    pub fn new(servers: &NameServers, settings: ResolverSettings) -> Self {
        let servers = servers.addresses().iter().map(|server| Server::new(*server, &settings));
        Self(Arc::new(Inside {
            servers: servers.collect(),
            first: AtomicUsize::new(0),
            turns: Semaphore::new(settings.lookups_max.max(1)),
            settings,
            mx: Mutex::new(Cache::new(settings.cache)),
            addresses: Mutex::new(Cache::new(settings.cache)),
            answers: Mutex::new(Cache::new(HEARD)),
        }))
    }

    /// An answer from memory or, when it is our turn, from the servers.
    async fn look_up<Q, K>(
        &self,
        cache: &Mutex<Cache<Q, K::Record>>,
        question: Q,
        name: &Domain,
        kind: K,
    ) -> Result<Answer<K::Record>, DnsError>
    where
        Q: Ord + Clone,
        K: Kind,
    {
        if let Some(kept) = cache.lock().get(Instant::now(), &question) {
            return kept;
        }
        let _turn = self.0.turns.acquire().await.expect("the semaphore is never closed");
        // Somebody else may have asked while we waited.
        if let Some(kept) = cache.lock().get(Instant::now(), &question) {
            return kept;
        }
        let timeout = self.0.settings.lookup_timeout.to_std();
        let asked = async { self.follow(sent(name)?, kind).await };
        let outcome = tokio::time::timeout(timeout, asked).await;
        let outcome = outcome.unwrap_or(Err(DnsError::TimedOut));
        cache.lock().insert(Instant::now(), question, outcome)
    }

    /// An answer from the servers, when it is our turn.
    pub(super) async fn ask_for<K: Kind>(
        &self,
        name: Name,
        kind: K,
    ) -> Result<Answer<K::Record>, DnsError> {
        let _turn = self.0.turns.acquire().await.expect("the semaphore is never closed");
        let timeout = self.0.settings.lookup_timeout.to_std();
        let outcome = tokio::time::timeout(timeout, self.follow(name, kind)).await;
        outcome.unwrap_or(Err(DnsError::TimedOut))
    }

    /// Asks, and asks on where an alias leads out of the answer.
    async fn follow<K: Kind>(
        &self,
        mut name: Name,
        kind: K,
    ) -> Result<Answer<K::Record>, DnsError> {
        let (mut ttl_s, mut authentic, mut aliases_followed) = (u32::MAX, true, 0);
        while aliases_followed <= ALIASES_MAX {
            let message = self.ask(&name, kind).await?;
            authentic &= message.metadata.authentic_data;
            match read(&message, &name, kind)? {
                Reading::Records { records, ttl_s: records_ttl_s } => {
                    let ttl = seconds(ttl_s.min(records_ttl_s));
                    return Ok(Answer { records: records.into(), ttl, authentic });
                }
                Reading::Alias { target, aliases, ttl_s: alias_ttl_s } => {
                    aliases_followed += aliases;
                    ttl_s = ttl_s.min(alias_ttl_s);
                    name = target;
                }
            }
        }
        Err(DnsError::AliasLoop)
    }

    /// One server after the other, until one says that there is something or that there is
    /// nothing. What the last one failed with is handed on.
    async fn ask<K: Kind>(&self, name: &Name, kind: K) -> Result<Message, DnsError> {
        let first = self.0.first.load(Ordering::Relaxed);
        let mut failed = DnsError::TimedOut;
        for turn in 0..self.0.servers.len() * usize::from(self.0.settings.rounds.max(1)) {
            let number = (first + turn) % self.0.servers.len();
            let answer = self.0.servers[number].ask(name, kind).await;
            match answer.map_err(|error| read_error(&error)) {
                Err(error) if !error.is_negative() => failed = error,
                answer => {
                    self.0.first.store(number, Ordering::Relaxed);
                    return answer;
                }
            }
        }
        Err(failed)
    }
}

impl Dns for Resolver {
    async fn mx(&self, domain: &Domain) -> Result<Answer<Mx>, DnsError> {
        self.look_up(&self.0.mx, domain.clone(), domain, MxRecords).await
    }

    async fn addresses(&self, host: &Domain, family: Family) -> Result<Answer<IpAddr>, DnsError> {
        self.look_up(&self.0.addresses, (host.clone(), family), host, Addresses(family)).await
    }
}

impl Server {
    fn new(address: SocketAddr, settings: &ResolverSettings) -> Self {
        let mut connections = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
        for connection in &mut connections {
            connection.port = address.port();
        }
        let server = NameServerConfig::new(address.ip(), true, connections);
        let mut options = ResolverOpts::default();
        options.timeout = settings.server_timeout.to_std();
        options.max_active_requests = settings.lookups_max.max(1);
        let tls = TlsConfig::new().expect("DNS over TLS is compiled out");
        let context = Arc::new(PoolContext::new(options, tls));
        let pool = NameServerPool::from_config([server], context, TokioRuntimeProvider::default());
        Self { address, pool }
    }

    async fn ask<K: Kind>(&self, name: &Name, kind: K) -> Result<Message, NetError> {
        let mut message = Message::query();
        message.add_query(Query::query(name.clone(), kind.record_type()));
        message.metadata.checking_disabled = !kind.wants_signatures_checked();
        message.metadata.recursion_desired = true;
        // RFC 6840 §5.7: says that we want to know whether the answer was validated.
        message.metadata.authentic_data = true;
        message.edns.get_or_insert_with(Edns::new).set_max_payload(UDP_OCTETS_MAX);
        let request = DnsRequest::new(message, DnsRequestOptions::default());
        Ok(self.pool.send(request).first_answer().await?.into_message())
    }
}

fn sent(domain: &Domain) -> Result<Name, DnsError> {
    let fully_qualified = format!("{domain}.");
    Name::from_ascii(fully_qualified).map_err(|error| DnsError::Malformed(error.to_string().into()))
}

impl std::fmt::Debug for Resolver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let servers: Vec<SocketAddr> = self.0.servers.iter().map(|server| server.address).collect();
        f.debug_struct("Resolver")
            .field("servers", &servers)
            .field("settings", &self.0.settings)
            .finish_non_exhaustive()
    }
}
