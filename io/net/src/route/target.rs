//! A host that an operator sends mail to: a smart host, or another relay.

use std::fmt;
use std::path::PathBuf;

use postlane_mail::{Domain, Host, MailboxError};
use postlane_smtp::client::TlsPolicy;

/// Where a static route leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The host, or the domain whose exchangers are meant.
    pub host: Host,
    /// How the host is found.
    pub lookup: Lookup,
    /// The port; the usual one where none is given.
    pub port: Option<u16>,
    /// Whether the session is encrypted; as for any other host where nothing is said.
    pub tls: Option<TlsPolicy>,
    /// Who we say we are.
    pub credentials: Option<Credentials>,
    /// Whose lane mail to it goes by.
    pub lane: TargetLane,
}

/// Whose limits count where a static route leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum TargetLane {
    /// The host's own: it is a smart host or an ESP, and the receivers see its address.
    #[default]
    Route,
    /// Those of each recipient's provider: the host hands on what it is told at once, and says
    /// what the provider says.
    Provider,
}

/// How a target is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lookup {
    /// By its addresses alone.
    Addresses,
    /// By its MX records, as for a recipient's domain.
    Mx,
}

/// A user and where to read the password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user.
    pub user: Box<str>,
    /// The password's place.
    pub password: Password,
}

/// Where a password is read. Never the password itself: a route is shown in logs and lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Password {
    /// The first line of a file.
    File(PathBuf),
    /// An environment variable.
    Environment(Box<str>),
}

/// Why a text is no target. Whoever wrote it is to blame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TargetError {
    /// There is no host.
    #[error("no host is given")]
    NoHost,
    /// The host is neither a name nor an address.
    #[error("\"{0}\" is no host ({1})")]
    Host(Box<str>, MailboxError),
    /// The port is no number from 1 to 65535.
    #[error("\"{0}\" is no port: write a number from 1 to 65535")]
    Port(Box<str>),
    /// An address has no exchangers.
    #[error("mx: wants a domain, and an address has no MX: leave mx: out")]
    MxOfAddress,
    /// An option is not known.
    #[error(
        "\"{0}\" is no option of a route: write tls=never|opportunistic|required, user=NAME, \
         password-file=PATH, password-env=NAME or lane=route|provider"
    )]
    Option(Box<str>),
    /// An option comes twice.
    #[error("the option {0}= is given twice: leave one out")]
    Twice(&'static str),
    /// A user without a password, or a password without a user.
    #[error("user= and password-file= or password-env= belong together: give both")]
    HalfCredentials,
}

/// What the name of a route's lane begins with.
pub const ROUTE: &str = "route:";

impl Target {
    /// Reads `HOST[:PORT]`, `ADDRESS:PORT`, `[ADDRESS][:PORT]` or `mx:DOMAIN[:PORT]`, then
    /// options with commas before them: `tls=never|opportunistic|required`, `user=NAME`,
    /// `password-file=PATH`, `password-env=NAME`, `lane=route|provider`.
    pub fn parse(text: &str) -> Result<Self, TargetError> {
        let mut parts = text.split(',').map(str::trim);
        let place = parts.next().unwrap_or_default();
        let (lookup, place) = match place.strip_prefix("mx:") {
            Some(rest) => (Lookup::Mx, rest),
            None => (Lookup::Addresses, place),
        };
        let (host, port) = host_and_port(place)?;
        if lookup == Lookup::Mx && matches!(host, Host::Literal(_)) {
            return Err(TargetError::MxOfAddress);
        }
        let mut options = Options::default();
        for part in parts {
            options.add(part)?;
        }
        let (tls, lane) = (options.tls, options.lane.unwrap_or_default());
        let credentials = options.credentials()?;
        Ok(Self { host, lookup, port, tls, credentials, lane })
    }

