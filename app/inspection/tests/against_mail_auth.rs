//! Signatures held against another implementation, mail-auth: what it signs and what we sign, as
//! it is and damaged on the way, is good to both or to neither.
//!
//! It stands here, not in core/checks: the other one brings a resolver and async along, which the
//! core is not built with even in tests.
#![expect(clippy::unwrap_used, reason = "a test that cannot do its work has failed")]

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::LazyLock;
use std::time::Instant as ValidUntil;

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::Ed25519KeyPair;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mail_auth::common::crypto::{RsaKey, Sha256};
use mail_auth::common::headers::HeaderWriter as _;
use mail_auth::common::parse::TxtRecordParser as _;
use mail_auth::common::verify::DomainKey;
use mail_auth::dkim::{Canonicalization, DkimSigner};
use mail_auth::hickory_resolver::config::{ResolverConfig, ResolverOpts};
use mail_auth::{
    AuthenticatedMessage, DkimResult, MessageAuthenticator, Parameters, ResolverCache, Txt,
};
use postlane_checks::dkim::{BodyHash, Outcome, Plan, Signer, verify};
use postlane_checks::{Answer, Found, Known, Name, Record};
use postlane_mail::{Instant, Span};
use proptest::prelude::*;
use rustls_pki_types::PrivateKeyDer;

/// What we sign carries the first moment; what mail-auth signs carries the clock's, which is
/// before the second, when we look.
const SIGNED_S: u64 = 1_700_000_000;
const LOOKED_S: u64 = 4_000_000_000;

/// Keys are made once: one of RSA takes a while.
static KEYS: LazyLock<Keys> = LazyLock::new(Keys::new);

/// A key of each sort, with what the DNS says of them.
struct Keys {
    signers: Vec<Signer>,
    /// The octets of the RSA key.
    rsa: Vec<u8>,
    /// The records, by name.
    published: HashMap<String, String>,
    /// The same, as mail-auth asks for them.
    for_mail_auth: HashMap<Box<str>, Txt>,
}

impl Keys {
    fn new() -> Self {
        let rsa = KeyPair::generate(KeySize::Rsa2048).unwrap().as_der().unwrap().as_ref().to_vec();
        let ed25519 = Ed25519KeyPair::generate().unwrap().to_pkcs8().unwrap().as_ref().to_vec();
        let signers = [("rsa", &rsa), ("ed", &ed25519)].map(|(selector, octets)| {
            let text = STANDARD.encode(octets);
            let pem = format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n");
            let name = |text| Name::parse(text).unwrap();
            Signer::new(name("example.com"), name(selector), &pem).unwrap()
        });
        let published: HashMap<String, String> = signers
            .iter()
            .map(|signer| (signer.key_name().unwrap().to_string(), signer.record().unwrap()))
            .collect();
        let for_mail_auth = published.iter().map(|(name, record)| {
            let key = DomainKey::parse(record.as_bytes()).unwrap();
            (format!("{}.", name.trim_end_matches('.')).into_boxed_str(), key.into())
        });
        let for_mail_auth = for_mail_auth.collect();
        Self { signers: signers.into(), rsa, published, for_mail_auth }
    }
}

impl ResolverCache<Box<str>, Txt> for &Keys {
    fn get<Q>(&self, name: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.for_mail_auth.get(name).cloned()
    }

    fn remove<Q>(&self, _: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        None
    }

    fn insert(&self, _: Box<str>, _: Txt, _: ValidUntil) {}
}

/// Nothing is known of anything but keys.
struct Nothing;

impl<K, V> ResolverCache<K, V> for Nothing {
    fn get<Q>(&self, _: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        None
    }

    fn remove<Q>(&self, _: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        None
    }

    fn insert(&self, _: K, _: V, _: ValidUntil) {}
}

