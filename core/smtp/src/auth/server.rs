//! The server's side of an authentication exchange.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// An exchange under way.
#[derive(Debug)]
pub enum ServerExchange {
    /// PLAIN, before its one response (RFC 4616).
    Plain,
    /// LOGIN, before the user's name. Never standardised; every client knows it.
    LoginUser,
    /// LOGIN, before the password.
    LoginPassword(Box<str>),
}

/// What comes next in an exchange.
pub enum Answer {
    /// This is to be asked, in base 64; then the exchange goes on.
    Ask(&'static str, ServerExchange),
    /// The client says that it is this user.
    Password {
        /// The user.
        user: Box<str>,
        /// The password.
        password: Box<str>,
    },
    /// The response makes no sense.
    Wrong,
}

impl ServerExchange {
    /// An exchange by a mechanism, if it is offered.
    pub fn begin(mechanism: &str) -> Option<Self> {
        match mechanism {
            "PLAIN" => Some(Self::Plain),
            "LOGIN" => Some(Self::LoginUser),
            _ => None,
        }
    }

    /// Takes the initial response, if there was one.
    pub fn first(self, initial: Option<&str>) -> Answer {
        match (initial, self) {
            // RFC 4954 §4: an empty initial response is a lone equals sign.
            (Some("="), exchange) => exchange.next(b""),
            (Some(response), exchange) => exchange.next(response.as_bytes()),
            (None, Self::Plain) => Answer::Ask("", Self::Plain),
            (None, exchange) => Answer::Ask("VXNlcm5hbWU6", exchange),
        }
    }

    /// Takes a response.
    pub fn next(self, response: &[u8]) -> Answer {
        let text = STANDARD.decode(response).ok().and_then(|octets| String::from_utf8(octets).ok());
        let Some(text) = text else { return Answer::Wrong };
        match self {
            Self::Plain => plain(&text),
            Self::LoginUser => Answer::Ask("UGFzc3dvcmQ6", Self::LoginPassword(text.into())),
            Self::LoginPassword(user) => Answer::Password { user, password: text.into() },
        }
    }
}

/// RFC 4616 §2: authorisation identity, NUL, user, NUL, password.
fn plain(text: &str) -> Answer {
    let parts: Vec<&str> = text.split('\0').collect();
    match parts[..] {
        [on_behalf_of, user, password]
            if !user.is_empty() && (on_behalf_of.is_empty() || on_behalf_of == user) =>
        {
            Answer::Password { user: user.into(), password: password.into() }
        }
        _ => Answer::Wrong,
    }
}
