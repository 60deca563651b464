//! What a domain publishes, looked at with a real name server, and again from a record.

use std::process::Output;

use serde_json::Value;

use crate::golden::golden;
use crate::knot::{Knot, Zone};
use crate::relay::Home;

/// A key of 1024 bits (RFC 6376 §C.2).
const KEY: &str = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2\
                   jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvH\
                   O9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB";

fn zone<'a>(name: &'a str, records: &'a str) -> Zone<'a> {
    Zone { name, records: Some(records), signed: false }
}

/// Four domains: one with much amiss, one without anything, one that circles, one below nothing.
fn start() -> Knot {
    let amiss = format!(
        "@ TXT \"v=spf1 include:spf.example.com include:gone.example.com ip4:10.0.0.0/8 ptr ?all\"
         spf TXT \"v=spf1 ip4:192.0.2.0/24 a:nobody.example.com -all\"
         gone A 192.0.2.1
         @ MX 10 mail
         mail A 192.0.2.25
         s1._domainkey TXT \"v=DKIM1; t=y; p={KEY}\"
         _dmarc TXT \"v=DMARC1; p=none; pct=50; rua=mailto:d@example.net\"
         _mta-sts TXT \"v=STSv1; id=a-b\"
         _smtp._tls TXT \"v=TLSRPTv1; rua=mailto:t@example.com\"
         default._bimi CNAME brand.gone.example.net.
        "
    );
    let circle = "@ TXT \"v=spf1 include:a.example.org -all\"\na TXT \"v=spf1 include:example.org -all\"\n\
                  round CNAME trip\ntrip CNAME round\n";
    let deep: String = (0..100)
        .map(|n| format!("n{n} TXT \"v=spf1 include:n{}.deep.example.org -all\"\n", n + 1))
        .collect();
    let large: String = (0..400).map(|n| format!("@ TXT \"{n} {}\"\n", "x".repeat(140))).collect();
    Knot::start(&[
        zone("example.com", &amiss),
        zone("example.net", ""),
        zone("example.org", circle),
        zone("deep.example.org", &deep),
        zone("large.example.org", &large),
        zone("com", ""),
        zone("net", ""),
        zone("org", ""),
    ])
}

fn look(home: &Home, arguments: &[&str]) -> Output {
    let now = ["--now", "2026-11-01T00:00:00Z"];
    home.command(&[&["check", "domain"], arguments, &now].concat())
        .env_remove("COLUMNS")
        .output()
        .unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&output.stderr)))
}

fn result<'v>(found: &'v Value, id: &str) -> &'v str {
    let checks = found["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["id"] == id);
    check.unwrap_or_else(|| panic!("{id} is not there"))["result"].as_str().unwrap()
}

#[test]
fn what_a_domain_publishes_is_said_with_what_to_do() {
    let knot = start();
    let resolver = knot.address().to_string();
    let home = Home::new();
    let looked = look(&home, &["example.com", "--selector", "s1", "--resolver", &resolver]);
    assert_eq!(looked.status.code(), Some(1));
    golden("check-domain.txt", &String::from_utf8(looked.stdout).unwrap());
}

#[test]
fn every_check_of_a_domain_is_in_every_report() {
    let knot = start();
    let resolver = knot.address().to_string();
    let home = Home::new();
    for name in ["example.com", "example.net", "example.org", "nobody.example.com"] {
        let found = json(&look(&home, &[name, "--json", "--resolver", &resolver]));
        let checks = found["checks"].as_array().unwrap();
        let ids: Vec<&str> = checks.iter().map(|check| check["id"].as_str().unwrap()).collect();
        for (group, numbers) in SCOPE {
            for number in *numbers {
                let id = format!("{group}-{number:02}");
                assert!(ids.contains(&id.as_str()), "{name}: {id} is missing");
            }
        }
    }
}

/// What is about a domain, by the list of checks.
const SCOPE: &[(&str, &[u8])] = &[
    ("IDN", &[1, 2, 11, 12, 13, 14]),
    ("SPF", &[1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 19, 20, 21, 22]),
    ("DKIM", &[3, 5, 7, 8, 16, 17, 18, 19, 20]),
    ("DMARC", &[1, 2, 3, 5, 6, 7, 8, 9, 10, 12, 13, 14, 15]),
    ("DNS", &[12, 13, 14, 15, 16, 17, 18, 19, 20]),
    ("TLS", &[4, 5, 6, 7, 8, 9, 10, 11]),
    ("BIMI", &[1, 2, 3, 4]),
    ("BULK", &[5, 6, 7, 15]),
];

