//! `[https]`: how web servers of other domains are called.

use std::path::PathBuf;

use postlane_mail::Span;
use postlane_net::tls::Trust;

use crate::config::declaration::{default, settings};
use crate::config::section::{Fields, Section};
use crate::config::value::CalledAt;

settings! {
    /// How web servers of other domains are reached, and which certificate authorities are trusted:
    /// for these servers, for webhooks, and for MX hosts that a domain's policy wants proved. For networks that
    /// reach themselves only from inside, for authorities of your own, and for tests.
    pub struct Https in "https" {
        /// Hosts that are connected to at another address than their own:
        /// `{ "mta-sts.example:443" = "127.0.0.1:8443" }`. Their certificates are checked all the
        /// same. No other host in a private network is connected to.
        map: CalledAt = default(CalledAt::default()).restart();
        /// Files with certificate authorities (PEM) to trust besides the system's.
        extra_roots: Vec<PathBuf> = default(Vec::new()).restart();
        /// How long a page may take, from the name's resolution to its last octet.
        timeout: Span = default(Span::from_s(30)).between(Span::from_s(1), Span::from_min(5)).restart()
            .from("RFC 8461 §3.3 suggests a minute at most");
    }
}

/// Files that are read, at most. Chosen, not measured.
const FILES_MAX: usize = 16;

impl Section for Https {
    fn check(&self, fields: &mut Fields<'_, '_>) {
        if self.extra_roots.len() > FILES_MAX {
            let cause = format!("there are {} files", self.extra_roots.len());
            fields.complain("extra_roots", cause, format!("name {FILES_MAX} at most"));
            return;
        }
        if self.extra_roots.is_empty() {
            return;
        }
        if let Err(error) = Trust::with_roots(&self.extra_roots) {
            let cure = "name PEM files with certificates that we may read";
            fields.complain("extra_roots", error.to_string(), cure);
        }
    }
}
