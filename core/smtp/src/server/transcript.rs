//! What was said on both sides of a session in which a message came, within bounds, without
//! secrets and bodies.

use postlane_mail::Instant;

/// What was said: from the greeting to MAIL, and from there on. What was said of messages before
/// it is somebody else's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Transcript {
    /// The lines, in order.
    pub lines: Vec<Said>,
    /// Lines that there was no room for.
    pub lost: u64,
}

/// A line of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// When.
    pub at: Instant,
    /// By whom.
    pub by: Speaker,
    /// What, without CRLF; control characters are replaced, and secrets left out.
    pub text: Box<str>,
}

/// Who says a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaker {
    /// The client.
    Client,
    /// We.
    Server,
    /// Nobody: it is noted what happened between lines, such as a handshake.
    Nobody,
}

/// Writes a session down.
#[derive(Debug)]
pub(super) struct Recorder {
    now: Instant,
    said: Transcript,
    octets: usize,
    octets_max: usize,
    /// Lines that belong to the session and not to a message.
    opening: usize,
    opening_octets: usize,
}

/// Characters of one line that are kept. Chosen, not measured: replies have 510 octets at most
/// (RFC 5321 §4.5.3.1.5), and commands of sound clients fit, too.
const LINE_CHARS_MAX: usize = 1000;

impl Recorder {
    /// Keeps so many octets.
    pub(super) fn new(now: Instant, octets_max: usize) -> Self {
        let said = Transcript::default();
        Self { now, said, octets: 0, octets_max, opening: 0, opening_octets: 0 }
    }

    /// It is now so late.
    pub(super) fn tick(&mut self, now: Instant) {
        self.now = now;
    }

    pub(super) fn say(&mut self, by: Speaker, text: &[u8]) {
        if self.octets + text.len() > self.octets_max {
            self.said.lost += 1;
            return;
        }
        let text = String::from_utf8_lossy(text);
        let printable = |c: char| if c.is_control() && c != '\t' { '\u{fffd}' } else { c };
        let text: String = text.chars().take(LINE_CHARS_MAX).map(printable).collect();
        self.octets += text.len();
        self.said.lines.push(Said { at: self.now, by, text: text.into() });
    }

    /// A message begins: what was said of one before is forgotten.
    pub(super) fn begin(&mut self) {
        self.said.lines.truncate(self.opening);
        (self.octets, self.said.lost) = (self.opening_octets, 0);
    }

    /// What was said so far belongs to the session.
    pub(super) fn opened(&mut self) {
        (self.opening, self.opening_octets) = (self.said.lines.len(), self.octets);
    }

    /// What was said so far.
    pub(super) fn transcript(&self) -> Transcript {
        self.said.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(recorder: &Recorder) -> Vec<String> {
        recorder.transcript().lines.iter().map(|said| said.text.to_string()).collect()
    }

    #[test]
    fn what_was_said_of_a_message_before_is_forgotten() {
        let mut recorder = Recorder::new(Instant(1), 100);
        recorder.say(Speaker::Client, b"EHLO a");
        recorder.opened();
        recorder.say(Speaker::Client, b"MAIL FROM:<a@b.example>");
        recorder.begin();
        recorder.tick(Instant(2));
        recorder.say(Speaker::Client, b"MAIL FROM:<\x1bc@d.example>");
        assert_eq!(texts(&recorder), ["EHLO a", "MAIL FROM:<\u{fffd}c@d.example>"]);
        assert_eq!(recorder.transcript().lines[1].at, Instant(2));
    }

    #[test]
    fn what_there_is_no_room_for_is_counted() {
        let mut recorder = Recorder::new(Instant(1), 8);
        recorder.say(Speaker::Client, b"EHLO a");
        recorder.say(Speaker::Server, b"250 relay.example");
        assert_eq!((texts(&recorder).len(), recorder.transcript().lost), (1, 1));
    }
}
