//! The HTTP API as any program may use it.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::golden::golden;
use crate::peer::Peer;
use crate::relay::{PATIENCE, Relay};

const NOWHERE: [&str; 2] = ["--route", "*=127.0.0.1:9"];

/// The API of a relay, with its token.
pub(crate) struct Api<'a> {
    relay: &'a Relay,
    token: String,
}

/// What was answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    body: String,
}

impl<'a> Api<'a> {
    pub(crate) fn of(relay: &'a Relay) -> Self {
        Self { relay, token: relay.token() }
    }

    /// The API for whoever has this token.
    pub(crate) fn with(relay: &'a Relay, token: &str) -> Self {
        Self { relay, token: token.to_owned() }
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        self.ask(&format!("POST {path}"), "Content-Type: application/json\r\n", &body.to_string())
    }

    pub(crate) fn delete(&self, path: &str) -> Answer {
        self.ask(&format!("DELETE {path}"), "", "")
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask(&format!("GET {path}"), "", "")
    }

    pub(crate) fn ask(&self, line: &str, headers: &str, body: &str) -> Answer {
        let mut stream = self.begin(line, headers, body);
        let mut answer = String::new();
        let read = stream.read_to_string(&mut answer);
        read.unwrap_or_else(|e| panic!("{line}: {e} after {answer:?}"));
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head: head.to_owned(), body: body.to_owned() }
    }

    pub(crate) fn begin(&self, line: &str, headers: &str, body: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.relay.http).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let (token, length) = (&self.token, body.len());
        // In one piece: who is refused before the body has come may not hear why.
        let request = format!(
            "{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
             {headers}Content-Length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).unwrap();
        stream
    }
}

impl Answer {
    /// What a header field says.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.head.lines().filter_map(|line| line.split_once(": "));
        fields.find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub(crate) fn text(&self) -> &str {
        &self.body
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body))
    }

    /// The problem, which says its own status, and where it points to.
    fn problem(&self) -> (u16, Vec<String>) {
        assert!(self.head.contains("content-type: application/problem+json"), "{}", self.head);
        let problem = self.json();
        assert_eq!(problem["status"], self.status);
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.len() > 10), "{problem}");
        let errors = problem["errors"].as_array().cloned().unwrap_or_default();
        let pointers = errors.iter().map(|e| e["pointer"].as_str().unwrap().to_owned());
        (self.status, pointers.collect())
    }
}

/// Waits until so many recipients wait, and gives them.
fn waiting(relay: &Relay, many: usize) -> Vec<Value> {
    relay.list_until(|rows| rows.len() == many)
}

fn hello() -> Value {
    json!({"from": "App <app@example.com>", "to": "jo@example.net", "subject": "hi", "text": "hi"})
}

/// `hello` with one field changed; null takes it out.
fn with(field: &str, value: Value) -> Value {
    let mut message = hello();
    let fields = message.as_object_mut().unwrap();
    fields.remove(field);
    if !value.is_null() {
        fields.insert(field.to_owned(), value);
    }
    message
}

#[test]
fn who_has_the_token_may_hand_in_a_message_and_who_has_not_may_not() {
    let relay = Relay::start(&NOWHERE);
    let token = relay.home().data().join("token");
    assert_eq!(fs::metadata(token).unwrap().permissions().mode() & 0o777, 0o600);
    // Nor may anybody else look for what lies beside it, whoever made the data directory.
    for name in ["spool", "ledger", "registry.db"] {
        let mode = fs::metadata(relay.home().data().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name}: {mode:o}");
    }
    let stranger = Api { relay: &relay, token: "nonsense".to_owned() };
    let refused = stranger.post("/v1/messages", &hello());
    assert_eq!(refused.problem(), (401, vec![]));
    assert!(refused.head.contains("www-authenticate: Bearer"), "{}", refused.head);
    assert!(refused.body.contains("token"), "{}", refused.body);
    for path in ["/v1/queue", "/v1/queue/summary", "/v1/events", "/v1/server", "/v1/suppressions"] {
        assert_eq!(stranger.get(path).status, 401, "{path}");
    }
    let api = Api::of(&relay);
    let taken = api.post("/v1/messages", &hello());
    assert_eq!(taken.status, 202);
    let answer = taken.json();
    let keys: Vec<&String> = answer.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["id", "recipients"]);
    assert_eq!(answer["recipients"], json!([{"address": "jo@example.net", "status": "queued"}]));
    assert_eq!(waiting(&relay, 1)[0]["id"], answer["id"]);
}

