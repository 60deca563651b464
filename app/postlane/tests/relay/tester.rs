//! The email tester, with a real name server and real senders.

use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::{Value, json};

use crate::http::{Answer, Api};
use crate::knot::{Knot, Zone, free_address};
use crate::relay::{Home, PATIENCE, Relay};

const RECORDS: &str = "@ TXT \"v=spf1 ip4:127.0.0.1 -all\"\n@ MX 10 mail\nmail A 192.0.2.25\n\
    _dmarc TXT \"v=DMARC1; p=reject\"\n";

/// A server for the sender's zone; nothing else is known.
fn knot() -> Knot {
    let zone = |name, records| Zone { name, records: Some(records), signed: false };
    Knot::start(&[zone("shop.example", RECORDS), zone("example", ""), zone("arpa", "")])
}

/// What a relay with a public listener is told.
fn config(more: &str, resolver: SocketAddr) -> String {
    format!(
        "[[listener]]\naddress = \"127.0.0.1:0\"\ntests = true\n[tester]\ndomain = \
         \"test.example.net\"\n{more}\n[delivery]\nresolvers = [\"{resolver}\"]\n[relay]\nnetworks = []\n"
    )
}

fn start(more: &str) -> (Knot, Relay) {
    let knot = knot();
    let relay = Home::new().start_by_file(&config(more, knot.address()));
    (knot, relay)
}

fn make(relay: &Relay) -> Value {
    let made = Api::of(relay).post("/v1/tests", &json!({}));
    assert_eq!(made.status, 200, "{}", made.text());
    made.json()
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap()
}

/// Hands a message to a test address; how swaks ended, and what was said.
fn send(relay: &Relay, to: &str, options: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new("swaks");
    command.args(["--server", &relay.smtp.to_string(), "--ehlo", "mail.shop.example"]);
    command.args(["--timeout", "60", "--from", "news@shop.example", "--to", to]).args(options);
    let output = command.stdin(Stdio::null()).output();
    let output = output.expect("swaks is missing: run `cargo xtask peers`");
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&said).into_owned())
}

/// The test as it stands when as many of its messages have a report.
pub(crate) fn reported(relay: &Relay, id: &str, many: usize) -> Value {
    let patience = Instant::now() + PATIENCE;
    loop {
        let story = Api::of(relay).get(&format!("/v1/tests/{id}")).json();
        let messages = story["messages"].as_array().unwrap();
        if messages.len() >= many && messages.iter().all(|one| one == "reported") {
            return story;
        }
        assert!(Instant::now() < patience, "{story}\n{}", relay.log());
        std::thread::yield_now();
    }
}

pub(crate) fn result<'r>(story: &'r Value, id: &str) -> &'r str {
    let tests = story["report"]["tests"].as_array().unwrap();
    text(tests.iter().find(|row| row["id"] == id).unwrap(), "result")
}

/// A page as anybody gets it who has its link.
fn page(relay: &Relay, made: &Value, behind: &str) -> Answer {
    let path = text(made, "link").split_once("/t/").unwrap().1;
    Api::with(relay, "none").get(&format!("/t/{path}{behind}"))
}

#[test]
fn a_message_to_a_test_address_is_looked_at_and_never_sent() {
    let (_knot, relay) = start("");
    let made = make(&relay);
    let (code, said) = send(&relay, text(&made, "address"), &[]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("250 2.0.0 Ok: taken for a test, and never sent on"), "{said}");
    let story = reported(&relay, text(&made, "id"), 1);
    let report = &story["report"];
    assert_eq!(report["headline"]["of"], 54);
    assert_eq!(report["tests"].as_array().unwrap()[0]["id"], "FMT-01");
    assert_eq!(result(&story, "SPF-04"), "pass");
    assert_eq!(result(&story, "DKIM-01"), "fail");
    assert_eq!(report["gates"]["united-internet"]["verdict"], "blocked");
    assert_eq!(report["spf"]["result"], "pass");
    assert_eq!(report["arrival"]["helo"], "mail.shop.example");
    assert_eq!(report["arrival"]["client"], "127.0.0.1");
    assert_eq!(relay.ask_json(&["queue", "list"]).len(), 0);
    assert!(!relay.log().contains("event=accepted"), "{}", relay.log());
}

