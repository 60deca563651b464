//! From a message to what it says: which form it has, and what is in it.

use super::address::addresses;
use super::bounced::{BounceKind, Bounced};
use super::evidence::{Answers, Reverse, Signs, is_delay};
use super::feedback::{read_feedback, read_hotmail, read_opt_out};
use super::free_form::{Words, parted};
use super::notification::read_notification;
use super::original::ReturnedMail;
use super::parts::{MESSAGE_OCTETS_MAX, Parts};
use super::section::{Mentions, quoted_in};
use super::status_part::{RECIPIENTS_MAX, read_status, status_in_text};
use super::transfer::with_crlf;
use crate::dsn::Action;
use crate::header::{Fields, unfolded};

/// Header fields that are looked at. Chosen, not measured.
const FIELDS_MAX: usize = 500;

/// Octets of a header field's value that are looked at.
const VALUE_OCTETS_MAX: usize = 8_192;

/// Octets of a text whose words are looked for. Chosen, not measured.
const WORDS_OCTETS_MAX: usize = 64 * 1024;

/// How deep a bounce may lie in forwarded messages. Chosen, not measured.
const FORWARDED_MAX: usize = 3;

/// Reads what a message says about the mail that it returns: one entry for each recipient, at
/// most 1000; none if it is no bounce, complaint or automatic answer. The first MiB is read.
/// Lines may end as they like.
pub fn read_bounces(message: &[u8]) -> Vec<Bounced> {
    let message = message.get(..message.len().min(MESSAGE_OCTETS_MAX)).unwrap_or_default();
    read_at(&with_crlf(message), 0)
}

fn read_at(message: &[u8], depth: usize) -> Vec<Bounced> {
    let message = without_envelope(message);
    let header = Header::of(message);
    let parts = Parts::of(message);
    let (words, rest) = parted(&parts.text);
    let mail = match &parts.original {
        Some(original) => ReturnedMail::of(&String::from_utf8_lossy(original)),
        None => ReturnedMail::of(rest),
    };
    let letter = Letter { header: &header, parts: &parts, words, mail: &mail };
    let mut all = letter.read();
    if all.is_empty() && depth < FORWARDED_MAX {
        let within = parts.original.as_deref().filter(|inner| inner.len() < message.len());
        return within.map_or_else(Vec::new, |inner| read_at(inner, depth + 1));
    }
    for bounced in &mut all {
        bounced.original_traces.clone_from(&mail.traces);
        if bounced.original_message_id.is_none() && bounced.kind != BounceKind::Vacation {
            bounced.original_message_id.clone_from(&mail.message_id);
        }
    }
    all.truncate(RECIPIENTS_MAX);
    all
}

/// A message in all its parts.
struct Letter<'a> {
    header: &'a Header,
    parts: &'a Parts,
    /// The words for people, without what came back.
    words: &'a str,
    mail: &'a ReturnedMail,
}

impl Letter<'_> {
    fn read(&self) -> Vec<Bounced> {
        let status: Vec<Bounced> =
            self.parts.statuses.iter().flat_map(|part| read_status(part)).collect();
        if !status.is_empty() {
            return self.completed(status);
        }
        if let Some(part) = &self.parts.feedback {
            return read_feedback(part, self.mail);
        }
        let status = status_in_text(&self.parts.text).map(|part| read_status(&part));
        if let Some(status) = status.filter(|status| !status.is_empty()) {
            return self.completed(status);
        }
        let notified = read_notification(&self.parts.text);
        if !notified.is_empty() {
            return notified;
        }
        if let Some(opt_out) = read_opt_out(self.words, &self.header.from) {
            return vec![opt_out];
        }
        if let Some(complaint) = read_hotmail(&self.header.subject, self.parts.original.as_deref())
        {
            return vec![complaint];
        }
        self.read_words()
    }

    fn read_words(&self) -> Vec<Bounced> {
        let lower = lower(self.words);
        let from = decoded(&self.header.from).to_lowercase();
        let signs = self.header.signs(&from, &lower);
        let failed = self.header.failed.clone();
        let kind = if failed.is_empty() { signs.kind() } else { Some(BounceKind::FreeForm) };
        match kind {
            None => Vec::new(),
            Some(BounceKind::FreeForm) => {
                let action = if signs.is_delay() { Action::Delayed } else { Action::Failed };
                let own = self.header.own();
                let text = self.words;
                let mut all = Words { text, failed, own, mail: self.mail, action }.read();
                all.iter_mut().for_each(|bounced| {
                    bounced.reporting_mta = self.header.daemon_host();
                });
                all
            }
            Some(kind) => {
                let recipient = addresses(&self.header.from).next();
                let recipient = recipient.map(|found| found.address.to_owned());
                vec![Bounced { recipient, ..Bounced::new(kind) }]
            }
        }
    }

    /// What a report for programs leaves out, from the words beside it.
    fn completed(&self, mut status: Vec<Bounced>) -> Vec<Bounced> {
        let lines: Vec<&str> = self.words.lines().take(10_000).collect();
        let late = is_delay(&self.header.subject, &lower(self.words));
        let alone = status.len() == 1;
        let mentions = Mentions::of(&lines);
        for bounced in &mut status {
            if bounced.recipient.is_none() && alone {
                bounced.recipient = self.header.failed.first().or(self.mail.to.as_ref()).cloned();
            }
            let transient = bounced.status.is_some_and(|status| status.class == 4);
            if bounced.action.is_none()
                || (bounced.action == Some(Action::Failed) && transient && late)
            {
                bounced.action = Some(if late { Action::Delayed } else { Action::Failed });
            }
            if bounced.code.is_some() || bounced.action == Some(Action::Delivered) {
                continue;
            }
            let address = bounced.recipient.as_deref().filter(|address| !address.is_empty());
            let said = address.and_then(|address| mentions.quoted(address, &lines));
            let said = said.or_else(|| alone.then(|| quoted_in(&lines)).flatten());
            let Some(said) = said else { continue };
            bounced.code = said.reply.map(|reply| reply.code);
            bounced.status = super::reply::preferred(bounced.status, said.status);
            bounced.diagnostic.get_or_insert(said.text);
        }
        status
    }
}

