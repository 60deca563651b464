//! Values as certificates and keys hold them (X.690 §8.1, DER).

/// What a value of this tag holds, and what stands behind it.
pub(crate) fn value(octets: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, held, rest) = any(octets)?;
    (found == tag).then_some((held, rest))
}

/// A value of this tag as it is encoded, and what stands behind it.
pub(crate) fn encoded(octets: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (_, rest) = value(octets, tag)?;
    octets.split_at_checked(octets.len().checked_sub(rest.len())?)
}

/// The tag of the first value, what it holds, and what stands behind it. Tags of one octet
/// only: no others are in use here.
pub(crate) fn any(octets: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = octets.split_first()?;
    let (length, rest) = rest.split_first()?;
    if *length < 0x80 {
        let (held, rest) = rest.split_at_checked(usize::from(*length))?;
        return Some((*tag, held, rest));
    }
    let (length, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
    if length.len() > 4 {
        return None;
    }
    let length = length.iter().fold(0_usize, |sum, octet| sum << 8 | usize::from(*octet));
    let (held, rest) = rest.split_at_checked(length)?;
    Some((*tag, held, rest))
}
