//! TLS, both sides: whom we believe, and who we are.

mod client;
mod server;

pub use client::{ClientTls, Minimum};
pub use server::{CertificateError, server_config};

pub(crate) use server::facts;
