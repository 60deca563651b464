use std::collections::BTreeMap;

use postlane_mail::Span;
use proptest::prelude::*;

use super::*;
use crate::dns::Found;

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn flattened(zone: &[(&str, &str)], source: &str) -> Result<Flattened, FlattenError> {
    let zone: BTreeMap<&str, &str> = zone.iter().copied().collect();
    let mut known = Known::new();
    for _ in 0..40 {
        if let Some(found) = flatten(&mut known, &name(source), &name("d.example")) {
            return found;
        }
        for question in known.take_missing() {
            let text = zone.get(question.name.as_str()).copied().unwrap_or_default();
            let record = match (question.kind, text.split_once(' ')) {
                (_, Some(("FAIL", _))) => {
                    known.learn(question, Answer::Failed(Failure::TimedOut));
                    continue;
                }
                (Kind::Txt, Some(("TXT", text))) => Some(Record::Txt(text.as_bytes().into())),
                (Kind::A, Some(("A", text))) => Some(Record::A(text.parse().unwrap())),
                (Kind::Aaaa, Some(("AAAA", text))) => Some(Record::Aaaa(text.parse().unwrap())),
                (Kind::Mx, Some(("MX", text))) => {
                    Some(Record::Mx { preference: 1, exchange: Some(name(text)) })
                }
                _ => None,
            };
            let answer = record.map_or(Answer::NoData, |record| {
                let ttl = Span::from_s(300);
                Answer::Found(Found { records: vec![record], ttl, authentic: false })
            });
            known.learn(question, answer);
        }
    }
    panic!("the questions do not end");
}

#[test]
fn names_become_networks_and_macros_stay() {
    let zone = [
        (
            "s.example",
            "TXT v=spf1 include:a.example mx:m.example exists:%{i}.x.example ?a:h.example ~all exp=e.%{d}",
        ),
        ("a.example", "TXT v=spf1 ip4:192.0.2.0/25 ip4:192.0.2.128/25 include:b.example -all"),
        ("b.example", "TXT v=spf1 ip6:2001:db8::1 ?all"),
        ("m.example", "MX h.example"),
        ("h.example", "A 198.51.100.7"),
    ];
    let found = flattened(&zone, "s.example").unwrap();
    assert_eq!(
        found.records,
        [(
            name("d.example"),
            "v=spf1 ip4:192.0.2.0/24 ip4:198.51.100.7 ip6:2001:db8::1 exists:%{i}.x.example \
             ?a:h.example ~all exp=e.%{d}"
                .to_owned()
        )]
    );
    assert_eq!(found.kept.len(), 2);
}

#[test]
fn a_record_that_does_more_than_pass_networks_stays_an_include() {
    for text in ["v=spf1 -ip4:192.0.2.1 ip4:192.0.2.0/24 -all", "v=spf1 +all", "v=spf1 ptr -all"] {
        let own = format!("TXT {text}");
        let zone =
            [("s.example", "TXT v=spf1 include:a.example -all"), ("a.example", own.as_str())];
        let found = flattened(&zone, "s.example").unwrap();
        assert_eq!(found.records[0].1, "v=spf1 include:a.example -all", "{text}");
    }
}

#[test]
fn a_redirection_is_written_out_and_a_short_name_keeps_its_meaning() {
    let zone = [
        ("s.example", "TXT v=spf1 ip4:192.0.2.1 redirect=r.example"),
        ("r.example", "TXT v=spf1 ?mx/24 ip4:192.0.2.2 -all"),
    ];
    let found = flattened(&zone, "s.example").unwrap();
    assert_eq!(found.records[0].1, "v=spf1 ip4:192.0.2.1 ?mx:r.example/24 ip4:192.0.2.2 -all");
}

#[test]
fn the_domain_in_a_macro_stays_that_of_its_record() {
    let esp =
        "TXT v=spf1 exists:%{i}._spf.%{d} include:%{d2r}.%{h}%%.x.%{D} ?exists:%{l}.%{o} -all";
    let zone = [("s.example", "TXT v=spf1 redirect=r.esp.example"), ("r.esp.example", esp)];
    let found = flattened(&zone, "s.example").unwrap();
    assert_eq!(
        found.records[0].1,
        "v=spf1 exists:%{i}._spf.r.esp.example include:esp.r.%{h}%%.x.r.esp.example \
         ?exists:%{l}.%{o} -all"
    );
    // Of the record that was moved away it is the domain that it is written out for.
    let zone = [("s.example", "TXT v=spf1 exists:%{i}._spf.%{d} -all")];
    let found = flattened(&zone, "s.example").unwrap();
    assert_eq!(found.records[0].1, "v=spf1 exists:%{i}._spf.%{d} -all");
    let way = [
        ("s.example", "TXT v=spf1 redirect=r.example"),
        ("r.example", "TXT v=spf1 redirect=%{d}.%{o}"),
    ];
    assert_eq!(
        flattened(&way, "s.example").unwrap().records[0].1,
        "v=spf1 redirect=r.example.%{o}"
    );
}

