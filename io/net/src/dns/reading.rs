//! What a DNS message says to a question.
//!
//! A message is foreign: it may answer another question, name aliases without end, or send us
//! on to other servers. Only what is said about the name that was asked for counts, and only
//! in the answer section.

use std::net::IpAddr;

use hickory_resolver::net::{DnsError as Semantic, NetError};
use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use postlane_mail::{Domain, Family, Span};

use super::answer::{DnsError, Exchange, Mx};

/// Aliases followed for one question, at most. Chosen, not measured: resolvers stop at 8 to 16.
pub(super) const ALIASES_MAX: usize = 8;

/// Records taken from one answer, at most: what a message of 64 KiB can hold is more than
/// anybody can use. Chosen, not measured.
const RECORDS_MAX: usize = 100;

/// What a message says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reading<T> {
    /// These are the records.
    Records { records: Vec<T>, ttl_s: u32 },
    /// The name is another one's alias, and the message does not say more.
    Alias { target: Name, aliases: usize, ttl_s: u32 },
}

/// A kind of record that can be asked for.
pub(super) trait Kind: Copy {
    type Record;

    fn record_type(self) -> RecordType;

    /// Whether a resolver that checks signatures is to say nothing where they are bogus.
    fn wants_signatures_checked(self) -> bool {
        true
    }

    fn read(self, record: &RData) -> Option<Self::Record>;
}

/// MX records.
#[derive(Clone, Copy)]
pub(super) struct MxRecords;

/// A or AAAA records.
#[derive(Clone, Copy)]
pub(super) struct Addresses(pub(super) Family);

impl Kind for MxRecords {
    type Record = Mx;

    fn record_type(self) -> RecordType {
        RecordType::MX
    }

    fn read(self, record: &RData) -> Option<Mx> {
        let RData::MX(mx) = record else { return None };
        Some(Mx { preference: mx.preference, exchange: exchange(&mx.exchange) })
    }
}

impl Kind for Addresses {
    type Record = IpAddr;

    fn record_type(self) -> RecordType {
        match self.0 {
            Family::V4 => RecordType::A,
            Family::V6 => RecordType::AAAA,
        }
    }

    fn read(self, record: &RData) -> Option<IpAddr> {
        match (self.0, record) {
            (Family::V4, RData::A(a)) => Some(IpAddr::V4(a.0)),
            (Family::V6, RData::AAAA(aaaa)) => Some(IpAddr::V6(aaaa.0)),
            _ => None,
        }
    }
}

fn exchange(name: &Name) -> Exchange {
    if name.is_root() {
        return Exchange::Root;
    }
    let text = name.to_ascii();
    Domain::parse(&text).map_or_else(|_| Exchange::Unusable(text.into()), Exchange::Host)
}

/// Reads a message as an answer to what was asked about `name`.
pub(super) fn read<K: Kind>(
    message: &Message,
    name: &Name,
    kind: K,
) -> Result<Reading<K::Record>, DnsError> {
    let code = message.metadata.response_code;
    if !matches!(code, ResponseCode::NoError | ResponseCode::NXDomain) {
        return Err(failure(code));
    }
    let mut name = name;
    let mut ttl_s = u32::MAX;
    for aliases in 0..=ALIASES_MAX {
        let of_name = || message.answers.iter().filter(|record| record.name == *name);
        let wanted = of_name().filter_map(|record| Some((record.ttl, kind.read(&record.data)?)));
        let mut least_s = ttl_s;
        let records: Vec<K::Record> = wanted
            .take(RECORDS_MAX)
            .map(|(record_ttl_s, record)| {
                least_s = least_s.min(record_ttl_s);
                record
            })
            .collect();
        if !records.is_empty() {
            return Ok(Reading::Records { records, ttl_s: least_s });
        }
        let alias = of_name().find_map(|record| match &record.data {
            RData::CNAME(target) => Some((record.ttl, &target.0)),
            _ => None,
        });
        match alias {
            Some((alias_ttl_s, target)) => (name, ttl_s) = (target, ttl_s.min(alias_ttl_s)),
            None => return nothing_about(message, name, aliases, ttl_s),
        }
    }
    Err(DnsError::AliasLoop)
}

/// The message has neither records nor an alias for `name`, which was reached over `aliases`.
fn nothing_about<T>(
    message: &Message,
    name: &Name,
    aliases: usize,
    ttl_s: u32,
) -> Result<Reading<T>, DnsError> {
    let negative_ttl_s = message.authorities.iter().find_map(|record| match &record.data {
        RData::SOA(soa) => Some(soa.minimum.min(record.ttl).min(ttl_s)),
        _ => None,
    });
    let ttl = seconds(negative_ttl_s.unwrap_or_default());
    match message.metadata.response_code {
        ResponseCode::NXDomain => Err(DnsError::NxDomain { ttl }),
        ResponseCode::NoError if negative_ttl_s.is_some() => Err(DnsError::NoData { ttl }),
        ResponseCode::NoError if aliases > 0 => {
            Ok(Reading::Alias { target: name.clone(), aliases, ttl_s })
        }
        ResponseCode::NoError if message.answers.is_empty() => Err(DnsError::NoData { ttl }),
        _ => Err(DnsError::Malformed("it speaks of other names".into())),
    }
}

/// Why there is no message to read.
pub(super) fn read_error(error: &NetError) -> DnsError {
    match error {
        NetError::Dns(Semantic::NoRecordsFound(nothing)) => {
            let ttl = seconds(nothing.negative_ttl.unwrap_or_default());
            match nothing.response_code {
                ResponseCode::NXDomain => DnsError::NxDomain { ttl },
                // RFC 2308 §2.1, §2.2: without a SOA, name servers are a referral. Whoever asks
                // us to go elsewhere has not said that there is nothing.
                _ if nothing.ns.is_some() && nothing.soa.is_none() => {
                    DnsError::Malformed("it refers us to other servers".into())
                }
                _ => DnsError::NoData { ttl },
            }
        }
        NetError::Dns(Semantic::ResponseCode(code)) => failure(*code),
        NetError::Timeout | NetError::Busy => DnsError::TimedOut,
        NetError::Io(_) | NetError::NoConnections => {
            DnsError::Unreachable(error.to_string().into())
        }
        other => DnsError::Malformed(other.to_string().into()),
    }
}

fn failure(code: ResponseCode) -> DnsError {
    match code {
        ResponseCode::ServFail => DnsError::ServFail,
        ResponseCode::Refused => DnsError::Refused,
        code => DnsError::ResponseCode(code.into()),
    }
}

/// A TTL as a span. One with the highest bit set is none (RFC 2181 §8).
pub(super) fn seconds(ttl_s: u32) -> Span {
    Span::from_s(u64::from(if ttl_s > i32::MAX as u32 { 0 } else { ttl_s }))
}

#[cfg(test)]
mod tests;
