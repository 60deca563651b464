//! A number in decimal, for commands and transcripts.

/// A number in decimal, without the machinery of formatting.
pub(super) struct Decimal {
    octets: [u8; 20],
    begin: usize,
}

impl Decimal {
    pub(super) fn of(mut number: u64) -> Self {
        let mut digits = Self { octets: [b'0'; 20], begin: 20 };
        loop {
            digits.begin -= 1;
            digits.octets[digits.begin] = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 {
                return digits;
            }
        }
    }

    pub(super) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.octets[self.begin..]).unwrap_or_default()
    }
}
