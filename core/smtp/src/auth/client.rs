//! The client's side of an authentication exchange, for smart hosts.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

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

/// An exchange under way.
#[derive(Debug)]
pub struct ClientExchange {
    responses: Vec<String>,
}

impl ClientExchange {
    /// Begins with the best mechanism that is offered and that we know: the line to say.
    pub fn begin(credentials: &Credentials, offered: &[Box<str>]) -> Option<(String, Self)> {
        let offers = |name: &str| offered.iter().any(|o| o.eq_ignore_ascii_case(name));
        let Credentials { user, password } = credentials;
        if offers("PLAIN") {
            let response = STANDARD.encode(format!("\0{user}\0{password}"));
            return Some((format!("AUTH PLAIN {response}"), Self { responses: Vec::new() }));
        }
        if offers("LOGIN") {
            let responses =
                vec![STANDARD.encode(password.as_bytes()), STANDARD.encode(user.as_bytes())];
            return Some(("AUTH LOGIN".to_owned(), Self { responses }));
        }
        None
    }

    /// The answer to a 334; none when nothing is left to say.
    pub fn respond(&mut self) -> Option<String> {
        self.responses.pop()
    }
}
