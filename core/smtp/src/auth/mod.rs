//! Who is there: SASL mechanisms, both sides (RFC 4954, RFC 4616).

mod client;
mod server;

pub use client::{ClientExchange, Credentials};
pub use server::{Answer, ServerExchange};
