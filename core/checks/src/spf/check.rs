//! `check_host()`: the record of a domain held against one sender (RFC 7208 §4).

mod matching;

use std::borrow::Cow;
use std::net::IpAddr;

use postlane_mail::Instant;

use crate::dns::{Answer, Kind, Known, Name, Question, Record};

use super::macros::{MacroString, Place, Values};
use super::record::{Mechanism, Qualifier, SpfRecord, Term};
use super::tree::{Match, Seen, Step};
use matching::is_within;

/// Who sends, as the receiving host sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// The address the connection comes from; an IPv4 address in IPv6 clothes (RFC 4291
    /// §2.5.5.2) is taken for what it is.
    pub address: IpAddr,
    /// The name given with EHLO or HELO.
    pub helo: &'a str,
    /// The reverse-path without brackets; empty for the null one, then the name given with EHLO
    /// is checked (§2.4).
    pub mail_from: &'a str,
    /// The name of the receiving host, for explanations.
    pub receiver: &'a str,
    /// When, for explanations.
    pub now: Instant,
}

/// What a record says of a sender (§2.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// There is no record, or no name to ask for one.
    None,
    /// The domain says nothing of this sender.
    Neutral,
    /// It may.
    Pass,
    /// It may not.
    Fail,
    /// It probably may not.
    SoftFail,
    /// It could not be found out this time.
    TempError,
    /// The record cannot be used as it is published.
    PermError,
}

/// A verdict, and how it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// What follows.
    pub verdict: Verdict,
    /// Whose record decides: of the reverse-path, or the name given with EHLO.
    pub domain: Box<str>,
    /// Why, where it is an error, in one sentence.
    pub why: Option<Box<str>>,
    /// What the domain says to who fails (§6.2); ASCII.
    pub explanation: Option<Box<str>>,
    /// Terms that cost a question, of ten that may (§4.6.4).
    pub lookups: u8,
    /// Questions without an answer, of two that may be (§4.6.4).
    pub voids: u8,
    /// What was looked at.
    pub tree: Step,
}

/// Terms that may cost a question, and names of `mx` and `ptr` (§4.6.4).
const LOOKUPS_MAX: u8 = 10;

/// Questions that may go without an answer (§4.6.4).
const VOIDS_MAX: u8 = 2;

/// Why an evaluation does not come to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Stop {
    /// Answers are missing; the questions are noted.
    Unknown,
    /// `temperror`
    Temp(String),
    /// `permerror`
    Perm(String),
}

/// An evaluation under way.
struct Run<'a> {
    known: &'a mut Known,
    envelope: &'a Envelope<'a>,
    local_part: &'a str,
    sender_domain: &'a str,
    lookups: u8,
    voids: u8,
}

/// Holds the sender's record against it. None if answers are missing: get them
/// ([`Known::take_missing`]), and call it again.
pub fn check_host(known: &mut Known, envelope: &Envelope<'_>) -> Option<Explained> {
    let identity = envelope.mail_from.rsplit_once('@');
    let (local_part, domain) = match identity {
        Some(("", domain)) => ("postmaster", domain),
        Some((local_part, domain)) => (local_part, domain),
        None if envelope.mail_from.is_empty() => ("postmaster", envelope.helo),
        None => ("postmaster", envelope.mail_from),
    };
    let (domain, helo) = (&*a_labels(domain), &*a_labels(envelope.helo));
    let envelope = &Envelope { address: envelope.address.to_canonical(), helo, ..*envelope };
    let mut run = Run { known, envelope, local_part, sender_domain: domain, lookups: 0, voids: 0 };
    let mut tree = Step::new(domain);
    let found = match initial(domain) {
        Some(name) => run.check(&name, &mut tree),
        None => Ok(Said { verdict: Verdict::None, exp: None }),
    };
    let (verdict, why, exp) = match found {
        Ok(Said { verdict, exp }) => (verdict, None, exp),
        Err(Stop::Unknown) => return None,
        Err(Stop::Temp(why)) => (Verdict::TempError, Some(why), None),
        Err(Stop::Perm(why)) => (Verdict::PermError, Some(why), None),
    };
    let explanation = match exp {
        Some((exp, domain)) if verdict == Verdict::Fail => run.explain(&exp, &domain)?,
        _ => None,
    };
    Some(Explained {
        verdict,
        domain: domain.into(),
        why: why.map(Into::into),
        explanation,
        lookups: run.lookups,
        voids: run.voids,
        tree,
    })
}

/// A domain as macros and questions have it, in A-labels (RFC 8616 §4); what is none stays as it is.
fn a_labels(domain: &str) -> Cow<'_, str> {
    match Name::of_mail(domain) {
        Ok(name) if !domain.is_ascii() => Cow::Owned(name.to_string()),
        _ => Cow::Borrowed(domain),
    }
}

