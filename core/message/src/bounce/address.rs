//! Addresses in running text.

/// An address in a line, and where it stands; with its angle brackets, if it has any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found<'a> {
    /// The address without brackets.
    pub(super) address: &'a str,
    /// Where it begins in the line, bracket or quote included.
    pub(super) start: usize,
    /// Behind its end, bracket or quote included.
    pub(super) end: usize,
}

/// Octets of a local part and of a domain in a text. RFC 5321 §4.5.3.1 has 64 and 255; senders
/// with a recipient in their reverse-path run past the first.
const SIDE_OCTETS_MAX: usize = 255;

/// Octets of an address literal with its brackets; the longest of RFC 5321 §4.1.3 has 52.
const LITERAL_OCTETS_MAX: usize = 64;

/// Addresses of a line that are looked at. Chosen, not measured.
const ADDRESSES_MAX: usize = 16;

/// The addresses in a line, in order.
pub(super) fn addresses(line: &str) -> impl Iterator<Item = Found<'_>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let at = from + line.get(from..)?.find('@')?;
            let low = from;
            from = at + 1;
            if let Some(found) = around(line, low, at) {
                from = found.end;
                return Some(found);
            }
        }
    })
    .take(ADDRESSES_MAX)
}

/// The address of a field of a report or a header: the first in it, or all of it where it has
/// a blank or no `@` in it and so is none.
pub(super) fn of_field(value: &str) -> Option<String> {
    let value = value.trim();
    let bare = value.strip_prefix('<').and_then(|v| v.strip_suffix('>')).unwrap_or(value).trim();
    if bare.contains(' ') || bare.contains('<') {
        return addresses(value).next().map(|found| found.address.to_owned());
    }
    // A quoted local part keeps its quotes: `"a..b"@c.example` is another box than `a..b@`.
    let is_quoted = bare.starts_with('"') && bare.contains("\"@");
    let bare = if is_quoted { bare } else { bare.trim_matches(['"', '\'']) };
    // `@relay.example:jo@example.net`, an address with its way (RFC 5321 appendix C).
    let routed = bare.strip_prefix('@').map(|way| way.split_once(':').map_or("", |(_, to)| to));
    let bare = routed.unwrap_or(bare);
    let whole =
        bare.split_once('@').is_some_and(|(local, host)| !local.is_empty() && !host.is_empty());
    whole.then(|| bare.to_owned())
}

/// The address around the `@` at `at`, not reaching below `low`.
fn around(line: &str, low: usize, at: usize) -> Option<Found<'_>> {
    let before = line.get(low..at)?;
    let behind = line.get(at + 1..)?;
    let local = local_part(before);
    let domain = domain(behind);
    if local.is_empty() || local.len() > SIDE_OCTETS_MAX || domain.len() > SIDE_OCTETS_MAX {
        return None;
    }
    let (mut start, mut end) = (at - local.len(), at + 1 + domain.len());
    let address = line.get(start..end)?;
    let opener = line.get(..start).and_then(|text| text.chars().next_back());
    let closer = line.get(end..).and_then(|text| text.chars().next());
    let enclosed = matches!(
        (opener, closer),
        (Some('<'), Some('>'))
            | (Some('"'), Some('"'))
            | (Some('\''), Some('\''))
            | (Some('('), Some(')'))
            | (Some('['), Some(']'))
    );
    if enclosed {
        (start, end) = (start - 1, end + 1);
    }
    // A name without a dot is no domain, unless somebody put brackets around it.
    let known = domain.contains('.') || domain.starts_with('[') || opener == Some('<');
    (known && !domain.is_empty()).then_some(Found { address, start, end })
}

fn local_part(before: &str) -> &str {
    if let Some(quoted) = before.strip_suffix('"') {
        let from = quoted.rfind('"').unwrap_or(before.len());
        return before.get(from..).unwrap_or_default();
    }
    let is_local =
        |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c) || !c.is_ascii();
    let from = before.rfind(|c| !is_local(c)).map_or(0, |i| i + char_len(before, i));
    before.get(from..).unwrap_or_default().trim_start_matches(['*', '\'', '`', '=', '|', '.', '-'])
}

fn domain(behind: &str) -> &str {
    if behind.starts_with('[') {
        // Not looked for further than it may stand: a line of nothing but `@[` would else be
        // gone through once for each.
        let near = behind.get(..behind.floor_char_boundary(LITERAL_OCTETS_MAX)).unwrap_or_default();
        return near.find(']').and_then(|end| near.get(..=end)).unwrap_or_default();
    }
    let is_domain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    let end = behind.find(|c| !is_domain(c)).unwrap_or(behind.len());
    behind.get(..end).unwrap_or_default().trim_end_matches(['.', '-', '_'])
}

fn char_len(text: &str, at: usize) -> usize {
    text.get(at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(line: &str) -> Vec<&str> {
        addresses(line).map(|found| found.address).collect()
    }

    #[test]
    fn addresses_are_found_however_they_are_enclosed() {
        assert_eq!(all("<a@b.example>: x"), ["a@b.example"]);
        assert_eq!(
            all("RCPT TO:<a@b.example> then 'c@d.example'."),
            ["a@b.example", "c@d.example"]
        );
        assert_eq!(all("* a@b.example."), ["a@b.example"]);
        assert_eq!(all("<a..b.@docomo.example>"), ["a..b.@docomo.example"]);
        assert_eq!(all("\"a b\"@c.example"), ["\"a b\"@c.example"]);
        assert_eq!(all("jo@[192.0.2.1] 🐈@b.example"), ["jo@[192.0.2.1]", "🐈@b.example"]);
        assert_eq!(all("a@b and @ and @@ and b@"), Vec::<&str>::new());
    }

    #[test]
    fn a_literal_is_as_long_as_one_may_be() {
        assert_eq!(all("jo@[IPv6:2001:db8::1]"), ["jo@[IPv6:2001:db8::1]"]);
        let far = format!("jo@[{}]", "ü".repeat(40));
        assert_eq!(all(&far), Vec::<&str>::new());
    }

    #[test]
    fn an_address_knows_its_brackets() {
        let found = addresses("to <a@b.example>: x").next().unwrap();
        assert_eq!((found.start, found.end), (3, 16));
    }

    #[test]
    fn a_field_holds_an_address_in_one_form_or_another() {
        for value in ["a@b.example", "<a@b.example>", "Jo <a@b.example>", "'a@b.example'"] {
            assert_eq!(of_field(value).as_deref(), Some("a@b.example"), "{value}");
        }
        assert_eq!(of_field("a..b@c").as_deref(), Some("a..b@c"));
        assert_eq!(of_field("\"a..b\"@c.example").as_deref(), Some("\"a..b\"@c.example"));
        assert_eq!(of_field("\"a@b.example\"").as_deref(), Some("a@b.example"));
        assert_eq!(of_field("<@r.example:a@b.example>").as_deref(), Some("a@b.example"));
        for value in ["unknown", "@b.example", "a@", "@", "@r.example:"] {
            assert_eq!(of_field(value), None, "{value}");
        }
    }
}
