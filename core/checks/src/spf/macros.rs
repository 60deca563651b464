//! Macros: text in a record that becomes something else for each message (RFC 7208 §7).

use std::fmt::Write as _;
use std::net::IpAddr;

/// Text with macros in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MacroString(Vec<Piece>);

/// What a macro string is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Literal(Box<str>),
    Macro(Macro),
}

/// One `%{…}`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Macro {
    letter: Letter,
    /// Written as a capital: what is not unreserved in a URL is escaped (§7.3).
    escaped: bool,
    /// So many labels from the right; none for all.
    keep: Option<u8>,
    reversed: bool,
    delimiters: Box<str>,
}

/// What a macro stands for (§7.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Letter {
    Sender,
    LocalPart,
    SenderDomain,
    Domain,
    Address,
    ValidatedName,
    Version,
    Helo,
    ReadableAddress,
    Receiver,
    Timestamp,
}

/// What is wrong with a macro string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MacroError {
    /// A `%` without `{`, `%`, `_` or `-` behind it.
    #[error("a % that no {{, %, _ or - follows")]
    Percent,
    /// A macro that does not end.
    #[error("a macro without its }}")]
    Open,
    /// No such letter, or one that is only for explanations (`c`, `r`, `t`).
    #[error("a macro letter that has no meaning here")]
    Letter,
    /// A number of labels that is 0 or over 128.
    #[error("a macro that keeps no labels, or more than a name can have")]
    Keep,
    /// Something else than a delimiter.
    #[error("a delimiter that is none of . - + , / _ =")]
    Delimiter,
    /// A space, a control character or an octet beyond ASCII.
    #[error("a character that a record cannot have")]
    Character,
    /// A name that could not be one: no dot, an empty or an all-numeric last label.
    #[error("a name that cannot be one: it has no last label, or that is no name")]
    Name,
}

/// Where a macro string stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In a record.
    Record,
    /// In an explanation, where `c`, `r` and `t` are allowed and spaces, too (§6.2).
    Explanation,
}

/// What macros stand for.
#[derive(Debug, Clone)]
pub(super) struct Values<'a> {
    pub(super) local_part: &'a str,
    pub(super) sender_domain: &'a str,
    pub(super) domain: &'a str,
    pub(super) address: IpAddr,
    /// None where nobody has asked for it; macros that need it say so by [`MacroString::wants_name`].
    pub(super) validated_name: Option<&'a str>,
    pub(super) helo: &'a str,
    pub(super) receiver: &'a str,
    /// Seconds since 1970.
    pub(super) timestamp: u64,
}

impl MacroString {
    /// Reads any macro string.
    pub(super) fn parse(text: &str, place: Place) -> Result<Self, MacroError> {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            rest = &rest[c.len_utf8()..];
            let printable = matches!(c, '!'..='~') || (c == ' ' && place == Place::Explanation);
            if !printable {
                return Err(MacroError::Character);
            }
            if c != '%' {
                literal.push(c);
                continue;
            }
            let Some(kind) = rest.chars().next() else { return Err(MacroError::Percent) };
            rest = &rest[kind.len_utf8()..];
            match kind {
                '%' => literal.push('%'),
                '_' => literal.push(' '),
                '-' => literal.push_str("%20"),
                '{' => {
                    let (inside, behind) = rest.split_once('}').ok_or(MacroError::Open)?;
                    rest = behind;
                    if !literal.is_empty() {
                        pieces.push(Piece::Literal(std::mem::take(&mut literal).into()));
                    }
                    pieces.push(Piece::Macro(Macro::parse(inside, place)?));
                }
                _ => return Err(MacroError::Percent),
            }
        }
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal.into()));
        }
        Ok(Self(pieces))
    }

    /// Reads a `domain-spec`: a macro string that ends in a macro or in a label that can be
    /// the last of a name (§7.1).
    pub(super) fn parse_name(text: &str) -> Result<Self, MacroError> {
        let name = Self::parse(text, Place::Record)?;
        let literal = match name.0.last() {
            Some(Piece::Macro(_)) => return Ok(name),
            Some(Piece::Literal(literal)) => literal,
            None => return Err(MacroError::Name),
        };
        // An escape at the end is a macro-expand, too.
        if text.ends_with("%%") || text.ends_with("%_") || text.ends_with("%-") {
            return Ok(name);
        }
        let literal = literal.strip_suffix('.').unwrap_or(literal);
        let (_, last) = literal.rsplit_once('.').ok_or(MacroError::Name)?;
        if is_top_label(last) { Ok(name) } else { Err(MacroError::Name) }
    }

    /// Whether the validated name of the address is needed (`%{p}`), which costs questions.
    pub(super) fn wants_name(&self) -> bool {
        self.0
            .iter()
            .any(|piece| matches!(piece, Piece::Macro(Macro { letter: Letter::ValidatedName, .. })))
    }

    /// Whether its record alone decides what it becomes: no macro but `%{d}` is in it.
    pub(super) fn is_of_record(&self) -> bool {
        self.0.iter().all(|piece| match piece {
            Piece::Literal(_) => true,
            Piece::Macro(found) => matches!(found.letter, Letter::Domain),
        })
    }

    /// The text, if there is no macro in it: then it is the same for every message.
    pub fn literal(&self) -> Option<String> {
        let pieces = self.0.iter().map(|piece| match piece {
            Piece::Literal(literal) => Some(&**literal),
            Piece::Macro(_) => None,
        });
        pieces.collect()
    }

    /// What it becomes.
    pub(super) fn expand(&self, values: &Values<'_>) -> String {
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Literal(literal) => text.push_str(literal),
                Piece::Macro(found) => found.expand(values, &mut text),
            }
        }
        text
    }

    /// The name it becomes: labels are dropped from the left until it is no longer than a name
    /// may be (§7.3).
    pub(super) fn expand_name(&self, values: &Values<'_>) -> String {
        let text = self.expand(values);
        let mut name = text.strip_suffix('.').unwrap_or(&text);
        while name.len() > 253 {
            match name.split_once('.') {
                Some((_, rest)) => name = rest,
                None => break,
            }
        }
        name.to_owned()
    }
}