    /// What the lane to it is called: `route:HOST:PORT`, with the user's name and `@` before the
    /// host where somebody logs in, since an ESP counts for each account. None where the receivers'
    /// own limits count: it is found by MX records, or stands for the recipients' providers.
    pub fn lane_name(&self, usual_port: u16) -> Option<String> {
        if self.lookup == Lookup::Mx || self.lane == TargetLane::Provider {
            return None;
        }
        let user = self.credentials.as_ref().map(|of| format!("{}@", of.user)).unwrap_or_default();
        let port = self.port.unwrap_or(usual_port);
        let place = match &self.host {
            Host::Domain(domain) => format!("{domain}:{port}"),
            Host::Literal(ip) => std::net::SocketAddr::new(*ip, port).to_string(),
        };
        Some(format!("{ROUTE}{user}{place}"))
    }
}

#[derive(Default)]
struct Options {
    tls: Option<TlsPolicy>,
    user: Option<Box<str>>,
    password: Option<Password>,
    lane: Option<TargetLane>,
}

impl Options {
    fn add(&mut self, text: &str) -> Result<(), TargetError> {
        let unknown = || TargetError::Option(text.into());
        let (name, value) = text.split_once('=').ok_or_else(unknown)?;
        if value.is_empty() {
            return Err(unknown());
        }
        let twice = match name {
            "tls" => {
                let policy = match value {
                    "never" => TlsPolicy::Never,
                    "opportunistic" => TlsPolicy::Opportunistic,
                    "required" => TlsPolicy::Required,
                    _ => return Err(unknown()),
                };
                self.tls.replace(policy).map(|_| "tls")
            }
            "lane" => {
                let lane = match value {
                    "route" => TargetLane::Route,
                    "provider" => TargetLane::Provider,
                    _ => return Err(unknown()),
                };
                self.lane.replace(lane).map(|_| "lane")
            }
            "user" => self.user.replace(value.into()).map(|_| "user"),
            "password-file" => {
                self.password.replace(Password::File(value.into())).map(|_| "password-file")
            }
            "password-env" => {
                self.password.replace(Password::Environment(value.into())).map(|_| "password-env")
            }
            _ => return Err(unknown()),
        };
        twice.map_or(Ok(()), |name| Err(TargetError::Twice(name)))
    }

    fn credentials(self) -> Result<Option<Credentials>, TargetError> {
        match (self.user, self.password) {
            (Some(user), Some(password)) => Ok(Some(Credentials { user, password })),
            (None, None) => Ok(None),
            _ => Err(TargetError::HalfCredentials),
        }
    }
}

fn host_and_port(text: &str) -> Result<(Host, Option<u16>), TargetError> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((inner, "")) => (inner, None),
            Some((inner, rest)) => match rest.strip_prefix(':') {
                Some(port) => (inner, Some(port)),
                None => return Err(TargetError::Port(rest.into())),
            },
            None => return Err(TargetError::Host(text.into(), MailboxError::Literal)),
        },
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    if host.is_empty() {
        return Err(TargetError::NoHost);
    }
    let port = port.map(port_number).transpose()?;
    let address = host
        .get(..5)
        .filter(|tag| tag.eq_ignore_ascii_case("IPv6:"))
        .map_or(host, |tag| host.get(tag.len()..).unwrap_or_default());
    let host = match address.parse() {
        Ok(ip) => Host::Literal(ip),
        Err(_) if text.starts_with('[') => {
            return Err(TargetError::Host(text.into(), MailboxError::Literal));
        }
        Err(_) => Domain::parse(host)
            .map(Host::Domain)
            .map_err(|error| TargetError::Host(host.into(), error.into()))?,
    };
    Ok((host, port))
}

fn port_number(text: &str) -> Result<u16, TargetError> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    let number = text.parse().ok().filter(|port| digits && *port != 0);
    number.ok_or_else(|| TargetError::Port(text.into()))
}

