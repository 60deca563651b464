//! How much of addresses the log shows (`log.addresses`).

use std::borrow::Cow;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;

use crate::config::settings::Addresses;

/// Shows addresses, or as much of them as may be seen.
#[derive(Clone, Copy)]
pub(crate) struct Veil<'a> {
    pub(crate) shown: Addresses,
    /// Another one at each start: whoever has a log cannot try addresses out.
    pub(crate) keys: &'a RandomState,
}

impl Veil<'_> {
    /// An address; the null reverse-path stays empty.
    pub(crate) fn address<'t>(&self, address: &'t str) -> Cow<'t, str> {
        match address.rfind('@') {
            Some(at) if self.shown != Addresses::Full => {
                let (local_part, domain) = address.split_at(at);
                Cow::Owned(self.veiled(local_part, domain, 1))
            }
            Some(_) => Cow::Borrowed(address),
            None => self.text(address),
        }
    }

    /// What somebody else wrote, with all addresses in it as [`Self::address`] shows them.
    pub(crate) fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if self.shown == Addresses::Full {
            return Cow::Borrowed(text);
        }
        let mut veiled = String::new();
        let mut rest = text;
        while let Some(At { before, separator, behind }) = At::first(rest) {
            let (words, local_part) = before;
            let (domain, after) = behind.split_at(separator + end_of_domain(behind, separator));
            veiled.push_str(words);
            veiled.push_str(&self.veiled(local_part, domain, separator));
            rest = after;
        }
        if rest.len() == text.len() {
            return Cow::Borrowed(text);
        }
        veiled.push_str(rest);
        Cow::Owned(veiled)
    }

    /// `domain` has its `@`, which is so many octets long.
    fn veiled(&self, local_part: &str, domain: &str, separator: usize) -> String {
        match self.shown {
            Addresses::Hash if !local_part.is_empty() => {
                let host = domain.get(separator..).unwrap_or_default();
                let hash = self.keys.hash_one((local_part, host.to_ascii_lowercase()));
                format!("{hash:016x}{domain}")
            }
            _ => domain.to_owned(),
        }
    }
}

/// Where a text has an address.
struct At<'t> {
    /// The words before it, and its local part.
    before: (&'t str, &'t str),
    /// Octets of what stands for the `@`.
    separator: usize,
    /// From the `@` on.
    behind: &'t str,
}

impl<'t> At<'t> {
    /// The first address of a text.
    fn first(text: &'t str) -> Option<Self> {
        let mut begin = 0;
        while let Some(found) = text.get(begin..)?.find(may_be_at) {
            let at = begin + found;
            let (before, behind) = text.split_at(at);
            begin = at + behind.chars().next().map_or(1, char::len_utf8);
            let Some((separator, written)) = separator(behind) else { continue };
            // `jo%40web.de-al@example.net` has one `@`, and a local part before it.
            let is_within = || {
                let next = text.get(begin..).and_then(|rest| rest.find('@'));
                let local_part = next.and_then(|next| text.get(..begin + next));
                local_part.is_some_and(|until| start_of_local_part(until) <= at)
            };
            if written != Written::Plain && is_within() {
                continue;
            }
            let start = match written {
                Written::Url => start_in_url(before),
                Written::Plain | Written::Otherwise => start_of_local_part(before),
            };
            return Some(Self { before: before.split_at(start), separator, behind });
        }
        None
    }
}

/// How an `@` is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Written {
    Plain,
    /// In the manner of URLs (RFC 3986 §2.1), which hosts put into their replies.
    Url,
    /// As an entity, quoted-printable, xtext (RFC 3461 §4), an escape, or by a word.
    Otherwise,
}

/// Other ways to write an `@`, in small letters. They count where a domain follows.
///
/// Two ways are left as they are. In `jo=web.de`, without an `@` behind it, nothing tells a local part from
/// the name of a field: all five texts of that form in `core/replies/tests/data` name a host
/// (`H=mx.example.net`), and an operator needs that. Of the six with `jo at web.de` five name a blocklist
/// (`listed at relays.ordb.org`).
const OTHERWISE: [&str; 9] =
    ["&#64;", "&#x40;", "&commat;", "(at)", "[at]", "=40", "+40", "\\x40", "\\u0040"];

fn may_be_at(c: char) -> bool {
    matches!(c, '@' | '＠' | '%' | '&' | '(' | '[' | '=' | '+' | '\\')
}

