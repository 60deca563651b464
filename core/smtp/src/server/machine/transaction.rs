//! MAIL, RCPT, DATA and BDAT: one message.

use postlane_mail::{Envelope, Instant, Label, Mailbox, Recipient, ReversePath, Stream};

use super::{Helo, Server, State, Step};
use crate::command::{MailParameters, RecipientParameters};
use crate::data::{Collected, Collector, DataError};
use crate::server::rights;
use crate::server::session::Pressure;
use crate::server::submission::Submission;

/// A message on its way in.
#[derive(Debug)]
pub(super) struct Transaction {
    reverse_path: ReversePath,
    parameters: MailParameters,
    recipients: Vec<Recipient>,
    postmaster: bool,
    chunks: Option<Collector>,
}

impl Transaction {
    pub(super) fn octets(&self) -> usize {
        self.chunks.as_ref().map_or(0, Collector::octets)
    }

    fn recipients(&self) -> usize {
        self.recipients.len() + usize::from(self.postmaster)
    }
}

impl Server {
    pub(super) fn mail(&mut self, now: Instant, path: ReversePath, parameters: MailParameters) {
        let Some(helo) = &self.helo else {
            return self.wrong("503 5.5.1 Say EHLO first");
        };
        let limits = &self.settings.limits;
        let refusal = match self.pressure {
            _ if self.transaction.is_some() => Some("503 5.5.1 One message at a time"),
            Pressure::Closing => {
                return self.hang_up("421 4.3.2 Closing for maintenance, try again");
            }
            Pressure::DiskFull => Some("452 4.3.1 No room on disk now, try again later"),
            Pressure::Busy => Some("451 4.3.2 Too busy now, try again later"),
            Pressure::None if self.settings.auth_required && self.standing.identity().is_none() => {
                Some("530 5.7.0 Authentication required")
            }
            Pressure::None if parameters.size.is_some_and(|s| s > limits.message_octets as u64) => {
                Some("552 5.3.4 The message is too large")
            }
            Pressure::None if needs_utf8(&path) && !parameters.smtputf8 => {
                Some("553 5.6.7 This address needs SMTPUTF8 in MAIL")
            }
            Pressure::None if !helo.extended && parameters != MailParameters::default() => {
                Some("555 5.5.4 Say EHLO to use parameters")
            }
            Pressure::None if self.messages >= limits.messages => {
                return self.hang_up("421 4.7.0 Too many messages in one session, connect again");
            }
            Pressure::None => None,
        };
        if let Some(refusal) = refusal {
            // A client that is put off has done nothing wrong.
            return if refusal.starts_with('4') { self.say(refusal) } else { self.wrong(refusal) };
        }
        self.transaction_until = Some(now + limits.transaction);
        self.transaction = Some(Transaction {
            reverse_path: path,
            parameters,
            recipients: Vec::new(),
            postmaster: false,
            chunks: None,
        });
        self.say("250 2.1.0 Ok");
    }

    pub(super) fn rcpt(&mut self, rcpt: RecipientParameters) {
        let limit = self.settings.limits.recipients;
        let Some(transaction) = &mut self.transaction else {
            return self.wrong("503 5.5.1 Say MAIL first");
        };
        if transaction.chunks.is_some() {
            return self.wrong("503 5.5.1 The message has begun");
        }
        if transaction.recipients() >= limit {
            return self.say("452 4.5.3 Too many recipients, send the rest with another message");
        }
        let utf8 = transaction.parameters.smtputf8;
        if rcpt.recipient.as_ref().is_some_and(|r| r.mailbox.needs_smtputf8()) && !utf8 {
            return self.wrong("553 5.6.7 This address needs SMTPUTF8 in MAIL");
        }
        let allowed = rights::check(&self.standing, &self.settings.own, rcpt.recipient.as_ref());
        if let Err(refused) = allowed {
            return self.wrong(&format!("{} {} {}", refused.code, refused.status, refused.text));
        }
        match rcpt.recipient {
            Some(recipient) => transaction.recipients.push(recipient),
            None => transaction.postmaster = true,
        }
        self.say("250 2.1.5 Ok");
    }

    pub(super) fn data(&mut self) {
        let limits = &self.settings.limits;
        let Some(transaction) = &self.transaction else {
            return self.wrong("503 5.5.1 Say MAIL first");
        };
        if transaction.chunks.is_some() {
            return self.wrong("503 5.5.1 A message that has begun with BDAT ends with BDAT");
        }
        if transaction.recipients() == 0 {
            return self.wrong("554 5.5.1 No valid recipients");
        }
        let expected = transaction.parameters.size.unwrap_or(4096);
        let collector = Collector::new(
            limits.message_octets,
            limits.data_line_octets,
            usize::try_from(expected).unwrap_or(usize::MAX).saturating_add(64),
            self.settings.bare_newlines,
        );
        self.state = State::Data(collector);
        self.say("354 End data with <CR><LF>.<CR><LF>");
    }

