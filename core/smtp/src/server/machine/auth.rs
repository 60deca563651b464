//! AUTH (RFC 4954): offered only where nobody can listen.

use super::{Secret, Server, State, Step};
use crate::auth::{Answer, ServerExchange};

impl Server {
    pub(super) fn offers_auth(&self) -> bool {
        self.settings.auth && (self.tls.is_some() || self.settings.auth_without_tls)
    }

    pub(super) fn auth(&mut self, mechanism: &str, initial: Option<&str>) {
        if !self.settings.auth {
            return self.wrong("502 5.5.1 AUTH is not offered here");
        }
        if !self.offers_auth() {
            return self.wrong("538 5.7.11 Encryption required: say STARTTLS first");
        }
        if self.helo.as_ref().is_none_or(|helo| !helo.extended) {
            return self.wrong("503 5.5.1 Say EHLO first");
        }
        if self.transaction.is_some() || self.standing.identity().is_some() {
            return self.wrong("503 5.5.1 Not now");
        }
        let Some(exchange) = ServerExchange::begin(mechanism) else {
            return self.wrong("504 5.5.4 Unrecognized authentication mechanism");
        };
        self.take_answer(exchange.first(initial));
    }

    pub(super) fn auth_line(&mut self, line: &[u8]) {
        let State::Auth(exchange) = std::mem::replace(&mut self.state, State::Command) else {
            return;
        };
        if line == b"*" {
            return self.wrong("501 5.7.0 Authentication cancelled");
        }
        self.take_answer(exchange.next(line));
    }

    fn take_answer(&mut self, answer: Answer) {
        match answer {
            Answer::Ask(challenge, exchange) => {
                self.say(&format!("334 {challenge}"));
                self.state = State::Auth(exchange);
            }
            Answer::Password { user, password } => {
                self.wait_for(Step::Authenticate { user, password: Secret(password) });
            }
            Answer::Wrong => self.wrong("501 5.5.2 The authentication response cannot be read"),
        }
    }
}
