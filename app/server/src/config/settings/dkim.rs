//! `[[dkim]]`: keys that sign what leaves.

use postlane_checks::Name;
use postlane_checks::dkim::{KeyKind, SignError, Signer};
use postlane_mail::{Domain, Instant, Label, Span};

use crate::config::declaration::{default, optional, required, settings};
use crate::config::section::{Fields, Section};
use crate::config::value::KeyFile;

settings! {
    /// Keys that sign what leaves (DKIM): one entry for each. Where several of one domain are in
    /// force, the one that came into force last signs, of RSA and of Ed25519 each.
    pub struct Dkim in "dkim" {
        /// The domain that signs, `d=`: mail is signed whose `From` is at this domain.
        domain: Domain = required();
        /// The selector, `s=`: the key is published at SELECTOR`._domainkey.`DOMAIN.
        selector: Domain = required();
        /// The private key, PEM: RSA in PKCS #8 or PKCS #1, or Ed25519 in PKCS #8. Nobody else
        /// may read the file. `postlane dkim new` makes one.
        key_file: KeyFile = required();
        /// Whose mail is signed. If left out, everybody's; for a tenant's mail, an entry with that
        /// tenant goes before one without.
        tenant: Option<Label> = optional();
        /// Whether mail from names below the domain is signed, too, unless they have an entry of
        /// their own.
        subdomains: bool = default(false);
        /// When the key comes into force. If left out, it always has been.
        from: Option<Instant> = optional();
        /// When the key goes out of force; publish it 30 days longer. If left out, never.
        until: Option<Instant> = optional();
        /// How long a signature counts, `x=`. If left out, as long as the message's stream may wait
        /// (`expire`), and two days: the next host may have a queue, too.
        expires: Option<Span> = optional().between(Some(Span::from_h(72)), Some(Span::from_h(1_440)))
            .from("RFC 6376 §3.5; the bounds are chosen, not measured");
    }
}

impl Section for Dkim {
    fn name(&self) -> Option<(&'static str, String)> {
        let tenant = self.tenant.as_ref().map(|tenant| format!(" of {tenant}"));
        let (domain, selector) = (&self.domain, &self.selector);
        Some(("selector", format!("{selector}._domainkey.{domain}{}", tenant.unwrap_or_default())))
    }

    fn check(&self, fields: &mut Fields<'_, '_>) {
        if let Some(tenant) = &self.tenant {
            fields.refer("tenant", tenant.as_str(), "tenant");
        }
        if let (Some(from), Some(until)) = (self.from, self.until)
            && until <= from
        {
            let cause = "it goes out of force before it has come into force";
            fields.complain("until", cause, "write a later day, or none");
        }
        match self.signer() {
            Ok(signer) if signer.kind() == KeyKind::Rsa && signer.bits() > 4096 => {
                let cause = format!("the key has {} bits", signer.bits());
                let cure = "take 2048: above 4096 not every receiver checks (RFC 8301 §3.2)";
                fields.warn("key_file", cause, cure);
            }
            Ok(_) => {}
            Err(error) => {
                let cause = format!("{} cannot be used", self.key_file.path().display());
                fields.complain("key_file", cause, error.to_string());
            }
        }
    }
}

impl Dkim {
    /// Who signs by it.
    pub fn signer(&self) -> Result<Signer, SignError> {
        // A domain is a name: the wider type takes all that it is.
        let name = |domain: &Domain| Name::parse(domain.as_str()).map_err(|_| SignError::Key);
        Signer::new(name(&self.domain)?, name(&self.selector)?, self.key_file.pem())
    }
}
