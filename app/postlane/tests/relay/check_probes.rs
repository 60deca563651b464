//! What is tried out where that is wanted: mailboxes at a real Postfix, pages, ways out of a list,
//! and links.

use std::net::SocketAddr;
use std::process::Output;

use serde_json::Value;

use crate::knot::{Knot, Zone};
use crate::postfix::Postfix;
use crate::relay::Home;
use crate::tls_host::{Authority, Page, Web};

const RECORDS: &str = "@ MX 10 mail
     mail A 198.51.100.25
     @ A 198.51.100.80
     @ TXT \"v=spf1 ip4:198.51.100.0/25 -all\"
     _spf-source TXT \"v=spf1 ip4:198.51.100.0/24 -all\"
    ";

/// A domain whose mail a Postfix takes, whose pages lie on a web server, and who looks at it.
struct Place {
    home: Home,
    knot: Knot,
    postfix: Postfix,
    web: Web,
    root: String,
}

const HOSTS: [&str; 4] =
    ["shop.example", "u.shop.example", "gone.shop.example", "www.shop.example"];

impl Place {
    fn new() -> Self {
        let (home, authority) = (Home::new(), Authority::new());
        let root = authority.write(&home);
        let zone = Zone { name: "shop.example", records: Some(RECORDS), signed: false };
        let top = Zone { name: "example", records: Some(""), signed: false };
        let postfix = Postfix::with_mailboxes(
            "virtual_mailbox_domains = shop.example\n\
             virtual_mailbox_maps = inline:{ postmaster@shop.example=mail/, u@shop.example=mail/ }\n\
             smtpd_tls_security_level = may\n\
             smtpd_tls_chain_files = ${config_directory}/chain.pem\n",
        );
        let (certificate, key) = authority.pem(&["mail.shop.example"]);
        std::fs::write(postfix.path().join("chain.pem"), key + &certificate).unwrap();
        let web = Web::start(authority.shown(&HOSTS, 2040));
        web.put("shop.example", Page::Text("200 OK", "<a href=/i>Impressum</a>"));
        web.put("u.shop.example", Page::Text("200 OK", "<form method=post>Leave?</form>"));
        web.put("POST u.shop.example", Page::Text("200 OK", ""));
        Self { home, knot: Knot::start(&[zone, top]), postfix, web, root }
    }

    fn run(&self, words: &[&str]) -> Output {
        let map = |host: &str, to: SocketAddr| format!("--map={host}={to}");
        let mut all: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        all.push(map("mail.shop.example:25", self.postfix.smtp));
        all.extend(HOSTS.map(|host| map(&format!("{host}:443"), self.web.address)));
        all.push(format!("--extra-root={}", self.home.path().join(&self.root).display()));
        all.push(format!("--resolver={}", self.knot.address()));
        all.push("--json".to_owned());
        let words: Vec<&str> = all.iter().map(String::as_str).collect();
        self.home.command(&words).output().unwrap()
    }

    /// What a run says of some checks.
    fn says<const N: usize>(&self, words: &[&str], ids: [&str; N]) -> [(String, String); N] {
        said(&self.run(words), ids)
    }
}

fn said<const N: usize>(output: &Output, ids: [&str; N]) -> [(String, String); N] {
    let found: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&output.stderr)));
    ids.map(|id| {
        let check = found["checks"].as_array().unwrap().iter().find(|check| check["id"] == id);
        let check = check.unwrap_or_else(|| panic!("{id} is not there"));
        let word = |key: &str| check[key].as_str().unwrap().to_owned();
        (word("result"), word("evidence"))
    })
}

fn results<const N: usize>(said: &[(String, String); N]) -> [&str; N] {
    said.each_ref().map(|(result, _)| result.as_str())
}

const UNSUBSCRIBE: [&str; 2] =
    ["--unsubscribe=https://u.shop.example/x", "--unsubscribe=mailto:u@shop.example?subject=x"];

