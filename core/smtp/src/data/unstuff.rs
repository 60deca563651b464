//! Collecting a message from DATA or BDAT.
//!
//! Only CRLF ends a line, and only CRLF.CRLF ends the message (RFC 5321 §2.3.8, §4.1.1.4):
//! whoever takes less lets others smuggle a second message inside the first.

use memchr::{memchr2, memmem, memrchr};

/// What is done with a CR or LF that stands alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BareNewlines {
    /// The message is refused, after its end.
    #[default]
    Refuse,
    /// Each becomes CRLF. Even so it ends no message, and gives the dot behind it no meaning.
    Normalise,
}

/// Why a message cannot be taken. Of several reasons the last in this order is told, however
/// the octets were cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// A line is over the limit in octets.
    #[error("The message has a line that is too long")]
    LineTooLong,
    /// A NUL octet. RFC 5322 §4 forbids it, and much that reads mail takes it for the end.
    #[error("The message has a NUL octet")]
    Nul,
    /// A CR or LF stands alone.
    #[error("The message has a bare CR or LF; lines end with CRLF")]
    BareNewline,
    /// Over the limit in octets.
    #[error("The message is too large")]
    TooLarge,
    /// The house has no memory left: [`Collector::shed`].
    #[error("No room for the message now, try again later")]
    NoRoom,
}

/// A message that has been collected.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Collected {
    /// The octets, dots taken away, with CRLF at the end of its last line as it came. None of
    /// them if it cannot be taken.
    pub message: Vec<u8>,
    /// There are octets above 127: the message needs 8BITMIME, whatever was declared.
    pub eight_bit: bool,
    /// Why it cannot be taken, if it cannot.
    pub error: Option<DataError>,
}

/// Collects one message, piece by piece.
#[derive(Debug)]
pub struct Collector {
    message: Vec<u8>,
    state: State,
    error: Option<DataError>,
    octets: usize,
    octets_max: usize,
    line_octets: usize,
    line_octets_max: usize,
    eight_bit: bool,
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

/// Octets a client's word for the size of its message is believed for, before any have come.
const EXPECTED_OCTETS_MAX: usize = 1 << 20;

impl Collector {
    /// A collector for a message of up to so many octets, with lines of up to so many without
    /// their CRLF. `expected` is what the client says its size is; it is believed up to 1 MiB.
    pub fn new(
        octets_max: usize,
        line_octets_max: usize,
        expected: usize,
        bare: BareNewlines,
    ) -> Self {
        let expected = expected.min(octets_max).min(EXPECTED_OCTETS_MAX);
        Self {
            message: Vec::with_capacity(expected),
            state: State::LineStart,
            error: None,
            octets: 0,
            octets_max,
            line_octets: 0,
            line_octets_max,
            eight_bit: false,
            bare,
        }
    }

    /// Takes octets that came after DATA, up to the end of the message. Gives how many of them
    /// belong to it, and whether it has ended.
    pub fn dotted(&mut self, input: &[u8]) -> (usize, bool) {
        let mut at = 0;
        while let Some(&octet) = input.get(at) {
            let plain =
                self.state == State::Line || self.state == State::LineStart && octet != b'.';
            if plain {
                // A dot means something only behind a newline: up to there all is as it is.
                let rest = &input[at..];
                let end = memmem::find(rest, b"\n.").map_or(rest.len(), |newline| newline + 1);
                self.stretch(&rest[..end]);
                at += end;
            } else {
                at += 1;
                if self.step(octet) {
                    return (at, true);
                }
            }
        }
        (at, false)
    }

    /// Takes octets of a chunk (RFC 3030): they mean what they are.
    pub fn chunk(&mut self, input: &[u8]) {
        match (self.state, input) {
            (_, []) => {}
            (State::Cr, [b'\n', rest @ ..]) => {
                self.end_line();
                self.stretch(rest);
            }
            (State::Cr, rest) => {
                self.bare_cr();
                self.stretch(rest);
            }
            (_, rest) => self.stretch(rest),
        }
    }

    /// Lets go of what was collected, since the house has no room for it. The rest is heard to
    /// its end and not kept.
    pub fn shed(&mut self) {
        self.fail(DataError::NoRoom);
    }

    /// Octets of memory held.
    pub fn octets(&self) -> usize {
        self.message.len()
    }

    /// Whether so many more octets would be too many.
    pub fn overflows(&self, more: u64) -> bool {
        more > self.octets_max.saturating_sub(self.octets) as u64
    }

    /// Why the message cannot be taken, if that is known already.
    pub fn error(&self) -> Option<DataError> {
        self.error
    }

    /// The message, or why it cannot be taken.
    pub fn finish(mut self) -> Collected {
        // A chunk may end in the middle of a line's end.
        if self.state == State::Cr {
            self.bare_cr();
        }
        Collected { message: self.message, eight_bit: self.eight_bit, error: self.error }
    }