#[test]
fn a_macro_whose_value_the_record_decides_is_followed_and_one_of_a_message_stays() {
    let zone = [
        (
            "s.example",
            "TXT v=spf1 include:_a.%{d} a:%{d2}/30 mx:%{i}.%{d} include:%{l}.%{o} redirect=_r.%{D}",
        ),
        ("_a.d.example", "TXT v=spf1 a:h.%{d} include:_b.%{d} redirect=_c.%{d} "),
        ("h._a.d.example", "A 192.0.2.9"),
        ("_b._a.d.example", "TXT v=spf1 ip4:192.0.2.65 -all"),
        ("_c._a.d.example", "TXT v=spf1 ip4:192.0.2.129 -all"),
        ("d.example", "A 198.51.100.7"),
        ("_r.d.example", "TXT v=spf1 a:h.%{d} -all"),
        ("h._r.d.example", "A 203.0.113.1"),
    ];
    let found = flattened(&zone, "s.example").unwrap();
    assert_eq!(
        found.records[0].1,
        "v=spf1 ip4:192.0.2.9 ip4:192.0.2.65 ip4:192.0.2.129 ip4:198.51.100.4/30 mx:%{i}.%{d} \
         include:%{l}.%{o} ip4:203.0.113.1 -all"
    );
    let why = |term: &str| Flattened::of_a_message(term).map(|(is, _)| is).collect::<Vec<_>>();
    let kept: Vec<Vec<String>> = found.kept.iter().map(|term| why(term)).collect();
    assert_eq!(kept, [vec!["%{i}"], vec!["%{l}", "%{o}"]]);
}

#[test]
fn nothing_is_written_out_while_an_answer_is_missing() {
    let zone = [("s.example", "TXT v=spf1 include:a.example -all"), ("a.example", "FAIL x")];
    let error = flattened(&zone, "s.example").unwrap_err();
    assert_eq!(error, FlattenError::Open(name("a.example"), Failure::TimedOut));
    let zone = [("s.example", "TXT v=spf1 include:a.example -all")];
    assert_eq!(flattened(&zone, "s.example"), Err(FlattenError::Record(name("a.example"))));
    let circle = [("s.example", "TXT v=spf1 include:s.example -all")];
    assert!(flattened(&circle, "s.example").is_ok_and(|found| found.networks.is_empty()));
}

#[test]
fn a_long_record_is_published_in_parts_that_fit() {
    let networks: Vec<String> = (0..200).map(|n| format!("ip4:203.0.{n}.1")).collect();
    let text = format!("TXT v=spf1 {} -all", networks.join(" "));
    let found = flattened(&[("s.example", text.as_str())], "s.example").unwrap();
    assert!(found.records.len() > 5, "{}", found.records.len());
    assert!(found.records.iter().all(|(_, text)| text.len() <= OCTETS_MAX));
    // What is published has what the source has.
    let zone: Vec<(String, String)> =
        found.records.iter().map(|(n, text)| (n.to_string(), format!("TXT {text}"))).collect();
    let zone: Vec<(&str, &str)> = zone.iter().map(|(n, t)| (n.as_str(), t.as_str())).collect();
    let again = flattened(&zone, "d.example").unwrap();
    assert_eq!(again.networks, found.networks);
}

#[test]
fn what_the_written_out_record_costs_receivers_is_counted() {
    let of = |networks: usize, more: &str| {
        // Far from each other, so that none are merged.
        let all = (0..networks).map(|n| format!("ip4:203.{}.{}.1", n / 100, n % 100 * 2));
        let text = format!("TXT v=spf1 {more} {} -all", all.collect::<Vec<_>>().join(" "));
        flattened(&[("s.example", text.as_str())], "s.example").unwrap()
    };
    assert_eq!(of(20, "").lookups, 0);
    assert_eq!(of(20, "?a ~MX/24 ?exists:%{i}.x.example ptr ?ip4:192.0.2.1").lookups, 4);
    let parts = of(200, "ptr");
    assert_eq!(parts.lookups, parts.records.len(), "each part is included, and ptr");
    assert!(parts.lookups <= Flattened::LOOKUPS_MAX);
    // As many as are written out, and no receiver reads to its end.
    let many = of(600, "");
    assert_eq!(many.lookups, many.records.len() - 1);
    assert!(many.lookups > Flattened::LOOKUPS_MAX, "{}", many.lookups);
}

#[test]
fn what_a_published_copy_lacks_is_named() {
    let of = |text: &str| flattened(&[("s.example", text)], "s.example").unwrap();
    let source = of("TXT v=spf1 ip4:192.0.2.0/24 ip4:198.51.100.1 -all");
    let copy = of("TXT v=spf1 ip4:192.0.2.0/25 ip4:192.0.2.128/25 ip4:203.0.113.1 -all");
    let shown = |all: Vec<Network>| all.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(shown(copy.missing_of(&source)), ["ip4:198.51.100.1"]);
    assert_eq!(shown(source.missing_of(&copy)), ["ip4:203.0.113.1"]);
}

proptest! {
    #[test]
    fn networks_that_are_merged_hold_the_same_addresses(
        all in prop::collection::vec((0_u32..64, 26_u8..=32), 1..20),
    ) {
        let of = |(last, prefix): &(u32, u8)| {
            Network::of(Ipv4Addr::from(0xC000_0200 + last).into(), *prefix)
        };
        let networks: Vec<Network> = all.iter().map(of).collect();
        let merged = merged(networks.clone());
        for last in 0..64 {
            let one = Network::of(Ipv4Addr::from(0xC000_0200 + last).into(), 32);
            let before = networks.iter().any(|network| network.holds(&one));
            prop_assert_eq!(before, merged.iter().any(|network| network.holds(&one)));
        }
        prop_assert!(merged.len() <= networks.len());
    }
}