/// What the header says; words in lower case, addresses as they were written.
#[derive(Debug, Default)]
struct Header {
    from: String,
    to: String,
    subject: String,
    auto_submitted: String,
    failed: Vec<String>,
    answers: bool,
    null_path: bool,
}

impl Header {
    fn of(message: &[u8]) -> Self {
        let mut header = Self::default();
        for field in Fields::new(message).take(FIELDS_MAX) {
            let value = || {
                let value = field.value.get(..field.value.len().min(VALUE_OCTETS_MAX));
                String::from_utf8_lossy(&unfolded(value.unwrap_or_default())).trim().to_owned()
            };
            if field.is("From") {
                header.from = value();
            } else if field.is("To") {
                header.to = value();
            } else if field.is("Subject") {
                header.subject = decoded(&value()).to_lowercase();
            } else if field.is("Auto-Submitted") {
                header.auto_submitted = value().to_ascii_lowercase();
            } else if field.is("Return-Path") {
                header.null_path = matches!(value().as_str(), "<>" | "");
            } else if field.is("X-Failed-Recipients") {
                let value = decoded(&value());
                let one = |text: &str| addresses(text).next().map(|found| found.address.to_owned());
                header.failed.extend(value.split(',').take(RECIPIENTS_MAX).filter_map(one));
            } else if ANSWER_FIELDS.iter().any(|name| field.is(name)) {
                header.answers = true;
            } else if field.is("Precedence") || field.is("Preference") {
                header.answers |= value().to_ascii_lowercase().starts_with("auto");
            }
        }
        header
    }

    fn signs<'a>(&'a self, from: &'a str, text: &'a str) -> Signs<'a> {
        Signs {
            from,
            subject: &self.subject,
            text,
            auto_submitted: &self.auto_submitted,
            answers: if self.answers { Answers::Yes } else { Answers::Unsaid },
            reverse_path: if self.null_path { Reverse::Null } else { Reverse::Other },
        }
    }

    /// Addresses that the bounce itself travels with.
    fn own(&self) -> Vec<String> {
        [&self.to, &self.from]
            .into_iter()
            .flat_map(|value| addresses(value))
            .map(|found| found.address.to_owned())
            .collect()
    }

    /// The host of `MAILER-DAEMON@host`.
    fn daemon_host(&self) -> Option<String> {
        let found = addresses(&self.from).next()?;
        let (local, host) = found.address.rsplit_once('@')?;
        let local = local.to_ascii_lowercase();
        (local.contains("daemon") || local == "postmaster").then(|| host.to_owned())
    }
}

/// Fields that only automatic answers have.
const ANSWER_FIELDS: &[&str] = &[
    "X-Autoreply",
    "X-Autorespond",
    "X-Autoresponder",
    "X-Auto-Reply-From",
    "X-Autogenerated",
    "X-Vacation",
    "X-Mail-Autoreply",
    "X-Apple-Action",
];

/// The message without an mbox line or a blank one in front of it.
fn without_envelope(message: &[u8]) -> &[u8] {
    let mut rest = message.trim_ascii_start();
    if rest.starts_with(b"From ") || rest.starts_with(b">From ") {
        let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
        rest = rest.get(end..).unwrap_or_default();
    }
    rest
}

/// The words that can be looked for, in lower case.
fn lower(text: &str) -> String {
    let text = text.get(..text.floor_char_boundary(WORDS_OCTETS_MAX)).unwrap_or_default();
    text.split_ascii_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// A value with its encoded words (RFC 2047) read.
fn decoded(value: &str) -> String {
    if !value.contains("=?") {
        return value.to_owned();
    }
    let header = format!("Subject: {value}\r\n\r\n");
    let message = mail_parser::MessageParser::default().parse_headers(header.as_bytes());
    message.and_then(|m| m.subject().map(str::to_owned)).unwrap_or_else(|| value.to_owned())
}