/// How many signatures are good, to us.
fn good_to_us(message: &[u8]) -> usize {
    let mut known = Known::new();
    let checked = loop {
        if let Some(checked) = verify(&mut known, message, Instant::from_unix_s(LOOKED_S)) {
            break checked;
        }
        for question in known.take_missing() {
            let key = KEYS.published.get(&question.name.to_string());
            let answer = key.map_or(Answer::NoName, |key| {
                let records = vec![Record::Txt(key.as_bytes().into())];
                Answer::Found(Found { records, ttl: Span::from_s(300), authentic: false })
            });
            known.learn(question, answer);
        }
    };
    checked.iter().filter(|checked| checked.outcome == Outcome::Pass).count()
}

/// How many are, to mail-auth.
fn good_to_mail_auth(message: &[u8]) -> usize {
    let Some(message) = AuthenticatedMessage::parse(message) else { return 0 };
    let ring = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    ring.block_on(async {
        let authenticator =
            MessageAuthenticator::new(ResolverConfig::default(), ResolverOpts::default()).unwrap();
        // It finds all it asks for in what it takes for its cache, and calls nobody.
        let parameters: Parameters<'_, _, &Keys, Nothing, Nothing, Nothing, Nothing> = Parameters {
            params: &message,
            cache_txt: Some(&&*KEYS),
            cache_mx: None,
            cache_ptr: None,
            cache_ipv4: None,
            cache_ipv6: None,
        };
        let found = authenticator.verify_dkim(parameters).await;
        found.iter().filter(|found| *found.result() == DkimResult::Pass).count()
    })
}

/// With a signature of each of our keys above it.
fn signed_by_us(message: &[u8]) -> Vec<u8> {
    let body = message.windows(4).position(|w| w == b"\r\n\r\n").map_or(message.len(), |at| at + 4);
    let mut hash = BodyHash::default();
    hash.feed(&message[body..]);
    let hash = hash.finish();
    let mut signed = Vec::new();
    for signer in &KEYS.signers {
        let now = Instant::from_unix_s(SIGNED_S);
        let field = signer.sign(message, &hash, &Plan::default(), now).unwrap();
        signed.extend_from_slice(field.as_bytes());
    }
    signed.extend_from_slice(message);
    signed
}

/// With a signature of mail-auth above it, in these canonical forms.
fn signed_by_mail_auth(
    message: &[u8],
    header: Canonicalization,
    body: Canonicalization,
) -> Vec<u8> {
    let signature = DkimSigner::from_key(
        RsaKey::<Sha256>::from_key_der(PrivateKeyDer::Pkcs8(KEYS.rsa.clone().into())).unwrap(),
    )
    .domain("example.com")
    .selector("rsa")
    .headers(["From", "Subject", "To", "Odd"])
    .header_canonicalization(header)
    .body_canonicalization(body)
    .sign(message)
    .unwrap();
    [signature.to_header().as_bytes(), message].concat()
}

