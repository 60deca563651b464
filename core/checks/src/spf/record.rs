//! A record as it is published: terms, read one by one (RFC 7208 §4.6.1, §12).

use std::net::{Ipv4Addr, Ipv6Addr};

use super::macros::{MacroError, MacroString};

/// A record: its terms in order, and what is not in an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpfRecord {
    /// The mechanisms, in order.
    pub terms: Vec<Term>,
    /// Where to go on when nothing matches (§6.1).
    pub redirect: Option<MacroString>,
    /// Where the explanation is (§6.2).
    pub exp: Option<MacroString>,
}

/// A mechanism with what follows from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// As it is written.
    pub text: Box<str>,
    /// What follows when it matches.
    pub qualifier: Qualifier,
    /// Whom it matches.
    pub mechanism: Mechanism,
}

/// What follows when a mechanism matches (§4.6.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Qualifier {
    /// `+`, or nothing.
    Pass,
    /// `-`
    Fail,
    /// `~`
    SoftFail,
    /// `?`
    Neutral,
}

/// Whom a term matches (§5). Lengths of prefixes are in bits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mechanism {
    /// Everybody.
    All,
    /// Whom another record passes.
    Include(MacroString),
    /// Addresses of a name; without one, of the domain itself.
    A {
        /// The name.
        name: Option<MacroString>,
        /// The prefixes for IPv4 and IPv6.
        prefix: (u8, u8),
    },
    /// Addresses of mail exchangers.
    Mx {
        /// The name.
        name: Option<MacroString>,
        /// The prefixes for IPv4 and IPv6.
        prefix: (u8, u8),
    },
    /// Names of the address.
    Ptr(Option<MacroString>),
    /// A network.
    Ip4(Ipv4Addr, u8),
    /// A network.
    Ip6(Ipv6Addr, u8),
    /// Whether a name has an address.
    Exists(MacroString),
}

/// Why a record cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{term}`: {why}")]
pub struct Fault {
    /// The term, as it is written, what is beyond ASCII replaced.
    pub term: Box<str>,
    /// Which of the record's octets it begins at, from 0.
    pub at: usize,
    /// What is wrong with it.
    pub why: Why,
}

/// What is wrong with a term.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Why {
    /// Octets beyond printable ASCII.
    #[error("has octets that a record cannot have (only printable ASCII)")]
    Octets,
    /// No such mechanism.
    #[error("is no mechanism that there is")]
    Mechanism,
    /// A modifier's name has other characters than letters, digits, `-`, `_` and `.`.
    #[error("is neither a mechanism nor a modifier")]
    Modifier,
    /// It needs something behind the colon.
    #[error("needs a value behind its colon")]
    Missing,
    /// It has a value and takes none.
    #[error("takes no value")]
    Unwanted,
    /// No address.
    #[error("has no address that can be read")]
    Address,
    /// No length of a prefix.
    #[error("has a prefix length that cannot be")]
    Prefix,
    /// A macro or a name.
    #[error("has {0}")]
    Macro(#[from] MacroError),
    /// Twice.
    #[error("stands there twice, and may once")]
    Twice,
}

impl SpfRecord {
    /// Whether text is a record at all: `v=spf1` and a space or the end behind it, in any case.
    pub fn is_record(text: &[u8]) -> bool {
        let Some((version, rest)) = text.split_at_checked(6) else { return false };
        version.eq_ignore_ascii_case(b"v=spf1") && matches!(rest.first(), None | Some(b' '))
    }

    /// Reads a record. One fault anywhere makes all of it worthless (§4.6).
    pub fn parse(text: &[u8]) -> Result<Self, Fault> {
        let (mut record, faults) = Self::read(text);
        match faults.into_iter().next() {
            Some(fault) => Err(fault),
            None => {
                record.terms.shrink_to_fit();
                Ok(record)
            }
        }
    }

    /// Reads what can be read, and says of everything else what is wrong with it.
    pub fn read(text: &[u8]) -> (Self, Vec<Fault>) {
        let mut record = Self { terms: Vec::new(), redirect: None, exp: None };
        let mut faults = Vec::new();
        let mut at = 0;
        for (number, term) in text.split(|b| *b == b' ').enumerate() {
            if number > 0 && !term.is_empty() {
                let read = match std::str::from_utf8(term) {
                    Ok(term) if term.bytes().all(|b| b.is_ascii_graphic()) => record.add(term),
                    _ => Err(Why::Octets),
                };
                if let Err(why) = read {
                    let term = String::from_utf8_lossy(term).into_owned().into();
                    faults.push(Fault { term, at, why });
                }
            }
            at += term.len() + 1;
        }
        (record, faults)
    }