#[test]
fn a_recipient_that_cannot_be_written_to_does_not_keep_the_others_from_theirs() {
    let relay = Relay::start(&NOWHERE);
    let to = json!(["jo@example.net", "nonsense", "jo@example.net", "al@example.net"]);
    let answer = Api::of(&relay).post("/v1/messages", &with("rcpt_to", to)).json();
    let statuses: Vec<&Value> =
        answer["recipients"].as_array().unwrap().iter().map(|r| &r["status"]).collect();
    assert_eq!(statuses, ["queued", "refused", "queued", "queued"]);
    assert!(answer["recipients"][1]["reason"].as_str().unwrap().contains("local-part@domain"));
    // Who is named twice gets it once.
    waiting(&relay, 2);
}

#[test]
fn in_a_list_each_message_is_taken_or_refused_for_itself() {
    let relay = Relay::start(&NOWHERE);
    let list =
        json!([hello(), with("to", json!("nonsense")), with("colour", json!("red")), 7, hello()]);
    let answer = Api::of(&relay).post("/v1/messages", &list);
    assert_eq!(answer.status, 202);
    let answers = answer.json();
    let points = |i: usize| &answers[i]["error"]["errors"][0]["pointer"];
    assert!(answers[0]["id"].is_string() && answers[4]["id"].is_string());
    assert_eq!((&answers[1]["error"]["status"], points(1)), (&json!(422), &json!("/to/0")));
    assert_eq!((&answers[2]["error"]["status"], points(2)), (&json!(422), &json!("/colour")));
    assert_eq!(answers[3]["error"]["status"], 422);
    assert!(answers[1]["id"].is_null() && answers[2]["id"].is_null());
    waiting(&relay, 2);
}

#[test]
fn what_is_wrong_is_pointed_to() {
    let relay = Relay::start(&NOWHERE);
    let api = Api::of(&relay);
    let raw = |text: &str, field: &str, value: Value| {
        let raw = STANDARD.encode(text);
        let mut message = json!({"mail_from": "app@example.com", "rcpt_to": ["jo@example.net"], "raw_base64": raw});
        message[field] = value;
        message
    };
    let whole = "Subject: hi\r\n\r\nhi\r\n";
    let wrong = [
        (with("from", Value::Null), "/from"),
        (with("from", json!("nonsense")), "/from"),
        (with("mail_from", json!("nonsense")), "/mail_from"),
        (with("to", json!(["jo@example.net", "al"])), "/to"),
        (with("to", Value::Null), "/rcpt_to"),
        (with("to", json!(7)), "/to"),
        (with("rcpt_to", json!([7])), "/rcpt_to/0"),
        (with("rcpt_to", json!(["nonsense"])), "/rcpt_to/0"),
        (with("subject", json!("hi\r\nBcc: al@example.net")), "/subject"),
        (with("text", Value::Null), "/text"),
        (with("headers", json!({"From": "al@example.net"})), "/headers"),
        (with("headers", json!({"X-Odd": 7})), "/headers/X-Odd"),
        (with("stream", json!("warm")), "/stream"),
        (with("campaign", json!("a b")), "/campaign"),
        (with("tenant", json!("a/b")), "/tenant"),
        (with("idempotency_key", json!("")), "/idempotency_key"),
        (with("colour", json!("red")), "/colour"),
        (raw(whole, "raw_base64", json!("?")), "/raw_base64"),
        (raw(whole, "rcpt_to", json!([])), "/rcpt_to"),
        (raw(whole, "subject", json!("hi")), "/subject"),
        (raw("Subject: hi\n\nhi\n", "tenant", json!("acme")), "/raw_base64"),
    ];
    for (message, pointer) in wrong {
        let answer = api.post("/v1/messages", &message);
        assert_eq!(answer.problem(), (422, vec![pointer.to_owned()]), "{message}: {}", answer.body);
    }
    assert_eq!(relay.ask_json(&["queue", "list"]).len(), 0);
}

