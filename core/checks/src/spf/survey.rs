//! A whole record with everything below it, whoever sends: what it costs at worst, what it lets
//! in, and what in it leads nowhere.

use std::net::Ipv4Addr;

use postlane_mail::Span;

use crate::dns::{Answer, Failure, Kind, Known, Name, Question, Record};

use super::macros::MacroString;
use super::record::{Fault, Mechanism, Qualifier, SpfRecord};

/// A record and everything below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey {
    /// The domain's own record.
    pub top: Branch,
    /// Terms that may cost a question, counted as often as they would be asked (RFC 7208 §4.6.4).
    pub lookups: u32,
    /// Names that have nothing of what is asked for, each once.
    pub voids: Vec<Name>,
    /// Names of which it could not be found out, each once.
    pub open: Vec<Name>,
    /// Records that lead back to themselves, as `a.example → b.example → a.example`.
    pub loops: Vec<String>,
    /// Records that are included more than once.
    pub repeated: Vec<Name>,
    /// `mx` terms whose domain has more than ten exchangers.
    pub many_exchangers: Vec<Name>,
    /// IPv4 networks that the record passes, as first and last address.
    pub networks: Vec<(u32, u32)>,
    /// Names with macros in them, which cannot be asked for without a message.
    pub macros: usize,
    /// There was more than is looked at: the counts are at least so high.
    pub is_cut: bool,
    /// Everything that was asked.
    pub asked: Vec<Question>,
}

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    /// Whose.
    pub domain: Name,
    /// The term that led here; none for the domain's own.
    pub via: Option<Box<str>>,
    /// What was found there.
    pub published: Published,
    /// The records that it leads to, in its order, the redirection last.
    pub below: Vec<Self>,
}

/// What a domain publishes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Published {
    /// One record.
    One {
        /// As it is published, what is beyond ASCII replaced.
        text: Box<str>,
        /// What could be read of it.
        record: SpfRecord,
        /// What could not.
        faults: Vec<Fault>,
        /// How long it is good for.
        ttl: Span,
        /// Octets of all texts at this name, with what each costs in an answer.
        octets: usize,
    },
    /// None.
    Nothing,
    /// More than one: then there is none that counts (§4.5).
    Many(Vec<Box<str>>),
    /// It could not be found out.
    Open(Failure),
    /// It is among those above it, and was not looked at again.
    Loop,
    /// There was too much to look at.
    Cut,
}

/// Records that are looked at, and how deep. Chosen, not measured: ten are allowed (§4.6.4), and
/// who has more wants to know how many more.
const RECORDS_MAX: usize = 60;
const DEPTH_MAX: usize = 20;

/// Questions that are asked for one record and everything below it. Chosen, not measured: a
/// record within the limits of RFC 7208 §4.6.4 costs some 200 at most.
const QUESTIONS_MAX: usize = 300;

/// Networks that are kept. Chosen, not measured.
const NETWORKS_MAX: usize = 5_000;

/// What a record in an answer has beside its strings, in octets: its name as a pointer, type,
/// class, TTL and length (RFC 1035 §4.1.3).
const RECORD_OCTETS: usize = 12;

struct Run<'a> {
    known: &'a mut Known,
    is_waiting: bool,
    records: usize,
    seen: Vec<Name>,
    survey: Survey,
}

/// Looks at a domain's record and everything below it. None if answers are missing: get them
/// ([`Known::take_missing`]), and call it again.
pub fn survey(known: &mut Known, domain: &Name) -> Option<Survey> {
    let top = Branch {
        domain: domain.clone(),
        via: None,
        published: Published::Nothing,
        below: Vec::new(),
    };
    let survey = Survey {
        top,
        lookups: 0,
        voids: Vec::new(),
        open: Vec::new(),
        loops: Vec::new(),
        repeated: Vec::new(),
        many_exchangers: Vec::new(),
        networks: Vec::new(),
        macros: 0,
        is_cut: false,
        asked: Vec::new(),
    };
    let mut run = Run { known, is_waiting: false, records: 0, seen: Vec::new(), survey };
    let top = run.branch(domain, None, &mut Vec::new(), true);
    run.survey.top = top;
    (!run.is_waiting).then_some(run.survey)
}

