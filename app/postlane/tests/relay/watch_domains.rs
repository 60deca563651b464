//! Domains over time, with a real name server: what changed, what is gone, and what is wrong until
//! it is seen fixed.

use std::net::SocketAddr;

use serde_json::Value;

use crate::http::Api;
use crate::knot::{Knot, Zone};
use crate::relay::{Home, Relay};

const MAIL: &str = "@ MX 10 mail\nmail A 192.0.2.25\n";
const OLD_SPF: &str = "v=spf1 ip4:192.0.2.0/24 -all";
const NEW_SPF: &str = "v=spf1 ip4:192.0.2.0/24 ip4:198.51.100.7 -all";
const POLICY: &str = "v=DMARC1; p=reject; rua=mailto:d@example.com";

fn records(spf: &str, policy: Option<&str>) -> String {
    let policy = policy.map(|text| format!("_dmarc TXT \"{text}\"\n")).unwrap_or_default();
    format!("{MAIL}@ TXT \"{spf}\"\n@ TXT \"site-verification=1\"\n{policy}")
}

fn zone<'a>(name: &'a str, records: Option<&'a str>) -> Zone<'a> {
    Zone { name, records, signed: false }
}

/// A name server; none for the records: it fails at them.
fn knot(example: Option<&str>) -> Knot {
    Knot::start(&[
        zone("example.com", example),
        zone(
            "acme-mail.com",
            Some("bounce TXT \"v=spf1 -all\"\nbounce MX 10 mail\nmail A 192.0.2.26\n"),
        ),
        zone("com", Some("")),
    ])
}

fn start(home: Home, resolver: SocketAddr, now: &str) -> Relay {
    let config = format!(
        "[delivery]\nresolvers = [\"{resolver}\"]\n[relay]\nhostname = \"localhost\"\n\
         [watch]\nblocklists = \"off\"\ndomains = [\"example.com\"]\n\
         [[tenant]]\nname = \"acme\"\nbounce_address = \"b@bounce.acme-mail.com\"\n\
         [[route]]\npattern = \"*\"\nto = \"127.0.0.1:9\"\n"
    );
    let file = home.write("postlane.toml", &config);
    home.start(&["--config", &file, "--now", now])
}

fn check(relay: &Relay) -> Value {
    relay.ask_json(&["domains", "check", "example.com"]).remove(0)
}

fn changes(story: &Value) -> Vec<(String, String)> {
    let changes = story["changes"].as_array().unwrap().iter();
    let text = |of: &Value| of.as_str().unwrap().to_owned();
    changes.map(|of| (text(&of["name"]), text(&of["what"]))).collect()
}

fn values(story: &Value, name: &str, kind: &str) -> Vec<String> {
    let all = story["records"].as_array().unwrap();
    let found = all.iter().find(|of| of["name"] == name && of["type"] == kind);
    let values = found.map(|of| of["values"].as_array().unwrap().clone()).unwrap_or_default();
    values.iter().map(|value| value.as_str().unwrap().to_owned()).collect()
}

fn issue<'v>(story: &'v Value, check: &str) -> Option<&'v str> {
    let issues = story["issues"].as_array().unwrap();
    issues.iter().find(|of| of["check"] == check)?["state"].as_str()
}

