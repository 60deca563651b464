//! What a host says it can do (RFC 5321 §4.1.1.1).

/// The extensions a host has offered in its answer to EHLO. A host that only knows HELO has
/// none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Capabilities {
    /// PIPELINING (RFC 2920).
    pub pipelining: bool,
    /// 8BITMIME (RFC 6152).
    pub eight_bit: bool,
    /// SMTPUTF8 (RFC 6531).
    pub smtputf8: bool,
    /// DSN (RFC 3461).
    pub dsn: bool,
    /// CHUNKING (RFC 3030).
    pub chunking: bool,
    /// STARTTLS (RFC 3207).
    pub starttls: bool,
    /// SIZE (RFC 1870), and the largest message in octets where it says one.
    pub size: Option<Option<u64>>,
    /// AUTH mechanisms (RFC 4954).
    pub auth: Vec<Box<str>>,
}

impl Capabilities {
    /// Reads the lines of a 250 reply, the first of which is the host's name.
    pub fn read<'a>(lines: impl Iterator<Item = &'a str>) -> Self {
        let mut seen = Self::default();
        for line in lines.skip(1) {
            // `AUTH=LOGIN` is from before RFC 2554 and still said.
            let mut words = line.split([' ', '=']).filter(|word| !word.is_empty());
            match words.next().map(str::to_ascii_uppercase).as_deref() {
                Some("PIPELINING") => seen.pipelining = true,
                Some("8BITMIME") => seen.eight_bit = true,
                Some("SMTPUTF8") => seen.smtputf8 = true,
                Some("DSN") => seen.dsn = true,
                Some("CHUNKING") => seen.chunking = true,
                Some("STARTTLS") => seen.starttls = true,
                Some("SIZE") => {
                    let most = words.next().and_then(|size| size.parse().ok());
                    // 0 is no limit (RFC 1870 §4).
                    seen.size = Some(most.filter(|most| *most > 0));
                }
                Some("AUTH") => {
                    seen.auth.extend(words.take(16).map(Box::from));
                }
                _ => {}
            }
        }
        seen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_are_read_in_any_case() {
        let lines = ["mx.example", "pipelining", "SIZE 100", "AUTH PLAIN LOGIN", "X-OTHER", "dsn"];
        let seen = Capabilities::read(lines.into_iter());
        assert!(seen.pipelining && seen.dsn && !seen.starttls);
        assert_eq!(seen.size, Some(Some(100)));
        assert_eq!(seen.auth, ["PLAIN".into(), "LOGIN".into()]);
        assert_eq!(Capabilities::read(["a", "SIZE", "SIZE 0"].into_iter()).size, Some(None));
    }
}
