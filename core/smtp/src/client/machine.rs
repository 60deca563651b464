//! The machine: replies in, commands out, and what became of each message.

mod flight;
mod opening;
mod transaction;

use std::collections::VecDeque;
use std::fmt;
use std::mem;
use std::sync::Arc;

use bytes::Bytes;
use postlane_mail::{Instant, Reply, Span, Stage};

use super::limits::Timeouts;
use super::session::{SessionEnd, TlsPolicy};
use super::transaction::{Finished, Outcome, Transaction};
use super::transcript::{Record, Transcript};
use crate::auth::{ClientExchange, Credentials, Nonce};
use crate::capability::Capabilities;
use crate::reply::ReplyParser;
use flight::Flight;

/// How a session is to be held.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The name we give ourselves.
    pub ehlo_name: Box<str>,
    /// The name of our own server: a host that greets with it is us. None where that is no
    /// sign of a loop: a smart host on the same machine has the same name.
    pub own_name: Option<Box<str>>,
    /// Whether it is encrypted.
    pub tls: TlsPolicy,
    /// Who we are to the host, where it wants to know.
    pub auth: Option<Credentials>,
    /// Whether that may be said without TLS: for a smart host on the same machine, by name.
    pub auth_without_tls: bool,
    /// Whether to send by BDAT where it is offered.
    pub chunking: bool,
    /// How long the host may take.
    pub timeouts: Timeouts,
}

/// What the machine wants done, behind the octets of [`Client::output`].
#[derive(Debug)]
pub enum Step {
    /// Begin TLS, then [`Client::tls_started`] or [`Client::tls_failed`].
    StartTls,
    /// The session takes messages.
    Ready,
    /// A message is done.
    Finished(Box<Finished>),
    /// Send what is left of the output, if it goes, and close the connection. Nothing comes
    /// after it.
    Close(SessionEnd),
}

/// The client half of one session (RFC 5321). It owns no socket.
///
/// Feed it what was received, send what [`Self::output`] holds in one write, do what
/// [`Self::poll`] says. Up to two messages may be under way: the next one's commands then go
/// out with the last one's end (RFC 2920).
pub struct Client {
    settings: Settings,
    nonce: Nonce,
    capabilities: Capabilities,
    parser: ReplyParser,
    banner: Option<Reply>,
    greeted: Option<Instant>,
    phase: Phase,
    encrypted: bool,
    quitting: bool,
    /// What the host owes an answer to, in order.
    owed: VecDeque<Owed>,
    /// How many of these it can have heard of, from the front.
    asked: usize,
    flights: VecDeque<Flight>,
    commands: Vec<u8>,
    output: Vec<Bytes>,
    /// Octets that were ever put into the output.
    produced: u64,
    steps: VecDeque<Step>,
    auth: Option<ClientExchange>,
    /// A message ended before its data: the host must forget it before the next.
    reset_first: bool,
    /// The host has answered a message to its end, one way or the other.
    used: bool,
    connected: Instant,
    now: Instant,
    until: Instant,
    /// How the session was opened, once it is.
    opening: Arc<Record>,
    /// What was said of no message: before the first, and then between them.
    record: Record,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Up to the end of EHLO, STARTTLS, AUTH.
    Opening,
    /// Octets belong to the handshake. What came in the clear behind the answer to STARTTLS is
    /// not heard (RFC 3207 §4.2).
    Handshake,
    /// It takes messages.
    Open,
    /// Nothing more is said or heard.
    Over,
}

/// A command that has been said and not been answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owed {
    Greeting,
    Ehlo,
    Helo,
    StartTls,
    Auth,
    Mail,
    Rcpt(u16),
    Data,
    /// The final dot, or the last chunk.
    End,
    Reset,
    Quit,
}

