//! The header field by which the sink knows a message of the source again.
//!
//! `X-Mailbench: <run> <seq> <t_ns>`. It tells one run from another, each message from every other
//! (loss and duplicates), and when its transaction began or was due (latency).

const FIELD: &[u8] = b"X-Mailbench: ";

/// What the field of one message says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mark<'a> {
    pub(crate) run: &'a str,
    /// Number of the message within its run, from 0.
    pub(crate) seq: u64,
    /// Monotonic time at which the message was begun, or due, in nanoseconds.
    pub(crate) begun_ns: u64,
}

impl<'a> Mark<'a> {
    /// The mark in the head of a message, if it has one.
    pub(crate) fn find(head: &'a [u8]) -> Option<Self> {
        let at = memchr::memmem::find(head, FIELD)? + FIELD.len();
        let rest = head.get(at..)?;
        let line = std::str::from_utf8(rest.get(..memchr::memchr(b'\n', rest)?)?).ok()?;
        let mut words = line.split_ascii_whitespace();
        Some(Self {
            run: words.next()?,
            seq: words.next()?.parse().ok()?,
            begun_ns: words.next()?.parse().ok()?,
        })
    }

    /// The field as a header line with its CRLF.
    pub(crate) fn line(&self) -> String {
        format!("X-Mailbench: {} {} {}\r\n", self.run, self.seq, self.begun_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_read_as_it_was_written() {
        let mark = Mark { run: "r7", seq: 42, begun_ns: 1000 };
        let head = format!("Received: x\r\n{}Subject: a\r\n\r\n", mark.line());
        assert_eq!(Mark::find(head.as_bytes()), Some(mark));
    }

    #[test]
    fn a_message_of_somebody_else_has_no_mark() {
        assert_eq!(Mark::find(b"Subject: a\r\n\r\n"), None);
        assert_eq!(Mark::find(b"X-Mailbench: r one two\r\n"), None);
        assert_eq!(Mark::find(b"X-Mailbench: r 1 2"), None);
    }
}