/// What stands for an `@` at the beginning of a text: its octets, and how it is written.
fn separator(behind: &str) -> Option<(usize, Written)> {
    let begins = |word: &str| {
        let head = behind.as_bytes().get(..word.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(word.as_bytes())).then_some(word.len())
    };
    if let Some(length) = begins("@").or_else(|| begins("＠")) {
        return Some((length, Written::Plain));
    }
    if let Some(escaped) = behind.strip_prefix('%') {
        // A URL within a URL is escaped twice.
        let escaped = escaped.trim_start_matches("25").strip_prefix("40")?;
        let length = behind.len() - escaped.len();
        return escaped
            .starts_with(|c: char| c.is_alphanumeric() || "[%".contains(c))
            .then_some((length, Written::Url));
    }
    let (word, length) =
        OTHERWISE.iter().find_map(|word| begins(word).map(|length| (word, length)))?;
    // People put blanks around a word; no reply in `core/replies/tests/data` has one for something else.
    let blanks = behind.get(length..)?.bytes().take_while(|octet| b" \t".contains(octet)).count();
    let length = length + if word.ends_with([')', ']']) { blanks } else { 0 };
    let domain = behind.get(length..)?.get(..end_of_domain(behind, length))?;
    let (_, top) = domain.rsplit_once('.')?;
    let is_top = top.len() > 1 && top.starts_with(|c: char| !c.is_ascii_digit());
    is_top.then_some((length, Written::Otherwise))
}

/// Where the local part begins that ends there (RFC 5321 §4.1.2, RFC 6531 §3.3), with the blanks
/// and comments that old programs have around it (RFC 5322 §4.4).
fn start_of_local_part(before: &str) -> usize {
    let belongs = |c: char| {
        c.is_ascii_alphanumeric() || !c.is_ascii() || "!#$%&'*+-/=?^_`{|}~.\\".contains(c)
    };
    let mut left = before.trim_end_matches([' ', '\t']);
    while let Some(comment) = left.strip_suffix(')') {
        let Some(open) = comment.rfind('(') else { break };
        left = comment.get(..open).unwrap_or_default().trim_end_matches([' ', '\t']);
    }
    loop {
        let word = left.trim_end_matches(belongs);
        // A quoted word belongs to it at its end, and where a dot joins it with others.
        let is_joined = word.len() == left.len()
            || left.get(word.len()..).is_some_and(|word| word.starts_with('.'));
        match word.strip_suffix('"') {
            Some(quoted) if is_joined => {
                left = quoted.get(..opening_quote(quoted)).unwrap_or_default()
            }
            _ => return word.len(),
        }
    }
}

/// Where the quote opens that closes behind this text; at its beginning where none does.
fn opening_quote(quoted: &str) -> usize {
    let is_open = |(at, _): &(usize, &str)| {
        let before = quoted.get(..*at).unwrap_or_default();
        (before.len() - before.trim_end_matches('\\').len()) % 2 == 0
    };
    quoted.rmatch_indices('"').find(is_open).map_or(0, |(at, _)| at)
}

/// Where the local part begins that ends there in a URL: at the value of a parameter.
fn start_in_url(before: &str) -> usize {
    let belongs = |c: char| c.is_alphanumeric() || "%-._~+!*'$=|".contains(c);
    let word = before.trim_end_matches(belongs);
    let value = before.get(word.len()..).filter(|_| word.ends_with(['?', '&', ';']));
    word.len() + value.and_then(|value| value.find('=')).map_or(0, |at| at + 1)
}