impl Macro {
    fn parse(inside: &str, place: Place) -> Result<Self, MacroError> {
        let letter = inside.chars().next().ok_or(MacroError::Letter)?;
        let rest = &inside[letter.len_utf8()..];
        let meaning = Letter::parse(letter.to_ascii_lowercase(), place)?;
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, rest) = rest.split_at(digits);
        let keep = match number {
            "" => None,
            // More than a name can have labels is all of them.
            _ => {
                Some(number.parse::<u32>().map_or(u8::MAX, |n| u8::try_from(n).unwrap_or(u8::MAX)))
            }
        };
        if keep == Some(0) {
            return Err(MacroError::Keep);
        }
        let (reversed, delimiters) = match rest.strip_prefix(['r', 'R']) {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        if !delimiters.chars().all(|c| ".-+,/_=".contains(c)) {
            return Err(MacroError::Delimiter);
        }
        let delimiters = if delimiters.is_empty() { "." } else { delimiters };
        let escaped = letter.is_ascii_uppercase();
        Ok(Self { letter: meaning, escaped, keep, reversed, delimiters: delimiters.into() })
    }

    fn expand(&self, values: &Values<'_>, text: &mut String) {
        let value = self.letter.value(values);
        let mut parts: Vec<&str> = value.split(|c| self.delimiters.contains(c)).collect();
        if self.reversed {
            parts.reverse();
        }
        let keep = self.keep.map_or(parts.len(), usize::from).min(parts.len());
        let joined = parts[parts.len() - keep..].join(".");
        if self.escaped { escape(&joined, text) } else { text.push_str(&joined) }
    }
}

impl Letter {
    fn parse(letter: char, place: Place) -> Result<Self, MacroError> {
        Ok(match (letter, place) {
            ('s', _) => Self::Sender,
            ('l', _) => Self::LocalPart,
            ('o', _) => Self::SenderDomain,
            ('d', _) => Self::Domain,
            ('i', _) => Self::Address,
            ('p', _) => Self::ValidatedName,
            ('v', _) => Self::Version,
            ('h', _) => Self::Helo,
            ('c', Place::Explanation) => Self::ReadableAddress,
            ('r', Place::Explanation) => Self::Receiver,
            ('t', Place::Explanation) => Self::Timestamp,
            _ => return Err(MacroError::Letter),
        })
    }

    fn value(self, values: &Values<'_>) -> String {
        match self {
            Self::Sender => format!("{}@{}", values.local_part, values.sender_domain),
            Self::LocalPart => values.local_part.to_owned(),
            Self::SenderDomain => values.sender_domain.to_owned(),
            Self::Domain => values.domain.to_owned(),
            Self::Address => dotted(values.address),
            Self::ValidatedName => values.validated_name.unwrap_or("unknown").to_owned(),
            Self::Version => match values.address {
                IpAddr::V4(_) => "in-addr".to_owned(),
                IpAddr::V6(_) => "ip6".to_owned(),
            },
            Self::Helo => values.helo.to_owned(),
            Self::ReadableAddress => values.address.to_string(),
            Self::Receiver => values.receiver.to_owned(),
            Self::Timestamp => values.timestamp.to_string(),
        }
    }
}

