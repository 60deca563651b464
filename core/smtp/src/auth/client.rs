//! The client's side of an authentication exchange, for smart hosts.

mod scram;

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use scram::Scram;

/// Who we are to a smart host.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Credentials {
    /// The user.
    pub user: Box<str>,
    /// The password.
    pub password: Box<str>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} …", self.user)
    }
}

/// Octets that nobody can foresee, and that are never used twice: by them each exchange of SCRAM
/// is another (RFC 5802 §5.1).
#[derive(Debug, Clone, Copy)]
pub struct Nonce(pub [u8; 18]);

/// An exchange under way. It holds what is secret, and does not show it.
pub struct ClientExchange(Exchange);

enum Exchange {
    /// PLAIN, and what to say if the initial response was not heard (RFC 4616).
    Plain(Option<String>),
    /// LOGIN: the user, then the password. Never standardised; every server knows it.
    Login { user: Option<String>, password: Option<String> },
    /// SCRAM-SHA-256 (RFC 7677).
    Scram(Scram),
}

/// The host does not keep to the mechanism, or does not know the password itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ExchangeError(pub &'static str);

impl ClientExchange {
    /// Begins with the best mechanism that is offered and that we know: the line to say.
    pub fn begin(
        credentials: &Credentials,
        offered: &[Box<str>],
        nonce: Nonce,
    ) -> Option<(String, Self)> {
        let offers = |name: &str| offered.iter().any(|o| o.eq_ignore_ascii_case(name));
        let Credentials { user, password } = credentials;
        if offers("SCRAM-SHA-256") {
            let (first, scram) = Scram::begin(user, password, &STANDARD.encode(nonce.0));
            let line = format!("AUTH SCRAM-SHA-256 {}", STANDARD.encode(first));
            return Some((line, Self(Exchange::Scram(scram))));
        }
        if offers("PLAIN") {
            let response = STANDARD.encode(format!("\0{user}\0{password}"));
            let line = format!("AUTH PLAIN {response}");
            return Some((line, Self(Exchange::Plain(Some(response)))));
        }
        if offers("LOGIN") {
            let (user, password) = (STANDARD.encode(&**user), STANDARD.encode(&**password));
            let exchange = Exchange::Login { user: Some(user), password: Some(password) };
            return Some(("AUTH LOGIN".to_owned(), Self(exchange)));
        }
        None
    }

    /// The answer to the text of a 334.
    pub fn respond(&mut self, challenge: &str) -> Result<String, ExchangeError> {
        const TOO_MUCH: ExchangeError = ExchangeError("the host asks for more than there is");
        match &mut self.0 {
            Exchange::Plain(response) => response.take().ok_or(TOO_MUCH),
            Exchange::Login { user, password } => {
                user.take().or_else(|| password.take()).ok_or(TOO_MUCH)
            }
            Exchange::Scram(scram) => {
                let challenge = STANDARD.decode(challenge.trim());
                let challenge = challenge.ok().and_then(|octets| String::from_utf8(octets).ok());
                let challenge =
                    challenge.ok_or(ExchangeError("the host's challenge is no text"))?;
                scram.respond(&challenge).map(|response| STANDARD.encode(response))
            }
        }
    }

    /// The host has said yes: whether it may be believed. By SCRAM it has shown that it knows
    /// the password, too.
    pub fn finish(&self) -> Result<(), ExchangeError> {
        match &self.0 {
            Exchange::Scram(scram) if !scram.has_proof() => {
                Err(ExchangeError("the host has not shown that it knows the password"))
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for ClientExchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Exchange::Plain(_) => "PLAIN …",
            Exchange::Login { .. } => "LOGIN …",
            Exchange::Scram(_) => "SCRAM-SHA-256 …",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begin(offered: &[&str]) -> Option<(String, ClientExchange)> {
        let credentials = Credentials { user: "u".into(), password: "secret".into() };
        let offered: Vec<Box<str>> = offered.iter().map(|name| (*name).into()).collect();
        ClientExchange::begin(&credentials, &offered, Nonce([0; 18]))
    }

    #[test]
    fn the_best_mechanism_that_is_offered_is_used() {
        let line = |offered: &[&str]| begin(offered).map(|(line, _)| line);
        assert_eq!(
            line(&["LOGIN", "PLAIN", "scram-sha-256"]).unwrap(),
            "AUTH SCRAM-SHA-256 biwsbj11LHI9QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB"
        );
        assert_eq!(line(&["login", "plain"]).unwrap(), "AUTH PLAIN AHUAc2VjcmV0");
        assert_eq!(line(&["GSSAPI", "LOGIN"]).unwrap(), "AUTH LOGIN");
        assert_eq!(line(&["GSSAPI", "CRAM-MD5"]), None);
    }

    #[test]
    fn a_host_that_asks_for_more_than_the_mechanism_has_gets_nothing() {
        let (_, mut login) = begin(&["LOGIN"]).unwrap();
        assert_eq!(login.respond("VXNlcm5hbWU6"), Ok("dQ==".to_owned()));
        assert_eq!(login.respond("UGFzc3dvcmQ6"), Ok("c2VjcmV0".to_owned()));
        assert!(login.respond("").is_err());
        let (_, mut plain) = begin(&["PLAIN"]).unwrap();
        assert_eq!(plain.respond(""), Ok("AHUAc2VjcmV0".to_owned()));
        assert!(plain.respond("").is_err());
    }

    #[test]
    fn what_is_secret_is_not_shown() {
        for mechanism in ["PLAIN", "LOGIN", "SCRAM-SHA-256"] {
            let (_, exchange) = begin(&[mechanism]).unwrap();
            assert_eq!(format!("{exchange:?}"), format!("{mechanism} …"));
        }
    }
}
