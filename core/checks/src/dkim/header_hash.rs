//! The octets that are signed: the header fields a signature names, in their form, and the
//! signature's own field without its `b=` (RFC 6376 §3.7).

use std::collections::BTreeMap;

use postlane_message::Field;

use super::canon::Canon;

/// Puts them together. Of a name that is listed more than once the fields are taken from the
/// bottom up; a name that is listed oftener than it occurs stands for nothing (§5.4.2).
pub(crate) fn signed_octets(
    message: &[u8],
    fields: &[Field<'_>],
    names: &[Box<str>],
    canon: Canon,
    own: &Field<'_>,
) -> Vec<u8> {
    let mut left: BTreeMap<&str, Vec<&Field<'_>>> =
        names.iter().map(|name| (&**name, Vec::new())).collect();
    for field in fields.iter().filter(|field| field.range != own.range) {
        let name = field.name.to_ascii_lowercase();
        let name = std::str::from_utf8(&name).unwrap_or_default();
        if let Some(found) = left.get_mut(name) {
            found.push(field);
        }
    }
    let mut octets = Vec::new();
    for name in names {
        if let Some(field) = left.get_mut(&**name).and_then(Vec::pop) {
            let raw = message.get(field.range.clone()).unwrap_or_default();
            canon.field(field.name, field.value, raw, &mut octets);
        }
    }
    own_octets(message, canon, own, &mut octets);
    octets
}

/// A signature's own field as it is signed: without its `b=`, and without its last CRLF.
pub(crate) fn own_octets(message: &[u8], canon: Canon, own: &Field<'_>, octets: &mut Vec<u8>) {
    let raw = message.get(own.range.clone()).unwrap_or_default();
    let before = raw.len().saturating_sub(own.value.len() + ending(raw));
    let value = without_signature(own.value);
    let mut whole = raw.get(..before).unwrap_or_default().to_vec();
    whole.extend_from_slice(&value);
    canon.field(own.name, &value, &whole, octets);
    octets.truncate(octets.len().saturating_sub(2));
}

fn ending(raw: &[u8]) -> usize {
    if raw.ends_with(b"\r\n") { 2 } else { 0 }
}

/// A signature's value with nothing behind its `b=`.
fn without_signature(value: &[u8]) -> Vec<u8> {
    let mut octets = Vec::with_capacity(value.len());
    for (number, tag) in value.split(|b| *b == b';').enumerate() {
        if number > 0 {
            octets.push(b';');
        }
        let equals = tag.iter().position(|b| *b == b'=');
        match equals {
            Some(at) if tag[..at].trim_ascii() == b"b" => octets.extend_from_slice(&tag[..=at]),
            _ => octets.extend_from_slice(tag),
        }
    }
    octets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_value_of_b_is_left_out() {
        let value = b" v=1; bh=abc=; b = de\r\n fg=; h=from";
        assert_eq!(without_signature(value), b" v=1; bh=abc=; b =; h=from");
    }
}
