//! Replies quoted in running text: `550 5.1.1 <jo@example.net>... User unknown`.
//!
//! A number is a reply code where it begins a line or follows a colon, a bracket or a quote, or
//! where an enhanced status follows it; else it is a number like any other.

use postlane_mail::{Code, Status};

/// A reply in a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Quoted {
    /// Its code.
    pub(super) code: Code,
    /// Its enhanced status, if it has one of a failure.
    pub(super) status: Option<Status>,
    /// Where it begins in the line.
    pub(super) start: usize,
}

/// The first reply in a line that tells of a failure, 4xx or 5xx.
pub(super) fn first(line: &str) -> Option<Quoted> {
    let octets = line.as_bytes();
    (0..octets.len().saturating_sub(2)).find_map(|start| at(octets, start))
}

/// The reply that a writer's own one hands on: `554 <jo@b.example>... 550 Host unknown`.
pub(super) fn handed_on(line: &str, outer: Quoted) -> Option<Quoted> {
    let from = outer.start + 4;
    let at = from + line.get(from..)?.find("... ")? + 4;
    first(line.get(at..)?)
        .filter(|reply| reply.start == 0)
        .map(|reply| Quoted { start: at, ..reply })
}

/// The code of a reply as a field of a report has it: its first that goes with the status' class.
pub(super) fn code_in(text: &str, status: Option<Status>) -> Option<Code> {
    let class = |code: Code| u8::try_from(code.number() / 100).unwrap_or_default();
    let octets = text.as_bytes();
    let mut found = (0..octets.len().saturating_sub(2))
        .filter_map(|start| at(octets, start).map(|reply| reply.code));
    let first = found.next()?;
    match status {
        Some(status) if class(first) != status.class => {
            Some(found.find(|code| class(*code) == status.class).unwrap_or(first))
        }
        _ => Some(first),
    }
}

/// Where the first reply with that code begins in a text.
pub(super) fn start_of(text: &str, code: Code) -> Option<usize> {
    let octets = text.as_bytes();
    if code.is_success() {
        return text.starts_with(&code.to_string()).then_some(0);
    }
    (0..octets.len().saturating_sub(2))
        .filter_map(|start| at(octets, start))
        .find_map(|reply| (reply.code == code).then_some(reply.start))
}

/// The best enhanced status in a text: the first that says more than its class.
pub(super) fn status_in(text: &str) -> Option<Status> {
    let mut general = None;
    for status in statuses(text) {
        if says_more(status) {
            return Some(status);
        }
        general = general.or(Some(status));
    }
    general
}

/// Whether a status says more than success or failure.
pub(super) fn says_more(status: Status) -> bool {
    status.subject != 0 || status.detail != 0
}

/// The more exact of what a report says and what the reply in it says.
pub(super) fn preferred(of_report: Option<Status>, of_reply: Option<Status>) -> Option<Status> {
    match (of_report, of_reply) {
        (Some(report), Some(reply)) if report.class != reply.class => Some(report),
        (Some(report), Some(reply)) if !says_more(report) && says_more(reply) => Some(reply),
        // That time has run out says nothing of what it was spent on (RFC 3463 §3.5).
        (Some(report), Some(reply))
            if (report.subject, report.detail) == (4, 7) && says_more(reply) =>
        {
            Some(reply)
        }
        // x.y.0 says only what it is about.
        (Some(report), Some(reply))
            if report.subject == reply.subject && report.detail == 0 && reply.detail != 0 =>
        {
            Some(reply)
        }
        (Some(report), _) => Some(report),
        (None, reply) => reply,
    }
}

fn at(octets: &[u8], start: usize) -> Option<Quoted> {
    let digits = octets.get(start..start + 3)?;
    let digits: [u8; 3] = digits.try_into().ok()?;
    if !matches!(digits[0], b'4' | b'5') {
        return None;
    }
    let code = Code::parse(digits)?;
    let before = octets.get(..start)?;
    let behind = octets.get(start + 3..)?;
    if before.last().is_some_and(|b| !opens(*b)) {
        return None;
    }
    let gap = behind.iter().take_while(|b| matches!(b, b' ' | b'-' | b'#' | b'\t' | b'(')).count();
    let text = behind.get(gap..)?;
    let status = Status::parse_prefix(text).map(|(status, _)| status);
    let status = status.filter(|status| matches!(status.class, 4 | 5) && status.subject <= 7);
    let ends = match behind.first() {
        None | Some(b'-' | b' ' | b'\t' | b',' | b':' | b';' | b'"' | b'\'' | b']' | b'>') => true,
        Some(b'.') => !behind.get(1).is_some_and(u8::is_ascii_digit),
        Some(_) => false,
    };
    let led = leads(before.trim_ascii_end());
    // Second digits beyond 5 are rare in replies, and common in other numbers.
    let known = matches!(code.number(), 421 | 450..=454 | 550..=554);
    let joined = known && behind.first() == Some(&b'-') && gap == 1;
    // `[192.0.2.1], 550 <jo@b.example>... No such user`
    let listed = known
        && before.trim_ascii_end().ends_with(b",")
        && text.iter().take(80).any(|b| *b == b'@');
    let bare = (led || joined || listed)
        && digits[1] <= b'5'
        && !text.first().is_some_and(u8::is_ascii_digit);
    let is_reply = ends && (status.is_some() || bare);
    is_reply.then_some(Quoted { code, status, start })
}

