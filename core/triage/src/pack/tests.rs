//! A pack, and what must never be in it.

use postlane_mail::{Instant, Label as Name, Span, Stage};
use postlane_replies::Label;

use super::*;
use crate::picture::{Change, ChangeKind, Kind, Picture, Ptr, Sample, Tally, Turn};

const START: Instant = Instant::from_unix_s(1_795_219_200);
const HOSTILE: &str =
    "421 <script>alert(1)</script> \"><img src=x> `|` \u{202e}evil\u{1b}[31m <jo@web.de> ]]> ${x}";

fn tally(hour: u64, source: &str, kind: Kind, count: u64) -> Tally {
    Tally {
        at: START + Span::from_h(hour),
        provider: "united-internet".into(),
        source: source.into(),
        stream: None,
        tenant: Name::NONE,
        kind,
        turn: Turn::Fresh,
        label: if kind == Kind::Accepted { Label::Accepted } else { Label::RateLimited },
        count,
    }
}

fn refusal(n: u64, reply: &str) -> Attempt {
    Attempt {
        at: START + Span::from_min(n * 7),
        queue_id: format!("0cr65g1wsb{n:03}"),
        message_id: format!("<{n}.news@shop.example>"),
        sender: "bounce@shop.example".to_owned(),
        recipient: format!("jo{}@web.de", n % 5),
        source: if n.is_multiple_of(2) { "a".into() } else { "b".into() },
        source_ip: Some("192.0.2.1".parse().unwrap()),
        ehlo: "out1.shop.example".to_owned(),
        mx_host: "mx-ha02.web.de".to_owned(),
        mx_ip: Some("198.51.100.7".parse().unwrap()),
        tls: "TLSv1.3".to_owned(),
        attempt: 1,
        stage: Some(Stage::Mail),
        reply: reply.to_owned(),
        label: Label::RateLimited,
        headers: n.is_multiple_of(3).then(|| {
            "From: Shop <news@shop.example>\r\nTo: Jo <jo1@web.de>\r\nSubject: Your order <b>\r\nDKIM-Signature: v=1; d=shop.example; s=k1; b=x\r\nMessage-ID: <1.news@shop.example>\r\n".to_owned()
        }),
    }
}

pub(super) fn dossier() -> Dossier {
    let mut tallies = Vec::new();
    for hour in (0..24).filter(|hour| !(6..9).contains(hour)) {
        let worse = if hour > 10 { 30 } else { 1 };
        for source in ["a", "b"] {
            tallies.push(tally(hour, source, Kind::Accepted, 40 + hour * 2));
            tallies.push(tally(hour, source, Kind::Deferred, worse));
        }
    }
    let said = Sample {
        provider: "united-internet".into(),
        source: "a".into(),
        at: START,
        count: 410,
        reply: HOSTILE.into(),
        label: Label::RateLimited,
        rule: "united-internet/rate".into(),
        case_url: Some("https://postmaster.gmx.net/en/case?c=r0201&i=ip&v=192.0.2.1&r=x".into()),
        ips: Vec::new(),
        lists: Vec::new(),
        codes: Vec::new(),
    };
    let picture = Picture {
        from: START,
        to: START + Span::from_h(24),
        slot: Span::from_min(5),
        tallies,
        samples: vec![said],
        ..Picture::default()
    };
    let assessment = crate::assess(&picture).remove(0);
    let mut refusals: Vec<Attempt> =
        (0..180).map(|n| refusal(n, "421 Too many messages\nTry later")).collect();
    refusals.extend((0..3).map(|n| refusal(60 + n, HOSTILE)));
    let proof = |source: &str| SourceProof {
        source: source.into(),
        address: Some("192.0.2.1".parse().unwrap()),
        ehlo: vec!["out1.shop.example".into()],
        names: vec!["out1.shop.example".to_owned()],
        ptr: Ptr::Confirmed,
        asked: Some(picture.to + Span::from_min(3)),
        why: String::new(),
    };
    Dossier {
        provider_name: "United Internet (web.de, GMX, mail.com, IONOS)".to_owned(),
        addressee: Addressee::Gmx,
        from: picture.from,
        to: picture.to,
        made: picture.to + Span::from_min(3),
        assessment,
        refusals,
        sources: vec![proof("a"), proof("b")],
        changes: vec![Change {
            at: START + Span::from_h(11),
            kind: ChangeKind::Lane,
            provider: None,
            says: "pin 20/m by ops: after the wave at ten".into(),
        }],
        contacts: vec![Contact {
            url: "https://postmaster.gmx.net/".to_owned(),
            source: "postmaster.gmx.net pages, read 2026-11".to_owned(),
        }],
        shown: Shown::Marked([7; 32]),
    }
}

fn text<'p>(pack: &'p Pack, name: &str) -> &'p str {
    let file = pack.files.iter().find(|file| file.name == name).unwrap();
    std::str::from_utf8(&file.octets).unwrap()
}

