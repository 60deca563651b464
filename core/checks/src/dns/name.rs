//! A name that can be asked of the DNS.

use std::fmt;
use std::net::IpAddr;

use postlane_mail::Domain;

/// A name in the DNS: ASCII in lower case without a trailing dot, 1 to 253 octets, each label
/// 1 to 63 (RFC 1035 §2.3.4). Wider than [`Domain`]: what an SPF macro makes of a local part
/// may hold any printable character.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Box<str>);

/// Why a text is no name in the DNS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// Nothing was given, or a label is empty.
    #[error("the name has an empty label")]
    Empty,
    /// Over 253 octets in all or over 63 in a label (RFC 1035 §2.3.4).
    #[error("the name is too long (253 octets in all, 63 in a label)")]
    TooLong,
    /// A character beyond printable ASCII.
    #[error("the name has a character that cannot be asked for")]
    Character,
}

impl Name {
    /// Reads a name in any case, with or without a trailing dot.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let text = text.strip_suffix('.').unwrap_or(text);
        if text.len() > 253 {
            return Err(NameError::TooLong);
        }
        for label in text.split('.') {
            if label.is_empty() {
                return Err(NameError::Empty);
            }
            if label.len() > 63 {
                return Err(NameError::TooLong);
            }
        }
        if !text.bytes().all(|b| matches!(b, b' '..=b'~')) {
            return Err(NameError::Character);
        }
        Ok(Self(text.to_ascii_lowercase().into()))
    }

    /// Reads the domain of an address or a greeting, which may be written in letters beyond ASCII:
    /// it is asked for as its A-labels (RFC 8616 §4, RFC 5891).
    pub fn of_mail(text: &str) -> Result<Self, NameError> {
        if text.is_ascii() {
            return Self::parse(text);
        }
        Domain::parse(text).map(|domain| Self::from(&domain)).map_err(|_| NameError::Character)
    }

    /// Where the names of an address are: under `in-addr.arpa` (RFC 1035 §3.5) or `ip6.arpa`
    /// (RFC 3596 §2.5).
    pub fn reverse(address: IpAddr) -> Self {
        let name = match address {
            IpAddr::V4(v4) => {
                let [a, b, c, d] = v4.octets();
                format!("{d}.{c}.{b}.{a}.in-addr.arpa")
            }
            IpAddr::V6(v6) => {
                let mut name = String::with_capacity(72);
                for octet in v6.octets().iter().rev() {
                    name.push_str(&format!("{:x}.{:x}.", octet & 15, octet >> 4));
                }
                name + "ip6.arpa"
            }
        };
        Self(name.into())
    }

    /// In lower case, without a trailing dot.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this name is `other` or lies below it.
    pub fn is_within(&self, other: &Self) -> bool {
        let rest = self.0.strip_suffix(&*other.0);
        rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }
}

impl From<&Domain> for Name {
    fn from(domain: &Domain) -> Self {
        Self(domain.as_str().into())
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_looked_up_backwards() {
        let name = |text: &str| Name::reverse(text.parse().unwrap());
        assert_eq!(name("192.0.2.1").as_str(), "1.2.0.192.in-addr.arpa");
        let v6 = "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa";
        assert_eq!(name("2001:db8::1").as_str(), v6);
    }

    #[test]
    fn a_name_has_no_empty_and_no_long_labels() {
        assert_eq!(Name::parse("a..b"), Err(NameError::Empty));
        assert_eq!(Name::parse(""), Err(NameError::Empty));
        assert_eq!(Name::parse(&format!("{}.b", "a".repeat(64))), Err(NameError::TooLong));
        assert_eq!(Name::parse(&"ab.".repeat(90)), Err(NameError::TooLong));
        assert_eq!(Name::parse("a\n.b"), Err(NameError::Character));
        assert_eq!(Name::parse("_DMARC.Example.COM.").unwrap().as_str(), "_dmarc.example.com");
    }

    #[test]
    fn a_domain_of_mail_is_asked_for_as_its_a_labels() {
        let of = |text| Name::of_mail(text).map(|name| name.to_string());
        assert_eq!(of("Bücher.example").as_deref(), Ok("xn--bcher-kva.example"));
        assert_eq!(of("_x.Example.").as_deref(), Ok("_x.example"));
        assert_eq!(of("ü\u{0}.example"), Err(NameError::Character));
    }

    #[test]
    fn a_name_lies_within_its_parents_and_not_within_names_that_end_alike() {
        let name = |text| Name::parse(text).unwrap();
        assert!(name("mail.example.com").is_within(&name("example.com")));
        assert!(name("example.com").is_within(&name("example.com")));
        assert!(!name("notexample.com").is_within(&name("example.com")));
    }
}
