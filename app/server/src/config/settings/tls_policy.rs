//! `[tls_policy]`: whether what recipients' domains publish about encryption is kept to.

use crate::config::declaration::{default, settings};
use crate::config::section::{Fields, Section};
use crate::config::value::spelled;

settings! {
    /// Whether what recipients' domains publish about encryption is enforced: MTA-STS (RFC 8461)
    /// and DANE (RFC 7672). Mail to a domain that publishes a policy goes only to hosts that prove
    /// who they are; to all others it goes as `delivery.tls` says. A domain whose `[[domain]]`
    /// entry says that `tls` is `never` or `opportunistic` is not asked; nor is one of a provider
    /// whose section says so.
    pub struct TlsPolicies in "tls_policy" {
        /// Whether MTA-STS policies are fetched, kept and enforced.
        mta_sts: bool = default(true).from("RFC 8461");
        /// Whether signed TLSA records are enforced.
        dane: Dane = default(Dane::Loopback).from("RFC 7672");
        /// Whether sessions are counted for reports to the recipients' domains: `postlane tls-report`.
        count: bool = default(true).from("RFC 8460");
    }
}

/// Whether TLSA records are gone by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dane {
    /// Not at all.
    Off,
    /// Where all resolvers are of this machine.
    Loopback,
    /// Always.
    Always,
}

spelled!(Dane {
    "off" => Dane::Off, "not at all";
    "loopback" => Dane::Loopback, "where all resolvers have a loopback address: what they say of signatures cannot be forged on the way";
    "always" => Dane::Always, "whatever the resolvers' addresses: the way to them must be safe, and they must check signatures";
});

impl Section for TlsPolicies {
    fn check(&self, fields: &mut Fields<'_, '_>) {
        if self.dane == Dane::Always {
            let cause = "whoever can write into the way to the resolver can name any certificate";
            fields.warn("dane", cause, "run a validating resolver on this machine");
        }
    }
}
