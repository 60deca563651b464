//! One entry in octets.
//!
//! A record is the length of its body (u32, little-endian), the CRC-32C of the body (u32), and the
//! body: the entry's place (u64) and then fields, each a tag, a length (LEB128) and octets.
//! A field with an unknown tag is passed over, so that an older Postlane reads a newer one's log.

use std::net::IpAddr;

use compact_str::CompactString;
use postlane_mail::{Code, Instant, QueueId, Stage, Status, Stream};

use crate::entry::{Entry, Sample, Written};
use crate::kind::Kind;
use crate::position::Seq;

/// The longest body: an entry at its limits has less than 200 KiB.
pub(super) const BODY_OCTETS_MAX: usize = 1 << 20;
/// Length and checksum in front of a body.
pub(super) const HEAD_OCTETS: usize = 8;

/// Appends `written` to `out`, with its sample, which the writer keeps apart.
pub(super) fn encode(written: &Written, sample: Option<&Sample>, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&[0; HEAD_OCTETS]);
    out.extend_from_slice(&written.seq.0.to_le_bytes());
    fields(&written.entry, out);
    if let Some(sample) = sample {
        field(out, 33, sample.transcript.as_bytes());
        field(out, 34, sample.headers.as_bytes());
    }
    let body = &out[start + HEAD_OCTETS..];
    let length = u32::try_from(body.len()).expect("an entry's texts are cut to their limits");
    let sum = crc32c::crc32c(body);
    out[start..start + 4].copy_from_slice(&length.to_le_bytes());
    out[start + 4..start + 8].copy_from_slice(&sum.to_le_bytes());
}

fn fields(entry: &Entry, out: &mut Vec<u8>) {
    field(out, 1, &[entry.kind.number()]);
    field(out, 2, &entry.at.0.to_le_bytes());
    number(out, 3, entry.id.map(QueueId::bits));
    number(out, 4, entry.recipient_index.map(u64::from));
    text(out, 5, &entry.message_id);
    text(out, 6, entry.stream.map_or("", |stream| stream.as_str()));
    text(out, 7, &entry.tenant);
    text(out, 8, &entry.campaign);
    text(out, 9, &entry.sender);
    text(out, 10, &entry.recipient);
    text(out, 11, &entry.domain);
    text(out, 12, &entry.provider);
    text(out, 13, &entry.source);
    ip(out, 14, entry.source_ip);
    text(out, 15, &entry.ehlo);
    text(out, 16, &entry.mx_host);
    ip(out, 17, entry.mx_ip);
    text(out, 18, &entry.tls);
    number(out, 19, entry.attempt.map(u64::from));
    text(out, 20, entry.stage.map_or("", |stage| stage.as_str()));
    number(out, 21, entry.code.map(|code| u64::from(code.number())));
    if let Some(Status { class, subject, detail }) = entry.status {
        let ([a, b], [c, d]) = (subject.to_le_bytes(), detail.to_le_bytes());
        field(out, 22, &[class, a, b, c, d]);
    }
    text(out, 23, &entry.reply);
    text(out, 24, &entry.label);
    text(out, 25, &entry.rule);
    number(out, 26, entry.took_ms.map(u64::from));
    number(out, 27, entry.delay_ms);
    number(out, 28, entry.connect_ms.map(u64::from));
    number(out, 29, entry.octets);
    text(out, 30, &entry.command);
    text(out, 31, &entry.who);
    text(out, 32, &entry.detail);
}

fn field(out: &mut Vec<u8>, tag: u8, octets: &[u8]) {
    out.push(tag);
    let mut left = octets.len();
    while left >= 0x80 {
        out.push((left & 0x7f) as u8 | 0x80);
        left >>= 7;
    }
    out.push(left as u8);
    out.extend_from_slice(octets);
}

fn text(out: &mut Vec<u8>, tag: u8, text: &str) {
    if !text.is_empty() {
        field(out, tag, text.as_bytes());
    }
}

/// Writes a number without its leading zeros.
fn number(out: &mut Vec<u8>, tag: u8, number: Option<u64>) {
    if let Some(number) = number {
        let octets = number.to_le_bytes();
        let used = octets.iter().rposition(|b| *b != 0).map_or(0, |last| last + 1);
        field(out, tag, &octets[..used]);
    }
}

fn ip(out: &mut Vec<u8>, tag: u8, ip: Option<IpAddr>) {
    match ip {
        Some(IpAddr::V4(ip)) => field(out, tag, &ip.octets()),
        Some(IpAddr::V6(ip)) => field(out, tag, &ip.octets()),
        None => {}
    }
}

/// Reads a body; nothing when it was not written by [`encode`], or tells of a kind of thing that
/// this version does not know.
pub(super) fn decode(body: &[u8]) -> Option<Written> {
    let (seq, mut rest) = body.split_first_chunk::<8>()?;
    let mut entry = Entry::new(Kind::Accepted, Instant(0));
    let (mut has_kind, mut has_time) = (false, false);
    while let Some((tag, after)) = rest.split_first() {
        let (length, after) = length(after)?;
        let (octets, after) = after.split_at_checked(length)?;
        rest = after;
        match tag {
            1 => {
                entry.kind = Kind::from_number(*octets.first()?)?;
                has_kind = true;
            }
            2 => {
                entry.at = Instant(u64::from_le_bytes(octets.try_into().ok()?));
                has_time = true;
            }
            33 | 34 => {
                let sample = entry.sample.get_or_insert_with(Box::<Sample>::default);
                let slot = if *tag == 33 { &mut sample.transcript } else { &mut sample.headers };
                *slot = CompactString::from_utf8(octets).ok()?;
            }
            _ => take(&mut entry, *tag, octets)?,
        }
    }
    (has_kind && has_time).then_some(Written { seq: Seq(u64::from_le_bytes(*seq)), entry })
}