#[test]
fn a_pack_has_report_letter_samples_headers_and_hashes_of_all() {
    let pack = Pack::build(&dossier());
    let names: Vec<&str> = pack.files.iter().map(|file| file.name.as_str()).collect();
    for name in ["SHA256SUMS", "letter.txt", "report.html", "report.md", "samples.jsonl"] {
        assert!(names.contains(&name), "{names:?}");
    }
    assert!(names.iter().any(|name| name.starts_with("headers/")));
    assert_eq!(text(&pack, "SHA256SUMS").lines().count(), pack.files.len() - 1);
    assert_eq!(text(&pack, "samples.jsonl").lines().count(), chosen::SAMPLES_MAX);
    assert_eq!(pack, Pack::build(&dossier()), "the same dossier is the same pack");
}

#[test]
fn no_file_of_a_pack_has_a_local_part_or_a_subject() {
    for file in Pack::build(&dossier()).files {
        let text = String::from_utf8(file.octets).unwrap();
        for gone in ["jo@", "jo1@", "bounce@", "Your order"] {
            assert!(!text.contains(gone), "{gone} in {}", file.name);
        }
    }
    let full = Pack::build(&Dossier { shown: Shown::Full, ..dossier() });
    assert!(text(&full, "samples.jsonl").contains("jo1@web.de"));
}

#[test]
fn what_hosts_say_is_escaped_in_every_form() {
    let pack = Pack::build(&dossier());
    let html = text(&pack, "report.html");
    assert!(html.contains("&lt;script&gt;") && !html.contains("<script"), "{html}");
    assert!(!html.contains("<img"));
    assert!(text(&pack, "samples.jsonl").contains("\\u001b[31m"));
    for file in &pack.files {
        let text = std::str::from_utf8(&file.octets).unwrap();
        let unruly = |c: &char| postlane_mail::is_unruly(*c) && *c != '\n';
        let found = text.chars().find(unruly);
        assert_eq!(found, None, "{}", file.name);
    }
    assert!(text(&pack, "report.md").contains("`` 421 <script>"));
}

#[test]
fn samples_are_of_every_kind_and_spread_over_the_time() {
    let dossier = dossier();
    let chosen = chosen::choose(&dossier.refusals);
    assert_eq!(chosen.len(), chosen::SAMPLES_MAX);
    assert!(chosen.iter().any(|sample| sample.reply == HOSTILE));
    let (first, last) = (chosen[0].at, chosen[chosen.len() - 1].at);
    assert!(last.since(first) > Span::from_h(18), "{first:?} {last:?}");
    let mut turned = dossier.refusals.clone();
    turned.reverse();
    assert_eq!(chosen::choose(&turned), chosen);
}

#[test]
fn a_plot_has_gaps_where_nothing_was_tried() {
    let html = Pack::build(&dossier());
    let html = text(&html, "report.html");
    assert_eq!(html.matches("<polyline").count(), 2);
    assert!(html.contains("class=\"ten\""));
}

#[test]
fn a_pack_of_nothing_is_a_pack() {
    let mut empty = dossier();
    empty.refusals.clear();
    empty.assessment = crate::assess(&Picture {
        tallies: vec![tally(0, "a", Kind::Accepted, 1)],
        ..Picture::default()
    })
    .remove(0);
    (empty.from, empty.to) = (Instant(0), Instant::MAX);
    let pack = Pack::build(&empty);
    assert!(pack.files.len() >= 4);
    assert!(text(&pack, "letter.txt").contains("\n# Nothing was refused in this time: "));
}

#[test]
fn a_letter_names_a_message_where_the_log_does() {
    let pack = Pack::build(&dossier());
    let letter = text(&pack, "letter.txt");
    assert!(
        letter.contains("mx-ha02.web.de [198.51.100.7], Message-ID <")
            && !letter.contains("Nothing was"),
        "{letter}"
    );
    let mut nameless = dossier();
    nameless.refusals.iter_mut().for_each(|refusal| {
        refusal.message_id.clear();
        refusal.headers = None;
    });
    let pack = Pack::build(&nameless);
    let letter = text(&pack, "letter.txt");
    assert!(letter.contains(", mx-ha02.web.de [198.51.100.7]):\n"), "{letter}");
}

#[test]
fn every_addressee_has_a_letter_with_the_facts() {
    for addressee in Addressee::ALL {
        assert_eq!(Addressee::parse(addressee.name()), Some(addressee));
        let pack = Pack::build(&Dossier { addressee, ..dossier() });
        let letter = text(&pack, "letter.txt");
        assert!(letter.contains("192.0.2.1") && letter.contains("case?c=r0201"), "{letter}");
    }
}

#[test]
fn what_leaves_the_house_is_written_down() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/pack");
    let pack = Pack::build(&dossier());
    for name in ["report.html", "report.md", "letter.txt", "samples.jsonl", "SHA256SUMS"] {
        let (path, seen) = (folder.join(name), text(&pack, name));
        if std::env::var_os("POSTLANE_BLESS").is_some() {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&path, seen).unwrap();
            continue;
        }
        let expected = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(expected == seen, "{} differs; POSTLANE_BLESS=1 writes it anew", path.display());
    }
}
