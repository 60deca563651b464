//! How sessions with the hosts of domains that publish a policy went, counted for their reports
//! (RFC 8460).

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use postlane_checks::Name;
use postlane_checks::mta_sts::{StsFetchFault, StsMode, StsPolicy};
use postlane_checks::tls_rpt::TlsFailure;
use postlane_mail::{Domain, Instant, Span};
use postlane_net::outbound::{End, SessionFacts};
use postlane_registry::{Registry, RegistryError, TlsTally, TlsTallyKey};
use postlane_smtp::client::SessionEnd;

use super::Demand;
use crate::outbound::routing::NextHop;

/// How sessions went, since it was last written down.
#[derive(Clone)]
pub(crate) struct Tallies(Arc<Inner>);

struct Inner {
    registry: Registry,
    counted: Mutex<BTreeMap<TlsTallyKey, (u64, Box<str>)>>,
}

/// How a session went.
pub(crate) struct Went {
    key: TlsTallyKey,
    reason: Box<str>,
}

/// Different ones that wait to be written down; more are not counted. Chosen, not measured.
const COUNTED_MAX: usize = 50_000;

/// Characters of what is said of a failure.
const REASON_CHARS_MAX: usize = 300;

/// How long they are kept. RFC 8460 §4.1 lets reports be a day late; people look back further.
/// Chosen, not measured.
const KEPT_DAYS: u32 = 60;

/// A day in UTC.
const DAY: Span = Span::from_h(24);

/// The day of a moment in UTC, from 1970-01-01.
pub(crate) fn day_of(at: Instant) -> u32 {
    u32::try_from(at.unix_s() / DAY.as_s()).unwrap_or(u32::MAX)
}

impl Tallies {
    pub(crate) fn new(registry: Registry) -> Self {
        Self(Arc::new(Inner { registry, counted: Mutex::default() }))
    }

    /// Counts a session.
    pub(crate) fn count(&self, now: Instant, went: Went) {
        let key = TlsTallyKey { day: day_of(now), ..went.key };
        let mut counted = self.0.counted.lock();
        if counted.len() >= COUNTED_MAX && !counted.contains_key(&key) {
            return;
        }
        let (sessions, reason) = counted.entry(key).or_default();
        *sessions += 1;
        *reason = went.reason;
    }

    /// Writes down what was counted. What cannot be written now is written the next time.
    pub(crate) fn write(&self, now: Instant, done: impl FnOnce() + Send + 'static) {
        let counted = std::mem::take(&mut *self.0.counted.lock());
        let tallies: Vec<TlsTally> = counted
            .into_iter()
            .map(|(of, (sessions, reason))| TlsTally { of, reason: reason.into(), sessions })
            .collect();
        let since = day_of(now).saturating_sub(KEPT_DAYS);
        let this = self.clone();
        let again = tallies.clone();
        let then = move |written: Result<(), RegistryError>| {
            if written.is_err() {
                this.put_back(again);
            }
            done();
        };
        // A registry that is too busy to hear of it does not tell of that either: counts are lost.
        let _ = self.0.registry.ask(move |db| db.add_tls_tallies(&tallies, since), then);
    }

    fn put_back(&self, tallies: Vec<TlsTally>) {
        let mut counted = self.0.counted.lock();
        for TlsTally { of, reason, sessions } in tallies {
            if counted.len() < COUNTED_MAX {
                counted.entry(of).or_insert_with(|| (0, reason.into())).0 += sessions;
            }
        }
    }
}