#[test]
fn mailboxes_pages_and_ways_out_are_tried_where_that_is_wanted_and_not_otherwise() {
    let place = Place::new();
    let ids = ["IDN-12", "IDN-13", "BULK-05", "BULK-06", "BULK-07", "TLS-05"];
    let quiet = place.says(&["check", "domain", "shop.example"], ids);
    assert_eq!(results(&quiet), ["skip"; 6], "{quiet:?}");
    assert_eq!(place.web.asked(), Vec::<String>::new());
    let [page, mailto] = UNSUBSCRIBE;
    let tried = ["check", "domain", "shop.example", "--probe", page, mailto];
    let said = place.says(&tried, ids);
    assert_eq!(results(&said), ["warn", "pass", "pass", "pass", "pass", "pass"], "{said:?}");
    assert!(said[0].1.contains("postmaster@shop.example: 250") && said[0].1.contains("abuse"));
    assert!(said[0].1.contains("abuse@shop.example: 550"), "{}", said[0].1);
    // Both under TLS, and nobody says DATA.
    place.postfix.says(&["disconnect from", "starttls=1 mail=1 rcpt=0/1 rset=1 quit=1"]);
    place.postfix.says(&["disconnect from", "starttls=1 mail=1 rcpt=1 rset=1 quit=1"]);
    let asked = place.web.asked();
    let of_list: Vec<&String> = asked.iter().filter(|one| one.contains("//u.")).collect();
    assert_eq!(
        of_list,
        [
            "GET https://u.shop.example/x",
            "POST https://u.shop.example/x List-Unsubscribe=One-Click"
        ]
    );
}

#[test]
fn a_way_out_that_redirects_or_acts_on_a_look_is_a_fault_and_is_found_again_in_a_record() {
    let place = Place::new();
    place.web.put("POST u.shop.example", Page::Redirection);
    place.web.put("u.shop.example", Page::Text("200 OK", "You have been unsubscribed."));
    place.web.put("shop.example", Page::Text("200 OK", "Hello"));
    let ids = ["IDN-13", "BULK-05", "BULK-06", "BULK-07"];
    let record = place.home.path().join("dns.json").display().to_string();
    let [page, _] = UNSUBSCRIBE;
    let tried = ["check", "domain", "shop.example", "--probe", page];
    let now = ["--now", "2026-11-01T00:00:00Z", "--record", &record];
    let first =
        place.run(&[&tried[..], &now, &["--unsubscribe=mailto:abuse@shop.example"]].concat());
    let found = said(&first, ids);
    assert_eq!(results(&found), ["warn", "fail", "fail", "warn"], "{found:?}");
    let again = ["--json", "--now", "2026-11-01T00:00:00Z", "--replay", &record];
    let again = [&tried[..], &again, &["--unsubscribe=mailto:abuse@shop.example"]].concat();
    let again = place.home.command(&again).output().unwrap();
    assert_eq!(first.stdout, again.stdout, "{}", String::from_utf8_lossy(&again.stderr));
}

#[test]
fn links_are_followed_where_that_is_wanted_and_those_that_act_never() {
    let place = Place::new();
    let mail = "From: a@shop.example\r\nTo: jo@example.net\r\nSubject: x\r\n\
        List-Unsubscribe: <https://u.shop.example/x>\r\n\r\n\
        https://shop.example/a https://gone.shop.example/b https://u.shop.example/x\r\n\
        https://shop.example/confirm?c=1 http://shop.example/plain\r\n";
    let file = place.home.path().join(place.home.write("mail.eml", mail)).display().to_string();
    let [quiet] = place.says(&["check", "message", &file], ["CNT-04"]);
    assert_eq!(quiet.0, "skip", "{quiet:?}");
    assert_eq!(place.web.asked(), Vec::<String>::new());
    let [said] = place.says(&["check", "message", &file, "--fetch-links"], ["CNT-04"]);
    assert_eq!(said.0, "warn", "{said:?}");
    assert!(said.1.contains("gone.shop.example/b: status 404"), "{}", said.1);
    assert!(said.1.contains("3 not followed"), "{}", said.1);
    let mut asked = place.web.asked();
    asked.sort_unstable();
    assert_eq!(asked, ["GET https://gone.shop.example/b", "GET https://shop.example/a"]);
}

#[test]
fn a_copy_of_a_record_is_held_against_its_source_and_an_address_against_the_copy() {
    let place = Place::new();
    let source = ["check", "domain", "shop.example", "--spf-source", "_spf-source.shop.example"];
    let [drift] = place.says(&source, ["SPF-19"]);
    assert_eq!(drift.0, "fail", "{drift:?}");
    assert!(drift.1.contains("198.51.100.0/24"), "{}", drift.1);
    for (address, expected) in [("198.51.100.7", "pass"), ("198.51.100.200", "fail")] {
        let look = ["check", "ip", address, "--mail-from", "b@shop.example"];
        let [covered] = place.says(&look, ["SPF-20"]);
        assert_eq!(covered.0, expected, "{covered:?}");
    }
}
