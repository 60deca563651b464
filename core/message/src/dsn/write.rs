//! A report as a message: three parts, for people, for programs, and the message it is about
//! (RFC 6522 §3, RFC 3464, RFC 6533).

use std::borrow::Cow;

use mail_builder::headers::content_type::ContentType;
use mail_builder::headers::raw::Raw;
use mail_builder::mime::{BodyPart, MimePart};
use postlane_mail::{BodyType, ReturnContent};

use super::foreign::Script;
use super::human::{self, Returned};
use super::machine::write_status;
use super::report::{Action, Original, Report};
use crate::boundary::boundary;
use crate::date::MailDate;
use crate::header::{Fields, Folding, message_id_of};
use crate::intake::Lines;

/// A report, ready for the spool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenReport {
    /// The message, lines ended by CRLF.
    pub message: Vec<u8>,
    /// What its octets need of the next hop.
    pub body: BodyType,
    /// Whether its header needs SMTPUTF8: the addressee is written in it.
    pub smtputf8: bool,
}

/// Octets of a header section that is returned, at most; fields beyond are left out. Chosen,
/// not measured.
const HEADERS_OCTETS_MAX: usize = 64 * 1024;

/// Octets of a message id that is referred to, at most, so that the line stays within 998
/// (RFC 5322 §2.1.1).
const MESSAGE_ID_OCTETS_MAX: usize = 900;

/// Writes a report. The same report gives the same octets.
pub fn write_report(report: &Report<'_>) -> WrittenReport {
    let (returned, content) = returned(report);
    // A sender that used SMTPUTF8 can read it; everybody else gets a report in plain ASCII.
    let script = if report.original.smtputf8 { Script::Utf8 } else { Script::Ascii };
    let mut status = Vec::with_capacity(512);
    write_status(&mut status, report, script);

    let mut parts = [Vec::new(), Vec::new(), Vec::with_capacity(content.len() + 256)];
    let [human, machine, original] = &mut parts;
    let text = human::text(report, returned);
    if is_plain(text.as_bytes()) {
        // As it is even where a line is long, so that an address in a reply stays whole.
        write_verbatim(human, "text/plain; charset=us-ascii", "Notification", text.as_bytes());
    } else {
        described(MimePart::new("text/plain", BodyPart::Text(text.into())), "Notification", human);
    }
    let kind = if status.is_ascii() { "delivery-status" } else { "global-delivery-status" };
    write_verbatim(machine, &format!("message/{kind}"), "Delivery report", &status);
    write_returned(original, report, returned, &content);

    let eight_bit = parts.iter().any(|part| !part.is_ascii());
    let texts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    let boundary = boundary(report.id, &texts);
    let octets: usize = texts.iter().map(|text| text.len()).sum();
    let mut message = Vec::with_capacity(octets + 1024);
    write_header(&mut message, report);
    let encoding: &[u8] = if eight_bit { b"8bit" } else { b"7bit" };
    message.extend_from_slice(b"Content-Transfer-Encoding: ");
    message.extend_from_slice(encoding);
    message.extend_from_slice(
        b"\r\nContent-Type: multipart/report; report-type=delivery-status;\r\n boundary=\"",
    );
    message.extend_from_slice(boundary.as_bytes());
    message.extend_from_slice(b"\"\r\n");
    for text in texts.into_iter().filter(|text| !text.is_empty()) {
        message.extend_from_slice(b"\r\n--");
        message.extend_from_slice(boundary.as_bytes());
        message.extend_from_slice(b"\r\n");
        message.extend_from_slice(text);
    }
    message.extend_from_slice(b"\r\n--");
    message.extend_from_slice(boundary.as_bytes());
    message.extend_from_slice(b"--\r\n");
    let body = if eight_bit { BodyType::EightBit } else { BodyType::SevenBit };
    WrittenReport { message, body, smtputf8: report.addressee.needs_smtputf8() }
}

