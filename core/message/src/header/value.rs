//! What a field's value says, as far as a relay needs to know.

use std::borrow::Cow;

use postlane_mail::Domain;

/// Octets of a Message-ID, at most, brackets included: what fits a line (RFC 5322 §2.1.1).
const MESSAGE_ID_OCTETS_MAX: usize = 998;

/// The value on one line, without the blanks at its ends: every CRLF that is followed by a
/// blank is taken out (RFC 5322 §2.2.3).
pub fn unfolded(value: &[u8]) -> Cow<'_, [u8]> {
    let value = value.trim_ascii();
    if memchr::memchr(b'\n', value).is_none() {
        return Cow::Borrowed(value);
    }
    let mut line = Vec::with_capacity(value.len());
    for (i, b) in value.iter().enumerate() {
        let next = |n| value.get(i + n);
        let folds = match b {
            b'\r' => next(1) == Some(&b'\n') && next(2).is_some_and(|b| matches!(b, b' ' | b'\t')),
            b'\n' => {
                i > 0 && value[i - 1] == b'\r' && next(1).is_some_and(|b| matches!(b, b' ' | b'\t'))
            }
            _ => false,
        };
        if !folds {
            line.push(*b);
        }
    }
    Cow::Owned(line)
}

/// The first message id in a value, angle brackets included (RFC 5322 §3.6.4); none if there
/// is nothing like one, or if it is over 998 octets or not ASCII.
pub fn message_id_of(value: &[u8]) -> Option<&str> {
    let start = memchr::memchr(b'<', value)?;
    let inside = value.get(start + 1..)?;
    let end = memchr::memchr2(b'>', b'<', inside)?;
    let id = value.get(start..start + end + 2)?;
    let plain = id.iter().all(u8::is_ascii_graphic) && id.ends_with(b">");
    if id.len() < 3 || id.len() > MESSAGE_ID_OCTETS_MAX || !plain {
        return None;
    }
    std::str::from_utf8(id).ok()
}

/// The domain of the first address in a value such as that of `From`, as well as it can be
/// told: quoted strings and comments are passed over, nothing is decoded.
pub fn domain_of(value: &[u8]) -> Option<Domain> {
    let mut comments = 0_u32;
    let mut quoted = false;
    let mut at_sign = None;
    let mut octets = value.iter().enumerate();
    while let Some((i, b)) = octets.next() {
        match b {
            b'\\' if quoted || comments > 0 => drop(octets.next()),
            b'"' if comments == 0 => quoted = !quoted,
            _ if quoted => {}
            b'(' => comments = comments.saturating_add(1),
            b')' => comments = comments.saturating_sub(1),
            _ if comments > 0 => {}
            b'@' => at_sign = Some(i),
            b'<' => at_sign = None,
            b'>' | b',' if at_sign.is_some() => break,
            _ => {}
        }
    }
    let rest = value.get(at_sign? + 1..)?.trim_ascii_start();
    let ends = |b: &u8| b.is_ascii_whitespace() || matches!(b, b'>' | b',' | b';' | b'(' | b'<');
    let end = rest.iter().position(ends).unwrap_or(rest.len());
    Domain::parse(std::str::from_utf8(&rest[..end]).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fold_before_a_blank_is_taken_out_and_nothing_else() {
        assert_eq!(unfolded(b" a\r\n b\r\n\tc ").as_ref(), b"a b\tc");
        assert_eq!(unfolded(b"a\nb\r c").as_ref(), b"a\nb\r c");
        assert!(matches!(unfolded(b" plain "), Cow::Borrowed(b"plain")));
    }

    #[test]
    fn a_message_id_is_what_stands_in_angle_brackets() {
        assert_eq!(message_id_of(b" <a.b@c.example>"), Some("<a.b@c.example>"));
        assert_eq!(message_id_of(b"\r\n <1@x> <2@x>"), Some("<1@x>"));
        for wrong in ["", "a@b", "<>", "<a b@c>", "<a@b", "<\u{e4}@b>", "<a<b@c>"] {
            assert_eq!(message_id_of(wrong.as_bytes()), None, "{wrong}");
        }
    }

    #[test]
    fn the_authors_domain_is_found_behind_names_quotes_and_comments() {
        for (value, domain) in [
            (" jo@example.net", "example.net"),
            (" Jo Ann <jo@Example.NET>", "example.net"),
            (" \"a@b.example, c\" <jo@example.net>", "example.net"),
            (" (x@y.example) jo@example.net (work)", "example.net"),
            (" \"q\\\"@z.example\" <jo@example.net>, k@other.example", "example.net"),
            (" trick@evil.example <jo@example.net>", "example.net"),
            (" jo@b\u{fc}cher.example", "xn--bcher-kva.example"),
        ] {
            let found = domain_of(value.as_bytes());
            assert_eq!(found.as_ref().map(Domain::as_str), Some(domain), "{value}");
        }
        for value in [
            "",
            " jo",
            " <>",
            " \"jo@example.net\"",
            " (jo@example.net",
            " jo@[192.0.2.1]",
            " jo@a.example <>",
        ] {
            assert_eq!(domain_of(value.as_bytes()), None, "{value}");
        }
    }
}