impl Went {
    /// A session that began, or failed to; none where nobody wants to hear of it.
    pub(crate) fn session(hop: &NextHop, facts: &SessionFacts, end: Option<&End>) -> Option<Self> {
        let (failure, why) = match end {
            None => match (&facts.tls, &facts.tls_fault) {
                (Some(_), None) => (None, ""),
                (Some(_), Some(fault)) => (Some(fault.failure), &*fault.why),
                (None, _) => (Some(TlsFailure::StartTlsNotSupported), "it went in the clear"),
            },
            Some(End::Session(SessionEnd::TlsMissing)) => {
                (Some(TlsFailure::StartTlsNotSupported), "STARTTLS is not offered")
            }
            Some(End::Session(SessionEnd::TlsFailed(why))) => {
                let fault = facts.tls_fault.as_ref().map(|fault| fault.failure);
                (Some(fault.unwrap_or(TlsFailure::ValidationFailure)), &**why)
            }
            // A connection that did not come about says nothing of encryption.
            Some(_) => return None,
        };
        let mut key = match &hop.policy.demand {
            Demand::Nothing => return None,
            Demand::Sts(sts) => sts_key(&sts.domain, Some(&sts.policy)),
            Demand::Dane(dane) => {
                let mut records: Vec<String> =
                    dane.records.usable.iter().map(ToString::to_string).collect();
                records.extend(dane.records.unusable.iter().map(ToString::to_string));
                let mut key = key(&dane.domain, "tlsa", &records.join("\n"));
                key.hosts = dane.host.to_string();
                key
            }
        };
        let (mut failure, mut reason) = (failure, why.to_owned());
        if let (None, Demand::Sts(sts)) = (failure, &hop.policy.demand)
            && let postlane_mail::Host::Domain(name) = &hop.name
            && !sts.policy.allows(&Name::from(name))
        {
            failure = Some(TlsFailure::ValidationFailure);
            reason = "the host is not among those of the policy".to_owned();
        }
        if let (None, Demand::Dane(dane)) = (failure, &hop.policy.demand)
            && dane.records.usable.is_empty()
        {
            failure = Some(TlsFailure::TlsaInvalid);
            reason = "no record can be gone by".to_owned();
        }
        key.result = failure.map_or("", TlsFailure::as_str).to_owned();
        key.sending_ip = facts.local.map(|local| local.ip().to_string()).unwrap_or_default();
        key.mx_host = hop.name.to_string();
        key.mx_ip = facts.remote.ip().to_string();
        Some(Self { key, reason: shortened(&reason) })
    }

    /// A policy that could not be fetched; what is kept of it counts.
    pub(super) fn unfetched(
        domain: &Domain,
        kept: Option<&StsPolicy>,
        fault: &StsFetchFault,
    ) -> Self {
        let result = fault.failure().as_str().to_owned();
        let key = TlsTallyKey { result, ..sts_key(domain, kept) };
        Self { key, reason: shortened(&fault.to_string()) }
    }

    /// A host that a policy does not allow.
    pub(super) fn not_allowed(
        domain: &Domain,
        policy: &StsPolicy,
        host: &Domain,
        ip: Option<IpAddr>,
    ) -> Self {
        let mut key = sts_key(domain, Some(policy));
        key.result = TlsFailure::ValidationFailure.as_str().to_owned();
        key.mx_host = host.to_string();
        key.mx_ip = ip.map(|ip| ip.to_string()).unwrap_or_default();
        Self { key, reason: shortened("the host is not among those of the policy") }
    }

    /// A host whose signed records could not be found out.
    pub(super) fn unproved(domain: &Domain, host: &Domain, ip: Option<IpAddr>, why: &str) -> Self {
        let mut key = key(domain, "tlsa", "");
        key.result = TlsFailure::DnssecInvalid.as_str().to_owned();
        key.mx_host = host.to_string();
        key.mx_ip = ip.map(|ip| ip.to_string()).unwrap_or_default();
        Self { key, reason: shortened(why) }
    }
}

fn sts_key(domain: &Domain, policy: Option<&StsPolicy>) -> TlsTallyKey {
    let text = policy.map(ToString::to_string).unwrap_or_default();
    let mut key = key(domain, "sts", text.trim_end());
    let hosts = policy.filter(|policy| policy.mode != StsMode::None);
    let hosts = hosts.into_iter().flat_map(|policy| &policy.mx).map(ToString::to_string);
    key.hosts = hosts.collect::<Vec<_>>().join("\n");
    key
}

fn key(domain: &Domain, policy_type: &str, policy: &str) -> TlsTallyKey {
    TlsTallyKey {
        day: 0,
        domain: domain.to_string(),
        policy_type: policy_type.to_owned(),
        policy: policy.to_owned(),
        hosts: String::new(),
        result: String::new(),
        sending_ip: String::new(),
        mx_host: String::new(),
        mx_ip: String::new(),
    }
}

fn shortened(text: &str) -> Box<str> {
    text.chars().take(REASON_CHARS_MAX).collect::<String>().into()
}
