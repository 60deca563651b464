//! The lines that part a multipart message (RFC 2046 §5.1.1).

use std::collections::BTreeSet;

use memchr::memmem;
use postlane_mail::QueueId;

/// A boundary that occurs in none of the texts: the same for the same message, always.
///
/// It begins with `=_`, which neither quoted-printable nor base 64 can have (RFC 2045 §6.7),
/// so only text that stands as it is can ever make it longer. At most 26 octets of 70.
pub(crate) fn boundary(id: QueueId, texts: &[&[u8]]) -> String {
    let base = format!("=_{id}");
    let finder = memmem::Finder::new(base.as_bytes());
    if texts.iter().all(|text| finder.find(text).is_none()) {
        return base;
    }
    let mut taken = BTreeSet::new();
    for text in texts {
        for at in finder.find_iter(text) {
            note_numbers(text.get(at + base.len()..).unwrap_or_default(), &mut taken);
        }
    }
    let free = (0_u32..).find(|n| !taken.contains(n)).unwrap_or(u32::MAX);
    format!("{base}.{free}")
}

/// The numbers that a boundary may not end with, since `.12` begins with `.1`.
fn note_numbers(rest: &[u8], taken: &mut BTreeSet<u32>) {
    let Some((b'.', digits)) = rest.split_first() else { return };
    let mut number = 0_u32;
    // Nine digits always fit, and a text cannot use up a billion numbers.
    for digit in digits.iter().take(9).take_while(|b| b.is_ascii_digit()) {
        number = number * 10 + u32::from(digit - b'0');
        taken.insert(number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boundary_occurs_in_none_of_the_texts() {
        let id = QueueId::from_bits(7);
        assert_eq!(boundary(id, &[b"a", b""]), "=_0000000000007");
        assert_eq!(boundary(id, &[b"a =_0000000000007 b"]), "=_0000000000007.0");
        let texts: [&[u8]; 2] = [b"--=_0000000000007.01\r\n", b"=_0000000000007.23--"];
        assert_eq!(boundary(id, &texts), "=_0000000000007.3");
    }
}
