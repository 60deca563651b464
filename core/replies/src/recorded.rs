//! Replies as people have them: from a log, a bounce or a page, on one line or on several.

use postlane_mail::{Code, Reply, Stage, Status};

/// Reads a reply as it was written down.
///
/// Lines may be parted by a line break, by a ` / `, or by nothing but their code said again
/// (`421-one 421 two`), as logs join them. Anything before the code is not looked at.
/// `None` without a code of three digits, 2 to 5 first, at its beginning.
pub fn read_reply(text: &str) -> Option<Reply> {
    let text = text.trim();
    let (code, first) = split_code(text)?;
    let mut lines: Vec<&str> = Vec::new();
    for line in first.lines() {
        let line = line.trim();
        let line = split_code(line).filter(|(again, _)| *again == code).map_or(line, |(_, l)| l);
        split_joined(line, code, &mut lines);
    }
    Some(Reply::new(code, lines.join("\n")))
}

/// The code at the beginning of a line, and what is behind it.
fn split_code(line: &str) -> Option<(Code, &str)> {
    let digits: [u8; 3] = line.as_bytes().get(..3)?.try_into().ok()?;
    let code = Code::parse(digits)?;
    let rest = &line[3..];
    match rest.as_bytes().first() {
        None => Some((code, rest)),
        Some(b' ' | b'-' | b':' | b'\t' | b'\n' | b'\r' | b',' | b';') => {
            Some((code, rest[1..].trim_start()))
        }
        // `550#5.1.0`, `550[…`: nobody's grammar, and seen.
        Some(byte) if !byte.is_ascii_alphanumeric() && *byte != b'.' => Some((code, rest)),
        Some(_) => None,
    }
}

/// Parts a line where the code is said again, `421-` or `421 `, between blanks.
fn split_joined<'t>(line: &'t str, code: Code, lines: &mut Vec<&'t str>) {
    let said = code.to_string();
    let mut rest = line;
    let mut from = 0;
    while let Some(found) = rest.get(from..).and_then(|tail| tail.find(&said)) {
        let at = from + found;
        let bytes = rest.as_bytes();
        let begins = at > 0 && matches!(bytes[at - 1], b' ' | b'/');
        let goes_on = matches!(bytes.get(at + 3), Some(b'-' | b' '));
        if begins && goes_on {
            lines.push(rest[..at].trim_end_matches(['/', ' ']));
            rest = rest[at + 4..].trim_start();
            from = 0;
        } else {
            from = at + 3;
        }
    }
    lines.push(rest);
}

/// The enhanced status a reply has: where it should be, else the first of its class in the text,
/// as in `550 User unknown (#5.1.1)`.
pub fn status_of(reply: &Reply) -> Option<Status> {
    let at_line = |line: &str| Status::parse_prefix(line.as_bytes()).map(|(status, _)| status);
    // Most replies are one line.
    if memchr::memchr(b'\n', reply.text().as_bytes()).is_none() {
        let class = reply.code().number() / 100;
        let begins = at_line(reply.text());
        let is_of_class = |status: &Status| u16::from(status.class) == class;
        return begins.filter(is_of_class).or_else(|| in_text(reply)).or(begins);
    }
    let anywhere = || in_text(reply).or_else(|| reply.lines().filter_map(at_line).next_back());
    reply.status().or_else(anywhere)
}

/// The first `c.s.d` of the code's class that stands alone in the text.
fn in_text(reply: &Reply) -> Option<Status> {
    let class = u8::try_from(reply.code().number() / 100).ok()?;
    let bytes = reply.text().as_bytes();
    let mut at = 0;
    while let Some(dot) = memchr_dot(bytes, at) {
        at = dot + 1;
        let Some(begin) = dot.checked_sub(1) else { continue };
        let alone = begin == 0
            || !matches!(bytes[begin - 1], b'0'..=b'9' | b'.' | b'a'..=b'z' | b'A'..=b'Z');
        if alone
            && bytes[begin] == b'0' + class
            && let Some((status, _)) = Status::parse_prefix(&bytes[begin..])
        {
            return Some(status);
        }
    }
    None
}

fn memchr_dot(bytes: &[u8], from: usize) -> Option<usize> {
    memchr::memchr(b'.', bytes.get(from..)?).map(|at| from + at)
}

/// The stage that is meant by a name, in any case: also `banner`, `helo`, `eom`, `rcpt to`,
/// `end of data` and their kin, as logs have them.
pub fn read_stage(name: &str) -> Option<Stage> {
    let name = name.trim().to_ascii_lowercase().replace(['_', '-'], " ");
    Some(match name.as_str() {
        "connect" | "connection" | "banner" | "greeting" => Stage::Connect,
        "helo" | "ehlo" | "lhlo" => Stage::Ehlo,
        "starttls" | "tls" => Stage::StartTls,
        "auth" => Stage::Auth,
        "mail" | "mail from" => Stage::Mail,
        "rcpt" | "rcpt to" => Stage::Rcpt,
        "data" | "bdat" => Stage::Data,
        "dot" | "eom" | "end of data" | "." | "message" | "dot/eom" => Stage::Dot,
        "quit" | "rset" | "noop" => Stage::Quit,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> String {
        let reply = read_reply(text).unwrap();
        format!("{}|{}", reply.code(), reply.text().replace('\n', "|"))
    }

    #[test]
    fn lines_are_parted_however_they_were_joined() {
        assert_eq!(read("421 one"), "421|one");
        assert_eq!(read("421-one\r\n421 two"), "421|one|two");
        assert_eq!(read("421-one 421-two 421 three"), "421|one|two|three");
        assert_eq!(read("421 one / 421 two"), "421|one|two");
        assert_eq!(read("550"), "550|");
        assert_eq!(read("550#5.1.0 Address rejected"), "550|#5.1.0 Address rejected");
        assert_eq!(read("554 see IP 10.554 x, error 554."), "554|see IP 10.554 x, error 554.");
    }

    #[test]
    fn what_has_no_code_is_no_reply() {
        for text in ["", "55", "hello", "650 x", "5501 x", "550a"] {
            assert_eq!(read_reply(text), None, "{text}");
        }
    }

    #[test]
    fn a_status_is_found_where_it_should_not_be() {
        let status = |text| status_of(&read_reply(text).unwrap()).map(|s| s.to_string());
        assert_eq!(status("550 5.1.1 x 5.7.1").as_deref(), Some("5.1.1"));
        assert_eq!(status("550 x (#5.1.1)").as_deref(), Some("5.1.1"));
        assert_eq!(status("550 from 5.1.1.1 and 15.1.1"), None);
        assert_eq!(status("554 4.4.7 expired").as_deref(), Some("4.4.7"));
        assert_eq!(status("550 version a5.1.1"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_is_none(text in "\\PC{0,120}") {
            let _ = read_reply(&text);
            let _ = read_reply(&format!("421 {text}")).map(|reply| status_of(&reply));
        }
    }
}
