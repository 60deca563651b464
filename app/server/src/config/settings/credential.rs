//! `[[credential]]`: who may authenticate.

use aws_lc_rs::rand;
use postlane_mail::Label;
use postlane_smtp::auth::ScramVerifier;

use crate::config::declaration::{optional, required, settings};
use crate::config::section::{Fields, Section};
use crate::config::value::{SecretFile, parse_verifier};

settings! {
    /// Who may authenticate: one entry for each user.
    pub struct Credential in "credential" {
        /// The user's name.
        user: Box<str> = required();
        /// What SCRAM keeps of the password, so that the password itself is nowhere.
        password_scram: Option<ScramVerifier> = optional();
        /// A file with the password, or with what SCRAM keeps of it, in its first line.
        password_file: Option<SecretFile> = optional();
        /// Whose mail the user sends. Beats what a listener and a message say.
        tenant: Option<Label> = optional();
    }
}

impl Section for Credential {
    fn name(&self) -> Option<(&'static str, String)> {
        Some(("user", self.user.to_string()))
    }

    fn check(&self, fields: &mut Fields<'_, '_>) {
        if let Some(tenant) = &self.tenant {
            fields.refer("tenant", tenant.as_str(), "tenant");
        }
        if fields.has("password_scram") == fields.has("password_file") {
            let cause = format!("the user \"{}\" has two passwords or none", self.user);
            let cure = "write either `password_scram` or `password_file`";
            fields.complain("user", cause, cure);
        }
        let tls = fields.names("listener", "tls");
        let in_clear = fields.names("listener", "auth_without_tls");
        if tls.iter().all(|tls| tls == "none") && !in_clear.contains(&"loopback".to_owned()) {
            let cause = "no listener offers AUTH: none is encrypted";
            let cure = "set `listener.tls`, or on loopback `listener.auth_without_tls`";
            fields.warn("user", cause, cure);
        }
        let written = self.password_file.as_ref().map(SecretFile::secret);
        if let Some(text) = written.filter(|text| text.starts_with("SCRAM-"))
            && let Err(error) = parse_verifier(text)
        {
            let cause = format!("the file's first line cannot be used: {error}");
            let cure = "let `postlane config password` make one of a password";
            fields.complain("password_file", cause, cure);
        }
    }
}

impl Credential {
    /// What a client's password is checked against. Of a password in a file it is made here,
    /// which takes a millisecond or two.
    pub fn verifier(&self) -> Option<ScramVerifier> {
        if let Some(verifier) = &self.password_scram {
            return Some(verifier.clone());
        }
        let secret = self.password_file.as_ref()?.secret();
        parse_verifier(secret).ok().or_else(|| Some(verifier_of(secret)))
    }
}

/// What SCRAM keeps of a password, with a salt of chance. Takes a millisecond or two.
pub fn verifier_of(password: &str) -> ScramVerifier {
    let mut salt = [0; 16];
    rand::fill(&mut salt).expect("the system's generator of chance does not fail once it runs");
    ScramVerifier::derive(password, &salt, ScramVerifier::ITERATIONS)
}
