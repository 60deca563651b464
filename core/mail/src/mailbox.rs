//! A mailbox: `local-part@host`, kept as it was written.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::domain::{Domain, DomainError};

/// An address that mail can be sent to (RFC 5321 §4.1.2 `Mailbox`; RFC 6531 §3.3 with UTF-8).
///
/// The text is kept octet for octet, since it must leave as it came; the host is also
/// known in the form that the DNS or a socket wants.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mailbox {
    text: Box<str>,
    at: u16,
    host: Host,
}

/// The right side of an address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    /// A name, looked up in the DNS.
    Domain(Domain),
    /// An address literal, `[192.0.2.1]` or `[IPv6:2001:db8::1]` (RFC 5321 §4.1.3).
    Literal(IpAddr),
}

/// Why a text is not a mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MailboxError {
    /// There is no `@` with something on both sides.
    #[error("the address is not of the form local-part@domain")]
    Shape,
    /// The local part is not a dot-string or a quoted string (RFC 5321 §4.1.2).
    #[error("the local part has a character that needs quoting, or a dot out of place")]
    LocalPart,
    /// Local part over 255 octets, or over 512 in all.
    #[error("the address is too long (local part 255 octets, 512 in all)")]
    TooLong,
    /// The part right of the `@` is no domain name.
    #[error("{0}")]
    Domain(#[from] DomainError),
    /// The part in brackets is no IPv4 or IPv6 address literal.
    #[error("the address literal is not an IPv4 or IPv6 address")]
    Literal,
}

/// Octets of a local part, at most.
///
/// RFC 5321 §4.5.3.1.1 asks for 64 at least and lets a server take more; VERP addresses
/// of large senders run past it. 255 is chosen, not measured.
const LOCAL_PART_OCTETS_MAX: usize = 255;

/// Octets of a whole address, at most: a local part, an `@` and a domain.
const MAILBOX_OCTETS_MAX: usize = 512;

impl Mailbox {
    /// Reads `local-part@host`, without angle brackets.
    pub fn parse(text: &str) -> Result<Self, MailboxError> {
        if text.len() > MAILBOX_OCTETS_MAX {
            return Err(MailboxError::TooLong);
        }
        let at = split_at(text).ok_or(MailboxError::Shape)?;
        let (local, host) = (&text[..at], &text[at + 1..]);
        if local.is_empty() || host.is_empty() {
            return Err(MailboxError::Shape);
        }
        if local.len() > LOCAL_PART_OCTETS_MAX {
            return Err(MailboxError::TooLong);
        }
        if !is_local_part(local) {
            return Err(MailboxError::LocalPart);
        }
        let host = Host::parse(host)?;
        let at = u16::try_from(at).map_err(|_| MailboxError::TooLong)?;
        Ok(Self { text: text.into(), at, host })
    }

    /// The address as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What stands left of the `@`, quotes included.
    pub fn local_part(&self) -> &str {
        &self.text[..usize::from(self.at)]
    }

    /// What stands right of the `@`, as it was written.
    pub fn host_text(&self) -> &str {
        &self.text[usize::from(self.at) + 1..]
    }

    /// The right side in the form that the DNS or a socket wants.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The domain, unless the right side is an address literal.
    pub fn domain(&self) -> Option<&Domain> {
        match &self.host {
            Host::Domain(domain) => Some(domain),
            Host::Literal(_) => None,
        }
    }

    /// Whether the address can only travel with SMTPUTF8 (RFC 6531).
    pub fn needs_smtputf8(&self) -> bool {
        !self.text.is_ascii()
    }
}

