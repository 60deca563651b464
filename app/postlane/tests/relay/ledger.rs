//! What the relay remembers, and how it is asked: `postlane log`, `postlane trace`, /v1/log.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Instant;

use serde_json::Value;

use crate::golden::{golden, timeless};
use crate::http::Api;
use crate::knot::{Knot, Zone};
use crate::peer::Peer;
use crate::relay::{Home, PATIENCE, Relay};

/// A relay that hands everything to that host.
fn relay(to: &str, more: &str) -> Relay {
    Home::new().start_by_file(&format!(
        "[relay]\nhostname = \"relay.example\"\n{more}\n\
         [[route]]\npattern = \"*\"\nlane = \"provider\"\nto = \"{to}\"\n\
         [[listener]]\naddress = \"127.0.0.1:0\"\n"
    ))
}

/// Hands in a message; gives its id.
fn sent(relay: &Relay, to: &[&str]) -> String {
    let mut dialogue = relay.dial();
    assert!(dialogue.say("EHLO app.example").starts_with("250"));
    let message = "Message-ID: <1@acme.example>\r\nSubject: offer\r\n\r\nhi";
    dialogue.hand_over("shop@acme.example", to, message)
}

/// What the log has, the oldest first, as soon as there is so much of it.
fn logged(relay: &Relay, many: usize, which: &[&str]) -> Vec<Value> {
    let until = Instant::now() + PATIENCE;
    loop {
        let entries = relay.ask_json(&[&["log"], which].concat());
        if entries.len() >= many {
            return entries;
        }
        assert!(Instant::now() < until, "{entries:?}\n{}", relay.log());
    }
}

