//! A message's part of the dialogue: MAIL, RCPT, DATA or BDAT, and its end.

use postlane_mail::{Reply, Stage};

use super::{Client, Owed};
use crate::client::decimal::Decimal;
use crate::client::machine::flight::{CHUNK_OCTETS_MAX, Flight, Sent, Way};
use crate::client::session::SessionEnd;
use crate::client::transaction::{Outcome, Unable};
use crate::data::{Lines, stuff};

impl Client {
    /// Says the commands of the next message, if they may be said.
    pub(super) fn next_message(&mut self) {
        while let Some(at) = self.next_to_begin() {
            match self.way(at) {
                Ok(_) if self.reset_first => {
                    self.reset_first = false;
                    self.say("RSET", Owed::Reset);
                    if !self.capabilities.pipelining {
                        return;
                    }
                }
                Ok(way) => return self.say_mail(at, way),
                Err(outcome) => {
                    if let Some(flight) = self.flights.remove(at) {
                        self.finished(flight.all(self.now, &outcome));
                    }
                }
            }
        }
    }

    /// A message's commands may follow the end of the one before it, and not its beginning; and
    /// only where that one is sure to end with its end: a host that refused all its recipients
    /// waits for RSET.
    fn next_to_begin(&self) -> Option<usize> {
        let next = self.flights.iter().position(|flight| flight.sent == Sent::Nothing)?;
        let may_follow = self.flights.iter().take(next).all(Flight::lets_next_begin);
        let may_chain = self.capabilities.pipelining || self.owed.is_empty();
        (may_follow && may_chain).then_some(next)
    }

    /// How a message can be sent; or why this host cannot take it.
    fn way(&self, at: usize) -> Result<Way, Outcome> {
        let transaction = &self.flights[at].transaction;
        if let Some(outcome) = transaction.unfit(&self.capabilities) {
            return Err(outcome);
        }
        let chunking = self.capabilities.chunking && self.settings.chunking;
        if chunking && transaction.octets() <= CHUNK_OCTETS_MAX {
            return Ok(Way::Chunk);
        }
        let lines = Lines::of(&transaction.message);
        match (lines.bare_newlines, chunking) {
            (false, _) => Ok(Way::Data(lines)),
            (true, true) => Ok(Way::Chunk),
            (true, false) => Err(Outcome::Unable(Unable::BareNewlines)),
        }
    }

    /// MAIL, and with PIPELINING all up to DATA or the last chunk in the same write.
    fn say_mail(&mut self, at: usize, way: Way) {
        let (host, from) = (&self.capabilities, self.commands.len());
        let flight = &mut self.flights[at];
        flight.began = self.now;
        flight.way = way;
        flight.transaction.write_mail(host, &mut self.commands);
        self.owed.push_back(Owed::Mail);
        flight.sent = Sent::Commands;
        if host.pipelining {
            for place in 0..flight.transaction.recipients.len() {
                if let Some(recipient) = flight.transaction.recipient(place) {
                    flight.transaction.write_rcpt(recipient, host, &mut self.commands);
                    self.owed.push_back(Owed::Rcpt(place as u16));
                }
            }
        }
        flight.record.ours(self.now.since(self.connected), &self.commands[from..]);
        if self.capabilities.pipelining && !self.flights[at].waits_for_recipients() {
            self.say_data(at);
        }
    }

    /// With PIPELINING, of a message that is too large to be sent in vain: all its recipients are
    /// answered.
    fn recipients_answered(&mut self) {
        let Some(flight) = self.flights.front() else { return };
        if flight.has_recipients() {
            return self.say_data(0);
        }
        self.reset_first |= !flight.was_refused();
        self.flight_done();
    }

    /// Without PIPELINING: the next recipient, and behind the last one DATA, if any was taken.
    fn say_next_recipient(&mut self, place: usize) {
        let Some(flight) = self.flights.front_mut() else { return };
        if let Some(recipient) = flight.transaction.recipient(place) {
            let from = self.commands.len();
            flight.transaction.write_rcpt(recipient, &self.capabilities, &mut self.commands);
            flight.record.ours(self.now.since(self.connected), &self.commands[from..]);
            self.owed.push_back(Owed::Rcpt(place as u16));
        } else if place < flight.transaction.recipients.len() {
            self.say_next_recipient(place + 1);
        } else if flight.has_recipients() {
            self.say_data(0);
        } else {
            self.reset_first = true;
            self.flight_done();
        }
    }

