//! The resolver against real name servers on the loopback.

#[path = "peer/knot.rs"]
mod knot;
#[path = "peer/unbound.rs"]
mod unbound;

use std::net::{SocketAddr, UdpSocket};

use knot::{Knot, Zone};
use postlane_mail::{Domain, Family, Span};
use postlane_net::dns::{
    Answer, Dns, DnsError, Exchange, Mx, NameServers, Resolver, ResolverSettings,
};
use unbound::{Unbound, trust_anchor};

const RECORDS: &str = "
    mail    MX 20 b.example.
    mail    MX 10 a.example.
    short   20 MX 10 a.example.
    null    MX 0 .
    bare    A 192.0.2.1
    bare    AAAA 2001:db8::1
    alias   CNAME mail
    chain   CNAME alias
    abroad  CNAME there.elsewhere.
    dangles CNAME nobody.elsewhere.
    round   CNAME trip
    trip    CNAME round
    sub     NS ns.sub
    ns.sub  A 127.0.0.1
";

fn zone<'a>(name: &'a str, records: &'a str) -> Zone<'a> {
    Zone { name, records: Some(records), signed: false }
}

fn start() -> Knot {
    Knot::start(&[
        zone("example", RECORDS),
        zone("elsewhere", "there MX 5 c.example."),
        Zone { name: "broken.example", records: None, signed: false },
    ])
}

fn resolver(servers: Vec<SocketAddr>) -> Resolver {
    let settings =
        ResolverSettings { server_timeout: Span::from_s(1), ..ResolverSettings::default() };
    Resolver::new(&NameServers::given(servers).expect("a few servers"), settings)
}

fn domain(name: &str) -> Domain {
    Domain::parse(name).expect("a domain")
}

/// The exchangers in order, as a zone file has them.
fn shown(answer: &Answer<Mx>) -> Vec<String> {
    let mut records = answer.records.to_vec();
    records.sort();
    let text = |mx: &Mx| match &mx.exchange {
        Exchange::Host(host) => format!("{} {host}", mx.preference),
        other => format!("{} {other:?}", mx.preference),
    };
    records.iter().map(text).collect()
}

#[tokio::test]
async fn records_come_with_the_time_they_are_good_for() {
    let knot = start();
    let dns = resolver(vec![knot.address()]);
    let answer = dns.mx(&domain("mail.example")).await.unwrap();
    assert_eq!(shown(&answer), ["10 a.example", "20 b.example"]);
    assert_eq!((answer.ttl, answer.authentic), (Span::from_s(300), false));
    assert_eq!(dns.mx(&domain("short.example")).await.unwrap().ttl, Span::from_s(20));
    assert_eq!(shown(&dns.mx(&domain("null.example")).await.unwrap()), ["0 Root"]);
    let bare = domain("bare.example");
    let v4 = dns.addresses(&bare, Family::V4).await.unwrap();
    assert_eq!(v4.records[..], ["192.0.2.1".parse::<std::net::IpAddr>().unwrap()]);
    let v6 = dns.addresses(&bare, Family::V6).await.unwrap();
    assert_eq!(v6.records[..], ["2001:db8::1".parse::<std::net::IpAddr>().unwrap()]);
}

#[tokio::test]
async fn every_kind_of_nothing_is_told_apart() {
    let knot = start();
    let dns = resolver(vec![knot.address()]);
    let error = async |name| dns.mx(&domain(name)).await.unwrap_err();
    let ttl = Span::from_s(300);
    assert_eq!(error("unknown.example").await, DnsError::NxDomain { ttl });
    assert_eq!(error("bare.example").await, DnsError::NoData { ttl });
    assert_eq!(error("a.broken.example").await, DnsError::ServFail);
    assert_eq!(error("a.nobody").await, DnsError::Refused);
    let referral = error("a.sub.example").await;
    assert!(matches!(referral, DnsError::Malformed(_)), "{referral}");
    assert_eq!(error("round.example").await, DnsError::AliasLoop);
    assert_eq!(error("dangles.example").await, DnsError::NxDomain { ttl });
}

#[tokio::test]
async fn aliases_are_followed_within_a_zone_and_out_of_it() {
    let knot = start();
    let dns = resolver(vec![knot.address()]);
    let answer = dns.mx(&domain("chain.example")).await.unwrap();
    assert_eq!(shown(&answer), ["10 a.example", "20 b.example"]);
    let answer = dns.mx(&domain("abroad.example")).await.unwrap();
    assert_eq!(shown(&answer), ["5 c.example"]);
}