fn said(relay: &Relay, command: &[&str]) -> String {
    let output = relay.ask(command);
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_message_is_followed_from_its_acceptance_to_its_end() {
    let peer = Peer::start();
    let relay = relay(&peer.address.to_string(), "");
    let id = sent(&relay, &["jo@example.net", "gone-1@example.net", "later-1@example.net"]);
    let entries = logged(&relay, 7, &["--id", &id]);
    let of = |kind: &str, to: &str| {
        let found = entries.iter().find(|e| e["kind"] == kind && e["recipient"] == to);
        found.unwrap_or_else(|| panic!("{kind} {to}: {entries:?}")).clone()
    };
    for to in ["jo@example.net", "gone-1@example.net", "later-1@example.net"] {
        let taken = of("accepted", to);
        assert_eq!(taken["message_id"], "<1@acme.example>", "{taken}");
        assert_eq!(taken["sender"], "shop@acme.example");
    }
    let delivered = of("delivered", "jo@example.net");
    assert_eq!(delivered["attempt"], 1);
    assert_eq!(delivered["code"], 250);
    assert_eq!(delivered["domain"], "example.net");
    assert_eq!(delivered["message_id"], "<1@acme.example>");
    assert_eq!(delivered["ehlo"], "relay.example");
    assert_eq!(delivered["source_ip"], "127.0.0.1");
    assert_eq!(delivered["mx_ip"], "127.0.0.1");
    assert!(delivered["octets"].as_u64() > Some(50) && delivered["took_ms"].is_u64());
    let bounced = of("bounced", "gone-1@example.net");
    assert_eq!((&bounced["code"], &bounced["status"]), (&550.into(), &"5.1.1".into()));
    assert_eq!((&bounced["label"], &bounced["stage"]), (&"no_such_user".into(), &"rcpt".into()));
    let deferred = of("deferred", "later-1@example.net");
    let reply = "4.7.1 We do not know you yet.\n4.7.1 Try again later.";
    assert_eq!((&deferred["reply"], &deferred["attempt"]), (&reply.into(), &1.into()));
    assert!(deferred["detail"].as_str().unwrap().starts_with("next attempt 20"), "{deferred}");
    let reported = of("reported", "gone-1@example.net");
    let detail = reported["detail"].as_str().unwrap();
    assert!(detail.starts_with("failed, told shop@acme.example by message "), "{detail}");
}

#[test]
fn a_retry_is_counted_as_one() {
    let peer = Peer::start();
    let relay = relay(&peer.address.to_string(), "");
    let id = sent(&relay, &["later-1@example.net"]);
    logged(&relay, 1, &["--id", &id, "--kind", "deferred"]);
    assert!(relay.ask(&["queue", "retry", "--all"]).status.success());
    let entries = logged(&relay, 2, &["--id", &id, "--kind", "deferred"]);
    let attempts: Vec<u64> = entries.iter().filter_map(|e| e["attempt"].as_u64()).collect();
    assert_eq!(attempts, [1, 2]);
    let retries = logged(&relay, 1, &["--id", &id, "--try", "retry"]);
    assert_eq!(retries.len(), 1);
    let stats = relay.ask_json(&["log", "--stats"]).remove(0);
    let row = &stats["rows"][0];
    assert_eq!((&row["deferred_fresh"], &row["deferred_retry"]), (&1.into(), &1.into()));
    assert_eq!((&row["accepted"], &row["attempts_per_accepted"]), (&0.into(), &Value::Null));
}

#[test]
fn a_trace_tells_the_whole_story_by_id_by_message_id_and_by_recipient() {
    let peer = Peer::start();
    let relay = relay(&peer.address.to_string(), "");
    let id = sent(&relay, &["gone-1@example.net"]);
    logged(&relay, 3, &["--id", &id]);
    for what in [&*id, "<1@acme.example>", "1@acme.example", "gone-1@example.net"] {
        let traced = relay.ask_json(&["trace", what]).remove(0);
        let message = &traced["messages"][0];
        assert_eq!(message["id"], *id, "{what}");
        assert_eq!(message["sender"], "shop@acme.example");
        let story = message["story"].as_array().unwrap();
        let kinds: Vec<&str> = story.iter().map(|step| step["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds[..2], ["accepted", "bounced"], "{story:?}");
        assert!(kinds.contains(&"reported"));
        let bounced = &story[1];
        let transcript = bounced["transcript"].as_str().unwrap();
        assert!(transcript.contains("RCPT TO:<gone-1@example.net>"), "{transcript}");
        assert!(bounced["headers"].as_str().unwrap().contains("Subject: offer"));
        assert!(bounced["means"].as_str().unwrap().len() > 10, "{bounced}");
    }
    let output = relay.ask(&["trace", "nobody@example.net"]);
    assert_eq!(output.status.code(), Some(1));
    let says = String::from_utf8(output.stderr).unwrap();
    assert!(says.contains("nothing is known of nobody@example.net"), "{says}");
    assert_eq!(relay.ask(&["trace", "what"]).status.code(), Some(2));
}

#[test]
fn what_people_see_is_held() {
    let peer = Peer::start();
    let relay = relay(&peer.address.to_string(), "");
    let id = sent(&relay, &["gone-1@example.net"]);
    logged(&relay, 3, &["--id", &id]);
    let port = peer.address.port().to_string();
    let report = said(&relay, &["log", "--kind", "reported"]);
    let report = report.split(" by message ").nth(1).unwrap().trim().to_owned();
    let hide = |text: String| {
        // How long it took is the machine's.
        let took = |word: &str| match word.starts_with("took ") {
            true => "took 0 ms".to_owned(),
            false => word.to_owned(),
        };
        let text = timeless(&text, &[&id, &report, &port]);
        let line = |line: &str| line.split("  ").map(took).collect::<Vec<_>>().join("  ") + "\n";
        text.lines().map(line).collect::<String>()
    };
    golden("log/list.txt", &hide(said(&relay, &["log", "--kind", "accepted,bounced,reported"])));
    let trace = hide(said(&relay, &["trace", &id]));
    let story: String =
        trace.lines().filter(|line| !line.contains(" | ")).map(|l| format!("{l}\n")).collect();
    golden("log/trace.txt", &story);
    let dialogue = trace.lines().filter(|line| line.contains(" | ")).count();
    assert!(dialogue > 8, "{trace}");
}

#[test]
fn whoever_follows_from_a_place_misses_nothing() {
    let peer = Peer::start();
    let relay = relay(&peer.address.to_string(), "");
    let first = sent(&relay, &["jo@example.net"]);
    let entries = logged(&relay, 2, &["--id", &first]);
    // Before both: a delivery on a busy machine may be written before the word that it was taken.
    let first_seq = entries.iter().map(|entry| entry["seq"].as_u64().unwrap()).min().unwrap();
    let mut follower = Follower::of(&relay, "/v1/log/follow?kind=delivered", first_seq - 1);
    let delivered = follower.next();
    assert_eq!((&delivered["id"], &delivered["kind"]), (&(*first).into(), &"delivered".into()));
    let second = sent(&relay, &["jo@example.net"]);
    assert_eq!(follower.next()["id"], *second);
    drop(follower);
    let third = sent(&relay, &["jo@example.net"]);
    let seq = delivered["seq"].as_u64().unwrap();
    let mut again = Follower::of(&relay, "/v1/log/follow?kind=delivered", seq);
    assert_eq!([again.next(), again.next()].map(|e| e["id"].clone()), [&*second, &*third]);
}

/// Somebody who listens to server-sent events.
struct Follower(BufReader<TcpStream>);

impl Follower {
    fn of(relay: &Relay, path: &str, last: u64) -> Self {
        let mut stream = TcpStream::connect(relay.http).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let token = relay.token();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\
             Last-Event-ID: {last}\r\n\r\n"
        )
        .unwrap();
        Self(BufReader::new(stream))
    }

    fn next(&mut self) -> Value {
        loop {
            let mut line = String::new();
            assert_ne!(self.0.read_line(&mut line).unwrap(), 0, "it has ended");
            if let Some(data) = line.strip_prefix("data: ") {
                return serde_json::from_str(data).unwrap();
            }
        }
    }
}

#[test]
fn a_crash_loses_no_mail_and_only_the_last_second_of_history() {
    let relay = Relay::start(&["--route", "*=127.0.0.1:9"]);
    let old = sent(&relay, &["jo@example.net"]);
    // What can be read is on the disk.
    logged(&relay, 1, &["--id", &old, "--kind", "accepted"]);
    let young = sent(&relay, &["al@example.net"]);
    let home = relay.crash();
    let relay = home.start(&["--route", "*=127.0.0.1:9"]);
    relay.list_until(|waits| {
        waits.len() == 2 && waits.iter().all(|w| w["id"] == *old || w["id"] == *young)
    });
    logged(&relay, 1, &["--id", &old, "--kind", "accepted"]);
}

#[test]
fn a_ledger_that_cannot_be_opened_stops_no_mail() {
    let peer = Peer::start();
    let home = Home::new();
    let file = home.write("taken", "a file where a folder should be");
    let relay = home.start_by_file(&format!(
        "[relay]\nhostname = \"relay.example\"\n[ledger]\ndir = \"{file}/ledger\"\n\
         [[route]]\npattern = \"*\"\nto = \"{}\"\n[[listener]]\naddress = \"127.0.0.1:0\"\n",
        peer.address
    ));
    let id = sent(&relay, &["jo@example.net"]);
    assert!(relay.outcome(&id).contains("event=delivered"));
    relay.logged(&["event=alarm", "mail goes on without history"]);
    let output = relay.ask(&["log"]);
    let says = String::from_utf8(output.stderr).unwrap();
    assert!(says.contains("no history is kept"), "{says}");
}

#[test]
fn without_history_nothing_is_written() {
    let peer = Peer::start();
    let relay = relay(&peer.address.to_string(), "[ledger]\non = false");
    let id = sent(&relay, &["jo@example.net"]);
    assert!(relay.outcome(&id).contains("event=delivered"));
    assert!(!relay.home().data().join("ledger").exists());
}

#[test]
fn where_domains_alone_are_remembered_no_local_part_is() {
    let peer = Peer::start();
    let relay = relay(&peer.address.to_string(), "[ledger]\naddresses = \"domain\"");
    let id = sent(&relay, &["gone-1@example.net"]);
    let entries = logged(&relay, 3, &["--id", &id]);
    let traced = relay.ask_json(&["trace", &id]);
    let all = format!("{entries:?} {traced:?}");
    assert!(all.contains("\"@example.net\"") && all.contains("RCPT TO:<@example.net>"), "{all}");
    for hidden in ["gone-1", "shop@", "Subject: offer"] {
        assert!(!all.contains(hidden), "{hidden}: {all}");
    }
}

#[test]
fn the_folder_is_read_while_no_server_runs() {
    let peer = Peer::start();
    let relay = relay(&peer.address.to_string(), "");
    let id = sent(&relay, &["jo@example.net"]);
    logged(&relay, 2, &["--id", &id]);
    let (_, home) = relay.stop();
    let dir = home.data().join("ledger");
    let ask = |arguments: &[&str]| {
        let output = home.command(arguments).arg("--dir").arg(&dir).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let listed = ask(&["log", "--id", &id, "--json"]);
    assert_eq!(listed.lines().count(), 2, "{listed}");
    assert!(ask(&["trace", &id]).contains("jo@example.net"));
    let facets = ask(&["log", "--facets", "--since", "7d"]);
    assert!(facets.contains("KIND\n") && facets.contains("         1  delivered\n"), "{facets}");
}

/// A host that says one thing to every recipient, whatever it is.
fn hostile(reply: &'static [u8]) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            thread::spawn(move || {
                let mut reader = BufReader::new(stream.unwrap());
                reader.get_mut().write_all(b"220 host.example\r\n").unwrap();
                let mut line = String::new();
                while reader.read_line(&mut line).is_ok_and(|octets| octets > 0) {
                    let reply = if line.starts_with("RCPT") { reply } else { b"250 ok\r\n" };
                    reader.get_mut().write_all(reply).unwrap();
                    line.clear();
                }
            });
        }
    });
    address
}

