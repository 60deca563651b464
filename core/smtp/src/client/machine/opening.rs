//! From the greeting to the first message: EHLO, STARTTLS, AUTH.

use postlane_mail::{Reply, Stage};

use super::{Arc, Client, Owed, Phase, Step, mem};
use crate::auth::{ClientExchange, ExchangeError};
use crate::capability::Capabilities;
use crate::client::session::{SessionEnd, TlsPolicy};

impl Client {
    pub(super) fn opening_reply(&mut self, owed: Owed, reply: Reply) {
        match owed {
            Owed::Greeting => self.greeted(reply),
            Owed::Ehlo => self.ehlo_answered(reply),
            Owed::Helo if reply.code().is_success() => self.known(),
            Owed::Helo => self.turned_away(Stage::Ehlo, reply),
            Owed::StartTls => self.starttls_answered(reply),
            _ => self.auth_answered(reply),
        }
    }

    pub(super) fn say_ehlo(&mut self) {
        self.say(&format!("EHLO {}", self.settings.ehlo_name), Owed::Ehlo);
    }

    fn greeted(&mut self, reply: Reply) {
        let is_us = self.names_us(&reply);
        self.banner = Some(reply.clone());
        self.greeted = Some(self.now);
        if !reply.code().is_success() {
            return self.turned_away(Stage::Connect, reply);
        }
        if is_us {
            return self.part(SessionEnd::Loop);
        }
        self.say_ehlo();
    }

    fn ehlo_answered(&mut self, reply: Reply) {
        if reply.code().is_success() {
            if self.names_us(&reply) {
                return self.part(SessionEnd::Loop);
            }
            self.capabilities = Capabilities::read(reply.lines());
            return self.known();
        }
        // RFC 5321 §3.2: a server that does not know EHLO may know HELO.
        if reply.code().is_permanent() && !self.encrypted {
            return self.say(&format!("HELO {}", self.settings.ehlo_name), Owed::Helo);
        }
        self.turned_away(Stage::Ehlo, reply);
    }

    /// Whether the host names itself as our server does: then it is us (RFC 5321 §6.3).
    fn names_us(&self, reply: &Reply) -> bool {
        let first = reply.lines().next().unwrap_or_default();
        let name = first.split(' ').next().unwrap_or_default();
        self.settings.own_name.as_ref().is_some_and(|own| name.eq_ignore_ascii_case(own))
    }

    fn known(&mut self) {
        let wanted = self.settings.tls != TlsPolicy::Never && !self.encrypted;
        if wanted && self.capabilities.starttls {
            return self.say("STARTTLS", Owed::StartTls);
        }
        if self.settings.tls.is_required() && !self.encrypted {
            return self.part(SessionEnd::TlsMissing);
        }
        self.log_in();
    }

    fn starttls_answered(&mut self, reply: Reply) {
        if reply.code().is_success() {
            self.phase = Phase::Handshake;
            self.steps.push_back(Step::StartTls);
        } else if self.settings.tls.is_required() || reply.code().number() == 421 {
            self.turned_away(Stage::StartTls, reply);
        } else {
            // Offered, and not meant: without it, where that is allowed.
            self.log_in();
        }
    }

    fn log_in(&mut self) {
        let Some(credentials) = &self.settings.auth else { return self.is_ready() };
        // A password goes nowhere in the clear, whatever the policy for mail is.
        let allowed = self.encrypted || self.settings.auth_without_tls;
        let begun = ClientExchange::begin(credentials, &self.capabilities.auth, self.nonce);
        match begun.filter(|_| allowed) {
            Some((line, exchange)) => {
                self.auth = Some(exchange);
                self.say_secret(&line);
            }
            None => self.part(SessionEnd::AuthMissing),
        }
    }

    fn auth_answered(&mut self, reply: Reply) {
        let Some(exchange) = &mut self.auth else { return };
        if reply.code().is_success() {
            return match exchange.finish() {
                Ok(()) => self.is_ready(),
                Err(ExchangeError(why)) => self.part(SessionEnd::Misbehaved(why)),
            };
        }
        if !reply.code().is_intermediate() {
            return self.turned_away(Stage::Auth, reply);
        }
        match exchange.respond(reply.text()) {
            Ok(response) => self.say_secret(&response),
            // The host waits for a response: QUIT would be one.
            Err(ExchangeError(why)) => self.end(SessionEnd::Misbehaved(why)),
        }
    }

    fn is_ready(&mut self) {
        self.auth = None;
        self.phase = Phase::Open;
        self.opening = Arc::new(mem::take(&mut self.record));
        self.steps.push_back(Step::Ready);
        self.go_on();
    }

    /// Says something that is not written down.
    fn say_secret(&mut self, line: &str) {
        self.record.ours(self.now.since(self.connected), b"AUTH [hidden]\r\n");
        self.commands.extend_from_slice(line.as_bytes());
        self.commands.extend_from_slice(b"\r\n");
        self.owed.push_back(Owed::Auth);
    }
}
