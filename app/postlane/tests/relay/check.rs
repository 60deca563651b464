//! What a receiver would make of a message, with a real name server, and again from a record.

use std::process::Output;

use serde_json::Value;

use crate::golden::golden;
use crate::knot::{Knot, Zone};
use crate::relay::Home;

/// RFC 8463 §A.3: signed twice, and the keys of the RFC.
const SIGNED: &str = include_str!("../../../../core/checks/tests/dkim/mail-auth/001.txt");

/// Strings of a TXT record have 255 octets at most.
fn txt(name: &str, text: &str) -> String {
    let strings: Vec<String> = text
        .as_bytes()
        .chunks(200)
        .map(|piece| format!("\"{}\"", String::from_utf8_lossy(piece).replace('"', "\\\"")))
        .collect();
    format!("{name} TXT {}\n", strings.join(" "))
}

/// The zone of football.example.com, with a policy, a record and the message's keys.
pub(crate) fn start() -> (Knot, String) {
    let (keys, message) = SIGNED.split_once("\n\n").unwrap();
    let mut records = txt("@", "v=spf1 include:hosts.football.example.com -all exp=why.%{d}");
    records += &txt("hosts", "v=spf1 a:mail.%{d2r}.invalid ip4:192.0.2.0/24 -all");
    records += &txt("why", "%{i} is no host of %{o}");
    records += &txt("_dmarc", "v=DMARC1; p=reject; rua=mailto:d@football.example.com");
    records += "@ MX 10 mail\nmail A 192.0.2.25\n";
    for key in keys.lines() {
        let (name, key) = key.split_once(' ').unwrap();
        records += &txt(name.strip_suffix(".football.example.com").unwrap(), key);
    }
    let zone = Zone { name: "football.example.com", records: Some(&records), signed: false };
    let others = Zone { name: "com", records: Some(""), signed: false };
    let invalid = Zone { name: "invalid", records: Some(""), signed: false };
    (Knot::start(&[zone, others, invalid]), message.to_owned())
}

fn run(home: &Home, arguments: &[&str]) -> Output {
    home.command(arguments).env_remove("COLUMNS").output().unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&output.stderr)))
}

const FROM: [&str; 4] =
    ["--mail-from", "joe@football.example.com", "--helo", "mail.football.example.com"];

#[test]
fn a_record_says_who_may_send_and_the_exit_status_says_it_too() {
    let (knot, _) = start();
    let resolver = knot.address().to_string();
    let home = Home::new();
    let ask = |ip: &str| {
        let mut arguments = vec!["check", "spf", "--ip", ip, "--resolver", &resolver];
        arguments.extend(FROM);
        run(&home, &arguments)
    };
    assert_eq!(ask("192.0.2.25").status.code(), Some(0));
    let refused = ask("198.51.100.7");
    assert_eq!(refused.status.code(), Some(1));
    golden("check-spf.txt", &String::from_utf8(refused.stdout).unwrap());
}

#[test]
fn a_signed_message_is_good_and_can_be_looked_at_again_without_any_name_server() {
    let (knot, message) = start();
    let resolver = knot.address().to_string();
    let home = Home::new();
    let file = home.write("signed.eml", &message);
    let record = home.path().join("dns.json").display().to_string();
    let look = |from: &[&str]| {
        let now = "2018-06-13T14:00:00Z";
        let mut arguments = vec!["--json", "check", "message", &file, "--ip", "192.0.2.25"];
        arguments.extend(["--now", now, "--transactional"]);
        arguments.extend(FROM);
        arguments.extend(from);
        run(&home, &arguments)
    };
    let seen = look(&["--resolver", &resolver, "--record", &record]);
    let found = json(&seen);
    assert_eq!(found["spf"]["result"], "pass");
    assert_eq!(found["dkim"][0]["result"], "pass");
    assert_eq!(found["dkim"][1]["key_bits"], 1024);
    assert_eq!(found["dmarc"]["result"], "pass");
    assert_eq!(found["dmarc"]["policy"], "reject");
    assert_eq!(found["dmarc"]["psl"]["org_domain"], "example.com");
    assert_eq!(found["dmarc"]["treewalk"]["org_domain"], "football.example.com");
    assert_eq!(found["arc"]["cv"], "none");
    assert_eq!(found["fields"]["from"][0], "joe@football.example.com");
    assert_eq!(found["fields"]["date_utc"], "2003-07-12T04:00:37Z");
    drop(knot);
    let again = look(&["--replay", &record]);
    assert_eq!((again.status.code(), json(&again)), (seen.status.code(), found));
}

#[test]
fn what_is_wrong_is_said_with_what_to_do() {
    let (knot, message) = start();
    let resolver = knot.address().to_string();
    let home = Home::new();
    let broken = message.replace("hungry", "angry").replace("Subject:", "Subject: x\nSubject:");
    let file = home.write("broken.eml", &broken);
    let mut arguments = vec!["check", "message", &file, "--ip", "198.51.100.7", "--transactional"];
    arguments.extend(["--now", "2003-07-12T05:00:00Z", "--resolver", &resolver]);
    arguments.extend(FROM);
    let looked = run(&home, &arguments);
    assert_eq!(looked.status.code(), Some(1));
    golden("check-message.txt", &String::from_utf8(looked.stdout).unwrap());
}

#[test]
fn a_resolver_that_does_not_answer_leaves_it_open() {
    let (_, message) = start();
    let home = Home::new();
    let file = home.write("signed.eml", &message);
    let record = home.write("dns.json", "[]");
    let looked = run(&home, &["--json", "check", "message", &file, "--replay", &record]);
    let found = json(&looked);
    assert_eq!(found["dkim"][0]["result"], "temperror");
    assert_eq!(found["gates"]["united-internet"]["verdict"], "blocked");
    let of = |id: &str| {
        let checks = found["checks"].as_array().unwrap();
        checks.iter().find(|check| check["id"] == id).unwrap()["result"].clone()
    };
    assert_eq!(
        (of("DKIM-02"), of("IDN-05"), of("SPF-04")),
        ("error".into(), "error".into(), "skip".into())
    );
}

#[test]
fn a_file_that_is_not_there_is_said_so() {
    let home = Home::new();
    let looked = run(&home, &["check", "message", "nowhere.eml"]);
    assert_eq!(looked.status.code(), Some(2));
    let said = String::from_utf8_lossy(&looked.stderr).into_owned();
    assert!(said.contains("cannot read nowhere.eml"), "{said}");
}

#[test]
fn a_message_of_a_mailbox_file_is_looked_at_without_the_line_before_it() {
    let home = Home::new();
    let (knot, message) = start();
    let resolver = knot.address().to_string();
    let plain = home.write("plain.eml", &message);
    let mailbox = home.write("mailbox", &format!("From joe@example.com Mon May 9 2022\n{message}"));
    let [plain, mailbox] = [plain, mailbox].map(|file| {
        let now = ["--now", "2026-11-21T12:00:00Z", "--resolver", &resolver, "--json"];
        json(&run(&home, &[&["check", "message", &*file], &now[..]].concat()))
    });
    assert_eq!(plain["dkim"], mailbox["dkim"]);
    assert_eq!(plain["gates"], mailbox["gates"]);
    assert_eq!(plain["fields"]["message_id"], mailbox["fields"]["message_id"]);
}
