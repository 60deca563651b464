//! A report for programs (RFC 3464 §2), in a part of its own or in the middle of a text.
//!
//! Reports come from programs of all ages, so everything is optional and nothing is an error:
//! what cannot be read is left out.

use memchr::memmem;
use postlane_mail::{Code, Instant, Status};

use super::address::of_field;
use super::bounced::{BounceKind, Bounced};
use super::reply::{code_in, preferred, status_in};
use crate::date::MailDate;
use crate::dsn::{Action, decoded_unicode, decoded_xtext};
use crate::header::{Field, Fields, unfolded};

/// Recipients that are read, at most. Chosen, not measured.
pub(super) const RECIPIENTS_MAX: usize = 1_000;

/// Octets of a value that are kept, at most. Chosen, not measured.
pub(super) const VALUE_OCTETS_MAX: usize = 4_096;

/// The recipients that a report is about. Every line ends with CRLF.
pub(super) fn read_status(part: &[u8]) -> Vec<Bounced> {
    let mut about = AboutMessage::default();
    let mut recipients: Vec<Bounced> = Vec::new();
    for group in (Groups { rest: part }) {
        about.see(group);
        let mut group = AboutRecipient::all_in(group);
        group.truncate(RECIPIENTS_MAX - recipients.len());
        recipients.extend(group.into_iter().filter_map(AboutRecipient::bounced));
        if recipients.len() >= RECIPIENTS_MAX {
            break;
        }
    }
    for bounced in &mut recipients {
        about.clone_into(bounced);
    }
    recipients
}

/// The report in the middle of a text, if there is one: from its first field on, without the
/// marks of a quotation.
pub(super) fn status_in_text(text: &str) -> Option<Vec<u8>> {
    let begins = |line: &&str| {
        let line = unquoted(line);
        let names = ["Reporting-MTA:", "Final-Recipient:", "Original-Recipient:"];
        names
            .iter()
            .any(|name| line.get(..name.len()).is_some_and(|l| l.eq_ignore_ascii_case(name)))
    };
    let mut lines = text.lines().skip_while(|line| !begins(line)).peekable();
    lines.peek()?;
    let mut part = Vec::new();
    for line in lines {
        let line = unquoted(line);
        if line.trim_end().ends_with("--") && line.starts_with("--") {
            break;
        }
        part.extend_from_slice(line.trim_end().as_bytes());
        part.extend_from_slice(b"\r\n");
    }
    Some(part)
}

fn unquoted(line: &str) -> &str {
    line.strip_prefix('>').map_or(line, |rest| rest.strip_prefix(' ').unwrap_or(rest))
}

/// What a report says about the message.
#[derive(Debug, Default)]
struct AboutMessage {
    reporting_mta: Option<String>,
    envid: Option<String>,
    arrival: Option<Instant>,
}

impl AboutMessage {
    fn see(&mut self, group: &[u8]) {
        for field in Fields::new(group) {
            if field.is("Reporting-MTA") && self.reporting_mta.is_none() {
                self.reporting_mta = typed(&field);
            } else if field.is("Original-Envelope-Id") && self.envid.is_none() {
                self.envid = text(&field).map(|text| decoded_xtext(&text));
            } else if field.is("Arrival-Date") && self.arrival.is_none() {
                self.arrival = date(&field);
            }
        }
    }

    fn clone_into(&self, bounced: &mut Bounced) {
        bounced.reporting_mta.clone_from(&self.reporting_mta);
        bounced.envid.clone_from(&self.envid);
        bounced.arrival = self.arrival;
    }
}

/// What a report says about a recipient.
#[derive(Debug, Default)]
struct AboutRecipient {
    original: Option<String>,
    last: Option<String>,
    /// Microsoft and Sendmail have addresses here where the last one is none.
    actual: Option<String>,
    /// What stands there that is no address: the name of a mailbox on other systems.
    name: Option<String>,
    action: Option<Action>,
    status: Option<Status>,
    remote_mta: Option<String>,
    diagnostic: Option<String>,
    seen: bool,
}

impl AboutRecipient {
    /// Nearly always one; some writers part recipients by nothing.
    fn all_in(group: &[u8]) -> Vec<Self> {
        let mut all = vec![Self::default()];
        for field in Fields::new(group) {
            let is_last = field.is("Final-Recipient");
            let again = all.last().is_some_and(|about| is_last && about.seen);
            if again && all.len() < RECIPIENTS_MAX {
                all.push(Self::default());
            }
            let Some(about) = all.last_mut() else { break };
            about.see(&field);
            about.seen |= is_last;
        }
        all
    }

