//! The suppression list, from a host's refusal to an operator's undoing.

use std::fs;
use std::time::Instant;

use serde_json::{Value, json};

use crate::events::Events;
use crate::golden::{golden, timeless};
use crate::http::Api;
use crate::peer::Peer;
use crate::relay::{Dialogue, Home, PATIENCE, Relay};
use crate::sink::Sink;

const GONE: &str = "550 5.1.1 Recipient address rejected: User unknown in local recipient table";

/// Nobody listens there.
const NOWHERE: [&str; 2] = ["--route", "*=127.0.0.1:9"];

const MESSAGE: &str = "Subject: hi\r\n\r\nhi";

fn hello(relay: &Relay) -> Dialogue {
    let mut client = relay.dial();
    assert!(client.say("EHLO app.example").starts_with("250"));
    client
}

/// What is said to a recipient of a message of this sender, which is given up then.
fn rcpt(relay: &Relay, from: &str, to: &str) -> String {
    let mut client = hello(relay);
    assert!(client.say(&format!("MAIL FROM:<{from}>")).starts_with("250"));
    client.say(&format!("RCPT TO:<{to}>"))
}

/// What a command prints, and with what status it ends.
fn text(relay: &Relay, arguments: &[&str], exits: i32) -> String {
    let mut command = relay.home().command(arguments);
    let output = command.env("USER", "jo").output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(exits), "{arguments:?}: {said}");
    String::from_utf8(output.stdout).unwrap() + &said
}

/// The keys of the entries that are listed.
fn listed(relay: &Relay) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let entries = relay.ask_json(&["suppression", "list"]);
    entries.iter().map(|entry| (text(&entry["address"]), text(&entry["reason"]))).collect()
}

#[test]
fn who_is_not_there_is_suppressed_until_somebody_takes_them_off() {
    let (host, sender) = (Sink::start(&["-f", "RCPT", "-B", GONE]), Sink::start(&[]));
    let routes =
        [format!("*={},lane=provider", host.address), format!("example.com={}", sender.address)];
    let relay = Relay::start(&["--route", &routes[0], "--route", &routes[1]]);
    let mut events = Events::of(&relay);
    let id = hello(&relay).hand_over("app@example.com", &["Jo@Example.net"], MESSAGE);
    let line = relay.logged(&[" event=suppressed "]);
    for part in [
        &*format!(" id={id} to=Jo@Example.net reason=no_such_user until="),
        " by=relay provider=example.net ",
        " stage=rcpt code=550 rule=recipient/",
        "User unknown in local recipient table",
    ] {
        assert!(line.contains(part), "{part} in {line}");
    }
    let event = events.next("suppressed", "Jo@Example.net");
    assert!(event["detail"].as_str().unwrap().starts_with("no_such_user until "), "{event:#}");
    assert_eq!(event["last_reply"]["code"], 550);
    // However it is written.
    let refused = rcpt(&relay, "app@example.com", "jo@example.net");
    let day = event["at"].as_str().unwrap().split('T').next().unwrap();
    assert_eq!(
        refused,
        format!(
            "550 5.1.1 suppressed since {day}: there is no such mailbox (no_such_user); \
             to undo it: postlane suppression remove jo@example.net\r\n"
        )
    );
    let shown = &relay.ask_json(&["suppression", "show", "jo@example.net"])[0];
    assert_eq!(shown["message"], id.as_str());
    assert_eq!(shown["reply"]["text"], &GONE[4..]);
    assert_eq!((&shown["holds"], &shown["refusals"]), (&json!(true), &json!(1)));
    assert!(rcpt(&relay, "app@example.com", "al@example.net").starts_with("250"));
    let said = text(&relay, &["suppression", "remove", "jo@example.net"], 0);
    assert_eq!(said, "Jo@Example.net is off the list (no_such_user)\n");
    let line = relay.logged(&[" event=unsuppressed ", " by=jo "]);
    assert!(line.contains(" to=Jo@Example.net "), "{line}");
    assert!(events.next("unsuppressed", "Jo@Example.net")["detail"].is_string());
    assert!(rcpt(&relay, "app@example.com", "jo@example.net").starts_with("250"));
    // The same by the words that some look for.
    text(&relay, &["suppression", "undo", "jo@example.net"], 1);
    text(&relay, &["suppression", "lookup", "jo@example.net"], 1);
    let report = sender.message_to("app@example.com");
    assert!(report.contains("Diagnostic-Code: smtp; 550 5.1.1 Recipient address rejected"));
}

