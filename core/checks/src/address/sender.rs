//! Who is looked at, and the whole look.

use std::net::IpAddr;

use crate::check::{Check, Finding, Found};
use crate::dns::{Answer, Kind, Known, Name, Question, Record};

/// An address that sends.
#[derive(Debug, Clone, Copy)]
pub struct Sender<'a> {
    /// The address.
    pub address: IpAddr,
    /// The name it gives with EHLO; none if that is not known.
    pub helo: Option<&'a str>,
    /// The domain of the return-path that it sends for; none if that is not known.
    pub sends_for: Option<&'a Name>,
    /// The web page of its name's domain may be read.
    pub may_call: bool,
}

/// A check of an address: none if answers are missing.
pub(crate) struct AddressCheck {
    pub(crate) check: Check,
    pub(crate) run: fn(&mut Known, Sender<'_>) -> Option<Found>,
}

impl AddressCheck {
    /// One that nobody here can answer.
    pub(crate) const fn left_open(check: Check, why: &'static str) -> Self {
        Self { check: check.left_open(why), run: |_, _| None }
    }

    pub(super) fn find(&'static self, known: &mut Known, sender: Sender<'_>) -> Option<Finding> {
        let open = self.check.open();
        open.or_else(|| Some(self.check.finding((self.run)(known, sender)?)))
    }
}

/// The names of an address, or why they are not known.
pub(super) enum Names {
    /// These, at least one.
    Some(Vec<Name>),
    /// None.
    None,
    /// It could not be found out.
    Unknown(String),
}

/// Names of one address that are looked at (RFC 7208 §4.6.4 says ten).
pub(super) const NAMES_MAX: usize = 10;

impl Sender<'_> {
    /// The names that its PTR records give it.
    pub(super) fn names(self, known: &mut Known) -> Option<Names> {
        let name = Name::reverse(self.address);
        Some(match known.ask(&Question { name, kind: Kind::Ptr })? {
            Answer::Failed(failure) => Names::Unknown(format!("PTR: {failure}")),
            answer => {
                let names: Vec<Name> = answer
                    .records()
                    .iter()
                    .filter_map(|record| match record {
                        Record::Ptr(name) => Some(name.clone()),
                        _ => None,
                    })
                    .collect();
                if names.is_empty() { Names::None } else { Names::Some(names) }
            }
        })
    }

    /// The question for a name's addresses of this one's family.
    pub(super) fn forward(self, name: &Name) -> Question {
        let kind = if self.address.is_ipv4() { Kind::A } else { Kind::Aaaa };
        Question { name: name.clone(), kind }
    }

    /// Whether an answer names this address.
    pub(super) fn is_in(self, answer: &Answer) -> bool {
        answer.records().iter().any(|record| match record {
            Record::A(v4) => self.address == IpAddr::V4(*v4),
            Record::Aaaa(v6) => self.address == IpAddr::V6(*v6),
            _ => false,
        })
    }
}
