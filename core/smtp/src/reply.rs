//! Reading replies as servers really write them.

use std::borrow::Cow;

use memchr::memchr;
use postlane_mail::{Code, Reply};

/// Reads replies out of octets, however they are cut.
///
/// Lenient in what a line is: a bare LF ends one, for it is the answer to ourselves and not a
/// message, and nothing can be smuggled in it. Strict in what a reply is: three digits, then `-`
/// or a space or the end. The code of the last line counts, where RFC 5321 §4.2.1 wants all of
/// them to be the same: `250-a`, `421 b` is a 421.
///
/// The text is kept as it was said, but for this: octets that are not UTF-8 and controls other
/// than the tab become U+FFFD, and what is too long is cut and ends in `[…]`. The last line
/// is kept even then: it is the one that decides.
#[derive(Debug, Default)]
pub struct ReplyParser {
    line: Vec<u8>,
    text: String,
    lines: usize,
    cut: bool,
}

/// A server said what is no reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplyError {
    /// A line does not begin with a reply code.
    #[error("the host sent a line that is no SMTP reply")]
    NoReply,
    /// A reply that does not end.
    #[error("the host sent a reply without end")]
    TooLong,
}

/// Octets of a line that are kept; RFC 5321 §4.5.3.1.5 allows 512, some send more.
const LINE_OCTETS_MAX: usize = 2048;
/// Octets of a line, at all, before we give up on the host.
const LINE_OCTETS_END: usize = 64 * 1024;
/// Lines of a reply, at all. Chosen, not measured.
const LINES_MAX: usize = 200;
/// Octets of a reply's text that are kept, before its last line.
const TEXT_OCTETS_MAX: usize = 16 * 1024;
/// Stands for what was cut.
const CUT: &str = "[…]";

impl ReplyParser {
    /// Takes octets up to the end of one reply: how many were taken, and the reply if it is
    /// complete. After an error there is nothing more to be understood.
    pub fn take(&mut self, bytes: &[u8]) -> (usize, Result<Option<Reply>, ReplyError>) {
        let mut used = 0;
        while let Some(end) = memchr(b'\n', &bytes[used..]) {
            let rest = &bytes[used..used + end];
            used += end + 1;
            let reply = if self.line.is_empty() {
                self.line_ended(rest)
            } else {
                self.keep(rest);
                let line = std::mem::take(&mut self.line);
                self.line_ended(&line)
            };
            match reply {
                Ok(None) => {}
                done => return (used, done),
            }
        }
        self.keep(&bytes[used..]);
        let endless = self.line.len() >= LINE_OCTETS_END;
        (bytes.len(), if endless { Err(ReplyError::TooLong) } else { Ok(None) })
    }

    fn keep(&mut self, octets: &[u8]) {
        let room = LINE_OCTETS_END.saturating_sub(self.line.len());
        self.line.extend_from_slice(&octets[..octets.len().min(room)]);
    }

    fn line_ended(&mut self, line: &[u8]) -> Result<Option<Reply>, ReplyError> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let digits = line.first_chunk::<3>().ok_or(ReplyError::NoReply)?;
        let code = Code::parse(*digits).ok_or(ReplyError::NoReply)?;
        let (more, text) = match line.get(3) {
            None => (false, &line[3..]),
            Some(b' ') => (false, &line[4..]),
            Some(b'-') => (true, &line[4..]),
            Some(_) => return Err(ReplyError::NoReply),
        };
        let text = shown(text);
        if self.lines == 0 && !more {
            return Ok(Some(Reply::new(code, &*text)));
        }
        self.lines += 1;
        if self.lines > LINES_MAX {
            return Err(ReplyError::TooLong);
        }
        self.add(&text, more);
        if more {
            return Ok(None);
        }
        let Self { text, .. } = std::mem::take(self);
        Ok(Some(Reply::new(code, text)))
    }

    fn add(&mut self, text: &str, more: bool) {
        if self.cut && more {
            return;
        }
        if self.lines > 1 {
            self.text.push('\n');
        }
        self.cut |= more && self.text.len() + text.len() > TEXT_OCTETS_MAX;
        self.text.push_str(if more && self.cut { CUT } else { text });
    }
}

/// A line's text as it is kept.
fn shown(octets: &[u8]) -> Cow<'_, str> {
    let kept = &octets[..octets.len().min(LINE_OCTETS_MAX)];
    let mut text = String::from_utf8_lossy(kept);
    if text.chars().any(is_unprintable) {
        let seen = |c| if is_unprintable(c) { char::REPLACEMENT_CHARACTER } else { c };
        text = text.chars().map(seen).collect::<String>().into();
    }
    if kept.len() < octets.len() {
        text.to_mut().push_str(CUT);
    }
    text
}

