//! SCRAM-SHA-256, the server's side (RFC 5802, RFC 7677), without channel binding.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::auth::client::Nonce;
use crate::auth::verifier::ScramVerifier;

/// Octets of a client's nonce, at most. Chosen, not measured.
const NONCE_OCTETS_MAX: usize = 256;

/// The client has said who it is.
#[derive(Debug)]
pub(crate) struct Claim {
    /// The user, as the client wrote it: it is not prepared (RFC 4013).
    user: Box<str>,
    /// What stands before the message proper: about channel binding and on whose behalf.
    binding: Box<str>,
    first_bare: Box<str>,
    nonce: Box<str>,
}

/// The client has been asked for its proof.
#[derive(Debug)]
pub(crate) struct Challenge {
    verifier: ScramVerifier,
    binding: Box<str>,
    /// Both sides' nonces.
    nonce: String,
    /// Both first messages, as they are signed.
    said: String,
}

impl Claim {
    /// Reads the client's first message; none if it makes no sense or wants what is not offered.
    pub(super) fn read(text: &str) -> Option<Self> {
        // `y`: the client could bind to the channel and thinks that we cannot, which is so.
        let rest = text.strip_prefix("n,").or_else(|| text.strip_prefix("y,"))?;
        let (on_behalf_of, first_bare) = rest.split_once(',')?;
        let binding = &text[..text.len() - first_bare.len()];
        let mut fields = first_bare.split(',');
        let user = unescaped(fields.next()?.strip_prefix("n=")?)?;
        let nonce = fields.next()?.strip_prefix("r=")?;
        let is_ours = on_behalf_of.is_empty()
            || on_behalf_of.strip_prefix("a=").and_then(unescaped).is_some_and(|a| a == user);
        let legal = nonce.bytes().all(|b| b.is_ascii_graphic());
        if !is_ours
            || !legal
            || user.is_empty()
            || nonce.is_empty()
            || nonce.len() > NONCE_OCTETS_MAX
        {
            return None;
        }
        Some(Self {
            user: user.into(),
            binding: binding.into(),
            first_bare: first_bare.into(),
            nonce: nonce.into(),
        })
    }

    /// Whom the client says that it is.
    pub(crate) fn user(&self) -> &str {
        &self.user
    }

    /// Asks for the proof that fits a verifier.
    pub(super) fn challenge(self, verifier: ScramVerifier, ours: Nonce) -> (String, Challenge) {
        let nonce = format!("{}{}", self.nonce, STANDARD.encode(ours.0));
        let first = format!("r={nonce},{}", verifier.challenge());
        let said = format!("{},{first},", self.first_bare);
        (first, Challenge { verifier, binding: self.binding, nonce, said })
    }
}

impl Challenge {
    /// Reads the client's last message: none if it makes no sense, else whether it proves that
    /// the client knows the password, and if so our own proof.
    pub(super) fn judge(&self, text: &str) -> Option<Option<String>> {
        let (without_proof, proof) = text.rsplit_once(",p=")?;
        let mut fields = without_proof.split(',');
        let binding = STANDARD.decode(fields.next()?.strip_prefix("c=")?).ok()?;
        let nonce = fields.next()?.strip_prefix("r=")?;
        let proof = STANDARD.decode(proof).ok()?;
        let said = [self.said.as_bytes(), without_proof.as_bytes()];
        // Whoever sits between could change these, if they were not compared.
        let same = binding == self.binding.as_bytes() && nonce == self.nonce;
        if !same || !self.verifier.proves(&proof, &said) {
            return Some(None);
        }
        Some(Some(format!("v={}", STANDARD.encode(self.verifier.sign(&said)))))
    }
}

/// A name with `=2C` and `=3D` for comma and equals sign (RFC 5802 §5.1); nothing else may
/// stand behind an equals sign.
fn unescaped(name: &str) -> Option<String> {
    let rest = name.replace("=2C", "").replace("=3D", "");
    (!rest.contains(['=', '\0'])).then(|| name.replace("=2C", ",").replace("=3D", "="))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim() -> Claim {
        Claim::read("n,,n=user,r=rOprNGfwEbeRWgbNEkqO").unwrap()
    }

    /// The example of RFC 7677 §3, but for our nonce: that is base 64 of chance.
    fn challenge() -> Challenge {
        let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        let verifier = ScramVerifier::derive("pencil", &salt, ScramVerifier::ITERATIONS);
        let ours = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let nonce = format!("rOprNGfwEbeRWgbNEkqO{ours}");
        let said = format!("n=user,r=rOprNGfwEbeRWgbNEkqO,r={nonce},{},", verifier.challenge());
        Challenge { verifier, binding: "n,,".into(), nonce, said }
    }

    const LAST: &str = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                        p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";

    #[test]
    fn the_example_of_rfc_7677_is_accepted() {
        assert_eq!(
            challenge().said,
            "n=user,r=rOprNGfwEbeRWgbNEkqO,\
             r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
             s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,"
        );
        let proof = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";
        assert_eq!(challenge().judge(LAST), Some(Some(proof.to_owned())));
    }

    #[test]
    fn a_proof_that_is_wrong_in_anything_is_none() {
        for (right, wrong) in [
            ("p=dHzb", "p=dHzc"),
            ("k0,p", "k1,p"),
            ("c=biws", "c=eSws"),
            ("ndVQ=", "ndVQ"),
            ("p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", "p="),
            (",p=", ",x=1,p="),
        ] {
            let last = LAST.replace(right, wrong);
            assert_ne!(last, LAST);
            assert!(!matches!(challenge().judge(&last), Some(Some(_))), "{last}");
        }
        for nonsense in ["", "c=biws", "p=", "c=?,r=x,p=AA==", "r=x,c=biws,p=AA=="] {
            assert_eq!(challenge().judge(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn what_a_client_wants_and_we_do_not_offer_is_refused() {
        for first in [
            "",
            "n,,",
            "n,,n=,r=x",
            "n,,n=user,r=",
            "n,,n=user",
            "p=tls-exporter,,n=user,r=x",
            "n,a=other,n=user,r=x",
            "n,,m=x,n=user,r=x",
            "n,,n=us=er,r=x",
            "n,,n=us=2cer,r=x",
            "n,,n=user,r=\u{e4}",
        ] {
            assert!(Claim::read(first).is_none(), "{first}");
        }
    }

    #[test]
    fn a_name_is_read_with_its_commas_and_equals_signs() {
        let claim = Claim::read("y,a=a=3Db=2Cc,n=a=3Db=2Cc,r=x,later=1").unwrap();
        assert_eq!((claim.user(), &*claim.binding), ("a=b,c", "y,a=a=3Db=2Cc,"));
        let verifier = ScramVerifier::derive("p", b"salt", ScramVerifier::ITERATIONS);
        let (first, challenge) = claim.challenge(verifier, Nonce([0; 18]));
        assert_eq!(first, "r=xAAAAAAAAAAAAAAAAAAAAAAAA,s=c2FsdA==,i=4096");
        assert_eq!(challenge.said, format!("n=a=3Db=2Cc,r=x,later=1,{first},"));
    }

    #[test]
    fn two_exchanges_are_never_the_same() {
        let challenge = |nonce| {
            let verifier = ScramVerifier::derive("p", b"salt", ScramVerifier::ITERATIONS);
            claim().challenge(verifier, Nonce([nonce; 18])).0
        };
        assert_ne!(challenge(1), challenge(2));
    }
}
