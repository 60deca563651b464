//! A load balancer in front of us says whose connection it passes on: PROXY protocol, version 2
//! (HAProxy, doc/proxy-protocol.txt, 2020-03-05).

use std::io;
use std::net::IpAddr;

use ppp::v2::{Addresses, Command, Header};
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// Octets that are the same for all headers; the last two of them say how many follow.
const FIXED_OCTETS: usize = 16;

/// Octets that may follow. Addresses take 216 at most, the rest is extensions: certificates and
/// names. Chosen, not measured.
const REST_OCTETS_MAX: usize = 4096;

/// Reads the header that comes before everything else. None if the balancer speaks for itself,
/// as in a health check.
pub(super) async fn client_of(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<IpAddr>> {
    let mut octets = vec![0; FIXED_OCTETS];
    stream.read_exact(&mut octets).await?;
    let rest = usize::from(u16::from_be_bytes([octets[14], octets[15]]));
    if !octets.starts_with(ppp::v2::PROTOCOL_PREFIX) || rest > REST_OCTETS_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "no PROXY header of version 2"));
    }
    octets.resize(FIXED_OCTETS + rest, 0);
    stream.read_exact(&mut octets[FIXED_OCTETS..]).await?;
    let header = Header::try_from(&octets[..])
        .map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e.to_string()))?;
    match (header.command, header.addresses) {
        (Command::Local, _) => Ok(None),
        (Command::Proxy, Addresses::IPv4(addresses)) => Ok(Some(addresses.source_address.into())),
        (Command::Proxy, Addresses::IPv6(addresses)) => Ok(Some(addresses.source_address.into())),
        (Command::Proxy, _) => {
            Err(io::Error::new(io::ErrorKind::InvalidData, "the PROXY header names no IP address"))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use ppp::v2::{Builder, Protocol, Version};

    use super::*;

    fn header(command: Command, from: &str, to: &str) -> Vec<u8> {
        let [from, to] = [from, to].map(|text| text.parse::<SocketAddr>().unwrap());
        let addresses: Addresses = (from, to).into();
        Builder::with_addresses(Version::Two | command, Protocol::Stream, addresses)
            .build()
            .unwrap()
    }

    async fn read(octets: &[u8]) -> io::Result<Option<IpAddr>> {
        client_of(&mut &*octets).await
    }

    #[tokio::test]
    async fn a_header_names_the_client() {
        for from in ["203.0.113.9:4711", "[2001:db8::9]:4711"] {
            let to = if from.starts_with('[') { "[2001:db8::1]:25" } else { "198.51.100.1:25" };
            let ip = from.parse::<SocketAddr>().unwrap().ip();
            let octets = header(Command::Proxy, from, to);
            assert_eq!(read(&octets).await.unwrap(), Some(ip));
            let mut followed = octets.clone();
            followed.extend_from_slice(b"EHLO client.example\r\n");
            let mut rest = &followed[..];
            assert_eq!(client_of(&mut rest).await.unwrap(), Some(ip));
            assert_eq!(rest, b"EHLO client.example\r\n");
            for cut in 0..octets.len() {
                assert!(read(&octets[..cut]).await.is_err(), "{cut}");
            }
        }
    }

    #[tokio::test]
    async fn a_balancer_may_speak_for_itself() {
        let octets = header(Command::Local, "203.0.113.9:4711", "198.51.100.1:25");
        assert_eq!(read(&octets).await.unwrap(), None);
    }

    #[tokio::test]
    async fn who_sends_no_header_is_not_believed() {
        for octets in
            [&b"EHLO client.example\r\nMAIL FROM:<>\r\n"[..], b"PROXY TCP4 203.0.113.9 198.51.1"]
        {
            assert!(read(octets).await.is_err());
        }
        let mut long = header(Command::Proxy, "203.0.113.9:4711", "198.51.100.1:25");
        long[14..16].copy_from_slice(&u16::MAX.to_be_bytes());
        assert!(read(&long).await.is_err());
    }
}
