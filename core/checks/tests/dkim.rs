//! Signatures that others made, and ours.
#![expect(clippy::unwrap_used, reason = "a test that cannot read its data has failed")]

use std::collections::BTreeMap;

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::Ed25519KeyPair;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use postlane_checks::dkim::{
    self, BodyHash, Checked, KeyFault, Outcome, Plan, SignError, Signer, Visible, Why,
};
use postlane_checks::{Answer, Failure, Found, Known, Name, Record};
use postlane_mail::{Instant, Span};
use proptest::prelude::*;

/// Keys of RFC 6376 §C.2 and RFC 8463 §A.2.
const RFC_KEYS: &str = "brisbane._domainkey.football.example.com v=DKIM1; k=ed25519; \
    p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n\
    test._domainkey.football.example.com v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQ\
    KBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ\
    /BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB";

fn on_the_wire(text: &str) -> Vec<u8> {
    text.replace("\r\n", "\n").replace('\n', "\r\n").into_bytes()
}

/// Looks at a message; what the keys do not have is answered with NXDOMAIN.
fn verify(message: &[u8], keys: &str, at: u64) -> Vec<Checked> {
    let keys: BTreeMap<&str, &str> = keys.lines().filter_map(|l| l.split_once(' ')).collect();
    let mut known = Known::new();
    loop {
        if let Some(checked) = dkim::verify(&mut known, message, Instant::from_unix_s(at)) {
            return checked;
        }
        for question in known.take_missing() {
            let key = keys.get(question.name.as_str());
            let answer = key.map_or(Answer::NoName, |key| {
                let records = vec![Record::Txt(key.as_bytes().into())];
                Answer::Found(Found { records, ttl: Span::from_s(300), authentic: false })
            });
            known.learn(question, answer);
        }
    }
}

fn outcomes(checked: &[Checked]) -> Vec<Outcome> {
    checked.iter().map(|checked| checked.outcome).collect()
}

#[test]
fn messages_that_others_have_signed_are_good() {
    for (file, signatures) in [
        (include_str!("dkim/mail-auth/001.txt"), 2),
        (include_str!("dkim/mail-auth/002.txt"), 1),
        (include_str!("dkim/mail-auth/003.txt"), 2),
        (include_str!("dkim/mail-auth/004.txt"), 1),
        (include_str!("dkim/mail-auth/005.txt"), 1),
    ] {
        let (keys, message) = file.split_once("\n\n").unwrap();
        let checked = verify(&on_the_wire(message), keys, 1_667_843_700);
        let whys: Vec<Option<Why>> = checked.into_iter().map(|checked| checked.why).collect();
        assert_eq!(whys, vec![None; signatures], "{keys}");
    }
    for file in [
        include_str!("dkim/dkimpy/rfc6376.signed.msg"),
        include_str!("dkim/dkimpy/rfc6376.signed.rsa.msg"),
        include_str!("dkim/mailauth/signed.eml"),
    ] {
        let checked = verify(&on_the_wire(file), RFC_KEYS, 1_667_843_700);
        assert!(!checked.is_empty());
        let whys: Vec<Why> = checked.into_iter().filter_map(|checked| checked.why).collect();
        assert_eq!(whys, [], "{file}");
    }
}

#[test]
fn a_signature_with_names_beyond_ascii_finds_its_key_at_their_a_labels() {
    let (keys, message) = include_str!("dkim/dkimpy/rfc8616.txt").split_once("\n\n").unwrap();
    let whys = |keys: &str| -> Vec<Option<Why>> {
        let checked = verify(&on_the_wire(message), keys, 1_795_393_400);
        checked.into_iter().map(|checked| checked.why).collect()
    };
    assert_eq!(whys(keys), [None, None]);
    // The identity is of a domain below, which this key would not let pass.
    assert_eq!(whys(&keys.replace("k=rsa;", "k=rsa; t=s;")), vec![Some(Why::Unfit); 2]);
}

