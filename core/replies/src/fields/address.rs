//! IP addresses in a reply.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::keep;
use super::piece::{Piece, pieces};

/// The addresses of hosts, in the order of the text.
pub(super) fn addresses(text: &str) -> Vec<IpAddr> {
    let mut found = Vec::new();
    for piece in pieces(text, |c| c.is_ascii_hexdigit() || matches!(c, '.' | ':')) {
        let is_long = piece.text.len() >= 3 && piece.text.len() <= 64;
        if is_long && let Some(address) = address(text, piece) {
            keep(&mut found, address);
        }
    }
    found
}

fn address(text: &str, piece: Piece<'_>) -> Option<IpAddr> {
    let before = text.get(..piece.at).unwrap_or_default();
    // `IPv6:2001:db8::1` (RFC 5321 §4.1.3): the 6 is of the tag.
    let is_tagged = before.len() >= 3
        && before.get(before.len() - 3..).is_some_and(|tag| tag.eq_ignore_ascii_case("ipv"));
    let run = match piece.text.strip_prefix("6:") {
        Some(rest) if is_tagged => rest,
        _ if is_of_name(piece.before) => return None,
        _ => piece.text,
    };
    // `1.2.0.192.zen.example.org` is a name to ask for, read backwards.
    if is_of_name(piece.after) {
        return None;
    }
    let run = run.strip_prefix(':').filter(|rest| !rest.starts_with(':')).unwrap_or(run);
    let is_end_of_sentence = |c| c == '.' || c == ':';
    let trimmed = run.trim_end_matches(is_end_of_sentence);
    let address = match v6(run).or_else(|| v6(trimmed)) {
        Some(address) => IpAddr::V6(address),
        None => IpAddr::V4(v4(trimmed)?),
    };
    let is_code = piece.after == ';' && before.ends_with(" - ");
    (!is_code).then_some(address)
}

fn is_of_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '-' | '_' | '#')
}

/// An address with or without a port; not one that a block list answers with (127.0.0.2), nor a
/// netmask.
fn v4(run: &str) -> Option<Ipv4Addr> {
    let (run, _port) = run.split_once(':').unwrap_or((run, ""));
    let address: Ipv4Addr = run.parse().ok()?;
    let [first, ..] = address.octets();
    (first != 0 && first != 127 && first != 255).then_some(address)
}

/// An address whose first group has four digits, as all that are in use have: `a::b` and
/// `10:54` are something else.
fn v6(run: &str) -> Option<Ipv6Addr> {
    let first = run.split(':').next()?;
    let is_plain = first.len() == 4 || (run.starts_with("::") && run.len() > 6);
    if is_plain { run.parse().ok() } else { None }
}
