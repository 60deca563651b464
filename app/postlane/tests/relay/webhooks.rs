//! Webhooks: a program that does not take what it is told is told again, after a restart of the
//! relay, too, and in order.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};

use aws_lc_rs::hmac;
use serde_json::Value;

use crate::relay::{Dialogue, Home, PATIENCE, Relay};
use crate::sink::Sink;

/// What was told.
pub(crate) struct Told {
    signature: String,
    pub(crate) body: Vec<u8>,
}

/// A program that is told things, and answers with these numbers, the last one again and again.
pub(crate) fn program(answers: &'static [u16]) -> (SocketAddr, Receiver<Told>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, told) = channel();
    std::thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let answer = answers.get(number).or_else(|| answers.last()).unwrap();
            let Some(one) = hear(stream.unwrap(), *answer) else { continue };
            if sender.send(one).is_err() {
                return;
            }
        }
    });
    (address, told)
}

fn hear(mut stream: TcpStream, answer: u16) -> Option<Told> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let (mut octets, mut signature, mut line) = (0, String::new(), String::new());
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let lower = line.to_ascii_lowercase();
        if let Some(number) = lower.strip_prefix("content-length:") {
            octets = number.trim().parse().ok()?;
        } else if lower.starts_with("postlane-signature:") {
            signature = line.split_once(':')?.1.trim().to_owned();
        } else if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; octets];
    reader.read_exact(&mut body).ok()?;
    write!(stream, "HTTP/1.1 {answer} x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").ok()?;
    Some(Told { signature, body })
}

impl Told {
    fn is_signed(&self, secret: &str) -> bool {
        let field = |name: &str| self.signature.split(',').find_map(|f| f.strip_prefix(name));
        let (Some(time), Some(tag)) = (field("t="), field("v1=")) else { return false };
        let mut signed = format!("{time}.").into_bytes();
        signed.extend(&self.body);
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let ours = hmac::sign(&key, &signed);
        let hex: String = ours.as_ref().iter().map(|octet| format!("{octet:02x}")).collect();
        hex == tag
    }

    /// The events, each with its place and its recipient.
    fn events(&self) -> Vec<(u64, String)> {
        let body: Value = serde_json::from_slice(&self.body).unwrap();
        let events = body["events"].as_array().unwrap().iter();
        let event = |event: &Value| {
            let recipient = event["recipient"].as_str().unwrap().to_owned();
            assert_eq!(event["kind"], "delivered");
            (event["seq"].as_u64().unwrap(), recipient)
        };
        events.map(event).collect()
    }
}

fn send(relay: &Relay, recipients: &[&str]) {
    let mut client = Dialogue::open(relay.smtp);
    assert!(client.say("EHLO app.example").starts_with("250"));
    for recipient in recipients {
        client.hand_over("app@example.com", &[recipient], "Subject: hello\r\n\r\nhello");
    }
}

#[test]
fn what_was_not_taken_is_told_again_after_a_restart_signed_and_in_order() {
    let sink = Sink::start(&[]);
    let (address, told) = program(&[503, 200]);
    let config = format!(
        "[webhooks]\nprivate_addresses = true\n[[listener]]\naddress = \"127.0.0.1:0\"\n\
         [[route]]\npattern = \"*\"\nto = \"{}\"\n",
        sink.address
    );
    let relay = Home::new().start_by_file(&config);
    let url = format!("http://{address}/hook");
    let made = relay.ask(&["--json", "webhook", "add", &url, "--events", "delivered"]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let made: Value = serde_json::from_slice(&made.stdout).unwrap();
    let secret = made["secret"].as_str().unwrap().to_owned();
    send(&relay, &["one@example.net"]);
    let refused = told.recv_timeout(PATIENCE).unwrap();
    assert!(refused.is_signed(&secret));
    send(&relay, &["two@example.net", "three@example.net"]);
    relay.logs(3, &["event=delivered"]);
    let relay = relay.stop().1.start_by_file(&config);
    send(&relay, &["four@example.net"]);
    let mut heard = Vec::new();
    while heard.len() < 4 {
        let one = told.recv_timeout(PATIENCE).unwrap();
        assert!(one.is_signed(&secret));
        heard.extend(one.events());
    }
    assert!(heard.is_sorted_by(|a, b| a.0 < b.0), "{heard:?}");
    let mut recipients: Vec<&str> = heard.iter().map(|(_, to)| &**to).collect();
    assert_eq!((recipients[0], recipients[3]), ("one@example.net", "four@example.net"));
    recipients.sort_unstable();
    assert_eq!(recipients.len(), 4);
    assert!(recipients.contains(&"two@example.net") && recipients.contains(&"three@example.net"));
}