#[test]
fn refusals_of_other_things_suppress_nobody() {
    for (command, reply) in [
        ("RCPT", "550 5.7.1 Service unavailable, client [192.0.2.1] blocked using Spamhaus"),
        ("RCPT", "450 4.1.1 User unknown in local recipient table"),
        ("MAIL", "550 5.1.1 User unknown"),
        ("RCPT", "550 5.7.1 Your access to this mail system has been rejected"),
        (".", "550 5.7.1 Message looks like spam"),
        ("RCPT", "552 5.2.2 Mailbox full"),
    ] {
        let how = if reply.starts_with('4') { ["-r", "-b"] } else { ["-f", "-B"] };
        let host = Sink::start(&[how[0], command, how[1], reply]);
        let relay = Relay::start(&["--route", &format!("*={}", host.address)]);
        let id = hello(&relay).hand_over("app@example.com", &["jo@example.net"], MESSAGE);
        relay.outcome(&id);
        assert!(rcpt(&relay, "app@example.com", "jo@example.net").starts_with("250"), "{reply}");
        assert!(listed(&relay).is_empty(), "{reply}");
    }
}

#[test]
fn the_list_outlives_the_server_and_its_crash() {
    let host = Sink::start(&["-f", "RCPT", "-B", GONE]);
    let route = format!("example.net={}", host.address);
    let relay = Relay::start(&["--route", &route]);
    hello(&relay).hand_over("app@example.com", &["jo@example.net"], MESSAGE);
    relay.logged(&[" event=suppressed "]);
    let said = text(&relay, &["suppression", "add", "al@example.net", "example.org"], 0);
    assert!(
        said.contains("2 added") && said.contains("example.org is a domain: all mail to it stops"),
        "{said}"
    );
    text(&relay, &["suppression", "remove", "al@example.net"], 0);
    // What was told is on disk.
    let relay = relay.crash().start(&["--route", &route]);
    let known = [("jo@example.net", "no_such_user"), ("example.org", "manual")];
    let known: Vec<_> = known.map(|(a, r)| (a.to_owned(), r.to_owned())).into();
    assert_eq!(listed(&relay), known);
    let (_, home) = relay.stop();
    let relay = home.start(&["--route", &route]);
    assert_eq!(listed(&relay), known);
    assert!(rcpt(&relay, "app@example.com", "jo@example.net").starts_with("550 5.1.1 "));
    assert!(rcpt(&relay, "app@example.com", "any@example.org").starts_with("550 5.7.1 "));
    assert!(rcpt(&relay, "app@example.com", "any@sub.example.org").starts_with("250"));
}

#[test]
fn mail_that_was_queued_before_is_given_up_with_a_report_that_says_why() {
    let (peer, sender) = (Peer::start(), Sink::start(&[]));
    let routes = [peer.route(), format!("example.com={}", sender.address)];
    let relay = Relay::start(&["--route", &routes[0], "--route", &routes[1]]);
    let to = ["later-jo@example.net", "later-al@example.net"];
    let id = hello(&relay).hand_over("app@example.com", &to, MESSAGE);
    relay.list_until(|rows| rows.len() == 2 && rows.iter().all(|row| row["attempts"] == 1));
    let add = ["suppression", "add", to[0], "--reason", "unsubscribe"];
    assert_eq!(text(&relay, &add, 0), "1 added, 0 replaced\n");
    relay.ask(&["queue", "retry", &id]);
    let line = relay.logged(&[" event=bounced ", "to=later-jo@example.net"]);
    assert!(line.contains(" code=550 status=5.7.1 "), "{line}");
    assert!(line.contains("suppressed since "), "{line}");
    let rows = relay.list_until(|rows| rows.len() == 1 && rows[0]["attempts"] == 2);
    assert_eq!(rows[0]["recipient"], to[1]);
    peer.wait(|seen| (seen.tries[to[1]] == 2).then_some(()));
    assert_eq!(peer.wait(|seen| Some(seen.tries[to[0]])), 1, "nobody wrote to them");
    relay.logged(&[" event=delivered ", " to=app@example.com "]);
    let report = sender.message_to("app@example.com");
    assert!(report.contains("\nStatus: 5.7.1\n"), "{report}");
    assert!(report.contains("the recipient unsubscribed"), "{report}");
    assert!(report.contains("ask the operator of this mail system"), "{report}");
}