/// Octets of the domain that begins behind an `@` of so many.
fn end_of_domain(behind: &str, separator: usize) -> usize {
    let domain = behind.get(separator..).unwrap_or_default();
    if domain.starts_with('[') {
        // An address literal, the only one with colons: behind another's, a local part may begin
        // (`@relay.example:jo@example.net`).
        let belongs = |c: char| c.is_alphanumeric() || "-.[:".contains(c);
        let literal = domain.find(|c| !belongs(c)).unwrap_or(domain.len());
        return literal
            + usize::from(domain.get(literal..).is_some_and(|rest| rest.starts_with(']')));
    }
    let belongs = |c: char| c.is_alphanumeric() || "-.".contains(c);
    let length = domain.find(|c| !belongs(c)).unwrap_or(domain.len());
    // What ends a sentence belongs to no domain.
    domain.get(..length).unwrap_or_default().trim_end_matches('.').len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(shown: Addresses, text: &str) -> String {
        Veil { shown, keys: &RandomState::new() }.text(text).into_owned()
    }

    #[test]
    fn domains_alone_are_seen_in_what_hosts_say_too() {
        let said = "5.1.1 <jo.doe+x@example.net>: no \"j d\"@b.example, ö@c.example.";
        assert_eq!(
            shown(Addresses::Domain, said),
            "5.1.1 <@example.net>: no @b.example, @c.example."
        );
        assert_eq!(shown(Addresses::Full, said), said);
    }

    #[test]
    fn equal_addresses_look_equal_and_others_do_not() {
        let keys = RandomState::new();
        let veil = Veil { shown: Addresses::Hash, keys: &keys };
        let [a, b, c] = ["jo@example.net", "jo@EXAMPLE.net", "jo@example.org"];
        let local_part = |address: &str| {
            let veiled = veil.address(address).into_owned();
            veiled.split_once('@').unwrap().0.to_owned()
        };
        assert_eq!(local_part(a).len(), 16);
        assert_eq!(local_part(a), local_part(b));
        assert_ne!(local_part(a), local_part(c));
        assert_eq!(veil.text(&format!("<{a}> full")), format!("<{}> full", veil.address(a)));
        assert_eq!(veil.address(""), "");
    }

    #[test]
    fn a_local_part_is_seen_in_no_way_to_write_it() {
        for (said, seen) in [
            (
                "see http://spf.example/Why?id=jo%40web.de&ip=192.0.2.1",
                "see http://spf.example/Why?id=%40web.de&ip=192.0.2.1",
            ),
            ("http://a.example/?u=b-jo%3Dweb.de%40x.example;", "http://a.example/?u=%40x.example;"),
            ("http://a.example/?u=b-jo=web.de%40x.example;", "http://a.example/?u=%40x.example;"),
            ("http://a.example/r?u=%2Fx%3Fid%3Djo%2540web.de", "http://a.example/r?u=%2540web.de"),
            ("jo%40web.de@relay.example is gone", "@relay.example is gone"),
            ("jo%web.de@relay.example", "@relay.example"),
            ("no <b-7-jo=web.de@lists.example>", "no <@lists.example>"),
            ("<SRS0=Hx=TT=web.de=jo@fwd.example>", "<@fwd.example>"),
            ("no <jo @web.de>, no <jo @ web.de>", "no <@web.de>, no <@ web.de>"),
            ("no <jo(Jo Doe)@web.de>", "no <@web.de>"),
            ("<@a.example,@b.example:jo@web.de>", "<@a.example,@b.example:@web.de>"),
            (r#"no "a\"jo"@web.de, "j d".jo@web.de"#, "no @web.de, @web.de"),
            (
                "no jo&#64;web.de, jo&#x40;web.de; jo＠web.de",
                "no &#64;web.de, &#x40;web.de; ＠web.de",
            ),
            ("no jo(at)web.de, jo[at]web.de", "no (at)web.de, [at]web.de"),
            ("no jo [at] web.de, jo (AT)  web.de!", "no [at] web.de, (AT)  web.de!"),
            ("rfc822;jo+40web.de, jo=40web.de", "rfc822;+40web.de, =40web.de"),
            (r"\u0022jo\u0040web.de", r"\u0040web.de"),
            ("jo@[IPv6:2001:db8::1]: no", "@[IPv6:2001:db8::1]: no"),
            ("x+40web.de-jo@example.net", "@example.net"),
        ] {
            assert_eq!(shown(Addresses::Domain, said), seen, "{said}");
        }
    }

    #[test]
    fn what_is_no_address_stays_as_it_was() {
        for said in [
            "451 4.7.1 over 90%, call +40 21 000 000 (at 9:00) or +4021.12",
            "250 size=40 ok=40.2, see [a] & (b) c:\\x40",
            "client=mx.example.net helo=relay.example",
            "mx=web.de d=web.de H=mx.example.net; listed at relays.ordb.org (at) 9:00",
            "http://a.example/?x=100%25&y=%20",
        ] {
            assert_eq!(shown(Addresses::Domain, said), said);
        }
    }

    proptest! {
        #[test]
        fn no_text_is_a_fault_and_what_has_no_address_is_as_it_was(text in "\\PC{0,40}") {
            let veiled = shown(Addresses::Hash, &text);
            prop_assert!(text.contains(may_be_at) || veiled == text);
        }
    }
}