impl Host {
    /// Reads a domain or an address literal in brackets.
    pub fn parse(text: &str) -> Result<Self, MailboxError> {
        let Some(inner) = text.strip_prefix('[') else {
            return Ok(Self::Domain(Domain::parse(text)?));
        };
        let inner = inner.strip_suffix(']').ok_or(MailboxError::Literal)?;
        let tag = inner.get(..5).filter(|tag| tag.eq_ignore_ascii_case("IPv6:"));
        let address = match tag {
            Some(tag) => inner[tag.len()..].parse::<Ipv6Addr>().ok().map(IpAddr::V6),
            None => inner.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
        };
        address.map(Self::Literal).ok_or(MailboxError::Literal)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Domain(domain) => domain.fmt(f),
            Self::Literal(IpAddr::V4(ip)) => write!(f, "[{ip}]"),
            Self::Literal(IpAddr::V6(ip)) => write!(f, "[IPv6:{ip}]"),
        }
    }
}

impl fmt::Display for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Where the `@` stands that ends the local part: behind the closing quote of a quoted
/// string, else the only one there may be.
fn split_at(text: &str) -> Option<usize> {
    if !text.starts_with('"') {
        return text.find('@');
    }
    let mut escaped = false;
    for (i, b) in text.bytes().enumerate().skip(1) {
        match b {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return (text.as_bytes().get(i + 1) == Some(&b'@')).then_some(i + 1),
            _ => {}
        }
    }
    None
}

fn is_local_part(local: &str) -> bool {
    match local.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        // A quoted string holds printable ASCII and UTF-8; `split_at` has matched its quotes.
        Some(inner) => !inner.chars().any(|c| c.is_control()),
        None => local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atext)),
    }
}

/// RFC 5322 §3.2.3 `atext`, and any character beyond ASCII that is no control (RFC 6531 §3.3).
fn is_atext(c: char) -> bool {
    match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' => true,
        '!' | '#' | '$' | '%' | '&' | '\'' | '*' | '+' | '-' | '/' | '=' | '?' | '^' | '_'
        | '`' | '{' | '|' | '}' | '~' => true,
        c => !c.is_ascii() && !c.is_control(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_keeps_its_text_and_knows_its_domain() {
        let mailbox = Mailbox::parse("Jo.Ann+tag@Web.DE").unwrap();
        assert_eq!(mailbox.as_str(), "Jo.Ann+tag@Web.DE");
        assert_eq!(mailbox.local_part(), "Jo.Ann+tag");
        assert_eq!(mailbox.domain().unwrap().as_str(), "web.de");
    }

    #[test]
    fn a_quoted_local_part_may_hold_an_at_sign_and_a_quote() {
        let mailbox = Mailbox::parse(r#""a@b\"c d"@example.net"#).unwrap();
        assert_eq!(mailbox.local_part(), r#""a@b\"c d""#);
        assert_eq!(mailbox.host_text(), "example.net");
    }

    #[test]
    fn address_literals_are_addresses() {
        let v4 = Mailbox::parse("postmaster@[192.0.2.1]").unwrap();
        assert_eq!(v4.host(), &Host::Literal("192.0.2.1".parse().unwrap()));
        let v6 = Mailbox::parse("postmaster@[ipv6:2001:db8::1]").unwrap();
        assert_eq!(v6.host().to_string(), "[IPv6:2001:db8::1]");
    }

    #[test]
    fn what_is_no_mailbox_is_refused() {
        for text in [
            "",
            "a",
            "@b.c",
            "a@",
            "a@@b.c",
            "a b@c.d",
            ".a@b.c",
            "a.@b.c",
            "a..b@c.d",
            "\"a@b.c",
            "\"a\"b@c.d",
            "a@[1.2.3]",
            "a@[IPv6:zz]",
            "a@[1.2.3.4",
            "<a@b.c>",
            "a\r\n@b.c",
            "\"\r\n\"@b.c",
            "a@b\r\nRCPT TO:<x@y.z>",
        ] {
            assert!(Mailbox::parse(text).is_err(), "{text:?}");
        }
        assert!(Mailbox::parse(&format!("{}@b.c", "a".repeat(256))).is_err());
    }

    #[test]
    fn an_address_beyond_ascii_needs_smtputf8() {
        assert!(Mailbox::parse("ünï@example.net").unwrap().needs_smtputf8());
        assert!(Mailbox::parse("a@bücher.example").unwrap().needs_smtputf8());
    }
}
