//! Which name servers are asked.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// The name servers, in the order they are asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameServers {
    addresses: Vec<SocketAddr>,
    origin: Origin,
}

/// Where the list of name servers comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// It was given to us.
    Given,
    /// The system's configuration, `/etc/resolv.conf`.
    System,
    /// The system's configuration names none, for this reason: then it is this machine's own
    /// (resolv.conf(5)).
    Fallback(Box<str>),
}

/// Why a list of name servers cannot be used. Whoever wrote it is to blame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameServersError {
    /// It is empty.
    #[error("no name server is given: write ADDRESS:PORT, as in 127.0.0.1:53")]
    Empty,
    /// An entry is no address.
    #[error(
        "\"{0}\" is no name server: write ADDRESS or ADDRESS:PORT, as in 127.0.0.1:53 or [::1]:53"
    )]
    Address(Box<str>),
    /// There are more than anybody needs.
    #[error("more than {SERVERS_MAX} name servers are given: name the nearest ones")]
    TooMany,
}

/// The port that name servers listen at (RFC 1035 §4.2).
const PORT: u16 = 53;

/// Name servers in a list, at most. resolv.conf(5) stops at 3. Chosen, not measured.
const SERVERS_MAX: usize = 8;

impl NameServers {
    /// Those of the system's configuration, or this machine's own when it names none. Its
    /// search list and its options are not ours to follow: names in mail are whole.
    pub fn system() -> Self {
        match hickory_resolver::system_conf::read_system_conf() {
            Ok((configuration, _)) => {
                let servers = configuration.name_servers().iter();
                let addresses = servers.map(|server| SocketAddr::new(server.ip, PORT));
                Self { addresses: addresses.take(SERVERS_MAX).collect(), origin: Origin::System }
            }
            Err(error) => Self {
                addresses: vec![SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), PORT)],
                origin: Origin::Fallback(error.to_string().into()),
            },
        }
    }

    /// These ones, in this order.
    pub fn given(addresses: Vec<SocketAddr>) -> Result<Self, NameServersError> {
        match addresses.len() {
            0 => Err(NameServersError::Empty),
            1..=SERVERS_MAX => Ok(Self { addresses, origin: Origin::Given }),
            _ => Err(NameServersError::TooMany),
        }
    }

    /// Reads a list with commas, each an address with or without a port.
    pub fn parse(text: &str) -> Result<Self, NameServersError> {
        let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        let address = |entry: &str| {
            entry
                .parse::<SocketAddr>()
                .ok()
                .filter(|address| address.port() != 0)
                .or_else(|| entry.parse().ok().map(|ip: IpAddr| SocketAddr::new(ip, PORT)))
                .ok_or_else(|| NameServersError::Address(entry.into()))
        };
        Self::given(entries.map(address).collect::<Result<_, _>>()?)
    }

    /// Their addresses, in the order they are asked. Never empty.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Where the list comes from.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_name_servers_has_addresses_with_or_without_ports() {
        let servers = NameServers::parse("127.0.0.1:5300, ::1,[::1]:5301").unwrap();
        let texts: Vec<String> = servers.addresses().iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["127.0.0.1:5300", "[::1]:53", "[::1]:5301"]);
        assert_eq!(servers.origin(), &Origin::Given);
    }

    #[test]
    fn a_list_that_cannot_be_used_says_what_to_write() {
        for text in ["", " , "] {
            assert_eq!(NameServers::parse(text), Err(NameServersError::Empty));
        }
        for text in ["dns.example", "127.0.0.1:0", "127.0.0.1:99999"] {
            let error = NameServers::parse(text).unwrap_err();
            assert!(error.to_string().contains("as in 127.0.0.1:53"), "{error}");
        }
        let many = ["192.0.2.1"; SERVERS_MAX + 1].join(",");
        assert_eq!(NameServers::parse(&many), Err(NameServersError::TooMany));
    }

    #[test]
    fn a_machine_without_a_configuration_is_asked_itself() {
        // Whatever this machine has, there is somebody to ask.
        assert!(!NameServers::system().addresses().is_empty());
    }
}
