//! `[delivery]`: how mail is handed over.

use std::net::SocketAddr;

use postlane_net::tls::Minimum;
use postlane_smtp::client::TlsPolicy;

use crate::config::declaration::{default, settings};
use crate::config::section::{Fields, Section};
use crate::config::value::spelled;

settings! {
    /// How mail is handed over.
    pub struct Delivery in "delivery" {
        /// Connections to hosts at once, over all lanes.
        sessions: u32 = default(5_000).between(1, 100_000).of("connections");
        /// Messages given to a connection at once: 2 sends the next behind the end of the last
        /// without waiting for the answer, where the host allows PIPELINING. A lane that learns does
        /// so once more may be under way than it may have connections.
        session_depth: u8 = default(2).between(1, 8).of("messages").from("RFC 2920");
        /// Whether to send by BDAT where it is offered: the message needs no change on its way.
        bdat: bool = default(true).from("RFC 3030");
        /// Recipients of a message in one transaction.
        transaction_recipients: u16 = default(50).between(1, 1_000).of("recipients")
            .from("Postfix's default_destination_recipient_limit; RFC 5321 §4.5.3.1.8: hosts take \
                   100 at least");
        /// Whether connections are encrypted.
        tls: TlsPolicy = default(TlsPolicy::Opportunistic).from("RFC 7435");
        /// The oldest TLS that will do.
        tls_min: Minimum = default(Minimum::V12).from("RFC 8996");
        /// DNS resolvers to ask, with their ports. If left out, those of `/etc/resolv.conf`.
        resolvers: Vec<SocketAddr> = default(Vec::new()).restart();
        /// The port of MX hosts.
        mx_port: u16 = default(25).between(1, 65_535).restart().from("RFC 5321 §4.5.4.2");
    }
}

spelled!(TlsPolicy {
    "never" => TlsPolicy::Never, "not even where it is offered";
    "opportunistic" => TlsPolicy::Opportunistic, "where it is offered; certificates are not looked at";
    "required" => TlsPolicy::Required, "or not at all, and with a certificate that proves the name";
    "implicit" => TlsPolicy::FromStart, "as required, and from the start, as on port 465";
});

spelled!(Minimum {
    "1.2" => Minimum::V12, "TLS 1.2";
    "1.3" => Minimum::V13, "TLS 1.3";
});

/// Resolvers in a list, at most: as many as are ever asked. Chosen, not measured.
const RESOLVERS_MAX: usize = 8;

impl Section for Delivery {
    fn check(&self, fields: &mut Fields<'_, '_>) {
        if self.resolvers.len() > RESOLVERS_MAX {
            let cause = format!("there are {} resolvers", self.resolvers.len());
            fields.complain("resolvers", cause, format!("name the {RESOLVERS_MAX} nearest"));
        }
        if self.resolvers.iter().any(|address| address.port() == 0) {
            let cause = "a resolver has port 0, where nobody listens";
            fields.complain("resolvers", cause, "write its port, 53 as a rule");
        }
        if self.tls == TlsPolicy::FromStart {
            let cause = "no MX host speaks TLS from the start";
            fields.complain("tls", cause, "write \"required\", or \"implicit\" in a [[route]]");
        }
    }
}