/// What may stand right in front of a code.
fn opens(b: u8) -> bool {
    matches!(
        b,
        b' ' | b'\t'
            | b':'
            | b'"'
            | b'\''
            | b'['
            | b'('
            | b'<'
            | b'>'
            | b';'
            | b','
            | b'='
            | b'`'
            | b'#'
    )
}

/// Whether a text that ends so leads to a reply.
fn leads(before: &[u8]) -> bool {
    let introduces = |word: &str| {
        before.len() >= word.len()
            && before[before.len() - word.len()..].eq_ignore_ascii_case(word.as_bytes())
    };
    before.last().is_none_or(|b| {
        matches!(b, b':' | b'"' | b'\'' | b'[' | b'(' | b'<' | b'>' | b';' | b'=' | b'`' | b'#')
    }) || [
        "said",
        "error",
        "code",
        "reply",
        "response",
        "status",
        "smtp",
        "failed with",
        "rejected with",
        "responded with",
        "replied with",
        "returned",
        "-",
        "reason",
    ]
    .iter()
    .any(|word| introduces(word))
}

/// All enhanced statuses of failures in a text.
fn statuses(text: &str) -> impl Iterator<Item = Status> + '_ {
    let octets = text.as_bytes();
    (0..octets.len()).filter_map(move |start| {
        let before = start.checked_sub(1).and_then(|at| octets.get(at));
        if before.is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'/')) {
            return None;
        }
        let (status, length) = Status::parse_prefix(octets.get(start..)?)?;
        let behind = octets.get(start + length);
        // Subjects end at 7 (RFC 3463 §3); versions of programs do not.
        let is_status = matches!(status.class, 4 | 5)
            && status.subject <= 7
            && !behind.is_some_and(|b| b.is_ascii_alphabetic() || matches!(b, b'_' | b'/'));
        is_status.then_some(status)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(line: &str) -> Option<u16> {
        first(line).map(|reply| reply.code.number())
    }

    #[test]
    fn a_reply_is_found_where_lines_quote_one() {
        for line in [
            "550 5.1.1 <a@b.example>... User unknown",
            "<<< 550 User unknown",
            "Remote host said: 550-5.7.26 This mail is not authenticated",
            "host mx.example [192.0.2.1]: 550 no such user",
            "550: <a@b.example>: User unknown",
            "It responded as follows: [550 5.1.1 User unknown]",
            "    (reason: 550 5.1.1 <a@b.example>... User unknown)",
            "said 550 no",
            "Remote Server returned '550 5.1.10 RESOLVER.ADR.RecipientNotFound'",
            "smtp; 550 x",
            "#550 5.1.1 RESOLVER.ADR.RecipNotFound; not found ##",
            "Server mx.b.example[192.0.2.1] failed with: 550 no such user",
            "other problem 550-'Unknown user'",
        ] {
            assert_eq!(code(line), Some(550), "{line}");
        }
    }

    #[test]
    fn other_numbers_are_no_codes() {
        for line in [
            "more than 550 messages",
            "sent with 450 recipients",
            "192.0.2.550 is none",
            "5500 x",
            "id 550abc",
            "[192.0.2.1]:554x",
            "Thu, 29 Apr 2010 23:45:43",
            "590 x",
        ] {
            assert_eq!(code(line), None, "{line}");
        }
    }

    #[test]
    fn the_status_that_says_most_is_taken() {
        assert_eq!(status_in("5.0.0 then #5.1.1 x"), Some(Status::new(5, 1, 1)));
        assert_eq!(status_in("(#4.4.3)I'm"), Some(Status::new(4, 4, 3)));
        assert_eq!(status_in("Exim 4.94.2, 192.0.2.5, 5.1.1.2"), None);
        let (general, exact) = (Some(Status::new(5, 0, 0)), Some(Status::new(5, 7, 606)));
        assert_eq!(preferred(general, exact), exact);
        assert_eq!(preferred(Some(Status::new(5, 1, 0)), exact), Some(Status::new(5, 1, 0)));
        assert_eq!(preferred(Some(Status::new(4, 0, 0)), exact), Some(Status::new(4, 0, 0)));
        assert_eq!(preferred(None, exact), exact);
    }
}
