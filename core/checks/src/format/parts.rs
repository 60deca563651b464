//! FMT-20 to FMT-24 and FMT-29: parts and what is in them.

use encoding_rs::Encoding as Charset;

use crate::arrived::Arrived;
use crate::check::Found;
use crate::dns::Known;
use crate::message::{Encoding, MimeFault, Part};

use super::words;

pub(super) fn version(_: &mut Known, arrived: &Arrived<'_>) -> Option<Found> {
    let is_mime = ["Content-Type", "Content-Transfer-Encoding"]
        .iter()
        .any(|name| arrived.message.all(name).next().is_some());
    match arrived.message.text("MIME-Version") {
        Some(text) if without_comments(&text) == "1.0" => Found::pass("MIME-Version: 1.0"),
        Some(text) => Found::warn(format!("MIME-Version: {text}")),
        None if is_mime => Found::warn("there is no MIME-Version, and MIME is used"),
        None => Found::skip("MIME is not used"),
    }
}

fn without_comments(text: &str) -> String {
    let mut depth = 0_u32;
    let plain = text.chars().filter(|c| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            c => return depth == 0 && !c.is_whitespace(),
        }
        false
    });
    plain.collect()
}

pub(super) fn structure(_: &mut Known, arrived: &Arrived<'_>) -> Option<Found> {
    let structure = arrived.message.structure();
    let said: Vec<String> = structure.faults.iter().map(ToString::to_string).collect();
    let is_soft = |fault: &MimeFault| matches!(fault, MimeFault::Unended(_));
    let deepest = structure.parts.iter().map(|part| part.depth).max().unwrap_or(0);
    if !structure.faults.iter().all(is_soft) {
        Found::fail(said.join("; "))
    } else if !said.is_empty() {
        Found::warn(said.join("; "))
    } else if deepest > 10 {
        Found::warn(format!("parts lie {deepest} deep in each other"))
    } else {
        Found::pass(format!("{} parts, {deepest} deep", structure.parts.len()))
    }
}

pub(super) fn encoding(_: &mut Known, arrived: &Arrived<'_>) -> Option<Found> {
    let (mut broken, mut odd) = (Vec::new(), Vec::new());
    for (number, part) in leaves(&arrived.message.structure().parts).enumerate() {
        let number = number + 1;
        match &part.encoding {
            Encoding::Unknown(name) => broken.push(format!("part {number}: {name} is no encoding")),
            Encoding::SevenBit if !part.body.is_ascii() => {
                broken.push(format!("part {number} is declared 7bit and has octets beyond ASCII"));
            }
            Encoding::Base64 if part.decoded().is_none() => {
                if has_junk(part.body) {
                    odd.push(format!("part {number}: what is no base 64 stands among it"));
                } else {
                    broken.push(format!("part {number} is no whole base 64"));
                }
            }
            Encoding::Base64 | Encoding::QuotedPrintable if longest_line(part.body) > 76 => {
                let name = part.encoding.as_str();
                odd.push(format!("part {number}: a line of {name} is longer than 76 characters"));
            }
            _ => {}
        }
    }
    match (broken.is_empty(), odd.is_empty()) {
        (false, _) => Found::fail(broken.join("; ")),
        (_, false) => Found::warn(odd.join("; ")),
        _ => Found::pass("every part is encoded as it says"),
    }
}

/// Whether octets that are no base 64 stand in a text whose rest can be decoded.
fn has_junk(body: &[u8]) -> bool {
    let is_code = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=');
    body.iter().any(|b| !is_code(b) && !b.is_ascii_whitespace())
}

fn longest_line(body: &[u8]) -> usize {
    let lines =
        body.split(|b| *b == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line).len());
    lines.max().unwrap_or(0)
}

/// Parts that have no parts.
fn leaves<'p, 'a>(parts: &'p [Part<'a>]) -> impl Iterator<Item = &'p Part<'a>> {
    parts
        .iter()
        .filter(|part| part.content_type.as_ref().is_none_or(|content| content.kind != "multipart"))
}

pub(super) fn charset(_: &mut Known, arrived: &Arrived<'_>) -> Option<Found> {
    let structure = arrived.message.structure();
    let texts = leaves(&structure.parts)
        .filter(|part| part.content_type.as_ref().is_none_or(|content| content.kind == "text"));
    let (mut broken, mut odd, mut fine) = (Vec::new(), Vec::new(), Vec::new());
    for part in texts {
        let declared = part.content_type.as_ref().and_then(|content| content.parameter("charset"));
        let Some(octets) = part.decoded() else { continue };
        let Some(name) = declared else {
            if octets.is_ascii() {
                fine.push("us-ascii (not declared)".to_owned());
            } else {
                odd.push("octets beyond ASCII, and no charset is declared".to_owned());
            }
            continue;
        };
        match Charset::for_label(name.trim().as_bytes()) {
            None => broken.push(format!("{name} is no charset")),
            Some(charset) if undecodable(charset, &octets) > 0.001 => {
                broken.push(format!("the text is not {name}"));
            }
            Some(_) if is_common(name) => fine.push(name.to_owned()),
            Some(_) => odd.push(format!("{name} is out of use")),
        }
    }
    match (broken.is_empty(), odd.is_empty(), fine.is_empty()) {
        (false, ..) => Found::fail(broken.join("; ")),
        (_, false, _) => Found::warn(odd.join("; ")),
        (_, _, true) => Found::skip("there is no text that can be decoded"),
        _ => Found::pass(fine.join(", ")),
    }
}