    fn add(&mut self, term: &str) -> Result<(), Why> {
        if let Some((name, value)) = modifier(term) {
            if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
                return Err(Why::Modifier);
            }
            let known = match name.to_ascii_lowercase().as_str() {
                "redirect" => &mut self.redirect,
                "exp" => &mut self.exp,
                _ => {
                    MacroString::parse(value, super::macros::Place::Record)?;
                    return Ok(());
                }
            };
            if known.is_some() {
                return Err(Why::Twice);
            }
            *known = Some(MacroString::parse_name(value)?);
            return Ok(());
        }
        let (qualifier, rest) = match term.split_at_checked(1) {
            Some(("+", rest)) => (Qualifier::Pass, rest),
            Some(("-", rest)) => (Qualifier::Fail, rest),
            Some(("~", rest)) => (Qualifier::SoftFail, rest),
            Some(("?", rest)) => (Qualifier::Neutral, rest),
            _ => (Qualifier::Pass, term),
        };
        let mechanism = Mechanism::parse(rest)?;
        self.terms.push(Term { text: term.into(), qualifier, mechanism });
        Ok(())
    }
}

/// A modifier's name and value: an `=` before any `:` and `/`.
fn modifier(term: &str) -> Option<(&str, &str)> {
    let (name, value) = term.split_once('=')?;
    let named = name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    (named && !name.is_empty()).then_some((name, value))
}

impl Mechanism {
    fn parse(text: &str) -> Result<Self, Why> {
        let end = text.find([':', '/']).unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        let value = rest.strip_prefix(':');
        Ok(match name.to_ascii_lowercase().as_str() {
            "all" if rest.is_empty() => Self::All,
            "all" => return Err(Why::Unwanted),
            "include" => Self::Include(MacroString::parse_name(value.ok_or(Why::Missing)?)?),
            "exists" => Self::Exists(MacroString::parse_name(value.ok_or(Why::Missing)?)?),
            "a" => {
                let (name, prefix) = name_and_prefix(rest)?;
                Self::A { name, prefix }
            }
            "mx" => {
                let (name, prefix) = name_and_prefix(rest)?;
                Self::Mx { name, prefix }
            }
            "ptr" => match (value, rest) {
                (Some(value), _) => Self::Ptr(Some(MacroString::parse_name(value)?)),
                (None, "") => Self::Ptr(None),
                (None, _) => return Err(Why::Unwanted),
            },
            "ip4" => {
                let (address, length) = network(value.ok_or(Why::Missing)?, 32)?;
                Self::Ip4(address.parse().map_err(|_| Why::Address)?, length)
            }
            "ip6" => {
                let (address, length) = network(value.ok_or(Why::Missing)?, 128)?;
                Self::Ip6(address.parse().map_err(|_| Why::Address)?, length)
            }
            _ => return Err(Why::Mechanism),
        })
    }
}

/// `[":" domain-spec] [dual-cidr-length]`: the prefixes are what is at the end and looks like it.
fn name_and_prefix(rest: &str) -> Result<(Option<MacroString>, (u8, u8)), Why> {
    let (rest, v6) = match rest.rsplit_once("//") {
        Some((rest, length)) if is_number(length) => (rest, prefix(length, 128)?),
        _ => (rest, 128),
    };
    let (rest, v4) = match rest.rsplit_once('/') {
        Some((rest, length)) if is_number(length) => (rest, prefix(length, 32)?),
        _ => (rest, 32),
    };
    if rest.is_empty() {
        return Ok((None, (v4, v6)));
    }
    let name = rest.strip_prefix(':').ok_or(Why::Prefix)?;
    if name.is_empty() {
        return Err(Why::Missing);
    }
    Ok((Some(MacroString::parse_name(name)?), (v4, v6)))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn network(value: &str, bits: u8) -> Result<(&str, u8), Why> {
    match value.split_once('/') {
        Some((address, length)) => Ok((address, prefix(length, bits)?)),
        None => Ok((value, bits)),
    }
}

/// A number without leading zeros, and not more than there are bits.
fn prefix(text: &str, bits: u8) -> Result<u8, Why> {
    let plain = is_number(text) && (text == "0" || !text.starts_with('0'));
    let length = text.parse::<u8>().ok().filter(|length| plain && *length <= bits);
    length.ok_or(Why::Prefix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_of_a_record_is_named_with_its_place() {
        let (record, faults) =
            SpfRecord::read(b"v=spf1 mx ip4:192.0.2 foo a:x.example/33 -all exp=a.b exp=a.b");
        let said: Vec<_> = faults.iter().map(|f| (f.at, f.to_string())).collect();
        assert_eq!(record.terms.len(), 2);
        assert_eq!(
            said,
            [
                (10, "`ip4:192.0.2`: has no address that can be read".to_owned()),
                (22, "`foo`: is no mechanism that there is".to_owned()),
                (26, "`a:x.example/33`: has a prefix length that cannot be".to_owned()),
                (54, "`exp=a.b`: stands there twice, and may once".to_owned()),
            ]
        );
    }

    #[test]
    fn a_record_begins_with_its_version_and_nothing_else() {
        assert!(SpfRecord::is_record(b"v=spf1"));
        assert!(SpfRecord::is_record(b"V=SPF1 -all"));
        assert!(!SpfRecord::is_record(b"v=spf10 -all"));
        assert!(!SpfRecord::is_record(b"v=spf1\t-all"));
        assert!(!SpfRecord::is_record(b" v=spf1 -all"));
    }
}
