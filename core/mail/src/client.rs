//! Who counts as one client.

use std::net::{IpAddr, Ipv6Addr};

/// The address that stands for a client where clients are counted: an IPv4 address itself, also where it is
/// written as IPv6 (RFC 4291 §2.5.5.2), or the beginning of an IPv6 /64. One who has one address there
/// has them all (RFC 6177 §1: a site is given a /64 at least).
pub fn client_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64).into(),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv4_address_is_a_client_and_so_is_an_ipv6_network_of_64_bits() {
        let of = |text: &str| client_of(text.parse().unwrap()).to_string();
        assert_eq!(of("192.0.2.1"), "192.0.2.1");
        assert_eq!(of("::ffff:192.0.2.1"), "192.0.2.1");
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
    }
}
