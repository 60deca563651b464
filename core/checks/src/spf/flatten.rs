//! A record with the networks written out that its names lead to, so that receivers need not ask
//! for them. What cannot be written out (macros about a message, `exists`, `ptr`, records that do more than pass
//! networks) stays as it is.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::dns::{Answer, Failure, Kind, Known, Name, Question, Record};

use super::macros::{MacroString, Place, Values};
use super::record::{Mechanism, Qualifier, SpfRecord};

/// A record written out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flattened {
    /// What is to be published, the domain's own first: a name and its text.
    pub records: Vec<(Name, String)>,
    /// Every network that the record passes by itself, none within another.
    pub networks: Vec<Network>,
    /// Terms that stay as they are.
    pub kept: Vec<Box<str>>,
    /// Terms of what is to be published that cost receivers a question; an `include:` that stays
    /// costs more below it. Over [`Self::LOOKUPS_MAX`] it must not be published.
    pub lookups: usize,
}

/// Addresses with the same first bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Network {
    /// The first of them.
    pub address: IpAddr,
    /// How many bits are the same: up to 32 or 128.
    pub prefix: u8,
}

/// Why a record cannot be written out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FlattenError {
    /// There is not one record, or one that cannot be read.
    #[error("{0} has no one record that can be read; look at it with `postlane check domain`")]
    Record(Name),
    /// An answer is missing; without it networks would be lost.
    #[error("{0} could not be found out ({1}); nothing is written out then")]
    Open(Name, Failure),
    /// More than can be published.
    #[error("there are more networks than {NETWORKS_MAX}; include: is what such records are for")]
    TooMany,
}

/// Networks that are written out. Chosen, not measured: some 14 octets each, 450 in a record.
const NETWORKS_MAX: usize = 1_000;

/// How deep records are followed; SPF itself allows ten lookups (RFC 7208 §4.6.4).
const DEPTH_MAX: usize = 10;

/// Octets of a record (RFC 7208 §3.4).
const OCTETS_MAX: usize = 450;

/// Questions that are asked for one record. Chosen, not measured.
const QUESTIONS_MAX: usize = 300;

/// Why a walk ends before its end.
enum Stop {
    /// The term stays as it is.
    Keep,
    Error(FlattenError),
}

struct Run<'a> {
    known: &'a mut Known,
    /// What the record is written out for.
    domain: &'a Name,
    is_waiting: bool,
    asked: usize,
}

/// Writes out the record at `source` for publishing at `domain`. None if answers are missing: get
/// them ([`Known::take_missing`]), and call it again.
pub fn flatten(
    known: &mut Known,
    source: &Name,
    domain: &Name,
) -> Option<Result<Flattened, FlattenError>> {
    let mut run = Run { known, domain, is_waiting: false, asked: 0 };
    let mut parts = Parts::default();
    let walked = run.top(source, &mut parts, 0);
    if run.is_waiting {
        return None;
    }
    Some(match walked {
        Ok(()) => parts.written(domain),
        Err(Stop::Keep) => Err(FlattenError::Record(source.clone())),
        Err(Stop::Error(error)) => Err(error),
    })
}

/// The terms of a record, in order.
#[derive(Default)]
struct Parts {
    pieces: Vec<Piece>,
    all: Option<Box<str>>,
    exp: Option<Box<str>>,
}

enum Piece {
    /// Networks that pass; the order among them does not matter.
    Networks(Vec<Network>),
    Kept(Box<str>),
}

