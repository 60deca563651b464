//! What a list's answer says.

use std::net::Ipv4Addr;

use crate::check::Outcome;
use crate::dns::{Answer, Failure, Record};

use super::list::{List, Verdict};

/// What a list says of somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// It has no entry.
    NotListed,
    /// It has these.
    Listed(Vec<Entry>),
    /// It has not said: that is neither good nor bad.
    Unclear(Unclear),
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The address that was answered.
    pub answer: Ipv4Addr,
    /// What it is held to mean.
    pub outcome: Outcome,
    /// What that is.
    pub means: String,
    /// It says that the address changes hands (dial-up).
    pub is_dynamic: bool,
}

/// Why a list has not said anything.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unclear {
    /// The name of the zone is mistyped (127.255.255.252).
    #[error("query refused: the zone is mistyped ({0})")]
    Mistyped(Ipv4Addr),
    /// It does not answer resolvers that many share (127.255.255.254).
    #[error("query refused: asked through a public resolver; use your own ({0})")]
    PublicResolver(Ipv4Addr),
    /// It was asked too often, or is asked without being registered (127.255.255.255).
    #[error("query refused: asked too often, or not registered ({0})")]
    TooOften(Ipv4Addr),
    /// It refuses in a way of its own.
    #[error("query refused: the list does not answer this resolver ({0})")]
    Refused(Ipv4Addr),
    /// It answers what no list may: it may be gone, and its name sold.
    #[error("the list is not healthy: it answers {0}")]
    Foreign(Ipv4Addr),
    /// It answers something of which nobody has said what it means.
    #[error("the list answers {0}, of which it is not known what it means")]
    Unknown(Ipv4Addr),
    /// It does not list what every list must (RFC 5782 §5), or lists what none may.
    #[error("the list is not healthy: {0}")]
    Unhealthy(&'static str),
    /// The DNS has not answered.
    #[error("{0}")]
    NoAnswer(Failure),
    /// It wants a key and there is none.
    #[error("it is asked with a key of your own only")]
    NoKey,
    /// What was asked makes too long a name.
    #[error("the name is too long to be asked for")]
    TooLong,
}

impl Reading {
    /// Reads an answer of a list.
    pub(super) fn of(list: &List, answer: &Answer) -> Self {
        let records = match answer {
            Answer::NoData | Answer::NoName => return Self::NotListed,
            // RFC 8914 aside, REFUSED is how some lists turn public resolvers away.
            Answer::Failed(failure) => return Self::Unclear(Unclear::NoAnswer(failure.clone())),
            Answer::Found(found) => &found.records,
        };
        let mut entries = Vec::new();
        for record in records.iter().take(RECORDS_MAX) {
            let Record::A(address) = record else { continue };
            match read(list, *address) {
                Ok(found) => entries.extend(found),
                Err(unclear) => return Self::Unclear(unclear),
            }
        }
        match entries.is_empty() {
            true => Self::NotListed,
            false => Self::Listed(entries),
        }
    }

    /// The worst that is said.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::NotListed => Outcome::Pass,
            Self::Unclear(Unclear::NoKey) => Outcome::Skip,
            Self::Unclear(_) => Outcome::Error,
            Self::Listed(entries) => {
                entries.iter().map(|entry| entry.outcome).max().unwrap_or(Outcome::Pass)
            }
        }
    }
}

/// Entries that one answer has at most: lists have ten or so. Chosen, not measured.
const RECORDS_MAX: usize = 32;

fn read(list: &List, answer: Ipv4Addr) -> Result<Vec<Entry>, Unclear> {
    let [first, second, third, last] = answer.octets();
    match (first, second, third, last) {
        (127, 255, 255, 252) => return Err(Unclear::Mistyped(answer)),
        (127, 255, 255, 254) => return Err(Unclear::PublicResolver(answer)),
        (127, 255, 255, _) => return Err(Unclear::TooOften(answer)),
        (127, ..) => {}
        _ => return Err(Unclear::Foreign(answer)),
    }
    let last = u16::from(last);
    let code = if list.wide { u16::from(third) * 256 + last } else { last };
    if list.refused_last == Some(code) || list.refused_bit.is_some_and(|bit| code & bit != 0) {
        return Err(Unclear::Refused(answer));
    }
    let is_for = |c: &&super::list::Code| {
        if list.mask { code & c.from != 0 } else { c.is_for(code) }
    };
    let found: Vec<&super::list::Code> = list.codes.iter().filter(is_for).collect();
    if found.is_empty() {
        return Err(Unclear::Unknown(answer));
    }
    if found.iter().any(|code| code.is == Verdict::Refused) {
        return Err(Unclear::Refused(answer));
    }
    let entry = |code: &super::list::Code| {
        Some(Entry {
            answer,
            outcome: code.is.outcome()?,
            means: code.means.clone(),
            is_dynamic: code.dynamic,
        })
    };
    Ok(found.into_iter().filter_map(entry).collect())
}

