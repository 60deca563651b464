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
                Cow::Owned(self.veiled(local_part, domain))
            }
            _ => Cow::Borrowed(address),
        }
    }

    /// What somebody else wrote, with all addresses in it as [`Self::address`] shows them.
    pub(crate) fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if self.shown == Addresses::Full || !text.contains('@') {
            return Cow::Borrowed(text);
        }
        let mut veiled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find('@') {
            let (before, behind) = rest.split_at(at);
            let (words, local_part) = before.split_at(start_of_local_part(before));
            let (domain, after) = behind.split_at(end_of_domain(behind));
            veiled.push_str(words);
            veiled.push_str(&self.veiled(local_part, domain));
            rest = after;
        }
        veiled.push_str(rest);
        Cow::Owned(veiled)
    }

    /// `domain` has its `@`.
    fn veiled(&self, local_part: &str, domain: &str) -> String {
        match self.shown {
            Addresses::Hash if !local_part.is_empty() => {
                let hash = self.keys.hash_one((local_part, domain.to_ascii_lowercase()));
                format!("{hash:016x}{domain}")
            }
            _ => domain.to_owned(),
        }
    }
}

/// Where the local part begins that ends there (RFC 5321 §4.1.2, RFC 6531 §3.3).
fn start_of_local_part(before: &str) -> usize {
    if let Some(quoted) = before.strip_suffix('"') {
        return quoted.rfind('"').unwrap_or(0);
    }
    let belongs =
        |c: char| c.is_ascii_alphanumeric() || !c.is_ascii() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    before.trim_end_matches(belongs).len()
}

/// Where the domain ends that begins behind an `@`.
fn end_of_domain(behind: &str) -> usize {
    let belongs = |c: char| c.is_alphanumeric() || "-.[]:".contains(c);
    let domain = behind.get(1..).unwrap_or_default();
    let length = domain.find(|c| !belongs(c)).unwrap_or(domain.len());
    // What ends a sentence belongs to no domain.
    let domain = domain.get(..length).unwrap_or_default().trim_end_matches(['.', ':']);
    1 + domain.len()
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

    proptest! {
        #[test]
        fn no_text_is_a_fault_and_what_has_no_address_is_as_it_was(text in "\\PC{0,40}") {
            let veiled = shown(Addresses::Hash, &text);
            prop_assert!(text.contains('@') || veiled == text);
        }
    }
}
