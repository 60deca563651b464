//! Any octets as a message: sent by DATA, collected from DATA, and in chunks. No end of it is
//! heard where there is none, and nothing is left behind it that could be taken for a command.

#![no_main]

use libfuzzer_sys::fuzz_target;
use postlane_smtp::data::{BareNewlines, Collected, Collector, DataError, Lines, stuff};

/// Octets of a message and of a line that are more than any input has.
const NO_LIMIT: usize = 1 << 20;

fuzz_target!(|octets: &[u8]| {
    let Some((piece, octets)) = octets.split_first() else { return };
    let piece = 1 + usize::from(*piece);
    collected_from_data(octets, piece, BareNewlines::Refuse);
    collected_from_data(octets, piece, BareNewlines::Normalise);
    collected_from_chunks(octets, piece);
    sent_and_collected(octets, piece);
    within_limits(octets, piece);
});

/// The first CRLF.CRLF is the end, and nothing else is.
fn collected_from_data(octets: &[u8], piece: usize, bare: BareNewlines) {
    // The message begins as if a CRLF stood in front of it.
    let framed = [b"\r\n", octets].concat();
    let end = framed.windows(5).position(|five| five == b"\r\n.\r\n").map(|at| at + 3);
    let (collected, taken, ended) = collect(NO_LIMIT, octets, piece, bare);
    assert_eq!(ended.then_some(taken), end, "the end is not where CRLF.CRLF is");
    if collected.error.is_some() {
        assert!(collected.message.is_empty(), "what is refused is kept");
    } else {
        assert!(!has_bare_newlines(&collected.message), "a bare CR or LF has come in");
    }
    if bare == BareNewlines::Normalise {
        assert_ne!(collected.error, Some(DataError::BareNewline));
    } else if ended && has_bare_newlines(&octets[..taken]) {
        assert!(collected.error >= Some(DataError::BareNewline), "a bare CR or LF is let pass");
    }
}

/// Chunks mean what they are.
fn collected_from_chunks(octets: &[u8], piece: usize) {
    let mut collector = Collector::new(NO_LIMIT, NO_LIMIT, 0, BareNewlines::Refuse);
    octets.chunks(piece).for_each(|chunk| collector.chunk(chunk));
    let collected = collector.finish();
    let error = match () {
        () if has_bare_newlines(octets) => Some(DataError::BareNewline),
        () if octets.contains(&0) => Some(DataError::Nul),
        () => None,
    };
    assert_eq!(collected.error, error);
    if error.is_none() {
        assert_eq!(collected.message, octets);
        assert_eq!(collected.eight_bit, !octets.is_ascii());
    }
}

/// What we send by DATA comes out as it went in, and ends where we end it.
fn sent_and_collected(octets: &[u8], piece: usize) {
    let pieces: Vec<_> = octets.chunks(piece).map(|chunk| chunk.to_vec().into()).collect();
    let lines = Lines::of(&pieces);
    assert_eq!(lines.bare_newlines, has_bare_newlines(octets));
    if lines.bare_newlines {
        return;
    }
    let mut out = Vec::new();
    stuff(&pieces, lines, &mut out);
    let mut sent = out.concat();
    assert!(!has_bare_newlines(&sent), "we send a bare CR or LF");
    sent.extend_from_slice(b".\r\n");
    let whole = sent.len();
    sent.extend_from_slice(b"QUIT\r\n");
    let (collected, taken, ended) = collect(NO_LIMIT, &sent, piece, BareNewlines::Refuse);
    assert!(ended && taken == whole, "a message we send ends elsewhere");
    if octets.contains(&0) {
        assert_eq!(collected.error, Some(DataError::Nul));
        return;
    }
    let end: &[u8] = if lines.ended { b"" } else { b"\r\n" };
    assert_eq!(collected.message, [octets, end].concat());
}

/// What is too much is not kept, and heard to the same end.
fn within_limits(octets: &[u8], piece: usize) {
    let (_, all, ended) = collect(NO_LIMIT, octets, piece, BareNewlines::Refuse);
    let (little, taken, ended_as_well) = collect(16, octets, piece, BareNewlines::Refuse);
    assert_eq!((taken, ended_as_well), (all, ended));
    assert!(little.message.len() <= 16);
}

fn collect(
    octets_max: usize,
    octets: &[u8],
    piece: usize,
    bare: BareNewlines,
) -> (Collected, usize, bool) {
    let mut collector = Collector::new(octets_max, octets_max, usize::MAX, bare);
    let mut taken = 0;
    for piece in octets.chunks(piece) {
        let (of_it, ended) = collector.dotted(piece);
        taken += of_it;
        assert!(ended || of_it == piece.len());
        assert!(collector.octets() <= octets_max);
        if ended {
            return (collector.finish(), taken, true);
        }
    }
    (collector.finish(), taken, false)
}

/// Slow, so that it is plain.
fn has_bare_newlines(octets: &[u8]) -> bool {
    let before = |at: usize| at.checked_sub(1).and_then(|at| octets.get(at));
    octets.iter().enumerate().any(|(at, octet)| match octet {
        b'\r' => octets.get(at + 1) != Some(&b'\n'),
        b'\n' => before(at) != Some(&b'\r'),
        _ => false,
    })
}
