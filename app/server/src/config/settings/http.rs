//! `[http]`: where the API is.

use std::net::SocketAddr;

use postlane_mail::{Rate, Span};

use crate::config::declaration::{default, settings};
use crate::config::section::{Fields, Section};

fn so_many(many: u32, per: Span) -> Rate {
    Rate::new(many, per).expect("neither is nothing")
}

settings! {
    /// Where the HTTP API is, and how much may be asked of it. It is not encrypted and asks for a
    /// token: the one in `token` below `spool.dir`, or one that `postlane token new` has made.
    pub struct Http in "http" {
        /// The address to listen at. Port 0 picks a free one.
        address: SocketAddr = default(SocketAddr::from(([127, 0, 0, 1], 8025))).restart();
        /// Requests with one token of `postlane token new`. Beyond it, and beyond `http.burst`, they
        /// are answered 429. The token in the file has no limit.
        rate: Rate = default(so_many(100, Span::from_s(1)));
        /// Requests at once, beyond the rate.
        burst: u32 = default(200).between(1, 100_000).of("requests");
        /// Requests without a valid token from one address (an IPv6 /64). Beyond it they are
        /// answered 429 rather than 401; the right token opens all the same.
        failures: Rate = default(so_many(30, Span::from_min(1)));
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
