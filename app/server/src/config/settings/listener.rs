//! `[[listener]]`: where mail is taken.

use std::net::SocketAddr;
use std::path::PathBuf;

use ipnet::IpNet;
use postlane_mail::Label;
use postlane_net::tls;

use crate::config::declaration::{default, optional, required, settings};
use crate::config::section::{Fields, Reading, Section};
use crate::config::value::spelled;

settings! {
    /// Where mail is taken: one entry for each address.
    pub struct Listener in "listener" {
        /// The address to listen at. Port 0 picks a free one.
        address: SocketAddr = required().restart();
        /// Whether sessions are encrypted.
        tls: ListenerTls = default(ListenerTls::None);
        /// The file with the certificate and those that lead to its authority, PEM.
        cert: Option<PathBuf> = optional();
        /// The file with the certificate's private key, PEM.
        key: Option<PathBuf> = optional();
        /// Whether clients authenticate. AUTH is offered only to encrypted sessions, and only
        /// when there is a `[[credential]]`.
        auth: Auth = default(Auth::Optional);
        /// Where AUTH is offered to sessions that are not encrypted.
        auth_without_tls: WithoutTls = default(WithoutTls::Never);
        /// Networks of load balancers that begin with a PROXY header (version 2) telling the
        /// client's address. From others none is taken; if left out, nobody may.
        proxy_protocol_from: Vec<IpNet> = default(Vec::new());
        /// Whether mail to test addresses is taken here (`tester.domain`). Elsewhere it is mail like
        /// any other: it goes where the domain's MX record leads.
        tests: bool = default(false).restart();
        /// Whose mail comes in here. Beats what a message says of itself; a credential's tenant
        /// beats this.
        tenant: Option<Label> = optional();
    }
}

/// Whether sessions of a listener are encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListenerTls {
    /// They are not.
    None,
    /// When the client asks for it.
    StartTls,
    /// From the start.
    Implicit,
}

/// Whether clients authenticate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Auth {
    /// They cannot.
    Off,
    /// They can.
    Optional,
    /// They must.
    Required,
}

/// Where passwords may travel in the clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WithoutTls {
    /// Nowhere.
    Never,
    /// From this machine to itself.
    Loopback,
}

spelled!(ListenerTls {
    "none" => ListenerTls::None, "no encryption";
    "starttls" => ListenerTls::StartTls, "when the client asks for it";
    "implicit" => ListenerTls::Implicit, "from the start, as on port 465";
});

spelled!(Auth {
    "off" => Auth::Off, "nobody can";
    "optional" => Auth::Optional, "who wants to can";
    "required" => Auth::Required, "nobody sends mail without";
});

spelled!(WithoutTls {
    "never" => WithoutTls::Never, "nowhere";
    "loopback" => WithoutTls::Loopback, "from this machine to itself";
});

impl Section for Listener {
    fn name(&self) -> Option<(&'static str, String)> {
        // Port 0 is another one each time.
        (self.address.port() != 0).then(|| ("address", self.address.to_string()))
    }

    fn check(&self, fields: &mut Fields<'_, '_>) {
        if let Some(tenant) = &self.tenant {
            fields.refer("tenant", tenant.as_str(), "tenant");
        }
        let on_loopback = self.address.ip().is_loopback();
        let in_clear = self.auth_without_tls == WithoutTls::Loopback;
        if in_clear && !on_loopback {
            let cause = format!("{} is not on loopback", self.address);
            let cure = "listen at 127.0.0.1 or [::1], or set it to \"never\"";
            fields.complain("auth_without_tls", cause, cure);
        }
        if self.auth == Auth::Required && self.tls == ListenerTls::None && !in_clear {
            let cause = "AUTH is required, and without TLS it is not offered";
            fields.complain("auth", cause, "set `listener.tls`, or take another `listener.auth`");
        }
        if self.auth == Auth::Required && fields.names("credential", "user").is_empty() {
            let cause = "AUTH is required, and there is nobody who could";
            fields.complain("auth", cause, "write a [[credential]] for each user");
        }
        match (self.tls, &self.cert, &self.key) {
            (ListenerTls::None, None, None) => {}
            (ListenerTls::None, ..) => {
                let key = if self.cert.is_some() { "cert" } else { "key" };
                let cause = "there is a certificate, and sessions are not encrypted";
                fields.warn(key, cause, "set `listener.tls` to \"starttls\" or \"implicit\"");
            }
            (_, Some(cert), Some(key)) => {
                if let Err(error) = tls::server_config(cert, key) {
                    let cure = "name PEM files that belong together and that we may read";
                    fields.complain("cert", error.to_string(), cure);
                }
            }
            (_, cert, _) => {
                let missing = if cert.is_none() { "cert" } else { "key" };
                let cause = format!("`listener.tls` is set, and `listener.{missing}` is missing");
                fields.complain("tls", cause, "name both files, or set `listener.tls` to \"none\"");
            }
        }
    }

    fn unwritten(_: &Reading) -> String {
        "[[listener]]\naddress = \"127.0.0.1:2525\"\n".to_owned()
    }
}
