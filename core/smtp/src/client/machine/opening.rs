//! From the greeting to the first message: EHLO, STARTTLS, AUTH.

use postlane_mail::{Instant, Reply, Stage};

use super::{Client, Owed, Step};
use crate::auth::ClientExchange;
use crate::capability::Capabilities;
use crate::client::session::{SessionEnd, TlsPolicy};

impl Client {
    pub(super) fn opening_reply(&mut self, now: Instant, owed: Owed, reply: Reply) {
        match owed {
            Owed::Greeting => self.greeted(now, reply),
            Owed::Ehlo => self.ehlo_answered(now, reply),
            Owed::Helo if reply.code().is_success() => self.known(now),
            Owed::Helo => self.turned_away(Stage::Ehlo, reply),
            Owed::StartTls if reply.code().number() == 220 => self.steps.push_back(Step::StartTls),
            Owed::StartTls if self.settings.tls == TlsPolicy::Required => {
                self.turned_away(Stage::StartTls, reply);
            }
            // Offered, and not meant: without it, where that is allowed.
            Owed::StartTls if reply.code().number() != 421 => self.log_in(now),
            Owed::StartTls => self.turned_away(Stage::StartTls, reply),
            _ => self.auth_answered(now, reply),
        }
    }

    pub(super) fn say_ehlo(&mut self, now: Instant) {
        self.say(now, &format!("EHLO {}", self.settings.ehlo_name), Owed::Ehlo);
    }

    fn greeted(&mut self, now: Instant, reply: Reply) {
        let is_us = self.names_us(&reply);
        self.banner = Some(reply.clone());
        if !reply.code().is_success() {
            return self.turned_away(Stage::Connect, reply);
        }
        if is_us {
            return self.end(SessionEnd::Loop);
        }
        self.say_ehlo(now);
    }

    fn ehlo_answered(&mut self, now: Instant, reply: Reply) {
        if reply.code().is_success() {
            if self.names_us(&reply) {
                return self.end(SessionEnd::Loop);
            }
            self.capabilities = Capabilities::read(reply.lines());
            return self.known(now);
        }
        // RFC 5321 §3.2: a server that does not know EHLO may know HELO.
        if reply.code().is_permanent() && !self.encrypted {
            return self.say(now, &format!("HELO {}", self.settings.ehlo_name), Owed::Helo);
        }
        self.turned_away(Stage::Ehlo, reply);
    }

    /// Whether the host names itself as our server does: then it is us (RFC 5321 §6.3).
    fn names_us(&self, reply: &Reply) -> bool {
        let first = reply.lines().next().unwrap_or_default();
        let name = first.split(' ').next().unwrap_or_default();
        self.settings.own_name.as_ref().is_some_and(|own| name.eq_ignore_ascii_case(own))
    }

    fn known(&mut self, now: Instant) {
        let wanted = self.settings.tls != TlsPolicy::Never && !self.encrypted;
        if wanted && self.capabilities.starttls {
            return self.say(now, "STARTTLS", Owed::StartTls);
        }
        if self.settings.tls == TlsPolicy::Required && !self.encrypted {
            return self.end(SessionEnd::TlsMissing);
        }
        self.log_in(now);
    }

    fn log_in(&mut self, now: Instant) {
        let Some(credentials) = &self.settings.auth else { return self.is_ready(now) };
        // A password goes nowhere in the clear, whatever the policy for mail is.
        let begun = ClientExchange::begin(credentials, &self.capabilities.auth);
        match begun.filter(|_| self.encrypted) {
            Some((line, exchange)) => {
                self.auth = Some(exchange);
                self.say_secret(now, &line);
            }
            None => self.end(SessionEnd::AuthMissing),
        }
    }

    fn auth_answered(&mut self, now: Instant, reply: Reply) {
        let next = self.auth.as_mut().and_then(ClientExchange::respond);
        match (reply.code().number(), next) {
            (235, _) => self.is_ready(now),
            (334, Some(response)) => self.say_secret(now, &response),
            _ => self.turned_away(Stage::Auth, reply),
        }
    }

    fn is_ready(&mut self, now: Instant) {
        self.auth = None;
        self.ready = true;
        self.steps.push_back(Step::Ready);
        self.go_on(now);
    }

    fn turned_away(&mut self, stage: Stage, reply: Reply) {
        self.end(SessionEnd::TurnedAway { stage, reply });
    }

    fn say(&mut self, now: Instant, line: &str, owed: Owed) {
        self.commands.extend_from_slice(line.as_bytes());
        self.commands.extend_from_slice(b"\r\n");
        self.owed.push_back(owed);
        self.wait(now);
    }

    /// Says something that is not written down.
    fn say_secret(&mut self, now: Instant, line: &str) {
        self.cut_commands();
        self.transcript.ours(b"AUTH [hidden]");
        let octets = format!("{line}\r\n").into_bytes();
        self.output.push(octets.into());
        self.owed.push_back(Owed::Auth);
        self.wait(now);
    }
}
