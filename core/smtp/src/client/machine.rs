//! The machine: replies in, commands out, and what became of each message.

mod flight;
mod opening;

use std::collections::VecDeque;

use bytes::Bytes;
use postlane_mail::{Instant, Reply, Stage};

use super::limits::Timeouts;
use super::session::{SessionEnd, TlsPolicy};
use super::transaction::{Finished, Transaction, itoa};
use super::transcript::Transcript;
use crate::auth::{ClientExchange, Credentials};
use crate::capability::Capabilities;
use crate::data::stuff;
use crate::reply::ReplyParser;
use flight::{Flight, Sent};

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
    Finished(Finished),
    /// Close the connection. Nothing comes after it.
    Close(SessionEnd),
}

/// The client half of one session (RFC 5321). It owns no socket.
///
/// Feed it what was received, send what [`Self::output`] holds in one write, do what
/// [`Self::poll`] says. Up to two messages may be under way: the next one's commands then go
/// out with the last one's end (RFC 2920).
#[derive(Debug)]
pub struct Client {
    settings: Settings,
    capabilities: Capabilities,
    parser: ReplyParser,
    transcript: Transcript,
    banner: Option<Reply>,
    /// What the host owes an answer to, in order.
    owed: VecDeque<Owed>,
    flights: VecDeque<Flight>,
    commands: Vec<u8>,
    output: Vec<Bytes>,
    steps: VecDeque<Step>,
    auth: Option<ClientExchange>,
    encrypted: bool,
    ready: bool,
    quitting: bool,
    over: bool,
    /// A message ended before its data: the host must forget it before the next.
    reset_first: bool,
    until: Instant,
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

/// Messages larger than this are not sent before their recipients are answered: by BDAT they
/// would go out in vain where all are refused. Chosen, not measured.
const CHUNK_OCTETS_MAX: u64 = 256 * 1024;

impl Client {
    /// A session over a connection that has just been made; the host speaks first.
    pub fn new(now: Instant, settings: Settings) -> Self {
        let until = now + settings.timeouts.greeting;
        Self {
            settings,
            capabilities: Capabilities::default(),
            parser: ReplyParser::default(),
            transcript: Transcript::default(),
            banner: None,
            owed: VecDeque::from([Owed::Greeting]),
            flights: VecDeque::new(),
            commands: Vec::with_capacity(512),
            output: Vec::new(),
            steps: VecDeque::new(),
            auth: None,
            encrypted: false,
            ready: false,
            quitting: false,
            over: false,
            reset_first: false,
            until,
        }
    }

    /// Takes octets of the host's.
    pub fn received(&mut self, now: Instant, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() && !self.over {
            let (used, reply) = self.parser.take(rest);
            self.transcript.theirs(&rest[..used]);
            rest = &rest[used..];
            match reply {
                Ok(None) => {}
                Ok(Some(reply)) => {
                    self.replied(now, reply);
                    if self.owed.is_empty() && matches!(self.steps.back(), Some(Step::StartTls)) {
                        // What came behind the answer to STARTTLS came in the clear.
                        return;
                    }
                }
                Err(_) => self.end(SessionEnd::Misbehaved("the host said what is no SMTP reply")),
            }
        }
        self.flush();
    }

    /// The handshake is done: everything is asked again (RFC 3207 §4.2).
    pub fn tls_started(&mut self, now: Instant) {
        self.encrypted = true;
        self.parser = ReplyParser::default();
        self.capabilities = Capabilities::default();
        self.say_ehlo(now);
        self.flush();
    }

    /// The handshake failed.
    pub fn tls_failed(&mut self, why: &str) {
        self.end(SessionEnd::TlsFailed(why.into()));
    }

    /// The connection is closed or broken.
    pub fn closed(&mut self) {
        if !self.over {
            let end = SessionEnd::Lost(self.stage());
            self.end(if self.quitting && self.flights.is_empty() { SessionEnd::Quit } else { end });
        }
    }

    /// Time has passed [`Self::deadline`].
    pub fn timed_out(&mut self) {
        if !self.over {
            let end = SessionEnd::TimedOut(self.stage());
            self.end(if self.quitting && self.flights.is_empty() { SessionEnd::Quit } else { end });
        }
    }