    fn see(&mut self, field: &Field<'_>) {
        if field.is("Original-Recipient") {
            self.original = address(field);
        } else if field.is("Final-Recipient") {
            self.last = address(field);
            self.name = typed(field).filter(|name| !name.starts_with('@'));
            self.seen = true;
        } else if field.is("X-Actual-Recipient") {
            self.actual = address(field);
        } else if field.is("Action") {
            self.action = text(field).and_then(|text| action(&text));
        } else if field.is("Status") {
            self.status = text(field).and_then(|text| status(&text));
        } else if field.is("Remote-MTA") {
            self.remote_mta =
                typed(field).map(|host| first_word(&host).trim_end_matches('.').to_owned());
        } else if field.is("Diagnostic-Code") && self.diagnostic.is_none() {
            self.diagnostic = typed(field);
        }
    }

    fn bounced(self) -> Option<Bounced> {
        let told =
            self.seen || self.original.is_some() || self.action.is_some() || self.status.is_some();
        if !told {
            return None;
        }
        let said = self.diagnostic.as_deref();
        let status = preferred(self.status, said.and_then(status_in));
        let by_class = status.map(|status| match status.class {
            2 => Action::Delivered,
            _ => Action::Failed,
        });
        Some(Bounced {
            recipient: self.last.or_else(|| self.original.clone()).or(self.actual).or(self.name),
            original_recipient: self.original,
            action: self.action.or(by_class),
            status,
            code: said.and_then(|said| code_in(said, status).or_else(|| success(said))),
            remote_mta: self.remote_mta,
            diagnostic: self.diagnostic,
            ..Bounced::new(BounceKind::Dsn)
        })
    }
}

/// The code of a reply by which a message was taken.
fn success(said: &str) -> Option<Code> {
    let digits: [u8; 3] = said.as_bytes().get(..3)?.try_into().ok()?;
    let ends = said.as_bytes().get(3).is_none_or(|b| matches!(b, b' ' | b'-'));
    Code::parse(digits).filter(|code| ends && code.is_success())
}

/// The groups of fields in a part, parted by empty lines.
struct Groups<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Groups<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        while let Some(rest) = self.rest.strip_prefix(b"\r\n") {
            self.rest = rest;
        }
        if self.rest.is_empty() {
            return None;
        }
        let end = memmem::find(self.rest, b"\r\n\r\n").map_or(self.rest.len(), |at| at + 2);
        let (group, rest) = self.rest.split_at(end);
        self.rest = rest;
        Some(group)
    }
}

/// The word of an action, in any of the forms that programs write.
fn action(text: &str) -> Option<Action> {
    let word = first_word(text).to_ascii_lowercase();
    let forms = [
        ("fail", Action::Failed),
        ("expired", Action::Failed),
        ("delay", Action::Delayed),
        ("deliver", Action::Delivered),
        ("relay", Action::Relayed),
        ("expand", Action::Expanded),
    ];
    forms.into_iter().find(|(form, _)| word.starts_with(form)).map(|(_, action)| action)
}

/// A status, with or without something around it: `5.1.1 (permanent failure)`, `5.1.1.`.
fn status(text: &str) -> Option<Status> {
    let word = first_word(text).trim_end_matches(['.', ',', ';']);
    Status::parse(word).or_else(|| status_in(text))
}

/// A value on one line, as far as it is kept; octets that are no UTF-8 become U+FFFD.
fn text(field: &Field<'_>) -> Option<String> {
    let value = field.value.get(..field.value.len().min(VALUE_OCTETS_MAX))?;
    let text = String::from_utf8_lossy(&unfolded(value)).into_owned();
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// The value behind a type: `dns; mx.example.net`. Some leave the type out.
fn typed(field: &Field<'_>) -> Option<String> {
    let text = text(field)?;
    let is_type = |kind: &str| {
        let kind = kind.trim();
        kind.len() <= 20 && kind.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let value = text.split_once(';').filter(|(kind, _)| is_type(kind));
    let value = value.map_or(text.as_str(), |(_, value)| value).trim();
    (!value.is_empty()).then(|| value.to_owned())
}

/// The address behind its type: `rfc822; jo@example.net`.
fn address(field: &Field<'_>) -> Option<String> {
    let text = text(field)?;
    let (kind, address) = text.split_once(';').unwrap_or(("rfc822", &text));
    let address = address.trim().trim_start_matches(';');
    if kind.trim().eq_ignore_ascii_case("utf-8") {
        return of_field(&decoded_unicode(address));
    }
    of_field(address)
}

fn date(field: &Field<'_>) -> Option<Instant> {
    MailDate::parse(&text(field)?)
}

/// The word before a comment, such as in `failed (bad address)`.
fn first_word(text: &str) -> &str {
    text.split([' ', '\t', '(']).next().unwrap_or_default()
}
