//! What was said on both sides, within bounds, without secrets and bodies.

use std::fmt;

/// A record of a dialogue. What was said before the first message is kept, and of what came
/// after it the latest.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Transcript {
    prologue: Vec<u8>,
    latest: Vec<u8>,
    in_messages: bool,
    cut: bool,
}

const OCTETS_MAX: usize = 6 * 1024;

impl Transcript {
    /// A message begins and no other is under way: what was said about the last one is dropped.
    pub(super) fn message_begins(&mut self) {
        self.in_messages = true;
        self.latest.clear();
        self.cut = false;
    }

    pub(super) fn ours(&mut self, octets: &[u8]) {
        self.push(b'>', octets);
    }

    pub(super) fn theirs(&mut self, octets: &[u8]) {
        self.push(b'<', octets);
    }

    fn push(&mut self, who: u8, octets: &[u8]) {
        let part = if self.in_messages { &mut self.latest } else { &mut self.prologue };
        let room = OCTETS_MAX.saturating_sub(part.len());
        if octets.len() + 1 > room {
            self.cut = true;
        }
        if room > 1 {
            part.push(who);
            part.extend_from_slice(&octets[..octets.len().min(room - 1)]);
            part.push(0);
        }
    }
}

impl fmt::Display for Transcript {
    /// A line for each line that was said, `C:` for us and `S:` for the host.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in self.prologue.split(|b| *b == 0).chain(self.latest.split(|b| *b == 0)) {
            let Some((who, text)) = piece.split_first() else { continue };
            let who = if *who == b'>' { "C" } else { "S" };
            for line in String::from_utf8_lossy(text).lines() {
                let line: String = line.chars().filter(|c| !c.is_control()).collect();
                writeln!(f, "{who}: {line}")?;
            }
        }
        if self.cut { writeln!(f, "[cut]") } else { Ok(()) }
    }
}

impl fmt::Debug for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_string())
    }
}
