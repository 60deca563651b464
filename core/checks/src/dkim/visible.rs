//! Whether what the DNS has at a signer's name is its key.

use crate::dns::{Answer, Failure, Kind, Known, Name, Question};

use super::key::{KeyFault, KeyRecord};
use super::place::AtSelector;
use super::sign::Signer;

/// What receivers find where a key should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Visible {
    /// The key.
    #[error("published")]
    Yes,
    /// The key, with a word that it is only being tried out.
    #[error("published with t=y: some receivers take such mail for unsigned")]
    Testing,
    /// Nothing.
    #[error("there is no key at that name")]
    Missing,
    /// More than one record, of which receivers take any (RFC 6376 §3.6.2.2).
    #[error("there is more than one record at that name")]
    Several,
    /// Another key.
    #[error("the key at that name is another one")]
    Other,
    /// What is there cannot be used.
    #[error("the record cannot be used: {0}")]
    Fault(KeyFault),
    /// The DNS did not say.
    #[error("the DNS did not answer: {0}")]
    Unknown(Failure),
    /// Domain and selector are together too long for a name.
    #[error("domain and selector make no name that could be asked for")]
    NoName,
}

impl Signer {
    /// Where its key is to be published; none if the name would be too long.
    pub fn key_name(&self) -> Option<Name> {
        Name::parse(&format!("{}._domainkey.{}", self.selector(), self.domain())).ok()
    }

    /// What the DNS has there. None if the answer is missing: get it ([`Known::take_missing`]),
    /// and call this again.
    pub fn published(&self, known: &mut Known) -> Option<Visible> {
        let Some(name) = self.key_name() else { return Some(Visible::NoName) };
        let answer = known.ask(&Question { name, kind: Kind::Txt })?;
        Some(self.compare(answer))
    }

    fn compare(&self, answer: &Answer) -> Visible {
        match AtSelector::read(answer) {
            AtSelector::Open(failure) => Visible::Unknown(failure),
            AtSelector::Nothing => Visible::Missing,
            AtSelector::Several(_) => Visible::Several,
            AtSelector::One(_, Err(fault)) => Visible::Fault(fault),
            AtSelector::One(_, Ok(key)) if !self.is_of(&key) => Visible::Other,
            AtSelector::One(_, Ok(key)) if key.is_testing => Visible::Testing,
            AtSelector::One(..) => Visible::Yes,
        }
    }

    fn is_of(&self, published: &KeyRecord) -> bool {
        let own = self.record().ok().and_then(|own| KeyRecord::parse(own.as_bytes()).ok());
        own.is_some_and(|own| {
            // An RSA key is published with its algorithm before it, or without (RFC 6376 §3.6.1).
            let is_same = own.key == published.key
                || (published.key.len() > 64 && own.key.ends_with(&published.key));
            own.kind == published.kind && is_same
        })
    }
}
