//! The parts of a bounce: the words for people, the report for programs, and what came back.
//!
//! Bounces are the worst-formed mail there is, so a structure that does not hold together is
//! read as far as it does: a boundary that is not named is guessed, a part that is not ended ends
//! with the message, and parts too many or too deep are not looked at.

use mail_parser::decoders::html::html_to_text;

use super::transfer::{Encoding, text_in, with_crlf};
use crate::header::{Fields, unfolded};

/// Octets of a message that are read. Chosen, not measured: bounces of whole messages put the
/// report first.
pub(super) const MESSAGE_OCTETS_MAX: usize = 1 << 20;

/// Parts of a message that are looked at. Chosen, not measured.
const PARTS_MAX: usize = 64;

/// How deep parts may lie in each other. Chosen, not measured.
const DEPTH_MAX: usize = 8;

/// Octets of a text in HTML that are read. Chosen, not measured.
const HTML_OCTETS_MAX: usize = 256 * 1024;

/// Octets of a header field's value that are kept.
const VALUE_OCTETS_MAX: usize = 4_096;

/// What is in a bounce.
#[derive(Debug, Default)]
pub(super) struct Parts {
    /// The words for people, all that are not what came back.
    pub(super) text: String,
    /// Reports for programs (RFC 3464 §2.1), with CRLF.
    pub(super) statuses: Vec<Vec<u8>>,
    /// A complaint for programs (RFC 5965 §2), with CRLF.
    pub(super) feedback: Option<Vec<u8>>,
    /// The first message that came back, or its header.
    pub(super) original: Option<Vec<u8>>,
    html: String,
    seen: usize,
}

/// What a part's header says of its content.
#[derive(Debug)]
struct Content {
    kind: String,
    boundary: Option<String>,
    charset: Option<String>,
    encoding: Encoding,
    description: String,
}

impl Parts {
    /// The parts of a message whose lines end with CRLF.
    pub(super) fn of(message: &[u8]) -> Self {
        let mut parts = Self::default();
        parts.walk(message, 0);
        if parts.text.trim().is_empty() {
            parts.text = html_to_text(&parts.html);
        }
        parts
    }

    fn walk(&mut self, part: &[u8], depth: usize) {
        if self.seen >= PARTS_MAX || depth >= DEPTH_MAX {
            return;
        }
        self.seen += 1;
        let mut fields = Fields::new(part);
        let content = Content::of(fields.by_ref());
        let body = part.get(fields.body()..).unwrap_or_default();
        if content.kind.starts_with("multipart/") {
            let within = content.boundary.as_deref().map(|boundary| pieces(body, boundary));
            let within = within.filter(|within| !within.is_empty()).or_else(|| guessed(body));
            match within {
                Some(within) => within.into_iter().for_each(|part| self.walk(part, depth + 1)),
                None => self.add_text(body, &content),
            }
            return;
        }
        match content.kind.as_str() {
            "message/delivery-status" | "message/global-delivery-status" => {
                self.statuses.push(with_crlf(&content.encoding.undo(body)));
            }
            "message/feedback-report" => {
                self.feedback.get_or_insert_with(|| with_crlf(&content.encoding.undo(body)));
            }
            "message/rfc822"
            | "message/global"
            | "message/global-headers"
            | "message/partial"
            | "text/rfc822-headers"
            | "text/rfc822-header"
            | "text/rfc822" => self.add_original(with_crlf(&content.encoding.undo(body))),
            // That somebody has read a message is no word on its delivery (RFC 8098).
            "message/disposition-notification" => {}
            "text/html" => {
                let body = content.encoding.undo(body);
                let text = text_in(content.charset.as_deref(), &body);
                let end = text.floor_char_boundary(HTML_OCTETS_MAX);
                self.html.push_str(&text[..end]);
            }
            kind if kind.is_empty() || kind.starts_with("text") || kind.starts_with("message/") => {
                self.add_text(body, &content);
            }
            _ => {}
        }
    }

    fn add_text(&mut self, body: &[u8], content: &Content) {
        let octets = with_crlf(&content.encoding.undo(body));
        let returned = ["undelivered", "returned", "original"];
        let is_returned = returned.iter().any(|word| content.description.contains(word));
        if is_returned || begins_as_message(&octets) {
            return self.add_original(octets);
        }
        self.text.push_str(&text_in(content.charset.as_deref(), &octets));
        self.text.push_str("\r\n");
    }

    fn add_original(&mut self, message: Vec<u8>) {
        self.original.get_or_insert(message);
    }
}

