use postlane_mail::Domain;
use proptest::prelude::*;

use super::*;

fn host(name: &str) -> Host {
    Host::Domain(Domain::parse(name).unwrap())
}

fn looked_up(preference: u16, name: &str, found: Result<&[&str], Why>) -> LookedUp {
    let found = found.map(|addresses| {
        (addresses.iter().map(|ip| ip.parse().unwrap()).collect(), Span::from_min(10))
    });
    LookedUp { name: host(name), preference, found, incomplete: false, authentic: false }
}

fn not_found() -> Why {
    Why::Dns(DnsError::NxDomain { ttl: Span::from_min(5) })
}

/// We listen at 192.0.2.25, port 25.
fn assembled(hosts: Vec<LookedUp>) -> Result<Route, RouteFailure> {
    let ours = Ours::new(vec!["192.0.2.25:25".parse().unwrap()]);
    let purpose = Purpose {
        destination: &host("example.test"),
        port: 25,
        ours: &ours,
        ttl_min: Span::from_min(1),
        ttl_max: Span::from_h(1),
        mx_ttl: Span::from_h(2),
        implicit: false,
        authentic: false,
    };
    assemble(&purpose, hosts, Vec::new())
}

fn names(route: &Route) -> Vec<String> {
    route.hosts.iter().map(|host| format!("{} {}", host.preference, host.name)).collect()
}

fn status(hosts: Vec<LookedUp>) -> String {
    assembled(hosts).unwrap_err().status.to_string()
}

#[test]
fn hosts_without_addresses_are_left_out() {
    let route = assembled(vec![
        looked_up(20, "b.test", Ok(&["192.0.2.2"])),
        looked_up(10, "a.test", Err(not_found())),
        looked_up(10, "c.test", Ok(&["192.0.2.3", "2001:db8::3"])),
    ])
    .unwrap();
    assert_eq!(names(&route), ["10 c.test", "20 b.test"]);
    assert_eq!(&*route.skipped[0].host, "a.test");
    assert_eq!(route.ttl, Span::from_min(5));
}

#[test]
fn only_hosts_that_are_better_than_ourselves_are_tried() {
    let hosts = || {
        vec![
            looked_up(10, "a.test", Ok(&["192.0.2.1"])),
            looked_up(20, "b.test", Ok(&["192.0.2.2"])),
            looked_up(20, "us.test", Ok(&["2001:db8::25", "192.0.2.25"])),
            looked_up(30, "c.test", Ok(&["192.0.2.3"])),
        ]
    };
    let route = assembled(hosts()).unwrap();
    assert_eq!(names(&route), ["10 a.test"]);
    assert!(route.skipped.iter().all(|skipped| skipped.why == Why::Loop));
    assert_eq!(route.skipped.len(), 3);
    assert_eq!(status(hosts().split_off(1)), "5.4.6");
}

#[test]
fn a_better_host_that_the_dns_did_not_tell_is_waited_for() {
    let hosts = vec![
        looked_up(10, "a.test", Err(Why::Dns(DnsError::ServFail))),
        looked_up(20, "us.test", Ok(&["192.0.2.25"])),
    ];
    assert_eq!(status(hosts), "4.4.3");
    let behind_us = vec![
        looked_up(10, "us.test", Ok(&["192.0.2.25"])),
        looked_up(20, "a.test", Err(Why::Dns(DnsError::ServFail))),
    ];
    assert_eq!(status(behind_us), "5.4.6");
}

#[test]
fn what_may_be_otherwise_next_time_is_not_permanent() {
    let nowhere = || looked_up(10, "a.test", Err(not_found()));
    assert_eq!(status(vec![nowhere()]), "5.4.4");
    let timed_out = looked_up(10, "b.test", Err(Why::Dns(DnsError::TimedOut)));
    assert_eq!(status(vec![nowhere(), timed_out]), "4.4.3");
    let other_family = looked_up(10, "b.test", Err(Why::NoFamily));
    assert_eq!(status(vec![nowhere(), other_family]), "4.4.4");
    let unusable = looked_up(10, "b.test", Err(Why::NoUsableAddress));
    assert_eq!(status(vec![nowhere(), unusable]), "5.4.4");
}

#[test]
fn a_route_is_asked_for_again_when_its_first_record_ends() {
    let mut short = looked_up(20, "b.test", Ok(&["192.0.2.2"]));
    short.found = short.found.map(|(addresses, _)| (addresses, Span::from_s(1)));
    let long = || looked_up(10, "a.test", Ok(&["192.0.2.1"]));
    assert_eq!(assembled(vec![long()]).unwrap().ttl, Span::from_min(10));
    assert_eq!(assembled(vec![long(), short]).unwrap().ttl, Span::from_min(1));
}

#[test]
fn a_route_that_is_not_whole_is_asked_for_again_soon() {
    let whole = || looked_up(10, "a.test", Ok(&["192.0.2.1"]));
    let failed = looked_up(20, "b.test", Err(Why::Dns(DnsError::ServFail)));
    assert_eq!(assembled(vec![whole(), failed]).unwrap().ttl, Span::from_min(1));
    let half = LookedUp { incomplete: true, ..whole() };
    assert_eq!(assembled(vec![half]).unwrap().ttl, Span::from_min(1));
}

#[test]
fn a_failure_says_what_was_found() {
    let failure = assembled(vec![looked_up(10, "a.test", Err(not_found()))]).unwrap_err();
    assert_eq!(
        failure.to_string(),
        "5.4.4 no host takes mail for example.test: a.test the name does not exist"
    );
}

#[test]
fn groups_and_everybody_are_no_hosts() {
    for ip in ["0.0.0.0", "255.255.255.255", "224.0.0.1", "::", "ff02::1"] {
        assert!(!is_a_host(ip.parse().unwrap()), "{ip}");
    }
    for ip in ["127.0.0.1", "192.0.2.1", "::1", "2001:db8::1"] {
        assert!(is_a_host(ip.parse().unwrap()), "{ip}");
    }
}

/// A host: its preference, and whether it is found (0), ourselves (1), unknown (2) or untold (3).
fn any_host() -> impl Strategy<Value = LookedUp> {
    (0..5_u16, 0..4).prop_map(|(preference, kind)| {
        let found = match kind {
            0 => Ok(&["192.0.2.1"][..]),
            1 => Ok(&["192.0.2.25"][..]),
            2 => Err(not_found()),
            _ => Err(Why::Dns(DnsError::ServFail)),
        };
        looked_up(preference, "a.test", found)
    })
}

proptest! {
    #[test]
    fn mail_never_goes_to_ourselves_or_further_away(
        hosts in proptest::collection::vec(any_host(), 0..8),
    ) {
        let is_us = |host: &&LookedUp| matches!(&host.found, Ok((a, _)) if a[0].to_string() == "192.0.2.25");
        let own = hosts.iter().filter(is_us).map(|host| host.preference).min();
        let better = |preference| own.is_none_or(|own| preference < own);
        let count = hosts.len();
        let told = |host: &LookedUp| !matches!(host.found, Err(Why::Dns(DnsError::ServFail)));
        let all_told = hosts.iter().filter(|host| better(host.preference)).all(told);
        match assembled(hosts) {
            Ok(route) => {
                prop_assert!(route.hosts.iter().all(|host| better(host.preference)));
                prop_assert!(route.hosts.is_sorted_by_key(|host| host.preference));
                prop_assert_eq!(route.hosts.len() + route.skipped.len(), count);
            }
            Err(failure) => prop_assert_eq!(failure.is_permanent(), all_told),
        }
    }
}
