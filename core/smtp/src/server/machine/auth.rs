//! AUTH (RFC 4954): offered only where nobody can listen.

use postlane_mail::Instant;

use super::{Server, State, Step, Waiting};
use crate::auth::{Answer, Nonce, ScramVerifier, ServerExchange};
use crate::server::standing::{Identity, Standing};

/// Whether a client is the user that it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Login {
    /// It is.
    Known(Identity),
    /// It is not, or there is no such user.
    Wrong,
    /// It cannot be found out now.
    Unavailable,
}

/// What is kept of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// This, of the password, and who the user is.
    Found(ScramVerifier, Identity),
    /// Nothing: there is no such user. The client does not find that out.
    Unknown,
    /// It cannot be found out now.
    Unavailable,
}

const UNAVAILABLE: &str = "454 4.7.0 Authentication is not possible now, try again later";

impl Server {
    /// Whether the user is one of ours.
    pub fn authenticated(&mut self, now: Instant, login: Login) {
        if !matches!(self.state, State::Waiting(Waiting::Authenticated)) {
            return;
        }
        self.resume(now);
        self.let_in(login);
        self.go_on(now);
    }

    /// What is kept of the user's password, and a nonce that is never used twice.
    pub fn looked_up(&mut self, now: Instant, lookup: Lookup, nonce: Nonce) {
        let claim = match std::mem::replace(&mut self.state, State::Closed) {
            State::Waiting(Waiting::LookedUp(claim)) => *claim,
            other => {
                self.state = other;
                return;
            }
        };
        self.resume(now);
        let settings = self.settings.clone();
        let decoy = settings.auth.as_ref().and_then(|auth| auth.scram.as_ref());
        let (verifier, identity) = match (lookup, decoy) {
            (Lookup::Found(verifier, identity), _) => (verifier, Some(identity)),
            (Lookup::Unknown, Some(decoy)) => (ScramVerifier::decoy(claim.user(), decoy), None),
            _ => {
                self.say(UNAVAILABLE);
                return self.go_on(now);
            }
        };
        self.take_answer(ServerExchange::challenge(claim, verifier, nonce), identity);
        self.go_on(now);
    }

    pub(super) fn may_authenticate(&self) -> bool {
        let rule = self.settings.auth.as_ref();
        rule.is_some_and(|auth| auth.without_tls || self.tls.is_some())
    }

    pub(super) fn auth(&mut self, mechanism: &str, initial: Option<&str>) {
        let Some(rule) = &self.settings.auth else {
            return self.wrong("502 5.5.1 AUTH is not offered here");
        };
        let known = mechanism != "SCRAM-SHA-256" || rule.scram.is_some();
        if !self.may_authenticate() {
            return self.wrong("538 5.7.11 Encryption required: say STARTTLS first");
        }
        if self.helo.as_ref().is_none_or(|helo| !helo.extended) {
            return self.wrong("503 5.5.1 Say EHLO first");
        }
        if self.transaction.is_some() || self.standing.identity().is_some() {
            return self.wrong("503 5.5.1 Not in a message, and only once");
        }
        match ServerExchange::begin(mechanism).filter(|_| known) {
            Some(exchange) => self.take_answer(exchange.first(initial), None),
            None => self.wrong("504 5.5.4 Authentication mechanism not offered"),
        }
    }

    pub(super) fn auth_line(&mut self, line: &[u8]) {
        let state = std::mem::replace(&mut self.state, State::Command);
        let State::Auth { exchange, claimed } = state else { return };
        if line == b"*" {
            return self.wrong("501 5.7.0 Authentication cancelled");
        }
        self.take_answer(exchange.next(line), claimed);
    }

    fn take_answer(&mut self, answer: Answer, claimed: Option<Identity>) {
        match answer {
            Answer::Ask(challenge, exchange) => {
                self.say_fmt(format_args!("334 {challenge}"));
                self.state = State::Auth { exchange, claimed };
            }
            Answer::Password(user, password) => {
                self.wait_for(Waiting::Authenticated, Step::Authenticate { user, password });
            }
            Answer::Claimed(claim) => {
                let user = claim.user().into();
                self.wait_for(Waiting::LookedUp(claim), Step::Lookup { user });
            }
            Answer::Proven => self.let_in(claimed.map_or(Login::Wrong, Login::Known)),
            Answer::Unproven => self.let_in(Login::Wrong),
            Answer::Nonsense => self.wrong("501 5.5.2 The authentication response makes no sense"),
        }
    }

    fn let_in(&mut self, login: Login) {
        match login {
            Login::Known(identity) => {
                self.standing = Standing::Known(identity);
                self.say("235 2.7.0 Authentication successful");
                self.opened();
            }
            Login::Wrong => {
                self.logins += 1;
                if self.logins < self.settings.limits.logins {
                    return self.wrong("535 5.7.8 Authentication credentials invalid");
                }
                self.say("535 5.7.8 Authentication credentials invalid");
                self.hang_up("421 4.7.0 Too many failed logins");
            }
            Login::Unavailable => self.say(UNAVAILABLE),
        }
    }
}
