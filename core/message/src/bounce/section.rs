//! What a bounce says about one recipient: the lines from its name to the next one.

use std::collections::BTreeMap;

use postlane_mail::Status;

use super::address::addresses;
use super::reply::{self, Quoted, status_in};
use super::status_part::VALUE_OCTETS_MAX;

/// Octets of a line in which a reply is looked for. Chosen, not measured: SMTP lines have 512.
const LINE_OCTETS_MAX: usize = 8_192;

/// Lines that a quoted reply may go on for. Chosen, not measured: real ones have up to a dozen.
const REPLY_LINES_MAX: usize = 24;

/// Lines of words that are taken where there is no reply. Chosen, not measured.
const WORDS_LINES_MAX: usize = 6;

/// Lines that name a recipient that are looked at. Chosen, not measured.
const NAMED_MAX: usize = 100;

/// What is said about a recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    /// The reply, if one is quoted.
    pub(super) reply: Option<Quoted>,
    /// Its text with its code, or the words for people.
    pub(super) text: String,
    /// The most exact status near it.
    pub(super) status: Option<Status>,
}

/// The best reply that is quoted in lines: one that is marked as what the other host said, before
/// one that the writer may have made up.
pub(super) fn quoted_in(lines: &[&str]) -> Option<Said> {
    let mut best: Option<(u8, usize, Quoted)> = None;
    for (at, line) in lines.iter().enumerate() {
        let line = line.get(..line.floor_char_boundary(LINE_OCTETS_MAX)).unwrap_or_default();
        let Some(reply) = reply::first(line) else { continue };
        let reply = reply::handed_on(line, reply).unwrap_or(reply);
        let weight = weight(line, reply.start);
        if best.as_ref().is_none_or(|(known, _, _)| weight < *known) {
            best = Some((weight, at, reply));
        }
    }
    let (_, at, reply) = best?;
    let text = whole_reply(lines.get(at..)?, reply);
    let class = u8::try_from(reply.code.number() / 100).unwrap_or_default();
    let of_text = status_in(&text).filter(|status| status.class == class);
    let status = reply::preferred(reply.status, of_text);
    Some(Said { reply: Some(reply), text, status })
}

/// The lines that name each recipient, found once for all of them.
#[derive(Debug, Default)]
pub(super) struct Mentions(BTreeMap<String, Vec<usize>>);

impl Mentions {
    pub(super) fn of(lines: &[&str]) -> Self {
        let mut mentions = Self::default();
        for (at, line) in lines.iter().enumerate() {
            for found in addresses(line) {
                let known = mentions.0.entry(found.address.to_ascii_lowercase()).or_default();
                if known.len() < NAMED_MAX && known.last() != Some(&at) {
                    known.push(at);
                }
            }
        }
        mentions
    }

    /// The best reply in the lines that name a recipient.
    pub(super) fn quoted(&self, address: &str, lines: &[&str]) -> Option<Said> {
        let named = self.0.get(&address.to_ascii_lowercase())?;
        let about: Vec<&str> = named.iter().filter_map(|at| lines.get(*at).copied()).collect();
        quoted_in(&about)
    }
}

/// The words behind a recipient's name, else below it, up to an empty line, else above it.
pub(super) fn words_in(before: &str, rest: &str, lines: &[&str], above: &[&str]) -> Option<Said> {
    let is_word = |line: &&str| !line.is_empty() && !is_rule(line);
    let leads = |line: &&str| !is_word(line) || line.ends_with(':');
    let rest = rest.trim_matches(|c: char| c.is_whitespace() || "[].-".contains(c));
    let below = lines.iter().map(|line| line.trim());
    let mut words: Vec<&str> = Vec::new();
    words.extend(Some(rest).filter(is_word));
    if words.is_empty() {
        words.extend(below.skip_while(leads).take_while(is_word).take(WORDS_LINES_MAX));
    } else {
        words.extend(below.take_while(is_word).take(WORDS_LINES_MAX));
    }
    if words.is_empty() {
        let before = before.trim().trim_end_matches([':', '<', ' ']);
        words.extend(Some(before).filter(|before| before.contains(' ')));
    }
    if words.is_empty() {
        let above = above.iter().rev().map(|line| line.trim()).skip_while(|line| !is_word(line));
        let above: Vec<&str> = above.take_while(is_word).take(WORDS_LINES_MAX).collect();
        words.extend(above.into_iter().rev());
    }
    let text = bounded(&words.join(" "));
    let status = status_in(&text);
    (!text.is_empty()).then_some(Said { reply: None, text, status })
}

/// The host that lines say they talked to.
pub(super) fn host_in(lines: &[&str]) -> Option<String> {
    let marks =
        ["talking to ", "host ", "server <", "domain by ", "remote system: dns; ", "connect to "];
    lines.iter().take(REPLY_LINES_MAX).find_map(|line| {
        let lower = line.to_ascii_lowercase();
        marks.iter().find_map(|mark| {
            let behind = line.get(lower.find(mark)? + mark.len()..)?;
            let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
            let end = behind.find(|c| !is_name(c)).unwrap_or(behind.len());
            let name = behind.get(..end)?.trim_end_matches('.');
            (name.contains('.') && name.len() <= 255).then(|| name.to_owned())
        })
    })
}

