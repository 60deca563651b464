//! `[http]`: where the API is.

use std::net::SocketAddr;

use crate::config::declaration::{default, settings};
use crate::config::section::{Fields, Section};

settings! {
    /// Where the HTTP API is. It is not encrypted and asks for the token in `token` below
    /// `spool.dir`.
    pub struct Http in "http" {
        /// The address to listen at. Port 0 picks a free one.
        address: SocketAddr = default(SocketAddr::from(([127, 0, 0, 1], 8025))).restart();
    }
}

impl Section for Http {
    fn check(&self, fields: &mut Fields<'_, '_>) {
        if !self.address.ip().is_loopback() {
            let cause = "the token and messages travel unencrypted beyond this machine";
            fields.warn("address", cause, "take 127.0.0.1, and a proxy that speaks TLS before it");
        }
    }
}
