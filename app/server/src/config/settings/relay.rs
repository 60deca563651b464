//! `[relay]`: who we are, and whose mail we take.

use ipnet::IpNet;
use postlane_mail::{Domain, Mailbox, Span};
use postlane_smtp::data::BareNewlines;

use crate::config::declaration::{default, optional, settings};
use crate::config::section::{Fields, Section};
use crate::config::value::spelled;

settings! {
    /// Who we are, and whose mail we take.
    pub struct Relay in "relay" {
        /// Our name: in greetings, in EHLO where a source has none, in `Received` fields and in
        /// reports. Receivers expect that it leads to the address we send from, and back.
        hostname: Domain = default(machine_name())
            .said("the machine's host name, else `localhost`")
            .restart();
        /// Networks that may send mail to anybody. Others must authenticate.
        networks: Vec<IpNet> = default(loopback());
        /// Domains that are ours besides `relay.hostname`: mail to their postmaster and abuse
        /// desk is taken from anybody (RFC 5321 §4.5.1, RFC 2142 §4).
        own_domains: Vec<Domain> = default(Vec::new());
        /// Where mail to our postmaster and abuse desk goes. If left out, it is kept in the folder
        /// `postmaster` below `spool.dir`.
        postmaster: Option<Mailbox> = optional();
        /// What becomes of a message with a CR or LF that is not part of a CRLF.
        bare_newlines: BareNewlines = default(BareNewlines::Refuse).from("RFC 5321 §2.3.8");
        /// How long a shutdown waits for transactions under way. Transactions that are cut off
        /// then are tried again after the next start, and may be delivered twice.
        shutdown_wait: Span = default(Span::from_s(60)).between(Span::ZERO, Span::from_min(30));
    }
}

spelled!(BareNewlines {
    "refuse" => BareNewlines::Refuse, "it is refused";
    "normalise" => BareNewlines::Normalise, "each becomes CRLF";
});

/// The shortest prefix of a network that may relay. A shorter one is no network of anybody's:
/// the relay would be open. An IPv6 prefix of 7 are the unique local addresses (RFC 4193).
const PREFIX_MIN: (u8, u8) = (8, 7);

impl Section for Relay {
    fn check(&self, fields: &mut Fields<'_, '_>) {
        for net in &self.networks {
            let min = if matches!(net, IpNet::V4(_)) { PREFIX_MIN.0 } else { PREFIX_MIN.1 };
            if net.prefix_len() < min {
                let cause = format!("{net} may relay: that is half the world, and an open relay");
                fields.complain("networks", cause, format!("name networks of /{min} or longer"));
            }
        }
    }
}

fn machine_name() -> Domain {
    let system = rustix::system::uname();
    let name = system.nodename().to_str().ok().and_then(|name| Domain::parse(name).ok());
    name.unwrap_or_else(|| Domain::parse("localhost").expect("localhost is a domain name"))
}

fn loopback() -> Vec<IpNet> {
    let nets = ["127.0.0.0/8", "::1/128"];
    nets.iter().map(|net| net.parse().expect("both are networks")).collect()
}
