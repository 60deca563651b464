//! SCRAM-SHA-256, the client's side (RFC 5802, RFC 7677).

use std::num::NonZeroU32;

use aws_lc_rs::{constant_time, digest, hmac, pbkdf2};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::ExchangeError;

/// Rounds that we are willing to reckon for a host: a tenth of a second. RFC 7677 §4 asks for
/// 4096 at least, and says that more is better. Chosen, not measured.
const ITERATIONS_MAX: u32 = 250_000;

/// An exchange: first the proof that we know the password, then the host's that it does.
pub(super) struct Scram {
    /// The user's name is not prepared (RFC 4013): it goes out as it was configured.
    first_bare: String,
    nonce: String,
    password: Box<str>,
    state: State,
}

enum State {
    /// We have said who we are.
    Begun,
    /// We have proven it, and expect this signature.
    Proven([u8; 32]),
    /// The host has given it.
    Done,
}

impl Scram {
    /// The first message, and the exchange that it begins.
    pub(super) fn begin(user: &str, password: &str, nonce: &str) -> (String, Self) {
        let user = user.replace('=', "=3D").replace(',', "=2C");
        let first_bare = format!("n={user},r={nonce}");
        let first = format!("n,,{first_bare}");
        let (nonce, password) = (nonce.to_owned(), password.into());
        (first, Self { first_bare, nonce, password, state: State::Begun })
    }

    /// The answer to what the host said.
    pub(super) fn respond(&mut self, challenge: &str) -> Result<String, ExchangeError> {
        match self.state {
            State::Begun => self.prove(challenge),
            State::Proven(expected) => {
                let signature = challenge.strip_prefix("v=").and_then(|v| decode(field(v)));
                let given = signature.ok_or(ExchangeError("the host does not accept our proof"))?;
                constant_time::verify_slices_are_equal(&given, &expected)
                    .map_err(|_| ExchangeError("the host does not know the password"))?;
                self.state = State::Done;
                Ok(String::new())
            }
            State::Done => Err(ExchangeError("the host asks for more than there is")),
        }
    }

    /// Whether the host has proven that it knows the password.
    pub(super) fn has_proof(&self) -> bool {
        matches!(self.state, State::Done)
    }

    /// RFC 5802 §3.
    fn prove(&mut self, server_first: &str) -> Result<String, ExchangeError> {
        let (nonce, salt, iterations) = read_first(server_first)
            .filter(|(nonce, ..)| nonce.len() > self.nonce.len() && nonce.starts_with(&self.nonce))
            .ok_or(ExchangeError("the host's challenge is not one of SCRAM"))?;
        let mut salted = [0; 32];
        pbkdf2::derive(
            pbkdf2::PBKDF2_HMAC_SHA256,
            iterations,
            &salt,
            self.password.as_bytes(),
            &mut salted,
        );
        let without_proof = format!("c=biws,r={nonce}");
        let said = format!("{},{server_first},{without_proof}", self.first_bare);
        let client_key = keyed(&salted, b"Client Key");
        let stored_key = digest::digest(&digest::SHA256, &client_key);
        let mut proof = keyed(stored_key.as_ref(), said.as_bytes());
        proof.iter_mut().zip(client_key).for_each(|(p, k)| *p ^= k);
        let server_key = keyed(&salted, b"Server Key");
        self.state = State::Proven(keyed(&server_key, said.as_bytes()));
        Ok(format!("{without_proof},p={}", STANDARD.encode(proof)))
    }
}

/// Nonce, salt and iterations of the host's first message; what comes behind them may be there.
fn read_first(text: &str) -> Option<(&str, Vec<u8>, NonZeroU32)> {
    let (nonce, rest) = text.strip_prefix("r=")?.split_once(',')?;
    let (salt, rest) = rest.strip_prefix("s=")?.split_once(',')?;
    let iterations = field(rest.strip_prefix("i=")?).parse::<NonZeroU32>().ok()?;
    let affordable = iterations.get() <= ITERATIONS_MAX;
    Some((nonce, decode(salt)?, iterations)).filter(|_| affordable)
}

fn field(text: &str) -> &str {
    text.split(',').next().unwrap_or_default()
}

fn decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

fn keyed(key: &[u8], text: &[u8]) -> [u8; 32] {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text);
    let mut octets = [0; 32];
    octets.copy_from_slice(tag.as_ref());
    octets
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER_FIRST: &str = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                                s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";

    fn begun() -> Scram {
        let (first, scram) = Scram::begin("user", "pencil", "rOprNGfwEbeRWgbNEkqO");
        assert_eq!(first, "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
        scram
    }

    #[test]
    fn the_example_of_rfc_7677_comes_out() {
        let mut scram = begun();
        assert_eq!(
            scram.respond(SERVER_FIRST).unwrap(),
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
             p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        );
        assert!(!scram.has_proof());
        assert_eq!(scram.respond("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=").unwrap(), "");
        assert!(scram.has_proof());
    }

    #[test]
    fn a_host_that_does_not_know_the_password_is_found_out() {
        for last in ["v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G5=", "v=", "e=other-error", ""] {
            let mut scram = begun();
            scram.respond(SERVER_FIRST).unwrap();
            assert!(scram.respond(last).is_err(), "{last}");
            assert!(!scram.has_proof());
        }
    }

    #[test]
    fn a_challenge_that_is_not_ours_or_too_dear_is_not_answered() {
        for first in [
            "r=rOprNGfwEbeRWgbNEkqO,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
            "r=another,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
            "r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=0",
            "r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4000000000",
            "r=rOprNGfwEbeRWgbNEkqOx,s=?,i=4096",
            "m=x,r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
            "",
        ] {
            assert!(begun().respond(first).is_err(), "{first}");
        }
    }

    #[test]
    fn a_comma_or_equals_sign_in_a_user_is_escaped() {
        let (first, _) = Scram::begin("a=b,c", "", "x");
        assert_eq!(first, "n,,n=a=3Db=2Cc,r=x");
    }
}