const HOLD: [&str; 7] =
    ["suppression", "add", "Example.net", "--reason", "not_accepting_mail", "--for", "1h"];

#[test]
fn mail_to_a_domain_on_hold_waits_and_says_why_until_the_hold_ends() {
    let peer = Peer::start();
    let relay = Relay::start(&["--route", &peer.route()]);
    text(&relay, &HOLD, 0);
    let mut client = hello(&relay);
    let held = client.hand_over("app@example.com", &["jo@example.net"], MESSAGE);
    client.hand_over("app@example.com", &["jo@example.org"], MESSAGE);
    relay.logged(&[" event=delivered ", " to=jo@example.org "]);
    let on_hold = |relay: &Relay| {
        let rows = relay.list_until(|rows| rows.len() == 1 && rows[0]["status"] == "deferred");
        let until = relay.ask_json(&["suppression", "show", "jo@example.net"])[0]["until"].clone();
        assert_eq!(rows[0]["waiting"]["until"], until, "{rows:#?}");
        assert_eq!((&rows[0]["next_attempt_at"], &rows[0]["attempts"]), (&until, &json!(0)));
        let reason = rows[0]["waiting"]["reason"].as_str().unwrap();
        assert!(reason.starts_with("example.net is on hold until "), "{reason}");
        assert!(reason.contains("the domain takes no mail (not_accepting_mail)"), "{reason}");
    };
    on_hold(&relay);
    let relay = relay.crash().start(&["--route", &peer.route()]);
    on_hold(&relay);
    assert!(peer.wait(|seen| Some(!seen.tries.contains_key("jo@example.net"))));
    text(&relay, &["suppression", "remove", "example.net"], 0);
    relay.logged(&[&format!(" event=delivered id={held} ")]);
}

#[test]
fn mail_that_was_queued_before_a_hold_waits_for_its_end() {
    let peer = Peer::start();
    let relay = Relay::start(&["--route", &peer.route()]);
    let id = hello(&relay).hand_over("app@example.com", &["later-jo@example.net"], MESSAGE);
    relay.list_until(|rows| rows.len() == 1 && rows[0]["attempts"] == 1);
    text(&relay, &HOLD, 0);
    relay.ask(&["queue", "retry", &id]);
    let line = relay.logged(&[" event=deferred ", " attempts=2 "]);
    assert!(line.contains(" code=450 status=4.3.2 "), "{line}");
    assert!(line.contains(" text=\"4.3.2 example.net is on hold until "), "{line}");
    assert_eq!(peer.wait(|seen| seen.tries.get("later-jo@example.net").copied()), 1);
    let row = &relay.list_until(|rows| rows[0]["attempts"] == 2)[0];
    let until = relay.ask_json(&["suppression", "show", "example.net"])[0]["until"].clone();
    assert_eq!((&row["waiting"]["until"], &row["next_attempt_at"]), (&until, &until), "{row:#}");
}

#[test]
fn a_domain_that_takes_no_mail_is_put_on_hold_by_its_host() {
    let says = "550 5.1.2 Domain does not accept mail";
    let host = Sink::start(&["-f", "RCPT", "-B", says]);
    let relay = Relay::start(&["--route", &format!("*={}", host.address)]);
    hello(&relay).hand_over("app@example.com", &["jo@example.net"], MESSAGE);
    let line = relay.logged(&[" event=suppressed "]);
    assert!(line.contains(" to=example.net reason=not_accepting_mail "), "{line}");
    assert!(rcpt(&relay, "app@example.com", "al@example.net").starts_with("250"), "it waits");
}

