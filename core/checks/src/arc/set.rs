//! The three fields of one forwarder, read and put together (RFC 8617 §4.1).

use std::collections::BTreeMap;

use postlane_message::Field;

use crate::dkim::signature::{decoded, named, number, tag};
use crate::dkim::tags::Tags;
use crate::dkim::{Algorithm, Canon, Signature, SignatureFault};
use crate::dns::Name;

/// The most sets there may be (§5.1).
pub const SETS_MAX: u32 = 50;

/// What a forwarder says of the chain as it found it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cv {
    /// There was none.
    None,
    /// It was good.
    Pass,
    /// It was broken.
    Fail,
}

/// What is wrong with a chain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChainFault {
    /// More sets than the RFC allows.
    #[error("there are more than 50 sets")]
    TooMany,
    /// A field without a number that can be read.
    #[error("{0} has no i= that is a number from 1 to 50")]
    Number(&'static str),
    /// Two fields with the same number.
    #[error("{0} stands there twice with i={1}")]
    Twice(&'static str, u32),
    /// A field is missing.
    #[error(
        "set {0} is not whole: ARC-Authentication-Results, ARC-Message-Signature and ARC-Seal are expected"
    )]
    Missing(u32),
    /// A field cannot be read.
    #[error("set {0}: {1}")]
    Field(u32, SignatureFault),
    /// The seal says of the chain what cannot be.
    #[error("the seal of set {0} says what cannot be of the chain (cv=)")]
    Cv(u32),
    /// A seal has `h=`.
    #[error("the seal of set {0} names fields (h=)")]
    Fields(u32),
    /// The signature of the message names seals.
    #[error("the signature of set {0} covers ARC-Seal")]
    CoversSeal(u32),
    /// The last forwarder found it broken.
    #[error("the forwarder of set {0} found the chain broken (cv=fail)")]
    Found(u32),
    /// The last forwarder's signature of the message is not good.
    #[error("the message is not the one that the last forwarder signed")]
    Message,
    /// A seal is not good, or its key is not there.
    #[error("the seal of set {0} is not good")]
    Seal(u32),
}

/// One forwarder's fields.
#[derive(Debug, Clone)]
pub struct Set<'a> {
    /// Its number, from 1.
    pub number: u32,
    /// What it saw, as it wrote it.
    pub results: Field<'a>,
    /// Its signature of the message.
    pub message: (Field<'a>, Signature),
    /// Its seal.
    pub seal: (Field<'a>, Seal),
}

/// A seal (§4.1.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seal {
    /// `a=`
    pub(super) algorithm: Algorithm,
    /// `b=`, decoded.
    pub(super) signed: Vec<u8>,
    /// `cv=`
    pub cv: Cv,
    /// `d=`: who seals.
    pub domain: Name,
    /// `s=`: where the key is.
    pub selector: Name,
}

/// The names of the three fields.
const NAMES: [&str; 3] = ["ARC-Authentication-Results", "ARC-Message-Signature", "ARC-Seal"];

/// Puts the sets of a message together, in their order; none of them may be broken.
pub(super) fn sets<'a>(fields: &[Field<'a>]) -> Result<Vec<Set<'a>>, ChainFault> {
    let mut found: BTreeMap<u32, [Option<&Field<'a>>; 3]> = BTreeMap::new();
    for field in fields {
        let Some(which) = NAMES.iter().position(|name| field.is(name)) else { continue };
        let number = number_of(field.value, which).ok_or(ChainFault::Number(NAMES[which]))?;
        let place = &mut found.entry(number).or_default()[which];
        if place.replace(field).is_some() {
            return Err(ChainFault::Twice(NAMES[which], number));
        }
    }
    let mut sets = Vec::with_capacity(found.len());
    for (expected, (number, fields)) in (1..).zip(found) {
        let [Some(results), Some(message), Some(seal)] = fields else {
            return Err(ChainFault::Missing(number));
        };
        if number != expected {
            return Err(ChainFault::Missing(expected));
        }
        sets.push(Set {
            number,
            results: results.clone(),
            message: (message.clone(), signature(number, message.value)?),
            seal: (seal.clone(), Seal::parse(number, seal.value)?),
        });
    }
    Ok(sets)
}

/// The number of a field: `i=`, which of the results stands in front (§4.1.1).
fn number_of(value: &[u8], which: usize) -> Option<u32> {
    let text = match which {
        0 => {
            let (first, _) = value.split_at_checked(value.iter().position(|b| *b == b';')?)?;
            Tags::parse(first).ok()?.get("i")?
        }
        _ => Tags::parse_international(value).ok()?.get("i")?,
    };
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let number = text.parse::<u32>().ok().filter(|_| plain)?;
    (1..=SETS_MAX).contains(&number).then_some(number)
}

fn signature(number: u32, value: &[u8]) -> Result<Signature, ChainFault> {
    let broken = |fault| ChainFault::Field(number, fault);
    let tags = Tags::parse_international(value).map_err(|fault| broken(fault.into()))?;
    let mut signature = Signature::of(&tags).map_err(broken)?;
    if tags.get("c").is_none() {
        // RFC 8617 §4.1.2 leaves it at DKIM's simple form; those who leave `c=` out have signed
        // the relaxed one (dkimpy does, and ValiMail's suite wants it).
        signature.header_canon = Canon::Relaxed;
    }
    if signature.fields.iter().any(|name| &**name == "arc-seal") {
        return Err(ChainFault::CoversSeal(number));
    }
    Ok(signature)
}

impl Seal {
    fn parse(set: u32, value: &[u8]) -> Result<Self, ChainFault> {
        let broken = |fault| ChainFault::Field(set, fault);
        let tags = Tags::parse_international(value).map_err(|fault| broken(fault.into()))?;
        if tags.get("h").is_some() {
            return Err(ChainFault::Fields(set));
        }
        let cv = match tag(&tags, "cv").map_err(broken)?.to_ascii_lowercase().as_str() {
            "none" => Cv::None,
            "pass" => Cv::Pass,
            "fail" => Cv::Fail,
            _ => return Err(ChainFault::Cv(set)),
        };
        number(&tags, "t").map_err(broken)?;
        Ok(Self {
            algorithm: Algorithm::of(&tags).map_err(broken)?,
            signed: decoded(&tags, "b").map_err(broken)?,
            cv,
            domain: named(&tags, "d").map_err(broken)?,
            selector: named(&tags, "s").map_err(broken)?,
        })
    }
}
