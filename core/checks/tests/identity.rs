//! Who stands behind a message: each way it can be right or wrong.
#![expect(clippy::unwrap_used, reason = "a test that cannot read its data has failed")]

use aws_lc_rs::signature::Ed25519KeyPair;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use postlane_checks::Outcome::{self, Error, Fail, Info, Pass, Skip, Warn};
use postlane_checks::dkim::{BodyHash, Plan, Signer};
use postlane_checks::message::Message;
use postlane_checks::{
    Answer, Arrived, Client, Failure, Finding, Found, Kind, Known, Name, Record, Session,
    check_message, message_checks,
};
use postlane_mail::{Instant, Span};

const NOW: Instant = Instant::from_unix_s(1_700_000_000);

/// The DNS of the tests: names, and their texts.
/// What lists of domains have on them so that they can be tried (RFC 5782 §5).
const TEST_ENTRIES: [&str; 3] = [
    "dbltest.com.dbl.spamhaus.org",
    "test.surbl.org.multi.surbl.org",
    "test.uribl.com.multi.uribl.com",
];

struct Zone(Vec<(String, String)>);

impl Zone {
    fn answer(&self, name: &str, kind: Kind) -> Answer {
        let texts: Vec<&String> =
            self.0.iter().filter(|(other, _)| other == name).map(|(_, text)| text).collect();
        if kind == Kind::A && name == "example.com" {
            let records = vec![Record::A("192.0.2.1".parse().unwrap())];
            return Answer::Found(Found { records, ttl: Span::from_s(60), authentic: false });
        }
        // Lists that are healthy and have nobody on them.
        if kind == Kind::A && TEST_ENTRIES.contains(&name) {
            let records = vec![Record::A("127.0.1.2".parse().unwrap())];
            return Answer::Found(Found { records, ttl: Span::from_s(60), authentic: false });
        }
        match texts[..] {
            [text] if text == "SERVFAIL" => Answer::Failed(Failure::ServFail),
            [] => Answer::NoName,
            _ if kind == Kind::Txt => {
                let records = texts.iter().map(|text| Record::Txt(text.as_bytes().into()));
                let records = records.collect();
                Answer::Found(Found { records, ttl: Span::from_s(60), authentic: false })
            }
            _ => Answer::NoData,
        }
    }
}

struct Mail {
    header: String,
    body: String,
    mail_from: &'static str,
    signers: Vec<Signer>,
    plan: Plan,
    zone: Zone,
    is_transactional: bool,
    session: Session<'static>,
}

fn signer(domain: &str, zone: &mut Zone) -> Signer {
    let key = Ed25519KeyPair::generate().unwrap().to_pkcs8().unwrap();
    let pem = format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        STANDARD.encode(key.as_ref())
    );
    let name = |text| Name::parse(text).unwrap();
    let signer = Signer::new(name(domain), name("s"), &pem).unwrap();
    zone.0.push((format!("s._domainkey.{domain}"), signer.record().unwrap()));
    signer
}

/// Mail of example.com, from its own host, signed by itself, under its own policy.
fn good() -> Mail {
    let mut zone = Zone(vec![
        ("bounce.example.com".into(), "v=spf1 ip4:192.0.2.1 -all".into()),
        ("_dmarc.example.com".into(), "v=DMARC1; p=reject".into()),
    ]);
    let signer = signer("example.com", &mut zone);
    Mail {
        header: "From: Shop <shop@example.com>\r\nTo: jo@example.net\r\nSubject: News\r\n\
            Date: Tue, 14 Nov 2023 22:13:20 +0000\r\nMessage-ID: <1@example.com>\r\n\
            List-Unsubscribe: <https://example.com/u/1>, <mailto:u@example.com>\r\n\
            List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nList-Id: <news.example.com>\r\n"
            .into(),
        body: "Hello\r\n\r\nShop Ltd, 1 Main Street, London SW1A 1AA\r\n\
            Unsubscribe: https://example.com/u/1\r\n"
            .into(),
        mail_from: "b-1@bounce.example.com",
        signers: vec![signer],
        plan: Plan::default(),
        zone,
        is_transactional: false,
        session: Session::Unseen,
    }
}

