//! The machine: commands in, replies out, and a message now and then.

mod auth;
mod transaction;

use std::sync::Arc;

use memchr::memchr;
use postlane_mail::Instant;

use super::limits::Limits;
use super::rights::{OwnNames, Standing};
use super::session::{Peer, Pressure, TlsFacts};
use super::submission::{Identity, Submission, Verdict};
use crate::auth::ServerExchange;
use crate::command::{Command, CommandError};
use crate::data::{BareNewlines, Collector};

/// What is the same for all sessions of a listener.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The name we give ourselves, in the greeting and in Received fields.
    pub hostname: Box<str>,
    /// Whether STARTTLS is offered.
    pub starttls: bool,
    /// Whether AUTH is offered at all.
    pub auth: bool,
    /// Whether AUTH is offered without TLS: for loopback, by name.
    pub auth_without_tls: bool,
    /// Whether mail is taken from nobody who has not authenticated.
    pub auth_required: bool,
    /// Our names.
    pub own: OwnNames,
    /// What is done with bare CR and LF.
    pub bare_newlines: BareNewlines,
    /// What a client may take of us.
    pub limits: Limits,
}

/// What the machine wants done, in this order and behind the octets of [`Server::output`].
#[derive(Debug)]
pub enum Step {
    /// Begin TLS, then [`Server::tls_started`]. Octets that came before are gone.
    StartTls,
    /// See whether this is a user of ours, then [`Server::authenticated`].
    Authenticate {
        /// The user.
        user: Box<str>,
        /// The password: not to be shown or kept.
        password: Secret,
    },
    /// Make it durable or refuse it, then [`Server::answered`].
    Message(Box<Submission>),
    /// Close the connection.
    Close,
}

