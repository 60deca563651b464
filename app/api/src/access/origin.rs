//! From where a request comes.

use std::fmt;
use std::net::IpAddr;

use postlane_mail::client_of;

/// From where a request comes. A proxy's address is what is seen of all behind it: what it says of
/// them anybody could say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// Over the unix socket: from this machine, by who may open it.
    Socket,
    /// From an address.
    Address(IpAddr),
}

impl Origin {
    /// Whose failed tries are counted together: an IPv4 address, an IPv6 /64.
    pub fn counted(self) -> Self {
        match self {
            Self::Address(address) => Self::Address(client_of(address)),
            Self::Socket => Self::Socket,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket => f.write_str("control.sock"),
            Self::Address(address) => write!(f, "{}", address.to_canonical()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_a_whole_network_has_no_more_tries_than_who_has_one_address() {
        let of = |text: &str| Origin::Address(text.parse().unwrap());
        assert_eq!(of("2001:db8::1").counted(), of("2001:db8::ffff:2").counted());
        assert_ne!(of("2001:db8::1").counted(), of("2001:db8:0:1::1").counted());
        assert_eq!(of("::ffff:192.0.2.1").counted(), of("192.0.2.1"));
        assert_ne!(of("192.0.2.1").counted(), of("192.0.2.2").counted());
        assert_eq!(of("::ffff:192.0.2.1").to_string(), "192.0.2.1");
    }
}
