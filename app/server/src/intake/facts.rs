//! What intake learned of a message's octets, as the spool keeps it for us.

/// What the way out needs to know of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Facts {
    /// Octets of the header section.
    pub(crate) header_octets: u32,
    pub(crate) eight_bit_header: bool,
    pub(crate) eight_bit_body: bool,
    /// A line may begin with a dot.
    pub(crate) dot_lines: bool,
    /// The hash of the body in its relaxed form (RFC 6376 §3.4.4), where it was made.
    pub(crate) body_hash: Option<[u8; 32]>,
}

/// How a body was hashed, before the digest: SHA-256 of the relaxed form.
const RELAXED_SHA256: u8 = 1;

impl Facts {
    pub(crate) fn of(facts: &postlane_message::Facts) -> Self {
        Self {
            header_octets: u32::try_from(facts.header_octets).unwrap_or(u32::MAX),
            eight_bit_header: facts.header.eight_bit,
            eight_bit_body: facts.body.eight_bit,
            dot_lines: facts.header.dots || facts.body.dots,
            body_hash: None,
        }
    }

    pub(crate) fn to_octets(self) -> Box<[u8]> {
        let flags = u8::from(self.eight_bit_header)
            | u8::from(self.eight_bit_body) << 1
            | u8::from(self.dot_lines) << 2;
        let [a, b, c, d] = self.header_octets.to_le_bytes();
        let mut octets = vec![a, b, c, d, flags];
        if let Some(digest) = self.body_hash {
            octets.push(RELAXED_SHA256);
            octets.extend_from_slice(&digest);
        }
        octets.into()
    }

    /// Octets of a later version may be longer; of what cannot be read the worst is thought.
    pub(crate) fn from_octets(octets: &[u8]) -> Self {
        let Some(([a, b, c, d, flags], rest)) = octets.split_first_chunk::<5>() else {
            return Self {
                header_octets: 0,
                eight_bit_header: true,
                eight_bit_body: true,
                dot_lines: true,
                body_hash: None,
            };
        };
        // Octets that an earlier version has not written are hashed when they are needed.
        let body_hash = match rest.split_first() {
            Some((&RELAXED_SHA256, digest)) => digest.first_chunk().copied(),
            _ => None,
        };
        Self {
            header_octets: u32::from_le_bytes([*a, *b, *c, *d]),
            eight_bit_header: flags & 1 != 0,
            eight_bit_body: flags & 2 != 0,
            dot_lines: flags & 4 != 0,
            body_hash,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_again_and_so_is_what_an_earlier_version_kept() {
        let old = Facts { header_octets: 77, eight_bit_body: true, ..Facts::default() };
        let new = Facts { body_hash: Some([7; 32]), ..old };
        assert_eq!(Facts::from_octets(&old.to_octets()), old);
        assert_eq!(Facts::from_octets(&new.to_octets()), new);
        assert_eq!(new.to_octets()[..5], *old.to_octets());
        assert_eq!(old.to_octets().len(), 5);
    }

    #[test]
    fn a_hash_of_another_sort_or_length_is_none() {
        let mut octets = Facts { body_hash: Some([7; 32]), ..Facts::default() }.to_octets();
        assert_eq!(Facts::from_octets(&octets[..37]).body_hash, None);
        octets[5] = 9;
        assert_eq!(Facts::from_octets(&octets).body_hash, None);
        assert_eq!(Facts::from_octets(&[1, 2]).body_hash, None);
    }
}
