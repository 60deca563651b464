//! `[[domain]]`: what is different for some recipients' domains.

use std::path::PathBuf;

use postlane_mail::Domain;
use postlane_net::tls::{ClientTls, Minimum};
use postlane_smtp::client::TlsPolicy;

use crate::config::declaration::{optional, required, settings};
use crate::config::section::{Fields, Section};

settings! {
    /// What is different for mail to some domains: one entry for each.
    pub struct DomainPolicy in "domain" {
        /// The recipients' domain.
        name: Domain = required();
        /// As `delivery.tls`. Beats what a provider's entry says.
        tls: Option<TlsPolicy> = optional();
        /// As `delivery.tls_min`. Beats what a provider's entry says.
        tls_min: Option<Minimum> = optional();
        /// The file with the certificate authorities to trust, PEM. If left out, the system's.
        ca_file: Option<PathBuf> = optional();
    }
}

impl Section for DomainPolicy {
    fn name(&self) -> Option<(&'static str, String)> {
        Some(("name", self.name.to_string()))
    }

    fn check(&self, fields: &mut Fields<'_, '_>) {
        if self.tls == Some(TlsPolicy::FromStart) {
            let cause = "no MX host speaks TLS from the start";
            fields.complain("tls", cause, "write \"required\", or \"implicit\" in a [[route]]");
        }
        let Some(path) = &self.ca_file else { return };
        if let Err(error) = ClientTls::required(self.tls_min.unwrap_or_default(), Some(path)) {
            let cure = "name a PEM file with certificates that we may read";
            fields.complain("ca_file", error.to_string(), cure);
        }
        if !self.tls.is_some_and(TlsPolicy::is_required) {
            let cause = "certificates are not looked at where TLS is not required";
            fields.warn("ca_file", cause, "set `domain.tls` to \"required\"");
        }
    }
}
