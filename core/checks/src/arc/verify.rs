//! Whether a chain can be believed (RFC 8617 §5.2).

use postlane_message::{Field, Fields};

use crate::dkim::body::Hashes;
use crate::dkim::header_hash::{own_octets, signed_octets};
use crate::dkim::proof::{is_good, is_short, published};
use crate::dkim::signature::key_name;
use crate::dkim::{Algorithm, Canon};
use crate::dns::{Answer, Kind, Known, Name, Question};

use super::set::{ChainFault, Cv, Set, sets};

/// What a chain is worth.
#[derive(Debug, Clone)]
pub struct Chain<'a> {
    /// None, good or broken.
    pub cv: Cv,
    /// Why it is broken: the first thing that is wrong.
    pub fault: Option<ChainFault>,
    /// The sets, in their order; none where they cannot be put together.
    pub sets: Vec<Set<'a>>,
}

/// Looks at the chain of a message. None if answers are missing: get them
/// ([`Known::take_missing`]), and call it again.
pub fn verify<'a>(known: &mut Known, message: &'a [u8]) -> Option<Chain<'a>> {
    let mut fields = Fields::new(message);
    let all: Vec<Field<'a>> = fields.by_ref().collect();
    let body = message.get(fields.body()..).unwrap_or_default();
    let sets = match sets(&all) {
        Ok(sets) if sets.is_empty() => return Some(Chain { cv: Cv::None, fault: None, sets }),
        Ok(sets) => sets,
        Err(fault) => return Some(broken(fault, Vec::new())),
    };
    if let Some(fault) = misfit(&sets) {
        return Some(broken(fault, sets));
    }
    if !keys_are_known(known, &sets) {
        return None;
    }
    let fault = signature_fault(known, message, &all, body, &sets)
        .or_else(|| sets.iter().rev().find_map(|set| seal_fault(known, message, &sets, set)));
    Some(match fault {
        Some(fault) => broken(fault, sets),
        None => Chain { cv: Cv::Pass, fault: None, sets },
    })
}

fn broken(fault: ChainFault, sets: Vec<Set<'_>>) -> Chain<'_> {
    Chain { cv: Cv::Fail, fault: Some(fault), sets }
}

/// What the seals say of the chain: nothing at first, and good ever after.
fn misfit(sets: &[Set<'_>]) -> Option<ChainFault> {
    let last = sets.last()?;
    if last.seal.1.cv == Cv::Fail {
        return Some(ChainFault::Found(last.number));
    }
    let misfit = sets.iter().find(|set| {
        let expected = if set.number == 1 { Cv::None } else { Cv::Pass };
        set.seal.1.cv != expected
    });
    misfit.map(|set| ChainFault::Cv(set.number))
}

/// Asks for all keys at once.
fn keys_are_known(known: &mut Known, sets: &[Set<'_>]) -> bool {
    let last = sets.last().and_then(|set| set.message.1.key_name());
    let seals = sets.iter().filter_map(|set| key_name(&set.seal.1.selector, &set.seal.1.domain));
    let names: Vec<Name> = seals.chain(last).collect();
    let mut all = true;
    for name in names {
        all &= known.ask(&Question { name, kind: Kind::Txt }).is_some();
    }
    all
}

/// Whether the last forwarder's signature of the message is not good.
fn signature_fault(
    known: &mut Known,
    message: &[u8],
    all: &[Field<'_>],
    body: &[u8],
    sets: &[Set<'_>],
) -> Option<ChainFault> {
    let (own, signature) = &sets.last()?.message;
    let octets = signed_octets(message, all, &signature.fields, signature.header_canon, own);
    let intact = Hashes::new(body).is_intact(signature) == Ok(true);
    let good = intact
        && is_signed(known, signature.key_name(), signature.algorithm, &octets, &signature.signed);
    (!good).then_some(ChainFault::Message)
}

/// Whether a seal is not good: it covers all sets up to its own, in their order (§5.1.1).
fn seal_fault(
    known: &mut Known,
    message: &[u8],
    sets: &[Set<'_>],
    sealed: &Set<'_>,
) -> Option<ChainFault> {
    let mut octets = Vec::new();
    for set in sets.iter().take_while(|set| set.number <= sealed.number) {
        let mut put = |field: &Field<'_>| {
            let raw = message.get(field.range.clone()).unwrap_or_default();
            Canon::Relaxed.field(field.name, field.value, raw, &mut octets);
        };
        put(&set.results);
        put(&set.message.0);
        if set.number < sealed.number {
            put(&set.seal.0);
        }
    }
    let (own, seal) = &sealed.seal;
    own_octets(message, Canon::Relaxed, own, &mut octets);
    let name = key_name(&seal.selector, &seal.domain);
    let good = is_signed(known, name, seal.algorithm, &octets, &seal.signed);
    (!good).then_some(ChainFault::Seal(sealed.number))
}

/// Whether the key at that name has signed these octets. SHA-1 and short keys do not count
/// (RFC 8301).
fn is_signed(
    known: &mut Known,
    name: Option<Name>,
    algorithm: Algorithm,
    octets: &[u8],
    signed: &[u8],
) -> bool {
    let Some(name) = name else { return false };
    let answer: Option<&Answer> = known.ask(&Question { name, kind: Kind::Txt });
    let keys = published(answer).unwrap_or_default();
    algorithm != Algorithm::RsaSha1
        && keys
            .iter()
            .flatten()
            .any(|key| !is_short(key) && is_good(algorithm, key, octets, signed))
}
