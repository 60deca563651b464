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
}

impl Facts {
    pub(crate) fn of(facts: &postlane_message::Facts) -> Self {
        Self {
            header_octets: u32::try_from(facts.header_octets).unwrap_or(u32::MAX),
            eight_bit_header: facts.header.eight_bit,
            eight_bit_body: facts.body.eight_bit,
            dot_lines: facts.header.dots || facts.body.dots,
        }
    }

    pub(crate) fn to_octets(self) -> Box<[u8]> {
        let flags = u8::from(self.eight_bit_header)
            | u8::from(self.eight_bit_body) << 1
            | u8::from(self.dot_lines) << 2;
        let [a, b, c, d] = self.header_octets.to_le_bytes();
        Box::new([a, b, c, d, flags])
    }

    /// Octets of a later version may be longer; of what cannot be read the worst is thought.
    pub(crate) fn from_octets(octets: &[u8]) -> Self {
        let Some([a, b, c, d, flags]) = octets.first_chunk::<5>() else {
            return Self {
                header_octets: 0,
                eight_bit_header: true,
                eight_bit_body: true,
                dot_lines: true,
            };
        };
        Self {
            header_octets: u32::from_le_bytes([*a, *b, *c, *d]),
            eight_bit_header: flags & 1 != 0,
            eight_bit_body: flags & 2 != 0,
            dot_lines: flags & 4 != 0,
        }
    }
}
