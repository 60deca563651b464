//! The log: a line for each thing that happened, `key=value`, in UTC.
//!
//! `docs/guide/logs.md` says what the keys mean. Never a body.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::sync::Arc;
use std::thread;

use postlane_mail::Instant;
use postlane_message::LogDate;

use crate::mailbox::Mailbox;

/// Writes lines; a thread of its own waits for the terminal or the file.
#[derive(Clone)]
pub(crate) struct Journal {
    lines: Arc<Mailbox<String>>,
}

/// A line on its way.
pub(crate) struct Line(String);

impl Journal {
    pub(crate) fn start() -> Self {
        let lines: Arc<Mailbox<String>> = Arc::new(Mailbox::new());
        let taken = lines.clone();
        let written = thread::Builder::new().name("journal".to_owned()).spawn(move || {
            let mut pieces = Vec::new();
            loop {
                taken.take(&mut pieces, None);
                let all: String = pieces.drain(..).collect();
                // A log that cannot be written is no reason to stop delivering.
                let _ = io::stderr().lock().write_all(all.as_bytes());
            }
        });
        if let Err(error) = written {
            alarm(&format!("no log is written: {error}"));
        }
        Self { lines }
    }

    pub(crate) fn write(&self, lines: String) {
        if !lines.is_empty() {
            self.lines.put(lines);
        }
    }

    pub(crate) fn event(&self, now: Instant, event: &str, fields: &[(&str, &str)]) {
        let mut line = Line::new(now, event);
        fields.iter().for_each(|(key, value)| line.field(key, value));
        self.write(line.end());
    }
}

impl Line {
    pub(crate) fn new(now: Instant, event: &str) -> Self {
        let mut text = String::with_capacity(320);
        text.push_str("ts=");
        text.push_str(LogDate::of(now).as_str());
        text.push_str(" event=");
        text.push_str(event);
        Self(text)
    }

    /// A key and its value; in quotes where it has spaces, quotes or nothing in it. Control
    /// characters become `\u{…}`: what others wrote cannot begin a line of its own.
    pub(crate) fn field(&mut self, key: &str, value: &str) {
        self.0.push(' ');
        self.0.push_str(key);
        self.0.push('=');
        let plain = |b: u8| b.is_ascii_graphic() && b != b'"' && b != b'\\';
        if !value.is_empty() && value.bytes().all(plain) {
            self.0.push_str(value);
            return;
        }
        self.0.push('"');
        for c in value.chars() {
            match c {
                '"' | '\\' => self.0.extend(['\\', c]),
                '\n' => self.0.push_str("\\n"),
                c if c.is_control() => self.0.extend(c.escape_default()),
                c => self.0.push(c),
            }
        }
        self.0.push('"');
    }

    pub(crate) fn number(&mut self, key: &str, value: u64) {
        // Writing into a String cannot fail.
        let _ = write!(self.0, " {key}={value}");
    }

    pub(crate) fn end(mut self) -> String {
        self.0.push('\n');
        self.0
    }
}

/// Says something that must be seen, whatever becomes of the log.
pub(crate) fn alarm(text: &str) {
    let _ = writeln!(io::stderr().lock(), "event=alarm text=\"{text}\"");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_cannot_begin_a_line_of_its_own() {
        let mut line = Line::new(Instant::default(), "attempt");
        line.field("text", "4.7.0 \"slow\" down\nevent=forged\r\u{7}");
        line.field("host", "mx.example.net");
        line.field("from", "");
        assert_eq!(
            line.end(),
            "ts=1970-01-01T00:00:00.000Z event=attempt \
             text=\"4.7.0 \\\"slow\\\" down\\nevent=forged\\r\\u{7}\" host=mx.example.net from=\"\"\n"
        );
    }
}
