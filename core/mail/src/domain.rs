//! A domain name as the DNS knows it.

use std::fmt;
use std::sync::Arc;

/// A domain name: ASCII (A-labels), lower case, no trailing dot, 1 to 253 octets, each
/// label 1 to 63 (RFC 1035 §2.3.4). Cheap to clone.
///
/// Underscores are allowed, since names in the DNS have them (`_dmarc`); whether a name
/// may stand for a host is for the DNS to say.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Domain(Arc<str>);

/// Why a text is not a domain name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DomainError {
    /// Nothing was given.
    #[error("the domain is empty")]
    Empty,
    /// Over 253 octets in all or over 63 in a label (RFC 1035 §2.3.4).
    #[error("the domain is too long (253 octets in all, 63 in a label)")]
    TooLong,
    /// A label is empty, starts or ends with a hyphen, or holds something else than letters, digits, `-` and `_`.
    #[error("a label of the domain has a character that names do not have")]
    Label,
    /// The name has letters beyond ASCII that IDNA does not allow (RFC 5891).
    #[error("the domain is not valid as an internationalised name")]
    Idna,
}

impl Domain {
    /// Reads a name as written in an address or a configuration: any case, U-labels
    /// (turned into A-labels, RFC 5891), one trailing dot.
    pub fn parse(text: &str) -> Result<Self, DomainError> {
        let text = text.strip_suffix('.').unwrap_or(text);
        if text.is_empty() {
            return Err(DomainError::Empty);
        }
        if text.len() > 1024 {
            return Err(DomainError::TooLong);
        }
        if text.is_ascii() && !text.bytes().any(|b| b.is_ascii_uppercase()) {
            check(text)?;
            return Ok(Self(text.into()));
        }
        if text.is_ascii() {
            let lower = text.to_ascii_lowercase();
            check(&lower)?;
            return Ok(Self(lower.into()));
        }
        let ascii = idna::domain_to_ascii(text).map_err(|_| DomainError::Idna)?;
        check(&ascii)?;
        Ok(Self(ascii.into()))
    }

    /// The name in ASCII and lower case, without a trailing dot.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this name is `other` or lies below it.
    pub fn is_within(&self, other: &Self) -> bool {
        self.0
            .strip_suffix(other.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }
}

fn check(name: &str) -> Result<(), DomainError> {
    if name.len() > 253 {
        return Err(DomainError::TooLong);
    }
    for label in name.split('.') {
        if label.len() > 63 {
            return Err(DomainError::TooLong);
        }
        let plain = label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if label.is_empty() || !plain || label.starts_with('-') || label.ends_with('-') {
            return Err(DomainError::Label);
        }
    }
    Ok(())
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_without_case_or_trailing_dot() {
        assert_eq!(Domain::parse("Web.DE.").unwrap(), Domain::parse("web.de").unwrap());
    }

    #[test]
    fn u_labels_become_a_labels() {
        assert_eq!(Domain::parse("bücher.example").unwrap().as_str(), "xn--bcher-kva.example");
    }

    #[test]
    fn names_that_the_dns_cannot_hold_are_refused() {
        for text in ["", ".", "a..b", "-a.b", "a-.b", "a b.c", "a/b", "[1.2.3.4]", "a\r\n.b"] {
            assert!(Domain::parse(text).is_err(), "{text:?}");
        }
        assert!(Domain::parse(&format!("{}.example", "a".repeat(64))).is_err());
        assert!(Domain::parse(&["abcdefg"; 40].join(".")).is_err());
    }

    #[test]
    fn a_name_is_within_its_parent_but_not_within_a_like_ending() {
        let parent = Domain::parse("gmx.net").unwrap();
        assert!(Domain::parse("mx00.emig.gmx.net").unwrap().is_within(&parent));
        assert!(!Domain::parse("notgmx.net").unwrap().is_within(&parent));
    }
}