impl Run<'_> {
    fn branch(
        &mut self,
        domain: &Name,
        via: Option<&str>,
        above: &mut Vec<Name>,
        passes: bool,
    ) -> Branch {
        let published = if above.contains(domain) {
            let way: Vec<&str> = above.iter().chain([domain]).map(Name::as_str).collect();
            self.survey.loops.push(way.join(" → "));
            Published::Loop
        } else if self.records == RECORDS_MAX || above.len() == DEPTH_MAX {
            self.survey.is_cut = true;
            Published::Cut
        } else {
            self.records += 1;
            if self.seen.contains(domain) {
                add(&mut self.survey.repeated, domain);
            }
            self.seen.push(domain.clone());
            self.published(domain)
        };
        let mut below = Vec::new();
        if let Published::One { record, .. } = &published {
            above.push(domain.clone());
            below = self.terms(domain, record, above, passes);
            above.pop();
        }
        Branch { domain: domain.clone(), via: via.map(Into::into), published, below }
    }

    fn terms(
        &mut self,
        domain: &Name,
        record: &SpfRecord,
        above: &mut Vec<Name>,
        passes: bool,
    ) -> Vec<Branch> {
        let mut below = Vec::new();
        for term in &record.terms {
            let passes = passes && term.qualifier == Qualifier::Pass;
            match &term.mechanism {
                Mechanism::All => {
                    if passes && above.len() == 1 {
                        self.pass(Ipv4Addr::UNSPECIFIED, 0);
                    }
                    // What stands behind it is not looked at, nor is a redirection (§5.1).
                    return below;
                }
                Mechanism::Ip4(network, prefix) if passes => self.pass(*network, *prefix),
                Mechanism::Ip4(..) | Mechanism::Ip6(..) => {}
                Mechanism::Include(name) => {
                    self.survey.lookups += 1;
                    if let Some(target) = self.target(domain, name.literal()) {
                        below.push(self.branch(&target, Some(&term.text), above, passes));
                    }
                }
                Mechanism::A { name, prefix } => {
                    self.survey.lookups += 1;
                    let name = name
                        .as_ref()
                        .map_or_else(|| Some(domain.to_string()), MacroString::literal);
                    if let Some(target) = self.target(domain, name) {
                        self.addresses(&target, prefix.0, passes);
                    }
                }
                Mechanism::Mx { name, prefix } => {
                    self.survey.lookups += 1;
                    let name = name
                        .as_ref()
                        .map_or_else(|| Some(domain.to_string()), MacroString::literal);
                    if let Some(target) = self.target(domain, name) {
                        self.exchangers(&target, prefix.0, passes);
                    }
                }
                Mechanism::Ptr(_) => self.survey.lookups += 1,
                Mechanism::Exists(name) => {
                    self.survey.lookups += 1;
                    if let Some(target) = self.target(domain, name.literal()) {
                        self.addresses(&target, 32, false);
                    }
                }
            }
        }
        if let Some(redirect) = &record.redirect {
            self.survey.lookups += 1;
            if let Some(target) = self.target(domain, redirect.literal()) {
                below.push(self.branch(&target, Some("redirect="), above, passes));
            }
        }
        below
    }

    /// A name that is the same for every message.
    fn target(&mut self, domain: &Name, text: Option<String>) -> Option<Name> {
        let Some(text) = text else {
            self.survey.macros += 1;
            return None;
        };
        let name = Name::parse(&text).ok();
        if name.is_none() {
            add(&mut self.survey.voids, domain);
        }
        name
    }

    fn ask(&mut self, name: &Name, kind: Kind) -> Option<Answer> {
        let question = Question { name: name.clone(), kind };
        if !self.survey.asked.contains(&question) {
            if self.survey.asked.len() == QUESTIONS_MAX {
                self.survey.is_cut = true;
                return None;
            }
            self.survey.asked.push(question.clone());
        }
        let answer = self.known.ask(&question).cloned();
        self.is_waiting |= answer.is_none();
        answer
    }

    fn published(&mut self, domain: &Name) -> Published {
        let Some(answer) = self.ask(domain, Kind::Txt) else { return Published::Nothing };
        let found = match answer {
            Answer::Failed(failure) => {
                add(&mut self.survey.open, domain);
                return Published::Open(failure);
            }
            Answer::Found(found) => found,
            Answer::NoData | Answer::NoName => {
                add(&mut self.survey.voids, domain);
                return Published::Nothing;
            }
        };
        let texts = found.records.iter().filter_map(|record| match record {
            Record::Txt(text) => Some(text),
            _ => None,
        });
        let octets =
            texts.clone().map(|text| RECORD_OCTETS + text.len() + text.len().div_ceil(255)).sum();
        let mut records = texts.filter(|text| SpfRecord::is_record(text));
        let Some(first) = records.next() else { return Published::Nothing };
        let shown = |text: &[u8]| String::from_utf8_lossy(text).into_owned().into_boxed_str();
        let others: Vec<Box<str>> = records.map(|text| shown(text)).collect();
        if !others.is_empty() {
            return Published::Many([shown(first)].into_iter().chain(others).collect());
        }
        let (record, faults) = SpfRecord::read(first);
        Published::One { text: shown(first), record, faults, ttl: found.ttl, octets }
    }

    /// A name that has neither sort of address is a question without an answer, whoever sends.
    fn addresses(&mut self, name: &Name, prefix: u8, passes: bool) {
        let (v4, v6) = (self.ask(name, Kind::A), self.ask(name, Kind::Aaaa));
        let (Some(v4), Some(v6)) = (v4, v6) else { return };
        if matches!(v4, Answer::Failed(_)) || matches!(v6, Answer::Failed(_)) {
            add(&mut self.survey.open, name);
        } else if v4.is_void() && v6.is_void() {
            add(&mut self.survey.voids, name);
        }
        for record in v4.records() {
            if let Record::A(address) = record
                && passes
            {
                self.pass(*address, prefix);
            }
        }
    }

    fn exchangers(&mut self, name: &Name, prefix: u8, passes: bool) {
        let Some(answer) = self.ask(name, Kind::Mx) else { return };
        if matches!(answer, Answer::Failed(_)) {
            add(&mut self.survey.open, name);
        } else if answer.is_void() {
            add(&mut self.survey.voids, name);
        }
        let hosts = answer.records().iter().filter_map(|record| match record {
            Record::Mx { exchange, .. } => exchange.as_ref(),
            _ => None,
        });
        if hosts.clone().count() > 10 {
            add(&mut self.survey.many_exchangers, name);
        }
        for host in hosts.take(10) {
            self.addresses(host, prefix, passes);
        }
    }

    fn pass(&mut self, network: Ipv4Addr, prefix: u8) {
        let rest = u32::MAX.checked_shr(u32::from(prefix)).unwrap_or(0);
        let first = u32::from(network) & !rest;
        if self.survey.networks.len() < NETWORKS_MAX {
            self.survey.networks.push((first, first | rest));
        }
    }
}

