//! Exim's main log: arrivals, deliveries, refusals, and what it puts off without a try.
//!
//! `=>` and `->` were taken, `**` is bounced, `==` waits. A wait because the `retry time` is `not
//! reached` is no try: the host heard nothing. A message's id begins with the second it came in.
//! Deliveries to files and programs (no `H=`) concern no provider and are left out.

use memchr::memmem;
use postlane_mail::{Instant, Stage};

use crate::attempt::{Attempt, Outcome, Said, Source, Told};
use crate::stamp::Clock;
use crate::syslog::{Line, cut};

/// What a line of Exim's main log tells, with or without syslog's head.
pub(crate) fn read<'l>(clock: &mut Clock, line: &'l [u8]) -> Told<'l> {
    let (stamped, machine, says) = match Line::read(line).filter(|line| is_exim(line.program)) {
        Some(syslog) => (syslog.stamped, syslog.machine, syslog.says),
        None => (line, &line[..0], line),
    };
    let Some((mut at, end)) = clock.read(stamped) else { return Told::Bad };
    // Behind syslog's head Exim's own moment may stand again.
    let mut rest = if machine.is_empty() { says.get(end..).unwrap_or_default() } else { says };
    if !machine.is_empty()
        && let Some((own, end)) = clock.read(rest)
    {
        at = own;
        rest = rest.get(end..).unwrap_or_default();
    }
    let Some((id, rest)) = cut(without_number(rest), b' ').filter(|(id, _)| is_id(id)) else {
        return Told::Nothing;
    };
    let source = Source { machine, instance: b"" };
    let (mark, behind) = rest.split_at_checked(2).unwrap_or((rest, b""));
    let behind = behind.strip_prefix(b" ").unwrap_or(behind);
    match mark {
        b"=>" | b"->" | b"*>" => taken(at, source, id, behind),
        b"**" => refused(at, source, id, behind, Outcome::Bounced),
        b"==" => refused(at, source, id, behind, Outcome::Deferred),
        b"<=" => arrival(source, id, behind),
        b"Co" if rest.starts_with(b"Completed") => Told::Removed { source, id },
        _ => Told::Nothing,
    }
}

/// Whether a line is one of Exim's main log, to tell logs apart.
pub(crate) fn is_line(line: &[u8]) -> bool {
    let line = Line::read(line).filter(|line| is_exim(line.program)).map_or(line, |line| line.says);
    let rest = Clock::new(1970).read(line).and_then(|(_, end)| line.get(end..)).unwrap_or(line);
    const MARKS: [&[u8]; 7] = [b"<= ", b"=> ", b"-> ", b"** ", b"== ", b"Completed", b"H="];
    cut(without_number(rest), b' ')
        .is_some_and(|(id, rest)| is_id(id) && MARKS.iter().any(|mark| rest.starts_with(mark)))
}

/// Less the `[1234]` that the log selector `pid` writes.
fn without_number(text: &[u8]) -> &[u8] {
    let behind = text.strip_prefix(b"[").and_then(|rest| cut(rest, b']')).map(|(_, rest)| rest);
    behind.map_or(text, |rest| rest.strip_prefix(b" ").unwrap_or(rest))
}

fn is_exim(program: &[u8]) -> bool {
    matches!(program, b"exim" | b"exim4")
}

/// `1xUpQu-0006TX-0b`, or `1xUpQu-00000000abC-0bcd` since 4.97.
fn is_id(text: &[u8]) -> bool {
    matches!(text.len(), 16 | 23)
        && text.get(6) == Some(&b'-')
        && text.get(if text.len() == 16 { 13 } else { 18 }) == Some(&b'-')
        && text.iter().all(|octet| octet.is_ascii_alphanumeric() || *octet == b'-')
}

/// When a message came in: the first six characters of its id, to the base 62.
fn arrived(id: &[u8]) -> Option<Instant> {
    let seconds = id.get(..6)?.iter().try_fold(0_u64, |sum, octet| {
        let digit = match octet {
            b'0'..=b'9' => octet - b'0',
            b'A'..=b'Z' => octet - b'A' + 10,
            b'a'..=b'z' => octet - b'a' + 36,
            _ => return None,
        };
        Some(sum * 62 + u64::from(digit))
    })?;
    Some(Instant::from_unix_s(seconds))
}

