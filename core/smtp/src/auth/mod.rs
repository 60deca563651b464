//! Who is there: SASL mechanisms, both sides (RFC 4954, RFC 4616, RFC 7677).

mod client;
mod secret;
mod server;
mod verifier;

pub use client::{ClientExchange, Credentials, ExchangeError, Nonce};
pub use secret::Secret;
pub(crate) use server::{Answer, Claim, ServerExchange};
pub use verifier::{Decoy, ScramVerifier, VerifierError};
