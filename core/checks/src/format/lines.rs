//! FMT-16 to FMT-18 and FMT-27: lines, octets, size.

use crate::arrived::Arrived;
use crate::check::Found;
use crate::dns::Known;

pub(super) fn length(_: &mut Known, arrived: &Arrived<'_>) -> Option<Found> {
    let lines = arrived
        .message
        .raw()
        .split(|b| *b == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line).len());
    let (number, longest) = lines.enumerate().max_by_key(|(_, length)| *length).unwrap_or((0, 0));
    let evidence = format!("line {} has {longest} octets", number + 1);
    match longest {
        0..=78 => Found::pass(evidence),
        79..=998 => Found::info(evidence),
        _ => Found::fail(evidence),
    }
}

pub(super) fn line_ends(_: &mut Known, arrived: &Arrived<'_>) -> Option<Found> {
    let raw = arrived.message.raw();
    let bare = raw.iter().enumerate().find(|(at, octet)| match octet {
        b'\r' => raw.get(at + 1) != Some(&b'\n'),
        b'\n' => at.checked_sub(1).and_then(|before| raw.get(before)) != Some(&b'\r'),
        _ => false,
    });
    match bare {
        None => Found::pass("every line ends with CRLF"),
        Some((at, octet)) => {
            let line = 1 + raw[..at].iter().filter(|b| **b == b'\n').count();
            let name = if *octet == b'\r' { "CR" } else { "LF" };
            Found::fail(format!("a {name} on its own in line {line}"))
        }
    }
}

pub(super) fn nul(_: &mut Known, arrived: &Arrived<'_>) -> Option<Found> {
    match memchr::memchr(0, arrived.message.raw()) {
        None => Found::pass("there is none"),
        Some(at) => Found::fail(format!("octet {at} is NUL")),
    }
}

/// Octets of HTML that Gmail shows whole (FMT-27), and of a message that anybody takes.
const HTML: usize = 102 * 1024;
const MESSAGE: usize = 10 * 1024 * 1024;
const TOO_LARGE: usize = 25 * 1024 * 1024;

pub(super) fn size(_: &mut Known, arrived: &Arrived<'_>) -> Option<Found> {
    let octets = arrived.message.raw().len();
    let structure = arrived.message.structure();
    let html = structure.parts.iter().filter(|part| part.is("text", "html"));
    let html = html.filter_map(|part| part.decoded()).map(|text| text.len()).max().unwrap_or(0);
    let evidence = format!("{octets} octets, {html} of HTML");
    if octets > TOO_LARGE {
        Found::fail(evidence)
    } else if octets > MESSAGE || html > HTML {
        Found::warn(evidence)
    } else {
        Found::pass(evidence)
    }
}
