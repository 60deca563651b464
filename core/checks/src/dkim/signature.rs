//! A `DKIM-Signature` field, read (RFC 6376 §3.5).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::dns::Name;

use super::canon::Canon;
use super::tags::{TagFault, Tags, colons, without_blanks};

/// How it was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// `rsa-sha256`
    RsaSha256,
    /// `ed25519-sha256` (RFC 8463)
    Ed25519Sha256,
    /// `rsa-sha1`, which counts for nothing any more (RFC 8301 §3.1).
    RsaSha1,
}

impl Algorithm {
    /// `a=`
    pub(crate) fn of(tags: &Tags<'_>) -> Result<Self, SignatureFault> {
        match tag(tags, "a")? {
            "rsa-sha256" => Ok(Self::RsaSha256),
            "ed25519-sha256" => Ok(Self::Ed25519Sha256),
            "rsa-sha1" => Ok(Self::RsaSha1),
            _ => Err(SignatureFault::Value("a")),
        }
    }

    /// As a signature has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RsaSha256 => "rsa-sha256",
            Self::Ed25519Sha256 => "ed25519-sha256",
            Self::RsaSha1 => "rsa-sha1",
        }
    }
}

/// A signature as it stands in the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// `a=`
    pub algorithm: Algorithm,
    /// `b=`, decoded.
    pub signed: Vec<u8>,
    /// `bh=`, decoded.
    pub body_hash: Vec<u8>,
    /// `c=` for the header.
    pub header_canon: Canon,
    /// `c=` for the body.
    pub body_canon: Canon,
    /// `d=`: who signs.
    pub domain: Name,
    /// `s=`: where the key is, below `_domainkey` and the domain.
    pub selector: Name,
    /// `h=`: the fields that are signed, in lower case, in order.
    pub fields: Vec<Box<str>>,
    /// `i=`: on whose behalf.
    pub identity: Option<Box<str>>,
    /// `l=`: so many octets of the body are signed, and what follows is not.
    pub body_octets: Option<u64>,
    /// `t=`: seconds since 1970.
    pub signed_at: Option<u64>,
    /// `x=`: seconds since 1970 from which on it counts no more.
    pub expires_at: Option<u64>,
}

