//! What a sender can rely on when their mail is signed.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::Ed25519KeyPair;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use postlane_checks::dkim::verify;
use postlane_checks::{Answer, Found, Known, Record};
use postlane_mail::{BodyType, Envelope, Label, Mailbox, Recipient, ReversePath, Span, Stream};
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::config::{Config, Overrides};
use crate::intake::facts::Facts;
use crate::setup::Setup;

const MESSAGE: &str = "Received: from app by relay; now\r\nFrom: Shop <shop@example.com>\r\n\
    To: jo@example.net\r\nSubject: hello\r\nMessage-ID: <1@example.com>\r\n\r\nHello  \r\n.\r\n";

/// A folder with a key of each kind, and what their owners publish.
struct Keys(TempDir);

impl Keys {
    fn new() -> Self {
        let keys = Self(tempfile::tempdir().unwrap());
        keys.write("ed", Ed25519KeyPair::generate().unwrap().to_pkcs8().unwrap().as_ref());
        keys
    }

    fn with_rsa(self) -> Self {
        let rsa = KeyPair::generate(KeySize::Rsa2048).unwrap();
        self.write("rsa", rsa.as_der().unwrap().as_ref());
        self
    }

    fn write(&self, name: &str, der: &[u8]) {
        let text = STANDARD.encode(der);
        let path = self.0.path().join(name);
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n");
        fs::write(&path, pem).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    }

    fn setup(&self, text: &str) -> SigningSetup {
        let file = self.0.path().join("postlane.toml");
        let read = Config::parse(text, Some(Path::new(&file)), &Overrides::default());
        Setup::of(&read.unwrap_or_else(|error| panic!("{error}"))).signing
    }
}

fn entry(selector: &str, key: &str, more: &str) -> String {
    format!(
        "[[dkim]]\ndomain = \"example.com\"\nselector = \"{selector}\"\nkey_file = \"{key}\"\n{more}\n"
    )
}

fn letter(message: &str) -> Letter {
    let to = |text| Recipient::new(Mailbox::parse(text).unwrap());
    let envelope = Envelope {
        reverse_path: ReversePath::parse("b@example.com").unwrap(),
        recipients: vec![to("jo@example.net"), to("al@example.net")],
        campaign: Label::parse("may").unwrap(),
        engaged: None,
        body: BodyType::SevenBit,
        smtputf8: false,
        ret: None,
        envid: None,
        stream: Stream::Engaged,
        tenant: Label::NONE,
    };
    Letter {
        envelope: Arc::new(envelope),
        facts: Facts::default(),
        message: SmallVec::from_iter([Bytes::copy_from_slice(message.as_bytes())]),
    }
}

const NOW: Instant = Instant::from_unix_s(1_795_000_000);

fn signed(setup: &SigningSetup, letter: Letter) -> String {
    let id = QueueId::from_bits(7);
    let pieces = sign(setup, letter, id, &[0], NOW).unwrap().message;
    String::from_utf8(pieces.concat()).unwrap()
}

/// Each signature from the top, `selector outcome`.
fn verdicts(setup: &SigningSetup, message: &str, at: Instant) -> Vec<String> {
    let published: BTreeMap<String, String> = setup
        .keys
        .iter()
        .map(|key| {
            let (signer, record) = (&key.signer, key.signer.record().unwrap());
            (format!("{}._domainkey.{}", signer.selector(), signer.domain()), record)
        })
        .collect();
    let mut known = Known::new();
    loop {
        if let Some(checked) = verify(&mut known, message.as_bytes(), at) {
            let one = |c: postlane_checks::dkim::Checked| {
                let selector = c.signature.map(|s| s.selector.to_string()).unwrap_or_default();
                format!("{selector} {}", c.outcome.as_str())
            };
            return checked.into_iter().map(one).collect();
        }
        for question in known.take_missing() {
            let record = published.get(question.name.as_str());
            let answer = record.map_or(Answer::NoName, |record| {
                let records = vec![Record::Txt(record.as_bytes().into())];
                Answer::Found(Found { records, ttl: Span::from_s(300), authentic: false })
            });
            known.learn(question, answer);
        }
    }
}

#[test]
fn mail_is_signed_twice_and_both_signatures_count_as_long_as_mail_may_wait_and_two_days() {
    let keys = Keys::new().with_rsa();
    let setup = keys.setup(&(entry("r", "rsa", "") + &entry("e", "ed", "")));
    let mail = signed(&setup, letter(MESSAGE));
    assert!(mail.ends_with(MESSAGE), "{mail}");
    assert_eq!(verdicts(&setup, &mail, NOW), ["r pass", "e pass"]);
    let last = NOW + Span::from_h(120 + 48);
    assert_eq!(verdicts(&setup, &mail, last), ["r pass", "e pass"]);
    assert_eq!(verdicts(&setup, &mail, last + Span::from_s(1)), ["r fail", "e fail"]);
}

#[test]
fn a_hash_made_at_intake_and_one_made_at_the_end_give_the_same_octets() {
    let keys = Keys::new();
    let setup = keys.setup(&entry("e", "ed", ""));
    let mut hashed = letter(MESSAGE);
    hashed.facts.body_hash = Some(hash_of(b"Hello  \r\n.\r\n"));
    assert_eq!(signed(&setup, hashed), signed(&setup, letter(MESSAGE)));
}

