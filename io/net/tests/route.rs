//! Routes out of a real name server's answers.

#[path = "peer/knot.rs"]
mod knot;

use std::net::SocketAddr;

use knot::{Knot, Zone};
use postlane_mail::{Domain, Host, Span};
use postlane_net::dns::{NameServers, Resolver, ResolverSettings};
use postlane_net::route::{Ours, Route, RouteSettings, Router, Target};
use postlane_replies::Providers;

const RECORDS: &str = "
    mail    MX 20 mx3
    mail    MX 10 mx1
    mail    MX 10 mx2
    mx1     A 203.0.113.1
    mx1     AAAA 2001:db8::1
    mx2     A 203.0.113.2
    mx3     A 203.0.113.3
    null    MX 0 .
    bare    A 203.0.113.4
    txt     TXT nothing
    alias   CNAME mail
    mxalias MX 10 other
    other   CNAME mx1
    address MX 10 203.0.113.1.
    nobody  MX 10 unknown
    half    MX 10 a.broken.example.
    half    MX 20 mx3
    broken  MX 10 a.broken.example.
    backup  MX 10 mx1
    backup  MX 20 us
    backup  MX 30 mx3
    loop    MX 10 us
    us      A 127.0.0.1
    google  MX 10 aspmx.l.google.com.
";

fn start() -> (Knot, Router<Resolver>) {
    let knot = Knot::start(&[
        Zone { name: "example", records: Some(RECORDS), signed: false },
        Zone { name: "google.com", records: Some("aspmx.l A 203.0.113.5"), signed: false },
        Zone { name: "broken.example", records: None, signed: false },
    ]);
    let servers = NameServers::given(vec![knot.address()]).expect("one server");
    let settings = RouteSettings {
        mx_port: 2525,
        ours: Ours::new(vec![SocketAddr::from(([0, 0, 0, 0], 2525))]),
        ..RouteSettings::default()
    };
    (knot, Router::new(Resolver::new(&servers, ResolverSettings::default()), settings))
}

fn shown(route: &Route) -> Vec<String> {
    let mut hosts: Vec<String> = route
        .hosts
        .iter()
        .map(|host| {
            let addresses: Vec<String> = host.addresses.iter().map(ToString::to_string).collect();
            format!("{} {} {}", host.preference, host.name, addresses.join(" "))
        })
        .collect();
    hosts.sort();
    hosts
}

#[tokio::test]
async fn mail_goes_where_the_dns_says() {
    let (_knot, router) = start();
    let way = async |to| shown(&router.resolve(&Host::parse(to).unwrap()).await.unwrap());
    let mail = [
        "10 mx1.example 203.0.113.1 2001:db8::1",
        "10 mx2.example 203.0.113.2",
        "20 mx3.example 203.0.113.3",
    ];
    assert_eq!(way("mail.example").await, mail);
    assert_eq!(way("alias.example").await, mail);
    assert_eq!(way("bare.example").await, ["0 bare.example 203.0.113.4"]);
    assert_eq!(way("mxalias.example").await, ["10 other.example 203.0.113.1 2001:db8::1"]);
    assert_eq!(way("half.example").await, ["20 mx3.example 203.0.113.3"]);
    assert_eq!(way("backup.example").await, ["10 mx1.example 203.0.113.1 2001:db8::1"]);
}

#[tokio::test]
async fn mail_that_can_go_nowhere_says_why() {
    let (_knot, router) = start();
    for (to, status) in [
        ("unknown.example", "5.1.2"),
        ("null.example", "5.1.10"),
        ("txt.example", "5.4.4"),
        ("address.example", "5.4.4"),
        ("nobody.example", "5.4.4"),
        ("loop.example", "5.4.6"),
        ("broken.example", "4.4.3"),
        ("a.broken.example", "4.4.3"),
        ("a.elsewhere", "4.4.3"),
    ] {
        let failure = router.resolve(&Host::parse(to).unwrap()).await.unwrap_err();
        assert_eq!(failure.status.to_string(), status, "{to}: {failure}");
    }
}

#[tokio::test]
async fn a_route_lasts_as_long_as_its_records_and_a_broken_one_not_long() {
    let (_knot, router) = start();
    let ttl = async |to| router.resolve(&Host::parse(to).unwrap()).await.unwrap().ttl;
    assert_eq!(ttl("bare.example").await, Span::from_s(300));
    assert_eq!(ttl("half.example").await, Span::from_min(1));
}

#[tokio::test]
async fn a_route_can_be_found_from_any_task() {
    let (_knot, router) = start();
    let target = Target::parse("mx:google.example").unwrap();
    let finding = tokio::spawn(async move { router.resolve_target(&target).await });
    let route = finding.await.unwrap().unwrap();
    let hosts: Vec<Domain> = route
        .hosts
        .iter()
        .filter_map(|host| match &host.name {
            Host::Domain(name) => Some(name.clone()),
            Host::Literal(_) => None,
        })
        .collect();
    let domain = Domain::parse("google.example").unwrap();
    assert_eq!(Providers::built_in().find(&hosts, &domain).as_str(), "google");
}