#[tokio::test]
async fn an_answer_too_large_for_udp_is_fetched_over_tcp() {
    let record = |n| format!("many MX {n} host-{n:03}.with-a-rather-long-name.example.net.\n");
    let records: String = (0..200).map(record).collect();
    let knot = Knot::start(&[zone("example", &records)]);
    let answer = resolver(vec![knot.address()]).mx(&domain("many.example")).await.unwrap();
    // 200 of them are more than 6 KiB; what is taken from one answer is limited.
    assert_eq!(answer.records.len(), 100);
}

#[tokio::test]
async fn a_server_that_is_silent_is_passed_over_and_not_asked_again() {
    let knot = start();
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    silent.set_nonblocking(true).unwrap();
    let dns = resolver(vec![silent.local_addr().unwrap(), knot.address()]);
    assert!(dns.mx(&domain("mail.example")).await.is_ok());
    let was_asked = || {
        let mut questions = 0;
        while silent.recv(&mut [0; 1500]).is_ok() {
            questions += 1;
        }
        questions > 0
    };
    assert!(was_asked());
    assert!(dns.mx(&domain("short.example")).await.is_ok());
    assert!(!was_asked());
}

#[tokio::test]
async fn a_server_that_fails_is_no_answer_while_another_one_knows() {
    let knot = start();
    let broken =
        Knot::start(&[zone("other", ""), Zone { name: "example", records: None, signed: false }]);
    let dns = resolver(vec![broken.address(), knot.address()]);
    assert!(dns.mx(&domain("mail.example")).await.is_ok());
}

#[tokio::test]
async fn silence_is_a_timeout_and_not_a_name_that_does_not_exist() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let settings = ResolverSettings {
        server_timeout: Span::from_ms(50),
        rounds: 1,
        ..ResolverSettings::default()
    };
    let servers = NameServers::given(vec![silent.local_addr().unwrap()]).unwrap();
    let dns = Resolver::new(&servers, settings);
    assert_eq!(dns.mx(&domain("mail.example")).await, Err(DnsError::TimedOut));
}

#[tokio::test]
async fn an_answer_is_remembered_when_the_server_is_gone() {
    let knot = start();
    let dns = resolver(vec![knot.address()]);
    let (known, unknown) = (domain("mail.example"), domain("unknown.example"));
    dns.mx(&known).await.unwrap();
    dns.mx(&unknown).await.unwrap_err();
    drop(knot);
    assert_eq!(shown(&dns.mx(&known).await.unwrap()), ["10 a.example", "20 b.example"]);
    assert!(matches!(dns.mx(&unknown).await, Err(DnsError::NxDomain { .. })));
}

#[tokio::test]
async fn questions_more_than_are_asked_at_a_time_wait_their_turn() {
    let records: String = (0..500).map(|n| format!("d{n} MX 10 mx.example.\n")).collect();
    let knot = Knot::start(&[zone("example", &records)]);
    let settings = ResolverSettings { lookups_max: 4, ..ResolverSettings::default() };
    let servers = NameServers::given(vec![knot.address()]).unwrap();
    let dns = std::sync::Arc::new(Resolver::new(&servers, settings));
    let lookups: Vec<_> = (0..500_u16)
        .map(|n| {
            let dns = dns.clone();
            tokio::spawn(async move { dns.mx(&domain(&format!("d{n}.example"))).await })
        })
        .collect();
    for lookup in lookups {
        assert_eq!(shown(&lookup.await.unwrap().unwrap()), ["10 mx.example"]);
    }
}

#[tokio::test]
async fn a_validating_resolver_vouches_for_signed_answers_and_hides_forged_ones() {
    let records = "mail MX 10 a.example.\nalias CNAME mail\n";
    let names = ["signed.example", "forged.example", "plain.example"];
    let knot = Knot::start(&[
        Zone { name: names[0], records: Some(records), signed: true },
        Zone { name: names[1], records: Some(records), signed: true },
        zone(names[2], records),
    ]);
    let right = trust_anchor(&knot, names[0]);
    let wrong = right.replacen(names[0], names[1], 1);
    let unbound = Unbound::start(&knot, &names, &[right, wrong]);
    let dns = resolver(vec![unbound.address()]);
    let authentic = async |name| dns.mx(&domain(name)).await.map(|answer| answer.authentic);
    assert_eq!(authentic("mail.signed.example").await, Ok(true));
    assert_eq!(authentic("alias.signed.example").await, Ok(true));
    assert_eq!(authentic("mail.plain.example").await, Ok(false));
    assert_eq!(authentic("mail.forged.example").await, Err(DnsError::ServFail));
}
