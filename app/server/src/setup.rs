//! Everything an operator has decided, read, checked and ready to be used.

mod from_config;
mod lanes;
mod preflight;
mod ready_tls;
mod rules;
mod signing;
mod tester;
mod watched;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use ipnet::IpNet;
use postlane_engine::{Engagement, Learning, RetrySchedule};
use postlane_mail::{
    Domain, Envelope, Family, Host, Instant, Label, Mailbox, Rate, ReturnContent, Span, Stream,
};
use postlane_message::Edits;
use postlane_net::dns::{NameServers, Resolver, ResolverSettings};
use postlane_net::enquiry::Mapped;
use postlane_net::route::StaticRoutes;
use postlane_net::tls::{ClientTls, Minimum};
use postlane_smtp::auth::{Credentials, ScramVerifier};
use postlane_smtp::client::{Timeouts, TlsPolicy};
use postlane_smtp::data::BareNewlines;
use postlane_smtp::server::{Identity, Limits, RelayRights};
use postlane_suppression::Policy;
use tokio::sync::watch;

use crate::config::settings::{Dane, Dormant, Log, Remembered, Scope};
use crate::ground::clock::Clock;
use crate::outbound::tls_policy::Demand;
use ready_tls::ReadyTls;

pub use lanes::{Inside, LaneSetup};
pub use preflight::PreflightSetup;
pub use rules::Rules;
pub use signing::{SigningKey, SigningSetup};
pub use tester::TesterSetup;
pub use watched::{Asking, WatchSetup, WatchedSubject};

/// Everything an operator has decided.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Where the spool and everything else of ours is kept.
    pub data: PathBuf,
    /// Our name: in greetings, in Received fields, in reports.
    pub hostname: Domain,
    /// Where mail is taken. Never empty.
    pub listeners: Vec<ListenerSetup>,
    /// Where the HTTP API is served.
    pub http: SocketAddr,
    /// How much may be asked of it.
    pub http_limits: HttpLimits,
    /// How webhooks are told what happens.
    pub webhooks: WebhookSetup,
    /// How it is looked for what is wrong.
    pub incidents: IncidentSetup,
    /// Mail to test addresses.
    pub tester: TesterSetup,
    /// Who is watched over time, and how.
    pub watch: Arc<WatchSetup>,
    /// What one client may take of us.
    pub limits: Limits,
    /// Logins of one client that may fail.
    pub failed_logins: Rate,
    /// Sessions with clients in all.
    pub sessions_in_max: u32,
    /// Sessions with one client.
    pub sessions_of_client_max: u32,
    /// Octets of messages that are on their way in, in all.
    pub intake_octets_max: u64,
    /// Networks that may relay.
    pub neighbours: Vec<IpNet>,
    /// Our names.
    pub own: RelayRights,
    /// Where mail to our postmaster and abuse desk goes; it is kept in `DATA/postmaster` where
    /// there is none.
    pub role_mailbox: Option<Mailbox>,
    /// What replies mean.
    pub rules: Rules,
    /// What is done with bare CR and LF.
    pub bare_newlines: BareNewlines,
    /// What is added to a message and taken from it.
    pub edits: Edits,
    /// What is put above messages before they leave, and who signs them.
    pub signing: SigningSetup,
    /// Who may authenticate.
    pub users: Vec<User>,
    /// What is different for somebody's mail.
    pub tenants: BTreeMap<Label, TenantSetup>,
    /// Addresses to send from. Never empty.
    pub sources: Vec<SourceSetup>,
    /// Sets of them; the first is for everybody who has none. Never empty.
    pub pools: Vec<PoolSetup>,
    /// What lanes keep to.
    pub lanes: LaneSetup,
    /// Whether lanes find out what their providers take.
    pub learning: Learning,
    /// Families that are off for some providers.
    pub families_off: BTreeMap<String, Vec<Family>>,
    /// When a deferred recipient is tried again.
    pub retry: RetrySchedule,
    /// How long a message may wait, by stream.
    pub expires_after: [Span; 3],
    /// In which order mail to recipients who are quiet goes.
    pub engagement: Engagement,
    /// What becomes of mail to those who have been quiet for longest.
    pub dormant: Dormant,
    /// When a sender is told that a message is late.
    pub delay_notice_after: Option<Span>,
    /// What of a message a report returns, where its sender has not said.
    pub report_returns: ReturnContent,
    /// Octets of a message that a report returns, at most.
    pub report_octets_max: usize,
    /// Which refusals put recipients on the suppression list.
    pub suppression: SuppressionSetup,
    /// How messages are looked at before they leave.
    pub preflight: PreflightSetup,
    /// Recipients in one transaction.
    pub transaction_recipients_max: u16,
    /// Sessions with hosts in all.
    pub sessions_out_max: u32,
    /// A session with nothing to do is closed after this.
    pub session_idle: Span,
    /// Messages given to a session at once.
    pub session_depth: u8,
    /// Whether to send by BDAT where it is offered.
    pub chunking: bool,
    /// How long hosts may take.
    pub timeouts: Timeouts,
    /// How long connecting may take.
    pub connect_timeout: Span,
    /// How sessions are encrypted where nothing else is said.
    pub tls: TlsSetup,
    /// Whether what recipients' domains publish about encryption is kept to.
    pub published_tls: PublishedTlsSetup,
    /// How web servers of other domains are called.
    pub https: HttpsSetup,
    /// What is different of that for some providers.
    pub provider_tls: BTreeMap<String, TlsChange>,
    /// What is different of both for some domains.
    pub domain_tls: BTreeMap<Domain, TlsChange>,
    /// Where some mail goes without looking at MX records.
    pub routes: StaticRoutes,
    /// The port of MX hosts.
    pub mx_port: u16,
    /// DNS resolvers; the system's when empty.
    pub resolvers: Vec<SocketAddr>,
    /// Who asks it, made when it is asked first.
    pub(crate) dns: Arc<OnceLock<Resolver>>,
    /// How the disk is used.
    pub spool: postlane_spool::Settings,
    /// Octets of messages kept in memory for their first attempt.
    pub cache_octets: usize,
    /// What is written to the log.
    pub log: Log,
    /// What is remembered of what happens.
    pub ledger: LedgerSetup,
    /// How long a shutdown waits for what is under way.
    pub shutdown_wait: Span,
    /// Seed of all chance.
    pub seed: u64,
    /// The time.
    pub clock: Clock,
    ready_tls: Arc<ReadyTls>,
}