impl Run<'_> {
    /// The domain's own record, or the one that it redirects to.
    fn top(&mut self, domain: &Name, parts: &mut Parts, depth: usize) -> Result<(), Stop> {
        let Some((text, record)) = self.record(domain)? else { return Ok(()) };
        if depth == 0 {
            let exp = text.split(' ').find(|t| t.to_ascii_lowercase().starts_with("exp="));
            parts.exp = exp.map(Into::into);
        }
        for term in &record.terms {
            if term.mechanism == Mechanism::All {
                parts.all = Some(term.text.clone());
                return Ok(());
            }
            let mut networks = Vec::new();
            let found = match term.qualifier {
                Qualifier::Pass => self.term(domain, &term.mechanism, &mut networks, depth),
                _ => Err(Stop::Keep),
            };
            match found {
                Ok(()) => parts.add(networks),
                Err(Stop::Keep) => parts.pieces.push(Piece::Kept(own_words(domain, term, depth))),
                Err(stop) => return Err(stop),
            }
        }
        let own = self.own(domain, depth);
        match record.redirect.as_ref().map(|target| known_text(target, &own)) {
            None => Ok(()),
            Some(Some(target)) if depth < DEPTH_MAX => {
                let target = Name::parse(&target).map_err(|_| Stop::Keep)?;
                self.top(&target, parts, depth + 1)
            }
            Some(_) => {
                let mut all = text.split(' ');
                let redirect = all.find(|t| t.to_ascii_lowercase().starts_with("redirect="));
                parts.all = redirect.map(|redirect| meant(domain, redirect, depth).into());
                Ok(())
            }
        }
    }

    /// The networks that a term passes.
    fn term(
        &mut self,
        domain: &Name,
        mechanism: &Mechanism,
        networks: &mut Vec<Network>,
        depth: usize,
    ) -> Result<(), Stop> {
        let own = self.own(domain, depth);
        let target = |name: Option<&MacroString>| match name {
            None => Ok(domain.clone()),
            Some(name) => known_name(name, &own).ok_or(Stop::Keep),
        };
        match mechanism {
            Mechanism::Ip4(address, prefix) => add(networks, (*address).into(), *prefix),
            Mechanism::Ip6(address, prefix) => add(networks, (*address).into(), *prefix),
            Mechanism::Include(name) => self.included(&target(Some(name))?, networks, depth + 1),
            Mechanism::A { name, prefix } => {
                let host = target(name.as_ref())?;
                self.addresses(&host, *prefix, networks)
            }
            Mechanism::Mx { name, prefix } => {
                let of = target(name.as_ref())?;
                let Some(answer) = self.ask(&of, Kind::Mx)? else { return Ok(()) };
                for record in answer.records().iter().take(10) {
                    if let Record::Mx { exchange: Some(host), .. } = record {
                        self.addresses(host, *prefix, networks)?;
                    }
                }
                Ok(())
            }
            Mechanism::All | Mechanism::Ptr(_) | Mechanism::Exists(_) => Err(Stop::Keep),
        }
    }

    /// The networks of a record that is included: what it does not pass does not match.
    fn included(
        &mut self,
        domain: &Name,
        networks: &mut Vec<Network>,
        depth: usize,
    ) -> Result<(), Stop> {
        if depth > DEPTH_MAX {
            return Err(Stop::Keep);
        }
        let Some((_, record)) = self.record(domain)? else { return Ok(()) };
        for term in &record.terms {
            match (&term.mechanism, term.qualifier) {
                (Mechanism::All, Qualifier::Pass) => return Err(Stop::Keep),
                (Mechanism::All, _) => return Ok(()),
                // Who is refused here must not be passed by a term behind it.
                (_, Qualifier::Pass) => self.term(domain, &term.mechanism, networks, depth)?,
                _ => return Err(Stop::Keep),
            }
        }
        match &record.redirect {
            None => Ok(()),
            Some(target) => {
                let target = known_name(target, domain).ok_or(Stop::Keep)?;
                self.included(&target, networks, depth + 1)
            }
        }
    }

    /// What `%{d}` is in a record: its own domain (RFC 7208 §7.2). The first may have been moved to a
    /// name of its own; it is read as the one of the domain that it is written out for.
    fn own(&self, domain: &Name, depth: usize) -> Name {
        if depth == 0 { self.domain.clone() } else { domain.clone() }
    }

    /// None while the answer is missing: what else can be asked is asked meanwhile.
    fn record(&mut self, domain: &Name) -> Result<Option<(String, SpfRecord)>, Stop> {
        let Some(answer) = self.ask(domain, Kind::Txt)? else { return Ok(None) };
        let mut records = answer.records().iter().filter_map(|record| match record {
            Record::Txt(text) if SpfRecord::is_record(text) => Some(text),
            _ => None,
        });
        let unread = || Stop::Error(FlattenError::Record(domain.clone()));
        let text = records.next().filter(|_| records.next().is_none()).ok_or_else(unread)?;
        let record = SpfRecord::parse(text).map_err(|_| unread())?;
        Ok(Some((String::from_utf8_lossy(text).into_owned(), record)))
    }

    fn addresses(
        &mut self,
        host: &Name,
        prefix: (u8, u8),
        networks: &mut Vec<Network>,
    ) -> Result<(), Stop> {
        let (v4, v6) = (self.ask(host, Kind::A)?, self.ask(host, Kind::Aaaa)?);
        for record in [v4, v6].iter().flatten().flat_map(Answer::records) {
            match record {
                Record::A(address) => add(networks, (*address).into(), prefix.0)?,
                Record::Aaaa(address) => add(networks, (*address).into(), prefix.1)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn ask(&mut self, name: &Name, kind: Kind) -> Result<Option<Answer>, Stop> {
        self.asked += 1;
        if self.asked > QUESTIONS_MAX {
            return Err(Stop::Error(FlattenError::TooMany));
        }
        let answer = self.known.ask(&Question { name: name.clone(), kind }).cloned();
        self.is_waiting |= answer.is_none();
        match answer {
            Some(Answer::Failed(failure)) => {
                Err(Stop::Error(FlattenError::Open(name.clone(), failure)))
            }
            answer => Ok(answer),
        }
    }
}

/// A term as it must be written where another record than its own has it; `depth` is above 0 for one
/// of a record that was redirected to.
fn own_words(domain: &Name, term: &super::record::Term, depth: usize) -> Box<str> {
    match &term.mechanism {
        Mechanism::A { name: None, .. }
        | Mechanism::Mx { name: None, .. }
        | Mechanism::Ptr(None) => {
            let end = term.text.find('/').unwrap_or(term.text.len());
            let (before, behind) = term.text.split_at(end);
            format!("{before}:{domain}{behind}").into()
        }
        _ => meant(domain, &term.text, depth).into(),
    }
}

/// A term with its own domain where a macro means that: `%{d}` of a record that was redirected to is
/// that record's (RFC 7208 §7.2), and would be another's where the term is written out. Of the
/// record that was moved to a name of its own it is the domain that it is written out for.
fn meant(domain: &Name, term: &str, depth: usize) -> String {
    let values = of_record(domain);
    let mut text = String::with_capacity(term.len());
    let mut rest = term;
    while let Some((before, from)) = rest.find('%').map(|at| rest.split_at(at)) {
        // `%%`, `%_` and `%-` have two characters, a macro goes on to its brace.
        let end = if from.starts_with("%{") {
            from.find('}')
        } else {
            from.char_indices().nth(1).map(|(at, _)| at)
        };
        let (piece, behind) = from.split_at(end.map_or(from.len(), |end| end + 1));
        let is_own = depth > 0 && (piece.starts_with("%{d") || piece.starts_with("%{D"));
        let read = MacroString::parse(piece, Place::Record).ok().filter(|_| is_own);
        text.push_str(before);
        text.push_str(&read.map_or_else(|| piece.to_owned(), |read| read.expand(&values)));
        rest = behind;
    }
    text.push_str(rest);
    text
}

/// What is known of a record without a message.
fn of_record(domain: &Name) -> Values<'_> {
    Values {
        local_part: "",
        sender_domain: "",
        domain: domain.as_str(),
        address: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        validated_name: None,
        helo: "",
        receiver: "",
        timestamp: 0,
    }
}

/// What a name becomes for all mail; none where it is another for each message.
fn known_text(name: &MacroString, domain: &Name) -> Option<String> {
    name.is_of_record().then(|| name.expand_name(&of_record(domain)))
}

fn known_name(name: &MacroString, domain: &Name) -> Option<Name> {
    known_text(name, domain).and_then(|name| Name::parse(&name).ok())
}

fn add(networks: &mut Vec<Network>, address: IpAddr, prefix: u8) -> Result<(), Stop> {
    if networks.len() >= NETWORKS_MAX {
        return Err(Stop::Error(FlattenError::TooMany));
    }
    networks.push(Network::of(address, prefix));
    Ok(())
}

impl Parts {
    fn add(&mut self, networks: Vec<Network>) {
        match self.pieces.last_mut() {
            Some(Piece::Networks(before)) => before.extend(networks),
            _ => self.pieces.push(Piece::Networks(networks)),
        }
    }

    fn written(self, domain: &Name) -> Result<Flattened, FlattenError> {
        let (mut terms, mut all_networks, mut kept) = (Vec::new(), Vec::new(), Vec::new());
        for piece in self.pieces {
            match piece {
                Piece::Networks(networks) => {
                    let networks = merged(networks);
                    terms.extend(networks.iter().map(ToString::to_string));
                    all_networks.extend(networks);
                }
                Piece::Kept(term) => {
                    terms.push(term.to_string());
                    kept.push(term);
                }
            }
        }
        let networks = merged(all_networks);
        if networks.len() > NETWORKS_MAX {
            return Err(FlattenError::TooMany);
        }
        let end: Vec<&str> = self.all.iter().chain(&self.exp).map(|text| &**text).collect();
        let end = end.join(" ");
        let records = records(domain, &terms, &end);
        let lookups = records.iter().flat_map(|(_, text)| text.split(' ')).filter(|t| costs(t));
        let lookups = lookups.count();
        Ok(Flattened { records, networks, kept, lookups })
    }
}

/// Whether a term costs receivers a question (RFC 7208 §4.6.4).
fn costs(term: &str) -> bool {
    let term = term.to_ascii_lowercase();
    let bare = term.strip_prefix(['+', '-', '~', '?']).unwrap_or(&term);
    let name = bare.split([':', '/', '=']).next().unwrap_or_default();
    matches!(name, "include" | "a" | "mx" | "ptr" | "exists" | "redirect")
}

/// One record, or parts of it that one includes: terms in their order, none too long.
fn records(domain: &Name, terms: &[String], end: &str) -> Vec<(Name, String)> {
    let whole = format!("v=spf1 {} {end}", terms.join(" "));
    let whole = whole.split_whitespace().collect::<Vec<_>>().join(" ");
    if whole.len() <= OCTETS_MAX {
        return vec![(domain.clone(), whole)];
    }
    let (mut parts, mut part): (Vec<(Name, String)>, String) = (Vec::new(), String::new());
    let mut own = String::from("v=spf1");
    let close = |part: &mut String, own: &mut String, parts: &mut Vec<(Name, String)>| {
        if part.is_empty() {
            return;
        }
        let Ok(name) = Name::parse(&format!("_spf{}.{domain}", parts.len() + 1)) else { return };
        own.push_str(&format!(" include:{name}"));
        parts.push((name, format!("v=spf1{part} -all")));
        part.clear();
    };
    for term in terms {
        // Only networks are moved: other terms mean something else in another record.
        let is_network = term.starts_with("ip4:") || term.starts_with("ip6:");
        if !is_network {
            close(&mut part, &mut own, &mut parts);
            own.push_str(&format!(" {term}"));
            continue;
        }
        if part.len() + term.len() + 16 > OCTETS_MAX {
            close(&mut part, &mut own, &mut parts);
        }
        part.push_str(&format!(" {term}"));
    }
    close(&mut part, &mut own, &mut parts);
    let mut all = vec![(domain.clone(), format!("{own} {end}").trim_end().to_owned())];
    all.extend(parts);
    all
}

impl Network {
    /// The network of an address.
    pub fn of(address: IpAddr, prefix: u8) -> Self {
        match address {
            IpAddr::V4(v4) => {
                let rest = u32::MAX.checked_shr(prefix.into()).unwrap_or(0);
                Self { address: Ipv4Addr::from(u32::from(v4) & !rest).into(), prefix }
            }
            IpAddr::V6(v6) => {
                let rest = u128::MAX.checked_shr(prefix.into()).unwrap_or(0);
                Self { address: Ipv6Addr::from(u128::from(v6) & !rest).into(), prefix }
            }
        }
    }

    /// Whether all addresses of another one are among these.
    pub fn holds(&self, other: &Self) -> bool {
        self.address.is_ipv4() == other.address.is_ipv4()
            && self.prefix <= other.prefix
            && Self::of(other.address, self.prefix).address == self.address
    }

    /// The network of twice the size.
    fn parent(self) -> Option<Self> {
        Some(Self::of(self.address, self.prefix.checked_sub(1)?))
    }
}

impl std::fmt::Display for Network {
    /// As a record has it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (kind, whole) = if self.address.is_ipv4() { ("ip4", 32) } else { ("ip6", 128) };
        write!(f, "{kind}:{}", self.address)?;
        if self.prefix == whole { Ok(()) } else { write!(f, "/{}", self.prefix) }
    }
}