impl Content {
    fn of<'a>(fields: impl Iterator<Item = crate::header::Field<'a>>) -> Self {
        let mut content = Self {
            kind: String::new(),
            boundary: None,
            charset: None,
            encoding: Encoding::None,
            description: String::new(),
        };
        for field in fields {
            let value = || {
                let value = field.value.get(..field.value.len().min(VALUE_OCTETS_MAX));
                String::from_utf8_lossy(&unfolded(value.unwrap_or_default())).trim().to_owned()
            };
            if field.is("Content-Type") && content.kind.is_empty() {
                content.see_type(&value());
            } else if field.is("Content-Transfer-Encoding") {
                content.encoding = Encoding::parse(&value());
            } else if field.is("Content-Description") {
                content.description = value().to_ascii_lowercase();
            }
        }
        content
    }

    fn see_type(&mut self, value: &str) {
        let (kind, mut rest) = value.split_once(';').unwrap_or((value, ""));
        let kind = kind.split([' ', '\t', '(']).next().unwrap_or_default();
        self.kind = kind.trim().to_ascii_lowercase();
        while let Some((name, behind)) = rest.split_once('=') {
            let behind = behind.trim_start();
            let (value, after) = match behind.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
                None => behind.split_once(';').unwrap_or((behind, "")),
            };
            let name = name.trim_matches(|c: char| c == ';' || c.is_whitespace());
            let value = Some(value.trim().to_owned()).filter(|value| !value.is_empty());
            if name.eq_ignore_ascii_case("boundary") {
                self.boundary = value;
            } else if name.eq_ignore_ascii_case("charset") {
                self.charset = value;
            }
            rest = after;
        }
    }
}

/// The parts between the lines of a boundary (RFC 2046 §5.1.1).
fn pieces<'a>(body: &'a [u8], boundary: &str) -> Vec<&'a [u8]> {
    let mut found = Vec::new();
    let mut from = None;
    let mut at = 0;
    for line in body.split_inclusive(|b| *b == b'\n') {
        let start = at;
        at += line.len();
        let behind = line.strip_prefix(b"--").and_then(|l| l.strip_prefix(boundary.as_bytes()));
        let Some(behind) = behind.map(<[u8]>::trim_ascii) else { continue };
        if !behind.is_empty() && behind != b"--" {
            continue;
        }
        found.extend(from.take().and_then(|from| body.get(from..start)));
        if behind == b"--" || found.len() >= PARTS_MAX {
            return found;
        }
        from = Some(at);
    }
    found.extend(from.and_then(|from| body.get(from..)));
    found
}

/// The parts of a boundary that is not named, or not rightly: the first line that looks like one
/// and comes again.
fn guessed(body: &[u8]) -> Option<Vec<&[u8]>> {
    let line = body.split(|b| *b == b'\n').find(|line| {
        let line = line.trim_ascii();
        line.len() > 6 && line.starts_with(b"--") && !line.contains(&b' ')
    })?;
    let boundary = std::str::from_utf8(line.trim_ascii().strip_prefix(b"--")?).ok()?;
    let parts = pieces(body, boundary);
    let has_header = |part: &&[u8]| Fields::new(part).any(|field| field.is("Content-Type"));
    parts.iter().any(has_header).then_some(parts)
}

/// Whether a text is a message, or the header of one.
fn begins_as_message(text: &[u8]) -> bool {
    let marks = ["Received", "Return-Path", "Message-ID", "From", "DKIM-Signature", "Date"];
    let is_mark = |field: &crate::header::Field<'_>| marks.iter().any(|mark| field.is(mark));
    Fields::new(text.trim_ascii_start()).take(20).filter(is_mark).count() >= 3
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(message: &str) -> Parts {
        Parts::of(&with_crlf(message.as_bytes()))
    }

    #[test]
    fn a_part_is_found_in_a_part_and_without_its_end() {
        let found = parts(
            "Content-Type: multipart/mixed; boundary=a\n\n--a\n\
             Content-Type: multipart/report; report-type=delivery-status; boundary=\"a1\"\n\n\
             --a1\n\nSorry.\n--a1\nContent-Type: message/delivery-status\n\nAction: failed\n\
             --a1\nContent-Type: text/rfc822-headers\n\nSubject: hi\n",
        );
        assert_eq!(found.text.trim(), "Sorry.");
        assert_eq!(found.statuses, [b"Action: failed\r\n".to_vec()]);
        assert_eq!(found.original.as_deref(), Some(&b"Subject: hi\r\n"[..]));
    }

    #[test]
    fn a_boundary_that_is_not_named_is_guessed() {
        let found = parts(
            "Content-Type: multipart/report; boundary=\n\n--=_x9.y\nContent-Type: text/plain\n\n\
             Sorry.\n--=_x9.y\nContent-Type: message/delivery-status\n\nStatus: 5.1.1\n--=_x9.y--\n",
        );
        assert_eq!((found.text.trim(), found.statuses.len()), ("Sorry.", 1));
    }

    #[test]
    fn parts_too_many_and_too_deep_are_not_looked_at() {
        let many = "--a\nContent-Type: message/delivery-status\n\nAction: failed\n".repeat(1_000);
        let found = parts(&format!("Content-Type: multipart/mixed; boundary=a\n\n{many}"));
        assert!(found.statuses.len() < PARTS_MAX);
        let deep: String = (0..10_000)
            .map(|n| format!("Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n"))
            .collect();
        assert!(parts(&deep).statuses.is_empty());
    }

    #[test]
    fn html_is_read_where_there_is_nothing_else() {
        let found = parts("Content-Type: text/html\n\n<p>User <b>unknown</b></p>\n");
        assert!(found.text.contains("User unknown"), "{}", found.text);
    }
}