#[test]
fn what_changes_is_kept_with_what_was_there_and_a_record_that_is_gone_is_an_incident_until_it_is_back()
 {
    let first = knot(Some(&records(OLD_SPF, Some(POLICY))));
    let relay = start(Home::new(), first.address(), "2026-11-01T00:00:00Z");
    let story = check(&relay);
    assert_eq!((&story["dmarc"], &story["spf_lookups"]), (&"reject".into(), &0.into()));
    assert_eq!(values(&story, "example.com", "TXT"), [OLD_SPF], "marks of services are no matter");
    assert_eq!(values(&story, "example.com", "MX"), ["10 mail.example.com"]);
    assert!(changes(&story).is_empty());
    assert_eq!(issue(&story, "DMARC-01"), None);

    // The name server fails: that is no change.
    let home = relay.crash();
    let failing = knot(None);
    let relay = start(home, failing.address(), "2026-11-01T01:00:00Z");
    let story = check(&relay);
    assert!(changes(&story).is_empty());
    assert_eq!(values(&story, "example.com", "TXT"), [OLD_SPF]);

    // One record is another, and one is gone.
    let home = relay.crash();
    let second = knot(Some(&records(NEW_SPF, None)));
    let relay = start(home, second.address(), "2026-11-01T02:00:00Z");
    let story = check(&relay);
    let told = changes(&story);
    assert!(told.contains(&("example.com".to_owned(), "changed".to_owned())), "{told:?}");
    assert!(told.contains(&("_dmarc.example.com".to_owned(), "removed".to_owned())), "{told:?}");
    let spf = story["changes"]
        .as_array()
        .unwrap()
        .iter()
        .find(|of| of["type"] == "TXT" && of["name"] == "example.com");
    let spf = spf.unwrap();
    assert_eq!((&spf["removed"][0], &spf["added"][0]), (&OLD_SPF.into(), &NEW_SPF.into()));
    assert!(spf["before"].as_str().unwrap().starts_with("2026-11-01T00:00:"), "{spf}");
    assert!(spf["at"].as_str().unwrap().starts_with("2026-11-01T02:00:"), "{spf}");
    relay.logged(&["event=record.changed", "domain=example.com", "command=removed"]);
    assert_eq!(relay.ask(&["incidents", "list", "--kind", "record_gone"]).status.code(), Some(0));
    let story = check(&relay);
    assert_eq!(issue(&story, "DMARC-01"), Some("open"));
    let incidents = relay.ask_json(&["incidents", "list", "--kind", "record_gone"]);
    assert_eq!(incidents.len(), 1, "{incidents:?}");
    assert_eq!(incidents[0]["of"], "_dmarc.example.com TXT");
    let number = incidents[0]["id"].to_string();
    for (asked, about) in [
        (&["incidents", "list"][..], "  example.com  "),
        (&["incidents", "show", &number], "_dmarc.example.com TXT"),
    ] {
        let said = String::from_utf8(relay.ask(asked).stdout).unwrap();
        assert!(said.contains(about), "{said}");
    }
    let publish = incidents[0]["steps"][1]["says"].as_str().unwrap();
    assert!(publish.contains(POLICY), "{publish}");
    // What the DNS said then.
    let then = ["domains", "show", "example.com", "--at", "2026-11-01T01:30:00Z"];
    let then = relay.ask_json(&then).remove(0);
    assert_eq!(values(&then, "_dmarc.example.com", "TXT"), [POLICY]);
    assert_eq!(values(&then, "example.com", "TXT"), [OLD_SPF]);
    // Of then nothing of today is told: neither what is wrong, nor what was published later.
    let then = relay.ask(&["domains", "show", "example.com", "--at", "2026-11-01T01:30:00Z"]);
    let told = String::from_utf8(then.stdout).unwrap();
    assert!(told.contains(OLD_SPF) && !told.contains("DMARC-01"), "{told}");
    let before = relay.ask(&["domains", "show", "example.com", "--at", "2026-10-01T00:00:00Z"]);
    assert_eq!((before.status.code(), before.stdout.len()), (Some(1), 0));

    // It is back: the incident is over at once, what was wrong when it is seen right twice.
    let home = relay.crash();
    let third = knot(Some(&records(NEW_SPF, Some(POLICY))));
    let relay = start(home, third.address(), "2026-11-01T04:00:00Z");
    let story = check(&relay);
    assert_eq!(issue(&story, "DMARC-01"), Some("open"));
    let story = check(&relay);
    assert_eq!(issue(&story, "DMARC-01"), Some("resolved"));
    let incidents = relay.ask_json(&["incidents", "list", "--all", "--kind", "record_gone"]);
    assert_eq!(incidents[0]["state"], "closed");
    let shown = relay.ask(&["domains", "changes", "example.com"]);
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains(&format!("  - {OLD_SPF}\n  + {NEW_SPF}\n")), "{shown}");
}

#[test]
fn a_tenant_sees_its_own_domains_and_nobody_elses() {
    let server = knot(Some(&records(OLD_SPF, Some(POLICY))));
    let relay = start(Home::new(), server.address(), "2026-11-01T00:00:00Z");
    check(&relay);
    assert!(relay.ask(&["domains", "check", "bounce.acme-mail.com"]).status.code().is_some());
    let made = relay.ask(&["token", "new", "--name", "a", "--scope", "read", "--tenant", "acme"]);
    let token = String::from_utf8(made.stdout).unwrap();
    let acme = Api::with(&relay, token.trim());
    let page = acme.get("/v1/domains").json();
    let names: Vec<&Value> =
        page["domains"].as_array().unwrap().iter().map(|row| &row["domain"]).collect();
    assert_eq!(names, ["bounce.acme-mail.com"]);
    let own = acme.get("/v1/domains/bounce.acme-mail.com");
    assert_eq!((own.status, &own.json()["tenants"][0]), (200, &"acme".into()));
    assert_eq!(acme.get("/v1/domains/example.com").status, 404);
    let all: Value = Api::of(&relay).get("/v1/domains").json();
    assert_eq!(all["domains"].as_array().unwrap().len(), 2);
}
