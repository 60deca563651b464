//! What a model receiver says in one SMTP session: fed with octets and the time, step by step.
//!
//! Connecting is judged before the banner, a message at MAIL (but for the first), at each RCPT,
//! and at the dot, where it counts once, as mail to its first recipient. Replies are late as the
//! model says: the banner, a refusal at RCPT, and the answer to the dot.

use std::net::IpAddr;

use postlane_mail::{Reply, Stage};
use postlane_receivers::{Addressee, Cause, ConnId, Greeting, Ms, Source, Verdict};

use super::house::House;

/// The longest command line, in octets; RFC 5321 §4.5.3.1.4 asks for 512, extensions for more.
const LINE_MAX: usize = 4_096;
/// Recipients of a message (RFC 5321 §4.5.3.1.8).
const RECIPIENTS_MAX: usize = 100;

/// What is said, and what follows.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Said {
    /// With its line ends.
    pub(super) text: String,
    /// How much later, in the model's time.
    pub(super) after: Ms,
    pub(super) then: Then,
    /// What came of a message or a connection.
    pub(super) outcome: Option<Outcome>,
}

/// Whether the session goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    GoOn,
    Close,
}

/// What came of a message or a connection, for whoever keeps count.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) at: Ms,
    pub(super) source: Source,
    pub(super) conn: Option<ConnId>,
    pub(super) stage: Stage,
    pub(super) code: u16,
    /// The limit's id, `temp`, `outage`, `unknown`, or nothing where it was taken.
    pub(super) limit: Option<String>,
}

/// One session with a connection that is open.
pub(super) struct Session {
    pub(super) conn: ConnId,
    source: Source,
    input: Vec<u8>,
    /// Octets of `input` that are behind us.
    used: usize,
    message: Option<Message>,
    reading: Reading,
}

/// A message that has been begun.
#[derive(Default)]
struct Message {
    recipients: Vec<Addressee>,
}

/// What the next octets are.
enum Reading {
    Commands,
    /// A message, of which so many octets of the end have been seen.
    Data(usize),
}

/// The end of a message; it begins at the start of a line (RFC 5321 §4.1.1.4).
const END: &[u8] = b"\r\n.\r\n";

impl Session {
    /// A connection is made: the banner, and the session if there is one.
    pub(super) fn begin(house: &mut House, at: Ms, address: IpAddr) -> (Said, Option<Self>) {
        let source = house.source(address);
        match house.receiver.connect(at, source) {
            Greeting::Open { conn, latency, .. } => {
                let text = format!("220 {} ESMTP a model receiver\r\n", house.site);
                let said = Said { text, after: latency, then: Then::GoOn, outcome: None };
                let session = Self {
                    conn,
                    source,
                    input: Vec::new(),
                    used: 0,
                    message: None,
                    reading: Reading::Commands,
                };
                (said, Some(session))
            }
            Greeting::Refused(answer) => {
                let said = Said {
                    text: written(&answer.reply),
                    after: answer.latency,
                    then: Then::Close,
                    outcome: Some(Outcome {
                        at,
                        source,
                        conn: None,
                        stage: Stage::Connect,
                        code: answer.reply.code().number(),
                        limit: house.limits.blamed(answer.cause),
                    }),
                };
                (said, None)
            }
        }
    }

    /// Octets have come.
    pub(super) fn received(&mut self, octets: &[u8]) {
        self.input.drain(..self.used);
        self.used = 0;
        self.input.extend_from_slice(octets);
    }

    /// The next thing to be said; `None` until more octets come.
    pub(super) fn next(&mut self, house: &mut House, at: Ms) -> Option<Said> {
        match self.reading {
            Reading::Commands => self.command(house, at),
            Reading::Data(seen) => self.data(house, at, seen),
        }
    }

    fn command(&mut self, house: &mut House, at: Ms) -> Option<Said> {
        let rest = self.input.get(self.used..).unwrap_or_default();
        let Some(end) = rest.iter().position(|octet| *octet == b'\n') else {
            let is_too_long = rest.len() > LINE_MAX;
            return is_too_long.then(|| self.say("500 5.5.2 Line too long", Then::Close));
        };
        let line = String::from_utf8_lossy(rest.get(..end).unwrap_or_default()).into_owned();
        self.used += end + 1;
        Some(self.answer(house, at, line.trim_end()))
    }