#[test]
fn what_the_relay_itself_sends_to_a_test_address_is_tested_and_goes_round_nowhere() {
    let records = "test MX 10 us\nround MX 10 us\nus A 127.0.0.1\n";
    let zone = |name, records| Zone { name, records: Some(records), signed: false };
    let knot = Knot::start(&[zone("example.net", records), zone("arpa", "")]);
    let port = free_address().unwrap().port();
    let file = format!(
        "[[listener]]\naddress = \"127.0.0.1:{port}\"\ntests = true\n[tester]\ndomain = \
         \"test.example.net\"\n[delivery]\nresolvers = [\"{}\"]\nmx_port = {port}\n",
        knot.address()
    );
    let relay = Home::new().start_by_file(&file);
    let made = make(&relay);
    let hand_in = |to: &str| {
        let says = ["--subject", "News", "--text", "There are news."];
        let from = ["send", "--from", "news@shop.example", "--to", to];
        let sent = relay.ask(&[&from[..], &says[..]].concat());
        relay.outcome(String::from_utf8(sent.stdout).unwrap().trim())
    };
    let address = text(&made, "address").to_owned();
    let outcome = hand_in(&address);
    assert!(outcome.contains("taken for a test, and never sent on"), "{outcome}");
    reported(&relay, text(&made, "id"), 1);
    let stranger = hand_in("nobody@test.example.net");
    assert!(stranger.contains("event=bounced") && stranger.contains("code=550"), "{stranger}");
    let round = hand_in("jo@round.example.net");
    assert!(round.contains("leads back to this relay"), "{round}");
}

#[test]
fn the_command_makes_an_address_waits_and_tells() {
    let (_knot, relay) = start("");
    let made = relay.ask_json(&["tester", "new", "--no-wait", "--expires", "30m"]);
    let (code, said) = send(&relay, text(&made[0], "address"), &[]);
    assert_eq!(code, Some(0), "{said}");
    let id = text(&made[0], "id").to_owned();
    reported(&relay, &id, 1);
    let shown = relay.ask(&["tester", "show", &id]);
    let told = String::from_utf8(shown.stdout).unwrap();
    assert_eq!(shown.status.code(), Some(1), "{told}");
    assert!(told.contains("/54 tests passed") && told.contains("fail DKIM-01"), "{told}");
    let listed = relay.ask(&["tester", "list"]);
    assert!(String::from_utf8(listed.stdout).unwrap().contains(&id));
}

#[test]
fn who_has_the_link_reads_the_report_and_nobody_else() {
    let (_knot, relay) = start("");
    let made = make(&relay);
    let waits = page(&relay, &made, "");
    assert_eq!(waits.status, 200);
    assert!(waits.text().contains(text(&made, "address")), "{}", waits.text());
    let hostile =
        "Subject: <script>alert(1)</script> &amp; \"'\nX-Odd: </pre><img src=x onerror=alert(2)>";
    let header = ["--header", hostile, "--body", "<script>alert(3)</script>"];
    let (code, said) = send(&relay, text(&made, "address"), &header);
    assert_eq!(code, Some(0), "{said}");
    reported(&relay, text(&made, "id"), 1);
    let shown = page(&relay, &made, "");
    assert_eq!(shown.field("cache-control"), Some("no-store"));
    assert_eq!(shown.field("referrer-policy"), Some("no-referrer"));
    assert_eq!(shown.field("x-robots-tag"), Some("noindex, nofollow, noarchive"));
    let policy = shown.field("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'unsafe-inline'"), "{policy}");
    for tag in ["<script", "<img", "onerror=alert(2)>"] {
        assert!(!shown.text().contains(tag), "{tag} in {}", shown.text());
    }
    assert!(shown.text().contains("alert(1)"), "{}", shown.text());
    let json = page(&relay, &made, ".json").json();
    assert_eq!(json["report"]["headline"]["of"], 54);
    let path = text(&made, "link").split_once("/t/").unwrap().1;
    let guessed =
        format!("{}{}", &path[..path.len() - 1], if path.ends_with('0') { "1" } else { "0" });
    let stranger = Api::with(&relay, "none");
    for wrong in [format!("/t/{guessed}"), "/t/x".to_owned(), format!("/t/{}", text(&made, "id"))] {
        assert_eq!(stranger.get(&wrong).status, 404, "{wrong}");
    }
    assert_eq!(stranger.get(&format!("/v1/tests/{}", text(&made, "id"))).status, 401);
}