#[test]
fn each_recipient_of_a_programs_message_is_told_apart() {
    let relay = Relay::start(&NOWHERE);
    let api = Api::of(&relay);
    let entry = json!({"address": "jo@example.net", "tenant": "acme", "reason": "complaint"});
    assert_eq!(api.post("/v1/suppressions", &entry).json()["added"], 1);
    let message = |tenant: &str, to: &[&str]| {
        json!({"from": "app@example.com", "to": to, "text": "hi", "tenant": tenant,
               "idempotency_key": format!("{tenant}-{}", to.len())})
    };
    let both = message("acme", &["JO@example.net", "al@example.net"]);
    let first = api.post("/v1/messages", &both).json();
    assert_eq!(first["recipients"][0]["status"], "refused", "{first:#}");
    let reason = first["recipients"][0]["reason"].as_str().unwrap();
    assert!(reason.starts_with("550 5.7.1 suppressed since "), "{reason}");
    assert_eq!(first["recipients"][1]["status"], "queued");
    assert_eq!(api.post("/v1/messages", &both).json()["id"], first["id"], "asked again");
    let alone = api.post("/v1/messages", &message("acme", &["jo@example.net"]));
    assert_eq!(alone.status, 422);
    assert_eq!(alone.json()["errors"][0]["pointer"], "/to/0", "{:#}", alone.json());
    // Another tenant's mail is not stopped, nor a report of failure.
    assert_eq!(api.post("/v1/messages", &message("other", &["jo@example.net"])).status, 202);
    relay.list_until(|rows| rows.len() == 2);
}

#[test]
fn who_complained_still_hears_of_failures_and_our_own_desks_are_never_stopped() {
    let relay = Home::new().start_by_file(
        "[relay]\nhostname = \"relay.example\"\n[[listener]]\naddress = \"127.0.0.1:0\"\n\
         [[route]]\npattern = \"*\"\nto = \"127.0.0.1:9\"\n",
    );
    let add = |reason: &str, who: &str| {
        text(&relay, &["suppression", "add", who, "--reason", reason], 0);
    };
    add("complaint", "jo@example.net");
    add("no_such_user", "al@example.net");
    add("manual", "relay.example");
    assert!(rcpt(&relay, "app@example.com", "jo@example.net").starts_with("550"));
    assert!(rcpt(&relay, "", "jo@example.net").starts_with("250"));
    assert!(rcpt(&relay, "", "al@example.net").starts_with("550"));
    assert!(rcpt(&relay, "app@example.com", "postmaster@relay.example").starts_with("250"));
    assert!(rcpt(&relay, "app@example.com", "jo@relay.example").starts_with("550"));
}

#[test]
fn a_tenants_own_refusals_stop_its_mail_alone_where_that_is_set() {
    let host = Sink::start(&["-f", "RCPT", "-B", GONE]);
    let relay = Home::new().start_by_file(&format!(
        "[suppression]\nscope = \"tenant\"\nrefusals = 2\n[[tenant]]\nname = \"acme\"\n\
         [[listener]]\naddress = \"127.0.0.1:0\"\ntenant = \"acme\"\n\
         [[route]]\npattern = \"*\"\nto = \"{}\"\n",
        host.address
    ));
    for refusals in 1..=2 {
        assert!(rcpt(&relay, "app@example.com", "jo@example.net").starts_with("250"));
        let id = hello(&relay).hand_over("app@example.com", &["jo@example.net"], MESSAGE);
        relay.outcome(&id);
        let shown = relay.list_suppressed_until(|entries| {
            entries.first().is_some_and(|entry| entry["refusals"] == refusals)
        });
        assert_eq!(shown[0]["tenant"], "acme");
        assert_eq!(shown[0]["holds"], refusals == 2);
    }
    assert!(rcpt(&relay, "app@example.com", "jo@example.net").starts_with("550"));
}