/// Where mail is taken.
#[derive(Debug, Clone)]
pub struct ListenerSetup {
    /// The address; port 0 picks a free one.
    pub address: SocketAddr,
    /// Certificate chain and key, PEM.
    pub certificate: Option<(PathBuf, PathBuf)>,
    /// TLS is spoken from the start.
    pub implicit_tls: bool,
    /// Whether AUTH is offered, and asked for.
    pub auth: AuthSetup,
    /// AUTH without TLS is offered to loopback.
    pub auth_without_tls_on_loopback: bool,
    /// Load balancers that say by a PROXY header (version 2) whose connection they pass on.
    pub balancers: Vec<IpNet>,
    /// Whether mail to test addresses is taken here.
    pub tests: bool,
    /// Whose mail comes in here, where nobody says otherwise.
    pub tenant: Label,
}

/// Whether clients authenticate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AuthSetup {
    /// They cannot.
    Off,
    /// They can.
    #[default]
    Optional,
    /// They must.
    Required,
}

/// How much may be asked of the HTTP API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HttpLimits {
    /// Requests with one token of the registry.
    pub rate: Rate,
    /// Requests at once, beyond the rate.
    pub burst: u32,
    /// Requests without a valid token from one address.
    pub failures: Rate,
}

/// How webhooks are told what happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WebhookSetup {
    /// Whether they may lead to addresses that are not public.
    pub private_addresses: bool,
    /// One message, from the name's resolution to the answer.
    pub timeout: Span,
    /// Events in one message.
    pub batch: usize,
    /// Messages under way at once.
    pub at_once: usize,
    /// A webhook that has taken nothing for so long is paused.
    pub pause_after: Span,
}