    /// One octet where it matters what stands before it; whether the message has ended.
    fn step(&mut self, octet: u8) -> bool {
        match (self.state, octet) {
            (State::LineStart, b'.') => self.state = State::Dot,
            (State::Dot, b'\r') => self.state = State::DotCr,
            (State::DotCr, b'\n') => return true,
            (State::Cr, b'\n') => self.end_line(),
            // A CR that stands alone; in front of it there was a dot that was stuffed, or none.
            (State::DotCr | State::Cr, _) => {
                self.bare_cr();
                self.stretch(&[octet]);
            }
            // A dot that was put in front of another, or of anything: it goes.
            _ => {
                self.state = State::Line;
                self.stretch(&[octet]);
            }
        }
        false
    }

    /// Octets among which no dot means anything, behind a line's start or in a line.
    fn stretch(&mut self, octets: &[u8]) {
        // What a CR at the end is, the next octet tells.
        let (octets, cr) = match octets {
            [head @ .., b'\r'] => (head, true),
            _ => (octets, false),
        };
        if !octets.is_empty() {
            let bare = self.look_through(octets);
            if bare && self.bare == BareNewlines::Normalise {
                self.normalise(octets);
            } else {
                if bare {
                    self.fail(DataError::BareNewline);
                }
                self.take_lines(octets);
            }
        }
        if cr {
            self.state = State::Cr;
        }
    }

    /// Sees what is among the octets; whether a CR or LF stands alone there.
    fn look_through(&mut self, octets: &[u8]) -> bool {
        let Some((&first, behind)) = octets.split_first() else { return false };
        let mut bare = first == b'\n' || octets.ends_with(b"\r");
        let mut nul = first == 0;
        let mut all = first;
        // Without branches, so that the compiler makes it wide.
        for (a, b) in octets.iter().zip(behind) {
            bare |= (*a == b'\r') ^ (*b == b'\n');
            nul |= *b == 0;
            all |= *b;
        }
        self.eight_bit |= all >= 0x80;
        if nul {
            self.fail(DataError::Nul);
        }
        bare
    }

    /// Takes octets as they are.
    fn take_lines(&mut self, octets: &[u8]) {
        if self.has_long_line(octets) {
            self.fail(DataError::LineTooLong);
        }
        self.line_octets = match memrchr(b'\n', octets) {
            Some(newline) => octets.len() - newline - 1,
            None => self.line_octets + octets.len(),
        };
        self.state = if octets.ends_with(b"\r\n") { State::LineStart } else { State::Line };
        self.keep(octets);
    }

    /// Looks for the last newline within reach, not for each: one look passes many lines.
    fn has_long_line(&self, octets: &[u8]) -> bool {
        let mut room = self.line_octets_max.saturating_sub(self.line_octets);
        let mut rest = octets;
        while rest.len() > room {
            // A line and its CRLF.
            let reach = rest.len().min(room.saturating_add(2));
            let Some(newline) = memrchr(b'\n', &rest[..reach]) else { return true };
            rest = &rest[newline + 1..];
            room = self.line_octets_max;
        }
        false
    }

    /// Takes octets with a CRLF for each CR and LF that stands alone.
    fn normalise(&mut self, octets: &[u8]) {
        let mut rest = octets;
        while let Some(end) = memchr2(b'\r', b'\n', rest) {
            self.take_lines(&rest[..end]);
            let whole = rest[end..].starts_with(b"\r\n");
            rest = &rest[end + if whole { 2 } else { 1 }..];
            self.end_line();
            if !whole {
                self.state = State::Line;
            }
        }
        if !rest.is_empty() {
            self.take_lines(rest);
        }
    }

    fn end_line(&mut self) {
        self.keep(b"\r\n");
        self.line_octets = 0;
        self.state = State::LineStart;
    }

    /// The CR that was not kept yet stands alone.
    fn bare_cr(&mut self) {
        match self.bare {
            BareNewlines::Refuse => {
                self.fail(DataError::BareNewline);
                self.take_lines(b"\r");
            }
            BareNewlines::Normalise => self.end_line(),
        }
        self.state = State::Line;
    }

    fn keep(&mut self, octets: &[u8]) {
        self.octets = self.octets.saturating_add(octets.len());
        if self.octets > self.octets_max {
            self.fail(DataError::TooLarge);
        }
        if self.error.is_none() {
            self.message.extend_from_slice(octets);
        }
    }

    /// What was kept is let go at once; the rest is only looked through.
    fn fail(&mut self, error: DataError) {
        self.error = self.error.max(Some(error));
        self.message = Vec::new();
    }
}

#[cfg(test)]
mod tests;
