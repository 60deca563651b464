//! Lists of tags, `name=value; name=value`, as signatures and keys are written (RFC 6376 §3.2).

/// What is wrong with a list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TagFault {
    /// Octets beyond ASCII in a record, or in a field what is no UTF-8.
    #[error("has octets that may not stand there")]
    Octets,
    /// A tag without `=`, or a name that cannot be one.
    #[error("`{0}` is no tag: a name, = and a value are expected")]
    Tag(Box<str>),
    /// Twice the same name.
    #[error("has the tag {0}= twice")]
    Twice(Box<str>),
    /// More tags than anybody has use for.
    #[error("has more than {TAGS_MAX} tags")]
    TooMany,
}

/// Tags that are read. Chosen, not measured: RFC 6376 knows 13 for a signature.
const TAGS_MAX: usize = 64;

/// A list of tags: each name once, with its value without the blanks around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tags<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Tags<'a> {
    /// Reads a list; a semicolon at its end is let pass.
    pub(crate) fn parse(text: &'a [u8]) -> Result<Self, TagFault> {
        let text = std::str::from_utf8(text).ok().filter(|text| text.is_ascii());
        Self::of(text.ok_or(TagFault::Octets)?)
    }

    /// The same of a field in a message, whose domains, selectors and addresses may be written in letters
    /// beyond ASCII (RFC 8616 §5).
    pub(crate) fn parse_international(text: &'a [u8]) -> Result<Self, TagFault> {
        Self::of(std::str::from_utf8(text).map_err(|_| TagFault::Octets)?)
    }

    fn of(text: &'a str) -> Result<Self, TagFault> {
        let mut tags: Vec<(&str, &str)> = Vec::new();
        let mut pieces = text.split(';').peekable();
        while let Some(piece) = pieces.next() {
            let piece = trimmed(piece);
            if piece.is_empty() && pieces.peek().is_none() {
                break;
            }
            let Some((name, value)) = piece.split_once('=') else {
                return Err(TagFault::Tag(shortened(piece)));
            };
            let name = trimmed(name);
            if !is_name(name) {
                return Err(TagFault::Tag(shortened(piece)));
            }
            if tags.iter().any(|(other, _)| *other == name) {
                return Err(TagFault::Twice(name.into()));
            }
            if tags.len() == TAGS_MAX {
                return Err(TagFault::TooMany);
            }
            tags.push((name, trimmed(value)));
        }
        Ok(Self(tags))
    }

    /// The value of a tag.
    pub(crate) fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(other, _)| *other == name).map(|(_, value)| *value)
    }

    /// The name of the first tag.
    pub(crate) fn first(&self) -> Option<&'a str> {
        self.0.first().map(|(name, _)| *name)
    }
}

/// What a value is without any blanks in it: base 64 may be folded anywhere.
pub(crate) fn without_blanks(value: &str) -> String {
    value.chars().filter(|c| !is_blank(*c)).collect()
}

/// The values of a list with colons.
pub(crate) fn colons(value: &str) -> impl Iterator<Item = &str> {
    value.split(':').map(trimmed)
}

fn trimmed(text: &str) -> &str {
    text.trim_matches(is_blank)
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn shortened(text: &str) -> Box<str> {
    text.chars().take(40).collect::<String>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_read_over_folds_and_to_the_last_semicolon() {
        let tags = Tags::parse(b" v=1; a = rsa-sha256 ;\r\n\tb=ab\r\n cd ; ").unwrap();
        assert_eq!(tags.get("a"), Some("rsa-sha256"));
        assert_eq!(tags.get("b").map(without_blanks).as_deref(), Some("abcd"));
        assert_eq!(tags.first(), Some("v"));
    }

    #[test]
    fn what_is_no_list_is_refused_by_name() {
        assert_eq!(Tags::parse(b"v=1; v=2").unwrap_err(), TagFault::Twice("v".into()));
        assert_eq!(Tags::parse(b"v=1;; a=b").unwrap_err(), TagFault::Tag("".into()));
        assert_eq!(Tags::parse(b"v").unwrap_err(), TagFault::Tag("v".into()));
        assert_eq!(Tags::parse(b"v=\xff").unwrap_err(), TagFault::Octets);
    }
}
