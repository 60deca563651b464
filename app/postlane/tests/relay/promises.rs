//! What everybody is promised, whoever asks and however it is asked.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use serde_json::Value;

use crate::relay::{Dialogue, PATIENCE, Relay};

/// A host that refuses `gone-…`, puts off `later-…`, and tells of all else that it takes. Its
/// threads end with the tests.
struct Host {
    address: SocketAddr,
    taken: Receiver<Taken>,
}

/// A message that a host has taken.
#[derive(Debug, Default)]
struct Taken {
    from: String,
    message: String,
}

impl Host {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (tell, taken) = channel();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let tell = tell.clone();
                // A relay that ends may not say goodbye.
                thread::spawn(move || stream.and_then(|stream| session(stream, &tell)).ok());
            }
        });
        Self { address, taken }
    }

    /// A relay that sends all its mail here.
    fn relay(&self) -> Relay {
        Relay::start(&["--route", &format!("*={}", self.address)])
    }
}

fn session(stream: TcpStream, tell: &Sender<Taken>) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut reader = BufReader::new(stream);
    let mut taken = Taken::default();
    let mut line = String::new();
    let mut reply = "220 host.example";
    loop {
        write!(reader.get_mut(), "{reply}\r\n")?;
        line.clear();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let path = line.split(['<', '>']).nth(1).unwrap_or_default();
        reply = match line.get(..4).unwrap_or_default() {
            "MAIL" => {
                path.clone_into(&mut taken.from);
                "250 2.1.0 ok"
            }
            "RCPT" if path.starts_with("gone-") => "550 5.1.1 nobody of that name",
            "RCPT" if path.starts_with("later-") => "451 4.7.1 not now",
            "DATA" => {
                write!(reader.get_mut(), "354 go on\r\n")?;
                while !taken.message.ends_with("\r\n.\r\n") {
                    reader.read_line(&mut taken.message)?;
                }
                // Nobody may want to know any more.
                tell.send(std::mem::take(&mut taken)).ok();
                "250 2.0.0 taken"
            }
            _ => "250 2.0.0 ok",
        };
    }
}

/// What the API answers, all of it.
fn asked(relay: &Relay, path: &str, token: &str) -> String {
    let mut stream = TcpStream::connect(relay.http).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
    write!(stream, "{head}Authorization: Bearer {token}\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn hello(relay: &Relay) -> Dialogue {
    let mut dialogue = relay.dial();
    assert!(dialogue.say("EHLO app.example").starts_with("250"));
    dialogue
}

/// The rows of all that waits, once all of it has been deferred.
fn deferred(relay: &Relay) -> Vec<Value> {
    let rows = std::iter::repeat_with(|| relay.ask_json(&["queue", "list"])).take(1000);
    let is_deferred = |row: &Value| row["status"] == "deferred";
    let mut rows = rows.skip_while(|rows| rows.is_empty() || !rows.iter().all(is_deferred));
    rows.next().expect("what is put off is deferred")
}

#[test]
fn a_null_reverse_path_is_never_bounced() {
    let host = Host::start();
    let relay = host.relay();
    let mut dialogue = hello(&relay);
    let first = dialogue.hand_over("", &["gone-1@example.net"], "Subject: a\r\n\r\nb");
    let second =
        dialogue.hand_over("app@example.com", &["gone-2@example.net"], "Subject: a\r\n\r\nb");
    let report = host.taken.recv_timeout(PATIENCE).unwrap();
    assert_eq!(report.from, "");
    assert!(report.message.contains("gone-2@example.net"), "{}", report.message);
    // What is under way when a relay ends is finished first.
    let (_, home) = relay.stop();
    assert!(host.taken.try_recv().is_err(), "there is a second report");
    let log = std::fs::read_to_string(home.path().join("log")).unwrap();
    let says = |event: &str, id: &str| {
        log.lines().any(|line| line.contains(&format!("event={event} ")) && line.contains(id))
    };
    assert!(says("bounced", &first) && says("bounced", &second), "{log}");
    assert!(says("report", &second) && !says("report", &first), "{log}");
}

#[test]
fn no_log_no_figure_and_no_row_shows_a_body() {
    let host = Host::start();
    let relay = host.relay();
    let to = ["jo@example.net", "later-1@example.net", "gone-1@example.net"];
    let message = "Subject: the-subject\r\n\r\nthe-body-is-nobody-s";
    let id = hello(&relay).hand_over("app@example.com", &to, message);
    let seen: Vec<Taken> = (0..2).map(|_| host.taken.recv_timeout(PATIENCE).unwrap()).collect();
    assert!(seen.iter().any(|taken| taken.message.contains("the-body")), "{seen:?}");
    deferred(&relay);
    let token = relay.token();
    let pages = [
        "/metrics".to_owned(),
        "/v1/queue".to_owned(),
        "/v1/queue/summary".to_owned(),
        format!("/v1/queue/{id}"),
    ];
    for page in &pages {
        let answer = asked(&relay, page, &token);
        assert!(answer.starts_with("HTTP/1.1 200"), "{page}: {answer}");
        assert!(!answer.contains("the-body"), "{page}: {answer}");
        let shows_addresses = answer.contains("@example.net");
        assert_eq!(shows_addresses, page.starts_with("/v1/queue") && !page.ends_with("summary"));
    }
    for page in &pages[1..] {
        let answer = asked(&relay, page, "nobody's");
        assert!(answer.starts_with("HTTP/1.1 401"), "{page}: {answer}");
        assert!(!answer.contains("@example.net"), "{page}: {answer}");
    }
    let (_, home) = relay.stop();
    let log = std::fs::read_to_string(home.path().join("log")).unwrap();
    assert!(log.contains(&id) && !log.contains("the-body"), "{log}");
}

#[test]
fn what_waits_says_why_alike_to_programs_and_to_people() {
    let host = Host::start();
    let relay = host.relay();
    hello(&relay).hand_over("app@example.com", &["later-1@example.net"], "Subject: a\r\n\r\nb");
    let rows = deferred(&relay);
    let waiting = &rows[0]["waiting"];
    let reason = waiting["reason"].as_str().unwrap();
    assert!(!reason.is_empty() && waiting["until"].is_string(), "{waiting}");
    let answer = asked(&relay, "/v1/queue", &relay.token());
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let page: Value = serde_json::from_str(body).unwrap();
    assert_eq!(&page["recipients"][0]["waiting"], waiting);
    let table = String::from_utf8(relay.ask(&["queue", "list"]).stdout).unwrap();
    assert!(table.contains(reason), "{table}");
}