#[test]
fn the_first_step_that_fails_is_named() {
    let (keys, message) = include_str!("dkim/mail-auth/001.txt").split_once("\n\n").unwrap();
    let whys = |message: &str, keys: &str| -> Vec<Option<Why>> {
        verify(&on_the_wire(message), keys, 1_667_843_700).into_iter().map(|c| c.why).collect()
    };
    let body = message.replace("hungry", "angry");
    assert_eq!(whys(&body, keys), [Some(Why::Body), Some(Why::Body)]);
    let header = message.replace("dinner", "lunch");
    assert_eq!(whys(&header, keys), [Some(Why::Header), Some(Why::Header)]);
    assert_eq!(whys(message, ""), [Some(Why::NoKey), Some(Why::NoKey)]);
    let late = message.replace("t=1528637909;", "t=1528637909; x=1528637910;");
    assert_eq!(whys(&late, keys), [Some(Why::Header), Some(Why::Header)]);
    // What is folded otherwise is the same message in the relaxed form.
    let folded = message.replace("Subject: Is dinner", "Subject:  Is\n\t dinner");
    assert_eq!(whys(&folded, keys), [None, None]);
}

#[test]
fn a_name_server_that_does_not_answer_says_nothing_about_a_signature() {
    let (_, message) = include_str!("dkim/mail-auth/003.txt").split_once("\n\n").unwrap();
    let message = on_the_wire(message);
    let mut known = Known::new();
    assert_eq!(dkim::verify(&mut known, &message, Instant::from_unix_s(0)), None);
    for question in known.take_missing() {
        known.learn(question, Answer::Failed(Failure::TimedOut));
    }
    let checked = dkim::verify(&mut known, &message, Instant::from_unix_s(0)).unwrap();
    assert_eq!(outcomes(&checked), [Outcome::TempError, Outcome::TempError]);
}

fn pem(octets: &[u8]) -> String {
    let text = STANDARD.encode(octets);
    format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n")
}

/// A signer of each sort, each with the line of the DNS that its key needs.
fn signers() -> Vec<(Signer, String)> {
    let rsa = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let ed25519 = Ed25519KeyPair::generate().unwrap();
    let keys = [
        ("rsa", pem(rsa.as_der().unwrap().as_ref())),
        ("ed", pem(ed25519.to_pkcs8().unwrap().as_ref())),
    ];
    let signers = keys.into_iter().map(|(selector, pem)| {
        let name = |text| Name::parse(text).unwrap();
        let signer = Signer::new(name("example.com"), name(selector), &pem).unwrap();
        let record = signer.record().unwrap();
        (signer, format!("{selector}._domainkey.example.com {record}"))
    });
    signers.collect()
}

#[test]
fn a_key_that_cannot_sign_says_why() {
    let fault = |pem: &str| {
        let name = |text| Name::parse(text).unwrap();
        Signer::new(name("example.com"), name("s"), pem).err().unwrap()
    };
    assert_eq!(fault(include_str!("dkim/short.pem")), SignError::Short);
    assert_eq!(fault("-----BEGIN ENCRYPTED PRIVATE KEY-----\nMII=\n"), SignError::Encrypted);
    assert_eq!(fault("-----BEGIN PUBLIC KEY-----\nMII=\n"), SignError::Pem);
    assert_eq!(fault(""), SignError::Pem);
    assert_eq!(fault(&pem(b"no key")), SignError::Key);
}

#[test]
fn what_is_published_is_held_against_the_key() {
    let asked = |signer: &Signer, records: &[&str]| {
        let mut known = Known::new();
        assert_eq!(signer.published(&mut known), None);
        for question in known.take_missing() {
            assert_eq!(Some(&question.name), signer.key_name().as_ref());
            let records = records.iter().map(|text| Record::Txt(text.as_bytes().into())).collect();
            let found = Found { records, ttl: Span::from_s(300), authentic: false };
            known.learn(question, Answer::Found(found));
        }
        signer.published(&mut known).unwrap()
    };
    for (signer, _) in signers() {
        let record = signer.record().unwrap();
        assert_eq!(asked(&signer, &[&record]), Visible::Yes);
        assert_eq!(asked(&signer, &[&format!("{record}; t=y")]), Visible::Testing);
        assert_eq!(asked(&signer, &[&record, &record]), Visible::Several);
        assert_eq!(asked(&signer, &[]), Visible::Missing);
        let (_, other) = RFC_KEYS.lines().next().unwrap().split_once(' ').unwrap();
        assert_eq!(asked(&signer, &[other]), Visible::Other);
        let revoked = asked(&signer, &["v=DKIM1; p="]);
        assert_eq!(revoked, Visible::Fault(KeyFault::Revoked));
    }
}

