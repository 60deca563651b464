//! Signing: a `DKIM-Signature` field for a message that is about to leave (RFC 6376 §5).

use aws_lc_rs::digest::{self, SHA256};
use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use postlane_mail::Instant;
use postlane_message::Fields;

use crate::dns::Name;

use super::canon::{BodyCanon, Canon};
use super::header_hash::signed_octets;
use super::key::KeyKind;

/// Who signs: a domain, a selector and the key whose other half is published there.
pub struct Signer {
    domain: Name,
    selector: Name,
    key: Key,
}

/// A private key.
enum Key {
    Rsa(Box<RsaKeyPair>),
    Ed25519(Ed25519KeyPair),
}

/// Why somebody cannot sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The file is no PEM.
    #[error("the key is no PEM file: it begins with -----BEGIN PRIVATE KEY----- (PKCS #8)")]
    Pem,
    /// The key has a passphrase, which nobody could type at a start.
    #[error("the key has a passphrase: take it off with `openssl pkey -in FILE -out NEW`")]
    Encrypted,
    /// Receivers reject RSA below 1024 bits (RFC 8301 §3.2), and the cryptographic library signs
    /// with none below 2048.
    #[error("the RSA key is shorter than 2048 bits: `postlane dkim new` makes a longer one")]
    Short,
    /// The key is none that can be used.
    #[error("the key is neither RSA of 2048 to 8192 bits nor Ed25519, in PKCS #8 or PKCS #1")]
    Key,
    /// Signing itself failed.
    #[error("the cryptographic library refused to sign")]
    Sign,
}

/// What the cryptographic library calls a key that is shorter than it bears with.
const TOO_SHORT: &str = "TooSmall";

/// What is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Fields that are signed where they occur, in lower case.
    pub signed: Vec<Box<str>>,
    /// Fields that nobody may add afterwards: signed once oftener than they occur (RFC 6376 §8.15).
    pub sealed: Vec<Box<str>>,
    /// For how many seconds the signature counts; none for ever.
    pub seconds: Option<u64>,
}

impl Default for Plan {
    /// What a reader sees and what a receiver judges by is sealed; the rest of RFC 6376 §5.4.1
    /// is signed. What hosts on the way add or change (`Received`, `Return-Path`) is not.
    fn default() -> Self {
        let names = |names: &[&str]| names.iter().map(|name| (*name).into()).collect();
        Self {
            sealed: names(&[
                "from",
                "to",
                "cc",
                "subject",
                "date",
                "reply-to",
                "sender",
                "message-id",
                "mime-version",
                "content-type",
                "content-transfer-encoding",
                "list-unsubscribe",
                "list-unsubscribe-post",
            ]),
            signed: names(&[
                "in-reply-to",
                "references",
                "list-id",
                "list-help",
                "list-subscribe",
                "list-post",
                "list-owner",
                "list-archive",
                "feedback-id",
                "auto-submitted",
            ]),
            seconds: None,
        }
    }
}

/// The hash of a body in its relaxed form, made while the body comes in.
pub struct BodyHash {
    form: BodyCanon,
    hash: digest::Context,
}

impl Default for BodyHash {
    fn default() -> Self {
        Self { form: BodyCanon::new(Canon::Relaxed), hash: digest::Context::new(&SHA256) }
    }
}

impl BodyHash {
    /// The next octets of the body, in any pieces.
    pub fn feed(&mut self, octets: &[u8]) {
        self.form.feed(octets, &mut |piece| self.hash.update(piece));
    }

    /// The hash (`bh=`, before base 64).
    pub fn finish(mut self) -> [u8; 32] {
        let Self { form, hash } = &mut self;
        form.clone().finish(&mut |piece| hash.update(piece));
        let mut octets = [0; 32];
        octets.copy_from_slice(self.hash.finish().as_ref());
        octets
    }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // What is published is no secret.
        let record = self.record().unwrap_or_default();
        write!(f, "{}._domainkey.{} {record}", self.selector, self.domain)
    }
}

impl Signer {
    /// A signer with the private key of a PEM file.
    pub fn new(domain: Name, selector: Name, pem: &str) -> Result<Self, SignError> {
        let octets = pem_octets(pem)?;
        let rsa = RsaKeyPair::from_pkcs8(&octets).or_else(|of_pkcs8| {
            let is_short = of_pkcs8.to_string() == TOO_SHORT;
            RsaKeyPair::from_der(&octets).map_err(|e| is_short || e.to_string() == TOO_SHORT)
        });
        let key = match rsa {
            Ok(pair) => Key::Rsa(Box::new(pair)),
            Err(true) => return Err(SignError::Short),
            Err(false) => Key::Ed25519(
                Ed25519KeyPair::from_pkcs8_maybe_unchecked(&octets).map_err(|_| SignError::Key)?,
            ),
        };
        Ok(Self { domain, selector, key })
    }

    /// The domain it signs for (`d=`).
    pub fn domain(&self) -> &Name {
        &self.domain
    }

    /// Its selector (`s=`).
    pub fn selector(&self) -> &Name {
        &self.selector
    }

    /// What sort of key it has.
    pub fn kind(&self) -> KeyKind {
        match self.key {
            Key::Rsa(_) => KeyKind::Rsa,
            Key::Ed25519(_) => KeyKind::Ed25519,
        }
    }

    /// How long its key is, in bits.
    pub fn bits(&self) -> u32 {
        match &self.key {
            Key::Rsa(pair) => u32::try_from(pair.public_modulus_len() * 8).unwrap_or(u32::MAX),
            Key::Ed25519(_) => 256,
        }
    }