#[test]
fn a_delivery_between_two_refusals_clears_the_count() {
    let host = Peer::start();
    let file = "[suppression]\nrefusals = 2\n[[listener]]\naddress = \"127.0.0.1:0\"\n";
    let route = format!("[[route]]\npattern = \"*\"\nto = \"{}\"\n", host.address);
    let file = format!("{file}{route}");
    let relay = Home::new().start_by_file(&file);
    let mut client = hello(&relay);
    for refused in [true, false, true] {
        let id = client.hand_over("app@example.com", &["fickle-jo@example.net"], MESSAGE);
        relay.outcome(&id);
        relay.list_suppressed_until(|entries| match entries {
            [entry] => refused && entry["refusals"] == 1 && entry["holds"] == false,
            _ => !refused,
        });
    }
    assert!(rcpt(&relay, "app@example.com", "fickle-jo@example.net").starts_with("250"));
    // It outlives a restart, too.
    let relay = relay.crash().start_by_file(&file);
    assert!(rcpt(&relay, "app@example.com", "fickle-jo@example.net").starts_with("250"));
}

impl Relay {
    /// Asks who is on the list until it is as `wanted`.
    fn list_suppressed_until(&self, wanted: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        let until = Instant::now() + PATIENCE;
        loop {
            let entries = self.ask_json(&["suppression", "list"]);
            if wanted(&entries) {
                return entries;
            }
            assert!(Instant::now() < until, "{entries:?}\n{}", self.log());
        }
    }
}

#[test]
fn entries_begin_and_end_by_the_servers_clock() {
    let at = |time| [&NOWHERE[..], &["--now", time]].concat();
    let relay = Home::new().start(&at("2026-03-01T00:00:00Z"));
    text(&relay, &["suppression", "add", "jo@example.net", "--for", "2h"], 0);
    text(&relay, &["suppression", "add", "al@example.net"], 0);
    let until = relay.ask_json(&["suppression", "show", "jo@example.net"])[0]["until"].clone();
    assert!(until.as_str().unwrap().starts_with("2026-03-01T02:00:"), "{until}");
    assert!(rcpt(&relay, "app@example.com", "jo@example.net").starts_with("550"));
    let (_, home) = relay.stop();
    let relay = home.start(&at("2026-03-01T02:01:00Z"));
    assert!(rcpt(&relay, "app@example.com", "jo@example.net").starts_with("250"));
    assert!(rcpt(&relay, "app@example.com", "al@example.net").starts_with("550"));
    // What is over is forgotten at the start, and from time to time.
    let line = relay.logged(&[" event=unsuppressed ", " by=expiry"]);
    assert!(line.contains(" to=jo@example.net "), "{line}");
    assert_eq!(listed(&relay).len(), 1);
    let both = json!({"address": "a@b.c", "until": "2027-01-01T00:00:00Z", "lasts_s": 5});
    assert_eq!(Api::of(&relay).post("/v1/suppressions", &both).status, 422);
}

#[test]
fn what_is_listed_and_shown_is_held_by_files() {
    let relay = Home::new().start(&[&NOWHERE[..], &["--now", "2026-11-21T05:00:00Z"]].concat());
    let add =
        ["suppression", "add", "Jo@Example.net", "example.org", "--note", "asked us by phone"];
    text(&relay, &[&add[..], &["--until", "2027-01-01T00:00:00Z"]].concat(), 0);
    let entry = json!({
        "address": "al@example.net", "tenant": "acme", "reason": "no_such_user", "by": "relay",
        "since": "2026-11-20T05:00:00Z", "until": "2027-11-20T05:00:00Z",
        "reply": {"code": 550, "stage": "rcpt", "text": "5.1.1 gone\n5.1.1 for good", "host": "mx.example.net"},
        "rule": "generic/gone", "provider": "example.net", "message": "0cr65bnqmdz80", "refusals": 1});
    assert_eq!(Api::of(&relay).post("/v1/suppressions", &entry).status, 200);
    golden("suppression-list.txt", &timeless(&text(&relay, &["suppression", "list"], 0), &[]));
    let shown = text(&relay, &["suppression", "show", "al@example.net"], 0);
    golden("suppression-show.txt", &timeless(&shown, &[]));
    let rows = relay.ask_json(&["suppression", "list"]);
    let rows: String = rows.iter().map(|row| format!("{row:#}\n")).collect();
    golden("suppression-list.json", &timeless(&rows, &[]));
    for (filter, many) in [
        (["--domain", "EXAMPLE.net"], 2),
        (["--tenant", "acme"], 1),
        (["--tenant", ""], 2),
        (["--reason", "manual"], 2),
        (["--kind", "domain"], 1),
        (["--limit", "1"], 1),
    ] {
        let found = relay.ask_json(&[&["suppression", "list"], &filter[..]].concat());
        assert_eq!(found.len(), many, "{filter:?}: {found:#?}");
    }
    let said = text(&relay, &["suppression", "list", "--reason", "complaint"], 1);
    assert!(said.contains("no entry agrees"), "{said}");
    text(&relay, &["suppression", "show", "bo@example.net"], 1);
    let said = text(&relay, &["suppression", "add", "jo@"], 2);
    assert!(said.contains("write `jo@example.net`"), "{said}");
}