impl Client {
    /// A session over a connection that has just been made: the host speaks first, or, where the
    /// policy says so, the handshake comes first. `nonce` is for AUTH.
    pub fn new(now: Instant, settings: Settings, nonce: Nonce) -> Self {
        let until = now + settings.timeouts.greeting;
        let handshake_first = settings.tls == TlsPolicy::FromStart;
        Self {
            settings,
            nonce,
            capabilities: Capabilities::default(),
            parser: ReplyParser::default(),
            banner: None,
            greeted: None,
            phase: if handshake_first { Phase::Handshake } else { Phase::Opening },
            encrypted: false,
            quitting: false,
            owed: VecDeque::from([Owed::Greeting]),
            asked: 1,
            flights: VecDeque::new(),
            commands: Vec::with_capacity(512),
            output: Vec::new(),
            produced: 0,
            steps: handshake_first.then_some(Step::StartTls).into_iter().collect(),
            auth: None,
            reset_first: false,
            used: false,
            connected: now,
            now,
            until,
            opening: Arc::default(),
            record: Record::default(),
        }
    }

    /// Takes octets of the host's.
    pub fn received(&mut self, now: Instant, bytes: &[u8]) {
        self.now = now;
        if self.output.is_empty() {
            self.asked = self.owed.len();
        }
        let mut rest = bytes;
        while !rest.is_empty() && matches!(self.phase, Phase::Opening | Phase::Open) {
            let (used, reply) = self.parser.take(rest);
            self.heard(&rest[..used]);
            rest = &rest[used..];
            match reply {
                Ok(None) => {}
                Ok(Some(reply)) => self.replied(reply),
                Err(_) => self.end(SessionEnd::Misbehaved("the host said what is no SMTP reply")),
            }
        }
        self.flush();
    }

    /// The handshake is done: everything is asked again (RFC 3207 §4.2).
    pub fn tls_started(&mut self, now: Instant) {
        if self.phase != Phase::Handshake {
            return;
        }
        self.now = now;
        self.phase = Phase::Opening;
        self.encrypted = true;
        self.parser = ReplyParser::default();
        self.capabilities = Capabilities::default();
        if self.owed.is_empty() {
            self.say_ehlo();
        }
        self.wait();
        self.flush();
    }

    /// The handshake failed.
    pub fn tls_failed(&mut self, why: &str) {
        self.end(SessionEnd::TlsFailed(why.into()));
    }

    /// The connection is closed or broken. Of the output that was taken, so many octets have
    /// not been sent: the host cannot have taken a message whose end was among them.
    pub fn closed(&mut self, unsent: u64) {
        self.cut_off(unsent, SessionEnd::Lost);
    }

    /// Time has passed [`Self::deadline`], or the host has not taken octets in time: so many
    /// are left.
    pub fn timed_out(&mut self, unsent: u64) {
        self.cut_off(unsent, SessionEnd::TimedOut);
    }

    /// All of the output that was taken has been sent: the host's time begins now.
    pub fn sent(&mut self, now: Instant) {
        self.now = now;
        self.wait();
    }

    /// Takes a message; at most one other is under way. Where the session is not ready yet, it
    /// waits for that; where it is over, it has not been tried.
    pub fn begin(&mut self, now: Instant, transaction: Transaction) {
        self.now = now;
        let flight = Flight::new(now, transaction);
        if self.phase == Phase::Over || self.quitting || flight.transaction.recipients.is_empty() {
            return self.finished(flight.not_tried());
        }
        self.flights.push_back(flight);
        self.go_on();
        self.flush();
    }

    /// Ends the session behind what is under way.
    pub fn quit(&mut self, now: Instant) {
        self.now = now;
        self.quitting = true;
        self.go_on();
        self.flush();
    }

    /// Octets to be sent, in one write; taking them makes room.
    pub fn output(&mut self) -> &mut Vec<Bytes> {
        &mut self.output
    }

    /// What is to be done next.
    pub fn poll(&mut self) -> Option<Step> {
        self.steps.pop_front()
    }

    /// When [`Self::timed_out`] is due; none while the host owes nothing.
    pub fn deadline(&self) -> Option<Instant> {
        (!self.owed.is_empty() && self.phase != Phase::Over).then_some(self.until)
    }