/// A text that is never shown.
pub struct Secret(pub Box<str>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

/// The server half of one session (RFC 5321). It owns no socket.
///
/// Feed it what was received, send what [`Self::output`] holds, do what [`Self::poll`] says.
#[derive(Debug)]
pub struct Server {
    settings: Arc<Settings>,
    peer: Peer,
    tls: Option<TlsFacts>,
    standing: Standing,
    helo: Option<Helo>,
    state: State,
    transaction: Option<transaction::Transaction>,
    /// Octets that came and could not be used yet.
    input: Vec<u8>,
    output: Vec<u8>,
    step: Option<Step>,
    pressure: Pressure,
    messages: u32,
    idle_commands: u32,
    errors: u32,
    idle_until: Instant,
    session_until: Instant,
    transaction_until: Option<Instant>,
}

#[derive(Debug)]
struct Helo {
    name: Box<str>,
    extended: bool,
}

#[derive(Debug)]
enum State {
    /// The next line is a command.
    Command,
    /// A line that is too long goes by.
    Overlong,
    /// The message comes.
    Data(Collector),
    /// Octets of a chunk come; those of a refused one are let go.
    Chunk { left: u64, last: bool, refused: Option<&'static str> },
    /// The next line is of an AUTH exchange.
    Auth(ServerExchange),
    /// A step is under way and must be answered first.
    Waiting,
    /// Nothing more is said or heard.
    Closed,
}

impl Server {
    /// A new session; the greeting is ready to be sent.
    pub fn new(now: Instant, settings: Arc<Settings>, peer: Peer) -> Self {
        let standing = if peer.neighbour { Standing::Neighbour } else { Standing::Stranger };
        let limits = &settings.limits;
        let (idle_until, session_until) = (now + limits.idle, now + limits.session);
        let mut server = Self {
            tls: peer.tls.clone(),
            peer,
            standing,
            helo: None,
            state: State::Command,
            transaction: None,
            input: Vec::new(),
            output: Vec::new(),
            step: None,
            pressure: Pressure::None,
            messages: 0,
            idle_commands: 0,
            errors: 0,
            idle_until,
            session_until,
            transaction_until: None,
            settings,
        };
        let greeting = format!("220 {} ESMTP Postlane", server.settings.hostname);
        server.say(&greeting);
        server
    }

    /// Takes octets of the client's.
    pub fn received(&mut self, now: Instant, bytes: &[u8]) {
        self.idle_until = now + self.settings.limits.idle;
        if self.input.is_empty() {
            let used = self.consume(now, bytes);
            self.input.extend_from_slice(&bytes[used..]);
        } else {
            self.input.extend_from_slice(bytes);
            self.go_on(now);
        }
    }

    /// The handshake is done; everything said before it is forgotten (RFC 3207 §4.2).
    pub fn tls_started(&mut self, now: Instant, facts: TlsFacts) {
        self.tls = Some(facts);
        self.helo = None;
        self.transaction = None;
        self.transaction_until = None;
        self.input.clear();
        self.state = State::Command;
        self.idle_until = now + self.settings.limits.idle;
    }

    /// Whether the user is one of ours.
    pub fn authenticated(&mut self, now: Instant, identity: Option<Identity>) {
        self.state = State::Command;
        match identity {
            Some(identity) => {
                self.standing = Standing::Known(identity);
                self.say("235 2.7.0 Authentication successful");
            }
            None => self.wrong("535 5.7.8 Authentication credentials invalid"),
        }
        self.go_on(now);
    }

    /// What became of the message.
    pub fn answered(&mut self, now: Instant, verdict: &Verdict) {
        self.state = State::Command;
        self.say(&verdict.to_string());
        self.messages += 1;
        self.idle_until = now + self.settings.limits.idle;
        self.go_on(now);
    }

    /// Time has passed [`Self::deadline`].
    pub fn timed_out(&mut self, now: Instant) {
        if matches!(self.state, State::Waiting | State::Closed) {
            // It is we who are slow.
            self.idle_until = now + self.settings.limits.idle;
            return;
        }
        self.hang_up("421 4.4.2 Timeout, closing connection");
    }

    /// Whether new mail can be taken from now on.
    pub fn set_pressure(&mut self, pressure: Pressure) {
        self.pressure = pressure;
        let between = matches!(self.state, State::Command) && self.transaction.is_none();
        if pressure == Pressure::Closing && between && self.input.is_empty() {
            self.hang_up("421 4.3.2 Closing for maintenance, try again");
        }
    }

    /// Octets to be sent; taking them makes room.
    pub fn output(&mut self) -> &mut Vec<u8> {
        &mut self.output
    }

    /// What is to be done next.
    pub fn poll(&mut self) -> Option<Step> {
        self.step.take()
    }

    /// Whether more octets of the client's can be used now. While they cannot, they are better
    /// left in the socket.
    pub fn wants_input(&self) -> bool {
        !matches!(self.state, State::Waiting | State::Closed)
    }

    /// When [`Self::timed_out`] is due.
    pub fn deadline(&self) -> Instant {
        let transaction = self.transaction_until.unwrap_or(self.session_until);
        self.idle_until.min(self.session_until).min(transaction)
    }

    /// Octets of a message that has not been handed over yet.
    pub fn message_octets(&self) -> usize {
        let chunked = self.transaction.as_ref().map_or(0, transaction::Transaction::octets);
        match &self.state {
            State::Data(collector) => collector.octets(),
            _ => chunked,
        }
    }

    fn go_on(&mut self, now: Instant) {
        let input = std::mem::take(&mut self.input);
        let used = self.consume(now, &input);
        // What was put there meanwhile is none: nobody calls in between.
        self.input = input;
        self.input.drain(..used.min(self.input.len()));
    }

    /// Uses as many octets as can be used now.
    fn consume(&mut self, now: Instant, bytes: &[u8]) -> usize {
        let mut used = 0;
        while used < bytes.len() && self.wants_input() {
            let rest = &bytes[used..];
            match &mut self.state {
                State::Data(collector) => {
                    let (taken, ended) = collector.dotted(rest);
                    used += taken;
                    if ended {
                        self.data_ended();
                    }
                }
                State::Chunk { .. } => used += self.chunk_octets(rest),
                _ => match self.line(now, rest) {
                    Some(taken) => used += taken,
                    None => return used,
                },
            }
            if self.step.as_ref().is_some_and(|step| matches!(step, Step::StartTls)) {
                // Whatever was pipelined behind STARTTLS came in the clear and is nobody's.
                return bytes.len();
            }
        }
        if matches!(self.state, State::Closed) { bytes.len() } else { used }
    }

    /// Takes a line, if it is all there; how many octets it had.
    fn line(&mut self, now: Instant, bytes: &[u8]) -> Option<usize> {
        let Some(end) = memchr(b'\n', bytes) else {
            if bytes.len() > self.settings.limits.line_octets {
                self.state = State::Overlong;
                return Some(bytes.len());
            }
            // While a line that is too long goes by, nothing of it is kept.
            return matches!(self.state, State::Overlong).then_some(bytes.len());
        };
        let line = &bytes[..end];
        if matches!(self.state, State::Overlong) || end > self.settings.limits.line_octets {
            self.state = State::Command;
            self.wrong("500 5.5.2 Line too long");
            return Some(end + 1);
        }
        match line.strip_suffix(b"\r") {
            Some(line) if memchr(b'\r', line).is_none() => self.command_line(now, line),
            // A bare LF or CR is no line end: whoever sends one is told so and not understood.
            _ => self.wrong("500 5.5.2 Lines end with CRLF"),
        }
        Some(end + 1)
    }

    fn command_line(&mut self, now: Instant, line: &[u8]) {
        if let State::Auth(_) = self.state {
            self.auth_line(line);
            return;
        }
        let Ok(line) = std::str::from_utf8(line) else {
            self.wrong("500 5.5.2 Commands are ASCII, or UTF-8 where SMTPUTF8 allows it");
            return;
        };
        match Command::parse(line) {
            Ok(command) => self.command(now, command),
            Err(CommandError::Unknown) => self.wrong("500 5.5.1 Command not recognized"),
            Err(e @ CommandError::Arguments(_)) => self.wrong(&format!("501 5.5.4 {e}")),
            Err(e @ CommandError::Address(_)) => {
                let status = if line.starts_with(['M', 'm']) { "5.1.7" } else { "5.1.3" };
                self.wrong(&format!("501 {status} {e}"));
            }
            Err(e) => self.wrong(&format!("555 5.5.4 {e}")),
        }
    }

    fn command(&mut self, now: Instant, command: Command) {
        if !matches!(
            command,
            Command::Mail(..) | Command::Rcpt(_) | Command::Data | Command::Bdat { .. }
        ) {
            self.idle_commands += 1;
            if self.idle_commands > self.settings.limits.idle_commands {
                return self.hang_up("421 4.7.0 Too many commands without mail");
            }
        }
        match command {
            Command::Helo(name) => self.hello(name, false),
            Command::Ehlo(name) => self.hello(name, true),
            Command::Mail(path, parameters) => self.mail(now, path, parameters),
            Command::Rcpt(rcpt) => self.rcpt(rcpt),
            Command::Data => self.data(),
            Command::Bdat { octets, last } => self.bdat(octets, last),
            Command::Rset => {
                self.end_transaction();
                self.say("250 2.0.0 Ok");
            }
            Command::Noop => self.say("250 2.0.0 Ok"),
            Command::Quit => self.hang_up("221 2.0.0 Bye"),
            Command::Vrfy => self.say("252 2.5.2 Send mail and see"),
            Command::Help => self.say("214 2.0.0 See RFC 5321"),
            Command::StartTls => self.start_tls(),
            Command::Auth { mechanism, initial } => self.auth(&mechanism, initial.as_deref()),
            Command::NotOffered => self.wrong("502 5.5.1 Command not offered here"),
        }
    }

    fn hello(&mut self, name: Box<str>, extended: bool) {
        self.end_transaction();
        self.helo = Some(Helo { name, extended });
        if !extended {
            return self.say(&format!("250 {}", self.settings.hostname));
        }
        let mut lines = vec![self.settings.hostname.to_string(), "PIPELINING".to_owned()];
        lines.push(format!("SIZE {}", self.settings.limits.message_octets));
        let fixed = ["8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "CHUNKING", "DSN"];
        lines.extend(fixed.map(str::to_owned));
        if self.settings.starttls && self.tls.is_none() {
            lines.push("STARTTLS".to_owned());
        }
        if self.offers_auth() {
            lines.push("AUTH SCRAM-SHA-256 PLAIN LOGIN".replace("SCRAM-SHA-256 ", ""));
        }
        let last = lines.len() - 1;
        for (i, line) in lines.iter().enumerate() {
            let mark = if i == last { ' ' } else { '-' };
            self.say(&format!("250{mark}{line}"));
        }
    }

    fn start_tls(&mut self) {
        if !self.settings.starttls {
            return self.wrong("502 5.5.1 STARTTLS is not offered here");
        }
        if self.tls.is_some() {
            return self.wrong("503 5.5.1 TLS is in use already");
        }
        self.say("220 2.0.0 Ready to start TLS");
        self.wait_for(Step::StartTls);
    }

    fn wait_for(&mut self, step: Step) {
        self.state = State::Waiting;
        self.step = Some(step);
    }

    fn say(&mut self, line: &str) {
        self.output.extend_from_slice(line.as_bytes());
        self.output.extend_from_slice(b"\r\n");
    }

    /// Says that something was wrong, and counts it.
    fn wrong(&mut self, line: &str) {
        self.say(line);
        self.errors += 1;
        if self.errors >= self.settings.limits.errors {
            self.hang_up("421 4.7.0 Too many errors");
        }
    }

    fn hang_up(&mut self, line: &str) {
        self.say(line);
        self.end_transaction();
        self.state = State::Closed;
        self.step = Some(Step::Close);
    }

    fn end_transaction(&mut self) {
        self.transaction = None;
        self.transaction_until = None;
    }
}
