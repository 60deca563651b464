//! MAIL, RCPT, DATA and BDAT: one message.

use postlane_mail::{BodyType, Envelope, Instant, Label, Mailbox, Recipient, ReversePath, Stream};

use super::{Helo, Server, State, Step, Waiting};
use crate::command::{MailParameters, RcptParameters};
use crate::data::{Collected, Collector, DataError};
use crate::server::session::{Pressure, Settings, StartTls};
use crate::server::submission::{Refusal, Submission};
use crate::server::transcript::Speaker;

/// A message on its way in.
pub(super) struct Transaction {
    reverse_path: ReversePath,
    parameters: MailParameters,
    recipients: Vec<Recipient>,
    /// Recipients that nobody may reach by us.
    unreachable: usize,
    chunks: Option<Box<Collector>>,
}

/// A chunk of a message on its way in.
pub(super) struct Chunk {
    left: u64,
    last: bool,
    /// Why its octets are let go, if they are.
    refused: Option<&'static str>,
}

/// Octets that room is made for where the client does not say how large its message is.
/// Chosen, not measured.
const EXPECTED_OCTETS: u64 = 4096;

const NO_MAIL: &str = "503 5.5.1 Say MAIL first";
const NO_RECIPIENTS: &str = "554 5.5.1 No valid recipients";
const TOO_LARGE: &str = "552 5.3.4 The message is too large";
const NEEDS_EHLO: &str = "555 5.5.4 Say EHLO to use parameters";
const NEEDS_UTF8: &str = "553 5.6.7 This address needs SMTPUTF8 in MAIL";

impl Transaction {
    pub(super) fn octets(&self) -> usize {
        self.chunks.as_ref().map_or(0, |chunks| chunks.octets())
    }
}

