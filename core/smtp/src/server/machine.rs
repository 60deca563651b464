//! The machine: commands in, replies out, and a message now and then.

mod auth;
mod input;
mod opening;
mod transaction;

use std::fmt::{self, Write as _};
use std::sync::Arc;

use postlane_mail::Instant;

use super::session::{Peer, Pressure, Settings};
use super::standing::{Identity, Standing};
use super::submission::{Submission, Verdict};
use super::tls::TlsFacts;
use super::transcript::{Recorder, Speaker};
use crate::auth::{Claim, Secret, ServerExchange};
use crate::data::Collector;
use transaction::{Chunk, Transaction};

pub use auth::{Login, Lookup};

/// What the machine wants done. The next one comes when this one is answered.
#[derive(Debug)]
pub enum Step {
    /// Send all output, begin TLS, then [`Server::tls_started`]. What the client has said so
    /// far is forgotten.
    StartTls,
    /// See whether this is a user of ours, then [`Server::authenticated`].
    Authenticate {
        /// The user.
        user: Box<str>,
        /// The password.
        password: Secret,
    },
    /// Find what is kept of a user's password, then [`Server::looked_up`].
    Lookup {
        /// The user.
        user: Box<str>,
    },
    /// Make it durable or refuse it, then [`Server::answered`]. Output that is there already
    /// may wait for what that adds to it.
    Message(Box<Submission>),
    /// Send what is left of the output, if it goes, and close the connection. Nothing comes
    /// after it.
    Close,
}

/// The server half of one session (RFC 5321). It owns no socket.
///
/// Feed it what was received, send what [`Self::output`] holds in one write, do what
/// [`Self::poll`] says.
///
/// Only CRLF ends a line. A bare LF is answered with an error at once, and what comes behind it
/// up to the next CRLF is not heard: it could be a command that somebody has smuggled into an
/// argument.
pub struct Server {
    settings: Arc<Settings>,
    peer: Peer,
    tls: Option<TlsFacts>,
    standing: Standing,
    helo: Option<Helo>,
    state: State,
    transaction: Option<Transaction>,
    /// Octets that came and could not be used yet.
    input: Vec<u8>,
    output: Vec<u8>,
    step: Option<Step>,
    pressure: Pressure,
    messages: u32,
    logins: u32,
    /// Since a message was taken.
    idle_commands: u32,
    /// Since a message was taken.
    errors: u32,
    idle_until: Instant,
    session_until: Instant,
    transaction_until: Option<Instant>,
    recorder: Option<Box<Recorder>>,
}

/// What the client has said about itself.
struct Helo {
    name: Arc<str>,
    extended: bool,
}

enum State {
    /// The next line is a command.
    Command,
    /// What comes up to the next CRLF is not heard. Whether a CR stands before it.
    Skip { after_cr: bool },
    /// The message comes.
    Data(Box<Collector>),
    /// Octets of a chunk come.
    Chunk(Chunk),
    /// The next line is of an AUTH exchange.
    Auth {
        exchange: ServerExchange,
        /// Who the client will be, if it proves what it claims.
        claimed: Option<Identity>,
    },
    /// A step is under way and must be answered first.
    Waiting(Waiting),
    /// Nothing more is said or heard.
    Closed,
}

/// What is waited for.
enum Waiting {
    Handshake,
    Authenticated,
    LookedUp(Box<Claim>),
    Answered,
}

impl Server {
    /// A new session; the greeting is ready to be sent.
    pub fn new(now: Instant, settings: Arc<Settings>, peer: Peer) -> Self {
        let standing = standing_of(&peer);
        let limits = &settings.limits;
        let (idle_until, session_until) = (now + limits.idle, now + limits.session);
        let octets = settings.transcript_octets;
        let recorder = (octets > 0).then(|| Box::new(Recorder::new(now, octets)));
        let mut server = Self {
            tls: peer.tls.clone(),
            peer,
            standing,
            helo: None,
            state: State::Command,
            transaction: None,
            input: Vec::new(),
            output: Vec::with_capacity(256),
            step: None,
            pressure: Pressure::None,
            messages: 0,
            logins: 0,
            idle_commands: 0,
            errors: 0,
            idle_until,
            session_until,
            transaction_until: None,
            recorder,
            settings,
        };
        server.note_tls();
        server.greet();
        server.opened();
        server
    }

    /// Takes octets of the client's. They may be cut anywhere.
    pub fn received(&mut self, now: Instant, bytes: &[u8]) {
        if matches!(self.state, State::Closed) {
            return;
        }
        self.tick(now);
        if self.input.is_empty() {
            let used = self.consume(now, bytes);
            self.keep_for_later(&bytes[used..]);
        } else {
            self.keep_for_later(bytes);
            self.go_on(now);
        }
    }

    /// The handshake is done; everything said before it is forgotten (RFC 3207 §4.2).
    pub fn tls_started(&mut self, now: Instant, facts: TlsFacts) {
        if !matches!(self.state, State::Waiting(Waiting::Handshake)) {
            return;
        }
        self.tls = Some(facts);
        self.tick(now);
        self.note_tls();
        self.standing = standing_of(&self.peer);
        self.helo = None;
        self.end_transaction();
        self.input.clear();
        self.resume(now);
    }

