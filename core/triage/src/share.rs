//! A share of a whole, and how it is printed.

use std::fmt;

/// Some of a whole. A share of nothing is zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Share {
    /// How many.
    pub some: u64,
    /// Of how many.
    pub of: u64,
}

impl Share {
    /// Some of a whole; never more than the whole.
    pub fn new(some: u64, of: u64) -> Self {
        Self { some: some.min(of), of }
    }

    /// 0 to 1; 0 of nothing.
    pub fn value(self) -> f64 {
        if self.of == 0 { 0.0 } else { self.some as f64 / self.of as f64 }
    }

    /// As [`value`](Self::value), as if `more` further ones had been seen that are not among the
    /// some: what few observations say is not believed too soon.
    pub fn shrunk(self, more: f64) -> f64 {
        self.some as f64 / (self.of as f64 + more.max(f64::MIN_POSITIVE))
    }
}

impl fmt::Display for Share {
    /// In per cent: whole ones, a digit behind the point below ten, never 0 or 100 for what is
    /// more or less than that.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = 100.0 * self.value();
        match percent {
            _ if self.some == 0 => f.write_str("0 %"),
            _ if self.some == self.of => f.write_str("100 %"),
            p if p < 0.1 => f.write_str("< 0.1 %"),
            p if p < 9.95 => write!(f, "{p:.1} %"),
            p if p >= 99.5 => f.write_str("> 99 %"),
            p => write!(f, "{p:.0} %"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_never_prints_as_none_or_all_when_it_is_neither() {
        for (some, of, text) in [
            (0, 0, "0 %"),
            (0, 7, "0 %"),
            (1, 100_000, "< 0.1 %"),
            (1, 50, "2.0 %"),
            (1, 2, "50 %"),
            (9_999, 10_000, "> 99 %"),
            (7, 7, "100 %"),
        ] {
            assert_eq!(Share::new(some, of).to_string(), text);
        }
    }
}
