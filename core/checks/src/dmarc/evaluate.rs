//! What a receiver makes of a message's authentication, by both ways to find the organisation:
//! the walk up the tree (RFC 9989) and the list of public suffixes (RFC 7489), which most
//! receivers still use.

use crate::dns::{Answer, Failure, Kind, Known, Name, Question};

use super::record::{Alignment, DmarcRecord, Policy};
use super::walk::{is_begun_at, organisation, public_suffix_parent, record_at, walk};

/// What was found of a message before: its author's domain and which domains have authenticated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authenticated {
    /// The domain of the one address in `From`.
    pub author: Name,
    /// The domain SPF passed for; none if it did not.
    pub spf: Option<Name>,
    /// The domains of good DKIM signatures.
    pub dkim: Vec<Name>,
}

/// How the organisation's domain was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// By the walk up the tree (RFC 9989 §4.10).
    TreeWalk,
    /// By the list of public suffixes (RFC 7489 §3.2).
    PublicSuffixes,
}

/// What follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// There is no policy.
    None,
    /// The author's domain stands behind it.
    Pass,
    /// It does not.
    Fail,
    /// A policy could not be looked up.
    TempError,
}

/// Whether a mechanism's domain is the author's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Aligned {
    /// SPF passed for it.
    pub spf: bool,
    /// A good signature is of it.
    pub dkim: bool,
}

/// What one way of looking finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluated {
    /// By which way.
    pub method: Method,
    /// What follows.
    pub verdict: Verdict,
    /// The author's organisation.
    pub organisation: Name,
    /// Where the policy was found; none if there is none.
    pub policy_domain: Option<Name>,
    /// The record found there.
    pub record: Option<DmarcRecord>,
    /// What is asked for this very author.
    pub policy: Option<Policy>,
    /// Which mechanisms speak for the author, by that record's rules; relaxed without one.
    pub aligned: Aligned,
    /// Why nothing could be found out.
    pub failure: Option<Failure>,
}

/// What both ways find.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// By the walk up the tree.
    pub tree_walk: Evaluated,
    /// By the list of public suffixes.
    pub public_suffixes: Evaluated,
}

impl Report {
    /// Whether receivers of the two sorts come to different ends.
    pub fn differs(&self) -> bool {
        let Self { tree_walk: a, public_suffixes: b } = self;
        (a.verdict, a.policy, a.aligned) != (b.verdict, b.policy, b.aligned)
    }
}

/// Holds a message's authentication against its author's domain. None if answers are missing:
/// get them ([`Known::take_missing`]), and call it again.
pub fn evaluate(known: &mut Known, found: &Authenticated) -> Option<Report> {
    // Both ways ask what they can before either waits.
    let tree_walk = by(known, found, Method::TreeWalk);
    let public_suffixes = by(known, found, Method::PublicSuffixes);
    Some(Report { tree_walk: tree_walk?, public_suffixes: public_suffixes? })
}

fn by(known: &mut Known, found: &Authenticated, method: Method) -> Option<Evaluated> {
    let author = &found.author;
    let own = match organisation_by(known, author, method)? {
        Ok(own) => own,
        Err(failure) => return Some(undetermined(method, author, failure)),
    };
    let published = match published(known, author, &own, method)? {
        Ok(published) => published,
        Err(failure) => return Some(undetermined(method, &own, failure)),
    };
    let record = published.as_ref().map(|(_, record)| record);
    let (spf_mode, dkim_mode) =
        record.map_or((Alignment::Relaxed, Alignment::Relaxed), |r| (r.spf, r.dkim));
    let spf = found.spf.iter().map(|domain| (domain, spf_mode));
    let dkim = found.dkim.iter().map(|domain| (domain, dkim_mode));
    let aligned = Aligned {
        spf: any_aligned(known, author, &own, spf, method)?,
        dkim: any_aligned(known, author, &own, dkim, method)?,
    };
    let verdict = match record {
        None => Verdict::None,
        Some(_) if aligned.spf || aligned.dkim => Verdict::Pass,
        Some(_) => Verdict::Fail,
    };
    let policy = match &published {
        Some((domain, record)) => Some(asked(known, author, domain, record, method)?),
        None => None,
    };
    let (policy_domain, record) = published.unzip();
    let organisation = own;
    let failure = None;
    Some(Evaluated {
        method,
        verdict,
        organisation,
        policy_domain,
        record,
        policy,
        aligned,
        failure,
    })
}

