use super::*;
use crate::dns::Found;

/// Zones in a few lines; what is not there does not exist.
fn surveyed(zone: &[(&str, &str)], domain: &str) -> (Survey, usize, usize) {
    let mut known = Known::new();
    let domain = Name::parse(domain).unwrap();
    let (mut rounds, mut asked) = (0, 0);
    loop {
        if let Some(found) = survey(&mut known, &domain) {
            return (found, rounds, asked);
        }
        rounds += 1;
        assert!(rounds < 40, "the questions do not end");
        for question in known.take_missing() {
            asked += 1;
            let of_name = zone.iter().filter(|(name, _)| *name == question.name.as_str());
            let records: Vec<Record> =
                of_name.filter_map(|(_, text)| record(question.kind, text)).collect();
            let answer = if records.is_empty() {
                Answer::NoName
            } else {
                Answer::Found(Found { records, ttl: Span::from_s(300), authentic: false })
            };
            known.learn(question, answer);
        }
    }
}

fn record(kind: Kind, text: &str) -> Option<Record> {
    match (kind, text.split_once(' ')?) {
        (Kind::A, ("A", address)) => Some(Record::A(address.parse().ok()?)),
        (Kind::Mx, ("MX", host)) => {
            Some(Record::Mx { preference: 10, exchange: Name::parse(host).ok() })
        }
        (Kind::Txt, ("TXT", text)) => Some(Record::Txt(text.as_bytes().into())),
        _ => None,
    }
}

#[test]
fn every_term_below_is_counted_and_names_without_anything_are_named() {
    let zone = [
        ("d.example", "TXT v=spf1 include:a.example mx a:gone.example exists:%{i}.x.example ~all"),
        ("a.example", "TXT v=spf1 ip4:192.0.2.0/24 a redirect=b.example"),
        ("b.example", "TXT v=spf1 ip4:192.0.2.128/25 -all"),
        ("d.example", "MX mail.d.example"),
        ("mail.d.example", "A 198.51.100.1"),
        ("a.example", "A 203.0.113.1"),
    ];
    let (found, ..) = surveyed(&zone, "d.example");
    assert_eq!((found.lookups, found.macros), (6, 1));
    assert_eq!(found.voids, [Name::parse("gone.example").unwrap()]);
    assert_eq!(found.addresses(), 256 + 2);
    assert_eq!(found.terminal(), Some(Qualifier::SoftFail));
    assert_eq!(found.branches().len(), 3);
}

#[test]
fn records_that_lead_back_end_and_are_told() {
    let zone = [
        ("a.example", "TXT v=spf1 include:b.example include:c.example -all"),
        ("b.example", "TXT v=spf1 include:a.example -all"),
        ("c.example", "TXT v=spf1 include:d.example include:d.example -all"),
        ("d.example", "TXT v=spf1 -all"),
    ];
    let (found, ..) = surveyed(&zone, "a.example");
    assert_eq!(found.loops, ["a.example → b.example → a.example"]);
    assert_eq!(found.repeated, [Name::parse("d.example").unwrap()]);
}

#[test]
fn a_hundred_records_below_each_other_cost_bounded_work() {
    let names: Vec<String> = (0..101).map(|n| format!("n{n}.example")).collect();
    let texts: Vec<String> =
        (1..101).map(|n| format!("TXT v=spf1 include:n{n}.example -all")).collect();
    let zone: Vec<(&str, &str)> =
        names.iter().zip(&texts).map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let (found, rounds, asked) = surveyed(&zone, "n0.example");
    assert!(found.is_cut && found.lookups > 10);
    assert!(rounds <= DEPTH_MAX && asked <= DEPTH_MAX, "{rounds} rounds, {asked} questions");
}

#[test]
fn records_that_fan_out_cost_bounded_work() {
    // Each of 20 records includes all 20: 20²⁰ ways.
    let includes: Vec<String> = (0..20).map(|n| format!("include:n{n}.example")).collect();
    let text = format!("TXT v=spf1 {} -all", includes.join(" "));
    let names: Vec<String> = (0..20).map(|n| format!("n{n}.example")).collect();
    let zone: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), text.as_str())).collect();
    let (found, rounds, asked) = surveyed(&zone, "n0.example");
    assert!(found.is_cut);
    assert!(found.branches().len() < 2_000, "{}", found.branches().len());
    assert!(rounds < 10 && asked <= 20, "{rounds} rounds, {asked} questions");
}

#[test]
fn networks_that_overlap_are_counted_once() {
    let zone = [("a.example", "TXT v=spf1 ip4:10.0.0.0/8 ip4:10.1.0.0/16 ip4:11.0.0.0/32 -all")];
    assert_eq!(surveyed(&zone, "a.example").0.addresses(), (1 << 24) + 1);
    let zone = [("a.example", "TXT v=spf1 +all")];
    assert_eq!(surveyed(&zone, "a.example").0.addresses(), 1 << 32);
}