#[test]
fn what_hostile_hosts_say_moves_no_cursor_and_breaks_no_line() {
    let host =
        hostile(b"451 4.7.0 \x1b[2J\x1b]0;owned\x07 \0 \x9b31m \xe2\x80\xae nrut =1+1, \"x\"\r\n");
    let relay = relay(&host.to_string(), "");
    let id = sent(&relay, &["jo@example.net"]);
    logged(&relay, 1, &["--id", &id, "--kind", "deferred"]);
    let unruly = |text: &str| {
        text.chars().find(|c| c.is_control() && *c != '\n' && *c != '\r' || *c == '\u{202e}')
    };
    let id = &*id;
    for command in [
        &["log", "--id", id][..],
        &["log", "--id", id, "--json"],
        &["log", "--id", id, "--csv"],
        &["log", "--facets"],
        &["trace", id, "--full"],
        &["trace", id, "--json"],
    ] {
        let text = said(&relay, command);
        assert!(text.contains("451") && unruly(&text).is_none(), "{command:?}: {text:?}");
    }
    let csv = said(&relay, &["log", "--id", id, "--csv"]);
    assert_eq!(csv.lines().count(), 3, "{csv:?}");
    let api = Api::of(&relay);
    for path in ["/v1/log", "/v1/log/export?format=jsonl", "/v1/log/export?format=csv"] {
        let answer = api.get(path);
        let text = answer.text();
        assert!(answer.status == 200 && unruly(text).is_none(), "{path}: {text:?}");
    }
}

