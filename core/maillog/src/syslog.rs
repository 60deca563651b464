//! The head of a line of syslog: when, on which machine, which program (RFC 3164, RFC 5424, and
//! what `journalctl` prints).

/// A line less its moment, which is read only where the rest matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line<'l> {
    /// From the moment on.
    pub(crate) stamped: &'l [u8],
    /// The machine's name.
    pub(crate) machine: &'l [u8],
    /// The program's name, without its number: `postfix/smtp`, `exim`.
    pub(crate) program: &'l [u8],
    /// What it says.
    pub(crate) says: &'l [u8],
}

impl<'l> Line<'l> {
    /// The parts of a line; `None` if it is of another form.
    pub(crate) fn read(line: &'l [u8]) -> Option<Self> {
        let line = match line.first()? {
            b'<' => {
                let end = memchr::memchr(b'>', line.get(..8).unwrap_or(line))?;
                let rest = line.get(end + 1..)?;
                if let Some(versioned) = rest.strip_prefix(b"1 ") {
                    return Self::rfc5424(versioned);
                }
                rest
            }
            _ => line,
        };
        let (machine, rest) = cut(line.get(stamp_end(line)?..)?, b' ')?;
        let end = memchr::memchr2(b'[', b':', rest)?;
        let program = rest.get(..end)?;
        let behind = rest.get(end..)?;
        let behind = match behind.first() {
            Some(b'[') => behind.get(memchr::memchr(b']', behind)? + 1..)?,
            _ => behind,
        };
        let says = behind.strip_prefix(b": ").or_else(|| behind.strip_prefix(b":"))?;
        Some(Self { stamped: line, machine, program, says })
    }

    /// `2026-11-21T06:30:01Z mx postfix/smtp 12 - - to=…` behind the version.
    fn rfc5424(line: &'l [u8]) -> Option<Self> {
        let (_, rest) = cut(line, b' ')?;
        let (machine, rest) = cut(rest, b' ')?;
        let (program, rest) = cut(rest, b' ')?;
        let (_, rest) = cut(rest, b' ')?;
        let (_, rest) = cut(rest, b' ')?;
        let says = match rest.first()? {
            b'-' => rest.get(1..)?,
            // A value of structured data may hold an escaped `]`.
            b'[' => {
                let ends = memchr::memmem::find(rest, b"] ").map(|at| at + 1);
                rest.get(ends.unwrap_or(rest.len())..)?
            }
            _ => return None,
        };
        let says = says.strip_prefix(b" ").unwrap_or(says);
        let says = says.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(says);
        Some(Self { stamped: line, machine, program, says })
    }
}

/// The text before the first `at`, and what is behind it.
pub(crate) fn cut(text: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let found = memchr::memchr(at, text)?;
    Some((text.get(..found)?, text.get(found + 1..)?))
}

/// Where the moment of a line ends, without reading it.
fn stamp_end(line: &[u8]) -> Option<usize> {
    let is_digit = |at: usize| line.get(at).is_some_and(u8::is_ascii_digit);
    let behind_blank = |from: usize| Some(from + memchr::memchr(b' ', line.get(from..)?)? + 1);
    if is_digit(0) {
        let end = behind_blank(if line.get(10) == Some(&b' ') { 11 } else { 10 })?;
        let is_zone = matches!(line.get(end), Some(b'+' | b'-')) && is_digit(end + 1);
        return if is_zone { behind_blank(end) } else { Some(end) };
    }
    if line.get(3) == Some(&b' ') && line.get(8) == Some(&b'-') {
        return behind_blank(behind_blank(15)?);
    }
    match line.get(15)? {
        b' ' => Some(16),
        b'.' => behind_blank(15),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(line: &str) -> Option<String> {
        let line = Line::read(line.as_bytes())?;
        let text = |octets| String::from_utf8_lossy(octets).into_owned();
        Some(format!("{}|{}|{}", text(line.machine), text(line.program), text(line.says)))
    }

    #[test]
    fn every_form_has_the_same_parts() {
        for line in [
            "Nov 21 06:30:01 mx postfix/smtp[12]: to=<a>",
            "Nov 21 06:30:01.123 mx postfix/smtp[12]: to=<a>",
            "<22>Nov  1 06:30:01 mx postfix/smtp[12]: to=<a>",
            "2026-11-21T06:30:01.123456+01:00 mx postfix/smtp[12]: to=<a>",
            "2026-11-21 06:30:01 +0100 mx postfix/smtp[12]: to=<a>",
            "Sat 2026-11-21 06:30:01 UTC mx postfix/smtp[12]: to=<a>",
            "<22>1 2026-11-21T06:30:01Z mx postfix/smtp 12 - - to=<a>",
            "<22>1 2026-11-21T06:30:01Z mx postfix/smtp 12 ID [a b=\"c\"] \u{feff}to=<a>",
            "Nov 21 06:30:01 mx postfix/smtp: to=<a>",
        ] {
            assert_eq!(parts(line).as_deref(), Some("mx|postfix/smtp|to=<a>"), "{line}");
        }
    }

    #[test]
    fn other_lines_have_none() {
        for line in ["", "hello", "Nov 21 06:30:01 mx", "{\"a\":1}", "<22>1 x", "<<<<<<<<<<<"] {
            assert_eq!(parts(line), None, "{line}");
        }
    }
}