#[cfg(test)]
mod tests {
    use postlane_mail::Span;

    use super::super::list::Lists;
    use super::*;
    use crate::dns::Found;

    fn reading(list: &str, answers: &[[u8; 4]]) -> Reading {
        let list = Lists::built_in().named(list).unwrap();
        let records = answers.iter().map(|octets| Record::A((*octets).into())).collect();
        let found = Found { records, ttl: Span::from_s(60), authentic: false };
        Reading::of(list, &Answer::Found(found))
    }

    fn outcome(list: &str, answers: &[[u8; 4]]) -> Outcome {
        reading(list, answers).outcome()
    }

    #[test]
    fn codes_mean_what_their_list_says() {
        assert_eq!(outcome("spamhaus-zen", &[[127, 0, 0, 2]]), Outcome::Fail);
        assert_eq!(outcome("spamhaus-dbl", &[[127, 0, 1, 2]]), Outcome::Fail);
        assert_eq!(outcome("spamhaus-dbl", &[[127, 0, 1, 103]]), Outcome::Warn);
        assert_eq!(outcome("uceprotect-3", &[[127, 0, 0, 2]]), Outcome::Info);
        assert_eq!(outcome("mailspike", &[[127, 0, 0, 18]]), Outcome::Pass);
        assert_eq!(outcome("0spam", &[[127, 0, 0, 1]]), Outcome::Warn);
        assert_eq!(outcome("dnswl", &[[127, 0, 10, 3]]), Outcome::Info);
        assert_eq!(outcome("surbl", &[[127, 0, 0, 72]]), Outcome::Fail);
        assert_eq!(outcome("uribl", &[[127, 0, 0, 12]]), Outcome::Warn);
        let Reading::Listed(entries) = reading("surbl", &[[127, 0, 0, 72]]) else { panic!() };
        assert_eq!(entries.len(), 2);
        let both = reading("spamhaus-zen", &[[127, 0, 0, 4], [127, 0, 0, 10]]);
        let Reading::Listed(entries) = both else { panic!() };
        assert_eq!(entries.iter().map(|entry| entry.is_dynamic).collect::<Vec<_>>(), [false, true]);
    }

    #[test]
    fn a_list_that_refuses_says_nothing_of_anybody() {
        for (list, answer) in [
            ("spamhaus-zen", [127, 255, 255, 254]),
            ("spamhaus-zen", [127, 255, 255, 255]),
            ("spamhaus-zen", [127, 255, 255, 252]),
            ("spamhaus-dbl", [127, 0, 1, 255]),
            ("surbl", [127, 0, 0, 1]),
            ("uribl", [127, 0, 0, 1]),
            ("dnswl", [127, 0, 0, 255]),
        ] {
            let found = reading(list, &[answer]);
            assert_eq!(found.outcome(), Outcome::Error, "{list} {answer:?}");
            let Reading::Unclear(why) = found else { panic!("{list}") };
            assert!(why.to_string().starts_with("query refused"), "{why}");
        }
    }

    #[test]
    fn an_answer_that_no_list_gives_is_no_listing() {
        assert_eq!(outcome("psbl", &[[203, 0, 113, 1]]), Outcome::Error);
        assert_eq!(outcome("psbl", &[[127, 0, 0, 99]]), Outcome::Error);
        let list = Lists::built_in().named("psbl").unwrap();
        let failed = Reading::of(list, &Answer::Failed(Failure::Refused));
        assert_eq!(failed.outcome(), Outcome::Error);
    }
}
