//! Looks that the API makes, held against those of the command line.

use serde_json::Value;

use crate::http::Api;
use crate::knot::{Knot, Zone};
use crate::relay::{Home, Relay};

const NOW: &str = "2026-11-01T00:00:00Z";

const MESSAGE: &str = "From: Jo <jo@example.com>\r\nTo: al@example.net\r\nSubject: hello\r\n\
                       Date: Sun, 1 Nov 2026 00:00:00 +0000\r\nMessage-ID: <1@example.com>\r\n\
                       \r\nHello\r\n";

fn start() -> Knot {
    let zone = |name, records| Zone { name, records: Some(records), signed: false };
    let sender = "@ TXT \"v=spf1 ip4:192.0.2.1 -all\"\n@ MX 10 mail\nmail A 192.0.2.25\n\
                  _dmarc TXT \"v=DMARC1; p=reject\"\n";
    Knot::start(&[zone("example.com", sender), zone("com", ""), zone("in-addr.arpa", "")])
}

/// The outcome of every check, and the verdict of every gate.
fn outcomes(report: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let checks = report["checks"].as_array().unwrap_or_else(|| panic!("{report}")).iter();
    let checks = checks.map(|check| (text(&check["id"]), text(&check["result"])));
    let gates = report["gates"].as_object().unwrap().iter();
    let gates = gates.map(|(id, gate)| (id.clone(), text(&gate["verdict"])));
    checks.chain(gates).collect()
}

#[test]
fn the_api_finds_what_the_command_line_finds() {
    let knot = start();
    let resolver = knot.address().to_string();
    let relay = Relay::start(&["--route", "*=127.0.0.1:9", "--resolver", &resolver, "--now", NOW]);
    let api = Api::of(&relay);
    let home = Home::new();
    let file = home.write("mail.eml", MESSAGE);
    let ask = |arguments: &[&str]| -> Value {
        let asked = [&["check"], arguments, &["--json", "--resolver", &resolver]].concat();
        serde_json::from_slice(&home.command(&asked).output().unwrap().stdout).unwrap()
    };
    let bringer =
        ["--ip", "192.0.2.1", "--helo", "mail.example.com", "--mail-from", "b@example.com"];
    let query = "ip=192.0.2.1&helo=mail.example.com&mail_from=b@example.com";

    let said = ask(&[&["message", &file, "--now", NOW][..], &bringer].concat());
    let line = format!("POST /v1/checks/message?{query}");
    let told = api.ask(&line, "Content-Type: message/rfc822\r\n", MESSAGE).json();
    assert_eq!(outcomes(&told), outcomes(&said));
    assert_eq!((&told["spf"], &told["dmarc"]), (&said["spf"], &said["dmarc"]));
    assert_eq!(told["spf"]["result"], "pass");

    let said = ask(&["domain", "example.com", "--now", NOW, "--ip", "192.0.2.1"]);
    let told = api.get("/v1/checks/domain/example.com?ips=192.0.2.1").json();
    assert_eq!(outcomes(&told), outcomes(&said));
    assert_eq!(told["spf"], said["spf"]);

    let said = ask(&["ip", "192.0.2.1", "--helo", "mail.example.com"]);
    let told = api.get("/v1/checks/ip/192.0.2.1?helo=mail.example.com").json();
    assert_eq!(outcomes(&told), outcomes(&said));

    let said = ask(&[&["spf"][..], &bringer].concat());
    assert_eq!(api.get(&format!("/v1/checks/spf?{query}")).json(), said);
}

#[test]
fn a_record_of_spf_is_written_out_alike_and_a_copy_held_against_it() {
    let zone = |name, records| Zone { name, records: Some(records), signed: false };
    let sender = "@ TXT \"v=spf1 include:esp ip4:192.0.2.1 -all\"\n\
                  esp TXT \"v=spf1 ip4:198.51.100.0/24 -all\"\n\
                  old TXT \"v=spf1 ip4:192.0.2.1 ip4:203.0.113.9 -all\"\n"
        .replace("include:esp", "include:esp.example.com");
    let knot = Knot::start(&[zone("example.com", &sender), zone("com", "")]);
    let resolver = knot.address().to_string();
    let relay = Relay::start(&["--route", "*=127.0.0.1:9", "--resolver", &resolver]);
    let asked = ["spf", "flatten", "example.com", "--against", "old.example.com", "--json"];
    let said = Home::new().command(&asked).args(["--resolver", &resolver]).output().unwrap();
    let said: Value = serde_json::from_slice(&said.stdout).unwrap();
    let api = Api::of(&relay);
    let told = api.get("/v1/checks/spf/flat/example.com?against=old.example.com").json();
    assert_eq!(told, said);
    assert_eq!(told["missing"], serde_json::json!(["ip4:198.51.100.0/24"]));
    assert_eq!(told["extra"], serde_json::json!(["ip4:203.0.113.9"]));
    assert_eq!(api.get("/v1/checks/spf/flat/nothing.example.com").status, 400);
    assert_eq!(api.get("/v1/checks/spf/flat/a..b").status, 400);
}

#[test]
fn what_cannot_be_looked_at_is_refused_with_the_cure() {
    let relay = Relay::start(&["--route", "*=127.0.0.1:9", "--resolver", "127.0.0.1:9"]);
    let api = Api::of(&relay);
    let json = api.ask("POST /v1/checks/message", "Content-Type: application/json\r\n", "{}");
    assert_eq!(json.status, 415);
    assert!(json.text().contains("Content-Type: message/rfc822"), "{}", json.text());
    let many = vec!["s"; 33].join(",");
    for (path, cure) in [
        ("/v1/checks/ip/here", "192.0.2.1"),
        ("/v1/checks/domain/a..b", "no domain"),
        (&format!("/v1/checks/domain/a.example?selectors={many}"), "leave some out"),
        ("/v1/checks/spf", "ip"),
        ("/v1/checks/spf?ip=192.0.2.1&nonsense=1", "nonsense"),
    ] {
        let answer = api.get(path);
        assert_eq!(answer.status, 400, "{path}");
        assert!(answer.text().contains(cure), "{path}: {}", answer.text());
    }
}

#[test]
fn without_a_resolver_nothing_passes_that_hangs_on_the_dns() {
    let relay = Relay::start(&["--route", "*=127.0.0.1:9", "--resolver", "127.0.0.1:9"]);
    let found = Api::of(&relay).get("/v1/checks/spf?ip=192.0.2.1&mail_from=b@example.com").json();
    assert_eq!(found["result"], "temperror", "{found}");
}
