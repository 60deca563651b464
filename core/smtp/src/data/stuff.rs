//! Sending a message by DATA: a dot in front of each line that begins with one (RFC 5321 §4.5.2).

use bytes::Bytes;
use memchr::memmem::Finder;
use smallvec::SmallVec;

/// The message in pieces, to be sent one behind the other, without the dot that ends it. Its
/// octets are not copied. A message whose last line has no CRLF is given one: without it the
/// final dot would not stand at the start of a line.
///
/// Only a dot behind CRLF is stuffed. A bare CR or LF never starts a line for us, and what
/// holds one has been refused or mended at intake.
pub fn stuff(message: &Bytes) -> SmallVec<[Bytes; 4]> {
    const DOT: Bytes = Bytes::from_static(b".");
    const CRLF: Bytes = Bytes::from_static(b"\r\n");
    let mut pieces = SmallVec::new();
    let mut sent = 0;
    if message.first() == Some(&b'.') {
        pieces.push(DOT);
    }
    for at in Finder::new(b"\r\n.").find_iter(message) {
        pieces.push(message.slice(sent..at + 2));
        pieces.push(DOT);
        sent = at + 2;
    }
    if sent < message.len() {
        pieces.push(message.slice(sent..));
    }
    if !message.is_empty() && !message.ends_with(b"\r\n") {
        pieces.push(CRLF);
    }
    pieces
}
