//! Reading octets that may be damaged: nothing is believed, nothing panics.

/// Octets being read from the front. Every reader gives nothing where there is not enough.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Octets<'a>(pub(crate) &'a [u8]);

impl<'a> Octets<'a> {
    pub(crate) fn take(&mut self, many: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(many)?;
        self.0 = rest;
        Some(taken)
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.take(1).map(|octets| octets[0])
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.0.split_first_chunk().map(|(octets, rest)| {
            self.0 = rest;
            u16::from_le_bytes(*octets)
        })
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.0.split_first_chunk().map(|(octets, rest)| {
            self.0 = rest;
            u32::from_le_bytes(*octets)
        })
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.0.split_first_chunk().map(|(octets, rest)| {
            self.0 = rest;
            u64::from_le_bytes(*octets)
        })
    }

    /// A text behind its length in two octets.
    pub(crate) fn text(&mut self) -> Option<&'a str> {
        let many = self.u16()?;
        std::str::from_utf8(self.take(usize::from(many))?).ok()
    }

    /// Octets behind their length in four octets.
    pub(crate) fn long(&mut self) -> Option<&'a [u8]> {
        let many = self.u32()?;
        self.take(usize::try_from(many).ok()?)
    }
}

/// A text behind its length in two octets; one that is longer is cut at a character.
pub(crate) fn push_text(out: &mut Vec<u8>, text: &str) {
    let mut end = text.len().min(usize::from(u16::MAX));
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    out.extend_from_slice(&(end as u16).to_le_bytes());
    out.extend_from_slice(&text.as_bytes()[..end]);
}

/// Octets behind their length in four octets.
pub(crate) fn push_long(out: &mut Vec<u8>, octets: &[u8]) {
    let many = u32::try_from(octets.len()).expect("a record is smaller than 4 GiB");
    out.extend_from_slice(&many.to_le_bytes());
    out.extend_from_slice(octets);
}
