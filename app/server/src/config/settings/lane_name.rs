//! What a section `[lane."NAME"]` is about: a provider, or some of the mail within providers.

use std::fmt;

use postlane_mail::{Domain, Host, Label};
use postlane_net::route::{ROUTE, Target};
use postlane_replies::Providers;

use crate::config::nearest::nearest;
use crate::config::tree::Node;
use crate::config::value::{Value, Wrongs};

/// What a section is about. All that match a message must let it go.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LaneName {
    /// A provider, by its id: all its brands and domains. Its lanes go by this. So does the lane of
    /// a route, whose name begins with `route:`.
    Provider(Box<str>),
    /// Mail to recipients at this domain.
    Domain(Domain),
    /// Mail to these MX hosts.
    Mx(MxPattern),
    /// Mail that goes by this pool.
    Pool(Box<str>),
    /// Mail of this tenant.
    Tenant(Label),
}

/// MX hosts: one, or all below a domain.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MxPattern {
    /// `mx.example.com`.
    Host(Domain),
    /// `*.example.com`: every host below it.
    Below(Domain),
}

/// The port of a route that says none, unless `delivery.mx_port` does (RFC 5321 §4.5.4.2).
const SMTP: u16 = 25;

/// How a name is written.
const FORM: &str = "a provider's name (`web.de`, `united-internet`), a domain (`example.com`), \
                    `provider:NAME`, `route:HOST:PORT`, `domain:NAME`, `mx:HOST`, `mx:*.DOMAIN`, `pool:NAME` or \
                    `tenant:NAME`";

impl LaneName {
    /// Reads a name; what is wrong with it, and the cure, if it is nobody's.
    pub(crate) fn parse(text: &str) -> Result<Self, (String, String)> {
        let (kind, name) = text.split_once(':').map_or(("", text), |(k, n)| (k, n.trim()));
        match kind {
            "" => any(text.trim()),
            "provider" => provider(name),
            "route" => route(name),
            "domain" => domain(name).map(Self::Domain),
            "mx" => match name.strip_prefix("*.") {
                Some(below) => domain(below).map(|below| Self::Mx(MxPattern::Below(below))),
                None => domain(name).map(|host| Self::Mx(MxPattern::Host(host))),
            },
            "pool" if !name.is_empty() => Ok(Self::Pool(name.into())),
            "tenant" => match Label::parse(name) {
                Ok(label) if !label.is_none() => Ok(Self::Tenant(label)),
                _ => Err(cause(text, "tenant:NAME")),
            },
            _ => Err(cause(text, FORM)),
        }
    }
}

impl MxPattern {
    /// Whether it means this host.
    pub fn matches(&self, host: &Domain) -> bool {
        match self {
            Self::Host(name) => host == name,
            Self::Below(domain) => {
                let rest = host.as_str().strip_suffix(domain.as_str());
                rest.is_some_and(|rest| rest.ends_with('.'))
            }
        }
    }
}

/// A name without a kind: somebody's name if anybody is called so, else a domain.
fn any(text: &str) -> Result<LaneName, (String, String)> {
    let providers = Providers::built_in();
    let called = providers.named(text).filter(|known| {
        let same = |name: &str| plain(name) == plain(text);
        known.names().any(same)
    });
    if let Some(known) = called {
        return Ok(LaneName::Provider(known.id.as_str().into()));
    }
    match Domain::parse(text) {
        Ok(domain) if text.contains('.') => Ok(LaneName::Domain(domain)),
        _ => Err(unknown(&providers, text)),
    }
}

fn provider(name: &str) -> Result<LaneName, (String, String)> {
    let providers = Providers::built_in();
    if let Some(id) = providers.resolve(name) {
        return Ok(LaneName::Provider(id.as_str().into()));
    }
    match Host::parse(name) {
        // Who is in no table is called by the domain of the hosts, or by the address.
        Ok(Host::Domain(domain)) if name.contains('.') => {
            Ok(LaneName::Provider(domain.as_str().into()))
        }
        Ok(literal @ Host::Literal(_)) => Ok(LaneName::Provider(literal.to_string().into())),
        _ => Err(unknown(&providers, name)),
    }
}

/// `HOST:PORT`, or `USER@HOST:PORT`, as the route's lane is called.
fn route(name: &str) -> Result<LaneName, (String, String)> {
    let (user, place) = name.rsplit_once('@').map_or((None, name), |(user, at)| (Some(user), at));
    let target = Target::parse(place).ok().filter(|_| user != Some(""));
    let own = target.and_then(|target| target.lane_name(SMTP));
    let own = own.as_deref().and_then(|own| own.strip_prefix(ROUTE));
    match own {
        Some(own) if !place.contains(',') => {
            let user = user.map(|user| format!("{user}@")).unwrap_or_default();
            Ok(LaneName::Provider(format!("{ROUTE}{user}{own}").into()))
        }
        _ => Err(cause(&format!("{ROUTE}{name}"), "route:HOST:PORT or route:USER@HOST:PORT")),
    }
}

