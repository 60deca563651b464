use crate::dns::{Exchange, Table};

use super::*;

fn domain(name: &str) -> Domain {
    Domain::parse(name).unwrap()
}

fn mx(table: Table, of: &str, preference: u16, exchange: &str) -> Table {
    let exchange = if exchange == "." { Exchange::Root } else { Exchange::Host(domain(exchange)) };
    table.with_mx(&domain(of), preference, exchange)
}

fn at(table: Table, host: &str, address: &str) -> Table {
    table.with_address(&domain(host), address.parse().unwrap())
}

fn settings() -> RouteSettings {
    let ours = Ours::new(vec!["192.0.2.25:25".parse().unwrap()]);
    let never = vec!["10.0.0.0/8".parse().unwrap()];
    RouteSettings { ours, never, ..RouteSettings::default() }
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// A route in one line: `preference name address…`, then what was left out.
fn found(table: Table, settings: RouteSettings, destination: &str) -> String {
    let router = Router::new(table, settings);
    shown(run(router.resolve(&Host::parse(destination).unwrap())))
}

fn shown(route: Result<Route, RouteFailure>) -> String {
    let route = match route {
        Ok(route) => route,
        Err(failure) => return failure.status.to_string(),
    };
    let hosts = route.hosts.iter().map(|host| {
        let addresses: Vec<String> = host.addresses.iter().map(ToString::to_string).collect();
        format!("{} {} {}", host.preference, host.name, addresses.join(" "))
    });
    let skipped = route.skipped.iter().map(|skipped| format!("-{}", skipped.host));
    hosts.chain(skipped).collect::<Vec<_>>().join(", ")
}

#[test]
fn mail_goes_to_the_exchangers_lowest_preference_first() {
    let table = mx(Table::new(), "example.test", 20, "b.test");
    let table = mx(table, "example.test", 10, "a.test");
    let table = at(at(table, "a.test", "192.0.2.1"), "a.test", "2001:db8::1");
    let table = at(table, "b.test", "192.0.2.2");
    assert_eq!(
        found(table, settings(), "example.test"),
        "10 a.test 192.0.2.1 2001:db8::1, 20 b.test 192.0.2.2"
    );
}

#[test]
fn a_domain_without_an_exchanger_is_its_own_host() {
    let router = Router::new(at(Table::new(), "example.test", "192.0.2.1"), settings());
    let route = run(router.resolve(&Host::parse("example.test").unwrap())).unwrap();
    assert!(route.implicit);
    assert_eq!(shown(Ok(route)), "0 example.test 192.0.2.1");
}

#[test]
fn a_domain_with_exchangers_is_never_its_own_host() {
    let table = at(mx(Table::new(), "example.test", 10, "a.test"), "example.test", "192.0.2.1");
    assert_eq!(found(table, settings(), "example.test"), "5.4.4");
}

#[test]
fn every_kind_of_nothing_has_its_own_status() {
    assert_eq!(found(Table::new(), settings(), "unknown.test"), "5.1.2");
    let null = mx(Table::new(), "null.test", 0, ".");
    assert_eq!(found(null, settings(), "null.test"), "5.1.10");
    for failure in [DnsError::ServFail, DnsError::TimedOut, DnsError::Refused, DnsError::AliasLoop]
    {
        let table = Table::new().with_failure(&domain("down.test"), failure);
        assert_eq!(found(table, settings(), "down.test"), "4.4.3");
    }
    let table = mx(Table::new(), "example.test", 10, "a.test");
    let table = table.with_failure(&domain("a.test"), DnsError::ServFail);
    assert_eq!(found(table, settings(), "example.test"), "4.4.3");
}

#[test]
fn one_host_that_can_be_found_is_a_route() {
    let table = mx(Table::new(), "example.test", 10, "a.test");
    let table = mx(table, "example.test", 20, "b.test");
    let table = table.with_failure(&domain("a.test"), DnsError::ServFail);
    let table = at(table, "b.test", "192.0.2.2");
    assert_eq!(found(table, settings(), "example.test"), "20 b.test 192.0.2.2, -a.test");
}

#[test]
fn a_family_that_is_off_is_not_asked_for() {
    let table = mx(Table::new(), "example.test", 10, "a.test");
    let table = at(at(table, "a.test", "192.0.2.1"), "a.test", "2001:db8::1");
    let v4 = RouteSettings { families: Families::V4, ..settings() };
    let router = Router::new(std::sync::Arc::new(table), v4);
    let route = run(router.resolve(&Host::parse("example.test").unwrap()));
    assert_eq!(shown(route), "10 a.test 192.0.2.1");
    assert_eq!(router.dns.asked(), ["ipv4 a.test", "mx example.test"]);
}

#[test]
fn a_host_that_has_only_the_other_family_is_waited_for() {
    let v6 = || RouteSettings { families: Families::V6, ..settings() };
    let table = at(mx(Table::new(), "example.test", 10, "a.test"), "a.test", "192.0.2.1");
    assert_eq!(found(table, v6(), "example.test"), "4.4.4");
    let nobody = mx(Table::new(), "example.test", 10, "nobody.test");
    assert_eq!(found(nobody, v6(), "example.test"), "5.4.4");
}

#[test]
fn an_address_literal_is_its_own_host() {
    let literal = |text, settings| found(Table::new(), settings, text);
    assert_eq!(literal("[192.0.2.1]", settings()), "0 [192.0.2.1] 192.0.2.1");
    assert_eq!(literal("[IPv6:2001:db8::1]", settings()), "0 [IPv6:2001:db8::1] 2001:db8::1");
    assert_eq!(literal("[192.0.2.25]", settings()), "5.4.6");
    assert_eq!(literal("[IPv6:::ffff:192.0.2.25]", settings()), "5.4.6");
    assert_eq!(literal("[0.0.0.0]", settings()), "5.4.4");
    assert_eq!(literal("[10.1.2.3]", settings()), "5.4.4");
    let v6 = RouteSettings { families: Families::V6, ..settings() };
    assert_eq!(literal("[192.0.2.1]", v6), "4.4.4");
}

#[test]
fn addresses_that_mail_is_never_sent_to_are_left_out() {
    let table = at(Table::new(), "example.test", "10.1.2.3");
    let table = at(at(table, "example.test", "::ffff:192.0.2.9"), "example.test", "0.0.0.0");
    assert_eq!(found(table, settings(), "example.test"), "5.4.4");
    let table = at(at(Table::new(), "example.test", "10.1.2.3"), "example.test", "192.0.2.1");
    assert_eq!(found(table, settings(), "example.test"), "0 example.test 192.0.2.1");
}

#[test]
fn hosts_and_addresses_are_limited() {
    let mut table = Table::new();
    for n in 0..40_u16 {
        let host = format!("h{n}.test");
        table = mx(table, "example.test", n, &host);
        for last in 1..=30 {
            table = at(table, &host, &format!("192.0.2.{}", 100 + last));
        }
    }
    let router = Router::new(table, settings());
    let route = run(router.resolve(&Host::parse("example.test").unwrap())).unwrap();
    assert_eq!(route.hosts.len(), 20);
    assert!(route.hosts.iter().all(|host| host.addresses.len() == 16));
    assert_eq!(route.hosts[19].preference, 19);
}

#[test]
fn a_target_is_found_by_its_addresses_unless_its_exchangers_are_meant() {
    let table = at(mx(Table::new(), "relay.test", 10, "mx.test"), "mx.test", "192.0.2.2");
    let router = Router::new(at(table, "relay.test", "192.0.2.1"), settings());
    let target = |text| shown(run(router.resolve_target(&Target::parse(text).unwrap())));
    assert_eq!(target("relay.test:587"), "0 relay.test 192.0.2.1");
    assert_eq!(target("mx:relay.test"), "10 mx.test 192.0.2.2");
    assert_eq!(target("[127.0.0.1]:2525"), "0 [127.0.0.1] 127.0.0.1");
    assert_eq!(target("[192.0.2.25]:26"), "0 [192.0.2.25] 192.0.2.25");
}

#[test]
fn a_mistake_in_a_static_route_makes_mail_wait_and_never_bounces_it() {
    let router = Router::new(Table::new(), settings());
    for text in ["mistyped.test:587", "mx:mistyped.test", "[192.0.2.25]:25", "[0.0.0.0]"] {
        let failure = run(router.resolve_target(&Target::parse(text).unwrap())).unwrap_err();
        assert_eq!(failure.status.to_string(), "4.3.5", "{failure}");
    }
}

#[test]
fn failures_are_good_for_as_long_as_the_dns_says_within_bounds() {
    let long = Table::new().with_ttl(&domain("unknown.test"), Span::from_h(9));
    let failure = run(Router::new(long, settings()).resolve(&Host::parse("unknown.test").unwrap()));
    assert_eq!(failure.unwrap_err().ttl, Span::from_h(1));
    let down = Table::new().with_failure(&domain("down.test"), DnsError::TimedOut);
    let failure = run(Router::new(down, settings()).resolve(&Host::parse("down.test").unwrap()));
    assert_eq!(failure.unwrap_err().ttl, Span::from_min(1));
}
