//! What a recipients' domain demands of a session with one of its hosts.

use std::sync::Arc;

use postlane_checks::Name;
use postlane_checks::mta_sts::{StsMode, StsPolicy};
use postlane_checks::tlsa::TlsaSet;
use postlane_mail::{Domain, Host};
use postlane_net::tls::{ClientTls, DanePeer, Minimum, Trust};
use postlane_smtp::client::TlsPolicy;

/// What a recipients' domain demands of a session with one of its hosts. It is part of what a host
/// is to us, so that mail of a domain that demands something never shares a session with mail of
/// one that does not.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) enum Demand {
    /// Nothing.
    #[default]
    Nothing,
    /// What its policy of MTA-STS says.
    Sts(Arc<StsDemand>),
    /// What the signed records of the host say.
    Dane(Arc<DaneDemand>),
}

/// A policy of MTA-STS that counts for a host.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct StsDemand {
    pub(crate) domain: Domain,
    pub(crate) policy: StsPolicy,
}

/// Signed records of a host.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct DaneDemand {
    /// The recipients' domain.
    pub(crate) domain: Domain,
    pub(crate) host: Domain,
    /// Where the records stand: the host's name, or the one that it is an alias of.
    pub(crate) base: Domain,
    pub(crate) records: TlsaSet,
}

impl Demand {
    /// What the session is told, where this was set up.
    pub(crate) fn session(&self, set_up: TlsPolicy) -> TlsPolicy {
        match self {
            Self::Sts(sts) if sts.policy.mode == StsMode::Enforce => TlsPolicy::Required,
            Self::Dane(_) => TlsPolicy::Required,
            _ => set_up,
        }
    }

    /// How the session is encrypted; none where what was set up holds. Without trust in anybody no
    /// certificate will do.
    pub(crate) fn client_tls(&self, minimum: Minimum, trust: Option<&Trust>) -> Option<ClientTls> {
        match (self, trust) {
            (Self::Nothing, _) => None,
            (Self::Sts(sts), Some(trust)) if sts.policy.mode == StsMode::Enforce => {
                Some(ClientTls::proved(minimum, trust))
            }
            (Self::Sts(sts), None) if sts.policy.mode == StsMode::Enforce => {
                Some(ClientTls::believing_nobody(minimum))
            }
            (Self::Sts(_), trust) => trust.map(|trust| ClientTls::witnessed(minimum, trust)),
            (Self::Dane(dane), _) => Some(ClientTls::dane(minimum, dane.peer())),
        }
    }

    /// What it is called in the log and in history: `sts`, `sts-testing`, `dane`; none where what
    /// was set up holds.
    pub(crate) fn name(&self) -> Option<&'static str> {
        match self {
            Self::Nothing => None,
            Self::Sts(sts) if sts.policy.mode == StsMode::Enforce => Some("sts"),
            Self::Sts(_) => Some("sts-testing"),
            Self::Dane(_) => Some("dane"),
        }
    }

    /// Who demands what, for people who read why mail waits; none where nobody does.
    pub(crate) fn says(&self, host: &Host) -> Option<String> {
        match self {
            Self::Sts(sts) if sts.policy.mode == StsMode::Enforce => Some(format!(
                "the MTA-STS policy of {} wants TLS and a certificate for {host} by an authority \
                 that is believed",
                sts.domain
            )),
            Self::Dane(dane) if dane.records.usable.is_empty() => {
                Some(format!("the TLSA records of {host} want TLS (DANE)"))
            }
            Self::Dane(_) => {
                Some(format!("the TLSA records of {host} name another certificate (DANE)"))
            }
            _ => None,
        }
    }

    /// Why a session without encryption does not do; none where it does.
    pub(crate) fn says_of_missing(&self, host: &Host) -> Option<String> {
        match self {
            Self::Sts(sts) if sts.policy.mode == StsMode::Enforce => {
                Some(format!("the MTA-STS policy of {} wants TLS", sts.domain))
            }
            Self::Dane(_) => Some(format!("the TLSA records of {host} want TLS (DANE)")),
            _ => None,
        }
    }
}

impl DaneDemand {
    fn peer(&self) -> DanePeer {
        // RFC 7672 §3.2.2: the name that the records stand at, and the domain that the MX is of.
        let mut names = vec![Name::from(&self.base), Name::from(&self.domain)];
        if self.base != self.host {
            names.push(Name::from(&self.host));
        }
        DanePeer { records: self.records.clone(), names }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn domain(name: &str) -> Domain {
        Domain::parse(name).unwrap()
    }

    fn sts(mode: &str) -> Demand {
        let text = format!("version: STSv1\nmode: {mode}\nmx: mx.a.example\nmax_age: 86400\n");
        let policy = StsPolicy::parse(text.as_bytes()).unwrap();
        Demand::Sts(Arc::new(StsDemand { domain: domain("a.example"), policy }))
    }

    fn dane() -> Demand {
        let (domain, host) = (domain("a.example"), domain("mx.a.example"));
        let base = host.clone();
        Demand::Dane(Arc::new(DaneDemand { domain, host, base, records: TlsaSet::default() }))
    }

    proptest! {
        #[test]
        fn a_policy_that_demands_tls_is_never_sent_around(set_up in 0_usize..3, which in 0_usize..2) {
            let set_up = [TlsPolicy::Never, TlsPolicy::Opportunistic, TlsPolicy::Required][set_up];
            let demand = [sts("enforce"), dane()][which].clone();
            prop_assert!(demand.session(set_up).is_required());
            // Not even where no authority can be read.
            prop_assert!(demand.client_tls(Minimum::V12, None).is_some());
        }
    }

    #[test]
    fn a_policy_that_is_tried_out_changes_nothing() {
        assert_eq!(sts("testing").session(TlsPolicy::Opportunistic), TlsPolicy::Opportunistic);
        assert_eq!(sts("testing").name(), Some("sts-testing"));
        assert_eq!(Demand::Nothing.session(TlsPolicy::Never), TlsPolicy::Never);
        assert!(Demand::Nothing.client_tls(Minimum::V12, None).is_none());
    }
}
