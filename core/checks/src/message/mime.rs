//! The parts of a message (RFC 2045, RFC 2046), found without decoding them.

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use postlane_message::{Field, Fields};

use super::text_of;

/// What a part says that it is (RFC 2045 §5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentType {
    /// `text`, in lower case.
    pub kind: String,
    /// `plain`, in lower case.
    pub subtype: String,
    /// Its parameters, names in lower case, each once: the first counts.
    pub parameters: Vec<(String, String)>,
}

/// How a part is encoded (RFC 2045 §6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Encoding {
    /// `7bit`, or nothing said.
    SevenBit,
    /// `8bit`
    EightBit,
    /// `binary`
    Binary,
    /// `quoted-printable`
    QuotedPrintable,
    /// `base64`
    Base64,
    /// Something that there is not.
    Unknown(String),
}

/// One part; the message itself is the first.
#[derive(Debug, Clone)]
pub struct Part<'a> {
    /// How deep it lies, 0 for the message itself.
    pub depth: usize,
    /// Its fields; for the message itself those that are about its content.
    pub fields: Vec<Field<'a>>,
    /// What it says that it is; none if it says nothing, or nothing that can be read.
    pub content_type: Option<ContentType>,
    /// How it is encoded.
    pub encoding: Encoding,
    /// Its octets as they travel; of a multipart with all that is in it.
    pub body: &'a [u8],
}

/// What is wrong with how parts lie in each other.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MimeFault {
    /// A multipart without a boundary.
    #[error("a multipart names no boundary")]
    NoBoundary,
    /// Over 70 characters (RFC 2046 §5.1.1).
    #[error("a boundary is longer than 70 characters")]
    LongBoundary,
    /// It does not occur.
    #[error("the boundary \"{0}\" does not occur in its part")]
    Missing(String),
    /// It does not occur with `--` behind it.
    #[error("the boundary \"{0}\" never ends (no final --)")]
    Unended(String),
    /// The same as of a part around it.
    #[error("the boundary \"{0}\" is that of a part around it, too")]
    Nested(String),
    /// A multipart may be 7bit, 8bit or binary only (RFC 2045 §6.4).
    #[error("a multipart is encoded as {0}, which only its parts may be")]
    EncodedMultipart(String),
    /// Deeper than anybody reads.
    #[error("parts lie more than {DEPTH_MAX} deep in each other")]
    TooDeep,
    /// More parts than anybody reads.
    #[error("there are more than {PARTS_MAX} parts")]
    TooMany,
}

/// The parts of a message, from its beginning, and what is wrong with them.
#[derive(Debug, Clone)]
pub struct Structure<'a> {
    /// The parts; each is followed by those in it.
    pub parts: Vec<Part<'a>>,
    /// What is wrong; each once.
    pub faults: Vec<MimeFault>,
}

/// How deep parts are looked for, and how many. Chosen, not measured: a bomb is not unpacked.
const DEPTH_MAX: usize = 20;
const PARTS_MAX: usize = 1_000;

impl<'a> Structure<'a> {
    pub(super) fn of(fields: &[Field<'a>], body: &'a [u8]) -> Self {
        let about = |field: &&Field<'a>| {
            let name = field.name.to_ascii_lowercase();
            name.starts_with(b"content-") || name == b"mime-version"
        };
        let fields = fields.iter().filter(about).cloned().collect();
        let mut structure = Self { parts: Vec::new(), faults: Vec::new() };
        let mut boundaries = Vec::new();
        structure.add(Part::new(0, fields, body), &mut boundaries);
        structure
    }

    fn fault(&mut self, fault: MimeFault) {
        if !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }

    fn add(&mut self, part: Part<'a>, around: &mut Vec<String>) {
        if self.parts.len() == PARTS_MAX {
            return self.fault(MimeFault::TooMany);
        }
        let (depth, body) = (part.depth, part.body);
        let inside = match &part.content_type {
            Some(content) if content.kind == "multipart" => Some(content.parameter("boundary")),
            _ => None,
        };
        let boundary = inside.map(|boundary| boundary.map(str::to_owned));
        if boundary.is_some() {
            match &part.encoding {
                Encoding::SevenBit | Encoding::EightBit | Encoding::Binary => {}
                other => self.fault(MimeFault::EncodedMultipart(other.as_str().to_owned())),
            }
        }
        self.parts.push(part);
        match boundary {
            None => {}
            Some(None) => self.fault(MimeFault::NoBoundary),
            Some(Some(_)) if depth == DEPTH_MAX => self.fault(MimeFault::TooDeep),
            Some(Some(boundary)) => self.multipart(depth, boundary, body, around),
        }
    }

    fn multipart(
        &mut self,
        depth: usize,
        boundary: String,
        body: &'a [u8],
        around: &mut Vec<String>,
    ) {
        if boundary.is_empty() {
            return self.fault(MimeFault::NoBoundary);
        }
        if boundary.len() > 70 {
            self.fault(MimeFault::LongBoundary);
        }
        if around.contains(&boundary) {
            return self.fault(MimeFault::Nested(boundary));
        }
        let (parts, is_ended) = split(body, &boundary);
        if parts.is_empty() {
            return self.fault(MimeFault::Missing(boundary));
        }
        if !is_ended {
            self.fault(MimeFault::Unended(boundary.clone()));
        }
        around.push(boundary);
        for part in parts {
            let mut fields = Fields::new(part);
            let found = fields.by_ref().collect();
            let body = part.get(fields.body()..).unwrap_or_default();
            self.add(Part::new(depth + 1, found, body), around);
        }
        around.pop();
    }
}

/// What lies between a boundary's lines, and whether the last of them ends it. The line end
/// before a boundary belongs to it (RFC 2046 §5.1.1).
fn split<'a>(body: &'a [u8], boundary: &str) -> (Vec<&'a [u8]>, bool) {
    let mut parts = Vec::new();
    let mut start: Option<usize> = None;
    let mut at = 0;
    while at < body.len() && parts.len() <= PARTS_MAX {
        let line_end = memchr::memchr(b'\n', &body[at..]).map_or(body.len(), |step| at + step + 1);
        let line = &body[at..line_end];
        let behind =
            line.strip_prefix(b"--").and_then(|rest| rest.strip_prefix(boundary.as_bytes()));
        if let Some(behind) = behind {
            let behind = behind.trim_ascii_end();
            let ends = behind.starts_with(b"--");
            if behind.is_empty() || ends {
                if let Some(start) = start {
                    parts.push(without_line_end(&body[start..at.max(start)]));
                }
                start = Some(line_end);
                if ends {
                    return (parts, true);
                }
            }
        }
        at = line_end;
    }
    if let Some(start) = start {
        parts.push(&body[start..]);
    }
    (parts, false)
}

fn without_line_end(octets: &[u8]) -> &[u8] {
    let octets = octets.strip_suffix(b"\n").unwrap_or(octets);
    octets.strip_suffix(b"\r").unwrap_or(octets)
}

impl<'a> Part<'a> {
    fn new(depth: usize, fields: Vec<Field<'a>>, body: &'a [u8]) -> Self {
        let first = |name| fields.iter().find(|field| field.is(name)).map(text_of);
        let content_type = first("Content-Type").and_then(|text| ContentType::parse(&text));
        let encoding = first("Content-Transfer-Encoding");
        let encoding = encoding.map_or(Encoding::SevenBit, |text| Encoding::parse(&text));
        Self { depth, fields, content_type, encoding, body }
    }

    /// Whether it is of this sort; what says nothing is `text/plain` (RFC 2045 §5.2).
    pub fn is(&self, kind: &str, subtype: &str) -> bool {
        match &self.content_type {
            Some(content) => content.kind == kind && content.subtype == subtype,
            None => self.depth == 0 && (kind, subtype) == ("text", "plain"),
        }
    }