/// The share of characters that cannot be decoded.
fn undecodable(charset: &'static Charset, octets: &[u8]) -> f64 {
    let (text, _) = charset.decode_without_bom_handling(octets);
    let (mut all, mut broken) = (0_u32, 0_u32);
    for c in text.chars() {
        all = all.saturating_add(1);
        broken += u32::from(c == '\u{fffd}');
    }
    f64::from(broken) / f64::from(all.max(1))
}

fn is_common(name: &str) -> bool {
    let name = name.trim().to_ascii_lowercase();
    matches!(name.as_str(), "utf-8" | "us-ascii" | "ascii") || name.starts_with("iso-8859-")
}

pub(super) fn alternative(_: &mut Known, arrived: &Arrived<'_>) -> Option<Found> {
    let structure = arrived.message.structure();
    let shown: Vec<&Part<'_>> = structure.parts.iter().filter(|part| !part.is_attached()).collect();
    let position = |subtype| shown.iter().position(|part| part.is("text", subtype));
    let is_empty = |at: usize| {
        let text = shown.get(at).and_then(|part| part.decoded());
        text.is_none_or(|text| text.trim_ascii().is_empty())
    };
    match (position("plain"), position("html")) {
        (_, None) => Found::pass("there is no HTML"),
        (None, Some(_)) => Found::warn("there is HTML, and no plain text"),
        (Some(plain), Some(_)) if is_empty(plain) => {
            Found::fail("the plain text is empty, and there is HTML")
        }
        (Some(plain), Some(html)) if plain > html => {
            Found::warn("the plain text stands behind the HTML: the last alternative is the best")
        }
        _ => Found::pass("plain text, then HTML"),
    }
}

/// Ends of names that are run when they are opened, and those that hold others or have macros
/// (as Gmail and Outlook refuse or warn of them).
const DANGEROUS: &[&str] = &[
    "exe", "com", "bat", "cmd", "scr", "pif", "cpl", "msi", "msix", "jar", "js", "jse", "vbs",
    "vbe", "wsf", "wsh", "ps1", "hta", "lnk", "iso", "img", "vhd", "vhdx", "dll", "reg", "chm",
    "app", "apk",
];
const DOUBTFUL: &[&str] = &[
    "zip", "rar", "7z", "gz", "tgz", "bz2", "xz", "tar", "cab", "ace", "arj", "docm", "xlsm",
    "pptm", "dotm", "xlam", "doc", "xls", "one", "html", "htm", "svg",
];

pub(super) fn attachments(_: &mut Known, arrived: &Arrived<'_>) -> Option<Found> {
    let structure = arrived.message.structure();
    let (mut bad, mut odd, mut count) = (Vec::new(), Vec::new(), 0);
    for part in leaves(&structure.parts) {
        let Some(name) = file_name(part) else { continue };
        count += 1;
        let ending = name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
        if DANGEROUS.contains(&&*ending) {
            bad.push(name);
        } else if is_locked_zip(part) {
            bad.push(format!("{name} (encrypted)"));
        } else if DOUBTFUL.contains(&&*ending) {
            odd.push(name);
        }
    }
    match (bad.is_empty(), odd.is_empty()) {
        (false, _) => Found::fail(bad.join(", ")),
        (_, false) => Found::warn(odd.join(", ")),
        _ if count == 0 => Found::pass("there are no attachments"),
        _ => Found::pass(format!("{count} attachments, none of a sort that is refused")),
    }
}

fn file_name(part: &Part<'_>) -> Option<String> {
    let disposition = part.text("Content-Disposition").unwrap_or_default();
    let disposition = crate::message::ContentType::parse(&format!("x/{disposition}"));
    let named = disposition.as_ref().and_then(|d| d.parameter("filename"));
    let typed = part.content_type.as_ref().and_then(|content| content.parameter("name"));
    named.or(typed).map(words::decoded)
}

/// Whether a ZIP's first file is encrypted (APPNOTE 4.4.4: bit 0 of the flags).
fn is_locked_zip(part: &Part<'_>) -> bool {
    let Some(octets) = part.decoded() else { return false };
    octets.starts_with(b"PK\x03\x04") && octets.get(6).is_some_and(|flags| flags & 1 == 1)
}
