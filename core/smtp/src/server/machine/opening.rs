//! Greeting, HELO, EHLO and STARTTLS.

use super::{Helo, Server, Step, Waiting};
use crate::server::session::StartTls;

impl Server {
    pub(super) fn greet(&mut self) {
        let settings = self.settings.clone();
        self.say_fmt(format_args!("220 {} ESMTP Postlane", settings.hostname));
    }

    pub(super) fn helo(&mut self, name: Box<str>) {
        self.end_transaction();
        self.helo = Some(Helo { name: name.into(), extended: false });
        let settings = self.settings.clone();
        self.say_fmt(format_args!("250 {}", settings.hostname));
    }

    pub(super) fn ehlo(&mut self, name: Box<str>) {
        self.end_transaction();
        self.helo = Some(Helo { name: name.into(), extended: true });
        let settings = self.settings.clone();
        self.say_fmt(format_args!("250-{}", settings.hostname));
        self.say("250-PIPELINING");
        self.say_fmt(format_args!("250-SIZE {}", settings.limits.message_octets));
        self.say("250-8BITMIME");
        self.say("250-SMTPUTF8");
        self.say("250-DSN");
        if self.offers_starttls() {
            self.say("250-STARTTLS");
        }
        if let Some(auth) = settings.auth.as_ref().filter(|_| self.may_authenticate()) {
            let scram = if auth.scram.is_some() { "SCRAM-SHA-256 " } else { "" };
            self.say_fmt(format_args!("250-AUTH {scram}PLAIN LOGIN"));
        }
        self.say("250-CHUNKING");
        self.say("250 ENHANCEDSTATUSCODES");
    }

    pub(super) fn start_tls(&mut self) {
        if self.tls.is_some() {
            return self.wrong("503 5.5.1 TLS is in use already");
        }
        if !self.offers_starttls() {
            return self.wrong("502 5.5.1 STARTTLS is not offered here");
        }
        self.say("220 2.0.0 Ready to start TLS");
        self.wait_for(Waiting::Handshake, Step::StartTls);
    }

    fn offers_starttls(&self) -> bool {
        self.settings.starttls != StartTls::Absent && self.tls.is_none()
    }
}
