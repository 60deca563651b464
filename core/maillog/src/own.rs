//! Our own log, `key=value` (docs/guide/logs.md), and its events as JSON lines with the same keys.

use std::borrow::Cow;
use std::collections::BTreeMap;

use postlane_replies::read_stage;
use serde_json::Value;

use crate::attempt::Outcome;
use crate::record::{Record, Recorded, before, tried};
use crate::stamp::Clock;

/// A line of the log. Something may stand before `ts=`, as what the journal writes.
pub(crate) fn read(clock: &mut Clock, line: &[u8]) -> Recorded {
    let text = String::from_utf8_lossy(line);
    let Some(from) = text.find("ts=") else { return Recorded::Bad };
    let pairs = pairs(text.get(from..).unwrap_or_default());
    recorded(clock, &|key| pairs.get(key).map(|value| Cow::Borrowed(&**value)))
}

/// An event as a JSON object; `ts` or `time` says when, as text.
pub(crate) fn read_json(clock: &mut Clock, line: &[u8]) -> Recorded {
    let Ok(Value::Object(event)) = serde_json::from_slice::<Value>(line) else {
        return Recorded::Bad;
    };
    recorded(clock, &|key| match event.get(key)? {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        _ => None,
    })
}

/// Whether a line is of our own log.
pub(crate) fn is_line(line: &[u8]) -> bool {
    memchr::memmem::find(line, b"ts=").is_some() && memchr::memmem::find(line, b" event=").is_some()
}

fn recorded<'v>(clock: &mut Clock, value: &dyn Fn(&str) -> Option<Cow<'v, str>>) -> Recorded {
    let Some(event) = value("event") else { return Recorded::Bad };
    let Some(ts) = value("ts").or_else(|| value("time")).or_else(|| value("at")) else {
        return Recorded::Bad;
    };
    // A line of a log has a blank behind its moment.
    let Some((at, _)) = clock.read(format!("{ts} ").as_bytes()) else { return Recorded::Bad };
    let outcome = match &*event {
        "delivered" => Outcome::Accepted,
        "deferred" => Outcome::Deferred,
        "bounced" => Outcome::Bounced,
        "expired" => Outcome::Expired,
        _ => return Recorded::Nothing,
    };
    let text = |key: &str| value(key).unwrap_or_default().into_owned();
    let number = |key: &str| value(key).and_then(|text| text.parse::<u64>().ok());
    let host = text("host");
    let to = if value("to").is_some() { text("to") } else { format!("#{}", text("recipient")) };
    let code = text("code");
    let is_host_known = !host.is_empty();
    let said = text("text").replace('\n', " / ");
    let mut record = Record::new(at, outcome);
    record.instance = text("source");
    record.id = text("id");
    record.recipient = if to.contains('@') { to } else { format!("{to}@{}", text("provider")) };
    record.host = if host.starts_with('[') { String::new() } else { host };
    record.stage = value("stage").and_then(|stage| read_stage(&stage));
    record.said = if is_host_known && !code.is_empty() { format!("{code} {said}") } else { said };
    record.arrived = number("delay_ms").map(|ms| before(at, ms));
    // `attempts` counts deferrals, this one with them.
    record.tried_before = number("attempts").map(|deferrals| tried(deferrals.saturating_sub(1)));
    Recorded::Try(Box::new(record))
}

/// The keys of a line and their values; the last of several counts.
fn pairs(text: &str) -> BTreeMap<&str, String> {
    let mut pairs = BTreeMap::new();
    let mut rest = text;
    while let Some((key, behind)) = rest.split_once('=') {
        let (value, behind) = match behind.strip_prefix('"') {
            Some(quoted) => unquoted(quoted),
            None => {
                let (value, behind) = behind.split_once(' ').unwrap_or((behind, ""));
                (value.to_owned(), behind)
            }
        };
        pairs.insert(key.trim(), value);
        rest = behind;
    }
    pairs
}

/// A value up to its closing quote, and what is behind it.
fn unquoted(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (value, text.get(at + 1..).unwrap_or_default().trim_start()),
            '\\' => match chars.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, 'r' | 't')) => value.push(' '),
                Some((_, other)) => value.push(other),
                None => break,
            },
            plain => value.push(plain),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"ts=2026-11-21T08:44:12.752Z event=deferred id=0cr65bnqmdz80 from=shop@example.com to=busy@example.net provider=example.net host=mx.example.net ip=192.0.2.1:25 stage=rcpt code=451 status=4.7.1 text="4.7.1 Greylisting \"in\" action" source=a took_ms=48 delay_ms=91 attempts=2 next_s=284"#;

    fn of(recorded: Recorded) -> String {
        match recorded {
            Recorded::Try(one) => format!(
                "{:?} {} at {} by {} {:?} {:?}: {}",
                one.outcome,
                one.recipient,
                one.host,
                one.instance,
                one.stage,
                one.tried_before,
                one.said
            ),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn a_line_and_an_event_tell_the_same() {
        let wanted = "Deferred busy@example.net at mx.example.net by a Some(Rcpt) Some(Before): 451 \
                      4.7.1 Greylisting \"in\" action";
        assert_eq!(of(read(&mut Clock::new(2026), LINE.as_bytes())), wanted);
        let json = r#"{"ts":"2026-11-21T08:44:12.752Z","event":"deferred","id":"1","to":"busy@example.net","host":"mx.example.net","stage":"rcpt","code":451,"text":"4.7.1 Greylisting \"in\" action","source":"a","attempts":2}"#;
        assert_eq!(of(read_json(&mut Clock::new(2026), json.as_bytes())), wanted);
    }

    #[test]
    fn other_events_tell_nothing_and_rubbish_is_bad() {
        let clock = &mut Clock::new(2026);
        assert_eq!(read(clock, b"ts=2026-11-21T08:44:12Z event=accepted id=1"), Recorded::Nothing);
        assert_eq!(read(clock, b"ts=yesterday event=deferred"), Recorded::Bad);
        assert_eq!(read(clock, b"hello"), Recorded::Bad);
        assert_eq!(read_json(clock, b"{\"event\":"), Recorded::Bad);
    }
}
