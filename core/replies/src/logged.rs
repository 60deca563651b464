//! Replies as logs of mail servers have them: with the host that spoke and what it answered.
//!
//! Postfix, Exim, Sendmail, qmail, OpenSMTPD, our own log, bounces' `Diagnostic-Code` and plain
//! replies are read; of any other line, a reply that stands in it behind a colon, a quote or a
//! bracket. Nothing is believed of a log but what it repeats of the other side's words.

use postlane_mail::{Reply, Stage};

use crate::recorded::{read_reply, read_stage};

/// What a line of a log repeats of a dialogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    /// What was said.
    pub reply: Reply,
    /// What it answered, if the line tells.
    pub stage: Option<Stage>,
    /// The host that said it, as the line names it.
    pub host: Option<Box<str>>,
    /// The provider that said it; our own log alone tells.
    pub provider: Option<Box<str>>,
    /// The domain of the recipient it was said about.
    pub domain: Option<Box<str>>,
}

/// How much of a line is looked at, in octets. Replies are far shorter; chosen, not measured.
const LINE_MAX: usize = 64 * 1024;

/// What goes before a reply in the logs of the programs we know, the more telling first.
const BEFORE_REPLY: &[&str] = &[
    "refused to talk to me: ",
    " said: ",
    "SMTP error from remote mail server",
    "SMTP error from remote mailer",
    "emote host said: ",
    "Diagnostic-Code:",
    "diagnostic-code:",
    "<<< ",
    "stat=",
];

/// The reply in a line of a log, if there is one.
pub fn read_logged(line: &str) -> Option<Logged> {
    let line = beginning(line.trim());
    if let Some(reply) = read_reply(line) {
        return Some(Logged { reply, stage: None, host: None, provider: None, domain: None });
    }
    if let Some(own) = of_our_own(line) {
        return Some(own);
    }
    // qmail writes its reports without blanks.
    if line.contains("emote_host_said:_") {
        let line = line.replace('_', " ");
        return foreign(line.split("/Giving up on ").next().unwrap_or_default());
    }
    foreign(line)
}

/// As much of a line as is looked at.
fn beginning(line: &str) -> &str {
    let end = (0..=LINE_MAX.min(line.len())).rev().find(|at| line.is_char_boundary(*at));
    line.get(..end.unwrap_or_default()).unwrap_or_default()
}

/// A line of our own log: `key=value`, values with blanks in quotes (`docs/guide/logs.md`).
fn of_our_own(line: &str) -> Option<Logged> {
    let (code, _) = (value(line, "code")?, value(line, "event")?);
    let text = value(line, "text").unwrap_or_default();
    let reply = read_reply(&format!("{code} {}", text.replace('\n', " / ")))?;
    let is_name = |host: &String| !host.is_empty() && !host.starts_with('[') && !host.contains(' ');
    let host = value(line, "host").filter(is_name);
    Some(Logged {
        reply,
        stage: value(line, "stage").and_then(|stage| read_stage(&stage)),
        host: host.map(String::into_boxed_str),
        provider: value(line, "provider").map(String::into_boxed_str),
        domain: value(line, "to").and_then(|to| domain_of(&to)),
    })
}

/// The value of a key of our own log.
fn value(line: &str, key: &str) -> Option<String> {
    let begins = |at: &usize| *at == 0 || line.as_bytes().get(at - 1) == Some(&b' ');
    let at = line.match_indices(key).map(|(at, _)| at).filter(begins);
    let rest = at.filter_map(|at| line.get(at + key.len()..)?.strip_prefix('=')).next()?;
    let Some(quoted) = rest.strip_prefix('"') else {
        return Some(rest.split(' ').next().unwrap_or_default().to_owned());
    };
    let mut value = String::new();
    let mut chars = quoted.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => break,
            '\\' => match chars.next()? {
                'n' => value.push('\n'),
                'r' | 't' => value.push(' '),
                other => value.push(other),
            },
            plain => value.push(plain),
        }
    }
    Some(value)
}

/// A line of somebody else's log.
fn foreign(line: &str) -> Option<Logged> {
    let marked = BEFORE_REPLY.iter().find_map(|mark| {
        let at = line.find(mark)?;
        Some((*mark, line.get(at + mark.len()..)?))
    });
    let (mark, said) = marked.unwrap_or(("", line));
    let at = if mark.is_empty() { unmarked_reply(said) } else { code_begins(said, marks_code) }?;
    let (before, said) = said.split_at(at);
    let (said, answered) = without_brackets(said);
    let stage = match mark {
        "refused to talk to me: " => Some(Stage::Connect),
        _ => answered.and_then(stage_answered).or_else(|| stage_answered(after(before)?)),
    };
    let recipient = recipient(line);
    Some(Logged {
        reply: read_reply(said)?,
        stage,
        host: host(line).map(Into::into),
        provider: None,
        domain: recipient.and_then(domain_of),
    })
}