#[test]
fn what_cannot_be_read_is_answered_by_what_it_is() {
    let relay = Relay::start(&NOWHERE);
    let api = Api::of(&relay);
    let kind = "Content-Type: application/json\r\n";
    let broken = api.ask("POST /v1/messages", kind, "{\"from\": ");
    assert_eq!(broken.problem(), (400, vec![]));
    let form = api.ask("POST /v1/messages", "Content-Type: text/plain\r\n", &hello().to_string());
    assert_eq!(form.problem(), (415, vec![]));
    assert!(form.body.contains("Content-Type: application/json"), "{}", form.body);
    assert_eq!(api.ask("POST /v1/messages", "", &hello().to_string()).problem().0, 415);
    assert_eq!(api.get("/v1/nothing").problem().0, 404);
    assert_eq!(api.get("/v1/messages").problem().0, 405);
    assert_eq!(api.get("/v1/queue/nonsense").problem().0, 400);
    assert_eq!(api.get("/v1/queue/0000000000000").problem().0, 404);
    assert_eq!(api.get("/v1/queue?colour=red").problem().0, 400);
    let act = json!({"action": "paint", "filter": {}});
    assert_eq!(api.post("/v1/queue/actions", &act).problem(), (422, vec!["/action".to_owned()]));
    let act = json!({"action": "delete", "filter": {}});
    assert_eq!(
        api.post("/v1/queue/actions", &act).problem(),
        (422, vec!["/everything".to_owned()])
    );
}

#[test]
fn a_message_that_is_too_large_is_answered_413() {
    let home = crate::relay::Home::new();
    let file = home.path().join("postlane.toml");
    fs::write(&file, "[limits]\nmessage_size = \"64KiB\"\n").unwrap();
    let file = file.to_str().unwrap().to_owned();
    let relay = home.start(&["--config", &file, "--route", "*=127.0.0.1:9"]);
    let api = Api::of(&relay);
    let larger_than_a_message = with("text", json!("x".repeat(70 << 10)));
    assert_eq!(api.post("/v1/messages", &larger_than_a_message).problem(), (413, vec![]));
    let larger_than_any_body = with("text", json!("x".repeat(180 << 10)));
    assert_eq!(api.post("/v1/messages", &larger_than_any_body).problem(), (413, vec![]));
    assert_eq!(api.post("/v1/messages", &hello()).status, 202);
}

#[test]
fn the_same_key_is_the_same_message() {
    let relay = Relay::start(&NOWHERE);
    let keyed = |text: &str| {
        let mut message = with("text", json!(text));
        message["idempotency_key"] = json!("order-7");
        message
    };
    let first = Api::of(&relay).post("/v1/messages", &keyed("hi")).json();
    let again = Api::of(&relay).post("/v1/messages", &keyed("hi")).json();
    assert_eq!(again["id"], first["id"]);
    assert_eq!((&first["repeated"], &again["repeated"]), (&Value::Null, &json!(true)));
    let other = Api::of(&relay).post("/v1/messages", &keyed("ho"));
    assert_eq!(other.problem(), (409, vec!["/idempotency_key".to_owned()]));
    let mut of_tenant = keyed("hi");
    of_tenant["tenant"] = json!("acme");
    assert_ne!(Api::of(&relay).post("/v1/messages", &of_tenant).json()["id"], first["id"]);
    waiting(&relay, 2);
    // It holds over a crash: the key is on the disk with its message.
    let relay = relay.crash().start(&NOWHERE);
    assert_eq!(Api::of(&relay).post("/v1/messages", &keyed("hi")).json()["id"], first["id"]);
}

#[test]
fn the_same_key_many_times_at_once_is_one_message() {
    let relay = Relay::start(&NOWHERE);
    let api = Api::of(&relay);
    let message = with("idempotency_key", json!("order-8"));
    let begun: Vec<TcpStream> = (0..20)
        .map(|_| {
            let kind = "Content-Type: application/json\r\n";
            api.begin("POST /v1/messages", kind, &message.to_string())
        })
        .collect();
    for mut stream in begun {
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    }
    waiting(&relay, 1);
}

#[test]
fn a_key_is_forgotten_after_a_day() {
    let at = |time| ["--route", "*=127.0.0.1:9", "--now", time];
    let relay = Relay::start(&at("2026-03-01T00:00:00Z"));
    let keyed = with("idempotency_key", json!("order-9"));
    let first = Api::of(&relay).post("/v1/messages", &keyed).json();
    let (_, home) = relay.stop();
    let relay = home.start(&at("2026-03-02T01:00:00Z"));
    let next = Api::of(&relay).post("/v1/messages", &keyed).json();
    assert!(next["id"].is_string() && next["id"] != first["id"], "{next}");
}