/// A message came in: its sender, and its `Message-ID` behind `id=`, which Exim writes without
/// brackets.
fn arrival<'l>(source: Source<'l>, id: &'l [u8], text: &'l [u8]) -> Told<'l> {
    let (sender, rest) = cut(text, b' ').unwrap_or((text, b""));
    let sender = if sender == b"<>" { b"" } else { sender };
    let message_id = memmem::find(rest, b" id=").and_then(|at| rest.get(at + 4..));
    let message_id = message_id.map(|rest| cut(rest, b' ').map_or(rest, |(of, _)| of));
    Told::Named { source, id, sender: Some(sender), message_id }
}

fn taken<'l>(at: Instant, source: Source<'l>, id: &'l [u8], text: &'l [u8]) -> Told<'l> {
    let Some((host, _)) = host(text) else { return Told::Nothing };
    let Some(recipient) = recipient(text) else { return Told::Bad };
    Told::Attempt(Attempt {
        at,
        source,
        id,
        recipient,
        host,
        stage: Some(Stage::Dot),
        outcome: Outcome::Accepted,
        said: Said::Own(b""),
        arrived: arrived(id),
        tried_before: None,
    })
}

fn refused<'l>(
    at: Instant,
    source: Source<'l>,
    id: &'l [u8],
    text: &'l [u8],
    outcome: Outcome,
) -> Told<'l> {
    let Some(recipient) = recipient(text) else { return Told::Bad };
    let found = host(text);
    let is_of_host = found.is_some();
    let (host, behind) = found.unwrap_or((b"", text));
    const NOT_YET: &[u8] = b"retry time not reached";
    const TOO_LONG: &[u8] = b"for a long time";
    let has = |words: &[u8]| memmem::find(text, words).is_some();
    let outcome = match outcome {
        Outcome::Deferred if has(NOT_YET) => Outcome::NotTried,
        Outcome::Bounced if has(b"retry timeout exceeded") || has(TOO_LONG) => Outcome::Expired,
        other => other,
    };
    let (said, stage) = match memmem::find(behind, b"SMTP error from remote ") {
        Some(from) => after(behind.get(from..).unwrap_or_default()),
        None => (Said::Own(own_words(text)), is_of_host.then_some(Stage::Connect)),
    };
    let is_unheard = outcome == Outcome::Deferred && matches!(said, Said::Own(_));
    Told::Attempt(Attempt {
        at,
        source,
        id,
        recipient,
        host,
        stage,
        outcome: if is_unheard { Outcome::Unreached } else { outcome },
        said,
        arrived: arrived(id),
        tried_before: None,
    })
}

/// The recipient: the first word, or what stands in brackets behind a local part.
fn recipient(text: &[u8]) -> Option<&[u8]> {
    let (first, rest) = cut(text, b' ').unwrap_or((text, b""));
    let address = match rest.strip_prefix(b"<").and_then(|rest| cut(rest, b'>')) {
        Some((address, _)) => address,
        None => first.strip_suffix(b":").unwrap_or(first),
    };
    (!address.is_empty()).then_some(address)
}

/// The host's name in ` H=mx.example.net [192.0.2.1]`, and what is behind it.
fn host(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let behind = text.get(memmem::find(text, b" H=")? + 3..)?;
    let end = memchr::memchr2(b' ', b':', behind).unwrap_or(behind.len());
    Some((behind.get(..end)?, behind.get(end..)?))
}

/// The reply in `SMTP error from remote mail server after RCPT TO:<…>: 451 …`, and what it
/// answered.
fn after(text: &[u8]) -> (Said<'_>, Option<Stage>) {
    const STAGES: [(&[u8], Stage); 9] = [
        (b"initial connection", Stage::Connect),
        (b"EHLO", Stage::Ehlo),
        (b"HELO", Stage::Ehlo),
        (b"STARTTLS", Stage::StartTls),
        (b"MAIL FROM", Stage::Mail),
        (b"RCPT TO", Stage::Rcpt),
        (b"end of data", Stage::Dot),
        (b"sending data", Stage::Dot),
        (b"DATA", Stage::Data),
    ];
    let sent = memmem::find(text, b" after ").and_then(|at| text.get(at + 7..)).unwrap_or_default();
    let sent = sent.strip_prefix(b"pipelined ").unwrap_or(sent);
    let stage = STAGES.iter().find(|(name, _)| sent.starts_with(name)).map(|(_, stage)| *stage);
    // The command may have colons of its own; a reply begins with its code.
    let reply = memmem::find_iter(text, b": ")
        .filter_map(|at| text.get(at + 2..))
        .find(|reply| matches!(reply, [b'2'..=b'5', b'0'..=b'9', b'0'..=b'9', b' ' | b'-', ..]));
    match reply {
        Some(reply) => (Said::Reply(reply), stage),
        None => (Said::Own(text), stage),
    }
}