fn sign(signer: &Signer, message: &[u8], plan: &Plan, at: u64) -> Vec<u8> {
    let body = message.windows(4).position(|w| w == b"\r\n\r\n").map_or(message.len(), |at| at + 4);
    let mut hash = BodyHash::default();
    for piece in message[body..].chunks(7) {
        hash.feed(piece);
    }
    let field = signer.sign(message, &hash.finish(), plan, Instant::from_unix_s(at)).unwrap();
    assert!(field.split("\r\n").all(|line| line.len() <= 78), "{field}");
    [field.as_bytes(), message].concat()
}

const MESSAGE: &[u8] = b"From: Shop <shop@example.com>\r\nTo: jo@example.net\r\nSubject: Your order\r\n\
    Date: Fri, 20 Nov 2026 09:00:00 +0000\r\nMessage-ID: <1@example.com>\r\n\r\nHello  \r\n\r\n\r\n";

#[test]
fn what_we_sign_is_good_and_the_same_each_time() {
    for (signer, keys) in signers() {
        let plan = Plan { seconds: Some(60), ..Plan::default() };
        let signed = sign(&signer, MESSAGE, &plan, 1_000);
        assert_eq!(signed, sign(&signer, MESSAGE, &plan, 1_000));
        assert_eq!(outcomes(&verify(&signed, &keys, 1_060)), [Outcome::Pass]);
        let late = verify(&signed, &keys, 1_061);
        assert_eq!(late[0].why, Some(Why::Expired));
    }
}

#[test]
fn two_signatures_of_one_message_are_both_good() {
    let signers = signers();
    let keys: Vec<&str> = signers.iter().map(|(_, keys)| &**keys).collect();
    let mut message = MESSAGE.to_vec();
    for (signer, _) in &signers {
        message = sign(signer, &message, &Plan::default(), 1_000);
    }
    let checked = verify(&message, &keys.join("\n"), 1_000);
    assert_eq!(outcomes(&checked), [Outcome::Pass, Outcome::Pass]);
}

#[test]
fn nobody_can_add_a_second_from_to_what_we_sign() {
    let (signer, keys) = signers().remove(1);
    let signed = sign(&signer, MESSAGE, &Plan::default(), 1_000);
    for added in ["From: Boss <boss@example.com>\r\n", "Reply-To: thief@example.org\r\n"] {
        let forged = [added.as_bytes(), &signed].concat();
        assert_eq!(verify(&forged, &keys, 1_000)[0].why, Some(Why::Header));
    }
    let traced = [b"Received: from a by b; now\r\n", &signed[..]].concat();
    assert_eq!(outcomes(&verify(&traced, &keys, 1_000)), [Outcome::Pass]);
}

proptest! {
    #[test]
    fn whatever_is_signed_is_good(
        subject in "[ -~]{0,90}",
        body in prop::collection::vec(prop::sample::select(b"ab .\t\r\n\xff".to_vec()), 0..200),
        seed in any::<[u8; 32]>(),
    ) {
        // A key from a seed, so that a failure comes again.
        let mut der = vec![0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
        der.extend(seed);
        let name = |text| Name::parse(text).unwrap();
        let signer = Signer::new(name("example.com"), name("s"), &pem(&der)).unwrap();
        let keys = format!("s._domainkey.example.com {}", signer.record().unwrap());
        let mut message = format!("From: a@example.com\r\nSubject: {subject}\r\n\r\n").into_bytes();
        message.extend(body);
        let signed = sign(&signer, &message, &Plan::default(), 5);
        prop_assert_eq!(verify(&signed, &keys, 5)[0].outcome, Outcome::Pass);
    }

    #[test]
    fn any_octets_can_be_looked_at(
        value in prop::collection::vec(any::<u8>(), 0..200),
        body in prop::collection::vec(any::<u8>(), 0..50),
    ) {
        let mut message = b"DKIM-Signature: v=1; a=rsa-sha256; d=a.b; s=c; h=from; b=AAAA; bh=AAAA;".to_vec();
        message.extend(value);
        message.extend(b"\r\n\r\n");
        message.extend(body);
        verify(&message, "c._domainkey.a.b p=AAAA", 0);
    }
}
