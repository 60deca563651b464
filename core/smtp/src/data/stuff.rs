//! Sending a message by DATA: a dot in front of each line that begins with one (RFC 5321 §4.5.2).

use bytes::Bytes;
use memchr::memmem::find_iter;

/// What there is to be minded before a message can go by DATA.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lines {
    /// A line begins with a dot.
    pub dots: bool,
    /// A CR or LF stands alone.
    ///
    /// Such a message does not go by DATA. There are hosts that take a bare LF for the end of
    /// a line, and `LF . CR LF` for the end of the message: what comes behind it would be heard
    /// as commands. To stuff a dot behind a bare LF would save those and change the message
    /// for all others. By BDAT it may go, for its octets are counted.
    pub bare_newlines: bool,
    /// The last line has its CRLF.
    pub ended: bool,
}

impl Lines {
    /// Looks through a message in pieces. They may be cut anywhere.
    pub fn of(message: &[Bytes]) -> Self {
        // The octet in front of the first one ends a line that is not there.
        let mut before = b'\n';
        let (mut dots, mut bare) = (false, false);
        for piece in message {
            let Some(last) = piece.last() else { continue };
            let first = piece[0];
            dots |= before == b'\n' && first == b'.';
            bare |= (before == b'\r') != (first == b'\n');
            // Without branches, so that the compiler makes it wide.
            for (a, b) in piece.iter().zip(&piece[1..]) {
                dots |= (*a == b'\n') & (*b == b'.');
                bare |= (*a == b'\r') ^ (*b == b'\n');
            }
            before = *last;
        }
        Self { dots, bare_newlines: bare | (before == b'\r'), ended: before == b'\n' }
    }
}

/// Puts a message into `out`, ready for DATA but for the dot that ends it. Its octets are not
/// copied. A message whose last line has no CRLF is given one: without it the final dot would
/// not stand at the start of a line.
///
/// `lines` is what [`Lines::of`] says of it: no bare CR or LF.
pub fn stuff(message: &[Bytes], lines: Lines, out: &mut Vec<Bytes>) {
    const DOT: Bytes = Bytes::from_static(b".");
    const CRLF: Bytes = Bytes::from_static(b"\r\n");
    if lines.dots {
        let mut before = b'\n';
        for piece in message {
            let mut sent = 0;
            if before == b'\n' && piece.first() == Some(&b'.') {
                out.push(DOT);
            }
            for at in find_iter(piece, b"\n.") {
                out.push(piece.slice(sent..at + 1));
                out.push(DOT);
                sent = at + 1;
            }
            out.push(piece.slice(sent..));
            before = piece.last().copied().unwrap_or(before);
        }
    } else {
        out.extend_from_slice(message);
    }
    if !lines.ended {
        out.push(CRLF);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::data::{BareNewlines, Collector};

    fn cut(text: &[u8], at: &[usize]) -> Vec<Bytes> {
        let mut at: Vec<usize> = at.iter().map(|at| at % (text.len() + 1)).collect();
        at.extend([0, text.len()]);
        at.sort_unstable();
        at.windows(2).map(|w| Bytes::copy_from_slice(&text[w[0]..w[1]])).collect()
    }

    fn stuffed(pieces: &[Bytes]) -> Vec<u8> {
        let mut out = Vec::new();
        stuff(pieces, Lines::of(pieces), &mut out);
        out.concat()
    }

    #[test]
    fn a_dot_is_put_in_front_of_a_line_with_a_dot_and_of_nothing_else() {
        for (message, sent) in [
            ("", ""),
            (".", "..\r\n"),
            ("a.b\r\n", "a.b\r\n"),
            (".\r\n..\r\n.a", "..\r\n...\r\n..a\r\n"),
        ] {
            assert_eq!(String::from_utf8(stuffed(&cut(message.as_bytes(), &[]))).unwrap(), sent);
        }
    }

    #[test]
    fn a_bare_cr_or_lf_is_seen_wherever_the_message_is_cut() {
        for text in ["\n", "\r", "a\nb\r\n", "a\r\n\r", "\r\r\n", "a\r.\r\n", "a\n.\r\nb"] {
            for at in 0..=text.len() {
                let lines = Lines::of(&cut(text.as_bytes(), &[at]));
                assert!(lines.bare_newlines, "{text:?} at {at}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_stuffed_arrives_as_it_was(
            text in "([.a]{0,3}\r\n){0,8}",
            at in proptest::collection::vec(0usize..100, 0..5),
        ) {
            let mut collector = Collector::new(1000, 1000, 0, BareNewlines::Refuse);
            let sent = [stuffed(&cut(text.as_bytes(), &at)), b".\r\n".to_vec()].concat();
            prop_assert_eq!(collector.dotted(&sent), (sent.len(), true));
            let collected = collector.finish();
            prop_assert_eq!((&collected.message[..], collected.error), (text.as_bytes(), None));
        }

        #[test]
        fn lines_are_what_they_are_however_they_are_cut(
            text in "[\r\n.a]{0,12}|(\\.?a\r\n){0,4}",
            at in proptest::collection::vec(0usize..100, 0..5),
        ) {
            let octets = text.as_bytes();
            let rest = text.replace("\r\n", "");
            let lines = Lines::of(&cut(octets, &at));
            prop_assert_eq!(lines.bare_newlines, rest.contains(['\r', '\n']));
            if !lines.bare_newlines {
                prop_assert_eq!(lines.dots, text.starts_with('.') || text.contains("\n."));
                prop_assert_eq!(lines.ended, text.is_empty() || text.ends_with("\r\n"));
            }
        }
    }
}
