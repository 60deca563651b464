//! Dialogues as data: what the client says, what we must say, and what must come of it.

mod any_client;
mod auth;
mod bounds;
mod lines;
mod messages;
mod opening;
mod written_down;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use postlane_mail::{Code, Domain, Instant, Label, Mailbox, QueueId, Span, Status};

use super::*;
use crate::auth::{Decoy, Nonce, ScramVerifier};
use crate::data::BareNewlines;

const NOW: Instant = Instant::from_unix_s(1_800_000_000);

fn settings() -> Settings {
    let decoy = Decoy { secret: [7; 32], iterations: ScramVerifier::ITERATIONS };
    Settings {
        hostname: Domain::parse("relay.example").unwrap(),
        starttls: StartTls::Offered,
        auth: Some(Auth { without_tls: false, required: false, scram: Some(decoy) }),
        rights: Arc::new(RelayRights {
            domains: vec![Domain::parse("relay.example").unwrap()],
            bounces: vec![Mailbox::parse("bounce@relay.example").unwrap()],
        }),
        tenant: Label::NONE,
        bare_newlines: BareNewlines::Refuse,
        limits: Limits::default(),
        transcript_octets: 0,
    }
}

/// Neither TLS nor AUTH, for scripts that have to do with neither.
fn plain() -> Settings {
    Settings { starttls: StartTls::Absent, auth: None, ..settings() }
}

fn peer(standing: &Standing) -> Peer {
    let neighbour = standing.may_relay();
    Peer { ip: IpAddr::V4(Ipv4Addr::LOCALHOST), neighbour, tls: None }
}

/// Plays a transcript: `C:` is fed, `S:` must have been said, `=` must have come of it, and `!` is
/// what we are told: `tls`, `known USER`, `wrong`, `unavailable`, `kept PASSWORD`, `unknown`,
/// `hold`, `accept`, `refuse`, `busy`, `disk-full`, `no-memory`, `closing`, `after SECONDS`.
/// Messages are accepted but after `hold`. Lines get their CRLF, unless they end in `\n` or `\-`.
/// Plays it whole lines at a time, and again octet by octet: the same must be said.
fn check(settings: &Settings, standing: &Standing, script: &str) {
    for chunk in [usize::MAX, 1, 7] {
        Play::of(settings, standing, chunk).script(script);
    }
}

/// A neighbour, past EHLO, with neither TLS nor AUTH.
fn check_mail(script: &str) {
    check(&plain(), &Standing::Neighbour, &format!("{HELLO}{script}"));
}

const GREETING: &str = "
    S: 220 relay.example ESMTP Postlane
";

const HELLO: &str = "
    S: 220 relay.example ESMTP Postlane
    C: EHLO client.example
    S: 250-relay.example
    S: 250-PIPELINING
    S: 250-SIZE 52428800
    S: 250-8BITMIME
    S: 250-SMTPUTF8
    S: 250-DSN
    S: 250-CHUNKING
    S: 250 ENHANCEDSTATUSCODES
";

/// Past RCPT.
const ENVELOPE: &str = "
    C: MAIL FROM:<a@b.example>
    S: 250 2.1.0 Ok
    C: RCPT TO:<c@d.example>
    S: 250 2.1.5 Ok
";

/// Past DATA.
const TO_DATA: &str = "
    C: MAIL FROM:<a@b.example>
    S: 250 2.1.0 Ok
    C: RCPT TO:<c@d.example>
    S: 250 2.1.5 Ok
    C: DATA
    S: 354 End data with <CR><LF>.<CR><LF>
";

struct Play {
    server: Server,
    said: Vec<u8>,
    steps: Vec<String>,
    now: Instant,
    ids: u64,
    hold: bool,
    chunk: usize,
}

impl Play {
    fn of(settings: &Settings, standing: &Standing, chunk: usize) -> Self {
        let server = Server::new(NOW, Arc::new(settings.clone()), peer(standing));
        let (said, steps) = (Vec::new(), Vec::new());
        let mut play = Self { server, said, steps, now: NOW, ids: 0, hold: false, chunk };
        play.take();
        play
    }

