//! Addresses, ports and networks.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

use super::{Value, Wrongs, quoted};
use crate::config::tree::Node;

impl Value for SocketAddr {
    fn form() -> String {
        "an address with a port: `127.0.0.1:2525` or `[::1]:2525`".to_owned()
    }

    fn read(node: &Node, wrongs: &mut Wrongs<'_>) -> Option<Self> {
        wrongs.parse(node, "\"127.0.0.1:2525\" or \"[::1]:2525\"", str::parse)
    }

    fn show(&self) -> String {
        quoted(&self.to_string())
    }
}

impl Value for IpAddr {
    fn form() -> String {
        "an address: `192.0.2.1` or `2001:db8::1`".to_owned()
    }

    fn read(node: &Node, wrongs: &mut Wrongs<'_>) -> Option<Self> {
        wrongs.parse(node, "\"192.0.2.1\" or \"2001:db8::1\"", str::parse)
    }

    fn show(&self) -> String {
        quoted(&self.to_string())
    }
}

impl Value for IpNet {
    fn form() -> String {
        "a network: `192.0.2.0/24`, `2001:db8::/32` or one address".to_owned()
    }

    fn read(node: &Node, wrongs: &mut Wrongs<'_>) -> Option<Self> {
        wrongs.parse(node, "\"192.0.2.0/24\" or \"2001:db8::/32\"", |text| {
            let net: Result<Self, _> = text.parse();
            net.or_else(|_| text.parse::<IpAddr>().map(Self::from))
                .map(|net| net.trunc())
                .map_err(|_| "it is no network and no address")
        })
    }

    fn show(&self) -> String {
        quoted(&self.to_string())
    }
}
