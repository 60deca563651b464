//! The HTTP API as any program may use it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use crate::relay::{PATIENCE, Relay};

/// What was answered: status line and headers, then the body.
fn request(relay: &Relay, line: &str, token: &str, body: &str) -> (String, String) {
    let mut stream = TcpStream::connect(relay.http).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let length = body.len();
    write!(
        stream,
        "{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

#[test]
fn who_has_the_token_may_hand_in_a_message_and_who_has_not_may_not() {
    let relay = Relay::start(&["--route", "*=127.0.0.1:9"]);
    let message = r#"{"mail_from": "app@example.com", "rcpt_to": ["jo@example.net"], "from": "app@example.com", "to": "jo@example.net", "subject": "hi", "text": "hi"}"#;
    let (head, body) = request(&relay, "POST /v1/messages", "nonsense", message);
    assert!(head.starts_with("HTTP/1.1 401"), "{head}");
    assert!(head.contains("application/problem+json"), "{head}");
    assert!(body.contains("token"), "{body}");
    let (head, body) = request(&relay, "POST /v1/messages", &relay.token(), message);
    assert!(head.starts_with("HTTP/1.1 202"), "{head}");
    let answer: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(answer["recipients"][0]["address"], "jo@example.net");
}