fn undetermined(method: Method, organisation: &Name, failure: Failure) -> Evaluated {
    Evaluated {
        method,
        verdict: Verdict::TempError,
        organisation: organisation.clone(),
        policy_domain: None,
        record: None,
        policy: None,
        aligned: Aligned { spf: false, dkim: false },
        failure: Some(failure),
    }
}

fn organisation_by(
    known: &mut Known,
    domain: &Name,
    method: Method,
) -> Option<Result<Name, Failure>> {
    match method {
        Method::TreeWalk => {
            let seen = walk(known, domain)?;
            Some(seen.map(|seen| organisation(&seen).unwrap_or_else(|| domain.clone())))
        }
        Method::PublicSuffixes => {
            Some(Ok(public_suffix_parent(domain).unwrap_or_else(|| domain.clone())))
        }
    }
}

/// A policy and where it stands: the author's own, else the organisation's, else that of the
/// public suffix above it (§4.10.1; RFC 7489 §6.6.3 by the list). By the list, texts at a name that
/// begin as a policy does and are worth nothing, since there are several or none can be used, end
/// the search: there is no policy then, also where one stands above.
fn published(
    known: &mut Known,
    author: &Name,
    own: &Name,
    method: Method,
) -> Option<Result<Option<(Name, DmarcRecord)>, Failure>> {
    let suffix = own.as_str().split_once('.').and_then(|(_, above)| Name::parse(above).ok());
    let suffix = suffix.filter(|_| method == Method::TreeWalk);
    for domain in [Some(author), Some(own), suffix.as_ref()].into_iter().flatten() {
        match record_at(known, domain)? {
            Ok(Some(record)) => return Some(Ok(Some((domain.clone(), record)))),
            Ok(None) if method == Method::PublicSuffixes && is_begun_at(known, domain)? => break,
            Ok(None) => {}
            Err(failure) => return Some(Err(failure)),
        }
    }
    Some(Ok(None))
}

/// What a record asks for this author: for the domain itself, for what is below it, or for
/// what is below it and does not exist (§4.7). A domain that tries it out is let off a step; by
/// RFC 7489, which knows neither that nor names that do not exist, one is that asks for it for no
/// message of a hundred (§6.3, §6.6.4).
fn asked(
    known: &mut Known,
    author: &Name,
    domain: &Name,
    record: &DmarcRecord,
    method: Method,
) -> Option<Policy> {
    let below = record.subdomain_policy.unwrap_or(record.policy);
    let policy = match record.missing_policy.filter(|_| method == Method::TreeWalk) {
        _ if author == domain => record.policy,
        Some(missing) if is_missing(known, author)? => missing,
        _ => below,
    };
    let is_let_off = match method {
        Method::TreeWalk => record.is_testing,
        Method::PublicSuffixes => record.percent == 0,
    };
    Some(if is_let_off { policy.lessened() } else { policy })
}

/// Whether a domain does not exist: neither as a name nor below it (§3.2.13: NXDOMAIN).
fn is_missing(known: &mut Known, domain: &Name) -> Option<bool> {
    let question = Question { name: domain.clone(), kind: Kind::A };
    Some(matches!(known.ask(&question)?, Answer::NoName))
}

/// Whether one of the domains is the author's, in its mode.
fn any_aligned<'a>(
    known: &mut Known,
    author: &Name,
    own: &Name,
    domains: impl Iterator<Item = (&'a Name, Alignment)>,
    method: Method,
) -> Option<bool> {
    let mut is_missing = false;
    for (domain, mode) in domains {
        if domain == author {
            return Some(true);
        }
        if mode == Alignment::Strict {
            continue;
        }
        match organisation_by(known, domain, method) {
            // What cannot be looked up speaks for nobody.
            Some(found) if found.as_ref() == Ok(own) => return Some(true),
            Some(_) => {}
            None => is_missing = true,
        }
    }
    (!is_missing).then_some(false)
}

impl Verdict {
    /// As mail headers have it (RFC 8601, RFC 9989).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::TempError => "temperror",
        }
    }
}

#[cfg(test)]
mod tests;
