use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn any_text_is_a_pattern_that_reads_as_it_prints_or_none(
        text in "(sender:|provider:)?(\\*?\\.)?[\\[\\]a-c@:.=\"\\PC]{0,20}",
    ) {
        if let Ok(pattern) = Pattern::parse(&text) {
            prop_assert_eq!(Pattern::parse(&pattern.to_string()), Ok(pattern));
        }
        StaticRoute::parse(&format!("{text}=relay.test")).ok();
    }
}

fn routes(texts: &[&str]) -> StaticRoutes {
    let routes = texts.iter().map(|text| StaticRoute::parse(text).unwrap());
    StaticRoutes::new(routes.collect()).unwrap()
}

fn found(routes: &StaticRoutes, sender: &str, to: &str, provider: Option<&str>) -> Option<String> {
    let sender = ReversePath::parse(sender).unwrap();
    routes.find(&sender, &Host::parse(to).unwrap(), provider).map(ToString::to_string)
}

#[test]
fn the_most_specific_route_holds_whatever_the_order_they_are_written_in() {
    let mut texts = vec![
        "*=all.test",
        "sender:.example.com=sender-below.test",
        "sender:example.com=sender-at.test",
        "sender:a@example.com=sender.test",
        "provider:google=provider.test",
        ".b.test=b.test",
        "*.a.b.test=a.test",
        "c.a.b.test=c.test",
    ];
    for _ in 0..2 {
        let routes = routes(&texts);
        let at = |sender, to, provider| found(&routes, sender, to, provider).unwrap();
        assert_eq!(at("a@example.com", "c.a.b.test", Some("google")), "c.test");
        assert_eq!(at("a@example.com", "d.a.b.test", Some("google")), "a.test");
        assert_eq!(at("a@example.com", "a.b.test", Some("google")), "b.test");
        assert_eq!(at("a@example.com", "b.test", Some("google")), "provider.test");
        assert_eq!(at("a@EXAMPLE.com", "b.test", None), "sender.test");
        assert_eq!(at("A@example.com", "b.test", Some("yahoo")), "sender-at.test");
        assert_eq!(at("a@x.y.example.com", "b.test", None), "sender-below.test");
        assert_eq!(at("a@example.org", "b.test", None), "all.test");
        assert_eq!(at("", "b.test", None), "all.test");
        texts.reverse();
    }
}

#[test]
fn without_a_route_for_all_mail_the_rest_goes_by_the_dns() {
    let routes = routes(&["web.de=127.0.0.1:2525"]);
    assert_eq!(found(&routes, "", "web.de", None).as_deref(), Some("[127.0.0.1]:2525"));
    assert_eq!(found(&routes, "", "notweb.de", None), None);
    assert_eq!(found(&routes, "", "a.web.de", None), None);
}

#[test]
fn an_address_literal_can_have_a_route() {
    let routes = routes(&["[192.0.2.1]=relay.test", "*=all.test"]);
    assert_eq!(found(&routes, "", "[192.0.2.1]", None).as_deref(), Some("relay.test"));
    assert_eq!(found(&routes, "", "[192.0.2.2]", None).as_deref(), Some("all.test"));
}

#[test]
fn the_provider_is_asked_for_only_where_it_can_matter() {
    let by_provider = routes(&["provider:google=a.test", "b.test=b.test", ".c.test=c.test"]);
    let asks = |to| by_provider.asks_for_provider(&Host::parse(to).unwrap());
    assert!(asks("d.test") && asks("c.test"));
    assert!(!asks("b.test") && !asks("x.c.test"));
    assert!(!routes(&["*=a.test"]).asks_for_provider(&Host::parse("d.test").unwrap()));
}

#[test]
fn the_sender_is_asked_for_only_where_it_can_matter() {
    assert!(routes(&["*=a.test", "sender:b.test=b.test"]).asks_for_sender());
    assert!(!routes(&["*=a.test", "provider:b=b.test"]).asks_for_sender());
}

#[test]
fn an_equals_sign_may_be_part_of_a_local_part_or_an_option() {
    let route =
        StaticRoute::parse("sender:bounce+a=b@example.com=relay.test:25,tls=never").unwrap();
    assert_eq!(route.pattern.to_string(), "sender:bounce+a=b@example.com");
    assert_eq!(route.target.to_string(), "relay.test:25");
    let route = StaticRoute::parse("*=relay.test,user=me@example.com,password-env=P").unwrap();
    assert_eq!((route.pattern, route.target.credentials.is_some()), (Pattern::All, true));
}

#[test]
fn patterns_print_as_they_are_read() {
    for text in [
        "*",
        "example.com",
        ".example.com",
        "[192.0.2.1]",
        "provider:united-internet",
        "sender:a@example.com",
        "sender:example.com",
        "sender:.example.com",
    ] {
        assert_eq!(Pattern::parse(text).unwrap().to_string(), text);
    }
    assert_eq!(Pattern::parse("*.Bücher.example").unwrap().to_string(), ".xn--bcher-kva.example");
}

#[test]
fn a_text_that_is_no_route_says_what_to_write() {
    for (text, cure) in [
        ("", "write PATTERN=HOST:PORT"),
        ("relay.test:25", "write PATTERN=HOST:PORT"),
        ("=relay.test", "is no pattern"),
        ("a b=relay.test", "is no pattern"),
        ("provider:=relay.test", "is no pattern"),
        ("provider:Google=relay.test", "is no pattern"),
        ("sender:=relay.test", "is no pattern"),
        ("**=relay.test", "is no pattern"),
        ("example.com=", "the route for example.com: no host is given"),
        ("*=relay.test:0", "the route for *: \"0\" is no port"),
    ] {
        let error = StaticRoute::parse(text).unwrap_err().to_string();
        assert!(error.contains(cure), "{text}: {error}");
    }
    let twice = ["a.test=b.test", "A.test=c.test"].map(|text| StaticRoute::parse(text).unwrap());
    let error = StaticRoutes::new(twice.to_vec()).unwrap_err();
    assert!(error.to_string().contains("two routes for a.test"));
}