    fn say_data(&mut self, at: usize) {
        let flight = &mut self.flights[at];
        let from = self.commands.len();
        if flight.way != Way::Chunk {
            self.commands.extend_from_slice(b"DATA\r\n");
            flight.record.ours(self.now.since(self.connected), &self.commands[from..]);
            self.owed.push_back(Owed::Data);
            return;
        }
        let octets = flight.transaction.octets();
        self.commands.extend_from_slice(b"BDAT ");
        self.commands.extend_from_slice(Decimal::of(octets).as_str().as_bytes());
        self.commands.extend_from_slice(b" LAST\r\n");
        flight.record.ours(self.now.since(self.connected), &self.commands[from..]);
        self.flush();
        for piece in self.flights[at].transaction.message.clone() {
            self.put(piece);
        }
        self.end_said(at);
        self.owed.push_back(Owed::End);
    }

    /// The host waits for the message. Where it has refused all recipients and waits all the
    /// same, it gets an empty one (RFC 2920 §3.1), which is for nobody.
    fn say_message(&mut self) {
        let Some(flight) = self.flights.front() else { return };
        if let (true, Way::Data(lines)) = (flight.has_recipients(), flight.way) {
            let message = flight.transaction.message.clone();
            self.flush();
            let before = self.output.len();
            stuff(&message, lines, &mut self.output);
            let octets = self.output[before..].iter().map(|piece| piece.len() as u64);
            self.produced += octets.sum::<u64>();
        }
        self.commands.extend_from_slice(b".\r\n");
        self.end_said(0);
        self.owed.push_front(Owed::End);
    }

    /// All of a message has been put into the output, or into the commands that are next.
    fn end_said(&mut self, at: usize) {
        let said = self.now.since(self.connected);
        let flight = &mut self.flights[at];
        flight.sent = Sent::Everything;
        flight.end_at = self.produced + self.commands.len() as u64;
        let whole = flight.has_recipients() || flight.way == Way::Chunk;
        let octets = if whole { flight.transaction.octets() } else { 0 };
        flight.record.message(said, octets);
    }

    pub(super) fn message_reply(&mut self, owed: Owed, reply: Reply) {
        if owed == Owed::Mail && self.used && reply.code().number() == 503 {
            // It believes to be in the middle of the message before. That is no verdict on this
            // one, and a new session will do.
            return self.part(SessionEnd::Misbehaved("the host does not begin another message"));
        }
        let gone = (reply.code().number() == 421).then(|| reply.clone());
        let wants_message = owed == Owed::Data && reply.code().is_intermediate();
        let Some(flight) = self.flights.front_mut() else { return };
        let stage = flight.heard(owed, reply);
        if let Some(reply) = gone {
            return self.turned_away(stage, reply);
        }
        match owed {
            Owed::Data if wants_message => self.say_message(),
            Owed::Data => {
                self.reset_first = true;
                self.flight_done();
            }
            Owed::End => {
                // A chunk that was refused leaves the envelope open with some hosts.
                let open = flight.way == Way::Chunk && !flight.was_taken();
                self.reset_first |= open || !flight.has_recipients();
                self.used = true;
                self.flight_done();
            }
            _ if self.capabilities.pipelining => {
                let last = !matches!(self.owed.front(), Some(Owed::Rcpt(_)));
                if last && flight.waits_for_recipients() {
                    self.recipients_answered();
                }
            }
            Owed::Rcpt(place) => self.say_next_recipient(usize::from(place) + 1),
            _ if stage == Stage::Mail && flight.was_refused() => self.flight_done(),
            _ => self.say_next_recipient(0),
        }
        self.go_on();
    }

    fn flight_done(&mut self) {
        if let Some(flight) = self.flights.pop_front() {
            let finished = flight.finish(self.now, self.capabilities.dsn, &self.opening);
            self.finished(finished);
        }
    }
}