fn domain(name: &str) -> Result<Domain, (String, String)> {
    Domain::parse(name).map_err(|_| cause(name, "a domain: example.com"))
}

fn unknown(providers: &Providers, name: &str) -> (String, String) {
    let names: Vec<&str> = providers.known().iter().flat_map(|known| known.names()).collect();
    let like = providers.suggest(name).or_else(|| nearest(name, &names));
    let cure = match like {
        Some(known) => format!("did you mean \"{known}\"?"),
        None => format!("write {FORM}"),
    };
    (format!("there is no provider \"{}\"", name.escape_debug()), cure)
}

fn cause(text: &str, form: &str) -> (String, String) {
    let cause = format!("\"{}\" names nobody's mail", text.escape_debug());
    (cause, format!("write {form}"))
}

/// What counts in a provider's name.
fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

impl Value for LaneName {
    fn form() -> String {
        FORM.to_owned()
    }

    fn read(node: &Node, wrongs: &mut Wrongs<'_>) -> Option<Self> {
        match Self::parse(wrongs.text(node, "\"web.de\"")?) {
            Ok(name) => Some(name),
            Err((cause, cure)) => {
                wrongs.add(node, cause, cure);
                None
            }
        }
    }

    fn show(&self) -> String {
        toml::Value::String(self.to_string()).to_string()
    }
}

impl fmt::Display for LaneName {
    /// As it can be written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Provider(id) if id.starts_with(ROUTE) => f.write_str(id),
            Self::Provider(id) if id.contains('.') => write!(f, "provider:{id}"),
            Self::Provider(id) => f.write_str(id),
            Self::Domain(domain) => write!(f, "domain:{domain}"),
            Self::Mx(MxPattern::Host(host)) => write!(f, "mx:{host}"),
            Self::Mx(MxPattern::Below(domain)) => write!(f, "mx:*.{domain}"),
            Self::Pool(name) => write!(f, "pool:{name}"),
            Self::Tenant(label) => write!(f, "tenant:{label}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str) -> String {
        LaneName::parse(text).unwrap().to_string()
    }

    #[test]
    fn a_provider_is_named_by_any_name_it_has() {
        for name in ["web.de", "WEB.DE", "united-internet", "gmx", "GMX", "1&1", "provider:gmx.de"]
        {
            assert_eq!(canonical(name), "united-internet", "{name}");
        }
        assert_eq!(canonical("provider:example.com"), "provider:example.com");
        assert_eq!(canonical("provider:[192.0.2.1]"), "provider:[192.0.2.1]");
    }

    #[test]
    fn a_route_is_named_by_where_it_leads_and_who_logs_in() {
        for (text, name) in [
            ("route:Smart.example.net:587", "route:smart.example.net:587"),
            ("route:smart.example.net", "route:smart.example.net:25"),
            ("route:127.0.0.1:2525", "route:127.0.0.1:2525"),
            ("route:[2001:db8::1]:25", "route:[2001:db8::1]:25"),
            ("route:a@b.example@esp.example:587", "route:a@b.example@esp.example:587"),
        ] {
            assert_eq!(canonical(text), name);
            assert_eq!(canonical(name), name);
        }
        for text in ["route:", "route:a b:25", "route:mx:example.com", "route:@a.example:25"] {
            assert!(LaneName::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_domain_is_only_that_domain() {
        assert_eq!(canonical("gmx.de"), "domain:gmx.de");
        assert_eq!(canonical("domain:web.de"), "domain:web.de");
        assert_eq!(canonical("Example.COM"), "domain:example.com");
    }

    #[test]
    fn hosts_pools_and_tenants_say_what_they_are() {
        assert_eq!(canonical("mx:*.gmx.net"), "mx:*.gmx.net");
        assert_eq!(canonical("mx:mx00.gmx.net"), "mx:mx00.gmx.net");
        assert_eq!(canonical("pool:german"), "pool:german");
        assert_eq!(canonical("tenant:acme"), "tenant:acme");
    }

    #[test]
    fn a_pattern_of_hosts_means_whole_labels() {
        let LaneName::Mx(below) = LaneName::parse("mx:*.gmx.net").unwrap() else { panic!() };
        let host = |name| Domain::parse(name).unwrap();
        assert!(below.matches(&host("mx00.gmx.net")) && below.matches(&host("mx00.emig.gmx.net")));
        assert!(!below.matches(&host("gmx.net")) && !below.matches(&host("mx.notgmx.net")));
    }

    #[test]
    fn nobodys_name_is_refused_with_the_one_that_is_like_it() {
        let (cause, cure) = LaneName::parse("gogle").unwrap_err();
        let said = (&*cause, &*cure);
        assert_eq!(said, ("there is no provider \"gogle\"", "did you mean \"google\"?"));
        for name in ["", "mx:", "tenant:", "pool:", "tenant:a b", "host:a.example", "domain:a b"] {
            assert!(LaneName::parse(name).is_err(), "{name}");
        }
    }
}