#[test]
fn a_list_goes_out_and_comes_in_again_and_bad_lines_are_told() {
    let relay = Relay::start(&NOWHERE);
    let file = relay.home().write(
        "theirs.csv",
        "Email,Created,Reason,Note\n\
         jo@example.net,1700000000,Spam Report,\"two\nlines\"\n\
         nonsense@,1700000000,bounce,\n\
         al@example.net,,Hard-Bounce,\n\
         bo@example.net,yesterday,bounce,\n",
    );
    let said = text(&relay, &["suppression", "import", &file], 1);
    assert!(said.starts_with("2 added, 0 replaced, 2 refused\n"), "{said}");
    assert!(said.contains("line 4: \"nonsense@\": "), "{said}");
    assert!(said.contains("; write `jo@example.net` for a mailbox"), "{said}");
    assert!(said.contains("line 6: \"yesterday\": it is no moment; write it as 2026"), "{said}");
    let known = listed(&relay);
    let wanted = [("al@example.net", "import"), ("jo@example.net", "complaint")];
    assert_eq!(known, wanted.map(|(a, r)| (a.to_owned(), r.to_owned())));
    let rows = relay.ask_json(&["suppression", "list"]);
    let elsewhere = Relay::start(&NOWHERE);
    for format in ["csv", "jsonl"] {
        let out = relay.home().path().join(format!("out.{format}"));
        let out = out.to_str().unwrap();
        assert!(text(&relay, &["suppression", "export", out], 0).starts_with("2 entries in "));
        text(&relay, &["suppression", "export", out], 2);
        let said = text(&elsewhere, &["suppression", "import", out], 0);
        let many = if format == "csv" { "2 added, 0 replaced" } else { "0 added, 2 replaced" };
        assert!(said.starts_with(many), "{said}");
        assert_eq!(elsewhere.ask_json(&["suppression", "list"]), rows, "{format}");
    }
    let printed = text(&relay, &["suppression", "export", "--format", "jsonl"], 0);
    assert!(printed.starts_with("{\"address\":\"al@example.net\""), "{printed}");
    let plain = relay.home().write("plain", "x1@example.com\nx2@example.com\n");
    let said = text(&relay, &["suppression", "import", &plain, "--tenant", "acme"], 0);
    assert!(said.starts_with("2 added"), "{said}");
    fs::write(&plain, "name,age\njo,7\n").unwrap();
    assert!(
        text(&relay, &["suppression", "import", &plain], 2).contains("name one column `address`")
    );
}

