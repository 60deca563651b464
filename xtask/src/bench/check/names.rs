//! Name servers that mean to cost much: what a look at a domain, and at mail of it, costs then.

use std::io::Write;

use postlane_checks::message::Message;
use postlane_checks::{
    Answer, Arrived, Client, FetchFailure, Fetched, Found, Greeting, KeysSeen, Kind, Known, Name,
    Question, Record, SendingDomain, Served, Session, check_domain, check_message,
};
use postlane_mail::{Instant, Span};

use super::HEAD;
use crate::bench::replies::on_cpu;

/// A name server that means harm: what it answers.
struct Hostile {
    name: &'static str,
    answer: fn(&Question) -> Answer,
}

const HOSTILE: [Hostile; 6] = [
    Hostile { name: "includes, 100 deep", answer: deep },
    Hostile { name: "5 MB of SPF", answer: long_spf },
    Hostile { name: "5 MB of includes", answer: many_includes },
    Hostile { name: "5 MB of DMARC", answer: long_dmarc },
    Hostile { name: "a key of 5 MB", answer: long_key },
    Hostile { name: "aliases in a circle", answer: circle },
];

/// Octets of a record that is meant to be long: far above what DNS messages carry (65,535).
const OCTETS: usize = 5_000_000;

fn found(record: Record) -> Answer {
    Answer::Found(Found { records: vec![record], ttl: Span::from_s(60), authentic: false })
}

fn text(text: String) -> Answer {
    found(Record::Txt(text.into_bytes().into()))
}

fn sender() -> Name {
    Name::parse("a.example.com").expect("it is a name")
}

/// `i7.example.com` includes `i8.example.com`, and so on to a hundred.
fn deep(question: &Question) -> Answer {
    let name = question.name.to_string();
    let first = name.split('.').next().unwrap_or_default();
    let depth = first.strip_prefix('i').and_then(|n| n.parse().ok()).unwrap_or(0_u32);
    match question.kind {
        Kind::Txt if !name.starts_with('_') && depth < 100 => {
            text(format!("v=spf1 include:i{}.example.com -all", depth + 1))
        }
        Kind::Txt if depth == 100 => text("v=spf1 -all".to_owned()),
        _ => Answer::NoName,
    }
}

/// The record at the domain itself; nothing anywhere else.
fn at_domain(question: &Question, begins: &str, piece: &str) -> Answer {
    match question.kind == Kind::Txt && question.name == sender() {
        true => text(format!("{begins}{}", piece.repeat(OCTETS / piece.len()))),
        false => Answer::NoName,
    }
}

fn long_spf(question: &Question) -> Answer {
    at_domain(question, "v=spf1 ", "ip4:198.51.100.7 ")
}

fn many_includes(question: &Question) -> Answer {
    at_domain(question, "v=spf1 ", "include:b.example.com ")
}

fn long_dmarc(question: &Question) -> Answer {
    match question.kind == Kind::Txt && question.name.to_string().starts_with("_dmarc") {
        true => {
            let piece = "mailto:a@b.example,";
            text(format!("v=DMARC1; p=none; rua={}", piece.repeat(OCTETS / piece.len())))
        }
        false => Answer::NoName,
    }
}

fn long_key(question: &Question) -> Answer {
    match question.kind == Kind::Txt && question.name.to_string().contains("_domainkey") {
        true => text(format!("v=DKIM1; p={}", "QUFB".repeat(OCTETS / 4))),
        false => Answer::NoName,
    }
}

/// Every name is an alias of itself. A resolver hands on nothing for other types then.
fn circle(question: &Question) -> Answer {
    match question.kind {
        Kind::Cname => found(Record::Cname(question.name.clone())),
        _ => Answer::Failed(postlane_checks::Failure::Malformed("the aliases end nowhere".into())),
    }
}

/// Looks at mail of the domain, and at the domain; how many questions that took.
fn look(hostile: &Hostile) -> usize {
    let octets = HEAD.replace("example.com", "a.example.com") + "\r\nhello\r\n";
    let client = Client {
        address: [192, 0, 2, 1].into(),
        helo: "out.a.example.com",
        mail_from: "b@a.example.com",
    };
    let now = Instant::from_unix_s(1_652_118_000);
    let arrived = Arrived {
        message: Message::new(octets.as_bytes()),
        now,
        is_utf8: false,
        client: Some(client),
        is_transactional: false,
        may_fetch: false,
        session: Session::Unseen,
    };
    let domain = SendingDomain {
        name: sender(),
        return_path: sender(),
        selectors: vec!["s1".into()],
        selectors_are_guessed: false,
        addresses: vec![client.address],
        now,
        registered: None,
        may_call: false,
        unsubscribe: Vec::new(),
        spf_source: None,
        keys_seen: KeysSeen::default(),
    };
    let mut known = Known::new();
    let mut questions = 0;
    let (mut is_mail_done, mut is_domain_done) = (false, false);
    while !(is_mail_done && is_domain_done) {
        is_mail_done = is_mail_done || check_message(&mut known, &arrived).is_some();
        is_domain_done = is_domain_done || check_domain(&mut known, &domain).is_some();
        let missing = known.take_missing();
        questions += missing.len();
        for question in missing {
            let answer = (hostile.answer)(&question);
            known.learn(question, answer);
        }
        leave_calls(&mut known);
    }
    questions
}

/// Nobody is called.
fn leave_calls(known: &mut Known) {
    for page in known.take_missing_pages() {
        known.learn_page(page, Fetched::Failed(FetchFailure::NotRecorded));
    }
    for authority in known.take_missing_authorities() {
        known.learn_authority(authority, Served::Failed("nobody is called".into()));
    }
    for exchanger in known.take_missing_greetings() {
        known.learn_greeting(exchanger, Greeting::Failed("nobody is called".into()));
    }
}

/// Measures and prints.
pub(super) fn run(out: &mut impl Write) -> anyhow::Result<()> {
    for hostile in HOSTILE {
        let begun = on_cpu()?;
        let questions = look(&hostile);
        let took = on_cpu()? - begun;
        writeln!(out, "{:<20} {questions:>6} questions {:>8.1} ms", hostile.name, took * 1e3)?;
    }
    Ok(())
}
