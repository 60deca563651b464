//! Dialogues as data: what the host says, what we must say, and what must come of it.

mod any_host;
mod declared;
mod endings;
mod messages;
mod opening;

use std::sync::Arc;

use postlane_mail::{
    BodyType, Envelope, Instant, Label, Mailbox, Notify, Recipient, ReturnContent, ReversePath,
    Span, Stream,
};

use super::*;
use crate::auth::Nonce;

const NOW: Instant = Instant::from_unix_s(1_800_000_000);
const NONCE: Nonce = Nonce([0; 18]);

fn settings() -> Settings {
    Settings {
        ehlo_name: "out.example.com".into(),
        own_name: Some("relay.example.com".into()),
        tls: TlsPolicy::Opportunistic,
        auth: None,
        auth_without_tls: false,
        chunking: true,
        timeouts: Timeouts::default(),
    }
}

fn message(id: u64, to: &[&str], text: &'static [u8]) -> Transaction {
    let recipient = |to: &&str| Recipient::new(Mailbox::parse(to).unwrap());
    let envelope = Envelope {
        reverse_path: ReversePath::parse("a@example.com").unwrap(),
        recipients: to.iter().map(recipient).collect(),
        body: BodyType::SevenBit,
        smtputf8: to.iter().any(|to| !to.is_ascii()),
        ret: None,
        envid: None,
        stream: Stream::default(),
        tenant: Label::NONE,
        campaign: Label::NONE,
        engaged: None,
    };
    Transaction {
        id,
        recipients: (0..to.len() as u16).collect(),
        envelope: Arc::new(envelope),
        reverse_path: None,
        message: [text.into()].into_iter().collect(),
        eight_bit_body: !text.is_ascii(),
        eight_bit_header: false,
    }
}

/// Plays a transcript: `S:` is fed, `C:` must have been said, `=` must have come of it, and `!` is
/// what we are told: `begin N`, `quit`, `closed UNSENT`, `timeout`, `tls`, `tls-failed WHY`. Lines
/// get their CRLF; `\r` and `\n` stand for more of them. Plays it whole lines at a time, and
/// again octet by octet: the same must be said.
fn check(settings: Settings, messages: &[Transaction], script: &str) {
    for chunk in [usize::MAX, 1, 7] {
        play(settings.clone(), messages, script, chunk);
    }
}

fn play(settings: Settings, messages: &[Transaction], script: &str, chunk: usize) {
    let mut client = Client::new(NOW, settings, NONCE);
    let mut said: Vec<u8> = Vec::new();
    let mut steps: Vec<String> = Vec::new();
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (who, text) = line.split_at(2);
        let text = text.trim_start().replace("\\r", "\r").replace("\\n", "\n");
        take(&mut client, &mut said, &mut steps);
        match who {
            "S:" => {
                for piece in format!("{text}\r\n").as_bytes().chunks(chunk) {
                    client.received(NOW, piece);
                    take(&mut client, &mut said, &mut steps);
                }
            }
            "C:" => {
                let expected = format!("{text}\r\n");
                let rest = said.split_off(expected.len().min(said.len()));
                assert_eq!(String::from_utf8_lossy(&said), expected, "at {line}, by {chunk}");
                said = rest;
            }
            "= " => {
                assert!(!steps.is_empty(), "nothing has come of it, at {line}, by {chunk}");
                assert_eq!(steps.remove(0), text, "by {chunk}");
            }
            _ => tell(&mut client, messages, &text),
        }
        take(&mut client, &mut said, &mut steps);
    }
    assert_eq!(String::from_utf8_lossy(&said), "", "said and not expected, by {chunk}");
    assert_eq!(steps, Vec::<String>::new(), "came of it and not expected, by {chunk}");
}

fn take(client: &mut Client, said: &mut Vec<u8>, steps: &mut Vec<String>) {
    client.output().drain(..).for_each(|piece| said.extend_from_slice(&piece));
    while let Some(step) = client.poll() {
        steps.extend(describe(&step));
    }
}

fn tell(client: &mut Client, messages: &[Transaction], text: &str) {
    match text.split_once(' ').unwrap_or((text, "")) {
        ("begin", n) => client.begin(NOW, messages[n.parse::<usize>().unwrap()].clone()),
        ("quit", _) => client.quit(NOW),
        ("closed", unsent) => client.closed(unsent.parse().unwrap_or(0)),
        ("timeout", _) => client.timed_out(0),
        ("tls", _) => client.tls_started(NOW),
        ("tls-failed", why) => client.tls_failed(why),
        other => panic!("{other:?}"),
    }
}

/// The host says something, once it has all that was said to it.
fn hear(client: &mut Client, text: &str) {
    client.output().clear();
    client.received(NOW, format!("{text}\r\n").as_bytes());
}

/// What became of the next message.
fn finished(client: &mut Client) -> Finished {
    loop {
        match client.poll().expect("a message is done") {
            Step::Finished(finished) => return *finished,
            Step::Ready => {}
            other => panic!("{other:?}"),
        }
    }
}

/// How the session ended.
fn closed(client: &mut Client) -> SessionEnd {
    loop {
        if let Step::Close(end) = client.poll().expect("the session is over") {
            return end;
        }
    }
}

fn describe(step: &Step) -> Vec<String> {
    match step {
        Step::StartTls => vec!["starttls".to_owned()],
        Step::Ready => vec!["ready".to_owned()],
        Step::Close(SessionEnd::TurnedAway { stage, reply }) => {
            vec![format!("closed: turned away at {stage} ({reply})")]
        }
        Step::Close(end) => vec![format!("closed: {end:?}")],
        Step::Finished(finished) => finished
            .recipients
            .iter()
            .map(|r| match &r.outcome {
                Outcome::Accepted(reply) => {
                    format!("{}.{} accepted ({reply})", finished.id, r.index)
                }
                Outcome::Refused { stage, reply } => {
                    format!("{}.{} refused at {stage} ({reply})", finished.id, r.index)
                }
                other => format!("{}.{} {other:?}", finished.id, r.index),
            })
            .collect(),
    }
}

const HELLO: &str = "
    S: 220 mx.example.net ESMTP
    C: EHLO out.example.com
    S: 250-mx.example.net
    S: 250 PIPELINING
    = ready
";

fn after_hello(messages: &[Transaction], script: &str) {
    check(settings(), messages, &format!("{HELLO}{script}"));
}