/// Why MAIL or RCPT is not taken.
enum Unwanted {
    /// The client has done something wrong.
    Wrong(&'static str),
    /// It has not, and is put off.
    Later(&'static str),
    /// It has no right to it.
    Refused(Refusal),
    /// It has, and this recipient is reached by nobody.
    Unreachable(Refusal),
}

impl Server {
    pub(super) fn mail(&mut self, now: Instant, from: ReversePath, parameters: MailParameters) {
        if self.pressure == Pressure::Closing && self.transaction.is_none() {
            return self.hang_up("421 4.3.2 Closing for maintenance, try again");
        }
        if self.messages >= self.settings.limits.messages {
            return self.hang_up("421 4.7.0 Enough messages for one session, connect again");
        }
        if let Err(unwanted) = self.want_mail(&from, &parameters) {
            return self.decline(unwanted);
        }
        self.transaction_until = Some(now + self.settings.limits.transaction);
        self.transaction = Some(Transaction {
            reverse_path: from,
            parameters,
            recipients: Vec::new(),
            unreachable: 0,
            chunks: None,
        });
        self.say("250 2.1.0 Ok");
    }

    fn want_mail(&self, from: &ReversePath, parameters: &MailParameters) -> Result<(), Unwanted> {
        let wrong = |line| Err(Unwanted::Wrong(line));
        let later = |line| Err(Unwanted::Later(line));
        let Some(helo) = &self.helo else { return wrong("503 5.5.1 Say EHLO first") };
        if self.transaction.is_some() {
            return wrong("503 5.5.1 One message at a time");
        }
        if self.settings.starttls == StartTls::Required && self.tls.is_none() {
            return wrong("530 5.7.0 Say STARTTLS first");
        }
        let must_authenticate = self.settings.auth.as_ref().is_some_and(|auth| auth.required);
        if must_authenticate && self.standing.identity().is_none() {
            return wrong("530 5.7.0 Authentication required");
        }
        if !helo.extended && *parameters != MailParameters::default() {
            return wrong(NEEDS_EHLO);
        }
        let octets_max = self.settings.limits.message_octets as u64;
        if parameters.size.is_some_and(|octets| octets > octets_max) {
            return wrong(TOO_LARGE);
        }
        if from.mailbox().is_some_and(Mailbox::needs_smtputf8) && !parameters.smtputf8 {
            return wrong(NEEDS_UTF8);
        }
        match self.pressure {
            Pressure::None | Pressure::Closing => {}
            Pressure::Busy => return later("451 4.3.2 Too busy now, try again later"),
            Pressure::DiskFull => return later("452 4.3.1 No room on disk now, try again later"),
            Pressure::NoMemory => return later("452 4.3.1 No room now, try again later"),
        }
        self.settings.rights.sender(&self.standing, from).map_err(Unwanted::Refused)
    }

    pub(super) fn rcpt(&mut self, parameters: RcptParameters) {
        match self.add_recipient(parameters) {
            Ok(()) => self.say("250 2.1.5 Ok"),
            Err(unwanted) => self.decline(unwanted),
        }
    }

    fn add_recipient(&mut self, parameters: RcptParameters) -> Result<(), Unwanted> {
        let wrong = |line| Err(Unwanted::Wrong(line));
        let settings = &self.settings;
        let extended = self.helo.as_ref().is_some_and(|helo| helo.extended);
        let Some(transaction) = &mut self.transaction else { return wrong(NO_MAIL) };
        if transaction.chunks.is_some() {
            return wrong("503 5.5.1 The message has begun");
        }
        if !extended && !parameters.is_plain() {
            return wrong(NEEDS_EHLO);
        }
        let heard = transaction.recipients.len() + transaction.unreachable;
        if heard >= settings.limits.recipients {
            return Err(Unwanted::Later(
                "452 4.5.3 Too many recipients, send the rest with another message",
            ));
        }
        let RcptParameters { mailbox, notify, orcpt } = parameters;
        let recipient = match mailbox {
            Some(mailbox) => Recipient { mailbox, notify, orcpt },
            None => {
                let mailbox = Mailbox::parse(&format!("postmaster@{}", settings.hostname))
                    .expect("our host name is a domain, and may stand behind an @");
                transaction.recipients.push(Recipient { mailbox, notify, orcpt });
                return Ok(());
            }
        };
        if recipient.mailbox.needs_smtputf8() && !transaction.parameters.smtputf8 {
            return wrong(NEEDS_UTF8);
        }
        let from = &transaction.reverse_path;
        match settings.rights.recipient(&self.standing, from, &recipient) {
            Ok(()) => {
                transaction.recipients.push(recipient);
                Ok(())
            }
            // Who may reach anybody is not guessing: the others of its recipients get theirs,
            // however many there are of these.
            Err(refusal) if self.standing.may_relay() => {
                transaction.unreachable += 1;
                Err(Unwanted::Unreachable(refusal))
            }
            Err(refusal) => Err(Unwanted::Refused(refusal)),
        }
    }

    fn decline(&mut self, unwanted: Unwanted) {
        match unwanted {
            Unwanted::Wrong(line) => self.wrong(line),
            Unwanted::Later(line) if self.bear_idle_command() => self.say(line),
            Unwanted::Later(_) => {}
            Unwanted::Refused(refusal) => self.wrong_fmt(format_args!("{refusal}")),
            Unwanted::Unreachable(refusal) => self.say_fmt(format_args!("{refusal}")),
        }
    }

    pub(super) fn data(&mut self) {
        let Some(transaction) = &self.transaction else { return self.wrong(NO_MAIL) };
        if transaction.chunks.is_some() {
            return self.wrong("503 5.5.1 A message that has begun with BDAT ends with BDAT");
        }
        if transaction.recipients.is_empty() {
            return self.wrong(NO_RECIPIENTS);
        }
        let expected = transaction.parameters.size.unwrap_or(EXPECTED_OCTETS);
        self.state = State::Data(collector(&self.settings, expected));
        self.say("354 End data with <CR><LF>.<CR><LF>");
    }

    pub(super) fn data_octets(&mut self, now: Instant, bytes: &[u8]) -> usize {
        let State::Data(collector) = &mut self.state else { return 0 };
        let (taken, ended) = collector.dotted(bytes);
        self.idle_until = now + self.settings.limits.idle;
        if ended && let State::Data(collector) = std::mem::replace(&mut self.state, State::Command)
        {
            self.hand_over(collector.finish());
        }
        taken
    }

    pub(super) fn bdat(&mut self, now: Instant, octets: u64, last: bool) {
        let until = now + self.settings.limits.transaction;
        self.transaction_until.get_or_insert(until);
        let refused = self.refusal_of_chunk(octets);
        self.state = State::Chunk(Chunk { left: octets, last, refused });
        if octets == 0 {
            self.chunk_ended();
        }
    }

    fn refusal_of_chunk(&mut self, octets: u64) -> Option<&'static str> {
        let Some(transaction) = &mut self.transaction else { return Some(NO_MAIL) };
        if transaction.recipients.is_empty() {
            return Some(NO_RECIPIENTS);
        }
        let expected = transaction.parameters.size.unwrap_or(0).max(octets);
        let settings = &self.settings;
        let chunks = transaction.chunks.get_or_insert_with(|| collector(settings, expected));
        chunks.overflows(octets).then_some(TOO_LARGE)
    }

    /// Takes octets of a chunk; how many there were.
    pub(super) fn chunk_octets(&mut self, now: Instant, bytes: &[u8]) -> usize {
        let State::Chunk(chunk) = &mut self.state else { return 0 };
        let taken = usize::try_from(chunk.left).unwrap_or(usize::MAX).min(bytes.len());
        chunk.left -= taken as u64;
        let (ended, refused) = (chunk.left == 0, chunk.refused.is_some());
        let chunks = self.transaction.as_mut().and_then(|t| t.chunks.as_mut());
        if let Some(chunks) = chunks.filter(|_| !refused) {
            chunks.chunk(&bytes[..taken]);
        }
        self.idle_until = now + self.settings.limits.idle;
        if ended {
            self.chunk_ended();
        }
        taken
    }

    fn chunk_ended(&mut self) {
        let state = std::mem::replace(&mut self.state, State::Command);
        let State::Chunk(chunk) = state else { return };
        if let Some(refused) = chunk.refused {
            self.end_chunks();
            return self.wrong(refused);
        }
        let Some(transaction) = &mut self.transaction else { return };
        let error = transaction.chunks.as_ref().and_then(|chunks| chunks.error());
        if !chunk.last && error.is_none() {
            return self.say("250 2.0.0 Ok, go on");
        }
        if let Some(chunks) = transaction.chunks.take() {
            self.hand_over(chunks.finish());
        }
    }

    /// A chunk was refused: there is nothing that the next could be added to (RFC 3030 §2).
    fn end_chunks(&mut self) {
        if self.transaction.as_ref().is_none_or(|t| t.chunks.is_some()) {
            self.end_transaction();
        }
    }

    /// There is no memory for the message on its way.
    pub(super) fn shed(&mut self) {
        if let State::Data(collector) = &mut self.state {
            collector.shed();
        }
        if let Some(chunks) = self.transaction.as_mut().and_then(|t| t.chunks.as_mut()) {
            chunks.shed();
        }
    }

    fn hand_over(&mut self, collected: Collected) {
        let Some(transaction) = self.transaction.take() else { return };
        self.transaction_until = None;
        let octets = format!("[{} octets of the message]", collected.message.len());
        self.note(Speaker::Client, octets.as_bytes());
        match collected.error {
            None => {}
            Some(DataError::NoRoom) => {
                return self.say_fmt(format_args!("452 4.3.1 {}", DataError::NoRoom));
            }
            Some(DataError::TooLarge) => return self.wrong(TOO_LARGE),
            Some(error) => return self.wrong_fmt(format_args!("554 5.6.0 {error}")),
        }
        let Some(helo) = &self.helo else { return };
        let submission = Submission {
            protocol: self.protocol(helo, transaction.parameters.smtputf8),
            helo: helo.name.clone(),
            envelope: self.envelope(transaction, collected.eight_bit),
            message: collected.message,
            ip: self.peer.ip,
            tls: self.tls.clone(),
            standing: self.standing.clone(),
            transcript: self.recorder.as_ref().map(|recorder| recorder.transcript()),
        };
        self.messages += 1;
        self.wait_for(Waiting::Answered, Step::Message(Box::new(submission)));
    }

    fn envelope(&self, transaction: Transaction, eight_bit: bool) -> Envelope {
        let Transaction { reverse_path, parameters, recipients, .. } = transaction;
        let tenant = self.standing.identity().map(|identity| &identity.tenant);
        let tenant = tenant.filter(|tenant| !tenant.is_none()).unwrap_or(&self.settings.tenant);
        Envelope {
            reverse_path,
            recipients,
            body: if eight_bit { BodyType::EightBit } else { BodyType::SevenBit },
            smtputf8: parameters.smtputf8,
            ret: parameters.ret,
            envid: parameters.envid,
            stream: Stream::default(),
            tenant: tenant.clone(),
            campaign: Label::NONE,
            engaged: None,
        }
    }

    /// RFC 3848, and RFC 6531 §4.3 for UTF8SMTP.
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

    pub(super) fn end_transaction(&mut self) {
        self.transaction = None;
        self.transaction_until = None;
    }
}

fn collector(settings: &Settings, expected: u64) -> Box<Collector> {
    let limits = &settings.limits;
    let expected = usize::try_from(expected).unwrap_or(usize::MAX);
    let bare = settings.bare_newlines;
    Box::new(Collector::new(limits.message_octets, limits.data_line_octets, expected, bare))
}
