//! Who may ask the API for what: tokens, scopes, tenants, limits, and what is written down.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpStream;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::http::Api;
use crate::knot::Knot;
use crate::relay::{Home, PATIENCE, Relay};
use crate::sink::Sink;

const NOWHERE: [&str; 2] = ["--route", "*=127.0.0.1:9"];

/// A relay whose looks at senders are answered: by a name server that knows nobody.
fn with_dns() -> (Knot, Relay) {
    let knot = Knot::start(&[]);
    let resolver = knot.address().to_string();
    let relay = Relay::start(&[&NOWHERE[..], &["--resolver", &resolver]].concat());
    (knot, relay)
}

/// Makes a token with the program; gives it.
pub(crate) fn token(relay: &Relay, name: &str, scopes: &str, tenant: Option<&str>) -> String {
    let mut arguments = vec!["token", "new", "--name", name, "--scope", scopes];
    arguments.extend(tenant.iter().flat_map(|tenant| ["--tenant", tenant]));
    let output = relay.ask(&arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// What an address is answered with, without waiting for the end of it.
fn status(api: &Api<'_>, line: &str, body: &str) -> u16 {
    let kind = "Content-Type: application/json\r\n";
    let mut first = String::new();
    BufReader::new(api.begin(line, kind, body)).read_line(&mut first).unwrap();
    first.split(' ').nth(1).unwrap_or_else(|| panic!("{line}: {first}")).parse().unwrap()
}

/// The guide's table: method and address, scope, what a bound token finds.
fn table() -> Vec<(String, String, String)> {
    let guide = include_str!("../../../../docs/guide/api.md");
    let row = |line: &str| {
        let mut cells = line.strip_prefix("| `")?.strip_suffix(" |")?.split(" | ");
        let line = cells.next()?.strip_suffix('`')?.to_owned();
        let is_address = line.contains(" /v1/");
        is_address.then_some((line, cells.next()?.to_owned(), cells.next()?.to_owned()))
    };
    let rows: Vec<_> = guide.lines().filter_map(row).collect();
    assert!(rows.len() > 20, "{rows:?}");
    rows
}

/// An address with something in the place of `{…}`.
fn filled(line: &str, with: &str) -> String {
    let mut filled = String::new();
    for (number, part) in line.split(['{', '}']).enumerate() {
        filled.push_str(if number % 2 == 1 { with } else { part });
    }
    filled
}

#[test]
fn a_token_opens_what_the_guide_says_and_nothing_else() {
    let (_knot, relay) = with_dns();
    let covers = |scopes: &str, asked: &str| match (scopes, asked) {
        (_, "any") | ("admin", _) => true,
        (scopes, asked) => scopes == asked || (scopes == "operate" && asked == "read"),
    };
    let allows = |scopes: &str, asked: &str| asked.split(" or ").any(|one| covers(scopes, one));
    for scope in ["submit", "read", "operate", "admin"] {
        let own = token(&relay, scope, scope, None);
        let bound = match scope {
            "admin" => None,
            _ => Some(token(&relay, &format!("{scope}-of-acme"), scope, Some("acme"))),
        };
        for (line, asked, tenants) in table() {
            let address = filled(&line, "nobody");
            let seen = status(&Api::with(&relay, &own), &address, "");
            assert_ne!(seen, 401, "{scope} at {address}");
            assert_eq!(seen != 403, allows(scope, &asked), "{scope} at {address}: {seen}");
            if let Some(bound) = &bound {
                let seen = status(&Api::with(&relay, bound), &address, "");
                let may = allows(scope, &asked) && tenants != "403";
                assert_eq!(seen != 403, may, "{scope} of acme at {address}: {seen}");
            }
        }
    }
}

fn message(to: &str, tenant: Option<&str>) -> Value {
    let mut message =
        json!({"from": "app@example.com", "to": to, "subject": "for acme's eyes", "text": "hi"});
    if let Some(tenant) = tenant {
        message["tenant"] = json!(tenant);
        message["campaign"] = json!("acme-spring");
    }
    message
}

#[test]
fn a_stolen_token_of_one_tenant_sees_nothing_of_another() {
    let (_knot, relay) = with_dns();
    let all = Api::of(&relay);
    let id = all.post("/v1/messages", &message("jo@acme-customer.example", Some("acme"))).json();
    let id = id["id"].as_str().unwrap().to_owned();
    relay.list_until(|rows| rows.len() == 1);
    let entry = |tenant: &str| json!({"address": "al@acme-customer.example", "tenant": tenant, "note": "acme"});
    assert_eq!(all.post("/v1/suppressions", &entry("acme")).status, 200);
    assert_eq!(all.post("/v1/suppressions", &entry("")).status, 200);
    let acme = token(&relay, "of-acme", "operate", Some("acme"));
    let view = json!({"name": "acme-view", "page": "log", "query": "tenant=acme"});
    let kind = "Content-Type: application/json\r\n";
    let saved = Api::with(&relay, &acme).ask("PUT /v1/views", kind, &view.to_string());
    assert_eq!(saved.status, 200, "{}", saved.text());
    let stolen = token(&relay, "stolen", "operate", Some("thief"));
    let stolen = Api::with(&relay, &stolen);
    for (line, ..) in table() {
        // Streams do not end; they have a test of their own.
        let ends = |path: &&str| !matches!(*path, "/v1/events" | "/v1/log/follow");
        // A look says of whoever is asked for what the world says of them, and knows no tenant.
        let is_ours = |path: &&str| !path.starts_with("/v1/checks/");
        let path = line.strip_prefix("GET ").filter(ends).filter(is_ours);
        let Some(path) = path else { continue };
        for with in [id.as_str(), "al@acme-customer.example", "acme-customer.example", "acme-view"]
        {
            let answer = stolen.get(&filled(path, with));
            // An address that was asked for may be named in the answer that it is not there.
            let told = answer.status == 200 && answer.text().contains("acme-view");
            let told = told || (answer.status == 200 && answer.text().contains("al@"));
            let told = told || answer.text().contains("jo@") || answer.text().contains("eyes");
            assert!(!told, "{path} with {with}: {}", answer.text());
            if path == "/v1/log/stats" {
                // Counts of one's own mail, of which there is none.
                assert_eq!(answer.json()["rows"], json!([]), "{path}: {}", answer.text());
                assert_eq!(answer.json()["total"]["accepted"], 0, "{path}: {}", answer.text());
                continue;
            }
            assert!(!answer.text().contains("\"accepted\""), "{path}: {}", answer.text());
        }
    }
    assert_eq!(stolen.get(&format!("/v1/queue/{id}")).status, 404);
    assert_eq!(stolen.get("/v1/queue").json()["recipients"], json!([]));
    assert_eq!(stolen.get("/v1/queue?tenant=acme").status, 403);
    assert_eq!(stolen.get("/v1/suppressions").json()["entries"], json!([]));
    assert_eq!(stolen.get("/v1/suppressions?tenant=").status, 403);
    assert_eq!(stolen.get("/v1/views").json()["views"], json!([]));
    // Its owner sees it.
    let acme = Api::with(&relay, &acme);
    assert_eq!(acme.get(&format!("/v1/queue/{id}")).status, 200);
    assert_eq!(acme.get("/v1/suppressions").json()["entries"].as_array().unwrap().len(), 1);
    assert_eq!(acme.get("/v1/views").json()["views"][0]["name"], "acme-view");
}

/// A stream, from behind the answer's head on.
fn stream(api: &Api<'_>, line: &str, headers: &str) -> BufReader<TcpStream> {
    let mut reader = BufReader::new(api.begin(line, headers, ""));
    let mut text = String::new();
    reader.read_line(&mut text).unwrap();
    assert!(text.starts_with("HTTP/1.1 200"), "{line}: {text}");
    while text != "\r\n" {
        text.clear();
        assert_ne!(reader.read_line(&mut text).unwrap(), 0, "{line}");
    }
    reader
}

/// What a stream tells up to a line with this in it.
fn told_until(reader: &mut BufReader<TcpStream>, wanted: &str) -> String {
    let mut told = String::new();
    loop {
        let from = told.len();
        assert_ne!(reader.read_line(&mut told).unwrap(), 0, "it has hung up after {told}");
        if told[from..].contains(wanted) {
            return told;
        }
    }
}

const SSE: &str = "Accept: text/event-stream\r\nLast-Event-ID: 0\r\n";

#[test]
fn a_stream_of_one_tenants_token_tells_nothing_of_another() {
    let sink = Sink::start(&[]);
    let relay = Relay::start(&["--route", &format!("*={}", sink.address)]);
    let thief = token(&relay, "stolen", "operate", Some("thief"));
    let (all, thief) = (Api::of(&relay), Api::with(&relay, &thief));
    let mut streams = [
        ("GET /v1/log/follow?after=0", ""),
        ("GET /v1/events", SSE),
        ("GET /v1/events?kind=delivered", SSE),
        ("GET /v1/events", ""),
    ]
    .map(|(line, headers)| (line, stream(&thief, line, headers)));
    let to = |to: &str, tenant| all.post("/v1/messages", &message(to, Some(tenant)));
    assert_eq!(to("jo@acme-customer.example", "acme").status, 202);
    relay.logged(&["event=delivered"]);
    let own = json!({"from": "eyes@thief.example", "to": "al@own.example", "text": "x",
        "tenant": "thief"});
    assert_eq!(all.post("/v1/messages", &own).status, 202);
    for (line, reader) in &mut streams {
        let told = told_until(reader, "own.example");
        assert!(!told.contains("acme") && !told.contains("jo@"), "{line}: {told}");
    }
    for line in ["GET /v1/events?tenant=acme", "GET /v1/log/follow?tenant=acme"] {
        assert_eq!(thief.ask(line, SSE, "").status, 403, "{line}");
    }
}

#[test]
fn who_comes_back_with_the_last_event_misses_nothing() {
    let relay = Relay::start(&NOWHERE);
    let all = Api::of(&relay);
    let mut first = stream(&all, "GET /v1/events?kind=accepted", SSE);
    let mut ids: Vec<u64> = Vec::new();
    for to in ["one@a.example", "two@b.example", "three@c.example"] {
        assert_eq!(all.post("/v1/messages", &message(to, None)).status, 202);
        let told = told_until(&mut first, "data: ");
        assert!(told.contains("\"kind\":\"accepted\""), "{told}");
        let id = told.lines().find_map(|line| line.strip_prefix("id: "));
        ids.push(id.unwrap().parse().unwrap());
    }
    assert!(ids.is_sorted());
    let back = format!("Accept: text/event-stream\r\nLast-Event-ID: {}\r\n", ids[0]);
    let mut again = stream(&all, "GET /v1/events?kind=accepted", &back);
    assert!(told_until(&mut again, "data: ").contains(&format!("id: {}\n", ids[1])));
    assert!(told_until(&mut again, "data: ").contains(&format!("id: {}\n", ids[2])));
    let wrong = "Accept: text/event-stream\r\nLast-Event-ID: soon\r\n";
    assert_eq!(all.ask("GET /v1/events", wrong, "").status, 400);
}

#[test]
fn a_stolen_token_of_one_tenant_changes_nothing_of_another() {
    let relay = Relay::start(&NOWHERE);
    let all = Api::of(&relay);
    let id = all.post("/v1/messages", &message("jo@example.net", Some("acme"))).json();
    let id = id["id"].as_str().unwrap().to_owned();
    relay.list_until(|rows| rows.len() == 1);
    let entry = json!({"address": "al@example.net", "tenant": "acme"});
    assert_eq!(all.post("/v1/suppressions", &entry).status, 200);
    let thief = token(&relay, "stolen", "operate", Some("thief"));
    let stolen = Api::with(&relay, &thief);
    for action in ["retry", "deliver-now", "hold", "release", "bounce", "delete"] {
        for filter in [json!({"id": id}), json!({"domain": "example.net"}), json!({})] {
            let act = json!({"action": action, "filter": filter, "everything": true});
            assert_eq!(stolen.post("/v1/queue/actions", &act).json(), json!({"recipients": 0}));
        }
        let act = json!({"action": action, "filter": {"tenant": "acme"}});
        assert_eq!(stolen.post("/v1/queue/actions", &act).status, 403);
    }
    assert_eq!(stolen.post("/v1/suppressions", &entry).status, 403);
    assert_eq!(
        stolen.post("/v1/suppressions", &json!([entry])).json()["refused"][0]["field"],
        "/tenant"
    );
    assert_eq!(stolen.delete("/v1/suppressions/al@example.net").status, 404);
    assert_eq!(stolen.delete("/v1/suppressions?domain=example.net").json()["removed"], 0);
    assert_eq!(stolen.delete("/v1/suppressions?tenant=acme").status, 403);
    assert_eq!(stolen.post("/v1/lanes/example.net/pause", &json!({})).status, 403);
    assert_eq!(stolen.post("/v1/messages", &message("x@example.net", None)).status, 403);
    assert_eq!(all.get(&format!("/v1/queue/{id}")).json()["recipients"][0]["status"], "ready");
    assert_eq!(all.get("/v1/suppressions").json()["entries"].as_array().unwrap().len(), 1);
    // What it may do is its tenant's.
    assert_eq!(stolen.post("/v1/suppressions", &json!({"address": "al@example.net"})).status, 200);
    let entries = all.get("/v1/suppressions?tenant=thief").json();
    assert_eq!(entries["entries"][0]["by"], "stolen");
}

#[test]
fn what_is_handed_in_with_a_bound_token_is_its_tenants() {
    let relay = Relay::start(&NOWHERE);
    let submit = token(&relay, "shop", "submit", Some("acme"));
    let api = Api::with(&relay, &submit);
    let raw = "X-Postlane-Tenant: other\r\nSubject: hi\r\n\r\nhi\r\n";
    let raw = json!({
        "mail_from": "app@example.com", "rcpt_to": ["jo@example.net"],
        "raw_base64": STANDARD.encode(raw),
    });
    assert_eq!(api.post("/v1/messages", &message("jo@example.net", None)).status, 202);
    assert_eq!(api.post("/v1/messages", &message("jo@example.net", Some("acme"))).status, 202);
    assert_eq!(api.post("/v1/messages", &raw).status, 202);
    let other = api.post("/v1/messages", &message("jo@example.net", Some("other")));
    assert_eq!((other.status, &other.json()["errors"][0]["pointer"]), (403, &json!("/tenant")));
    let list = json!([message("jo@example.net", Some("other")), message("jo@example.net", None)]);
    let answers = api.post("/v1/messages", &list).json();
    assert_eq!(answers[0]["error"]["status"], 403);
    let rows = relay.list_until(|rows| rows.len() == 4);
    assert!(rows.iter().all(|row| row["tenant"] == "acme"), "{rows:?}");
}

#[test]
fn a_token_that_was_revoked_or_has_expired_opens_nothing() {
    let relay = Relay::start(&NOWHERE);
    let shop = token(&relay, "shop", "read", None);
    assert_eq!(Api::with(&relay, &shop).get("/v1/whoami").json()["name"], "shop");
    assert!(relay.ask(&["token", "revoke", "shop"]).status.success());
    let refused = Api::with(&relay, &shop).get("/v1/queue");
    assert_eq!(refused.status, 401);
    assert!(refused.text().contains("shop was revoked"), "{}", refused.text());
    let short =
        relay.ask(&["token", "new", "--name", "short", "--scope", "read", "--expires", "1d"]);
    let short = String::from_utf8(short.stdout).unwrap();
    let (_, home) = relay.stop();
    let later = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(25);
    let relay = home.start(&["--route", "*=127.0.0.1:9", "--now", &later.to_string()]);
    let refused = Api::with(&relay, short.trim()).get("/v1/queue");
    assert_eq!(refused.status, 401);
    assert!(refused.text().contains("short has expired"), "{}", refused.text());
    let states = relay.ask_json(&["token", "list"]);
    assert_eq!(states[0]["state"], "revoked");
    assert_eq!((&states[1]["name"], &states[1]["state"]), (&json!("short"), &json!("expired")));
    let taken = relay.ask(&["token", "new", "--name", "shop", "--scope", "read"]);
    assert_eq!(taken.status.code(), Some(1), "{}", String::from_utf8_lossy(&taken.stderr));
}

#[test]
fn tokens_are_made_where_no_server_runs_and_hold_where_one_does() {
    let (_, home) = Relay::start(&NOWHERE).stop();
    let made = home.command(&["token", "new", "--name", "shop", "--scope", "submit,read"]);
    let made = { made }.output().unwrap();
    assert_eq!(made.status.code(), Some(0), "{}", String::from_utf8_lossy(&made.stderr));
    let shop = String::from_utf8(made.stdout).unwrap();
    let relay = home.start(&NOWHERE);
    assert_eq!(Api::with(&relay, shop.trim()).get("/v1/queue").status, 200);
    let audit = relay.ask_json(&["audit"]);
    assert_eq!(
        (&audit[0]["what"], &audit[0]["from"]),
        (&json!("token new shop"), &json!("this machine"))
    );
    let nowhere = Home::new();
    let refused = nowhere.command(&["token", "list"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(4));
}

#[test]
fn who_asks_too_often_waits_and_the_token_file_does_not() {
    let relay = Home::new().start_by_file(
        "[http]\nrate = \"1/m\"\nburst = 2\nfailures = \"3/h\"\n[[listener]]\naddress = \"127.0.0.1:0\"\n",
    );
    let shop = token(&relay, "shop", "read", None);
    let api = Api::with(&relay, &shop);
    assert_eq!([api.get("/v1/whoami").status, api.get("/v1/whoami").status], [200, 200]);
    let later = api.get("/v1/whoami");
    assert_eq!(later.status, 429, "{}", later.text());
    let wait: u64 = later.field("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    assert!((0..5).all(|_| Api::of(&relay).get("/v1/whoami").status == 200));
    let wrong = Api::with(&relay, "plt_nonsense");
    let seen: Vec<u16> = (0..5).map(|_| wrong.get("/v1/whoami").status).collect();
    assert_eq!(seen, [401, 401, 401, 429, 429]);
    assert!(wrong.get("/v1/whoami").field("retry-after").is_some());
    assert_eq!(Api::of(&relay).get("/v1/whoami").status, 200, "the right token opens all the same");
    relay.logs(3, &["event=token-refused", "client=127.0.0.1"]);
}

#[test]
fn what_has_not_changed_is_not_sent_again() {
    let relay = Relay::start(&NOWHERE);
    let api = Api::of(&relay);
    for path in ["/v1/openapi.json", "/v1/server", "/v1/lanes", "/v1/suppressions", "/v1/tokens"] {
        let first = api.get(path);
        let tag = first.field("etag").unwrap_or_else(|| panic!("{path} has no tag")).to_owned();
        let again = api.ask(&format!("GET {path}"), &format!("If-None-Match: {tag}\r\n"), "");
        assert_eq!((again.status, again.text()), (304, ""), "{path}");
        assert_eq!(again.field("etag"), Some(tag.as_str()));
        let other = api.ask(&format!("GET {path}"), "If-None-Match: \"other\"\r\n", "");
        assert_eq!((other.status, other.text()), (200, first.text()), "{path}");
    }
    let before = api.get("/v1/suppressions").field("etag").unwrap().to_owned();
    api.post("/v1/suppressions", &json!({"address": "jo@example.net"}));
    let changed = api.ask("GET /v1/suppressions", &format!("If-None-Match: {before}\r\n"), "");
    assert_eq!(changed.status, 200);
}

#[test]
fn every_change_is_written_down_with_who_and_from_where() {
    let relay = Relay::start(&NOWHERE);
    let shop = token(&relay, "night-shift", "operate", None);
    let api = Api::with(&relay, &shop);
    let pause = json!({"why": "they asked", "by": "somebody else"});
    assert_eq!(api.post("/v1/lanes/gmx/pause", &pause).status, 200);
    assert_eq!(api.post("/v1/server/reload", &json!({})).status, 403);
    assert_eq!(api.post("/v1/messages", &message("jo@example.net", None)).status, 403);
    let changes = relay.ask_json(&["audit", "--who", "night-shift"]);
    let what: Vec<_> = changes.iter().map(|row| (&row["what"], &row["status"])).collect();
    assert_eq!(what[2], (&json!("POST /v1/lanes/gmx/pause"), &json!(200)));
    assert_eq!(what[1], (&json!("POST /v1/server/reload"), &json!(403)));
    assert_eq!(changes[2]["from"], "127.0.0.1");
    assert!(changes[2]["detail"].as_str().unwrap().contains("they asked"));
    let lanes = Api::of(&relay).get("/v1/lanes/gmx").json();
    assert_eq!(lanes["providers"][0]["orders"][0]["by"], "night-shift", "nobody signs for another");
    relay.logged(&["event=changed", "by=night-shift", "/v1/lanes/gmx/pause", "code=200"]);
    let made = relay.ask_json(&["audit", "--who", "the token file"]);
    assert_eq!(
        (&made[0]["what"], &made[0]["from"]),
        (&json!("POST /v1/tokens"), &json!("control.sock"))
    );
}

#[test]
fn mail_goes_on_without_the_registry_and_it_is_said_why() {
    let (_, home) = Relay::start(&NOWHERE).stop();
    for old in ["registry.db-wal", "registry.db-shm"] {
        fs::remove_file(home.data().join(old)).ok();
    }
    fs::write(home.data().join("registry.db"), vec![b'x'; 8192]).unwrap();
    let relay = home.start(&NOWHERE);
    let api = Api::of(&relay);
    assert_eq!(api.post("/v1/messages", &message("jo@example.net", None)).status, 202);
    relay.list_until(|rows| rows.len() == 1);
    relay.logged(&["event=alarm", "restore it from a backup", "Mail goes on"]);
    let refused = api.get("/v1/tokens");
    assert_eq!(refused.status, 503);
    assert!(refused.text().contains("move it"), "{}", refused.text());
    let token = format!("plt_{}", "x".repeat(43));
    assert_eq!(Api::with(&relay, &token).get("/v1/queue").status, 503);
    // Changes are made all the same, and the log says that the audit lacks them.
    assert_eq!(api.post("/v1/lanes/gmx/pause", &json!({})).status, 200);
    relay.logged(&["event=changed", "/v1/lanes/gmx/pause", "it is not in the audit"]);
    // The cure that was told works without a restart.
    fs::rename(relay.home().data().join("registry.db"), relay.home().data().join("broken"))
        .unwrap();
    let until = Instant::now() + PATIENCE;
    while api.get("/v1/tokens").status != 200 {
        assert!(Instant::now() < until, "{}", api.get("/v1/tokens").text());
        std::thread::yield_now();
    }
}

#[test]
fn a_registry_put_in_the_place_of_the_one_in_use_is_told_and_holds_from_the_next_start_on() {
    let relay = Relay::start(&NOWHERE);
    token(&relay, "first", "read", None);
    let (_, home) = relay.stop();
    let log = home.data().join("registry.db-wal");
    assert!(!log.exists(), "a copy of the one file is whole after an orderly end");
    let mut made = home.command(&["token", "new", "--name", "kept", "--scope", "read"]);
    let kept = String::from_utf8(made.output().unwrap().stdout).unwrap().trim().to_owned();
    let (file, backup) = (home.data().join("registry.db"), home.data().join("backup.db"));
    fs::copy(&file, &backup).unwrap();
    let relay = home.start(&NOWHERE);
    let later = token(&relay, "later", "read", None);
    assert_eq!(Api::with(&relay, &later).get("/v1/queue").status, 200);
    fs::rename(&backup, &file).unwrap();
    for secret in [&kept, &later] {
        let refused = Api::with(&relay, secret).get("/v1/queue");
        assert_eq!(refused.status, 503);
        assert!(refused.text().contains("restart the relay"), "{}", refused.text());
    }
    let api = Api::of(&relay);
    assert_eq!(api.post("/v1/messages", &message("jo@example.net", None)).status, 202);
    assert_eq!(api.post("/v1/lanes/gmx/pause", &json!({})).status, 200);
    relay.logged(&["event=changed", "it is not in the audit", "restart the relay"]);
    relay.logged(&["event=alarm", "another file was put", "restart the relay", "Mail goes on"]);
    for path in ["/healthz", "/readyz"] {
        let health = api.get(path);
        assert_eq!((health.status, &health.json()["status"]), (200, &json!("ok")), "mail goes on");
        let says = health.json()["problems"][0].to_string();
        assert!(says.contains("restart the relay"), "{says}");
    }
    let (_, home) = relay.stop();
    let relay = home.start(&NOWHERE);
    assert_eq!(Api::with(&relay, &kept).get("/v1/queue").status, 200);
    assert_eq!(Api::with(&relay, &later).get("/v1/queue").status, 401);
}

#[test]
fn a_saved_view_is_found_again() {
    let relay = Relay::start(&NOWHERE);
    let name = "GMX 421, last 24 h";
    let query = "provider=united-internet&code=421&younger_than_s=86400";
    assert!(relay.ask(&["view", "save", name, "--query", query]).status.success());
    let views = relay.ask_json(&["view", "list"]);
    assert_eq!((&views[0]["name"], &views[0]["query"]), (&json!(name), &json!(query)));
    assert_eq!(views[0]["page"], "log");
    assert!(relay.ask(&["view", "remove", name]).status.success());
    assert_eq!(relay.ask(&["view", "remove", name]).status.code(), Some(1));
    assert_eq!(relay.ask(&["view", "list"]).status.code(), Some(1));
}

/// What a command lists, as soon as it lists anything.
fn found(relay: &Relay, arguments: &[&str]) -> Vec<Value> {
    let until = Instant::now() + PATIENCE;
    loop {
        let rows = relay.ask_json(arguments);
        if !rows.is_empty() {
            return rows;
        }
        assert!(Instant::now() < until, "{}", relay.log());
    }
}

#[test]
fn a_saved_view_of_the_log_is_asked_for_by_its_name() {
    let relay = Relay::start(&NOWHERE);
    let all = Api::of(&relay);
    let name = "Acme, taken, last 24 h";
    let query = "tenant=acme&kind=accepted&since=24h";
    assert!(relay.ask(&["view", "save", name, "--query", query]).status.success());
    assert_eq!(relay.ask(&["log", "--saved", name]).status.code(), Some(1));
    assert_eq!(all.post("/v1/messages", &message("al@a.example", Some("other"))).status, 202);
    assert_eq!(all.post("/v1/messages", &message("jo@a.example", Some("acme"))).status, 202);
    let rows = found(&relay, &["log", "--saved", name]);
    assert_eq!((rows.len(), &rows[0]["tenant"]), (1, &json!("acme")));
    assert_eq!(rows[0]["kind"], "accepted");
    // What is given beside it counts in its place.
    let other = relay.ask_json(&["log", "--saved", name, "--tenant", "other"]);
    assert_eq!((other.len(), &other[0]["tenant"]), (1, &json!("other")));
    let views = String::from_utf8(relay.ask(&["log", "--views"]).stdout).unwrap();
    assert!(views.contains(name) && views.contains("gmx-421"), "{views}");
    assert_eq!(relay.ask(&["log", "--saved", "nothing"]).status.code(), Some(2));
    // A tenant has views of its own, and another's tenant in one of them opens nothing.
    let thief = token(&relay, "thief", "operate", Some("thief"));
    let thief = Api::with(&relay, &thief);
    assert_eq!(thief.get("/v1/log?view=Acme,%20taken,%20last%2024%20h").status, 400);
    let view = json!({"name": "theirs", "page": "log", "query": "tenant=acme"}).to_string();
    let kind = "Content-Type: application/json\r\n";
    assert_eq!(thief.ask("PUT /v1/views", kind, &view).status, 200);
    assert_eq!(thief.get("/v1/log?view=theirs").status, 403);
    let broken = json!({"name": "old", "page": "log", "query": "younger_than_s=9"}).to_string();
    assert_eq!(all.ask("PUT /v1/views", kind, &broken).status, 200);
    assert_eq!(all.get("/v1/log?view=old").status, 400);
}

#[test]
fn the_log_goes_out_as_parquet_whole_or_not_at_all() {
    let relay = Relay::start(&NOWHERE);
    let all = Api::of(&relay);
    assert_eq!(all.post("/v1/messages", &message("jo@a.example", Some("acme"))).status, 202);
    found(&relay, &["log"]);
    let file = relay.home().path().join("log.parquet");
    let asked = relay.ask(&["log", "--parquet", file.to_str().unwrap()]);
    assert!(asked.status.success(), "{}", String::from_utf8_lossy(&asked.stderr));
    let octets = fs::read(&file).unwrap();
    assert!(octets.starts_with(b"PAR1") && octets.ends_with(b"PAR1") && octets.len() > 1_000);
    let nowhere = relay.home().path().join("no/log.parquet");
    assert_eq!(relay.ask(&["log", "--parquet", nowhere.to_str().unwrap()]).status.code(), Some(2));
    assert_eq!(all.get("/v1/log/export?format=xlsx").status, 400);
    assert_eq!(all.get("/v1/log/export?format=parquet&after=7").status, 400);
    let submit = token(&relay, "submit", "submit", None);
    let submit = Api::with(&relay, &submit);
    assert_eq!(submit.get("/v1/log/export?format=parquet").status, 403);
    let thief = token(&relay, "thief", "read", Some("thief"));
    let thief = Api::with(&relay, &thief);
    assert_eq!(thief.get("/v1/log/export?format=parquet&tenant=acme").status, 403);
}
