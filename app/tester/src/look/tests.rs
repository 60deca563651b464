use std::net::IpAddr;

use aws_lc_rs::signature::Ed25519KeyPair;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use postlane_checks::dkim::{BodyHash, Plan, Signer};
use postlane_checks::{Answer, FetchFailure, Fetched, Found, Greeting, Kind, Name, Record, Served};
use postlane_inspection::leave_open;
use postlane_mail::Span;

use super::*;
use crate::arrival::{Line, Speaker, Tls};
use crate::compare::compare;
use crate::page::{Shown, report_page};

const NOW: Instant = Instant::from_unix_s(1_700_000_000);

fn arrival() -> Arrival {
    Arrival {
        test: "0123456789ab".to_owned(),
        number: 1,
        at_us: NOW.0,
        client: IpAddr::from([198, 51, 100, 7]),
        helo: "mail.shop.example".to_owned(),
        protocol: "ESMTPS".to_owned(),
        tls: Some(Tls {
            version: "TLSv1.3".to_owned(),
            cipher: "TLS13_AES_256_GCM_SHA384".to_owned(),
        }),
        tls_offered: true,
        user: None,
        mail_from: "bounce@shop.example".to_owned(),
        rcpt_to: "test-1@test.example".to_owned(),
        smtputf8: false,
        octets: 100,
        transcript: vec![Line { ms: 0, by: Speaker::Server, text: "220 hi".to_owned() }],
        lines_lost: 0,
    }
}

/// What the zone says; everything else is not there.
struct Zone(Vec<(String, Kind, Record)>);

impl Zone {
    fn new() -> Self {
        let txt = |name: &str, text: &str| {
            (name.to_owned(), Kind::Txt, Record::Txt(text.as_bytes().into()))
        };
        let mx = Record::Mx { preference: 10, exchange: Name::parse("mail.shop.example").ok() };
        let name = Name::parse("mail.shop.example").unwrap();
        Self(vec![
            txt("shop.example", "v=spf1 ip4:198.51.100.7 -all"),
            txt("_dmarc.shop.example", "v=DMARC1; p=reject"),
            txt("_mta-sts.shop.example", "v=STSv1; id=1"),
            txt("default._bimi.shop.example", "v=BIMI1; l=https://shop.example/logo.svg"),
            ("shop.example".to_owned(), Kind::Mx, mx),
            ("mail.shop.example".to_owned(), Kind::A, Record::A([198, 51, 100, 7].into())),
            ("7.100.51.198.in-addr.arpa".to_owned(), Kind::Ptr, Record::Ptr(name)),
        ])
    }

    fn signer(&mut self) -> Signer {
        let key = Ed25519KeyPair::generate().unwrap().to_pkcs8().unwrap();
        let key = STANDARD.encode(key.as_ref());
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{key}\n-----END PRIVATE KEY-----\n");
        let name = |text| Name::parse(text).unwrap();
        let signer = Signer::new(name("shop.example"), name("s"), &pem).unwrap();
        let record = Record::Txt(signer.record().unwrap().into_bytes().into());
        self.0.push(("s._domainkey.shop.example".to_owned(), Kind::Txt, record));
        signer
    }

    fn look(&self, arrival: &Arrival, message: &[u8]) -> (Report, Known) {
        let mut known = Known::new();
        for _ in 0..40 {
            if let Some(report) = look(&mut known, arrival, message) {
                return (report, known);
            }
            for question in known.take_missing() {
                let of = |(name, kind, _): &&(String, Kind, Record)| {
                    *name == question.name.as_str() && *kind == question.kind
                };
                let records: Vec<Record> =
                    self.0.iter().filter(of).map(|(_, _, record)| record.clone()).collect();
                let answer = match records.is_empty() {
                    true => Answer::NoName,
                    false => {
                        Answer::Found(Found { records, ttl: Span::from_s(300), authentic: false })
                    }
                };
                known.learn(question, answer);
            }
            leave_open(&mut known, NOT_CALLED);
        }
        panic!("the questions do not end");
    }
}

const HEADER: &str = "From: Shop <news@shop.example>\r\nTo: test-1@test.example\r\nSubject: News\r\n\
    Date: Tue, 14 Nov 2023 22:13:20 +0000\r\nMessage-ID: <1@shop.example>\r\nMIME-Version: 1.0\r\n\
    Content-Type: text/plain; charset=utf-8\r\n";
const BODY: &str =
    "Hello\r\n\r\nSee https://shop.example/a\r\nUnsubscribe: https://shop.example/u\r\n";

fn signed(zone: &mut Zone) -> Vec<u8> {
    let signer = zone.signer();
    let mut message = format!("{HEADER}\r\n{BODY}").into_bytes();
    let mut hash = BodyHash::default();
    hash.feed(BODY.as_bytes());
    let field = signer.sign(&message, &hash.finish(), &Plan::default(), NOW).unwrap();
    message.splice(0..0, field.into_bytes());
    message
}

fn result<'r>(report: &'r Report, id: &str) -> &'r str {
    &report.tests.iter().find(|row| row.id == id).unwrap().result
}

#[test]
fn the_set_comes_first_in_its_order_and_is_counted() {
    let mut zone = Zone::new();
    let message = signed(&mut zone);
    let (report, _) = zone.look(&arrival(), &message);
    let ids: Vec<&str> = report.tests.iter().take(58).map(|row| row.id.as_str()).collect();
    assert_eq!(ids, crate::set::SET.map(|member| member.id));
    let beside: Vec<_> = report.tests.iter().skip(58).map(|row| row.kind).collect();
    assert!(beside.iter().all(|kind| *kind == crate::Kind::Other));
    for id in ["SPF-04", "DKIM-02", "DMARC-04", "TLS-01", "DNS-01", "DNS-02", "IDN-01", "IDN-05"] {
        assert_eq!(result(&report, id), "pass", "{id}");
    }
    assert_eq!(report.headline.of, 54);
    assert!(report.headline.passed <= report.headline.determined);
    assert!(report.message.contains_key("gates") && report.message.contains_key("checks"));
}