/// Why a signature cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureFault {
    /// It is no list of tags.
    #[error("the field {0}")]
    Tags(#[from] TagFault),
    /// A tag that must be there is not.
    #[error("{0}= is missing")]
    Missing(&'static str),
    /// A tag's value cannot be used.
    #[error("{0}= has a value that cannot be used")]
    Value(&'static str),
    /// `From` is not signed (§5.4).
    #[error("h= does not cover From")]
    From,
    /// `i=` does not lie within `d=` (§3.5).
    #[error("i= lies outside of d=")]
    Identity,
    /// `x=` is before `t=`.
    #[error("x= lies before t=")]
    Times,
}

/// Fields a signature may name. Chosen, not measured: generous.
const FIELDS_MAX: usize = 256;

impl Signature {
    /// Reads the value of a `DKIM-Signature` field.
    pub fn parse(value: &[u8]) -> Result<Self, SignatureFault> {
        let tags = Tags::parse_international(value)?;
        if tag(&tags, "v")? != "1" {
            return Err(SignatureFault::Value("v"));
        }
        let identity = tags.get("i").map(Into::into);
        let signature = Self { identity, ..Self::of(&tags)? };
        signature.check()?;
        Ok(signature)
    }

    /// What a signature of a message and one of a forwarder (RFC 8617 §4.1.2) have in common.
    pub(crate) fn of(tags: &Tags<'_>) -> Result<Self, SignatureFault> {
        let algorithm = Algorithm::of(tags)?;
        let (header_canon, body_canon) = canons(tags.get("c"))?;
        let methods = tags.get("q").unwrap_or("dns/txt");
        if !colons(methods).any(|method| method.eq_ignore_ascii_case("dns/txt")) {
            return Err(SignatureFault::Value("q"));
        }
        Ok(Self {
            algorithm,
            signed: decoded(tags, "b")?,
            body_hash: decoded(tags, "bh")?,
            header_canon,
            body_canon,
            domain: named(tags, "d")?,
            selector: named(tags, "s")?,
            fields: fields(tag(tags, "h")?)?,
            identity: None,
            body_octets: number(tags, "l")?,
            signed_at: number(tags, "t")?,
            expires_at: number(tags, "x")?,
        })
    }

    /// What holds between tags.
    fn check(&self) -> Result<(), SignatureFault> {
        if !self.fields.iter().any(|name| &**name == "from") {
            return Err(SignatureFault::From);
        }
        if let Some(identity) = &self.identity {
            let domain = identity.rsplit_once('@').map(|(_, domain)| domain);
            let domain = domain.and_then(|domain| Name::of_mail(domain).ok());
            if !domain.is_some_and(|domain| domain.is_within(&self.domain)) {
                return Err(SignatureFault::Identity);
            }
        }
        match (self.signed_at, self.expires_at) {
            (Some(signed), Some(expires)) if expires < signed => Err(SignatureFault::Times),
            _ => Ok(()),
        }
    }

    /// Where the key is published.
    pub fn key_name(&self) -> Option<Name> {
        key_name(&self.selector, &self.domain)
    }
}

/// Where a key is published (§3.6.2.1).
pub(crate) fn key_name(selector: &Name, domain: &Name) -> Option<Name> {
    Name::parse(&format!("{selector}._domainkey.{domain}")).ok()
}

pub(crate) fn tag<'a>(tags: &Tags<'a>, name: &'static str) -> Result<&'a str, SignatureFault> {
    tags.get(name).ok_or(SignatureFault::Missing(name))
}

pub(crate) fn decoded(tags: &Tags<'_>, name: &'static str) -> Result<Vec<u8>, SignatureFault> {
    let text = without_blanks(tag(tags, name)?);
    let octets = STANDARD.decode(text).map_err(|_| SignatureFault::Value(name))?;
    if octets.is_empty() { Err(SignatureFault::Value(name)) } else { Ok(octets) }
}

pub(crate) fn named(tags: &Tags<'_>, name: &'static str) -> Result<Name, SignatureFault> {
    Name::of_mail(tag(tags, name)?).map_err(|_| SignatureFault::Value(name))
}

pub(crate) fn number(tags: &Tags<'_>, name: &'static str) -> Result<Option<u64>, SignatureFault> {
    let Some(value) = tags.get(name) else { return Ok(None) };
    let plain = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
    // A number that is larger than any we know is as good as for ever (§3.5, `t=`).
    if plain {
        Ok(Some(value.parse().unwrap_or(u64::MAX)))
    } else {
        Err(SignatureFault::Value(name))
    }
}

fn canons(value: Option<&str>) -> Result<(Canon, Canon), SignatureFault> {
    let canon = |text: &str| match text {
        "simple" => Ok(Canon::Simple),
        "relaxed" => Ok(Canon::Relaxed),
        _ => Err(SignatureFault::Value("c")),
    };
    match value.map(|value| value.split_once('/').unwrap_or((value, "simple"))) {
        Some((header, body)) => Ok((canon(header)?, canon(body)?)),
        None => Ok((Canon::Simple, Canon::Simple)),
    }
}

fn fields(value: &str) -> Result<Vec<Box<str>>, SignatureFault> {
    let fields: Vec<Box<str>> =
        colons(value).map(|name| name.to_ascii_lowercase().into()).collect();
    if fields.len() > FIELDS_MAX {
        return Err(SignatureFault::Value("h"));
    }
    Ok(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "v=1; a=rsa-sha256; d=example.com; s=k1; h=from:to; bh=AAAA; b=AA AA";

    fn with(from: &str, to: &str) -> Result<Signature, SignatureFault> {
        Signature::parse(WHOLE.replace(from, to).as_bytes())
    }

    #[test]
    fn a_signature_says_where_its_key_is() {
        let signature = with("", "").unwrap();
        assert_eq!(signature.key_name().unwrap().as_str(), "k1._domainkey.example.com");
        assert_eq!((signature.header_canon, signature.body_canon), (Canon::Simple, Canon::Simple));
    }

    /// RFC 8616 §5.
    #[test]
    fn names_beyond_ascii_are_asked_for_as_a_labels() {
        let text =
            WHOLE.replace("d=example.com", "d=Bücher.example").replace("s=k1", "s=schlüssel");
        let signed = |identity: &str| {
            Signature::parse(text.replace(" h=", &format!(" i={identity}; h=")).as_bytes())
        };
        let key = signed("jö@mail.bücher.example").unwrap().key_name().unwrap();
        assert_eq!(key.as_str(), "xn--schlssel-95a._domainkey.xn--bcher-kva.example");
        for same in ["@bücher.example", "@xn--bcher-kva.example"] {
            assert_eq!(signed(same).unwrap().domain.as_str(), "xn--bcher-kva.example");
        }
        assert_eq!(signed("jö@bucher.example"), Err(SignatureFault::Identity));
        assert!(matches!(with("k1", "k\u{202e}1"), Err(SignatureFault::Value("s"))));
    }

    #[test]
    fn each_fault_is_named_by_its_tag() {
        assert_eq!(with("v=1; ", ""), Err(SignatureFault::Missing("v")));
        assert_eq!(with("v=1", "v=2"), Err(SignatureFault::Value("v")));
        assert_eq!(with("rsa-sha256", "rsa-md5"), Err(SignatureFault::Value("a")));
        assert_eq!(with("from:to", "to:cc"), Err(SignatureFault::From));
        assert_eq!(with("b=AA AA", "b=A*"), Err(SignatureFault::Value("b")));
        assert_eq!(with(" h=", " l=-1; h="), Err(SignatureFault::Value("l")));
        assert_eq!(with(" h=", " t=2; x=1; h="), Err(SignatureFault::Times));
        assert_eq!(with(" h=", " i=@example.net; h="), Err(SignatureFault::Identity));
        assert_eq!(with(" h=", " c=relaxed/odd; h="), Err(SignatureFault::Value("c")));
        assert!(with(" h=", " i=jo@mail.example.com; c=relaxed; h=").is_ok());
    }
}