    /// What is to be published, at `SELECTOR._domainkey.DOMAIN`.
    pub fn record(&self) -> Result<String, SignError> {
        let (kind, key) = match &self.key {
            Key::Rsa(pair) => {
                let key: PublicKeyX509Der<'_> =
                    pair.public_key().as_der().map_err(|_| SignError::Key)?;
                ("rsa", STANDARD.encode(key.as_ref()))
            }
            Key::Ed25519(pair) => ("ed25519", STANDARD.encode(pair.public_key().as_ref())),
        };
        Ok(format!("v=DKIM1; k={kind}; p={key}"))
    }

    /// The field that is to stand above the message, with its CRLF. `header` is the header
    /// section (the message with its body will do), `body_hash` what [`BodyHash`] made of the
    /// body. The same input gives the same octets.
    pub fn sign(
        &self,
        header: &[u8],
        body_hash: &[u8; 32],
        plan: &Plan,
        now: Instant,
    ) -> Result<String, SignError> {
        let fields: Vec<_> = Fields::new(header).collect();
        let names = plan.names(|name| fields.iter().filter(|field| field.is(name)).count());
        let unsigned = self.unsigned(&names, body_hash, plan, now);
        // The field is put above the others, so that it stands where a receiver will find it.
        let mut whole = unsigned.clone().into_bytes();
        whole.extend_from_slice(b"\r\n");
        let own_octets = whole.len();
        whole.extend_from_slice(header);
        let all: Vec<_> = Fields::new(&whole).collect();
        let own = all.first().filter(|field| field.range.end == own_octets);
        let own = own.ok_or(SignError::Sign)?;
        let octets = signed_octets(&whole, &all, &names, Canon::Relaxed, own);
        let signature = STANDARD.encode(self.key.sign(&octets)?);
        Ok(unsigned + &folded(&signature) + "\r\n")
    }

    /// The field up to its `b=`.
    fn unsigned(
        &self,
        names: &[Box<str>],
        body_hash: &[u8; 32],
        plan: &Plan,
        now: Instant,
    ) -> String {
        let algorithm = match self.key {
            Key::Rsa(_) => "rsa-sha256",
            Key::Ed25519(_) => "ed25519-sha256",
        };
        let (domain, selector, at) = (&self.domain, &self.selector, now.unix_s());
        let mut field = format!(
            "DKIM-Signature: v=1; a={algorithm}; c=relaxed/relaxed;\r\n\td={domain};\
             \r\n\ts={selector}; t={at};"
        );
        if let Some(seconds) = plan.seconds {
            field.push_str(&format!(" x={};", at.saturating_add(seconds)));
        }
        field.push_str("\r\n\th=");
        let mut column = 3;
        for (number, name) in names.iter().enumerate() {
            if number > 0 {
                field.push(':');
                column += 1;
            }
            if column + name.len() > LINE {
                field.push_str("\r\n\t ");
                column = 2;
            }
            field.push_str(name);
            column += name.len();
        }
        field.push_str(&format!(";\r\n\tbh={};\r\n\tb=", STANDARD.encode(body_hash)));
        field
    }
}

/// How long a line of the field may be before it is folded (RFC 5322 §2.1.1 has 78).
const LINE: usize = 74;

/// Base 64 in lines.
fn folded(text: &str) -> String {
    let mut folded = String::with_capacity(text.len() + text.len() / 20);
    for (number, c) in text.chars().enumerate() {
        if number > 0 && number % (LINE - 2) == 0 {
            folded.push_str("\r\n\t ");
        }
        folded.push(c);
    }
    folded
}

impl Plan {
    /// The names for `h=`, each as often as it is signed.
    fn names(&self, count: impl Fn(&str) -> usize) -> Vec<Box<str>> {
        let mut names = Vec::new();
        let sealed = self.sealed.iter().map(|name| (name, 1));
        for (name, more) in sealed.chain(self.signed.iter().map(|name| (name, 0))) {
            names.extend(std::iter::repeat_n(name.clone(), count(name) + more));
        }
        names
    }
}

impl Key {
    fn sign(&self, octets: &[u8]) -> Result<Vec<u8>, SignError> {
        match self {
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                // The chance is asked for and not used: this padding has none (RFC 8017 §8.2).
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), octets, &mut signature)
                    .map_err(|_| SignError::Sign)?;
                Ok(signature)
            }
            Self::Ed25519(pair) => {
                Ok(pair.sign(digest::digest(&SHA256, octets).as_ref()).as_ref().to_vec())
            }
        }
    }
}

/// The octets of the first block of a PEM file (RFC 7468).
fn pem_octets(pem: &str) -> Result<Vec<u8>, SignError> {
    let mut inside = false;
    let mut text = String::new();
    for line in pem.lines().map(str::trim) {
        if line.starts_with("-----BEGIN ENCRYPTED ") || line.ends_with(",ENCRYPTED") {
            return Err(SignError::Encrypted);
        }
        if line.starts_with("-----BEGIN ") && line.ends_with("PRIVATE KEY-----") {
            inside = true;
        } else if line.starts_with("-----END ") {
            break;
        } else if inside {
            text.push_str(line);
        }
    }
    let octets = STANDARD.decode(text).map_err(|_| SignError::Pem)?;
    if octets.is_empty() { Err(SignError::Pem) } else { Ok(octets) }
}
