//! TLS, both sides: whom we believe, and who we are.

mod client;
mod dane;
mod fault;
mod server;
mod trust;
mod version;

pub use client::ClientTls;
pub use dane::DanePeer;
pub use fault::TlsFault;
pub use server::{CertificateError, server_config};
pub use trust::Trust;
pub use version::Minimum;

pub(crate) use fault::words;
pub(crate) use server::facts;