#[test]
fn a_message_in_several_pieces_leaves_signed_too() {
    let keys = Keys::new();
    let setup = keys.setup(&entry("e", "ed", ""));
    let mut pieces = letter("");
    let (first, second) = MESSAGE.split_at(60);
    pieces.message = [first, second].map(|piece| Bytes::from_static(piece.as_bytes())).into();
    assert_eq!(verdicts(&setup, &signed(&setup, pieces), NOW), ["e pass"]);
}

#[test]
fn the_key_that_came_into_force_last_signs_and_the_old_one_stays_good() {
    let keys = Keys::new();
    keys.write("old", Ed25519KeyPair::generate().unwrap().to_pkcs8().unwrap().as_ref());
    let text = |from: &str| {
        entry("old", "old", "until = \"2026-12-08\"")
            + &entry("new", "ed", &format!("from = \"{from}\""))
    };
    // NOW is 2026-11-18.
    let (before, after) = (keys.setup(&text("2026-12-01")), keys.setup(&text("2026-11-01")));
    let mail = signed(&before, letter(MESSAGE));
    assert_eq!(verdicts(&after, &mail, NOW), ["old pass"]);
    assert_eq!(verdicts(&after, &signed(&after, letter(MESSAGE)), NOW), ["new pass"]);
}

#[test]
fn a_tenants_key_signs_no_other_tenants_mail_and_a_domains_none_of_another() {
    let keys = Keys::new();
    let tenant = "[[tenant]]\nname = \"shop\"\n";
    let own = keys.setup(&(entry("own", "ed", "tenant = \"shop\"") + tenant));
    let of = |tenant: &str, from: &str| {
        let mut letter = letter(&MESSAGE.replace("shop@example.com", from));
        Arc::make_mut(&mut letter.envelope).tenant = Label::parse(tenant).unwrap();
        letter
    };
    let who =
        |setup: &SigningSetup, tenant, from| verdicts(setup, &signed(setup, of(tenant, from)), NOW);
    assert_eq!(who(&own, "shop", "a@example.com"), ["own pass"]);
    assert!(who(&own, "thief", "a@example.com").is_empty());
    assert!(who(&own, "shop", "a@mail.example.com").is_empty());
    assert!(who(&own, "shop", "a@example.com.evil.example").is_empty());
    let all = entry("all", "ed", "subdomains = true");
    let both = keys.setup(&(entry("own", "ed", "tenant = \"shop\"") + &all + tenant));
    assert_eq!(who(&both, "shop", "a@example.com"), ["own pass"]);
    assert_eq!(who(&both, "thief", "a@example.com"), ["all pass"]);
    assert_eq!(who(&both, "thief", "a@mail.example.com"), ["all pass"]);
    assert!(who(&both, "thief", "a@notexample.com").is_empty());
}

#[test]
fn a_signature_that_is_there_stays_and_ours_is_put_above_it() {
    let keys = Keys::new();
    let setup = keys.setup(&entry("e", "ed", ""));
    let once = signed(&setup, letter(MESSAGE));
    let twice = signed(&setup, letter(&once));
    assert!(twice.ends_with(&once), "{twice}");
    assert_eq!(verdicts(&setup, &twice, NOW), ["e pass", "e pass"]);
    let broken = once.replace("Hello", "Hullo");
    assert_eq!(verdicts(&setup, &signed(&setup, letter(&broken)), NOW), ["e pass", "e fail"]);
}

#[test]
fn the_way_out_is_written_before_it_is_signed_and_only_where_there_is_none() {
    let keys = Keys::new();
    let list = "[[unsubscribe]]\ncampaign = \"may\"\nways = [\"https://example.com/u/{id}/{recipient}\"]\n";
    let setup = keys.setup(&(entry("e", "ed", "") + list));
    let mail = signed(&setup, letter(MESSAGE));
    let id = QueueId::from_bits(7);
    let fields = format!(
        "List-Unsubscribe: <https://example.com/u/{id}/jo%40example.net>\r\n\
         List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n{MESSAGE}"
    );
    assert!(mail.ends_with(&fields), "{mail}");
    assert_eq!(verdicts(&setup, &mail, NOW), ["e pass"]);
    let other = mail.replace("/u/", "/evil/");
    assert_eq!(verdicts(&setup, &other, NOW), ["e fail"]);
    let own = format!("List-Unsubscribe: <mailto:out@example.com>\r\n{MESSAGE}");
    assert_eq!(signed(&setup, letter(&own)).matches("List-Unsubscribe: ").count(), 1);
    let mut june = letter(MESSAGE);
    Arc::make_mut(&mut june.envelope).campaign = Label::parse("june").unwrap();
    assert!(!signed(&setup, june).contains("List-Unsubscribe: "));
    let mut report = letter(MESSAGE);
    Arc::make_mut(&mut report.envelope).reverse_path = ReversePath::Null;
    assert!(!signed(&setup, report).contains("List-Unsubscribe: "));
}

proptest! {
    #[test]
    fn whatever_is_signed_is_good(
        subject in "[ -~]{0,90}",
        body in "[ -~\r\n\t.]{0,200}",
        has_body in any::<bool>(),
    ) {
        let keys = Keys::new();
        let setup = keys.setup(&entry("e", "ed", ""));
        let end = if has_body { format!("\r\n{body}") } else { String::new() };
        let message = format!("From: a@example.com\r\nSubject: {subject}\r\n{end}");
        prop_assert_eq!(verdicts(&setup, &signed(&setup, letter(&message)), NOW), ["e pass"]);
    }
}