    /// How long the host may take.
    pub fn timeouts(&self) -> &Timeouts {
        &self.settings.timeouts
    }

    /// How the session was opened, and what was said since then that is of no message.
    pub fn transcript(&self) -> Transcript {
        Transcript { opening: self.opening.clone(), rest: self.record.clone() }
    }

    /// The greeting.
    pub fn banner(&self) -> Option<&Reply> {
        self.banner.as_ref()
    }

    /// How long the host let us wait for its greeting, from the end of connecting.
    pub fn greeted_after(&self) -> Option<Span> {
        self.greeted.map(|at| at.since(self.connected))
    }

    /// What the host has offered.
    pub fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn stage(&self) -> Stage {
        match self.owed.front() {
            _ if self.phase == Phase::Handshake => Stage::StartTls,
            None | Some(Owed::Quit | Owed::Reset) => Stage::Quit,
            Some(Owed::Greeting) => Stage::Connect,
            Some(Owed::Ehlo | Owed::Helo) => Stage::Ehlo,
            Some(Owed::StartTls) => Stage::StartTls,
            Some(Owed::Auth) => Stage::Auth,
            Some(Owed::Mail) => Stage::Mail,
            Some(Owed::Rcpt(_)) => Stage::Rcpt,
            Some(Owed::Data) => Stage::Data,
            Some(Owed::End) => Stage::Dot,
        }
    }

    /// Waits for the next answer from now on.
    fn wait(&mut self) {
        let timeouts = &self.settings.timeouts;
        let span = match self.owed.front() {
            None => return,
            Some(Owed::Greeting) => timeouts.greeting,
            Some(Owed::Mail) => timeouts.mail,
            Some(Owed::Rcpt(_)) => timeouts.rcpt,
            Some(Owed::Data) => timeouts.data,
            Some(Owed::End) => timeouts.dot,
            Some(Owed::Quit) => timeouts.quit,
            Some(_) => timeouts.command,
        };
        self.until = self.now + span;
    }

    /// Writes down what the host said, with the message that it is about.
    fn heard(&mut self, octets: &[u8]) {
        let at = self.now.since(self.connected);
        let of_message =
            matches!(self.owed.front(), Some(Owed::Mail | Owed::Rcpt(_) | Owed::Data | Owed::End));
        match self.flights.front_mut().filter(|_| of_message) {
            Some(flight) => flight.record.theirs(at, octets),
            None => self.record.theirs(at, octets),
        }
    }

    fn replied(&mut self, reply: Reply) {
        if self.asked == 0 {
            // A host may go away at any time (RFC 5321 §3.8). What else it says before it can
            // have heard the question is no answer: a message must not count as taken by it.
            if reply.code().number() == 421 {
                return self.turned_away(self.stage(), reply);
            }
            return self.end(SessionEnd::Misbehaved("the host answered what was not asked"));
        }
        self.asked -= 1;
        let Some(owed) = self.owed.pop_front() else { return };
        // Only DATA and AUTH are answered by 3yz, and DATA by nothing else that is good.
        let fits = match owed {
            Owed::Data => !reply.code().is_success(),
            Owed::Auth => true,
            _ => !reply.code().is_intermediate(),
        };
        if !fits {
            self.owed.push_front(owed);
            return self.end(SessionEnd::Misbehaved("the host's answer does not fit the command"));
        }
        match owed {
            Owed::Greeting | Owed::Ehlo | Owed::Helo | Owed::StartTls | Owed::Auth => {
                self.opening_reply(owed, reply);
            }
            Owed::Mail | Owed::Rcpt(_) | Owed::Data | Owed::End => self.message_reply(owed, reply),
            Owed::Reset if reply.code().is_success() => self.go_on(),
            Owed::Reset => self.turned_away(Stage::Quit, reply),
            Owed::Quit => self.end(SessionEnd::Quit),
        }
        self.wait();
    }

