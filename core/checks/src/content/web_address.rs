//! A link's address, taken apart as browsers do it, which is kinder than RFC 3986.

use std::net::Ipv6Addr;

/// Where a link of `http` or `https` leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WebAddress {
    /// It is `https`.
    pub(crate) is_secure: bool,
    /// Something stands before an `@` in front of the host.
    pub(crate) has_user: bool,
    /// The host in lower case, without a trailing dot; in brackets if it is an IPv6 address.
    pub(crate) host: String,
    /// The port, if one is named.
    pub(crate) port: Option<u16>,
}

impl WebAddress {
    /// Takes a link apart. None if it is not of the web, or names no host.
    pub(crate) fn parse(link: &str) -> Option<Self> {
        // Browsers drop tabs and line ends wherever they stand, and read `\` as `/`.
        let link: String = link
            .trim_matches(|c: char| c <= ' ')
            .chars()
            .filter(|c| !matches!(c, '\t' | '\r' | '\n'))
            .map(|c| if c == '\\' { '/' } else { c })
            .collect();
        let (is_secure, rest) = match link.split_once(':') {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => (true, rest),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => (false, rest),
            _ => (true, link.strip_prefix("//").map(|_| &*link)?),
        };
        let rest = rest.trim_start_matches('/');
        let authority = rest.split(['/', '?', '#']).next()?;
        let (user, place) = authority.rsplit_once('@').unwrap_or(("", authority));
        let has_user = authority.contains('@') && !user.is_empty();
        let (host, port) = match place.rsplit_once(':') {
            Some((host, port)) if !place.ends_with(']') => (host, port.parse().ok()),
            _ => (place, None),
        };
        let host = host.trim_end_matches('.').to_lowercase();
        (!host.is_empty()).then_some(Self { is_secure, has_user, host, port })
    }

    /// Whether the host is an address, in whichever way it is written: `192.0.2.1`, `3221225985`,
    /// `0xc0.0.2.1`, `[2001:db8::1]`. A name's last label is never a number (URL Standard §3.5).
    pub(crate) fn is_literal(&self) -> bool {
        if let Some(inside) = self.host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            return inside.parse::<Ipv6Addr>().is_ok();
        }
        let last = self.host.rsplit('.').next().unwrap_or_default();
        let is_hex = last
            .strip_prefix("0x")
            .is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
        !last.is_empty() && (is_hex || last.bytes().all(|b| b.is_ascii_digit()))
    }

    /// Whether a port is named that is not the scheme's own.
    pub(crate) fn has_odd_port(&self) -> bool {
        !matches!((self.port, self.is_secure), (None, _) | (Some(443), true) | (Some(80), false))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(link: &str) -> Option<String> {
        WebAddress::parse(link).map(|address| address.host)
    }

    #[test]
    fn a_link_leads_where_a_browser_would_go() {
        for link in [
            "https://www.example.com/a?b#c",
            " HTTPS://WWW.Example.com. ",
            "//www.example.com",
            "https:\\\\www.example.com\\x",
            "https:/www.example.com",
            "ht\ntps://www.exam\tple.com/",
            "https://bank.example@www.example.com:443/",
            "https://www.example.com?https://other.example",
        ] {
            assert_eq!(host(link).as_deref(), Some("www.example.com"), "{link:?}");
        }
        for link in
            ["mailto:a@example.com", "#top", "/path", "https://", "tel:1", "", "javascript:x"]
        {
            assert_eq!(host(link), None, "{link:?}");
        }
    }

    #[test]
    fn a_host_may_be_an_address_in_many_ways() {
        let is = |link| WebAddress::parse(link).unwrap().is_literal();
        for link in ["http://192.0.2.1/", "http://3221225985", "http://[::1]:8/", "http://a.0xc0/"]
        {
            assert!(is(link), "{link}");
        }
        for link in ["http://example.com", "http://1.example.com", "http://[x]/"] {
            assert!(!is(link), "{link}");
        }
    }

    #[test]
    fn ports_and_users_are_seen() {
        let of = |link| WebAddress::parse(link).unwrap();
        assert!(of("https://example.com:8443/").has_odd_port());
        assert!(of("https://example.com:80/").has_odd_port());
        assert!(!of("http://example.com:80/").has_odd_port());
        assert!(of("https://user:secret@example.com/").has_user);
        assert!(!of("https://example.com/@user").has_user);
    }
}
