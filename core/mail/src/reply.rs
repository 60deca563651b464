//! What a server said.

use std::fmt;

use crate::status::Status;

/// A reply code: three digits, the first 2 to 5 (RFC 5321 §4.2.1).
///
/// RFC 5321 knows second digits 0 to 5 only, but 570 and 591 are seen in the wild: a
/// peer's code is judged by its first digit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(u16);

/// A reply, all of its lines (RFC 5321 §4.2.1), as the peer wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    code: Code,
    text: Box<str>,
}

impl Code {
    /// The code with these digits.
    pub fn parse(digits: [u8; 3]) -> Option<Self> {
        let [a @ b'2'..=b'5', b @ b'0'..=b'9', c @ b'0'..=b'9'] = digits else { return None };
        Some(Self(u16::from(a - b'0') * 100 + u16::from(b - b'0') * 10 + u16::from(c - b'0')))
    }

    /// The code with this number, 200 to 599.
    pub const fn new(number: u16) -> Option<Self> {
        if number >= 200 && number <= 599 { Some(Self(number)) } else { None }
    }

    /// The number, 200 to 599.
    pub const fn number(self) -> u16 {
        self.0
    }

    /// 2xx: done.
    pub const fn is_success(self) -> bool {
        self.0 / 100 == 2
    }

    /// 3xx: go on.
    pub const fn is_intermediate(self) -> bool {
        self.0 / 100 == 3
    }

    /// 4xx: not now.
    pub const fn is_transient(self) -> bool {
        self.0 / 100 == 4
    }

    /// 5xx: not at all.
    pub const fn is_permanent(self) -> bool {
        self.0 / 100 == 5
    }
}

impl Reply {
    /// A reply with the text of its lines joined by `\n`, without codes.
    pub fn new(code: Code, text: impl Into<Box<str>>) -> Self {
        Self { code, text: text.into() }
    }

    /// The code of the last line, which is the one that counts.
    pub fn code(&self) -> Code {
        self.code
    }

    /// The text of all lines, joined by `\n`, enhanced codes included, as the peer wrote them.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The lines' texts, in order.
    pub fn lines(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.text.split('\n')
    }

    /// The enhanced status of the last line that has one of the code's class (RFC 2034 §4).
    pub fn status(&self) -> Option<Status> {
        let class = (self.code.0 / 100) as u8;
        let of_line = |line: &str| Status::parse_prefix(line.as_bytes()).map(|(status, _)| status);
        self.lines().filter_map(of_line).rfind(|status| status.class == class)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:03}", self.0)
    }
}

impl fmt::Display for Reply {
    /// On one line: the code, then the lines joined by ` / `.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        for (i, line) in self.lines().enumerate() {
            f.write_str(if i == 0 { " " } else { " / " })?;
            f.write_str(line)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_three_digits_and_starts_with_two_to_five() {
        assert_eq!(Code::parse(*b"421").map(Code::number), Some(421));
        assert_eq!(Code::parse(*b"591").map(Code::number), Some(591));
        for digits in [*b"199", *b"600", *b"2a0", *b"   "] {
            assert_eq!(Code::parse(digits), None);
        }
    }

    #[test]
    fn the_enhanced_status_is_of_the_codes_class() {
        let code = Code::new(421).unwrap();
        let reply = Reply::new(code, "4.7.0 first\n4.7.28 second\nno status here");
        assert_eq!(reply.status(), Some(Status::new(4, 7, 28)));
        assert_eq!(Reply::new(code, "5.1.1 of another class").status(), None);
        assert_eq!(reply.to_string(), "421 4.7.0 first / 4.7.28 second / no status here");
    }
}