/// The name to begin with: at least two labels, none of them broken (§4.3).
fn initial(domain: &str) -> Option<Name> {
    let name = Name::parse(domain).ok()?;
    name.as_str().contains('.').then_some(name)
}

/// What a record says, and where the explanation of that is: its name, and in whose record it
/// stands.
struct Said {
    verdict: Verdict,
    exp: Option<(MacroString, Name)>,
}

impl Run<'_> {
    /// The verdict of one record.
    fn check(&mut self, domain: &Name, step: &mut Step) -> Result<Said, Stop> {
        let Some(text) = self.record(domain)? else {
            return Ok(Said { verdict: Verdict::None, exp: None });
        };
        step.record = Some(String::from_utf8_lossy(&text).into_owned().into());
        let record = SpfRecord::parse(&text)
            .map_err(|fault| Stop::Perm(format!("the record of {domain}: {fault}")))?;
        for term in &record.terms {
            let mut seen = Seen {
                term: term.text.clone(),
                name: None,
                lookups: 0,
                matched: Match::Broken,
                below: None,
            };
            let before = self.lookups;
            let matched = self.term(domain, term, &mut seen);
            seen.lookups = u8::from(self.lookups > before);
            seen.matched = match matched {
                Ok(true) => Match::Yes,
                Ok(false) => Match::No,
                Err(_) => Match::Broken,
            };
            step.terms.push(seen);
            if matched? {
                let exp = record.exp.map(|exp| (exp, domain.clone()));
                return Ok(Said { verdict: term.qualifier.verdict(), exp });
            }
        }
        match &record.redirect {
            Some(redirect) => self.redirect(domain, redirect, step),
            None => Ok(Said { verdict: Verdict::Neutral, exp: None }),
        }
    }

    fn redirect(
        &mut self,
        domain: &Name,
        redirect: &MacroString,
        step: &mut Step,
    ) -> Result<Said, Stop> {
        self.count_lookup()?;
        let target = self.name(domain, redirect)?;
        let mut seen = Seen {
            term: "redirect".into(),
            name: None,
            lookups: 1,
            matched: Match::Broken,
            below: None,
        };
        let Some(target) = target else {
            step.terms.push(seen);
            return Err(Stop::Perm(format!("the redirection of {domain} leads to no name")));
        };
        let mut below = Step::new(target.as_str());
        let found = self.check(&target, &mut below);
        if matches!(found, Ok(Said { verdict: Verdict::None, .. })) {
            let why = format!("{domain} redirects to {target}, which has no record");
            seen.below = Some(Box::new(below));
            step.terms.push(seen);
            return Err(Stop::Perm(why));
        }
        seen.matched = if found.is_ok() { Match::Yes } else { Match::Broken };
        seen.name = Some(target);
        seen.below = Some(Box::new(below));
        step.terms.push(seen);
        found
    }

    /// The one record of a domain (§4.5).
    fn record(&mut self, domain: &Name) -> Result<Option<Box<[u8]>>, Stop> {
        let question = Question { name: domain.clone(), kind: Kind::Txt };
        let answer = self.known.ask(&question).ok_or(Stop::Unknown)?;
        if let Answer::Failed(failure) = answer {
            return Err(Stop::Temp(format!("TXT of {domain}: {failure}")));
        }
        let mut records = answer.records().iter().filter_map(|record| match record {
            Record::Txt(text) if SpfRecord::is_record(text) => Some(text),
            _ => None,
        });
        let first = records.next().cloned();
        if records.next().is_some() {
            return Err(Stop::Perm(format!("{domain} has more than one record")));
        }
        Ok(first)
    }

    /// Whether a term matches.
    fn term(&mut self, domain: &Name, term: &Term, seen: &mut Seen) -> Result<bool, Stop> {
        let address = self.envelope.address;
        match &term.mechanism {
            Mechanism::All => Ok(true),
            Mechanism::Ip4(network, prefix) => Ok(is_within(address, (*network).into(), *prefix)),
            Mechanism::Ip6(network, prefix) => Ok(is_within(address, (*network).into(), *prefix)),
            Mechanism::Include(name) => self.include(domain, name, seen),
            Mechanism::A { name, prefix } => {
                self.count_lookup()?;
                let Some(name) = self.target(domain, name.as_ref(), seen)? else {
                    return Ok(false);
                };
                self.has_address(&name, *prefix)
            }
            Mechanism::Mx { name, prefix } => {
                self.count_lookup()?;
                let Some(name) = self.target(domain, name.as_ref(), seen)? else {
                    return Ok(false);
                };
                self.has_exchange(&name, *prefix)
            }
            Mechanism::Ptr(name) => {
                self.count_lookup()?;
                let Some(name) = self.target(domain, name.as_ref(), seen)? else {
                    return Ok(false);
                };
                self.has_name(&name)
            }
            Mechanism::Exists(name) => {
                self.count_lookup()?;
                let Some(name) = self.target(domain, Some(name), seen)? else { return Ok(false) };
                self.exists(&name)
            }
        }
    }

    /// Whom another record passes (§5.2).
    fn include(
        &mut self,
        domain: &Name,
        name: &MacroString,
        seen: &mut Seen,
    ) -> Result<bool, Stop> {
        self.count_lookup()?;
        let Some(target) = self.target(domain, Some(name), seen)? else {
            return Err(Stop::Perm(format!("{domain} includes what is no name")));
        };
        let mut below = Step::new(target.as_str());
        let found = self.check(&target, &mut below);
        seen.below = Some(Box::new(below));
        match found?.verdict {
            Verdict::Pass => Ok(true),
            Verdict::None => {
                Err(Stop::Perm(format!("{domain} includes {target}, which has no record")))
            }
            _ => Ok(false),
        }
    }

    /// The name a term asks for: its own or the domain's. None if that is no name, and then the
    /// term does not match (§4.8).
    fn target(
        &mut self,
        domain: &Name,
        name: Option<&MacroString>,
        seen: &mut Seen,
    ) -> Result<Option<Name>, Stop> {
        let name = match name {
            Some(name) => self.name(domain, name)?,
            None => Some(domain.clone()),
        };
        seen.name.clone_from(&name);
        Ok(name)
    }

    fn name(&mut self, domain: &Name, text: &MacroString) -> Result<Option<Name>, Stop> {
        let validated = if text.wants_name() { self.validated_name(domain)? } else { None };
        Ok(Name::parse(&text.expand_name(&self.values(domain, validated.as_ref()))).ok())
    }

    fn values<'b>(&'b self, domain: &'b Name, validated: Option<&'b Name>) -> Values<'b> {
        Values {
            local_part: self.local_part,
            sender_domain: self.sender_domain,
            domain: domain.as_str(),
            address: self.envelope.address,
            validated_name: validated.map(Name::as_str),
            helo: self.envelope.helo,
            receiver: self.envelope.receiver,
            timestamp: self.envelope.now.unix_s(),
        }
    }

    fn count_lookup(&mut self) -> Result<(), Stop> {
        if self.lookups == LOOKUPS_MAX {
            return Err(Stop::Perm("more than 10 terms cost a question".to_owned()));
        }
        self.lookups += 1;
        Ok(())
    }

    fn count_void(&mut self) -> Result<(), Stop> {
        self.voids = self.voids.saturating_add(1);
        if self.voids > VOIDS_MAX {
            return Err(Stop::Perm("more than 2 questions had no answer".to_owned()));
        }
        Ok(())
    }

    /// What the domain says to who fails. Outer none: answers are missing. Whatever goes wrong,
    /// there is no explanation, and nothing else follows (§6.2).
    #[expect(clippy::option_option, reason = "missing answers, and no explanation, are different")]
    fn explain(&mut self, exp: &MacroString, domain: &Name) -> Option<Option<Box<str>>> {
        let name = match self.name(domain, exp) {
            Ok(Some(name)) => name,
            Err(Stop::Unknown) => return None,
            _ => return Some(None),
        };
        let records = self.known.ask(&Question { name, kind: Kind::Txt })?.records();
        let [Record::Txt(text)] = records else { return Some(None) };
        let Some(text) = std::str::from_utf8(text).ok().filter(|text| text.is_ascii()) else {
            return Some(None);
        };
        let Ok(text) = MacroString::parse(text, Place::Explanation) else { return Some(None) };
        let validated = match text.wants_name().then(|| self.validated_name(domain)) {
            Some(Ok(validated)) => validated,
            Some(Err(Stop::Unknown)) => return None,
            _ => None,
        };
        Some(Some(text.expand(&self.values(domain, validated.as_ref())).into()))
    }
}

impl Qualifier {
    fn verdict(self) -> Verdict {
        match self {
            Self::Pass => Verdict::Pass,
            Self::Fail => Verdict::Fail,
            Self::SoftFail => Verdict::SoftFail,
            Self::Neutral => Verdict::Neutral,
        }
    }
}

impl Verdict {
    /// As mail headers have it (RFC 8601 §2.7.2).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Neutral => "neutral",
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::SoftFail => "softfail",
            Self::TempError => "temperror",
            Self::PermError => "permerror",
        }
    }
}