#[test]
fn nobody_whom_a_message_names_is_called() {
    let mut zone = Zone::new();
    let message = signed(&mut zone);
    let (report, known) = zone.look(&arrival(), &message);
    let is_declined = |fetched: &Fetched| *fetched == Fetched::Failed(FetchFailure::NotRecorded);
    assert!(known.pages().all(|(_, fetched)| is_declined(fetched)));
    assert!(known.greetings().all(|(_, greeting)| matches!(greeting, Greeting::Failed(_))));
    assert!(known.authorities().all(|(_, served)| matches!(served, Served::Failed(_))));
    for id in ["TLS-07", "DNS-14", "CNT-04"] {
        assert_eq!(result(&report, id), "skip", "{id}");
    }
    let open: Vec<&str> = report
        .tests
        .iter()
        .filter(|row| row.result == "error" && !row.id.starts_with("BL") && row.id != "DNS-10")
        .map(|row| row.id.as_str())
        .collect();
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn what_broke_a_signature_is_found_by_taking_it_back() {
    let mut zone = Zone::new();
    let message = signed(&mut zone);
    let broken = |zone: &Zone, message: &[u8]| {
        let (report, _) = zone.look(&arrival(), message);
        assert_eq!(report.breakages.len(), 1);
        (report.breakages[0].part.clone(), report.breakages[0].explained_by.clone())
    };
    let footer = [&message[..], b"-- \r\nscanned by example\r\n"].concat();
    assert_eq!(
        broken(&zone, &footer),
        ("body".to_owned(), vec!["the last 2 lines were added at the end".to_owned()])
    );
    let text = String::from_utf8(message.clone()).unwrap();
    let tagged = text.replace("Subject: News", "Subject: [list] News");
    assert_eq!(
        broken(&zone, tagged.as_bytes()),
        ("header".to_owned(), vec!["\"[list]\" was put before the subject".to_owned()])
    );
    let other = text.replace("Hello", "Hullo");
    assert_eq!(broken(&zone, other.as_bytes()), ("body".to_owned(), vec![]));
    assert!(zone.look(&arrival(), &message).0.breakages.is_empty());
}

#[test]
fn what_has_changed_since_the_message_before_is_told() {
    let mut zone = Zone::new();
    let message = signed(&mut zone);
    let unsigned = format!("{HEADER}\r\n{BODY}").into_bytes();
    let (before, _) = zone.look(&arrival(), &unsigned);
    let (after, _) = zone.look(&Arrival { number: 2, ..arrival() }, &message);
    let changes = compare(&before, &after);
    let has = |all: &[crate::Changed], id: &str| all.iter().any(|one| one.what == id);
    assert!(has(&changes.better, "DKIM-01") && !has(&changes.worse, "DKIM-01"));
    assert!(has(&compare(&after, &before).worse, "DKIM-01"));
    assert_eq!(compare(&after, &after).better, vec![]);
    assert_eq!(changes.with, 1);
}

#[test]
fn what_strangers_wrote_is_text_on_the_page() {
    let zone = Zone::new();
    let hostile = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>";
    let message = format!(
        "Subject: {hostile}\r\n{hostile}: {hostile}\r\nFrom: {hostile}\r\nDKIM-Signature: \
         v=1; a=rsa-sha256; d=x.example; s={hostile}\r\n\r\n{hostile}\r\n"
    );
    let arrival = Arrival {
        helo: hostile.to_owned(),
        mail_from: hostile.to_owned(),
        transcript: vec![Line { ms: 1, by: Speaker::Client, text: hostile.to_owned() }],
        ..arrival()
    };
    let (report, _) = zone.look(&arrival, message.as_bytes());
    let page = report_page(&Shown {
        report: &report,
        comparison: None,
        numbers: vec![1],
        path: "/t/x".to_owned(),
        address: Some("test-1@test.example".to_owned()),
        came: String::new(),
        gone: String::new(),
    });
    assert!(page.contains("alert(1)"), "{page}");
    for tag in ["<script", "<img", "onerror=alert(2)>"] {
        assert!(!page.contains(tag), "{tag}");
    }
    assert_eq!(page.matches("<section").count(), page.matches("</section>").count());
    assert_eq!(page.matches("<div").count(), page.matches("</div>").count());
    assert_eq!(page.matches("<details").count(), page.matches("</details>").count());
}

#[test]
fn a_report_is_read_as_it_was_written() {
    let mut zone = Zone::new();
    let message = signed(&mut zone);
    let (report, _) = zone.look(&arrival(), &message);
    let text = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report);
}

/// The report of a message that nobody has signed, as JSON has it, held by a file.
/// `POSTLANE_BLESS=1` writes it anew.
#[test]
fn a_report_is_as_its_file_says() {
    let (report, _) = Zone::new().look(&arrival(), format!("{HEADER}\r\n{BODY}").as_bytes());
    let told = serde_json::to_string_pretty(&report).unwrap() + "\n";
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/look/report.json");
    if std::env::var_os("POSTLANE_BLESS").is_some() {
        std::fs::write(path, &told).unwrap();
    }
    let held = std::fs::read_to_string(path).unwrap_or_default();
    assert!(held == told, "look/report.json has changed:\n{told}");
}