impl fmt::Display for Target {
    /// As it is written, without options.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.lookup == Lookup::Mx {
            f.write_str("mx:")?;
        }
        self.host.fmt(f)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_is_a_target_that_reads_as_it_prints_or_none(text in "(mx:)?\\PC{0,20}(:[0-9]{0,6})?") {
            if let Ok(target) = Target::parse(&text) {
                let plain =
                    Target { tls: None, credentials: None, lane: TargetLane::Route, ..target };
                prop_assert_eq!(Target::parse(&plain.to_string()), Ok(plain));
            }
        }
    }

    #[test]
    fn a_target_is_a_host_with_or_without_a_port() {
        for (text, printed) in [
            ("relay.example:587", "relay.example:587"),
            ("Relay.Example", "relay.example"),
            ("127.0.0.1:2525", "[127.0.0.1]:2525"),
            ("[127.0.0.1]:2525", "[127.0.0.1]:2525"),
            ("[2001:db8::1]:25", "[IPv6:2001:db8::1]:25"),
            ("[IPv6:2001:db8::1]", "[IPv6:2001:db8::1]"),
            ("mx:example.com", "mx:example.com"),
            ("mx:example.com:26", "mx:example.com:26"),
        ] {
            let target = Target::parse(text).unwrap();
            assert_eq!(target.to_string(), printed);
            assert_eq!(Target::parse(printed), Ok(target));
        }
    }

    #[test]
    fn a_target_carries_its_policy_and_where_its_password_is() {
        let text = "relay.example:587, tls=required,user=postlane,password-file=/etc/relay";
        let target = Target::parse(text).unwrap();
        assert_eq!(target.tls, Some(TlsPolicy::Required));
        let password = Password::File("/etc/relay".into());
        assert_eq!(target.credentials, Some(Credentials { user: "postlane".into(), password }));
        let target = Target::parse("relay.example,user=a,password-env=RELAY").unwrap();
        let password = Password::Environment("RELAY".into());
        assert_eq!(target.credentials, Some(Credentials { user: "a".into(), password }));
        assert_eq!((target.port, target.tls), (None, None));
    }

    #[test]
    fn a_smart_host_has_a_lane_of_its_own_for_each_account() {
        for (text, name) in [
            ("Relay.example:587", Some("route:relay.example:587")),
            ("relay.example", Some("route:relay.example:25")),
            ("[2001:db8::1]:587", Some("route:[2001:db8::1]:587")),
            ("127.0.0.1:2525", Some("route:127.0.0.1:2525")),
            ("relay.example:587,user=a@b,password-env=X", Some("route:a@b@relay.example:587")),
            ("mx:example.com", None),
            ("relay.example,lane=provider", None),
        ] {
            assert_eq!(Target::parse(text).unwrap().lane_name(25).as_deref(), name, "{text}");
        }
    }

    #[test]
    fn a_text_that_is_no_target_says_what_is_wrong_with_it() {
        for (text, cure) in [
            ("", "no host is given"),
            (":25", "no host is given"),
            ("a b:25", "is no host ("),
            ("[not-an-address]:25", "is no host ("),
            ("[127.0.0.1", "is no host ("),
            ("relay.example:0", "from 1 to 65535"),
            ("relay.example:smtp", "from 1 to 65535"),
            ("relay.example:+25", "from 1 to 65535"),
            ("2001:db8::1", "from 1 to 65535"),
            ("[127.0.0.1]25", "from 1 to 65535"),
            ("mx:[127.0.0.1]", "leave mx: out"),
            ("relay.example,tls=yes", "tls=never|opportunistic|required"),
            ("relay.example,tls", "tls=never|opportunistic|required"),
            ("relay.example,user=a", "give both"),
            ("relay.example,tls=never,tls=required", "leave one out"),
            ("relay.example,user=a,password-file=b,password-env=C", "leave one out"),
        ] {
            let error = Target::parse(text).unwrap_err().to_string();
            assert!(error.contains(cure), "{text}: {error}");
        }
    }
}