    fn answer(&mut self, house: &mut House, at: Ms, line: &str) -> Said {
        let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        match verb.as_str() {
            "EHLO" => {
                self.message = None;
                let site = &house.site;
                let text = format!(
                    "250-{site}\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n250 SMTPUTF8\r\n"
                );
                Said { text, after: Ms(0), then: Then::GoOn, outcome: None }
            }
            "HELO" => {
                self.message = None;
                self.say(&format!("250 {}", house.site), Then::GoOn)
            }
            "MAIL" => self.mail(house, at),
            "RCPT" => self.rcpt(house, at, line),
            "DATA" => match &self.message {
                Some(message) if !message.recipients.is_empty() => {
                    // The end may be the very first line: its beginning is there already.
                    self.reading = Reading::Data(2);
                    self.say("354 End data with <CR><LF>.<CR><LF>", Then::GoOn)
                }
                _ => self.say("503 5.5.1 No valid recipients", Then::GoOn),
            },
            "RSET" => {
                self.message = None;
                self.say("250 2.0.0 Ok", Then::GoOn)
            }
            "NOOP" => self.say("250 2.0.0 Ok", Then::GoOn),
            "QUIT" => self.say("221 2.0.0 Bye", Then::Close),
            _ => self.say("502 5.5.2 Command not recognized", Then::GoOn),
        }
    }

    fn mail(&mut self, house: &mut House, at: Ms) -> Said {
        if self.message.is_some() {
            return self.say("503 5.5.1 One message at a time", Then::GoOn);
        }
        match house.receiver.mail(at, self.conn) {
            Verdict::Ok => {
                self.message = Some(Message::default());
                self.say("250 2.1.0 Ok", Then::GoOn)
            }
            Verdict::Refused(cause, reply) => {
                let nobody = Addressee { number: u32::MAX, known: true };
                let after = house.receiver.message_latency(at, self.conn, nobody);
                self.refuse(house, at, (Stage::Mail, cause), &reply, after)
            }
        }
    }

    fn rcpt(&mut self, house: &mut House, at: Ms, line: &str) -> Said {
        let Some(message) = &mut self.message else {
            return self.say("503 5.5.1 MAIL first", Then::GoOn);
        };
        if message.recipients.len() >= RECIPIENTS_MAX {
            return self.say("452 4.5.3 Too many recipients", Then::GoOn);
        }
        let Some(address) = path_of(line) else {
            return self.say("501 5.1.3 Write RCPT TO:<address>", Then::GoOn);
        };
        let to = house.addressee(address);
        match house.receiver.rcpt(at, self.conn, to) {
            Verdict::Ok => {
                message.recipients.push(to);
                self.say("250 2.1.5 Ok", Then::GoOn)
            }
            Verdict::Refused(cause, reply) => {
                let after = house.receiver.message_latency(at, self.conn, to);
                self.refuse(house, at, (Stage::Rcpt, cause), &reply, after)
            }
        }
    }

    fn data(&mut self, house: &mut House, at: Ms, seen: usize) -> Option<Said> {
        let mut seen = seen;
        while let Some(octet) = self.input.get(self.used) {
            self.used += 1;
            seen = match END.get(seen) {
                Some(next) if next == octet => seen + 1,
                _ => usize::from(*octet == b'\r'),
            };
            if seen == END.len() {
                self.reading = Reading::Commands;
                return Some(self.dot(house, at));
            }
        }
        self.reading = Reading::Data(seen);
        None
    }

    fn dot(&mut self, house: &mut House, at: Ms) -> Said {
        let message = self.message.take().unwrap_or_default();
        let nobody = Addressee { number: u32::MAX, known: true };
        let to = message.recipients.first().copied().unwrap_or(nobody);
        let after = house.receiver.message_latency(at, self.conn, to);
        match house.receiver.dot(at, self.conn, to) {
            Verdict::Refused(cause, reply) => {
                self.refuse(house, at, (Stage::Dot, cause), &reply, after)
            }
            Verdict::Ok => {
                let reply = house.receiver.taken().clone();
                let taken = (Stage::Dot, Cause::Accepted);
                self.refuse(house, at, taken, &reply, after)
            }
        }
    }

    /// Says what the model says of a message; a 421 is the last that is said.
    fn refuse(
        &self,
        house: &House,
        at: Ms,
        (stage, cause): (Stage, Cause),
        reply: &Reply,
        after: Ms,
    ) -> Said {
        let code = reply.code().number();
        let outcome = Outcome {
            at,
            source: self.source,
            conn: Some(self.conn),
            stage,
            code,
            limit: house.limits.blamed(cause),
        };
        let then = if code == 421 { Then::Close } else { Then::GoOn };
        Said { text: written(reply), after, then, outcome: Some(outcome) }
    }

    fn say(&self, line: &str, then: Then) -> Said {
        Said { text: format!("{line}\r\n"), after: Ms(0), then, outcome: None }
    }
}

/// A reply as it goes over the wire (RFC 5321 §4.2.1).
fn written(reply: &Reply) -> String {
    let mut lines = reply.lines().peekable();
    let mut text = String::new();
    while let Some(line) = lines.next() {
        let between = if lines.peek().is_some() { '-' } else { ' ' };
        text.push_str(&format!("{}{between}{line}\r\n", reply.code()));
    }
    text
}

/// The address between `<` and `>`.
fn path_of(line: &str) -> Option<&str> {
    let (_, behind) = line.split_once('<')?;
    let (address, _) = behind.split_once('>')?;
    (!address.is_empty()).then_some(address)
}

#[cfg(test)]
mod tests;