/// What a host gets of a message handed in like this.
fn delivered(message: &Value) -> (String, String) {
    let peer = Peer::start();
    let relay = Relay::start(&["--route", &peer.route()]);
    let answer = Api::of(&relay).post("/v1/messages", message);
    assert_eq!(answer.status, 202, "{}", answer.body);
    peer.wait(|seen| seen.taken.first().cloned())
}

#[test]
fn a_composed_message_shows_whom_it_is_told_to_and_never_the_hidden() {
    let message = json!({
        "mail_from": "bounces@example.com", "to": ["Jo <jo@example.net>"], "cc": "al@example.net",
        "bcc": ["hidden@example.net"], "subject": "Grüße", "text": "hi", "html": "<p>hi</p>",
        "headers": {"X-Odd": "even"},
    });
    let (from, text) = delivered(&message);
    assert_eq!(from, "bounces@example.com");
    for line in [
        "From: <bounces@example.com>",
        "To: \"Jo\" <jo@example.net>",
        "Cc: <al@example.net>",
        "X-Odd: even",
    ] {
        assert!(text.contains(&format!("{line}\r\n")), "{line} is not in {text}");
    }
    assert!(text.contains("Date: ") && text.contains("Message-ID: <"), "{text}");
    assert!(!text.contains("hidden") && !text.to_lowercase().contains("bcc"), "{text}");
}

#[test]
fn a_raw_message_goes_as_it_is_with_its_trace() {
    let raw = "From: app@example.com\r\nBcc: hidden@example.net\r\nX-Postlane-Stream: cold\r\n\
               Date: Thu, 1 Jan 2026 00:00:00 +0000\r\nMessage-ID: <1@example.com>\r\n\r\n.dot\r\nend";
    let message = json!({
        "mail_from": "", "rcpt_to": ["jo@example.net"], "raw_base64": STANDARD.encode(raw),
    });
    let (from, text) = delivered(&message);
    assert_eq!(from, "");
    let (trace, rest) = text.split_once("From: ").unwrap();
    assert!(trace.starts_with("Received: ") && trace.contains(" with HTTP id "), "{trace}");
    // The dot is doubled on the wire (RFC 5321 §4.5.2).
    let expected = "app@example.com\r\nDate: Thu, 1 Jan 2026 00:00:00 +0000\r\n\
                    Message-ID: <1@example.com>\r\n\r\n..dot\r\nend\r\n";
    assert_eq!(rest, expected);
}

#[test]
fn labels_are_kept_with_the_message() {
    let relay = Relay::start(&NOWHERE);
    let mut message = with("stream", json!("transactional"));
    (message["tenant"], message["campaign"]) = (json!("acme"), json!("spring-2026"));
    assert_eq!(Api::of(&relay).post("/v1/messages", &message).status, 202);
    let row = &waiting(&relay, 1)[0];
    assert_eq!((&row["stream"], &row["tenant"]), (&json!("transactional"), &json!("acme")));
    assert_eq!(row["campaign"], "spring-2026");
}

#[test]
fn the_api_describes_itself() {
    let relay = Relay::start(&NOWHERE);
    let answer = Api { relay: &relay, token: String::new() }.get("/v1/openapi.json");
    assert_eq!(answer.status, 200);
    golden("openapi.json", &format!("{:#}\n", answer.json()));
}

#[test]
fn an_attempt_is_told_with_its_reply_its_dialogue_and_the_message_header() {
    let peer = Peer::start();
    let relay = Relay::start(&["--route", &peer.route()]);
    let api = Api::of(&relay);
    let mut events = BufReader::new(api.begin("GET /v1/events", "", ""));
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        assert_ne!(events.read_line(&mut line).unwrap(), 0);
    }
    let mut message = with("to", json!(["jo@example.net", "later-al@example.net"]));
    message["campaign"] = json!("spring");
    let id = api.post("/v1/messages", &message).json()["id"].clone();
    let mut told = Vec::new();
    while told.len() < 2 {
        line.clear();
        assert_ne!(events.read_line(&mut line).unwrap(), 0);
        // The other lines are the lengths of chunks.
        if line.starts_with('{') {
            told.push(serde_json::from_str::<Value>(&line).unwrap());
        }
    }
    told.sort_by_key(|event| event["event"].to_string());
    let [deferred, delivered] = &told[..] else { panic!("{told:?}") };
    assert_eq!(
        (&deferred["event"], &delivered["event"]),
        (&json!("deferred"), &json!("delivered"))
    );
    assert_eq!((&deferred["id"], &delivered["id"]), (&id, &id));
    assert_eq!(delivered["recipient"], "jo@example.net");
    assert_eq!(delivered["campaign"], "spring");
    let last = &deferred["last_reply"];
    assert_eq!(last["text"], "4.7.1 We do not know you yet.\n4.7.1 Try again later.");
    assert_eq!((&last["code"], &last["stage"]), (&json!(451), &json!("rcpt")));
    let transcript = deferred["transcript"].as_str().unwrap();
    assert!(transcript.contains("RCPT TO:<later-al@example.net>"), "{transcript}");
    assert!(transcript.contains("451-4.7.1 We do not know you yet."), "{transcript}");
    let headers = deferred["headers"].as_str().unwrap();
    assert!(headers.contains("Subject: hi"), "{headers}");
    let keys: Vec<&String> = deferred.as_object().unwrap().keys().collect();
    golden("event-keys.txt", &format!("{keys:#?}\n"));
}