#[test]
fn the_api_counts_exports_and_says_what_is_wrong() {
    let peer = Peer::start();
    let relay = relay(&peer.address.to_string(), "");
    let id = sent(&relay, &["jo@example.net", "gone-1@example.net"]);
    logged(&relay, 5, &["--id", &id]);
    let api = Api::of(&relay);
    let facets = api.get(&format!("/v1/log/facets?fields=kind,code&since=1h&id={id}")).json();
    let values = facets["facets"][0]["values"].as_array().unwrap();
    assert!(values.contains(&serde_json::json!({"value": "delivered", "count": 1})), "{facets}");
    let tallies = api.get("/v1/tallies").json();
    let delivered = tallies["tallies"].as_array().unwrap();
    let delivered = delivered.iter().find(|tally| tally["kind"] == "delivered").unwrap();
    assert!(delivered["count"].as_u64() >= Some(1) && delivered["try"] == "fresh", "{delivered}");
    let tallies = api.get("/v1/tallies?by=try").json();
    let is_together = |tally: &Value| tally["provider"] == "" && tally["label"] == "";
    let tallies = tallies["tallies"].as_array().unwrap();
    assert!(!tallies.is_empty() && tallies.iter().all(is_together), "{tallies:?}");
    let first = api.get("/v1/log?limit=2").json();
    let next = first["next"].as_str().unwrap();
    let rest = api.get(&format!("/v1/log?limit=100&cursor={next}")).json();
    let seqs = |page: &Value| -> Vec<u64> {
        let entries = page["entries"].as_array().unwrap();
        entries.iter().map(|entry| entry["seq"].as_u64().unwrap()).collect()
    };
    let all = [seqs(&first), seqs(&rest)].concat();
    assert!(all.len() >= 5 && all.windows(2).all(|pair| pair[0] > pair[1]), "{all:?}");
    for (path, says) in [
        ("/v1/log?kind=sent", "kind \"sent\": it is not known"),
        ("/v1/log?since=soon", "since \"soon\" is neither"),
        ("/v1/log?view=mine", "view \"mine\" is not known"),
        ("/v1/log?limit=0", "limit is 1 to"),
        ("/v1/log?cursor=x", "cursor is not one"),
        ("/v1/tallies?by=colour", "by: \"colour\" is none of provider, source"),
        ("/v1/log/export?format=xls", "format \"xls\" is not known"),
    ] {
        let answer = api.get(path);
        assert_eq!(answer.status, 400, "{path}");
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.starts_with(says), "{path}: {detail}");
    }
    assert_eq!(api.get("/v1/trace/0000000000000").status, 404);
    assert!(fs::metadata(relay.home().data().join("ledger")).unwrap().is_dir());
}

