//! `[[provider]]`: what is different with some receivers.

use postlane_mail::{Domain, Family, Rate};
use postlane_net::tls::Minimum;
use postlane_replies::Providers;
use postlane_smtp::client::TlsPolicy;

use crate::config::declaration::{default, optional, required, settings};
use crate::config::nearest::nearest;
use crate::config::section::{Fields, Section};
use crate::config::value::{Switch, spelled};

settings! {
    /// What is different with some receivers: one entry for each provider.
    pub struct ProviderCeilings in "provider" {
        /// Which: a name from the table of providers (`google`), or the registrable domain of the
        /// MX hosts of one that is not in it (`example.com`).
        id: Box<str> = required();
        /// As `lane.connections`.
        connections: Option<u16> = optional().between(Some(1), Some(5_000)).of("connections");
        /// As `lane.rate`.
        rate: Option<Switch<Rate>> = optional();
        /// As `lane.session_messages`.
        session_messages: Option<u32> = optional().between(Some(1), Some(1_000_000)).of("messages");
        /// Families not to use with it.
        families_off: Vec<Family> = default(Vec::new());
        /// As `delivery.tls`.
        tls: Option<TlsPolicy> = optional();
        /// As `delivery.tls_min`.
        tls_min: Option<Minimum> = optional();
    }
}

spelled!(Family {
    "ipv4" => Family::V4, "IPv4";
    "ipv6" => Family::V6, "IPv6";
});

impl Section for ProviderCeilings {
    fn name(&self) -> Option<(&'static str, String)> {
        Some(("id", self.id.to_string()))
    }

    fn check(&self, fields: &mut Fields<'_, '_>) {
        if let Some((cause, cure)) = unknown(&self.id) {
            fields.complain("id", cause, cure);
        }
        if self.tls == Some(TlsPolicy::FromStart) {
            let cause = "no MX host speaks TLS from the start";
            fields.complain("tls", cause, "write \"required\", or \"implicit\" in a [[route]]");
        }
        if self.families_off.contains(&Family::V4) && self.families_off.contains(&Family::V6) {
            let cause =
                format!("no family is left for \"{}\": its mail could never leave", self.id);
            fields.complain("families_off", cause, "leave \"ipv4\" or \"ipv6\" on");
        }
    }
}

/// What is wrong with a provider's id, and the cure, if it can be nobody's.
pub(super) fn unknown(id: &str) -> Option<(String, String)> {
    let providers = Providers::built_in();
    let known: Vec<&str> = providers.known().iter().map(|known| known.id.as_str()).collect();
    let is_domain = || {
        let domain = Domain::parse(id).ok();
        domain.is_some_and(|domain| domain.as_str() == id && id.contains('.'))
    };
    let other = providers.resolve(id).filter(|provider| provider.as_str() != id);
    if known.contains(&id) || (other.is_none() && is_domain()) {
        return None;
    }
    if let Some(other) = other {
        let cause = format!("\"{}\" is a name of \"{other}\"", id.escape_debug());
        return Some((cause, format!("write \"{other}\"")));
    }
    let cure = match nearest(id, &known) {
        Some(known) => format!("did you mean \"{known}\"?"),
        None => format!("write a domain in lower case, or one of {}", known.join(", ")),
    };
    Some((format!("there is no provider \"{}\"", id.escape_debug()), cure))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_is_named_by_its_id_or_by_the_domain_of_its_hosts() {
        assert_eq!(unknown("google"), None);
        assert_eq!(unknown("example.com"), None);
        for name in ["web.de", "gmx", "mail.com"] {
            let (cause, cure) = unknown(name).unwrap();
            assert_eq!(cause, format!("\"{name}\" is a name of \"united-internet\""));
            assert_eq!(cure, "write \"united-internet\"");
        }
        let (cause, cure) = unknown("gogle").unwrap();
        assert_eq!(
            (&*cause, &*cure),
            ("there is no provider \"gogle\"", "did you mean \"google\"?")
        );
        assert!(unknown("Example.com").unwrap().1.contains("in lower case"));
    }
}