#[test]
fn it_is_ready_until_it_closes() {
    let relay = Relay::start(&NOWHERE);
    let anybody = Api { relay: &relay, token: String::new() };
    for path in ["/healthz", "/readyz"] {
        let answer = anybody.get(path);
        assert_eq!(answer.status, 200);
        assert_eq!(answer.json(), json!({"status": "ok", "problems": []}));
    }
    // A session in the middle of a command keeps the door open while it closes.
    let mut dialogue = relay.dial();
    assert!(dialogue.say("EHLO app.example").starts_with("250"));
    assert!(dialogue.say("MAIL FROM:<app@example.com>").starts_with("250"));
    assert!(dialogue.say("RCPT TO:<jo@example.net>").starts_with("250"));
    assert!(dialogue.say("DATA").starts_with("354"));
    relay.terminate();
    let closing = loop {
        let answer = anybody.get("/readyz");
        if answer.status != 200 {
            break answer;
        }
    };
    assert_eq!(closing.status, 503);
    assert!(
        closing.json()["problems"][0].as_str().unwrap().contains("closing"),
        "{}",
        closing.body
    );
    let refused = Api::of(&relay).post("/v1/messages", &hello());
    assert_eq!(refused.problem(), (503, vec![]));
    assert!(dialogue.say("Subject: hi\r\n\r\nhi\r\n.").starts_with("250"));
}

#[test]
fn figures_are_openmetrics() {
    let relay = Relay::start(&NOWHERE);
    let api = Api::of(&relay);
    assert_eq!(api.post("/v1/messages", &hello()).status, 202);
    let answer = api.get("/metrics");
    assert!(answer.head.contains("content-type: application/openmetrics-text; version=1.0.0"));
    let text = &answer.body;
    assert!(text.ends_with("# EOF\n"), "{text}");
    let mut families = String::new();
    let mut family = ("", "");
    for line in text.lines() {
        let words: Vec<&str> = line.splitn(4, ' ').collect();
        match words[..] {
            ["#", "TYPE", name, kind] => {
                assert!(!families.contains(&format!("{kind} {name}\n")), "{name} is there twice");
                families.push_str(&format!("{kind} {name}\n"));
                family = (name, kind);
            }
            ["#", "HELP" | "UNIT", ..] | ["#", "EOF"] => {}
            [sample, value] => {
                let name = sample.split('{').next().unwrap();
                let suffix = match family.1 {
                    "counter" => "_total",
                    "info" => "_info",
                    _ => "",
                };
                assert_eq!(name, format!("{}{suffix}", family.0));
                assert!(value.parse::<f64>().is_ok(), "{line}");
                // Whether there is a lane yet, nobody knows.
                let is_of_lane = name.starts_with("postlane_lane_");
                if sample.contains('{') && family.1 == "gauge" && !is_of_lane {
                    families.push_str(&format!("    {}\n", &sample[name.len()..]));
                }
            }
            _ => panic!("{line}"),
        }
    }
    golden("metrics.txt", &families);
    let value = |text: &str, name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {name} in {text}")).parse::<f64>().unwrap()
    };
    assert_eq!(value(text, "postlane_messages_accepted_total"), 1.0);
    assert!(value(text, "postlane_spool_headroom_bytes") > 0.0);
    assert!(value(text, "postlane_spool_used_bytes") > 0.0);
    // The engine hears of a message a moment after it is safe.
    waiting(&relay, 1);
    let text = &api.get("/metrics").body;
    assert_eq!(value(text, "postlane_queue_age_recipients{minutes=\"0-5\"}"), 1.0);
}