#[test]
fn a_domain_can_be_looked_at_again_without_any_name_server() {
    let knot = start();
    let resolver = knot.address().to_string();
    let home = Home::new();
    let record = home.path().join("dns.json").display().to_string();
    let seen =
        look(&home, &["example.com", "--json", "--resolver", &resolver, "--record", &record]);
    drop(knot);
    let again = look(&home, &["example.com", "--json", "--replay", &record]);
    assert_eq!((again.status.code(), json(&again)), (seen.status.code(), json(&seen)));
}

#[test]
fn without_answers_nothing_passes_and_nothing_fails() {
    let home = Home::new();
    let record = home.write("dns.json", "[]");
    let looked = look(&home, &["example.com", "--json", "--replay", &record]);
    assert_eq!(looked.status.code(), Some(3));
    let found = json(&looked);
    for id in ["IDN-01", "SPF-01", "DMARC-01", "DNS-12", "DNS-14", "DNS-16", "TLS-06", "BIMI-01"] {
        assert!(matches!(result(&found, id), "error" | "skip"), "{id}: {}", result(&found, id));
    }
    let fails = |check: &&Value| check["result"] == "fail" || check["result"] == "warn";
    assert_eq!(found["checks"].as_array().unwrap().iter().find(fails), None);
}

#[test]
fn records_that_circle_or_go_deep_cost_bounded_work() {
    let knot = start();
    let resolver = knot.address().to_string();
    let home = Home::new();
    let found = json(&look(&home, &["example.org", "--json", "--resolver", &resolver]));
    assert_eq!(result(&found, "SPF-12"), "fail");
    let found = json(&look(&home, &["n0.deep.example.org", "--json", "--resolver", &resolver]));
    assert_eq!((result(&found, "SPF-05"), &found["spf"]["is_cut"]), ("fail", &true.into()));
    // A name that is an alias of itself has no answers.
    let found = json(&look(&home, &["round.example.org", "--json", "--resolver", &resolver]));
    assert_eq!(result(&found, "SPF-01"), "error");
    // 64 KiB of texts, as many as a message can hold.
    let found = json(&look(&home, &["large.example.org", "--json", "--resolver", &resolver]));
    assert_eq!(result(&found, "DNS-17"), "warn");
}

#[test]
fn what_is_no_domain_is_said_so() {
    let home = Home::new();
    let looked = look(&home, &["exa mple"]);
    assert_eq!(looked.status.code(), Some(2));
    let said = String::from_utf8_lossy(&looked.stderr).into_owned();
    assert!(said.contains("is no domain"), "{said}");
}

#[test]
fn a_record_is_written_out_and_a_copy_that_lacks_a_network_is_told() {
    let records = "source TXT \"v=spf1 include:spf exists:%{i}.x.example a:mail.example ~all\"\n\
                   source2 TXT \"v=spf1 include:spf.example exists:%{i}.x.example a:mail.example ~all\"\n\
                   spf TXT \"v=spf1 ip4:192.0.2.0/25 ip4:192.0.2.128/25 -all\"\nmail A 198.51.100.7\n\
                   good TXT \"v=spf1 ip4:192.0.2.0/24 ip4:198.51.100.0/24 ~all\"\n\
                   stale TXT \"v=spf1 ip4:192.0.2.0/24 ~all\"\n";
    let knot = Knot::start(&[zone("example", records)]);
    let resolver = knot.address().to_string();
    let home = Home::new();
    let flatten = |arguments: &[&str]| {
        let whole = [&["spf", "flatten", "example", "--resolver", &resolver], arguments].concat();
        let output = home.command(&whole).env_remove("COLUMNS").output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, text) = flatten(&["--source", "source2.example"]);
    let written =
        "example. TXT \"v=spf1 ip4:192.0.2.0/24 exists:%{i}.x.example ip4:198.51.100.7 ~all\"\n";
    assert_eq!((code, text.as_str()), (Some(0), written));
    let against = |copy: &str| flatten(&["--source", "source2.example", "--against", copy]);
    let (code, text) = against("stale.example");
    assert_eq!(code, Some(1));
    assert!(text.starts_with("missing     ip4:198.51.100.7\n"), "{text}");
    let (code, text) = against("good.example");
    assert_eq!(code, Some(0));
    assert!(text.contains("left over   ip4:198.51.100.0/24"), "{text}");
    // A record that cannot be read is no record to write out.
    assert_eq!(flatten(&["--source", "source.example"]).0, Some(1));
}