    /// Says what can be said now: the next message's commands, or QUIT.
    fn go_on(&mut self) {
        if self.phase != Phase::Open {
            return;
        }
        let nothing_owed = self.owed.is_empty();
        self.next_message();
        if self.quitting && self.flights.is_empty() && self.owed.is_empty() {
            self.say("QUIT", Owed::Quit);
        }
        if nothing_owed {
            self.wait();
        }
    }

    /// Says a command that is of no message.
    fn say(&mut self, line: &str, owed: Owed) {
        let from = self.commands.len();
        self.commands.extend_from_slice(line.as_bytes());
        self.commands.extend_from_slice(b"\r\n");
        self.record.ours(self.now.since(self.connected), &self.commands[from..]);
        self.owed.push_back(owed);
    }

    fn put(&mut self, piece: Bytes) {
        self.produced += piece.len() as u64;
        self.output.push(piece);
    }

    /// What was said so far becomes a piece of output.
    fn flush(&mut self) {
        if !self.commands.is_empty() {
            self.put(Bytes::copy_from_slice(&self.commands));
            self.commands.clear();
        }
    }

    fn finished(&mut self, finished: Finished) {
        self.steps.push_back(Step::Finished(Box::new(finished)));
    }

    fn turned_away(&mut self, stage: Stage, reply: Reply) {
        if reply.code().number() != 421 {
            return self.part(SessionEnd::TurnedAway { stage, reply });
        }
        // A host that goes away does nothing more, whatever it was sent.
        self.give_back(u64::MAX, &Outcome::NotTried);
        self.output.clear();
        self.steps.push_back(Step::Close(SessionEnd::TurnedAway { stage, reply }));
    }

    /// Ends the session by our own choice. The host is told, and what it says to that is not
    /// waited for.
    fn part(&mut self, end: SessionEnd) {
        if self.phase != Phase::Over {
            self.say("QUIT", Owed::Quit);
            self.flush();
            self.give_back(0, &Outcome::NotTried);
            self.steps.push_back(Step::Close(end));
        }
    }

    /// The session is over: nothing more is heard or said.
    fn end(&mut self, end: SessionEnd) {
        if self.phase != Phase::Over {
            let is_at_message = matches!(end, SessionEnd::Misbehaved(_));
            let first =
                if is_at_message { Outcome::CutOff(end.clone()) } else { Outcome::NotTried };
            self.give_back(0, &first);
            self.output.clear();
            self.steps.push_back(Step::Close(end));
        }
    }

    fn cut_off(&mut self, unsent: u64, end: fn(Stage) -> SessionEnd) {
        if self.phase == Phase::Over {
            return;
        }
        let quit = self.quitting && self.flights.is_empty();
        let end = if quit { SessionEnd::Quit } else { end(self.stage()) };
        self.give_back(unsent, &Outcome::CutOff(end.clone()));
        self.output.clear();
        self.steps.push_back(Step::Close(end));
    }

    /// What is under way will not be answered. A message whose end cannot have been sent has
    /// not been tried; the first of them may be what the session ended at.
    fn give_back(&mut self, unsent: u64, first: &Outcome) {
        self.phase = Phase::Over;
        let waiting: u64 = self.output.iter().map(|piece| piece.len() as u64).sum();
        let sent = self.produced.saturating_sub(waiting).saturating_sub(unsent);
        let mut unsaid = first;
        while let Some(flight) = self.flights.pop_front() {
            let facts = (self.capabilities.dsn, &self.opening);
            let finished = flight.cut_short(self.now, sent, unsaid, facts);
            self.finished(finished);
            unsaid = &Outcome::NotTried;
        }
        self.owed.clear();
        self.commands.clear();
    }
}

impl fmt::Debug for Client {
    /// Without what was said: there may be a password in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("phase", &self.phase)
            .field("owed", &self.owed)
            .field("flights", &self.flights.len())
            .finish_non_exhaustive()
    }
}
