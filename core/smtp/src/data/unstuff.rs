//! Collecting a message from DATA or BDAT.
//!
//! Only CRLF ends a line, and only CRLF.CRLF ends the message (RFC 5321 §2.3.8, §4.1.1.4):
//! whoever takes less lets others smuggle a second message inside the first.

use memchr::{memchr, memchr2};

/// What is done with a CR or LF that stands alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BareNewlines {
    /// The message is refused, after its end.
    #[default]
    Refuse,
    /// Each becomes CRLF, once the message has ended as it should.
    Normalise,
}

/// Why a message cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// A CR or LF stands alone.
    #[error("The message has a bare CR or LF; lines end with CRLF")]
    BareNewline,
    /// Over the limit in octets.
    #[error("The message is too large")]
    TooLarge,
    /// A line is over the limit in octets.
    #[error("The message has a line that is too long")]
    LineTooLong,
    /// A NUL octet (RFC 5322 §4 forbids it).
    #[error("The message has a NUL octet")]
    Nul,
}

/// A message that has been collected.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Collected {
    /// The octets, dots taken away, with CRLF at the end of its last line as it came.
    pub message: Vec<u8>,
    /// Why it cannot be taken, if it cannot. Then the octets are not complete.
    pub error: Option<DataError>,
}

/// Collects one message, piece by piece.
#[derive(Debug)]
pub struct Collector {
    message: Vec<u8>,
    state: State,
    error: Option<DataError>,
    octets_max: usize,
    line_octets_max: usize,
    line_octets: usize,
    bare: BareNewlines,
}

/// What stands before the next octet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// CRLF, or nothing yet.
    LineStart,
    /// CRLF and a dot, which has not been kept.
    Dot,
    /// CRLF, a dot and CR, of which nothing has been kept.
    DotCr,
    /// Anything else.
    Line,
    /// CR, which has not been kept.
    Cr,
}

impl Collector {
    /// A collector for a message of up to so many octets, with lines of up to so many.
    /// `expected` is what the client says its size is; it is believed up to 1 MiB.
    pub fn new(
        octets_max: usize,
        line_octets_max: usize,
        expected: usize,
        bare: BareNewlines,
    ) -> Self {
        let expected = expected.min(octets_max).min(1 << 20);
        Self {
            message: Vec::with_capacity(expected),
            state: State::LineStart,
            error: None,
            octets_max,
            line_octets_max,
            line_octets: 0,
            bare,
        }
    }

    /// Takes octets that came after DATA, up to the end of the message. Gives how many of them
    /// belong to it, and whether it has ended.
    pub fn dotted(&mut self, input: &[u8]) -> (usize, bool) {
        let mut at = 0;
        while at < input.len() {
            if self.state == State::Line {
                at += self.plain(&input[at..]);
                continue;
            }
            let octet = input[at];
            at += 1;
            if self.step(octet) {
                return (at, true);
            }
        }
        (at, false)
    }

    /// Takes octets of a chunk (RFC 3030): they mean what they are.
    pub fn chunk(&mut self, input: &[u8]) {
        let mut at = 0;
        while at < input.len() {
            if self.state == State::Line {
                at += self.plain(&input[at..]);
                continue;
            }
            let octet = input[at];
            at += 1;
            match (self.state, octet) {
                (State::Cr, b'\n') => self.end_line(),
                (State::Cr, _) => {
                    self.bare();
                    self.state = State::Line;
                    at -= 1;
                }
                _ => {
                    self.state = State::Line;
                    at -= 1;
                }
            }
        }
    }

    /// Octets kept so far.
    pub fn octets(&self) -> usize {
        self.message.len()
    }

    /// The message, or why it cannot be taken.
    pub fn finish(mut self) -> Collected {
        // A chunk may end in the middle of a line, or of its end.
        if self.state == State::Cr {
            self.bare();
        }
        Collected { message: self.message, error: self.error }
    }

    /// Keeps octets up to the next CR or LF; gives how many were taken, that one included.
    fn plain(&mut self, input: &[u8]) -> usize {
        let end = memchr2(b'\r', b'\n', input).unwrap_or(input.len());
        self.keep(&input[..end]);
        match input.get(end) {
            Some(b'\r') => self.state = State::Cr,
            Some(_) => self.bare(),
            None => return end,
        }
        end + 1
    }

    /// One octet where it matters what stands before it; whether the message has ended.
    fn step(&mut self, octet: u8) -> bool {
        match (self.state, octet) {
            (State::LineStart, b'.') => self.state = State::Dot,
            (State::Dot, b'\r') => self.state = State::DotCr,
            (State::DotCr, b'\n') => return true,
            (State::Cr, b'\n') => self.end_line(),
            (State::DotCr, _) => {
                // CRLF, dot, CR and no LF: the dot was stuffed before a CR that stands alone.
                self.bare();
                self.again(octet);
            }
            (State::Cr, _) => {
                self.bare();
                self.again(octet);
            }
            // A dot that was put in front of another, or of anything: it goes.
            _ => self.again(octet),
        }
        false
    }

    /// The octet is of an ordinary line.
    fn again(&mut self, octet: u8) {
        self.state = State::Line;
        self.plain(&[octet]);
    }

    fn end_line(&mut self) {
        self.push(b"\r\n");
        self.line_octets = 0;
        self.state = State::LineStart;
    }

    /// A CR or LF that stands alone ends no line; where the setting says so it becomes one.
    /// It never makes the next dot special.
    fn bare(&mut self) {
        match self.bare {
            BareNewlines::Refuse => self.fail(DataError::BareNewline),
            BareNewlines::Normalise => self.push(b"\r\n"),
        }
        self.line_octets = 0;
    }

    fn keep(&mut self, octets: &[u8]) {
        if octets.is_empty() {
            return;
        }
        self.line_octets += octets.len();
        if self.line_octets > self.line_octets_max {
            self.fail(DataError::LineTooLong);
        }
        if memchr(0, octets).is_some() {
            self.fail(DataError::Nul);
        }
        self.push(octets);
    }

    fn push(&mut self, octets: &[u8]) {
        if self.message.len() + octets.len() > self.octets_max {
            self.fail(DataError::TooLarge);
        }
        if self.error.is_none() {
            self.message.extend_from_slice(octets);
        }
    }

    /// The first thing that is wrong is what is said; what was kept is let go at once.
    fn fail(&mut self, error: DataError) {
        if self.error.is_none() {
            self.error = Some(error);
            self.message = Vec::new();
        }
    }
}

#[cfg(test)]
mod tests;
