//! Are a message's signatures good, and if not, where does it break (RFC 6376 §6)?

use postlane_mail::Instant;
use postlane_message::{Field, Fields};

use crate::dns::{Answer, Kind, Known, Question};

use super::body::Hashes;
use super::header_hash::signed_octets;
use super::key::KeyRecord;
use super::proof::{is_good, is_short, published};
use super::signature::{Algorithm, Signature, SignatureFault};
use super::why::Why;

/// Signatures of one message that are looked at, from the top. Chosen, not measured: more than
/// honest mail has, and each costs a question and a hash.
pub const SIGNATURES_MAX: usize = 12;

/// One signature, and what it is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// The signature; none if it cannot be read.
    pub signature: Option<Signature>,
    /// What follows.
    pub outcome: Outcome,
    /// Why, unless it is good.
    pub why: Option<Why>,
    /// Whether the body is the one that was signed; none where that was not looked at.
    pub body_is_intact: Option<bool>,
    /// How long the key is, in bits.
    pub key_bits: Option<u32>,
    /// The domain says that it only tries DKIM out (`t=y`).
    pub is_testing: bool,
}

/// What a signature is worth (RFC 8601 §2.7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// It is good.
    Pass,
    /// The message is not the one that was signed, or the key is another.
    Fail,
    /// It would be good, and does not count by today's rules (RFC 8301).
    Policy,
    /// It cannot be read.
    Neutral,
    /// The key could not be had this time.
    TempError,
    /// There is no key that could be used.
    PermError,
}

/// Looks at all signatures of a message, from the top. None if answers are missing: get them
/// ([`Known::take_missing`]), and call it again.
pub fn verify(known: &mut Known, message: &[u8], now: Instant) -> Option<Vec<Checked>> {
    let mut fields = Fields::new(message);
    let all: Vec<Field<'_>> = fields.by_ref().collect();
    let body = message.get(fields.body()..).unwrap_or_default();
    let own = all.iter().filter(|field| field.is("DKIM-Signature")).take(SIGNATURES_MAX);
    let own: Vec<&Field<'_>> = own.collect();
    let read: Vec<_> = own.iter().map(|field| Signature::parse(field.value)).collect();
    let mut is_missing = false;
    let mut keys = Vec::new();
    for signature in &read {
        let name = signature.as_ref().ok().and_then(Signature::key_name);
        let answer = name.map(|name| known.ask(&Question { name, kind: Kind::Txt }).cloned());
        is_missing |= matches!(answer, Some(None));
        keys.push(answer.flatten());
    }
    if is_missing {
        return None;
    }
    let mut hashes = Hashes::new(body);
    let checked = own.iter().zip(read).zip(keys).map(|((field, signature), key)| {
        let signature = match signature {
            Ok(signature) => signature,
            Err(fault) => return unread(fault),
        };
        let octets = || {
            let (names, canon) = (&signature.fields, signature.header_canon);
            signed_octets(message, &all, names, canon, field)
        };
        check(&signature, key.as_ref(), &mut hashes, octets, now)
    });
    Some(checked.collect())
}

fn unread(fault: SignatureFault) -> Checked {
    Checked {
        signature: None,
        outcome: Outcome::Neutral,
        why: Some(Why::Signature(fault)),
        body_is_intact: None,
        key_bits: None,
        is_testing: false,
    }
}

/// One signature: its body, its key, its header, in the order in which a break says most.
fn check(
    signature: &Signature,
    answer: Option<&Answer>,
    hashes: &mut Hashes<'_>,
    signed: impl FnOnce() -> Vec<u8>,
    now: Instant,
) -> Checked {
    let body = hashes.is_intact(signature);
    let mut checked = Checked {
        signature: Some(signature.clone()),
        outcome: Outcome::Pass,
        why: None,
        body_is_intact: body.as_ref().ok().copied(),
        key_bits: None,
        is_testing: false,
    };
    let (outcome, why) = match decide(signature, answer, body, signed, now, &mut checked) {
        Ok(()) => return checked,
        Err(why) => (why.outcome(), why),
    };
    Checked { outcome, why: Some(why), ..checked }
}

fn decide(
    signature: &Signature,
    answer: Option<&Answer>,
    body: Result<bool, Why>,
    signed: impl FnOnce() -> Vec<u8>,
    now: Instant,
    checked: &mut Checked,
) -> Result<(), Why> {
    let keys = published(answer)?;
    let fault = keys.iter().find_map(|key| key.as_ref().err().cloned());
    let keys: Vec<&KeyRecord> = keys.iter().flatten().collect();
    let Some(first) = keys.first() else { return Err(fault.map_or(Why::NoKey, Why::Key)) };
    (checked.key_bits, checked.is_testing) = (first.bits, first.is_testing);
    let fitting: Vec<&&KeyRecord> = keys.iter().filter(|key| key.fits(signature)).collect();
    if fitting.is_empty() {
        return Err(Why::Unfit);
    }
    if !body? {
        return Err(Why::Body);
    }
    let octets = signed();
    let Some(key) =
        fitting.iter().find(|key| is_good(signature.algorithm, key, &octets, &signature.signed))
    else {
        let short = fitting.iter().all(|key| is_short(key));
        return Err(if short { Why::Weak } else { Why::Header });
    };
    (checked.key_bits, checked.is_testing) = (key.bits, key.is_testing);
    if signature.algorithm == Algorithm::RsaSha1 {
        return Err(Why::Weak);
    }
    match signature.expires_at {
        Some(expires) if now.unix_s() > expires => Err(Why::Expired),
        _ => Ok(()),
    }
}

impl Why {
    /// What follows from it.
    fn outcome(&self) -> Outcome {
        match self {
            Self::Signature(_) => Outcome::Neutral,
            Self::Lookup(_) => Outcome::TempError,
            Self::KeyName | Self::NoKey | Self::Key(_) | Self::Unfit => Outcome::PermError,
            Self::Weak => Outcome::Policy,
            Self::Expired | Self::BodyShort | Self::Body | Self::Header => Outcome::Fail,
        }
    }
}

impl Outcome {
    /// As mail headers have it (RFC 8601 §2.7.1).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Policy => "policy",
            Self::Neutral => "neutral",
            Self::TempError => "temperror",
            Self::PermError => "permerror",
        }
    }
}
