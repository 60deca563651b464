//! A report that somebody else has written: what it says to programs (RFC 3464 §2).
//!
//! Reports come from programs of all ages, so everything is optional and nothing is an error:
//! what cannot be read is left out. The part is looked for wherever it stands, since lists and
//! gateways wrap reports into other parts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use memchr::memmem;
use postlane_mail::{Instant, Mailbox, Status};

use super::foreign::decoded_unicode;
use super::report::Action;
use crate::date::MailDate;
use crate::header::{Field, Fields, unfolded};

/// What a report says about a message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReadReport {
    /// The host that reports (`Reporting-MTA`), without its type.
    pub reporting_mta: Option<String>,
    /// The name we gave the envelope (`Original-Envelope-Id`).
    pub envid: Option<String>,
    /// When that host took the message.
    pub arrived: Option<Instant>,
    /// Whom it is about; at least one.
    pub recipients: Vec<ReadRecipient>,
}

/// What a report says about a recipient.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReadRecipient {
    /// The address that was sent to first (`Original-Recipient`), if it is one.
    pub original_recipient: Option<Mailbox>,
    /// The address that was tried last (`Final-Recipient`), if it is one.
    pub final_recipient: Option<Mailbox>,
    /// What happened.
    pub action: Option<Action>,
    /// Why, as a number.
    pub status: Option<Status>,
    /// The host that said so (`Remote-MTA`), without its type.
    pub remote_mta: Option<String>,
    /// What it said (`Diagnostic-Code`), without its type, on one line.
    pub diagnostic: Option<String>,
    /// When it was last tried.
    pub last_attempt: Option<Instant>,
    /// How long it is still tried.
    pub will_retry_until: Option<Instant>,
}

/// Octets of the part that are read, at most. Chosen, not measured: some 500 recipients.
const PART_OCTETS_MAX: usize = 256 * 1024;

/// Recipients that are read, at most. Chosen, not measured.
const RECIPIENTS_MAX: usize = 1_000;

/// Octets of a value that are kept, at most. Chosen, not measured.
const VALUE_OCTETS_MAX: usize = 4_096;

/// Lines that may begin a part that are tried, at most. Chosen, not measured.
const PARTS_MAX: usize = 1_000;

/// Octets of a line that begins a part, at most: `--`, a boundary of 70 (RFC 2046 §5.1.1), and
/// plenty.
const DELIMITER_OCTETS_MAX: usize = 256;

/// Octets of a part's own header section, at most. Chosen, not measured.
const PART_HEADER_OCTETS_MAX: usize = 4_096;

/// Reads the report in a message; none if it has none about any recipient.
pub fn read_report(message: &[u8]) -> Option<ReadReport> {
    let part = status_part(message)?;
    let mut groups = Groups { rest: &part };
    let mut report = ReadReport::default();
    let mut is_first = true;
    while let Some(group) = groups.next().filter(|_| report.recipients.len() < RECIPIENTS_MAX) {
        let recipient = ReadRecipient::of(group);
        // Some leave the group about the message out.
        if is_first && recipient.is_none() {
            report.see(group);
        }
        is_first = false;
        report.recipients.extend(recipient);
    }
    (!report.recipients.is_empty()).then_some(report)
}

impl ReadReport {
    fn see(&mut self, group: &[u8]) {
        for field in Fields::new(group) {
            if field.is("Reporting-MTA") {
                self.reporting_mta = typed(&field);
            } else if field.is("Original-Envelope-Id") {
                self.envid = text(&field);
            } else if field.is("Arrival-Date") {
                self.arrived = date(&field);
            }
        }
    }
}

