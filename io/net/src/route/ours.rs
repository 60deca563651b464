//! Which addresses are our own, so that mail does not go round.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use postlane_mail::Family;

/// Where we listen. Mail that would be sent there has gone round (RFC 5321 §6.3).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ours(Vec<SocketAddr>);

impl Ours {
    /// The sockets our listeners are bound to. One on `0.0.0.0` or `[::]` stands for every
    /// address of this machine; `[::]` takes IPv4 as well.
    pub fn new(listeners: Vec<SocketAddr>) -> Self {
        Self(listeners)
    }

    /// Whether a connection to there would reach us.
    pub fn has(&self, address: SocketAddr) -> bool {
        let same =
            |listener: &SocketAddr| listener.ip().to_canonical() == address.ip().to_canonical();
        let any = |listener: &SocketAddr| {
            let family = Family::of(address.ip());
            let takes = listener.is_ipv6() || Family::of(listener.ip()) == family;
            listener.ip().is_unspecified() && takes && is_of_this_machine(address)
        };
        let on_port = self.0.iter().filter(|listener| listener.port() == address.port());
        on_port.into_iter().any(|listener| same(listener) || any(listener))
    }
}

/// Whether an address belongs to an interface of this machine: then, and only then, the kernel
/// would talk to it from that very address. Nothing is sent.
fn is_of_this_machine(address: SocketAddr) -> bool {
    if address.ip().is_loopback() {
        return true;
    }
    let any = match Family::of(address.ip()) {
        Family::V4 => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        Family::V6 => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
    };
    let from = UdpSocket::bind(any)
        .and_then(|socket| socket.connect(address).and_then(|()| socket.local_addr()));
    from.is_ok_and(|from| from.ip() == address.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(listeners: &[&str], address: &str) -> bool {
        let listeners = listeners.iter().map(|listener| listener.parse().unwrap()).collect();
        Ours::new(listeners).has(address.parse().unwrap())
    }

    #[test]
    fn address_and_port_must_both_be_ours() {
        assert!(has(&["192.0.2.1:25"], "192.0.2.1:25"));
        assert!(!has(&["192.0.2.1:25"], "192.0.2.1:2525"));
        assert!(!has(&["192.0.2.1:25"], "192.0.2.2:25"));
        assert!(has(&["192.0.2.1:25"], "[::ffff:192.0.2.1]:25"));
        assert!(!has(&[], "127.0.0.1:25"));
    }

    #[test]
    fn a_listener_on_every_address_is_reached_at_each_of_this_machine() {
        assert!(has(&["0.0.0.0:25"], "127.0.0.1:25"));
        assert!(has(&["0.0.0.0:25"], "127.0.0.2:25"));
        assert!(has(&["[::]:25"], "[::1]:25"));
        assert!(has(&["[::]:25"], "127.0.0.1:25"));
        assert!(!has(&["0.0.0.0:25"], "[::1]:25"));
        assert!(!has(&["0.0.0.0:25"], "127.0.0.1:26"));
        // TEST-NET-3 (RFC 5737 §3) belongs to nobody.
        assert!(!has(&["0.0.0.0:25"], "203.0.113.1:25"));
    }
}