/// What happens to mail on the way: something is put in, taken out, or nothing happens. No `=`
/// is put in: mail-auth reads base 64 with one too many.
#[derive(Debug, Clone)]
enum Damage {
    None,
    Put(&'static str),
    Take(usize),
}

/// The damage, so many thousandths into the message. What is put in or taken out leaves whole
/// lines: programs on the way do not part CR from LF.
fn damaged(message: &[u8], damage: &Damage, thousandth: usize) -> Vec<u8> {
    let mut octets = message.to_vec();
    let mut at = octets.len() * thousandth / 1000;
    let parts_line_end = |octets: &[u8], at: usize| {
        at > 0 && octets.get(at - 1) == Some(&b'\r') && octets.get(at) == Some(&b'\n')
    };
    at += usize::from(parts_line_end(&octets, at));
    match damage {
        Damage::None => {}
        Damage::Put(text) => drop(octets.splice(at..at, text.bytes())),
        Damage::Take(many) => {
            let mut end = (at + many).min(octets.len());
            end += usize::from(parts_line_end(&octets, end));
            octets.drain(at..end);
        }
    }
    octets
}

/// What mail-auth is known to see otherwise: it keeps lines of white space alone at the end of a
/// relaxed body, which RFC 6376 §3.4.4 drops.
fn ends_in_blanks(message: &[u8]) -> bool {
    let text = message.trim_ascii_end();
    let rest = &message[text.len()..];
    rest.windows(2).any(|w| w[0] == b'\n' && matches!(w[1], b' ' | b'\t')) || text.is_empty()
}

/// Whether something stands behind the `=` of base 64: mail-auth leaves off reading there.
fn goes_on_after_the_end(message: &[u8]) -> bool {
    message.windows(2).any(|w| w == b"=x")
}

/// Whether it is plain where the header ends: what is no field there some take for the body, some
/// for nothing at all.
fn has_a_plain_header(message: &[u8]) -> bool {
    let end = message.windows(4).position(|w| w == b"\r\n\r\n");
    let header = end.map(|end| message[..end].escape_ascii().to_string());
    let is_field = |line: &str| {
        let name = line.split(':').next().unwrap_or_default();
        let is_name = !name.is_empty() && name.bytes().all(|octet| octet.is_ascii_graphic());
        let is_folded = line.starts_with(' ') || line.starts_with("\\t");
        is_folded || (is_name && name.len() < line.len() && !name.contains('\\'))
    };
    header.is_some_and(|header| header.split("\\r\\n").all(is_field))
}

fn damages() -> impl Strategy<Value = Damage> {
    prop_oneof![
        Just(Damage::None),
        prop::sample::select(vec![" ", "\t", "x", "\r\n ", "\r\n", "\r\nTo: b@example.com"])
            .prop_map(Damage::Put),
        (1_usize..4).prop_map(Damage::Take),
    ]
}

prop_compose! {
    fn messages()(
        subject in "[ \ta-z:;=]{0,30}",
        folded in "[ \t]{1,2}[a-z]{1,5}",
        body in "([ \ta-z.=]{0,8}(\r\n)?){0,6}",
        has_end in any::<bool>(),
    ) -> Vec<u8> {
        let end = if has_end { "\r\n" } else { "" };
        format!(
            "From: Jo <jo@example.com>\r\nTO:  al@example.net\r\nSubject:{subject}\r\n\
             odd: a\r\n{folded}\t b\r\n\r\n{body}{end}"
        )
        .into_bytes()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_we_sign_is_good_or_damaged_to_both(
        message in messages(), damage in damages(), thousandth in 0_usize..1000,
    ) {
        let sent = signed_by_us(&message);
        prop_assert_eq!(good_to_us(&sent), 2);
        let came = damaged(&sent, &damage, thousandth);
        prop_assume!(!ends_in_blanks(&came) && has_a_plain_header(&came));
        prop_assume!(!goes_on_after_the_end(&came));
        prop_assert_eq!(good_to_us(&came), good_to_mail_auth(&came), "{}", came.escape_ascii());
    }

    #[test]
    fn what_mail_auth_signs_is_good_or_damaged_to_both(
        message in messages(), damage in damages(), thousandth in 0_usize..1000, form in 0..4,
    ) {
        let of = |is_simple| match is_simple {
            true => Canonicalization::Simple,
            false => Canonicalization::Relaxed,
        };
        prop_assume!(!ends_in_blanks(&message));
        let sent = signed_by_mail_auth(&message, of(form & 1 == 0), of(form & 2 == 0));
        prop_assert_eq!(good_to_us(&sent), 1, "{}", sent.escape_ascii());
        let came = damaged(&sent, &damage, thousandth);
        prop_assume!(!ends_in_blanks(&came) && has_a_plain_header(&came));
        prop_assume!(!goes_on_after_the_end(&came));
        prop_assert_eq!(good_to_us(&came), good_to_mail_auth(&came), "{}", came.escape_ascii());
    }
}

#[test]
fn lines_of_white_space_at_the_end_of_a_relaxed_body_are_dropped() {
    let body = |end: &str| format!("From: jo@example.com\r\n\r\nHello\r\n{end}");
    let sent = signed_by_us(body("").as_bytes());
    let came = [sent.as_slice(), b" \t\r\n\r\n"].concat();
    assert_eq!(good_to_us(&came), 2);
    // Where the other one changes its mind, the exception above can go.
    assert_eq!(good_to_mail_auth(&came), 0);
}