#[test]
fn a_message_that_was_taken_has_its_report_whatever_happens_to_the_relay() {
    let (knot, relay) = start("");
    let made = make(&relay);
    let (code, said) = send(&relay, text(&made, "address"), &[]);
    assert_eq!(code, Some(0), "{said}");
    let relay = relay.crash().start_by_file(&config("", knot.address()));
    let story = reported(&relay, text(&made, "id"), 1);
    assert_eq!(result(&story, "SPF-04"), "pass");
    let (code, said) = send(&relay, text(&made, "address"), &[]);
    assert_eq!(code, Some(0), "the address is what it was: {said}");
}

#[test]
fn what_is_too_much_for_a_test_is_refused() {
    let (_knot, relay) = start("message_size = \"64KiB\"\nmessages = 1\n");
    let made = make(&relay);
    let address = text(&made, "address");
    let large = "x".repeat(70) + "\n";
    let (code, said) = send(&relay, address, &["--body", &large.repeat(1_000)]);
    assert!(code != Some(0) && said.contains("552"), "{said}");
    let (code, said) = send(&relay, address, &[]);
    assert_eq!(code, Some(0), "what was refused is not counted: {said}");
    let (code, said) = send(&relay, address, &[]);
    assert!(code != Some(0) && (said.contains("452") || said.contains("550")), "{said}");
}

#[test]
fn a_client_that_sends_too_often_waits() {
    let (_knot, relay) = start("per_client = \"1/h\"\n");
    let made = make(&relay);
    let (code, said) = send(&relay, text(&made, "address"), &[]);
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = send(&relay, text(&made, "address"), &[]);
    assert!(code != Some(0) && said.contains("45"), "{said}");
}

#[test]
fn an_address_that_nobody_made_takes_nothing() {
    let (_knot, relay) = start("");
    let made = make(&relay);
    let address = text(&made, "address");
    let (local, domain) = address.split_once('@').unwrap();
    let last = if local.ends_with('a') { "b" } else { "a" };
    let forged = format!("{}{last}@{domain}", &local[..local.len() - 1]);
    for wrong in [forged, format!("jo@{domain}"), format!("test-1@{domain}")] {
        let (code, said) = send(&relay, &wrong, &[]);
        assert!(code != Some(0) && said.contains("550"), "{wrong}: {said}");
    }
}

#[test]
fn a_tenant_sees_its_own_tests_alone() {
    let (_knot, relay) = start("");
    let token = |name: &str, tenant: &str| {
        let asked =
            ["token", "new", "--name", name, "--scope", "submit,operate", "--tenant", tenant];
        let made = relay.ask(&asked);
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        String::from_utf8(made.stdout).unwrap().trim().to_owned()
    };
    let (acme, thief) = (token("acme", "acme"), token("thief", "thief"));
    let made = Api::with(&relay, &acme).post("/v1/tests", &json!({}));
    assert_eq!(made.status, 200, "{}", made.text());
    let path = format!("/v1/tests/{}", text(&made.json(), "id"));
    assert_eq!(Api::with(&relay, &acme).get(&path).status, 200);
    let stolen = Api::with(&relay, &thief);
    assert_eq!(stolen.get(&path).status, 404);
    let listed = stolen.get("/v1/tests");
    assert!(!listed.text().contains(text(&made.json(), "address")), "{}", listed.text());
}
