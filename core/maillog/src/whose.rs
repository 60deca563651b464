//! Whose host it was: the provider by the relay's MX host, else by the recipient's domain.

use std::collections::BTreeMap;

use postlane_mail::Domain;
use postlane_replies::{ProviderId, Providers};

use crate::hash::hash;

/// Places of the cache; a log speaks to a few thousand hosts most of the time.
const PLACES: usize = 1 << 14;

/// The provider whose name stands for all others once there are too many.
pub(crate) const OTHERS: &str = "others";

/// Providers that were met, numbered in the order of their first mention.
#[derive(Debug)]
pub(crate) struct Whose {
    known: Providers,
    numbers: BTreeMap<ProviderId, u32>,
    ids: Vec<Option<ProviderId>>,
    /// Fingerprints of a host and a domain, and the number of their provider.
    lately: Vec<(u64, u32)>,
    providers_max: usize,
}

impl Whose {
    /// At most so many providers; further ones are one.
    pub(crate) fn new(providers_max: usize) -> Self {
        Self {
            known: Providers::built_in(),
            numbers: BTreeMap::new(),
            ids: Vec::new(),
            lately: vec![(0, u32::MAX); PLACES],
            providers_max,
        }
    }

    /// The number of the provider; `None` if neither host nor domain is a name.
    pub(crate) fn number(&mut self, host: &[u8], recipient: &[u8]) -> Option<u32> {
        let domain = match memchr::memrchr(b'@', recipient) {
            Some(at) => recipient.get(at + 1..).unwrap_or_default(),
            None => b"",
        };
        let key = hash(hash(0, host), domain);
        let place = key as usize % PLACES;
        if let Some((known, number)) = self.lately.get(place)
            && *known == key
            && *number != u32::MAX
        {
            return Some(*number);
        }
        let id = self.find(host, domain)?;
        let number = self.number_of(id);
        if let Some(lately) = self.lately.get_mut(place) {
            *lately = (key, number);
        }
        Some(number)
    }

    /// The ids, by number; `None` is everybody who came when there were too many.
    pub(crate) fn ids(&self) -> &[Option<ProviderId>] {
        &self.ids
    }

    /// The providers that are known by name.
    pub(crate) fn known(&self) -> &Providers {
        &self.known
    }

    /// A host of nobody we know may be a relay of the sender's own; the domain then says more
    /// only where it is a provider's.
    fn find(&self, host: &[u8], domain: &[u8]) -> Option<ProviderId> {
        let name = |octets: &[u8]| {
            Domain::parse(std::str::from_utf8(octets).ok()?.trim_end_matches('.')).ok()
        };
        let (host, domain) = (name(host), name(domain));
        let by_host = host.as_ref().and_then(|host| self.known.at(host));
        if let Some(provider) = by_host {
            return Some(provider.id.clone());
        }
        let domain = domain.or_else(|| host.clone())?;
        let hosts: Vec<Domain> = host.into_iter().collect();
        Some(self.known.find(&hosts, &domain))
    }

    fn number_of(&mut self, id: ProviderId) -> u32 {
        if let Some(number) = self.numbers.get(&id) {
            return *number;
        }
        let number = u32::try_from(self.ids.len()).unwrap_or(u32::MAX - 1);
        if self.ids.len() < self.providers_max {
            self.numbers.insert(id.clone(), number);
            self.ids.push(Some(id));
            return number;
        }
        if self.ids.len() == self.providers_max {
            self.ids.push(None);
        }
        number.min(u32::try_from(self.providers_max).unwrap_or(u32::MAX - 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(whose: &mut Whose, host: &str, to: &str) -> Option<String> {
        let number = whose.number(host.as_bytes(), to.as_bytes())?;
        whose.ids()[number as usize].as_ref().map(ToString::to_string)
    }

    #[test]
    fn the_host_decides_before_the_domain() {
        let mut whose = Whose::new(10);
        let mut of = |host, to| id(&mut whose, host, to).unwrap();
        assert_eq!(of("mx00.emig.gmx.net", "a@example.org"), "united-internet");
        assert_eq!(of("", "a@web.de"), "united-internet");
        assert_eq!(of("mx1.mail.example.co.uk", "a@b.example"), "example.co.uk");
        assert_eq!(of("", "a@sub.example.org"), "example.org");
        assert_eq!(id(&mut whose, "", "nobody"), None);
    }

    #[test]
    fn too_many_are_one() {
        let mut whose = Whose::new(2);
        let numbers: Vec<_> = ["a@a.test", "a@b.test", "a@c.test", "a@d.test", "a@a.test"]
            .map(|to| whose.number(b"", to.as_bytes()).unwrap())
            .into();
        assert_eq!(numbers, [0, 1, 2, 2, 0]);
    }
}