/// The header section but for what describes the content.
fn write_header(out: &mut Vec<u8>, report: &Report<'_>) {
    let name = report.reporting_mta.as_str();
    let mut from = Folding::field(out, "From");
    from.word(b"Mail Delivery System").word_of(&[b"<MAILER-DAEMON@", name.as_bytes(), b">"]);
    from.end();
    let mut to = Folding::field(out, "To");
    to.word_of(&[b"<", report.addressee.as_str().as_bytes(), b">"]);
    to.end();
    let mut plain = |name: &str, value: &str| {
        let mut field = Folding::field(out, name);
        field.word(value.as_bytes());
        field.end();
    };
    plain("Subject", subject(report.worst()));
    plain("Date", MailDate::of(report.at).as_str());
    plain("Message-ID", &format!("<{}@{name}>", report.id));
    // Only what is a message id may be referred to: this one is foreign.
    let id = report.original.message_id.and_then(|id| message_id_of(id.as_bytes()));
    if let Some(id) = id.filter(|id| id.len() <= MESSAGE_ID_OCTETS_MAX) {
        plain("In-Reply-To", id);
        plain("References", id);
    }
    // RFC 3834 §5: nothing that answers by itself shall answer this.
    plain("Auto-Submitted", "auto-replied");
    plain("MIME-Version", "1.0");
}

fn subject(action: Action) -> &'static str {
    match action {
        Action::Failed => "Undelivered mail returned to sender",
        Action::Delayed => "Delayed mail: still trying",
        Action::Delivered | Action::Expanded => "Mail delivered: the report you asked for",
        Action::Relayed => "Mail handed on: the report you asked for",
    }
}

/// How much of the message goes back, and the octets.
fn returned<'a>(report: &Report<'a>) -> (Returned, Cow<'a, [u8]>) {
    let Original { message, ret, octets_max, .. } = report.original;
    let failed = report.recipients.iter().any(|recipient| recipient.action == Action::Failed);
    match ret {
        // The last part of a report may be left out (RFC 6522 §3).
        _ if message.is_empty() => (Returned::Nothing, Cow::Borrowed(message)),
        ReturnContent::Full if failed && message.len() <= octets_max => {
            (Returned::Whole, Cow::Borrowed(message))
        }
        ReturnContent::Full if failed => (Returned::TooLarge, headers(message)),
        _ => (Returned::Headers, headers(message)),
    }
}

/// The header section without the empty line, as far as it may be returned; a field that is
/// broken off gets its end.
fn headers(message: &[u8]) -> Cow<'_, [u8]> {
    let fields = Fields::new(message).map(|field| field.range.end);
    let end = fields.take_while(|end| *end <= HEADERS_OCTETS_MAX).last().unwrap_or_default();
    let section = message.get(..end).unwrap_or_default();
    if section.is_empty() || section.ends_with(b"\r\n") {
        return Cow::Borrowed(section);
    }
    Cow::Owned([section, b"\r\n"].concat())
}

fn write_returned(out: &mut Vec<u8>, report: &Report<'_>, returned: Returned, content: &[u8]) {
    let utf8 = report.original.smtputf8 && !content.is_ascii();
    match returned {
        Returned::Nothing => {}
        Returned::Whole => {
            let kind = if utf8 { "message/global" } else { "message/rfc822" };
            write_verbatim(out, kind, "Undelivered message", content);
        }
        Returned::Headers | Returned::TooLarge if utf8 => {
            write_verbatim(out, "message/global-headers", "Message header", content);
        }
        Returned::Headers | Returned::TooLarge if is_plain(content) => {
            write_verbatim(out, "text/rfc822-headers", "Message header", content);
        }
        // What is not of the form that mail has is encoded, as RFC 6522 §4 allows for.
        Returned::Headers | Returned::TooLarge => {
            let kind = ContentType::new("text/rfc822-headers");
            let part = MimePart::new(kind, BodyPart::Binary(content.into()));
            described(part, "Message header", out);
        }
    }
}

/// Whether a text can stand as it is anywhere.
fn is_plain(text: &[u8]) -> bool {
    let lines = Lines::of(text);
    !lines.eight_bit && !lines.bare_newlines && !lines.long
}

/// A part whose content is encoded if it must be.
fn described(part: MimePart<'_>, description: &'static str, out: &mut Vec<u8>) {
    part.header("Content-Description", Raw::new(description)).write_part(out);
}

/// A part whose content stands as it is.
fn write_verbatim(out: &mut Vec<u8>, kind: &str, description: &str, content: &[u8]) {
    let encoding = if content.is_ascii() { "7bit" } else { "8bit" };
    let fields = format!(
        "Content-Type: {kind}\r\nContent-Description: {description}\r\n\
         Content-Transfer-Encoding: {encoding}\r\n\r\n"
    );
    out.extend_from_slice(fields.as_bytes());
    out.extend_from_slice(content);
}