/// Exim says what it had sent: `after RCPT TO:<jo@example.net>: 550 …`.
fn after(before: &str) -> Option<&str> {
    before.split_once("after ").map(|(_, sent)| sent.trim_start_matches("pipelined "))
}

/// Cuts off what Postfix writes behind a reply, and says what it answered:
/// `… (in reply to RCPT TO command))`.
fn without_brackets(said: &str) -> (&str, Option<&str>) {
    const ANSWERS: &str = " (in reply to ";
    if let Some((said, answered)) = said.rsplit_once(ANSWERS) {
        return (said, Some(answered));
    }
    let opened = said.bytes().filter(|byte| *byte == b'(').count();
    let closed = said.bytes().filter(|byte| *byte == b')').count();
    let said = said.trim_end_matches(['"', '\'', ',', '}']);
    let said = if closed > opened { said.strip_suffix(')').unwrap_or(said) } else { said };
    (said, None)
}

/// The stage of a command as logs write it: `RCPT TO command))`, `end of DATA command`,
/// `MAIL FROM:<…> SIZE=1`, `initial connection`.
fn stage_answered(command: &str) -> Option<Stage> {
    let command = command.to_ascii_lowercase();
    let words = ["mail from", "rcpt to", "end of data", "ehlo", "helo", "lhlo", "starttls", "auth"];
    let others =
        [("initial", "connect"), ("sending data", "dot"), ("data", "data"), ("quit", "quit")];
    let known = words.iter().map(|word| (*word, *word)).chain(others);
    known
        .into_iter()
        .find(|(word, _)| command.starts_with(word))
        .and_then(|(_, stage)| read_stage(stage))
}

/// Where the code of a reply begins.
fn code_begins(text: &str, marks: fn(&[u8], usize) -> bool) -> Option<usize> {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    (0..bytes.len().saturating_sub(2)).find(|at| {
        let is_code = matches!(bytes[*at], b'2'..=b'5') && digit(at + 1) && digit(at + 2);
        let ends =
            !bytes.get(at + 3).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'.');
        is_code && ends && marks(bytes, *at)
    })
}

/// Behind a mark, a code begins anywhere but inside something else.
fn marks_code(bytes: &[u8], at: usize) -> bool {
    let Some(before) = at.checked_sub(1) else { return true };
    matches!(bytes[before], b' ' | b':' | b';' | b'(' | b'"' | b'\'' | b'/')
}

/// Where a reply begins in a line that nothing is known of: behind a colon, a quote, a bracket
/// or a semicolon, and with words or an enhanced status behind it.
fn unmarked_reply(line: &str) -> Option<usize> {
    code_begins(line, |bytes, at| {
        let Some(before) = at.checked_sub(1) else { return true };
        let opens = match bytes[before] {
            b'"' | b'\'' | b'(' | b';' | b'[' => true,
            b' ' => before > 0 && matches!(bytes[before - 1], b':' | b';'),
            _ => false,
        };
        let behind = bytes.get(at + 3..).unwrap_or_default();
        let is_reply = matches!(behind.first(), Some(b' ' | b'-'))
            && behind.get(1).is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == bytes[at]);
        opens && is_reply
    })
}

/// The host that spoke: `host mx.example.net[192.0.2.1] said`, `relay=mx.example.net[…]:25`,
/// `H=mx.example.net [192.0.2.1]`.
fn host(line: &str) -> Option<&str> {
    let name = |mark: &str| {
        let rest = line.split_once(mark)?.1;
        let end = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'));
        let name = rest.split(end).next()?.trim_end_matches('.');
        let is_name = name.contains('.') && name.bytes().any(|byte| byte.is_ascii_alphabetic());
        is_name.then_some(name)
    };
    ["(host ", ": host ", " host ", "relay=", " H=", "dns;", "dns; "].into_iter().find_map(name)
}

/// The recipient: `to=<jo@example.net>`, Exim's `== jo@example.net` and `** jo@example.net`.
fn recipient(line: &str) -> Option<&str> {
    ["to=<", " == ", " ** ", " to="].into_iter().find_map(|mark| {
        let rest = line.split_once(mark)?.1;
        let address = rest.split(['>', ' ', ',']).next()?;
        address.contains('@').then_some(address)
    })
}

fn domain_of(address: &str) -> Option<Box<str>> {
    let domain = address.rsplit_once('@')?.1.trim_end_matches(['>', '.']);
    (!domain.is_empty()).then(|| domain.to_ascii_lowercase().into())
}

#[cfg(test)]
mod tests;
