//! Who is worth asking lists about.

use crate::blocklist::Subject;
use crate::network::is_public;

/// Whether a subject is one that the internet knows: a public address, a domain below a public
/// suffix. Of others no list can say anything, and who runs it need not know of them.
pub fn is_of_the_internet(subject: &Subject) -> bool {
    match subject {
        Subject::Address(address) => is_public(*address),
        Subject::Domain(name) => {
            let name = name.as_str().as_bytes();
            psl::suffix(name).is_some_and(|suffix| suffix.is_known()) && psl::domain(name).is_some()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_asked_about_private_addresses_and_names_of_no_registry() {
        let is = |text: &str| is_of_the_internet(&Subject::read(text).unwrap());
        for text in ["203.0.113.7", "2001:db8::7", "mail.example.com", "example.co.uk"] {
            assert!(is(text), "{text}");
        }
        for text in
            ["127.0.0.1", "10.1.2.3", "fd00::1", "localhost", "mx.internal", "co.uk", "a.test"]
        {
            assert!(!is(text), "{text}");
        }
    }
}