impl Mail {
    fn look(&self) -> Vec<Finding> {
        let mut message = format!("{}\r\n{}", self.header, self.body).into_bytes();
        for signer in &self.signers {
            let mut hash = BodyHash::default();
            hash.feed(self.body.as_bytes());
            let field = signer.sign(&message, &hash.finish(), &self.plan, NOW).unwrap();
            message.splice(0..0, field.into_bytes());
        }
        let client = Client {
            address: "192.0.2.1".parse().unwrap(),
            helo: "out.example.com",
            mail_from: self.mail_from,
        };
        let arrived = Arrived {
            message: Message::new(&message),
            now: NOW,
            is_utf8: false,
            client: Some(client),
            is_transactional: self.is_transactional,
            may_fetch: false,
            session: self.session,
        };
        let mut known = Known::new();
        loop {
            if let Some((_, findings)) = check_message(&mut known, &arrived) {
                return findings;
            }
            for question in known.take_missing() {
                let answer = self.zone.answer(question.name.as_str(), question.kind);
                known.learn(question, answer);
            }
        }
    }

    fn outcomes(&self, ids: &[&str]) -> Vec<Outcome> {
        let findings = self.look();
        let of = |id: &&str| findings.iter().find(|finding| finding.id == *id).unwrap().outcome;
        ids.iter().map(of).collect()
    }

    fn is(&self, id: &str, outcome: Outcome) {
        let finding = self.look().into_iter().find(|finding| finding.id == id).unwrap();
        assert_eq!(finding.outcome, outcome, "{id}: {}", finding.evidence);
    }
}

#[test]
fn every_check_has_a_name_of_its_own() {
    let mut ids: Vec<&str> = message_checks().map(|check| check.id).collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((ids.len(), count), (91, 91));
}

#[test]
fn mail_as_it_should_be_has_nothing_to_mend() {
    let odd: Vec<(&str, String)> = good()
        .look()
        .into_iter()
        .filter(|finding| !matches!(finding.outcome, Pass | Skip | Info))
        .map(|finding| (finding.id, finding.evidence))
        .collect();
    assert_eq!(odd, [("DKIM-06", "only Ed25519, which many receivers do not read".to_owned())]);
}

const ALIGNED: [&str; 4] = ["IDN-04", "IDN-05", "IDN-06", "DMARC-04"];

#[test]
fn either_way_to_stand_behind_mail_is_enough_for_dmarc() {
    let unsigned = Mail { signers: Vec::new(), ..good() };
    assert_eq!(unsigned.outcomes(&ALIGNED), [Pass, Fail, Info, Pass]);
    unsigned.is("DKIM-01", Fail);
    unsigned.is("BULK-04", Fail);
    let foreign = Mail { mail_from: "b@esp.example.net", ..good() };
    assert_eq!(foreign.outcomes(&ALIGNED), [Warn, Pass, Info, Pass]);
    foreign.is("SPF-04", Warn);
    let neither = Mail { mail_from: "b@esp.example.net", signers: Vec::new(), ..good() };
    assert_eq!(neither.outcomes(&ALIGNED), [Fail, Fail, Info, Fail]);
}

#[test]
fn a_domain_in_other_letters_is_asked_for_as_the_dns_has_it() {
    let mut mail = good();
    let domain = "xn--bcher-kva.example";
    mail.signers = vec![signer(domain, &mut mail.zone)];
    mail.zone.0.push((format!("bounce.{domain}"), "v=spf1 ip4:192.0.2.1 -all".into()));
    mail.zone.0.push((format!("_dmarc.{domain}"), "v=DMARC1; p=reject".into()));
    mail.header = mail.header.replace("shop@example.com", "shop@Bücher.example");
    mail.header += "Reply-To: help@bücher.example\r\n";
    mail.mail_from = "b-1@bounce.bücher.example";
    assert_eq!(mail.outcomes(&ALIGNED), [Pass, Pass, Pass, Pass]);
    mail.is("IDN-08", Pass);
}

#[test]
fn a_service_that_signs_alone_does_not_stand_for_the_author() {
    let mut mail = Mail { mail_from: "b@x.sendgrid.net", ..good() };
    mail.signers = vec![signer("sendgrid.net", &mut mail.zone)];
    assert_eq!(mail.outcomes(&["IDN-03", "IDN-05", "IDN-10"]), [Warn, Fail, Fail]);
    mail.mail_from = "b@bounce.example.com";
    assert_eq!(mail.outcomes(&["IDN-03", "IDN-05", "IDN-10"]), [Pass, Fail, Warn]);
}