    /// What became of the message.
    pub fn answered(&mut self, now: Instant, verdict: &Verdict) {
        if !matches!(self.state, State::Waiting(Waiting::Answered)) {
            return;
        }
        self.tick(now);
        self.say_fmt(format_args!("{verdict}"));
        if matches!(verdict, Verdict::Accepted(_) | Verdict::Kept(_)) {
            (self.idle_commands, self.errors) = (0, 0);
        }
        self.resume(now);
        self.go_on(now);
        self.close_if_told();
    }

    /// Time has passed [`Self::deadline`].
    pub fn timed_out(&mut self, now: Instant) {
        if now < self.deadline() {
            return;
        }
        let transaction_over = self.transaction_until.is_some_and(|until| until <= now);
        self.hang_up(match () {
            () if self.session_until <= now => "421 4.4.2 The session has lasted too long",
            () if transaction_over => "421 4.4.2 The message has taken too long",
            () => "421 4.4.2 Nothing heard for too long",
        });
    }

    /// What the client has shown of itself so far.
    pub fn standing(&self) -> &Standing {
        &self.standing
    }

    /// Whether new mail can be taken from now on. Told to close, the session ends behind the
    /// message that is under way, if there is one.
    pub fn set_pressure(&mut self, pressure: Pressure) {
        if self.pressure == pressure {
            return;
        }
        self.pressure = pressure;
        if pressure == Pressure::NoMemory {
            self.shed();
        }
        self.close_if_told();
    }

    /// Octets to be sent. Whoever sends them takes them away.
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
        !matches!(self.state, State::Waiting(_) | State::Closed)
    }

    /// When [`Self::timed_out`] is due. While a step is under way it is we who are slow, and
    /// time does not count.
    pub fn deadline(&self) -> Instant {
        if !self.wants_input() {
            return Instant::MAX;
        }
        let transaction = self.transaction_until.unwrap_or(self.session_until);
        self.idle_until.min(self.session_until).min(transaction)
    }

    /// Octets of memory that the message on its way takes.
    pub fn message_octets(&self) -> usize {
        match &self.state {
            State::Data(collector) => collector.octets(),
            _ => self.transaction.as_ref().map_or(0, Transaction::octets),
        }
    }

    fn wait_for(&mut self, what: Waiting, step: Step) {
        self.state = State::Waiting(what);
        self.step = Some(step);
    }

    /// A step is done and the client has its turn again.
    fn resume(&mut self, now: Instant) {
        self.state = State::Command;
        self.idle_until = now + self.settings.limits.idle;
    }

    fn say(&mut self, line: &str) {
        self.output.extend_from_slice(line.as_bytes());
        self.output.extend_from_slice(b"\r\n");
        self.note(Speaker::Server, line.as_bytes());
    }

    fn say_fmt(&mut self, line: fmt::Arguments<'_>) {
        let start = self.output.len();
        let mut text = Text(&mut self.output);
        text.write_fmt(line).expect("a vector takes all octets");
        if let Some(recorder) = &mut self.recorder {
            recorder.say(Speaker::Server, self.output.get(start..).unwrap_or_default());
        }
        self.output.extend_from_slice(b"\r\n");
    }

    /// Writes a line down, if anybody wants to know.
    fn note(&mut self, by: Speaker, line: &[u8]) {
        if let Some(recorder) = &mut self.recorder {
            recorder.say(by, line);
        }
    }

    fn note_tls(&mut self) {
        if let (Some(recorder), Some(tls)) = (&mut self.recorder, &self.tls) {
            let agreed = format!("TLS: {}, {}", tls.version, tls.cipher);
            recorder.say(Speaker::Nobody, agreed.as_bytes());
            recorder.opened();
        }
    }

    /// What was said so far belongs to the session, and not to a message.
    fn opened(&mut self) {
        if let Some(recorder) = &mut self.recorder {
            recorder.opened();
        }
    }

    fn tick(&mut self, now: Instant) {
        if let Some(recorder) = &mut self.recorder {
            recorder.tick(now);
        }
    }

    /// Says that something was wrong, and counts it.
    fn wrong(&mut self, line: &str) {
        self.say(line);
        self.count_error();
    }

    fn wrong_fmt(&mut self, line: fmt::Arguments<'_>) {
        self.say_fmt(line);
        self.count_error();
    }

    fn count_error(&mut self) {
        self.errors += 1;
        if self.errors >= self.settings.limits.errors {
            self.hang_up("421 4.7.0 Too many errors");
        }
    }

    fn hang_up(&mut self, line: &str) {
        self.say(line);
        self.end_transaction();
        self.input = Vec::new();
        self.state = State::Closed;
        self.step = Some(Step::Close);
    }

    /// Ends the session if we are closing and nothing is under way: a message, a command of
    /// which the first octets are here, or a step.
    fn close_if_told(&mut self) {
        let between = matches!(self.state, State::Command)
            && self.transaction.is_none()
            && self.input.is_empty();
        if self.pressure == Pressure::Closing && between {
            self.hang_up("421 4.3.2 Closing for maintenance, try again");
        }
    }
}

impl fmt::Debug for Server {
    /// Without what the client has said: passwords may be among it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("peer", &self.peer)
            .field("tls", &self.tls)
            .field("standing", &self.standing)
            .field("messages", &self.messages)
            .finish_non_exhaustive()
    }
}

/// Octets that text is written to.
struct Text<'a>(&'a mut Vec<u8>);

impl fmt::Write for Text<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

fn standing_of(peer: &Peer) -> Standing {
    if peer.neighbour { Standing::Neighbour } else { Standing::Stranger }
}