/// An IPv6 address with a dot between its digits (§7.3); in capitals as the openspf.org suite
/// wants it, which an explanation shows and the DNS does not care for.
fn dotted(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => {
            let mut text = String::with_capacity(63);
            for octet in v6.octets() {
                // Writing to a string does not fail.
                let _ = write!(text, "{:X}.{:X}.", octet >> 4, octet & 15);
            }
            text.pop();
            text
        }
    }
}

/// Everything but what is unreserved in a URL (RFC 3986 §2.3).
fn escape(value: &str, text: &mut String) {
    for octet in value.bytes() {
        if octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.' | b'_' | b'~') {
            text.push(char::from(octet));
        } else {
            // Writing to a string does not fail.
            let _ = write!(text, "%{octet:02X}");
        }
    }
}

/// `toplabel` of §7.1: letters, digits and hyphens, not all of them digits, no hyphen at an end.
fn is_top_label(label: &str) -> bool {
    let plain = label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let numeric = label.bytes().all(|b| b.is_ascii_digit());
    plain && !numeric && !label.starts_with('-') && !label.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of §7.4.
    #[test]
    fn macros_become_what_the_rfc_says() {
        let mut values = Values {
            local_part: "strong-bad",
            sender_domain: "email.example.com",
            domain: "email.example.com",
            address: "192.0.2.3".parse().unwrap(),
            validated_name: Some("mx.example.org"),
            helo: "mx.example.org",
            receiver: "mx.example.net",
            timestamp: 1,
        };
        let expanded = |text: &str, values: &Values<'_>| {
            MacroString::parse(text, Place::Record).unwrap().expand(values)
        };
        for (text, becomes) in [
            ("%{s}", "strong-bad@email.example.com"),
            ("%{o}", "email.example.com"),
            ("%{d}", "email.example.com"),
            ("%{d4}", "email.example.com"),
            ("%{d3}", "email.example.com"),
            ("%{d2}", "example.com"),
            ("%{d1}", "com"),
            ("%{dr}", "com.example.email"),
            ("%{d2r}", "example.email"),
            ("%{l}", "strong-bad"),
            ("%{l-}", "strong.bad"),
            ("%{lr}", "strong-bad"),
            ("%{lr-}", "bad.strong"),
            ("%{l1r-}", "strong"),
            ("%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"),
            ("%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"),
            ("%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net"),
            ("%%%_%-", "% %20"),
            ("%{S}", "strong-bad%40email.example.com"),
        ] {
            assert_eq!(expanded(text, &values), becomes, "{text}");
        }
        values.address = "2001:db8::cb01".parse().unwrap();
        assert_eq!(
            expanded("%{ir}.%{v}._spf.%{d2}", &values).to_lowercase(),
            "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com"
        );
    }

    #[test]
    fn a_name_that_is_too_long_loses_labels_from_the_left() {
        let name = MacroString::parse_name("%{d}.example.com").unwrap();
        let long = "a".repeat(60);
        let domain = [long.as_str(); 4].join(".");
        let values = Values {
            local_part: "x",
            sender_domain: "x",
            domain: &domain,
            address: "192.0.2.3".parse().unwrap(),
            validated_name: None,
            helo: "x",
            receiver: "x",
            timestamp: 0,
        };
        let expanded = name.expand_name(&values);
        assert_eq!(expanded, format!("{}.example.com", [long.as_str(); 3].join(".")));
    }

    #[test]
    fn what_is_no_macro_is_refused() {
        let parse = |text| MacroString::parse(text, Place::Record).unwrap_err();
        assert_eq!(parse("a%"), MacroError::Percent);
        assert_eq!(parse("a%b"), MacroError::Percent);
        assert_eq!(parse("%{d"), MacroError::Open);
        assert_eq!(parse("%{}"), MacroError::Letter);
        assert_eq!(parse("%{t}"), MacroError::Letter);
        assert_eq!(parse("%{d0}"), MacroError::Keep);
        assert_eq!(parse("%{dx}"), MacroError::Delimiter);
        assert_eq!(parse("a b"), MacroError::Character);
        assert_eq!(MacroString::parse_name("localhost").unwrap_err(), MacroError::Name);
        assert_eq!(MacroString::parse_name("a.123").unwrap_err(), MacroError::Name);
    }
}