/// The same addresses in the fewest networks.
fn merged(mut networks: Vec<Network>) -> Vec<Network> {
    networks.sort_unstable();
    let mut stack: Vec<Network> = Vec::new();
    for network in networks {
        if stack.last().is_some_and(|last| last.holds(&network)) {
            continue;
        }
        stack.push(network);
        while let [.., a, b] = stack.as_slice() {
            let (a, b) = (*a, *b);
            let halves = a.prefix == b.prefix && a.parent().is_some() && a.parent() == b.parent();
            let Some(parent) = a.parent().filter(|_| halves && a != b) else { break };
            stack.truncate(stack.len() - 2);
            stack.push(parent);
        }
    }
    stack
}

/// What is another for each message, so that no network can be written for it (RFC 7208 §7.2): its macro
/// and what it stands for.
const OF_A_MESSAGE: [(&str, &str); 7] = [
    ("%{i", "the client's address"),
    ("%{s", "the sender's address"),
    ("%{l", "the sender's local part"),
    ("%{o", "the sender's domain"),
    ("%{p", "the client's name in the DNS"),
    ("%{h", "the client's HELO name"),
    ("%{v", "the kind of the client's address"),
];

impl Flattened {
    /// The macros of a term that cannot be written out, each with what it stands for: that is another
    /// for each message.
    pub fn of_a_message(term: &str) -> impl Iterator<Item = (String, &'static str)> {
        let term = term.to_ascii_lowercase();
        let found = OF_A_MESSAGE.into_iter().filter(move |(letter, _)| term.contains(letter));
        found.map(|(letter, means)| (format!("{letter}}}"), means))
    }

    /// Terms of a record that may cost a question: with one more, receivers read none of it, and all
    /// mail fails (RFC 7208 §4.6.4).
    pub const LOOKUPS_MAX: usize = 10;

    /// What the other has and this has not: networks that would be refused.
    pub fn missing_of(&self, other: &Self) -> Vec<Network> {
        let lacks = |network: &&Network| !self.networks.iter().any(|own| own.holds(network));
        other.networks.iter().filter(lacks).copied().collect()
    }
}

#[cfg(test)]
mod tests;