    pub(super) fn bdat(&mut self, octets: u64, last: bool) {
        let refused = match &self.transaction {
            None => Some("503 5.5.1 Say MAIL first"),
            Some(transaction) if transaction.recipients() == 0 => {
                Some("554 5.5.1 No valid recipients")
            }
            Some(_) => None,
        };
        if let (None, Some(transaction)) = (refused, &mut self.transaction) {
            let limits = &self.settings.limits;
            let expected = usize::try_from(octets).unwrap_or(usize::MAX);
            transaction.chunks.get_or_insert_with(|| {
                let bare = self.settings.bare_newlines;
                Collector::new(limits.message_octets, limits.data_line_octets, expected, bare)
            });
        }
        self.state = State::Chunk { left: octets, last, refused };
        if octets == 0 {
            self.chunk_ended();
        }
    }

    /// Takes octets of a chunk; how many there were.
    pub(super) fn chunk_octets(&mut self, bytes: &[u8]) -> usize {
        let State::Chunk { left, refused, .. } = &mut self.state else { return 0 };
        let taken = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
        *left -= taken as u64;
        let (ended, refused) = (*left == 0, refused.is_some());
        let chunks = self.transaction.as_mut().and_then(|t| t.chunks.as_mut());
        if let Some(chunks) = chunks.filter(|_| !refused) {
            chunks.chunk(&bytes[..taken]);
        }
        if ended {
            self.chunk_ended();
        }
        taken
    }

    fn chunk_ended(&mut self) {
        let State::Chunk { last, refused, .. } = std::mem::replace(&mut self.state, State::Command)
        else {
            return;
        };
        if let Some(refused) = refused {
            return self.wrong(refused);
        }
        if !last {
            return self.say("250 2.0.0 Ok, go on");
        }
        let chunks = self.transaction.as_mut().and_then(|t| t.chunks.take());
        if let Some(chunks) = chunks {
            self.hand_over(chunks.finish());
        }
    }

    pub(super) fn data_ended(&mut self) {
        if let State::Data(collector) = std::mem::replace(&mut self.state, State::Command) {
            self.hand_over(collector.finish());
        }
    }

    fn hand_over(&mut self, collected: Collected) {
        let Some(transaction) = self.transaction.take() else { return };
        self.transaction_until = None;
        if let Some(error) = collected.error {
            let code = match error {
                DataError::TooLarge => "552 5.3.4",
                _ => "554 5.6.0",
            };
            return self.wrong(&format!("{code} {error}"));
        }
        let Some(helo) = &self.helo else { return };
        let submission = Submission {
            protocol: self.protocol(helo, transaction.parameters.smtputf8),
            helo: helo.name.clone(),
            envelope: envelope(&transaction, &self.standing),
            message: collected.message,
            postmaster: transaction.postmaster,
            ip: self.peer.ip,
            tls: self.tls.clone(),
            identity: self.standing.identity().cloned(),
            may_relay: self.standing.may_relay(),
        };
        self.wait_for(Step::Message(Box::new(submission)));
    }

    /// RFC 3848, and RFC 6531 §3.7.3 for UTF8SMTP.
    fn protocol(&self, helo: &Helo, utf8: bool) -> &'static str {
        let known = self.standing.identity().is_some();
        match (helo.extended, utf8, self.tls.is_some(), known) {
            (false, ..) => "SMTP",
            (true, false, false, false) => "ESMTP",
            (true, false, true, false) => "ESMTPS",
            (true, false, false, true) => "ESMTPA",
            (true, false, true, true) => "ESMTPSA",
            (true, true, false, false) => "UTF8SMTP",
            (true, true, true, false) => "UTF8SMTPS",
            (true, true, false, true) => "UTF8SMTPA",
            (true, true, true, true) => "UTF8SMTPSA",
        }
    }
}

fn needs_utf8(path: &ReversePath) -> bool {
    path.mailbox().is_some_and(Mailbox::needs_smtputf8)
}

fn envelope(transaction: &Transaction, standing: &rights::Standing) -> Envelope {
    let parameters = &transaction.parameters;
    Envelope {
        reverse_path: transaction.reverse_path.clone(),
        recipients: transaction.recipients.clone(),
        body: parameters.body,
        smtputf8: parameters.smtputf8,
        ret: parameters.ret,
        envid: parameters.envid.clone(),
        stream: Stream::default(),
        tenant: standing.identity().map_or(Label::NONE, |identity| identity.tenant.clone()),
        campaign: Label::NONE,
    }
}