/// Large providers have said for hours of everybody that they are not there.
#[test]
fn what_a_provider_has_said_in_error_is_undone_at_once() {
    let relay = Relay::start(&NOWHERE);
    let api = Api::of(&relay);
    let entry = |n: usize| {
        let provider = if n.is_multiple_of(2) { "google" } else { "yahoo" };
        let since = if n < 100 { json!("2020-12-14T21:00:00Z") } else { json!(null) };
        json!({"address": format!("u{n}@d.example"), "reason": "no_such_user",
               "provider": provider, "since": since, "by": "relay"})
    };
    let entries: Vec<Value> = (0..3000).map(entry).collect();
    assert_eq!(api.post("/v1/suppressions", &json!(entries)).json()["added"], 3000);
    text(&relay, &["suppression", "remove"], 2);
    text(&relay, &["suppression", "remove", "u1@d.example", "--provider", "google"], 2);
    assert_eq!(api.delete("/v1/suppressions").status, 400);
    let undo = ["suppression", "remove", "--provider", "Gmail", "--younger-than", "2h"];
    assert_eq!(text(&relay, &undo, 0), "1450 entries are off the list\n");
    assert!(text(&relay, &undo, 1).starts_with("0 entries"));
    let left = relay.ask_json(&["suppression", "list", "--provider", "google"]);
    assert_eq!(left.len(), 50);
    assert!(rcpt(&relay, "app@example.com", "u100@d.example").starts_with("250"));
    assert!(rcpt(&relay, "app@example.com", "u98@d.example").starts_with("550"));
    relay.logged(&[" event=unsuppressed entries=", " by=jo"]);
}

/// Who writes to our postmaster is heard, whatever a host has said of the mailbox behind it.
#[test]
fn the_mailbox_of_our_desks_is_never_suppressed() {
    let host = Sink::start(&["-f", "RCPT", "-B", GONE]);
    let relay = Home::new().start_by_file(&format!(
        "[relay]\nhostname = \"relay.example\"\npostmaster = \"ops@example.net\"\n\
         [[listener]]\naddress = \"127.0.0.1:0\"\n\
         [[route]]\npattern = \"*\"\nto = \"{}\"\n",
        host.address
    ));
    for _ in 0..2 {
        let id = hello(&relay).hand_over("", &["postmaster@relay.example"], MESSAGE);
        let line = relay.outcome(&id);
        assert!(line.contains(" to=ops@example.net ") && line.contains("User unknown"), "{line}");
        assert!(listed(&relay).is_empty());
    }
    text(&relay, &["suppression", "add", "ops@example.net"], 0);
    let id = hello(&relay).hand_over("", &["postmaster@relay.example"], MESSAGE);
    assert!(relay.outcome(&id).contains("User unknown"));
}

#[test]
fn thousands_are_listed_in_pages_each_once() {
    let relay = Relay::start(&NOWHERE);
    let api = Api::of(&relay);
    let entry = |n: usize| json!({"address": format!("u{n}@d{}.example", n % 7)});
    let entries: Vec<Value> = (0..3000).map(entry).collect();
    assert_eq!(api.post("/v1/suppressions", &json!(entries)).json()["added"], 3000);
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = api.get(&format!("/v1/suppressions?limit=700{cursor}")).json();
        seen.extend(page["entries"].as_array().unwrap().iter().map(|e| e["address"].clone()));
        match page["next"].as_str() {
            Some(next) => {
                cursor = format!("&cursor={}", next.replace('@', "%40").replace('/', "%2F"))
            }
            None => break,
        }
    }
    assert_eq!(seen.len(), 3000);
    seen.sort_by_key(Value::to_string);
    seen.dedup();
    assert_eq!(seen.len(), 3000);
    assert_eq!(
        api.get("/v1/suppressions?domain=d3.example&limit=10000").json()["entries"]
            .as_array()
            .unwrap()
            .len(),
        429
    );
    relay.logged(&[" event=suppressed entries=3000 by=api"]);
}

#[test]
fn a_full_list_takes_no_more_and_says_so() {
    let relay = Home::new()
        .start_by_file("[suppression]\nentries = 1000\n[[listener]]\naddress = \"127.0.0.1:0\"\n");
    let api = Api::of(&relay);
    let entries: Vec<Value> =
        (0..1000).map(|n| json!({"address": format!("u{n}@d.example")})).collect();
    assert_eq!(api.post("/v1/suppressions", &json!(entries)).status, 200);
    assert_eq!(api.post("/v1/suppressions", &json!(entries)).json()["replaced"], 1000);
    let full = api.post("/v1/suppressions", &json!({"address": "one@more.example"}));
    assert_eq!(full.status, 422);
    assert!(full.json()["detail"].as_str().unwrap().contains("suppression.entries"));
}
