//! Any octets as a client's side of a session. A 255, which no line of text has, stands for a
//! moment in which what we are about to do is done; the octet behind it says how it went.

#![no_main]

use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU32;
use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use postlane_mail::{Code, Domain, Instant, Label, Mailbox, QueueId, Span, Status};
use postlane_smtp::auth::{Decoy, Nonce, ScramVerifier};
use postlane_smtp::data::BareNewlines;
use postlane_smtp::server::{
    Auth, Identity, Limits, Login, Lookup, Peer, Pressure, Refusal, RelayRights, Server, Settings,
    StartTls, Step, Submission, TlsFacts, Verdict,
};

const MESSAGE_OCTETS: usize = 2048;

fuzz_target!(|octets: &[u8]| {
    let Some((first, octets)) = octets.split_first() else { return };
    let mut session = Session::new(*first);
    // What stands behind the mark of a moment is how it went, not what the client says.
    let mut moments = octets.split(|octet| *octet == 0xff);
    session.hear(moments.next().unwrap_or_default());
    for moment in moments {
        let (how, said) = moment.split_first().unwrap_or((&0, &[]));
        session.go_on(*how);
        session.hear(said);
    }
    while session.step.is_some() {
        session.go_on(0);
    }
    session.check();
});

struct Session {
    server: Server,
    now: Instant,
    /// What the client has said and we have heard.
    heard: Vec<u8>,
    said: String,
    step: Option<Step>,
    accepted: u64,
    closed: bool,
    bare: BareNewlines,
}

impl Session {
    fn new(flags: u8) -> Self {
        let now = Instant::from_unix_s(1_800_000_000);
        let bare = if flags & 1 == 0 { BareNewlines::Refuse } else { BareNewlines::Normalise };
        let tls = [StartTls::Absent, StartTls::Offered, StartTls::Required];
        let iterations = NonZeroU32::MIN;
        let auth = Auth {
            without_tls: flags & 4 != 0,
            required: flags & 8 != 0,
            scram: Some(Decoy { secret: [7; 32], iterations }),
        };
        let hostname = Domain::parse("relay.example").expect("a domain");
        let bounces = vec![Mailbox::parse("bounce@relay.example").expect("a mailbox")];
        let limits = Limits {
            message_octets: MESSAGE_OCTETS,
            data_line_octets: 998,
            recipients: 10,
            ..Limits::default()
        };
        let settings = Settings {
            hostname: hostname.clone(),
            starttls: tls[usize::from(flags >> 4) % 3],
            auth: (flags & 2 != 0).then_some(auth),
            rights: Arc::new(RelayRights { domains: vec![hostname], bounces }),
            tenant: Label::NONE,
            bare_newlines: bare,
            limits,
            transcript_octets: usize::from(bare == BareNewlines::Refuse) * 4096,
        };
        let ip = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let peer = Peer { ip, neighbour: flags & 128 == 0, tls: None };
        let server = Server::new(now, Arc::new(settings), peer);
        let (heard, said) = (Vec::new(), String::new());
        Self { server, now, heard, said, step: None, accepted: 0, closed: false, bare }
    }

    fn hear(&mut self, octets: &[u8]) {
        if self.closed {
            return;
        }
        let waits = self.step.is_some();
        let before = self.said.len();
        self.heard.extend_from_slice(octets);
        self.server.received(self.now, octets);
        self.take();
        let said = &self.said[before..];
        assert!(!waits || said.is_empty() || said.starts_with("421"), "said out of turn: {said}");
        assert!(self.server.message_octets() <= MESSAGE_OCTETS);
    }

    /// Takes what is said, and looks what is to be done, if nothing is under way.
    fn take(&mut self) {
        let output = std::mem::take(self.server.output());
        let most = 512 * (2 + self.heard.len() / 2);
        self.said.push_str(std::str::from_utf8(&output).expect("we speak ASCII"));
        assert!(self.said.len() <= most, "{} octets of answers", self.said.len());
        let Some(step) = self.server.poll() else { return };
        if let Step::Message(submission) = &step {
            self.judge(submission);
        }
        self.closed |= matches!(step, Step::Close);
        self.step = Some(step);
    }

    fn judge(&self, submission: &Submission) {
        let message = &submission.message;
        assert!(message.len() <= MESSAGE_OCTETS);
        assert!((1..=10).contains(&submission.envelope.recipients.len()));
        let whole = message.iter().enumerate().all(|(at, octet)| match octet {
            b'\n' => at > 0 && message[at - 1] == b'\r',
            b'\r' => message.get(at + 1) == Some(&b'\n'),
            _ => true,
        });
        assert!(whole, "a bare CR or LF, though {:?}", self.bare);
    }

    /// Does what is to be done, as the octet says.
    fn go_on(&mut self, how: u8) {
        let (now, server) = (self.now, &mut self.server);
        let identity = Identity { user: "jo".into(), tenant: Label::NONE };
        match self.step.take() {
            Some(Step::StartTls) => {
                // Whatever came before the handshake is nobody's: only what is heard counts.
                server.tls_started(now, TlsFacts { version: "TLSv1.3", cipher: "X".into() });
            }
            Some(Step::Authenticate { .. }) => {
                let logins = [Login::Known(identity), Login::Wrong, Login::Unavailable];
                server.authenticated(now, logins[usize::from(how) % 3].clone());
            }
            Some(Step::Lookup { .. }) => {
                let verifier = ScramVerifier::derive("p", b"salt", NonZeroU32::MIN);
                let found = Lookup::Found(verifier, identity);
                let lookups = [found, Lookup::Unknown, Lookup::Unavailable];
                server.looked_up(now, lookups[usize::from(how) % 3].clone(), Nonce([7; 18]));
            }
            Some(Step::Message(_)) if how % 3 < 2 => {
                self.accepted += 1;
                server.answered(now, &Verdict::Accepted(QueueId::from_bits(self.accepted)));
            }
            Some(Step::Message(_)) => {
                let (code, status) = (Code::new(451).expect("a code"), Status::new(4, 3, 0));
                let refusal = Refusal { code, status, text: "\r\n250 2.0.0 Ok: queued".into() };
                server.answered(now, &Verdict::Refused(refusal));
            }
            Some(Step::Close) => return,
            None => match how % 4 {
                0 => {}
                1 => server.set_pressure(Pressure::NoMemory),
                2 => server.set_pressure(Pressure::None),
                _ => {
                    self.now = now + Span::from_s(u64::from(how));
                    self.server.timed_out(self.now);
                }
            },
        }
        self.take();
    }

    /// What must hold of the whole dialogue.
    fn check(&self) {
        let mut accepted = 0;
        let mut good = 0;
        let mut message_comes = false;
        for line in self.said.split_terminator("\r\n") {
            assert!(line.len() <= 510 && !line.contains(['\r', '\n']), "{line:?}");
            let is_taken = line.starts_with("250 2.0.0 Ok: queued as ");
            accepted += u64::from(is_taken);
            let is_refused = line.starts_with(['4', '5']);
            assert!(!message_comes || is_taken || is_refused, "{line:?} instead of a verdict");
            message_comes = line.starts_with("354");
            good +=
                u64::from(line.starts_with(['2', '3']) && line.as_bytes().get(3) == Some(&b' '));
        }
        assert_eq!(accepted, self.accepted, "messages were taken that nobody has accepted");
        // The greeting is said to nobody; all else answers a line, and only CRLF ends one.
        let lines = self.heard.windows(2).filter(|two| two == b"\r\n").count() as u64;
        assert!(good <= lines + 1, "{good} good replies to {lines} lines: {}", self.said);
    }
}