/// What Exim says itself: behind `defer (111)`, or the last colon.
fn own_words(text: &[u8]) -> &[u8] {
    let behind = memmem::find(text, b" defer (").and_then(|at| text.get(at + 8..));
    let behind = behind.and_then(|text| cut(text, b')')).map(|(_, words)| words);
    let behind = behind.or_else(|| text.get(memmem::find(text, b": ")? + 2..)).unwrap_or(text);
    behind.strip_prefix(b": ").unwrap_or(behind)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(line: &str) -> String {
        let text = |octets| String::from_utf8_lossy(octets).into_owned();
        match read(&mut Clock::new(2026), line.as_bytes()) {
            Told::Attempt(one) => {
                let said = match one.said {
                    Said::Reply(said) => format!("host: {}", text(said)),
                    Said::Own(said) => format!("own: {}", text(said)),
                };
                let (to, host) = (text(one.recipient), text(one.host));
                format!("{:?} {to} at {host} {:?} {said}", one.outcome, one.stage)
            }
            Told::Named { sender, message_id, .. } => {
                format!("Named {:?} {:?}", sender.map(text), message_id.map(text))
            }
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn what_was_taken_bounced_and_put_off_is_read() {
        let id = "2026-11-21 18:03:28 1xUpQu-0006TX-0b";
        for (line, wanted) in [
            (
                "=> jo@web.de R=dns T=remote H=mx-ha03.web.de [192.0.2.11]* C=\"250 ok\"",
                "Accepted jo@web.de at mx-ha03.web.de Some(Dot) own: ",
            ),
            (
                "-> jo <jo@web.de> R=dns T=remote H=mx-ha03.web.de [192.0.2.11]",
                "Accepted jo@web.de at mx-ha03.web.de Some(Dot) own: ",
            ),
            (
                "** no@web.de R=d T=remote H=mx.web.de [192.0.2.1]: SMTP error from remote mail server after RCPT TO:<no@web.de>: 550 5.1.1 unknown",
                "Bounced no@web.de at mx.web.de Some(Rcpt) host: 550 5.1.1 unknown",
            ),
            (
                "== jo@web.de R=d T=remote defer (0) H=mx.web.de [192.0.2.1]: SMTP error from remote mail server after initial connection: 421 slow: down",
                "Deferred jo@web.de at mx.web.de Some(Connect) host: 421 slow: down",
            ),
            (
                "== jo@web.de R=d T=remote defer (-54): retry time not reached for any host for 'web.de'",
                "NotTried jo@web.de at  None own: retry time not reached for any host for 'web.de'",
            ),
            (
                "== jo@a.example R=d T=remote defer (111): Connection refused",
                "Unreached jo@a.example at  None own: Connection refused",
            ),
            (
                "** jo@a.example R=d T=r: retry timeout exceeded",
                "Expired jo@a.example at  None own: retry timeout exceeded",
            ),
            ("=> jo <jo@example.com> R=local T=mailbox", "Nothing"),
            ("<= a@b.c H=x [192.0.2.9] P=esmtp", "Named Some(\"a@b.c\") None"),
            ("<= <> R=1 P=local S=17 id=1@b.c for x", "Named Some(\"\") Some(\"1@b.c\")"),
        ] {
            assert_eq!(told(&format!("{id} {line}")), wanted, "{line}");
        }
        assert!(told(&format!("{id} Completed")).starts_with("Removed"));
        assert_eq!(told("2026-11-21 18:03:28 Start queue run: pid=1"), "Nothing");
        assert_eq!(told("garbage"), "Bad");
    }

    #[test]
    fn an_id_tells_when_its_message_came() {
        let at = arrived(b"1xUpQu-0006TX-0b").map(Instant::unix_s);
        // The line of its arrival says 2026-11-21 18:03:28 UTC.
        assert_eq!(at, Some(1_795_284_208));
    }

    #[test]
    fn syslog_and_numbers_of_processes_may_stand_before() {
        let line = "=> jo@web.de R=d T=r H=mx.web.de [192.0.2.1]";
        let wanted = "Accepted jo@web.de at mx.web.de Some(Dot) own: ";
        for head in [
            "Nov 21 18:03:28 out exim[12]: 2026-11-21 18:03:28 1xUpQu-0006TX-0b",
            "Nov 21 18:03:28 out exim4[12]: 1xUpQu-0006TX-0b",
            "2026-11-21 18:03:28.123 +0100 [77] 1xUpQu-00000000abC-0bcd",
        ] {
            assert_eq!(told(&format!("{head} {line}")), wanted, "{head}");
            assert!(is_line(format!("{head} {line}").as_bytes()), "{head}");
        }
    }
}