    fn script(mut self, script: &str) {
        let chunk = self.chunk;
        for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (who, text) = line.split_at(2);
            let text = text.strip_prefix(' ').unwrap_or(text);
            match who {
                "C:" => self.hear(&octets(text)),
                "S:" => {
                    // The script's lines are trimmed; an empty challenge is a code and a space.
                    let text = if text == "334" { "334 " } else { text };
                    let expected = format!("{text}\r\n");
                    let rest = self.said.split_off(expected.len().min(self.said.len()));
                    let said = std::mem::replace(&mut self.said, rest);
                    assert_eq!(String::from_utf8_lossy(&said), expected, "at {line}, by {chunk}");
                }
                "= " => {
                    assert!(!self.steps.is_empty(), "nothing came of it, at {line}, by {chunk}");
                    assert_eq!(self.steps.remove(0), text, "by {chunk}");
                }
                _ => self.tell(text),
            }
        }
        let said = String::from_utf8_lossy(&self.said);
        assert_eq!(said, "", "said and not expected, by {chunk}");
        assert_eq!(self.steps, Vec::<String>::new(), "came of it and not expected, by {chunk}");
    }

    fn hear(&mut self, octets: &[u8]) {
        for piece in octets.chunks(self.chunk) {
            self.server.received(self.now, piece);
            self.take();
        }
    }

    fn tell(&mut self, text: &str) {
        let (now, server) = (self.now, &mut self.server);
        let (what, of) = text.split_once(' ').unwrap_or((text, ""));
        match what {
            "tls" => server.tls_started(now, TlsFacts { version: "TLSv1.3", cipher: "X".into() }),
            "known" => server.authenticated(now, Login::Known(identity(of))),
            "wrong" => server.authenticated(now, Login::Wrong),
            "unavailable" => {
                server.authenticated(now, Login::Unavailable);
                server.looked_up(now, Lookup::Unavailable, Nonce([0; 18]));
            }
            "kept" => {
                let verifier = ScramVerifier::derive(of, b"salt", ScramVerifier::ITERATIONS);
                let lookup = Lookup::Found(verifier, identity("acme"));
                server.looked_up(now, lookup, Nonce([0; 18]));
            }
            "unknown" => server.looked_up(now, Lookup::Unknown, Nonce([0; 18])),
            "hold" => self.hold = true,
            "accept" => server.answered(now, &Verdict::Accepted(QueueId::from_bits(77))),
            "refuse" => server.answered(now, &Verdict::Refused(refusal())),
            "relieved" => server.set_pressure(Pressure::None),
            "busy" => server.set_pressure(Pressure::Busy),
            "disk-full" => server.set_pressure(Pressure::DiskFull),
            "no-memory" => server.set_pressure(Pressure::NoMemory),
            "closing" => server.set_pressure(Pressure::Closing),
            "after" => {
                self.now = now + Span::from_s(of.parse().unwrap());
                server.timed_out(self.now);
            }
            other => panic!("{other:?}"),
        }
        self.take();
    }

    fn take(&mut self) {
        loop {
            self.said.append(self.server.output());
            let Some(step) = self.server.poll() else { return };
            let answered = matches!(step, Step::Message(_)) && !self.hold;
            self.steps.push(describe(step));
            if answered {
                let id = QueueId::from_bits(self.ids);
                self.ids += 1;
                self.server.answered(self.now, &Verdict::Accepted(id));
            }
        }
    }
}

fn identity(tenant: &str) -> Identity {
    Identity { user: "jo".into(), tenant: Label::parse(tenant).unwrap() }
}

fn refusal() -> Refusal {
    let code = Code::new(554).unwrap();
    Refusal { code, status: Status::new(5, 7, 1), text: "Not that".into() }
}

fn octets(text: &str) -> Vec<u8> {
    let whole = text.replace("\\r", "\r").replace("\\n", "\n").replace("\\0", "\0");
    match whole.strip_suffix("\\-") {
        Some(open) => open.as_bytes().to_vec(),
        None if whole.ends_with('\n') => whole.into_bytes(),
        None => format!("{whole}\r\n").into_bytes(),
    }
}

fn describe(step: Step) -> String {
    match step {
        Step::Message(submission) => {
            let envelope = &submission.envelope;
            let to: Vec<_> = envelope.recipients.iter().map(|r| r.mailbox.as_str()).collect();
            let tenant = envelope.tenant.as_str();
            let of = if tenant.is_empty() { String::new() } else { format!(" of {tenant}") };
            format!(
                "{}{of} {} -> {}: {:?}",
                submission.protocol,
                envelope.reverse_path,
                to.join(","),
                String::from_utf8_lossy(&submission.message),
            )
        }
        Step::Authenticate { user, password } => format!("auth {user} {}", password.reveal()),
        Step::Lookup { user } => format!("look up {user}"),
        Step::StartTls => "starttls".to_owned(),
        Step::Close => "close".to_owned(),
    }
}