impl ReadRecipient {
    /// The group's recipient; none if it is about something else.
    fn of(group: &[u8]) -> Option<Self> {
        let mut read = Self::default();
        for field in Fields::new(group) {
            if field.is("Original-Recipient") {
                read.original_recipient = mailbox(&field);
            } else if field.is("Final-Recipient") {
                read.final_recipient = mailbox(&field);
            } else if field.is("Action") {
                read.action = text(&field).and_then(|text| Action::parse(first_word(&text)));
            } else if field.is("Status") {
                read.status = text(&field).and_then(|text| Status::parse(first_word(&text)));
            } else if field.is("Remote-MTA") {
                read.remote_mta = typed(&field);
            } else if field.is("Diagnostic-Code") {
                read.diagnostic = typed(&field);
            } else if field.is("Last-Attempt-Date") {
                read.last_attempt = date(&field);
            } else if field.is("Will-Retry-Until") {
                read.will_retry_until = date(&field);
            }
        }
        let told = read.final_recipient.is_some()
            || read.original_recipient.is_some()
            || read.action.is_some()
            || read.status.is_some();
        told.then_some(read)
    }
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

/// The content of the first part of the right type: behind a line that begins with `--` and
/// the part's own header, up to the next line that begins as the first one does.
fn status_part(message: &[u8]) -> Option<Vec<u8>> {
    let finder = memmem::Finder::new(b"\r\n--");
    for at in finder.find_iter(message).take(PARTS_MAX) {
        let line_start = at + 2;
        let rest = message.get(line_start..)?;
        let reach = rest.get(..rest.len().min(DELIMITER_OCTETS_MAX))?;
        let Some(line_end) = memmem::find(reach, b"\r\n") else { continue };
        let delimiter = rest.get(..line_end)?.trim_ascii_end();
        let part = rest.get(line_end + 2..)?;
        let Some((encoding, content)) = status_content(part) else { continue };
        let closing = [b"\r\n", delimiter].concat();
        // A part without content has its end where the empty line was.
        let end = memmem::find(content, &closing).unwrap_or(content.len());
        let content = content.get(..end.min(PART_OCTETS_MAX))?;
        return Some(match encoding {
            Encoding::None => content.to_vec(),
            Encoding::QuotedPrintable => quoted_printable(content),
            Encoding::Base64 => base64(content),
        });
    }
    None
}

/// How a part is encoded (RFC 2045 §6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    None,
    QuotedPrintable,
    Base64,
}

/// The encoding and the content of a part for programs; none if it is another part.
fn status_content(part: &[u8]) -> Option<(Encoding, &[u8])> {
    let part = part.get(..part.len().min(PART_HEADER_OCTETS_MAX + PART_OCTETS_MAX))?;
    let mut fields = Fields::new(part);
    let mut encoding = Encoding::None;
    let mut is_status = false;
    for field in fields.by_ref().take_while(|field| field.range.end <= PART_HEADER_OCTETS_MAX) {
        if field.is("Content-Type") {
            let kind = text(&field)?.to_ascii_lowercase();
            let kind = kind.split([';', ' ']).next().unwrap_or_default();
            is_status =
                matches!(kind, "message/delivery-status" | "message/global-delivery-status");
        } else if field.is("Content-Transfer-Encoding") {
            encoding = match text(&field)?.to_ascii_lowercase().as_str() {
                "quoted-printable" => Encoding::QuotedPrintable,
                "base64" => Encoding::Base64,
                _ => Encoding::None,
            };
        }
    }
    let content = part.get(fields.body()..)?;
    is_status.then_some((encoding, content))
}

/// What quoted-printable stands for; what is no such code stands for itself (RFC 2045 §6.7).
fn quoted_printable(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((b, behind)) = rest.split_first() {
        rest = behind;
        let digit = |b: u8| char::from(b).to_digit(16);
        match (b, behind) {
            (b'=', [b'\r', b'\n', after @ ..]) => rest = after,
            (b'=', [high, low, after @ ..]) => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => {
                    out.push((high * 16 + low) as u8);
                    rest = after;
                }
                _ => out.push(b'='),
            },
            _ => out.push(*b),
        }
    }
    out
}

/// What base 64 stands for; nothing if it is none.
fn base64(text: &[u8]) -> Vec<u8> {
    let text: Vec<u8> = text.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect();
    STANDARD.decode(text).unwrap_or_default()
}

/// A value on one line, as far as it is kept; octets that are no UTF-8 become U+FFFD.
fn text(field: &Field<'_>) -> Option<String> {
    let value = field.value.get(..field.value.len().min(VALUE_OCTETS_MAX))?;
    let text = String::from_utf8_lossy(&unfolded(value)).trim().to_owned();
    (!text.is_empty()).then_some(text)
}

/// The value behind a type: `dns; mx.example.net`. Some leave the type out.
fn typed(field: &Field<'_>) -> Option<String> {
    let text = text(field)?;
    let value = text.split_once(';').map_or(text.as_str(), |(_, value)| value).trim();
    (!value.is_empty()).then(|| value.to_owned())
}

fn mailbox(field: &Field<'_>) -> Option<Mailbox> {
    let text = text(field)?;
    let (kind, address) = text.split_once(';').unwrap_or(("rfc822", &text));
    let address = address.trim();
    let address = address.strip_prefix('<').and_then(|a| a.strip_suffix('>')).unwrap_or(address);
    if kind.trim().eq_ignore_ascii_case("utf-8") {
        return Mailbox::parse(&decoded_unicode(address)).ok();
    }
    Mailbox::parse(address).ok()
}

fn date(field: &Field<'_>) -> Option<Instant> {
    MailDate::parse(&text(field)?)
}

/// The word before a comment, such as in `failed (bad address)`.
fn first_word(text: &str) -> &str {
    text.split([' ', '\t', '(']).next().unwrap_or_default()
}
