//! Where a host is called: at its public addresses, or where somebody has said.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use postlane_checks::{Answer, FetchFailure, Kind, Name, Question, Record, is_public};

use crate::dns::Resolver;

/// Hosts that are called at another address than theirs: for tests, and for networks that reach
/// themselves only from inside.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mapped(BTreeMap<(Box<str>, u16), SocketAddr>);

/// Why a text does not say where a host is called.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` does not say where a host is called; HOST:PORT=ADDR:PORT is expected")]
pub struct MappedError(Box<str>);

/// Addresses of one host that are tried. Chosen, not measured.
const ADDRESSES_MAX: usize = 4;

impl Mapped {
    /// Reads `HOST:PORT=ADDR:PORT`, each once.
    pub fn parse<'t>(texts: impl IntoIterator<Item = &'t str>) -> Result<Self, MappedError> {
        let mut mapped = BTreeMap::new();
        for text in texts {
            let wrong = || MappedError(text.chars().take(80).collect::<String>().into());
            let (from, to) = text.split_once('=').ok_or_else(wrong)?;
            let (host, port) = from.rsplit_once(':').ok_or_else(wrong)?;
            let port = u16::from_str(port).map_err(|_| wrong())?;
            let host = host.trim_matches(['[', ']']).to_ascii_lowercase();
            let to = SocketAddr::from_str(to).map_err(|_| wrong())?;
            if host.is_empty() {
                return Err(wrong());
            }
            mapped.insert((host.into(), port), to);
        }
        Ok(Self(mapped))
    }

    fn of(&self, host: &str, port: u16) -> Option<SocketAddr> {
        self.0.get(&(host.into(), port)).copied()
    }

    /// Where a server is called that is known by its address.
    pub(super) fn server(&self, address: IpAddr, port: u16) -> Result<SocketAddr, FetchFailure> {
        match self.of(&address.to_string(), port) {
            Some(mapped) => Ok(mapped),
            None if is_public(address) => Ok(SocketAddr::new(address, port)),
            None => Err(FetchFailure::Private),
        }
    }

    /// Where a host is called, at most a few addresses.
    pub(super) async fn host(
        &self,
        resolver: &Resolver,
        host: &Name,
        port: u16,
    ) -> Result<Vec<SocketAddr>, FetchFailure> {
        if let Some(mapped) = self.of(host.as_str(), port) {
            return Ok(vec![mapped]);
        }
        let question = |kind| Question { name: host.clone(), kind };
        let (v4, v6) = (question(Kind::A), question(Kind::Aaaa));
        let (v4, v6) = tokio::join!(resolver.answer(&v4), resolver.answer(&v6));
        let addresses = v4.records().iter().chain(v6.records()).filter_map(|record| match record {
            Record::A(address) => Some(IpAddr::V4(*address)),
            Record::Aaaa(address) => Some(IpAddr::V6(*address)),
            _ => None,
        });
        let all: Vec<IpAddr> = addresses.collect();
        let is_open = [&v4, &v6].into_iter().any(|answer| matches!(answer, Answer::Failed(_)));
        if all.is_empty() {
            return Err(if is_open { FetchFailure::Undetermined } else { FetchFailure::NoAddress });
        }
        let public = all.into_iter().filter(|address| is_public(*address)).take(ADDRESSES_MAX);
        let public: Vec<SocketAddr> = public.map(|ip| SocketAddr::new(ip, port)).collect();
        if public.is_empty() { Err(FetchFailure::Private) } else { Ok(public) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_called_where_it_was_said_and_never_in_a_private_network() {
        let mapped =
            Mapped::parse(["mta-sts.Example:443=127.0.0.1:4443", "10.0.0.1:53=127.0.0.1:53"]);
        let mapped = mapped.unwrap();
        assert_eq!(mapped.of("mta-sts.example", 443), Some(([127, 0, 0, 1], 4443).into()));
        assert_eq!(mapped.of("mta-sts.example", 25), None);
        let at = |text: &str| mapped.server(text.parse().unwrap(), 53);
        assert_eq!(at("10.0.0.1"), Ok(([127, 0, 0, 1], 53).into()));
        assert_eq!(at("10.0.0.2"), Err(FetchFailure::Private));
        assert_eq!(at("198.51.100.1"), Ok(([198, 51, 100, 1], 53).into()));
    }

    #[test]
    fn what_says_nothing_is_refused_with_what_is_expected() {
        for text in ["", "a:443", "a=127.0.0.1:1", ":443=127.0.0.1:1", "a:443=127.0.0.1"] {
            let said = Mapped::parse([text]).unwrap_err().to_string();
            assert!(said.contains("HOST:PORT=ADDR:PORT is expected"), "{said}");
        }
    }
}
