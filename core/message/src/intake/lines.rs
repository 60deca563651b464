//! What the lines of a message are like, as far as the way it travels depends on it.

use memchr::memrchr;

/// Octets of a line without its CRLF, at most (RFC 5322 §2.1.1, RFC 5321 §4.5.3.1.6).
const LINE_OCTETS_MAX: usize = 998;

/// What the octets and lines of a text are like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lines {
    /// There are octets above 127: needs 8BITMIME, in a header SMTPUTF8.
    pub eight_bit: bool,
    /// A line may start with a dot, so DATA has something to stuff (RFC 5321 §4.5.2). Without
    /// it there is none.
    pub dots: bool,
    /// A CR or LF stands on its own, which no line of mail may have (RFC 5321 §2.3.8).
    pub bare_newlines: bool,
    /// A line has over 998 octets.
    pub long: bool,
}

impl Lines {
    /// Looks through a text that begins at the start of a line.
    pub(crate) fn of(text: &[u8]) -> Self {
        let first = text.first().copied().unwrap_or_default();
        let mut high = first;
        let mut dots = first == b'.';
        let mut bare_newlines = first == b'\n' || text.last() == Some(&b'\r');
        // Branchless over neighbouring octets, so that the compiler makes it wide: four
        // questions for little more than the price of reading.
        for (a, b) in text.iter().zip(text.get(1..).unwrap_or_default()) {
            high |= *b;
            dots |= (*a == b'\n') & (*b == b'.');
            bare_newlines |= (*a == b'\r') ^ (*b == b'\n');
        }
        Self { eight_bit: high >= 0x80, dots, bare_newlines, long: has_long_line(text) }
    }

    /// What holds for two texts together.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            eight_bit: self.eight_bit | other.eight_bit,
            dots: self.dots | other.dots,
            bare_newlines: self.bare_newlines | other.bare_newlines,
            long: self.long | other.long,
        }
    }
}

/// Looks for the last line feed within reach, not for every one: a step passes as many lines
/// as fit into the longest.
fn has_long_line(text: &[u8]) -> bool {
    let mut rest = text;
    // A line and its CRLF.
    while let Some(reach) = rest.get(..LINE_OCTETS_MAX + 2) {
        match memrchr(b'\n', reach) {
            Some(at) => rest = &rest[at + 1..],
            None => return true,
        }
    }
    // The last line may lack its CRLF.
    rest.len() > LINE_OCTETS_MAX && !rest.ends_with(b"\r\n") && memrchr(b'\n', rest).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> (bool, bool, bool) {
        let lines = Lines::of(text.as_bytes());
        (lines.eight_bit, lines.dots, lines.bare_newlines)
    }

    #[test]
    fn plain_lines_have_nothing_special() {
        assert_eq!(of(""), (false, false, false));
        assert_eq!(of("a.b\r\nc\r\n\r\n"), (false, false, false));
    }

    #[test]
    fn a_dot_at_the_start_of_any_line_is_seen() {
        for text in [".", ".a\r\n", "a\r\n.\r\n", "a\n.b"] {
            assert!(Lines::of(text.as_bytes()).dots, "{text:?}");
        }
    }

    #[test]
    fn a_cr_or_lf_on_its_own_is_seen_wherever_it_stands() {
        for text in ["\n", "\r", "a\nb", "a\rb", "a\r\r\nb", "\r\n\n", "a\r\n\r", "\n\r\n"] {
            assert!(Lines::of(text.as_bytes()).bare_newlines, "{text:?}");
        }
    }

    #[test]
    fn octets_above_127_are_seen_at_either_end() {
        for text in ["\u{e4}", "a\u{e4}", "\u{e4}a"] {
            assert!(Lines::of(text.as_bytes()).eight_bit, "{text:?}");
        }
    }

    #[test]
    fn a_line_is_long_from_the_999th_octet() {
        for (octets, long) in [(997, false), (998, false), (999, true), (5000, true)] {
            let line = "a".repeat(octets);
            for text in [format!("{line}\r\n"), line.clone(), format!("x\r\n{line}\r\ny\r\n")] {
                assert_eq!(Lines::of(text.as_bytes()).long, long, "{octets}");
            }
        }
        assert!(!Lines::of("ab\r\n".repeat(1000).as_bytes()).long);
    }
}
