//! FMT-10, FMT-11 and FMT-19: the header section.

use postlane_message::SectionEnd;

use crate::arrived::Arrived;
use crate::check::Found;
use crate::dns::Known;
use crate::message::text_of;

use super::{address, words};

/// Fields with text that people read.
const READ: [&str; 7] = ["From", "Sender", "Reply-To", "To", "Cc", "Subject", "Comments"];

pub(super) fn encoded_words(_: &mut Known, arrived: &Arrived<'_>) -> Option<Found> {
    let (mut broken, mut odd, mut count) = (Vec::new(), Vec::new(), 0);
    for field in arrived.message.fields().iter().filter(|f| READ.iter().any(|name| f.is(name))) {
        let name = String::from_utf8_lossy(field.name);
        let text = text_of(field);
        let text = &text[..text.floor_char_boundary(TOO_LARGE)];
        for word in words::words(text) {
            count += 1;
            let written = word.written;
            if word.text.is_none() {
                broken.push(format!("{name}: {written} cannot be decoded"));
            } else if word.is_split {
                odd.push(format!("{name}: {written} cuts a character in two"));
            } else if written.chars().count() > 75 {
                odd.push(format!("{name}: {written} is longer than 75 characters"));
            } else if is_quoted(text, written) {
                odd.push(format!("{name}: {written} stands in quotes, where it means nothing"));
            } else if word.is_needless {
                odd.push(format!("{name}: {written} encodes what needs no encoding"));
            }
        }
        if !field.is("Subject") && in_address(text) {
            broken.push(format!("{name}: {text}: an encoded word in an address"));
        }
    }
    broken.extend(odd.iter().cloned());
    match (broken.len() > odd.len(), odd.is_empty(), count) {
        (true, ..) => Found::fail(broken.join("; ")),
        (_, false, _) => Found::warn(odd.join("; ")),
        (_, _, 0) => Found::pass("there are no encoded words"),
        _ => Found::pass(format!("{count} encoded words, all of them whole")),
    }
}

/// Whether a word stands between quotes: an odd number of them is before it.
fn is_quoted(text: &str, word: &str) -> bool {
    let before = text.find(word).and_then(|at| text.get(..at)).unwrap_or_default();
    before.replace("\\\"", "").matches('"').count() % 2 == 1
}

fn in_address(text: &str) -> bool {
    address::parse(text).is_ok_and(|list| {
        address::mailboxes(&list)
            .any(|mailbox| mailbox.local_part.contains("=?") || mailbox.domain.contains("=?"))
    })
}

pub(super) fn eight_bit(_: &mut Known, arrived: &Arrived<'_>) -> Option<Found> {
    let eight_bit = arrived.message.fields().iter().find(|field| !field.value.is_ascii());
    let Some(field) = eight_bit else { return Found::pass("the header is ASCII") };
    let name = String::from_utf8_lossy(field.name);
    match (arrived.is_utf8, std::str::from_utf8(field.value)) {
        (true, Ok(_)) => Found::pass(format!("{name} is UTF-8, announced with SMTPUTF8")),
        (true, Err(_)) => Found::fail(format!("{name} has octets that are no UTF-8")),
        (false, _) => Found::fail(format!("{name} has octets beyond ASCII, without SMTPUTF8")),
    }
}

/// Octets of a header section (FMT-19).
const LARGE: usize = 16 * 1024;
const TOO_LARGE: usize = 64 * 1024;

pub(super) fn block(_: &mut Known, arrived: &Arrived<'_>) -> Option<Found> {
    let message = &arrived.message;
    let header = message.header();
    if message.end() == SectionEnd::NoField {
        let line = message.raw().get(header.len()..).unwrap_or_default();
        let line = line.split(|b| *b == b'\n').next().unwrap_or_default();
        let line = String::from_utf8_lossy(&line[..line.len().min(80)]).trim_end().to_owned();
        return Found::fail(format!("\"{line}\" is no field, and ends the header"));
    }
    if message.end() == SectionEnd::BrokenLine {
        return Found::fail("the header breaks off in a line");
    }
    if header.len() > TOO_LARGE {
        return Found::fail(format!("the header has {} octets", header.len()));
    }
    let blank_fold = message.fields().iter().find(|field| {
        let lines = field.value.split(|b| *b == b'\n').skip(1);
        lines.into_iter().any(|line| line.trim_ascii().is_empty())
    });
    if let Some(field) = blank_fold {
        let name = String::from_utf8_lossy(field.name);
        return Found::warn(format!("{name} is folded with a line of nothing but blanks"));
    }
    let blank_colon = message.fields().iter().find(|field| {
        let raw = message.raw().get(field.range.clone()).unwrap_or_default();
        raw.get(field.name.len()).is_some_and(|b| *b != b':')
    });
    if let Some(field) = blank_colon {
        let name = String::from_utf8_lossy(field.name);
        return Found::warn(format!("{name} has a blank before its colon"));
    }
    if header.len() > LARGE {
        return Found::warn(format!("the header has {} octets", header.len()));
    }
    Found::pass(format!("{} fields, {} octets", message.field_count(), header.len()))
}