    /// The value of the first field of a name.
    pub fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        self.fields.iter().find(|field| field.is(name)).map(text_of)
    }

    /// Whether it is to be kept as a file rather than shown (RFC 2183 §2.2).
    pub fn is_attached(&self) -> bool {
        self.text("Content-Disposition")
            .is_some_and(|text| text.to_ascii_lowercase().starts_with("attachment"))
    }

    /// The octets without their encoding. None if they cannot be decoded.
    pub fn decoded(&self) -> Option<Cow<'a, [u8]>> {
        match self.encoding {
            Encoding::SevenBit | Encoding::EightBit | Encoding::Binary => {
                Some(Cow::Borrowed(self.body))
            }
            Encoding::Base64 => {
                let text: Vec<u8> =
                    self.body.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect();
                LENIENT.decode(text).ok().map(Cow::Owned)
            }
            Encoding::QuotedPrintable => Some(Cow::Owned(unquoted(self.body))),
            Encoding::Unknown(_) => None,
        }
    }
}

/// Base 64 as mail has it: with or without its padding.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Quoted-printable text decoded (RFC 2045 §6.7); what is no escape stays as it is.
fn unquoted(body: &[u8]) -> Vec<u8> {
    let mut octets = Vec::with_capacity(body.len());
    let mut at = 0;
    while let Some(&octet) = body.get(at) {
        let rest = &body[at..];
        let hex = |n: usize| rest.get(n).and_then(|b| char::from(*b).to_digit(16));
        if octet != b'=' {
            octets.push(octet);
            at += 1;
        } else if rest.starts_with(b"=\r\n") {
            at += 3;
        } else if rest.starts_with(b"=\n") {
            at += 2;
        } else if let (Some(high), Some(low)) = (hex(1), hex(2)) {
            octets.push(u8::try_from(high * 16 + low).unwrap_or(b'?'));
            at += 3;
        } else {
            octets.push(octet);
            at += 1;
        }
    }
    octets
}

impl ContentType {
    /// Reads the value of a `Content-Type` field.
    pub fn parse(text: &str) -> Option<Self> {
        let (kinds, rest) = text.split_once(';').unwrap_or((text, ""));
        let (kind, subtype) = kinds.split_once('/')?;
        let (kind, subtype) = (kind.trim(), subtype.trim());
        let subtype = subtype.split_ascii_whitespace().next()?;
        if kind.is_empty() || !kind.bytes().chain(subtype.bytes()).all(is_token) {
            return None;
        }
        Some(Self {
            kind: kind.to_ascii_lowercase(),
            subtype: subtype.to_ascii_lowercase(),
            parameters: parameters(rest),
        })
    }

    /// The value of a parameter.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(other, _)| other == name).map(|(_, value)| &**value)
    }
}

/// `name=value; name="quoted; value"`.
fn parameters(text: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut rest = text;
    while let Some((name, behind)) = rest.split_once('=') {
        let name = name.trim_start_matches([';', ' ', '\t']).trim().to_ascii_lowercase();
        let (value, behind) = value(behind.trim_start());
        if !found.iter().any(|(other, _)| *other == name) && found.len() < 50 {
            found.push((name, value));
        }
        rest = behind;
    }
    found
}

fn value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let (value, behind) = text.split_once(';').unwrap_or((text, ""));
        return (value.trim().to_owned(), behind);
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => {
                let behind = &quoted[at + 1..];
                return (value, behind.split_once(';').map_or("", |(_, behind)| behind));
            }
            '\\' => value.extend(chars.next().map(|(_, c)| c)),
            c => value.push(c),
        }
    }
    (value, "")
}

/// RFC 2045 §5.1 `token`.
fn is_token(b: u8) -> bool {
    b.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?=".contains(&b)
}

impl Encoding {
    fn parse(text: &str) -> Self {
        match text.trim().to_ascii_lowercase().as_str() {
            "7bit" => Self::SevenBit,
            "8bit" => Self::EightBit,
            "binary" => Self::Binary,
            "quoted-printable" => Self::QuotedPrintable,
            "base64" => Self::Base64,
            other => Self::Unknown(other.chars().take(60).collect()),
        }
    }

    /// As a field has it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::SevenBit => "7bit",
            Self::EightBit => "8bit",
            Self::Binary => "binary",
            Self::QuotedPrintable => "quoted-printable",
            Self::Base64 => "base64",
            Self::Unknown(other) => other,
        }
    }
}

#[cfg(test)]
mod tests;