/// Controls can move a terminal's cursor and break a log's line.
fn is_unprintable(c: char) -> bool {
    c.is_control() && c != '\t'
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(bytes: &[u8], chunk: usize) -> Vec<Result<Reply, ReplyError>> {
        let mut parser = ReplyParser::default();
        let mut replies = Vec::new();
        for mut piece in bytes.chunks(chunk) {
            while !piece.is_empty() {
                let (used, reply) = parser.take(piece);
                piece = &piece[used..];
                match reply {
                    Ok(Some(reply)) => replies.push(Ok(reply)),
                    Ok(None) => {}
                    Err(e) => {
                        replies.push(Err(e));
                        return replies;
                    }
                }
            }
        }
        replies
    }

    #[test]
    fn lines_are_joined_and_the_last_code_counts() {
        let replies = all(b"250-mx.example\r\n250-SIZE\r\n250 DSN\r\n421\n550-a\r\n451 b\r\n", 5);
        let texts: Vec<String> = replies.into_iter().map(|r| r.unwrap().to_string()).collect();
        assert_eq!(texts, ["250 mx.example / SIZE / DSN", "421 ", "451 a / b"]);
    }

    #[test]
    fn what_is_no_reply_is_an_error() {
        for text in
            ["hello\r\n", "25\r\n", "2500 x\r\n", "999 x\r\n", "\r\n", "HTTP/1.1 400 Bad\r\n"]
        {
            assert_eq!(all(text.as_bytes(), 100), [Err(ReplyError::NoReply)], "{text}");
        }
        assert_eq!(
            all(&[b"250-".as_slice(), &[b'a'; 100_000]].concat(), 999).last(),
            Some(&Err(ReplyError::TooLong))
        );
        assert_eq!(all(&b"250-a\r\n".repeat(300), 999).last(), Some(&Err(ReplyError::TooLong)));
    }

    #[test]
    fn what_is_too_long_is_cut_and_the_last_line_is_kept() {
        let long = [b"250-".as_slice(), &[b'a'; 3000], b"\r\n"].concat();
        let bytes = [long.repeat(20).as_slice(), b"554 5.7.1 the reason\r\n"].concat();
        let [Ok(reply)] = &all(&bytes, 999)[..] else { panic!("one reply") };
        assert!(reply.text().len() < 20_000);
        let lines: Vec<&str> = reply.lines().collect();
        assert_eq!((lines[0].len(), &lines[0][2046..]), (2048 + CUT.len(), "aa[…]"));
        assert_eq!(lines[lines.len() - 2..], [CUT, "5.7.1 the reason"]);
        assert_eq!(reply.code().number(), 554);
    }

    #[test]
    fn as_many_lines_and_octets_as_may_be_are_kept_whole() {
        let reply = |lines: usize| [b"250-a\r\n".repeat(lines - 1), b"250 z\r\n".to_vec()].concat();
        let [Ok(most)] = &all(&reply(LINES_MAX), 999)[..] else { panic!("one reply") };
        assert_eq!((most.lines().count(), most.lines().last()), (LINES_MAX, Some("z")));
        assert_eq!(all(&reply(LINES_MAX + 1), 999), [Err(ReplyError::TooLong)]);
        // Sixteen lines of a KiB, a newline before all but the first: the last fits exactly.
        let line = |octets: usize| [b"250-", &*vec![b'a'; octets], b"\r\n"].concat();
        for (over, is_cut) in [(0, false), (1, true)] {
            let before =
                [line(1023).repeat(TEXT_OCTETS_MAX / 1024 - 1), line(1024 + over)].concat();
            let [Ok(reply)] = &all(&[&*before, b"250 z\r\n"].concat(), 999)[..] else {
                panic!("one reply")
            };
            assert_eq!(reply.text().contains(CUT), is_cut, "{over} over");
            assert_eq!(reply.lines().last(), Some("z"));
        }
    }

    #[test]
    fn what_cannot_be_printed_is_replaced() {
        let [Ok(reply)] = &all(b"550 a\x1b[2J\tb\rc\xff\xc2\x9bd\r\n", 100)[..] else {
            panic!("one reply")
        };
        assert_eq!(reply.text(), "a\u{fffd}[2J\tb\u{fffd}c\u{fffd}\u{fffd}d");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn pieces_do_not_matter(bytes in "([245][0-9]{2}[- ][a-z\\r\\xff]{0,8}\r?\n){0,8}", chunk in 1usize..20) {
            prop_assert_eq!(all(bytes.as_bytes(), chunk), all(bytes.as_bytes(), 10_000));
        }
    }
}
