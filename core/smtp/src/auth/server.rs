//! The server's side of an authentication exchange.

mod scram;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::client::Nonce;
use super::secret::Secret;
use super::verifier::ScramVerifier;
use scram::Challenge;
pub(crate) use scram::Claim;

/// An exchange under way, and what the next response means in it.
#[derive(Debug)]
pub(crate) enum ServerExchange {
    /// PLAIN: all in one (RFC 4616).
    Plain,
    /// LOGIN: the user. Never standardised; every client knows it.
    LoginUser,
    /// LOGIN: the password.
    LoginPassword(Box<str>),
    /// SCRAM-SHA-256: who the client is.
    ScramClaim,
    /// SCRAM-SHA-256: its proof.
    ScramProof(Box<Challenge>),
    /// SCRAM-SHA-256: nothing, for it has heard ours (RFC 4954 §4).
    ScramEnd,
}

/// What comes next in an exchange.
#[derive(Debug)]
pub(crate) enum Answer {
    /// This is to be asked, in base 64; then the exchange goes on.
    Ask(String, ServerExchange),
    /// The client says that it is this user, with this password.
    Password(Box<str>, Secret),
    /// The client says who it is; what is kept of that user's password is needed.
    Claimed(Box<Claim>),
    /// The client has proven that it is who it said.
    Proven,
    /// It has not.
    Unproven,
    /// The response makes no sense.
    Nonsense,
}

impl ServerExchange {
    /// An exchange by a mechanism, if it is one of those we know.
    pub(crate) fn begin(mechanism: &str) -> Option<Self> {
        match mechanism {
            "PLAIN" => Some(Self::Plain),
            "LOGIN" => Some(Self::LoginUser),
            "SCRAM-SHA-256" => Some(Self::ScramClaim),
            _ => None,
        }
    }

    /// Takes the initial response, if there was one.
    pub(crate) fn first(self, initial: Option<&str>) -> Answer {
        match (initial, self) {
            // RFC 4954 §4: an empty initial response is a lone equals sign.
            (Some("="), exchange) => exchange.next(b""),
            (Some(response), exchange) => exchange.next(response.as_bytes()),
            (None, Self::LoginUser) => Answer::Ask(STANDARD.encode("Username:"), Self::LoginUser),
            (None, exchange) => Answer::Ask(String::new(), exchange),
        }
    }

    /// Takes a response, in base 64.
    pub(crate) fn next(self, response: &[u8]) -> Answer {
        let Some(text) = decode(response) else { return Answer::Nonsense };
        match self {
            Self::Plain => plain(&text),
            Self::LoginUser => {
                let user = Self::LoginPassword(text.as_str().into());
                Answer::Ask(STANDARD.encode("Password:"), user)
            }
            Self::LoginPassword(user) => Answer::Password(user, Secret::new(text.to_string())),
            Self::ScramClaim => Claim::read(&text)
                .map_or(Answer::Nonsense, |claim| Answer::Claimed(Box::new(claim))),
            Self::ScramProof(challenge) => match challenge.judge(&text) {
                None => Answer::Nonsense,
                Some(None) => Answer::Unproven,
                Some(Some(ours)) => Answer::Ask(STANDARD.encode(ours), Self::ScramEnd),
            },
            Self::ScramEnd if text.is_empty() => Answer::Proven,
            Self::ScramEnd => Answer::Nonsense,
        }
    }

    /// Goes on with what is kept of the user's password.
    pub(crate) fn challenge(claim: Claim, verifier: ScramVerifier, nonce: Nonce) -> Answer {
        let (first, challenge) = claim.challenge(verifier, nonce);
        Answer::Ask(STANDARD.encode(first), Self::ScramProof(Box::new(challenge)))
    }
}

fn decode(response: &[u8]) -> Option<Zeroizing<String>> {
    let octets = STANDARD.decode(response).ok()?;
    String::from_utf8(octets).ok().map(Zeroizing::new)
}

/// RFC 4616 §2: authorisation identity, NUL, user, NUL, password.
fn plain(text: &str) -> Answer {
    let mut parts = text.split('\0');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(on_behalf_of), Some(user), Some(password), None)
            if !user.is_empty() && (on_behalf_of.is_empty() || on_behalf_of == user) =>
        {
            Answer::Password(user.into(), Secret::new(password.to_owned()))
        }
        _ => Answer::Nonsense,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_is_read_and_nobody_speaks_for_another() {
        for (response, user) in [
            ("\0jo\0secret", Some("jo")),
            ("jo\0jo\0secret", Some("jo")),
            ("ann\0jo\0secret", None),
            ("\0\0secret", None),
            ("\0jo", None),
            ("\0jo\0sec\0ret", None),
            ("", None),
        ] {
            let answer = ServerExchange::Plain.next(STANDARD.encode(response).as_bytes());
            let seen = match &answer {
                Answer::Password(user, password) => {
                    assert_eq!(password.reveal(), "secret");
                    Some(&**user)
                }
                _ => None,
            };
            assert_eq!(seen, user, "{response:?}");
        }
    }

    #[test]
    fn what_is_not_base_64_of_a_text_makes_no_sense() {
        for response in [&b"?"[..], b"AA", b"AHUAcA", b"/w==", b"\xff", b"AHUA cA=="] {
            for mechanism in ["PLAIN", "LOGIN", "SCRAM-SHA-256"] {
                let exchange = ServerExchange::begin(mechanism).unwrap();
                assert!(matches!(exchange.next(response), Answer::Nonsense), "{response:?}");
            }
        }
    }

    #[test]
    fn a_password_is_not_shown() {
        let answer = ServerExchange::Plain.next(STANDARD.encode("\0jo\0secret").as_bytes());
        assert!(!format!("{answer:?}").contains("secret"));
    }
}
