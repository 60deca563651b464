//! Reading replies out of files: logs, lists with a reply to a line or to several, and JSON.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::Path;

use postlane_mail::Reply;
use postlane_replies::{Logged, read_logged, read_reply, read_stage};
use serde_json::Value;

use crate::exit::Failure;

/// The longest line that is read, in octets. What is behind is passed over; chosen, not measured.
const LINE_MAX: u64 = 1 << 20;
/// The most lines a reply has; RFC 5321 has no limit, and nobody needs more.
const LINES_MAX: usize = 100;

/// Calls `each` for every reply in a file; `-` is standard input.
pub(crate) fn recorded(path: &Path, mut each: impl FnMut(Logged)) -> Result<(), Failure> {
    let unreadable = |e: io::Error| Failure::unreadable(path, &e);
    let mut from: Box<dyn BufRead> = if path.as_os_str() == "-" {
        Box::new(io::stdin().lock())
    } else {
        Box::new(BufReader::with_capacity(1 << 20, File::open(path).map_err(unreadable)?))
    };
    let mut line = Vec::new();
    let mut lines = Lines::default();
    while next_line(&mut from, &mut line).map_err(unreadable)? {
        lines.read(String::from_utf8_lossy(&line).trim_end(), &mut each);
    }
    lines.end(&mut each);
    Ok(())
}

/// Reads a line, as much of it as is believed; false at the end.
pub(crate) fn next_line(mut from: &mut dyn BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    if (&mut from).take(LINE_MAX).read_until(b'\n', line)? == 0 {
        return Ok(false);
    }
    if line.last() != Some(&b'\n') && line.len() as u64 == LINE_MAX {
        from.skip_until(b'\n')?;
    }
    Ok(true)
}

/// Lines of a reply that goes on: `421-one`, `421 two`.
#[derive(Default)]
struct Lines(Vec<String>);

impl Lines {
    fn read(&mut self, text: &str, each: &mut dyn FnMut(Logged)) {
        let code = text.get(..3).filter(|code| code.bytes().all(|b| b.is_ascii_digit()));
        if self.0.first().is_some_and(|first| first.get(..3) != code) {
            self.end(each);
        }
        let goes_on = |code: &str| {
            // Some lists write all lines into one: `421-one 421 two`.
            text.get(3..4) == Some("-") && !text.contains(&format!(" {code} "))
        };
        let goes_on = code.is_some_and(goes_on);
        if goes_on || !self.0.is_empty() {
            self.0.push(text.to_owned());
            if !goes_on || self.0.len() >= LINES_MAX {
                self.end(each);
            }
            return;
        }
        let logged = if text.starts_with('{') {
            serde_json::from_str(text).ok().and_then(|value| of_json(&value))
        } else {
            read_logged(text)
        };
        logged.into_iter().for_each(each);
    }

    /// What is there is all there is.
    fn end(&mut self, each: &mut dyn FnMut(Logged)) {
        let reply = read_reply(&std::mem::take(&mut self.0).join("\n"));
        let said = |reply| Logged { reply, stage: None, host: None, provider: None, domain: None };
        reply.into_iter().for_each(|reply| each(said(reply)));
    }
}

/// A reply as JSON has it: our events and those of others, and lists of replies.
fn of_json(value: &Value) -> Option<Logged> {
    const REPLIES: [&str; 8] = [
        "reply",
        "last_reply",
        "response",
        "diagnostic",
        "diagnostic_code",
        "smtp_response",
        "text",
        "message",
    ];
    let found = REPLIES.iter().filter_map(|key| value.get(key));
    let (holder, reply) = found.filter_map(|found| Some((found, reply_in(found)?))).next()?;
    let text = |keys: &[&str]| {
        let places = [value, holder].into_iter();
        let mut all = places.flat_map(|place| keys.iter().filter_map(|key| place.get(*key)));
        all.find_map(Value::as_str).map(str::to_owned)
    };
    let peer = value.get("peer_address").and_then(|peer| peer.get("name")).and_then(Value::as_str);
    let host = text(&["mx_hint", "mx", "host"]).or_else(|| peer.map(str::to_owned));
    let domain = text(&["recipient", "to", "domain"]);
    let domain = domain.and_then(|to| Some(to.rsplit('@').next()?.to_ascii_lowercase()));
    Some(Logged {
        reply,
        stage: text(&["command_stage", "stage", "command"]).and_then(|stage| read_stage(&stage)),
        host: host.map(String::into_boxed_str),
        provider: text(&["provider"]).map(String::into_boxed_str),
        domain: domain.map(String::into_boxed_str),
    })
}

/// A reply written as a text, or as an object with `code` and `text` or `content`.
fn reply_in(value: &Value) -> Option<Reply> {
    if let Some(text) = value.as_str() {
        return read_logged(text).map(|logged| logged.reply);
    }
    let code = value.get("code")?.as_u64()?;
    let words = ["text", "content"].iter().find_map(|key| value.get(key)?.as_str())?;
    let status = value.get("enhanced_code").filter(|status| status.is_object());
    let part = |status: &Value, key: &str| status.get(key).and_then(Value::as_u64);
    let status = status.and_then(|status| {
        let (class, subject) = (part(status, "class")?, part(status, "subject")?);
        Some(format!("{class}.{subject}.{} ", part(status, "detail")?))
    });
    read_reply(&format!("{code} {}{}", status.unwrap_or_default(), words.replace('\n', " / ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Vec<String> {
        let mut all = Vec::new();
        let mut each = |logged: Logged| all.push(logged.reply.to_string());
        let mut reading = Lines::default();
        lines.iter().for_each(|line| reading.read(line, &mut each));
        reading.end(&mut each);
        all
    }

    #[test]
    fn a_reply_of_several_lines_is_one() {
        assert_eq!(
            read(&["421-one", "421-two", "421 three", "550 four"]),
            ["421 one / two / three", "550 four"]
        );
        assert_eq!(read(&["421-one 421 two", "421 three"]), ["421 one / two", "421 three"]);
        assert_eq!(
            read(&["421-one", "550 two", "", "421-three"]),
            ["421 one", "550 two", "421 three"]
        );
    }

    #[test]
    fn json_is_read_as_we_and_others_write_it() {
        let ours = r#"{"event":"deferred","recipient":"jo@example.net","provider":"google","last_reply":{"code":421,"text":"4.7.0 later","host":"mx.example.net","stage":"rcpt"}}"#;
        let logged = of_json(&serde_json::from_str(ours).unwrap()).unwrap();
        assert_eq!(logged.reply.to_string(), "421 4.7.0 later");
        assert_eq!(logged.stage.unwrap().as_str(), "rcpt");
        assert_eq!(logged.host.as_deref(), Some("mx.example.net"));
        assert_eq!(logged.provider.as_deref(), Some("google"));
        assert_eq!(logged.domain.as_deref(), Some("example.net"));
        let others = r#"{"response":{"code":550,"enhanced_code":{"class":5,"subject":1,"detail":1},"content":"gone"},"peer_address":{"name":"mx.example.net."}}"#;
        let logged = of_json(&serde_json::from_str(others).unwrap()).unwrap();
        assert_eq!(logged.reply.to_string(), "550 5.1.1 gone");
        assert_eq!(logged.host.as_deref(), Some("mx.example.net."));
        assert_eq!(
            read(&[r#"{"reply":"550 x","stage":null}"#, "{not json", r#"{"a":1}"#]),
            ["550 x"]
        );
    }
}
