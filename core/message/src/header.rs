//! The header section of a message, looked at where it lies.
//!
//! Fields are found on borrowed bytes and never written anew: a name, a raw value with its
//! folding, and where in the message they stand. Only CRLF ends a line (RFC 5322 §2.1); a CR
//! or LF on its own is an octet of the value like any other.
//!
//! What is no field ends the section, as it does for Postfix and most receivers: an empty
//! line, a line without a name and a colon, or the end of the message. Blanks between name
//! and colon are let pass (RFC 5322 §4.5, `obs-optional`), and so is a continuation line of
//! nothing but blanks (§4.2, `obs-FWS`).

mod fold;
mod value;

use std::ops::Range;

use memchr::memchr;

pub(crate) use fold::Folding;
pub use value::{domain_of, message_id_of, unfolded};

/// One field of a header section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field<'a> {
    /// The name as it was written: printable ASCII without a colon, never empty.
    pub name: &'a [u8],
    /// What stands behind the colon, folding included, without the CRLF that ends it.
    pub value: &'a [u8],
    /// Where the field stands in the message: from its name to behind its last CRLF.
    pub range: Range<usize>,
}

/// How a header section came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SectionEnd {
    /// By an empty line, as it should.
    EmptyLine,
    /// By a line that is no field; the body begins with it.
    NoField,
    /// By the end of the message, whose last line ended with CRLF or which is empty.
    Message,
    /// By the end of the message, in the middle of a line.
    BrokenLine,
}

/// The fields of a message's header section, in order.
#[derive(Debug, Clone)]
pub struct Fields<'a> {
    message: &'a [u8],
    at: usize,
}

impl<'a> Field<'a> {
    /// Whether the field has that name, in any case.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }
}

impl<'a> Fields<'a> {
    /// The fields of `message`, which need not be one.
    pub fn new(message: &'a [u8]) -> Self {
        Self { message, at: 0 }
    }

    /// Where the next field would start; when there are no more, where the section ends (the
    /// empty line that ends it comes after).
    pub fn at(&self) -> usize {
        self.at
    }

    /// How the section ended. Only meaningful when there are no more fields.
    pub fn end(&self) -> SectionEnd {
        let rest = self.rest();
        if rest.starts_with(b"\r\n") {
            SectionEnd::EmptyLine
        } else if !rest.is_empty() {
            SectionEnd::NoField
        } else if self.message.is_empty() || self.message.ends_with(b"\r\n") {
            SectionEnd::Message
        } else {
            SectionEnd::BrokenLine
        }
    }

    /// Where the body begins: behind the empty line, if there is one. Only meaningful when
    /// there are no more fields.
    pub fn body(&self) -> usize {
        if self.rest().starts_with(b"\r\n") { self.at + 2 } else { self.at }
    }

    fn rest(&self) -> &'a [u8] {
        self.message.get(self.at..).unwrap_or_default()
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        let rest = self.rest();
        let (name, value_at) = name_of(rest)?;
        let (value_end, field_end) = end_of_value(rest, value_at);
        let start = self.at;
        self.at += field_end;
        Some(Field { name, value: rest.get(value_at..value_end)?, range: start..self.at })
    }
}

/// The name that a field starts with, and where its value begins.
fn name_of(rest: &[u8]) -> Option<(&[u8], usize)> {
    let name_end = rest.iter().position(|b| !is_ftext(*b))?;
    let blanks = rest[name_end..].iter().take_while(|b| is_blank(**b)).count();
    let colon = name_end + blanks;
    if name_end == 0 || rest.get(colon) != Some(&b':') {
        return None;
    }
    Some((&rest[..name_end], colon + 1))
}

/// Where the value that begins at `from` ends, without and with its last CRLF.
fn end_of_value(rest: &[u8], from: usize) -> (usize, usize) {
    let mut at = from;
    while let Some(step) = memchr(b'\n', rest.get(at..).unwrap_or_default()) {
        let line_feed = at + step;
        at = line_feed + 1;
        // `from` is behind a colon, so there is always an octet before the line feed.
        let ends_line = rest.get(line_feed.wrapping_sub(1)) == Some(&b'\r');
        if ends_line && !rest.get(at).is_some_and(|b| is_blank(*b)) {
            return (line_feed - 1, at);
        }
    }
    (rest.len(), rest.len())
}

/// RFC 5322 §3.6.8 `ftext`: printable ASCII without a colon.
fn is_ftext(b: u8) -> bool {
    b.is_ascii_graphic() && b != b':'
}

fn is_blank(b: u8) -> bool {
    matches!(b, b' ' | b'\t')
}

#[cfg(test)]
mod tests;