#[test]
fn the_running_server_says_what_is_wrong_and_packs_the_evidence() {
    let peer = Peer::start();
    let relay = relay(&peer.address.to_string(), "");
    let id = sent(&relay, &["jo@example.net"]);
    logged(&relay, 2, &["--id", &id]);
    let page: Value = relay.ask_json(&["diagnose"]).remove(0);
    assert_eq!(page["providers"].as_array().unwrap().len(), 1, "{page}");
    let provider = page["providers"][0]["id"].as_str().unwrap().to_owned();
    let out = relay.home().path().join("pack");
    let packed = relay.ask(&["evidence", "--provider", &provider, "--out", out.to_str().unwrap()]);
    assert!(packed.status.success(), "{}", String::from_utf8_lossy(&packed.stderr));
    let report = fs::read_to_string(out.join("report.md")).unwrap();
    assert!(report.contains(&provider) && !report.contains("jo@example.net"), "{report}");
    // Its folder is its own while it runs.
    let dir = relay.home().data().join("ledger");
    let refused = relay.ask(&["diagnose", "--dir", dir.to_str().unwrap()]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("is open in another process"), "{said}");
}

#[test]
fn a_pack_of_evidence_says_what_the_reverse_dns_has_of_each_source() {
    let zone = |name, records| Zone { name, records: Some(records), signed: false };
    let from = |records| {
        let knot = Knot::start(&[
            zone("in-addr.arpa", records),
            zone("example.com", "out A 127.0.0.1\nelsewhere A 192.0.2.9\n"),
        ]);
        report_asking(&knot.address().to_string())
    };
    let report = from("1.0.0.127 PTR out.example.com.\n");
    assert!(report.contains("out.example.com, leads back (asked 20"), "{report}");
    let report = from("1.0.0.127 PTR elsewhere.example.com.\n");
    assert!(report.contains("elsewhere.example.com, does not lead back (asked 20"), "{report}");
    assert!(from("").contains("| no name (asked 20"));
    // Nobody listens there: that is not the same as no name.
    let report = report_asking("127.0.0.1:9");
    assert!(report.contains("| undetermined: PTR: ") && !report.contains("| no name"), "{report}");
}

/// The report of a pack, made by a relay with this resolver.
fn report_asking(resolver: &str) -> String {
    let peer = Peer::start();
    let resolvers = format!("[delivery]\nresolvers = [\"{resolver}\"]\n");
    let relay = relay(&peer.address.to_string(), &resolvers);
    let id = sent(&relay, &["jo@example.net"]);
    logged(&relay, 2, &["--id", &id]);
    let page: Value = relay.ask_json(&["diagnose"]).remove(0);
    let provider = page["providers"][0]["id"].as_str().unwrap().to_owned();
    let out = relay.home().path().join("pack");
    let packed = relay.ask(&["evidence", "--provider", &provider, "--out", out.to_str().unwrap()]);
    assert!(packed.status.success(), "{}", String::from_utf8_lossy(&packed.stderr));
    fs::read_to_string(out.join("report.md")).unwrap()
}