/// How it is looked for what is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IncidentSetup {
    /// Whether it is.
    pub on: bool,
    /// How often.
    pub every: Span,
    /// How far back each look looks.
    pub window: Span,
}

/// Somebody who may authenticate.
#[derive(Clone)]
pub struct User {
    /// The name.
    pub name: Box<str>,
    /// What is kept of the password.
    pub verifier: ScramVerifier,
    /// Whose mail it sends.
    pub tenant: Label,
}

/// What is different for somebody's mail.
#[derive(Debug, Clone, Default)]
pub struct TenantSetup {
    /// Who hears of failures.
    pub reports: Reports,
    /// The pool it goes by, as a place in [`Setup::pools`].
    pub pool: usize,
    /// The reverse-path to send with, where it is not the sender's own.
    pub bounce_address: Option<Mailbox>,
    /// Whether each recipient has a reverse-path of its own below that.
    pub verp: bool,
}

/// Which refusals put recipients on the suppression list, and how long it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SuppressionSetup {
    /// Which refusals count, and how long they last.
    pub policy: Policy,
    /// Whose mail is stopped by them.
    pub scope: Scope,
    /// Entries of the list, at most.
    pub entries_max: usize,
}

/// What is remembered of what happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerSetup {
    /// Whether anything is.
    pub on: bool,
    /// The folder.
    pub dir: PathBuf,
    /// What is older is thrown away.
    pub keep_for: Span,
    /// Octets on the disk, at most.
    pub octets_max: u64,
    /// Refused attempts a minute at each provider of which the dialogue is remembered.
    pub refused_samples: u16,
    /// Accepted ones.
    pub accepted_samples: u16,
    /// How much of addresses is remembered.
    pub addresses: Remembered,
    /// Octets that wait to be written, at most.
    pub backlog_octets_max: usize,
}

/// Who hears of failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reports {
    /// The sender, by a report (RFC 3464).
    #[default]
    Sender,
    /// Whoever reads the log and the events.
    Event,
    /// Nobody.
    Nobody,
}

/// An address to send from.
#[derive(Debug, Clone)]
pub struct SourceSetup {
    /// Its name in logs and lists.
    pub name: String,
    /// The address; none lets the system choose.
    pub address: Option<IpAddr>,
    /// Its family.
    pub family: Family,
    /// The name to give in EHLO.
    pub ehlo: Domain,
    /// The address that others see, where it is changed on the way.
    pub seen_as: Option<IpAddr>,
}

/// A set of sources.
#[derive(Debug, Clone)]
pub struct PoolSetup {
    /// Its name.
    pub name: String,
    /// Places in [`Setup::sources`], with their weights.
    pub sources: Vec<(usize, u16)>,
}

/// How a session is encrypted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct TlsSetup {
    /// Whether it is.
    pub policy: TlsPolicy,
    /// The oldest version that will do.
    pub minimum: Minimum,
    /// Certificate authorities to believe, PEM; the system's where there is none.
    pub authorities: Option<PathBuf>,
}

/// Whether what recipients' domains publish about encryption is kept to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublishedTlsSetup {
    /// Whether policies of MTA-STS are.
    pub mta_sts: bool,
    /// Whether signed TLSA records are.
    pub dane: Dane,
    /// Whether sessions are counted for reports.
    pub count: bool,
}

/// How web servers of other domains are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpsSetup {
    /// Hosts that are called at another address than their own.
    pub mapped: Mapped,
    /// Certificate authorities to believe beside the system's, PEM.
    pub extra_roots: Vec<PathBuf>,
    /// How long a page may take.
    pub timeout: Span,
}

/// What is different of how a session is encrypted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TlsChange {
    /// Whether it is.
    pub policy: Option<TlsPolicy>,
    /// The oldest version that will do.
    pub minimum: Option<Minimum>,
    /// Certificate authorities to believe, PEM.
    pub authorities: Option<PathBuf>,
}