#[test]
fn what_cannot_be_found_out_is_neither_good_nor_bad() {
    let mut mail = good();
    for (name, text) in &mut mail.zone.0 {
        if name.contains("_domainkey") || name.starts_with("bounce") {
            *text = "SERVFAIL".into();
        }
    }
    let ids = ["SPF-04", "IDN-04", "IDN-05", "DKIM-02", "BULK-04"];
    assert_eq!(mail.outcomes(&ids), [Error; 5]);
    mail.zone.0.push(("_dmarc.example.com".into(), "SERVFAIL".into()));
    mail.zone.0.retain(|(name, text)| name != "_dmarc.example.com" || text == "SERVFAIL");
    mail.is("DMARC-04", Error);
}

#[test]
fn a_policy_stricter_than_the_mail_is_named() {
    let mut mail = Mail { signers: Vec::new(), ..good() };
    mail.is("DMARC-11", Pass);
    mail.zone.0[1].1 = "v=DMARC1; p=reject; aspf=s".into();
    mail.is("DMARC-11", Fail);
    mail.is("DMARC-04", Fail);
}

#[test]
fn mail_in_a_mailbox_providers_name_needs_that_provider() {
    let mut mail = good();
    mail.header = mail.header.replace("shop@example.com", "shop@gmx.de");
    mail.is("IDN-09", Fail);
}

#[test]
fn signatures_are_judged_by_what_they_cover_and_how_long_they_count() {
    let short = Mail { plan: Plan { seconds: Some(3_600), ..Plan::default() }, ..good() };
    short.is("DKIM-12", Warn);
    let mut plan = Plan::default();
    plan.sealed.retain(|name| !name.starts_with("list") && &**name != "subject");
    let bare = Mail { plan, ..good() };
    assert_eq!(bare.outcomes(&["DKIM-09", "DKIM-10", "BULK-04"]), [Warn, Pass, Fail]);
    let open = Plan { sealed: Vec::new(), signed: vec!["from".into()], seconds: None };
    Mail { plan: open, ..good() }.is("DKIM-10", Info);
}

#[test]
fn the_way_out_of_a_list_is_judged_field_by_field() {
    let with = |from: &str, to: &str| {
        let mut mail = good();
        mail.header = mail.header.replace(from, to);
        mail.outcomes(&["BULK-01", "BULK-02", "BULK-03", "BULK-04"])
    };
    assert_eq!(with("x", "x"), [Pass; 4]);
    assert_eq!(with("<https://example.com/u/1>, ", ""), [Pass, Fail, Pass, Pass]);
    assert_eq!(with("https:", "http:"), [Pass, Fail, Pass, Pass]);
    assert_eq!(with("=One-Click", "=one-click"), [Pass, Pass, Fail, Pass]);
    assert_eq!(with("List-Unsubscribe-Post", "X-Post"), [Pass, Pass, Fail, Skip]);
    let own = Mail { is_transactional: true, ..good() };
    assert_eq!(own.outcomes(&["BULK-01", "BULK-02", "BULK-03", "BULK-04"]), [Skip; 4]);
}

#[test]
fn how_the_session_was_is_seen_where_there_was_one() {
    let of = |session| Mail { session, ..good() }.outcomes(&["TLS-01", "TLS-02", "TLS-03"]);
    let encrypted = |version, cipher| Session::Encrypted { version, cipher };
    assert_eq!(of(Session::Unseen), [Skip; 3]);
    assert_eq!(of(Session::Unoffered), [Skip; 3]);
    assert_eq!(of(Session::Plain), [Fail, Skip, Skip]);
    assert_eq!(of(encrypted("TLSv1.3", "TLS13_AES_256_GCM_SHA384")), [Pass; 3]);
    assert_eq!(of(encrypted("TLSv1.2", "TLS_RSA_WITH_AES_128_CBC_SHA")), [Pass, Pass, Warn]);
    assert_eq!(of(encrypted("TLSv1.0", "TLS_RSA_WITH_3DES_EDE_CBC_SHA")), [Pass, Fail, Fail]);
}