impl Survey {
    /// How many IPv4 addresses the record passes, each counted once.
    pub fn addresses(&self) -> u64 {
        let mut networks = self.networks.clone();
        networks.sort_unstable();
        let (mut count, mut next) = (0, 0_u64);
        for (first, last) in networks {
            let first = u64::from(first).max(next);
            let behind = u64::from(last) + 1;
            count += behind.saturating_sub(first);
            next = next.max(behind);
        }
        count
    }

    /// The records, each behind the one above it.
    pub fn branches(&self) -> Vec<&Branch> {
        let mut all = vec![&self.top];
        let mut at = 0;
        while let Some(branch) = all.get(at).copied() {
            all.extend(&branch.below);
            at += 1;
        }
        all
    }

    /// What follows for who matches nothing: the qualifier of `all`, in the record or where it
    /// redirects to. None if there is no `all`.
    pub fn terminal(&self) -> Option<Qualifier> {
        let mut branch = &self.top;
        for _ in 0..DEPTH_MAX {
            let Published::One { record, .. } = &branch.published else { return None };
            let all = record.terms.iter().find(|term| term.mechanism == Mechanism::All);
            if let Some(term) = all {
                return Some(term.qualifier);
            }
            record.redirect.as_ref()?;
            branch = branch.below.last()?;
        }
        None
    }

    /// Whether the record passes nobody.
    pub fn is_parked(&self) -> bool {
        let Published::One { record, .. } = &self.top.published else { return false };
        record.redirect.is_none()
            && record.terms.first().is_some_and(|term| {
                term.mechanism == Mechanism::All && term.qualifier == Qualifier::Fail
            })
    }
}

fn add(names: &mut Vec<Name>, name: &Name) {
    if !names.contains(name) {
        names.push(name.clone());
    }
}

#[cfg(test)]
mod tests;
