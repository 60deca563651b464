//! The log: a line for each thing that happened, `key=value`, in UTC.
//!
//! `docs/guide/logs.md` says what the keys mean. Never a body.

use std::collections::hash_map::RandomState;
use std::fmt::{self, Write as _};
use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use postlane_mail::{Envelope, Instant};
use postlane_message::LogDate;

use crate::config::settings::{Addresses, Log, Output};
use crate::ground::clock::Clock;
use crate::ground::mailbox::Mailbox;
use crate::telling::veil::Veil;

pub(crate) use crate::telling::alarm::{alarm, first_sign_in};

/// Writes lines; a thread of its own waits for the terminal or the file.
#[derive(Clone)]
pub(crate) struct Journal(Arc<Desk>);

/// What is to be written.
struct Desk {
    lines: Mailbox<String>,
    /// Octets of lines that are not written yet.
    waiting: AtomicUsize,
    waiting_max: usize,
    /// Lines that there was no room for, since the last time that was said.
    dropped: AtomicU64,
    keys: RandomState,
}

/// A line on its way.
pub(crate) struct Line(String);

/// How long lines gather before the next write: waking this thread for each of them would cost
/// more than all that is done for it. Chosen, not measured: a person sees no delay.
const GATHER: Duration = Duration::from_millis(20);

/// How long the end of a program waits for its last lines. Chosen, not measured.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);

impl Journal {
    pub(crate) fn start(settings: &Log) -> Self {
        let waiting_max = usize::try_from(settings.backlog.0).unwrap_or(usize::MAX);
        let (journal, written) = Self::begin("journal", settings.output, waiting_max);
        if let Err(error) = written {
            alarm(&format!("no log is written: {error}"));
        }
        journal
    }

    /// Begins to write there, on a thread of that name, with so many octets at most that wait.
    pub(super) fn begin(name: &str, output: Output, waiting_max: usize) -> (Self, io::Result<()>) {
        let desk = Arc::new(Desk {
            lines: Mailbox::new(),
            waiting: AtomicUsize::new(0),
            waiting_max,
            dropped: AtomicU64::new(0),
            keys: RandomState::new(),
        });
        let taken = desk.clone();
        let written = thread::Builder::new().name(name.to_owned()).spawn(move || {
            let mut pieces = Vec::new();
            loop {
                taken.lines.take(&mut pieces, None);
                let mut all: String = pieces.drain(..).collect();
                let octets = all.len();
                taken.say_what_is_missing(&mut all);
                write(output, &all);
                taken.waiting.fetch_sub(octets, Ordering::Relaxed);
                thread::sleep(GATHER);
            }
        });
        (Self(desk), written.map(drop))
    }

    /// Has whole lines written. Whoever writes never waits: where too much waits already, they
    /// are dropped and counted.
    pub(crate) fn write(&self, lines: String) {
        let octets = lines.len();
        if octets == 0 {
            return;
        }
        let Desk { waiting, waiting_max, dropped, .. } = &*self.0;
        if waiting.fetch_add(octets, Ordering::Relaxed) + octets > *waiting_max {
            waiting.fetch_sub(octets, Ordering::Relaxed);
            dropped.fetch_add(lines.lines().count() as u64, Ordering::Relaxed);
            return;
        }
        self.0.lines.put(lines);
    }

    pub(crate) fn event(&self, now: Instant, event: &str, fields: &[(&str, &str)]) {
        let mut line = Line::new(now, event);
        fields.iter().for_each(|(key, value)| line.field(key, value));
        self.write(line.end());
    }

    /// How addresses are shown, where so much of them may be.
    pub(crate) fn veil(&self, shown: Addresses) -> Veil<'_> {
        Veil { shown, keys: &self.0.keys }
    }

    /// Octets of lines that are not written yet.
    pub(super) fn waiting(&self) -> usize {
        self.0.waiting.load(Ordering::Relaxed)
    }

    /// Waits for the last lines, but not for ever.
    pub(crate) async fn finish(&self) {
        let finished = async {
            let mut look = tokio::time::interval(Duration::from_millis(5));
            while self.waiting() > 0 {
                look.tick().await;
            }
        };
        // A log that cannot be written is no reason not to end.
        let _ = tokio::time::timeout(PATIENCE, finished).await;
    }
}

impl Desk {
    fn say_what_is_missing(&self, lines: &mut String) {
        let dropped = self.dropped.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            let mut line = Line::new(Clock::wall().now(), "log-dropped");
            line.number("lines", dropped);
            lines.push_str(&line.end());
        }
    }
}

/// A log that cannot be written is no reason to stop delivering.
fn write(output: Output, lines: &str) {
    let _ = match output {
        Output::Stderr => io::stderr().lock().write_all(lines.as_bytes()),
        Output::Stdout => {
            let mut out = io::stdout().lock();
            out.write_all(lines.as_bytes()).and_then(|()| out.flush())
        }
    };
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
        self.key(key);
        let verbatim = |b: u8| matches!(b, b' '..=b'~') && b != b'"' && b != b'\\';
        let plain = value.bytes().all(verbatim);
        if plain && !value.is_empty() && !value.contains(' ') {
            self.0.push_str(value);
            return;
        }
        self.0.push('"');
        if plain {
            self.0.push_str(value);
            self.0.push('"');
            return;
        }
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
        self.plain(key, value);
    }

    /// A key and a value of ours that needs no quotes, whatever it is: a number, a queue id, an
    /// address of a socket, a status.
    pub(crate) fn plain(&mut self, key: &str, value: impl fmt::Display) {
        self.key(key);
        // Writing into a String cannot fail.
        let _ = write!(self.0, "{value}");
    }

    fn key(&mut self, key: &str) {
        self.0.push(' ');
        self.0.push_str(key);
        self.0.push('=');
    }

    /// What kind of mail it is, whose, and of which mailing.
    pub(crate) fn labels(&mut self, envelope: &Envelope) {
        self.field("stream", envelope.stream.as_str());
        if !envelope.tenant.is_none() {
            self.field("tenant", envelope.tenant.as_str());
        }
        if !envelope.campaign.is_none() {
            self.field("campaign", envelope.campaign.as_str());
        }
    }

    pub(crate) fn end(mut self) -> String {
        self.0.push('\n');
        self.0
    }
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

    #[test]
    fn what_there_is_no_room_for_is_dropped_and_counted() {
        let desk = Desk {
            lines: Mailbox::new(),
            waiting: AtomicUsize::new(0),
            waiting_max: 10,
            dropped: AtomicU64::new(0),
            keys: RandomState::new(),
        };
        let journal = Journal(Arc::new(desk));
        journal.write("12345678\n".to_owned());
        journal.write("1\n2\n".to_owned());
        let mut said = String::new();
        journal.0.say_what_is_missing(&mut said);
        assert!(said.ends_with(" event=log-dropped lines=2\n"), "{said}");
        let mut written = Vec::new();
        journal.0.lines.take(&mut written, None);
        assert_eq!(written, ["12345678\n"]);
    }
}