/// Puts one field into `entry`.
fn take(entry: &mut Entry, tag: u8, octets: &[u8]) -> Option<()> {
    match tag {
        3 => entry.id = Some(QueueId::from_bits(read_number(octets)?)),
        4 => entry.recipient_index = Some(read_number(octets)?.try_into().ok()?),
        6 => entry.stream = Some(Stream::parse(str::from_utf8(octets).ok()?)?),
        14 => entry.source_ip = Some(read_ip(octets)?),
        17 => entry.mx_ip = Some(read_ip(octets)?),
        19 => entry.attempt = Some(read_number(octets)?.try_into().ok()?),
        20 => {
            let name = str::from_utf8(octets).ok()?;
            entry.stage = Some(Stage::ALL.into_iter().find(|stage| stage.as_str() == name)?);
        }
        21 => entry.code = Some(Code::new(read_number(octets)?.try_into().ok()?)?),
        22 => {
            let &[class, a, b, c, d] = octets else { return None };
            let (subject, detail) = (u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d]));
            entry.status = Some(Status { class, subject, detail });
        }
        26 => entry.took_ms = Some(read_number(octets)?.try_into().ok()?),
        27 => entry.delay_ms = Some(read_number(octets)?),
        28 => entry.connect_ms = Some(read_number(octets)?.try_into().ok()?),
        29 => entry.octets = Some(read_number(octets)?),
        _ => {
            if let Some(slot) = slot(entry, tag) {
                *slot = CompactString::from_utf8(octets).ok()?;
            }
        }
    }
    Some(())
}

/// Where the text with that tag belongs; nothing for a tag of a later version.
fn slot(entry: &mut Entry, tag: u8) -> Option<&mut CompactString> {
    Some(match tag {
        5 => &mut entry.message_id,
        7 => &mut entry.tenant,
        8 => &mut entry.campaign,
        9 => &mut entry.sender,
        10 => &mut entry.recipient,
        11 => &mut entry.domain,
        12 => &mut entry.provider,
        13 => &mut entry.source,
        15 => &mut entry.ehlo,
        16 => &mut entry.mx_host,
        18 => &mut entry.tls,
        23 => &mut entry.reply,
        24 => &mut entry.label,
        25 => &mut entry.rule,
        30 => &mut entry.command,
        31 => &mut entry.who,
        32 => &mut entry.detail,
        _ => return None,
    })
}

fn length(octets: &[u8]) -> Option<(usize, &[u8])> {
    let mut length = 0_usize;
    for (i, b) in octets.iter().take(4).enumerate() {
        length |= usize::from(b & 0x7f) << (7 * i);
        if b & 0x80 == 0 {
            return Some((length, &octets[i + 1..]));
        }
    }
    None
}

fn read_number(octets: &[u8]) -> Option<u64> {
    let mut all = [0; 8];
    all.get_mut(..octets.len())?.copy_from_slice(octets);
    Some(u64::from_le_bytes(all))
}

fn read_ip(octets: &[u8]) -> Option<IpAddr> {
    if let Ok(four) = <[u8; 4]>::try_from(octets) {
        return Some(IpAddr::from(four));
    }
    <[u8; 16]>::try_from(octets).ok().map(IpAddr::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::tests::{any_entry, full};
    use proptest::prelude::*;

    fn body(written: &Written) -> Vec<u8> {
        let mut out = Vec::new();
        encode(written, written.entry.sample.as_deref(), &mut out);
        out.split_off(HEAD_OCTETS)
    }

    #[test]
    fn every_field_comes_back() {
        let written = Written { seq: Seq(7), entry: full() };
        assert_eq!(decode(&body(&written)), Some(written));
    }

    #[test]
    fn a_field_of_a_later_version_is_passed_over() {
        let written = Written { seq: Seq(7), entry: full() };
        let mut octets = body(&written);
        field(&mut octets, 200, b"from the future");
        assert_eq!(decode(&octets), Some(written));
    }

    #[test]
    fn a_body_that_ends_in_a_field_is_refused() {
        let octets = body(&Written { seq: Seq(7), entry: full() });
        assert_eq!(decode(&octets[..octets.len() - 1]), None);
        assert_eq!(decode(&[]), None);
        assert_eq!(decode(&[0; 8]), None);
    }

    proptest! {
        #[test]
        fn what_goes_in_comes_out(entry in any_entry(), seq: u64) {
            let written = Written { seq: Seq(seq), entry };
            prop_assert_eq!(decode(&body(&written)), Some(written));
        }

        #[test]
        fn foreign_octets_never_panic(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(&octets);
        }
    }
}
