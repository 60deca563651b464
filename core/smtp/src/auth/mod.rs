//! Who is there: SASL mechanisms, both sides (RFC 4954, RFC 4616).

mod client;
mod server;

pub use client::{ClientExchange, Credentials, ExchangeError, Nonce};
pub use server::{Answer, ServerExchange};