/// How a host is spoken to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct HopPolicy {
    pub(crate) tls: TlsSetup,
    pub(crate) auth: Option<Credentials>,
    /// What the recipients' domain demands of the session.
    pub(crate) demand: Demand,
}

/// The setup as it is now, for those who must follow a reload.
#[derive(Clone)]
pub(crate) struct Live(pub(crate) watch::Receiver<Arc<Setup>>);

impl Live {
    pub(crate) fn borrow(&self) -> watch::Ref<'_, Arc<Setup>> {
        self.0.borrow()
    }
}

impl Setup {
    /// Whom to ask of the DNS: those of the configuration, else the system's.
    pub(crate) fn name_servers(&self) -> anyhow::Result<NameServers> {
        if self.resolvers.is_empty() {
            return Ok(NameServers::system());
        }
        Ok(NameServers::given(self.resolvers.clone())?)
    }

    /// Asks the DNS as an operator has said: everybody by one memory.
    pub(crate) fn resolver(&self) -> anyhow::Result<Resolver> {
        if let Some(made) = self.dns.get() {
            return Ok(made.clone());
        }
        let new = Resolver::new(&self.name_servers()?, ResolverSettings::default());
        Ok(self.dns.get_or_init(|| new).clone())
    }

    /// How TLS is done with a host.
    pub(crate) fn client_tls(&self, tls: &TlsSetup) -> ClientTls {
        self.ready_tls.of(tls)
    }

    /// How sessions for a domain, at a provider, are encrypted.
    pub(crate) fn tls_for(&self, host: &Host, provider: &str) -> TlsSetup {
        let by_provider = self.provider_tls.get(provider);
        let by_domain = match host {
            Host::Domain(domain) => self.domain_tls.get(domain),
            Host::Literal(_) => None,
        };
        let changes = by_provider.into_iter().chain(by_domain);
        changes.fold(self.tls.clone(), |tls, change| tls.with(change))
    }

    /// Whether what a domain publishes about encryption counts for it: not where somebody has
    /// written that its mail goes without, nor where all mail does.
    pub(crate) fn heeds_published_tls(&self, domain: &Domain, provider: &str) -> bool {
        let written = |change: Option<&TlsChange>| change.and_then(|change| change.policy);
        let by_domain = written(self.domain_tls.get(domain));
        let written = by_domain.or_else(|| written(self.provider_tls.get(provider)));
        match written {
            Some(policy) => policy.is_required(),
            None => self.tls.policy != TlsPolicy::Never,
        }
    }

    /// The same, with what a provider's or a route's section says beside.
    pub(crate) fn tls_with(&self, tls: TlsSetup, provider: &str) -> TlsSetup {
        match self.provider_tls.get(provider) {
            Some(change) => tls.with(change),
            None => tls,
        }
    }

    /// Whether a message is not to be sent, since its recipient has been quiet for too long. What
    /// somebody waits for is.
    pub(crate) fn excludes(&self, now: Instant, envelope: &Envelope) -> bool {
        let is_dormant = |engaged: Instant| now.since(engaged) >= self.engagement.dormant_after;
        self.dormant == Dormant::Refused
            && envelope.stream != Stream::Transactional
            && envelope.engaged.is_some_and(is_dormant)
    }

    /// The user of that name.
    pub(crate) fn user(&self, name: &str) -> Option<&User> {
        self.users.iter().find(|known| &*known.name == name)
    }

    pub(crate) fn tenant(&self, tenant: &Label) -> TenantSetup {
        self.tenants.get(tenant).cloned().unwrap_or_default()
    }
}

impl TlsSetup {
    fn with(self, change: &TlsChange) -> Self {
        Self {
            policy: change.policy.unwrap_or(self.policy),
            minimum: change.minimum.unwrap_or(self.minimum),
            authorities: change.authorities.clone().or(self.authorities),
        }
    }
}

impl User {
    pub(crate) fn identity(&self) -> Identity {
        Identity { user: self.name.as_ref().into(), tenant: self.tenant.clone() }
    }
}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} …", self.name)
    }
}