/// How likely a reply is the other host's own; the less the likelier.
fn weight(line: &str, start: usize) -> u8 {
    let before = line.get(..start).unwrap_or_default().trim_end();
    let marked = ["<<<", ">>>", "said:", "says:", "was:", "returned", "reason:", "respon"];
    let lower = before.to_ascii_lowercase();
    if marked.iter().any(|mark| lower.contains(mark)) { 0 } else { 1 }
}

/// The text of a reply that begins in the first line, as far as it goes on below.
fn whole_reply(lines: &[&str], reply: Quoted) -> String {
    let first = lines.first().copied().unwrap_or_default();
    let before = first.get(..reply.start).unwrap_or_default();
    let dialogue = before.trim_start().starts_with("<<<");
    let mut text = first.get(reply.start..).unwrap_or_default().trim_end().to_owned();
    let code = reply.code.to_string();
    for line in lines.iter().skip(1).take(REPLY_LINES_MAX) {
        let line = line.trim();
        let line = if dialogue { line.strip_prefix("<<<").map_or("", str::trim) } else { line };
        let again = line.starts_with(&code);
        let more = text.rsplit('\n').next().is_some_and(|last| last.get(3..4) == Some("-"));
        let ended = line.is_empty() || is_end(line) || (dialogue && !(again && more));
        // Another reply, or another recipient.
        let other =
            !again && (reply::first(line).is_some_and(|reply| reply.start == 0) || is_name(line));
        if ended || other || text.len() > VALUE_OCTETS_MAX || (again && !more) {
            break;
        }
        text.push(if again { '\n' } else { ' ' });
        text.push_str(line);
    }
    let closer = match before.chars().next_back() {
        Some('"') => Some('"'),
        Some('\'') => Some('\''),
        Some('[') => Some(']'),
        Some('(') => Some(')'),
        _ if before.contains("(reason:") => Some(')'),
        _ => None,
    };
    // What encloses it is not part of it.
    if let Some(end) = closer.and_then(|closer| text.rfind(closer)) {
        text.truncate(end);
    }
    bounded(&text)
}

/// Whether a line names a recipient and nothing else.
fn is_name(line: &str) -> bool {
    let name = line.strip_suffix(':').unwrap_or(line);
    name.starts_with('<') && name.ends_with('>') && name.contains('@') && !name.contains(' ')
}

/// Whether a writer goes on with words of its own.
fn is_end(line: &str) -> bool {
    let ends = [
        "giving up on",
        "i'm not going to try",
        "---",
        "===",
        "***",
        ">>>",
        "... while talking",
        "while talking",
        "reporting-mta:",
        "step:",
        "remote system:",
        "recipient address:",
        "the attachment contains",
    ];
    let lower = line.to_ascii_lowercase();
    ends.iter().any(|end| lower.starts_with(end))
}

/// Whether a line only separates.
fn is_rule(line: &str) -> bool {
    line.chars().all(|c| !c.is_alphanumeric()) || line.starts_with("---") || line.starts_with("***")
}

fn bounded(text: &str) -> String {
    let text = text.trim();
    text.get(..text.floor_char_boundary(VALUE_OCTETS_MAX)).unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Said {
        quoted_in(&text.lines().collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn a_reply_is_quoted_whole_and_no_further() {
        let said = said(
            "192.0.2.1 failed after I sent the message.\n\
             Remote host said: 550-5.7.26 Unauthenticated email is not accepted due to\n\
             550-5.7.26 policy. Please contact\n550 5.7.26 the administrator\n\
             Giving up on 192.0.2.1.\n",
        );
        assert_eq!(
            said.text,
            "550-5.7.26 Unauthenticated email is not accepted due to\n\
             550-5.7.26 policy. Please contact\n550 5.7.26 the administrator"
        );
        assert_eq!(said.status, Some(Status::new(5, 7, 26)));
    }

    #[test]
    fn what_the_other_host_said_comes_before_what_the_writer_says() {
        let said = said("554 5.0.0 Service unavailable\n>>> DATA\n<<< 550 5.2.1 <a@b>... gone\n");
        assert_eq!(said.text, "550 5.2.1 <a@b>... gone");
        let wrapped = self::said("   (reason: 550 5.1.1 <a@b.example>... User unknown)");
        assert_eq!(wrapped.text, "550 5.1.1 <a@b.example>... User unknown");
    }

    #[test]
    fn words_are_taken_where_there_is_no_reply() {
        let lines = ["", "  host not found", "  in the DNS", "", "more"];
        let text = |before, rest, below: &[&str], above: &[&str]| {
            words_in(before, rest, below, above).map(|said| said.text)
        };
        let found = Some("host not found in the DNS".to_owned());
        assert_eq!(text("", "", &lines, &[]), found);
        assert_eq!(text("", " [User unknown]", &["", "x"], &[]).unwrap(), "User unknown");
        assert_eq!(text("Mailbox is full: <", "", &[""], &[]).unwrap(), "Mailbox is full");
        assert_eq!(text("", "", &[], &["---", "", "not listed"]).unwrap(), "not listed");
        assert_eq!(text("", "", &[], &[]), None);
    }

    #[test]
    fn the_host_is_known_from_what_is_said_of_it() {
        assert_eq!(host_in(&["... while talking to mx.example.:"]).as_deref(), Some("mx.example"));
        assert_eq!(host_in(&["host mx.b.example [192.0.2.1]"]).as_deref(), Some("mx.b.example"));
        assert_eq!(host_in(&["Host unknown"]), None);
    }
}
