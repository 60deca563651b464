//! Whom a mechanism means: addresses, exchangers and names held against the sender's address
//! (RFC 7208 §5).

use std::net::IpAddr;

use crate::dns::{Answer, Kind, Name, Question, Record};

use super::{LOOKUPS_MAX, Run, Stop};

/// Whether an address lies in a network. Addresses of different families never do.
pub(super) fn is_within(address: IpAddr, network: IpAddr, prefix: u8) -> bool {
    match (address, network) {
        (IpAddr::V4(a), IpAddr::V4(n)) => {
            let shift = 32 - u32::from(prefix.min(32));
            (u32::from(a) ^ u32::from(n)).checked_shr(shift).unwrap_or(0) == 0
        }
        (IpAddr::V6(a), IpAddr::V6(n)) => {
            let shift = 128 - u32::from(prefix.min(128));
            (u128::from(a) ^ u128::from(n)).checked_shr(shift).unwrap_or(0) == 0
        }
        _ => false,
    }
}

impl Run<'_> {
    /// `a`: one of the name's addresses is the sender's network (§5.3).
    pub(super) fn has_address(&mut self, name: &Name, prefix: (u8, u8)) -> Result<bool, Stop> {
        let answer = self.addresses(name)?;
        self.hear(name, &answer)?;
        Ok(self.is_among(&answer, prefix))
    }

    /// `mx`: one of the exchangers' addresses is (§5.4).
    pub(super) fn has_exchange(&mut self, name: &Name, prefix: (u8, u8)) -> Result<bool, Stop> {
        let answer = self.question(name, Kind::Mx)?;
        self.hear(name, &answer)?;
        let exchangers = answer.records().iter().filter_map(|record| match record {
            Record::Mx { preference, exchange } => Some((*preference, exchange.as_ref()?)),
            _ => None,
        });
        let mut exchangers: Vec<_> = exchangers.collect();
        if exchangers.len() > usize::from(LOOKUPS_MAX) {
            return Err(Stop::Perm(format!("{name} has more than 10 mail exchangers")));
        }
        exchangers.sort_unstable();
        self.want_all(exchangers.iter().map(|(_, host)| *host))?;
        for (_, host) in exchangers {
            let answer = self.addresses(host)?;
            self.hear(host, &answer)?;
            if self.is_among(&answer, prefix) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// `exists`: the name has an IPv4 address, whatever the sender's family (§5.7).
    pub(super) fn exists(&mut self, name: &Name) -> Result<bool, Stop> {
        let answer = self.question(name, Kind::A)?;
        self.hear(name, &answer)?;
        Ok(!answer.records().is_empty())
    }

    /// `ptr`: one of the sender's validated names lies within the name (§5.5).
    pub(super) fn has_name(&mut self, within: &Name) -> Result<bool, Stop> {
        let answer = self.question(&Name::reverse(self.envelope.address), Kind::Ptr)?;
        if answer.is_void() {
            self.count_void()?;
        }
        let names = self.validated(&answer)?;
        Ok(names.iter().any(|name| name.is_within(within)))
    }

    /// What `%{p}` stands for: the domain itself if that is one of the sender's validated
    /// names, else one below it, else any (§7.3).
    pub(super) fn validated_name(&mut self, domain: &Name) -> Result<Option<Name>, Stop> {
        let answer = self.question(&Name::reverse(self.envelope.address), Kind::Ptr)?;
        let names = self.validated(&answer)?;
        let itself = names.iter().find(|name| *name == domain);
        let below = names.iter().find(|name| name.is_within(domain));
        Ok(itself.or(below).or_else(|| names.first()).cloned())
    }

    /// The names whose addresses are the sender's; ten are looked at, and what cannot be found
    /// out is left out (§5.5).
    fn validated(&mut self, answer: &Answer) -> Result<Vec<Name>, Stop> {
        let names = answer.records().iter().filter_map(|record| match record {
            Record::Ptr(name) => Some(name.clone()),
            _ => None,
        });
        let mut names: Vec<Name> = names.take(usize::from(LOOKUPS_MAX)).collect();
        self.want_all(names.iter())?;
        let mut failed = None;
        names.retain(|name| match self.addresses(name) {
            Ok(answer) => self.is_among(&answer, (32, 128)),
            Err(stop) => {
                failed = Some(stop);
                false
            }
        });
        failed.map_or(Ok(names), Err)
    }

    /// Notes all questions at once where more than one is to be asked.
    fn want_all<'n>(&mut self, names: impl Iterator<Item = &'n Name>) -> Result<(), Stop> {
        let kind = self.family();
        let mut all = true;
        for name in names {
            all &= self.known.ask(&Question { name: name.clone(), kind }).is_some();
        }
        if all { Ok(()) } else { Err(Stop::Unknown) }
    }

    fn addresses(&mut self, name: &Name) -> Result<Answer, Stop> {
        self.question(name, self.family())
    }

    fn question(&mut self, name: &Name, kind: Kind) -> Result<Answer, Stop> {
        let question = Question { name: name.clone(), kind };
        self.known.ask(&question).cloned().ok_or(Stop::Unknown)
    }

    /// A question that failed ends it, and one without an answer is counted.
    fn hear(&mut self, name: &Name, answer: &Answer) -> Result<(), Stop> {
        if let Answer::Failed(failure) = answer {
            return Err(Stop::Temp(format!("{name}: {failure}")));
        }
        if answer.is_void() { self.count_void() } else { Ok(()) }
    }

    fn is_among(&self, answer: &Answer, (v4, v6): (u8, u8)) -> bool {
        answer.records().iter().any(|record| match record {
            Record::A(found) => is_within(self.envelope.address, (*found).into(), v4),
            Record::Aaaa(found) => is_within(self.envelope.address, (*found).into(), v6),
            _ => false,
        })
    }

    fn family(&self) -> Kind {
        match self.envelope.address {
            IpAddr::V4(_) => Kind::A,
            IpAddr::V6(_) => Kind::Aaaa,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_holds_the_addresses_with_its_prefix() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        assert!(is_within(ip("192.0.2.200"), ip("192.0.2.1"), 24));
        assert!(!is_within(ip("192.0.3.1"), ip("192.0.2.1"), 24));
        assert!(is_within(ip("10.0.0.1"), ip("192.0.2.1"), 0));
        assert!(is_within(ip("2001:db8::1"), ip("2001:db8::"), 64));
        assert!(!is_within(ip("2001:db8::1"), ip("2001:db8::2"), 128));
        assert!(is_within(ip("::1"), ip("2001:db8::2"), 0));
        assert!(!is_within(ip("192.0.2.1"), ip("::ffff:192.0.2.1"), 96));
    }
}