    /// Takes a message; the session is ready, and at most one is under way.
    pub fn begin(&mut self, now: Instant, transaction: Transaction) {
        if self.over || self.quitting {
            self.steps.push_back(Step::Finished(Flight::new(transaction).not_tried()));
            return;
        }
        if let Some(outcome) = transaction.unfit(&self.capabilities) {
            self.steps.push_back(Step::Finished(Flight::new(transaction).all(&outcome)));
            return;
        }
        if self.flights.is_empty() {
            self.transcript.message_begins();
        }
        self.flights.push_back(Flight::new(transaction));
        self.go_on(now);
        self.flush();
    }

    /// Ends the session behind what is under way.
    pub fn quit(&mut self, now: Instant) {
        self.quitting = true;
        self.go_on(now);
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
        (!self.owed.is_empty() && !self.over).then_some(self.until)
    }

    /// What was said so far.
    pub fn transcript(&self) -> &Transcript {
        &self.transcript
    }

    /// The greeting.
    pub fn banner(&self) -> Option<&Reply> {
        self.banner.as_ref()
    }

    /// What the host has offered.
    pub fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn stage(&self) -> Stage {
        match self.owed.front() {
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
    fn wait(&mut self, now: Instant) {
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
        self.until = now + span;
    }

    fn replied(&mut self, now: Instant, reply: Reply) {
        let Some(owed) = self.owed.pop_front() else {
            // Said without being asked: a 421 before we say anything (RFC 5321 §3.8), or noise.
            let end = if reply.code().number() == 421 {
                SessionEnd::TurnedAway { stage: Stage::Quit, reply }
            } else {
                SessionEnd::Misbehaved("the host answered what was not asked")
            };
            return self.end(end);
        };
        match owed {
            Owed::Greeting | Owed::Ehlo | Owed::Helo | Owed::StartTls | Owed::Auth => {
                self.opening_reply(now, owed, reply);
            }
            Owed::Mail | Owed::Rcpt(_) | Owed::Data | Owed::End => {
                self.message_reply(now, owed, reply);
            }
            Owed::Reset if reply.code().number() == 421 => {
                self.end(SessionEnd::TurnedAway { stage: Stage::Quit, reply });
            }
            Owed::Reset => {}
            Owed::Quit => self.end(SessionEnd::Quit),
        }
        self.wait(now);
    }

    fn message_reply(&mut self, now: Instant, owed: Owed, reply: Reply) {
        let goes_away = reply.code().number() == 421;
        let Some(flight) = self.flights.front_mut() else { return };
        let stage = flight.heard(owed, &reply);
        if goes_away {
            return self.end(SessionEnd::TurnedAway { stage, reply });
        }
        match (owed, flight.sent) {
            (Owed::Data, _) if reply.code().number() == 354 => self.send_message(),
            (Owed::Data, _) => {
                self.reset_first = true;
                self.flight_done();
            }
            (Owed::End, _) => {
                // A chunk that was refused for want of recipients leaves the envelope open.
                self.reset_first = !self.flights.front().is_some_and(Flight::has_recipients);
                self.flight_done();
            }
            (Owed::Mail, Sent::Mail) if reply.code().is_success() => self.say_recipients(),
            (Owed::Mail, Sent::Mail) => self.flight_done(),
            (Owed::Rcpt(_), Sent::Recipients)
                if !self.owed.iter().any(|o| matches!(o, Owed::Rcpt(_))) =>
            {
                self.say_data();
            }
            _ => {}
        }
        self.go_on(now);
    }

    fn flight_done(&mut self) {
        if let Some(flight) = self.flights.pop_front() {
            self.steps.push_back(Step::Finished(flight.finish(self.capabilities.dsn)));
        }
    }

    /// Says what can be said now: the next message's commands, or QUIT.
    fn go_on(&mut self, now: Instant) {
        if !self.ready || self.over {
            return;
        }
        let was_owed = self.owed.is_empty();
        // A message's commands may follow the end of the one before it, and not its beginning;
        // and only where that one is sure to end with its end: a host that refused all its
        // recipients waits for RSET.
        let next = self.flights.iter().position(|flight| flight.sent == Sent::Nothing);
        let clear = self.flights.iter().all(Flight::lets_next_begin);
        let may_chain = self.capabilities.pipelining || self.owed.is_empty();
        if let Some(next) = next.filter(|_| clear && may_chain) {
            if std::mem::take(&mut self.reset_first) {
                self.commands.extend_from_slice(b"RSET\r\n");
                self.owed.push_back(Owed::Reset);
            }
            self.say_envelope(next);
        } else if self.quitting && self.flights.is_empty() && self.owed.is_empty() {
            self.commands.extend_from_slice(b"QUIT\r\n");
            self.owed.push_back(Owed::Quit);
        }
        if was_owed {
            self.wait(now);
        }
    }

    /// MAIL, and with PIPELINING all up to DATA or the last chunk in the same write.
    fn say_envelope(&mut self, at: usize) {
        let host = &self.capabilities;
        let flight = &mut self.flights[at];
        flight.transaction.write_mail(host, &mut self.commands);
        self.owed.push_back(Owed::Mail);
        flight.sent = Sent::Mail;
        if self.capabilities.pipelining {
            self.say_recipients_of(at);
            self.say_data_of(at);
        }
    }

    fn say_recipients(&mut self) {
        self.say_recipients_of(0);
    }

    fn say_recipients_of(&mut self, at: usize) {
        let flight = &mut self.flights[at];
        for (place, recipient) in flight.transaction.recipients().enumerate() {
            flight.transaction.write_rcpt(recipient, &self.capabilities, &mut self.commands);
            self.owed.push_back(Owed::Rcpt(place as u16));
        }
        flight.sent = Sent::Recipients;
    }

    /// Without PIPELINING: DATA, if any recipient is left.
    fn say_data(&mut self) {
        if self.flights.front().is_some_and(Flight::has_recipients) {
            self.say_data_of(0);
        } else {
            self.reset_first = true;
            self.flight_done();
        }
    }

    fn say_data_of(&mut self, at: usize) {
        let flight = &mut self.flights[at];
        let octets = flight.transaction.octets();
        if self.capabilities.chunking && self.settings.chunking && octets <= CHUNK_OCTETS_MAX {
            self.commands.extend_from_slice(b"BDAT ");
            self.commands.extend_from_slice(itoa(octets).as_str().as_bytes());
            self.commands.extend_from_slice(b" LAST\r\n");
            flight.sent = Sent::Everything;
            let pieces = flight.transaction.message.clone();
            self.owed.push_back(Owed::End);
            self.cut_commands();
            self.output.extend(pieces);
        } else {
            self.commands.extend_from_slice(b"DATA\r\n");
            flight.sent = Sent::Data;
            self.owed.push_back(Owed::Data);
        }
    }

    /// The host waits for the message. Where it has refused all recipients and waits all the
    /// same, it gets an empty one (RFC 2920 §3.1), which is for nobody.
    fn send_message(&mut self) {
        let Some(flight) = self.flights.front_mut() else { return };
        flight.sent = Sent::Everything;
        self.owed.push_front(Owed::End);
        if flight.has_recipients() {
            let message = flight.transaction.message.clone();
            self.cut_commands();
            self.output_message(&message, flight_dots(self.flights.front()));
        }
        self.commands.extend_from_slice(b".\r\n");
    }

    fn output_message(&mut self, pieces: &[Bytes], dot_lines: bool) {
        let Some((last, front)) = pieces.split_last() else { return };
        // What the relay put in front is header fields: none begins with a dot.
        self.output.extend(front.iter().cloned());
        if dot_lines || !last.ends_with(b"\r\n") {
            self.output.extend(stuff(last));
        } else {
            self.output.push(last.clone());
        }
    }

    /// What was said so far becomes a piece of output of its own.
    fn cut_commands(&mut self) {
        if !self.commands.is_empty() {
            self.transcript.ours(&self.commands);
            self.output.push(Bytes::copy_from_slice(&self.commands));
            self.commands.clear();
        }
    }

    fn flush(&mut self) {
        self.cut_commands();
    }

    /// The session is over: nothing more is heard, and what was under way is given back.
    fn end(&mut self, end: SessionEnd) {
        if std::mem::replace(&mut self.over, true) {
            return;
        }
        self.commands.clear();
        while let Some(flight) = self.flights.pop_front() {
            self.steps.push_back(Step::Finished(flight.cut_short(self.capabilities.dsn)));
        }
        self.owed.clear();
        self.steps.push_back(Step::Close(end));
    }
}

fn flight_dots(flight: Option<&Flight>) -> bool {
    flight.is_none_or(|flight| flight.transaction.dot_lines)
}
