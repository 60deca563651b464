//! Enhanced status codes.

use std::fmt;

/// An enhanced mail system status code, `class.subject.detail` (RFC 3463 §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Status {
    /// 2 success, 4 persistent transient failure, 5 permanent failure.
    pub class: u8,
    /// What it is about, 0 to 999.
    pub subject: u16,
    /// What exactly, 0 to 999.
    pub detail: u16,
}

impl Status {
    /// A status of ours.
    pub const fn new(class: u8, subject: u16, detail: u16) -> Self {
        Self { class, subject, detail }
    }

    /// Reads `c.s.d` at the start of a text, ended by its end or anything but a digit or dot;
    /// gives the status and how many octets it took.
    pub fn parse_prefix(text: &[u8]) -> Option<(Self, usize)> {
        let class = *text.first().filter(|c| matches!(c, b'2' | b'4' | b'5'))? - b'0';
        let (subject, subject_end) = number(text, 1)?;
        let (detail, end) = number(text, subject_end)?;
        match text.get(end) {
            Some(b'.' | b'0'..=b'9') => None,
            _ => Some((Self { class, subject, detail }, end)),
        }
    }

    /// Reads exactly `c.s.d`.
    pub fn parse(text: &str) -> Option<Self> {
        Self::parse_prefix(text.as_bytes()).filter(|(_, end)| *end == text.len()).map(|(s, _)| s)
    }
}

/// A dot and one to three digits at `at`.
fn number(text: &[u8], at: usize) -> Option<(u16, usize)> {
    if text.get(at) != Some(&b'.') {
        return None;
    }
    let digits = text[at + 1..].iter().take(3).take_while(|b| b.is_ascii_digit()).count();
    if digits == 0 {
        return None;
    }
    let value = text[at + 1..at + 1 + digits].iter().fold(0, |n, b| n * 10 + u16::from(b - b'0'));
    Some((value, at + 1 + digits))
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_read_from_the_start_of_a_reply() {
        let (status, taken) = Status::parse_prefix(b"4.7.28 slow down").unwrap();
        assert_eq!((status, taken), (Status::new(4, 7, 28), 6));
        assert_eq!(status.to_string(), "4.7.28");
    }

    #[test]
    fn addresses_and_versions_are_no_status() {
        for text in ["4.7", "3.1.1", "5.1.1.2", "192.0.2.1", "4.1234.1", "4..1", ""] {
            assert_eq!(Status::parse(text), None, "{text}");
        }
    }
}
