//! FMT-06 to FMT-09: the author.

use crate::arrived::Arrived;
use crate::check::{Found, Outcome};
use crate::dmarc::public_suffix_parent;
use crate::dns::{Known, Name};
use crate::message::{Message, text_of};

use super::address::{self, Address, Mailbox};
use super::words;

/// Domains of mailboxes that anybody can have (CHECKS.md IDN-09, and as known widely).
pub(crate) const FREEMAIL: &[&str] = &[
    "gmail.com",
    "googlemail.com",
    "gmx.de",
    "gmx.net",
    "gmx.at",
    "gmx.ch",
    "gmx.com",
    "web.de",
    "mail.com",
    "yahoo.com",
    "yahoo.de",
    "yahoo.fr",
    "yahoo.co.uk",
    "ymail.com",
    "aol.com",
    "outlook.com",
    "outlook.de",
    "hotmail.com",
    "hotmail.de",
    "live.com",
    "live.de",
    "msn.com",
    "icloud.com",
    "me.com",
    "mac.com",
    "t-online.de",
    "freenet.de",
    "proton.me",
    "protonmail.com",
    "mail.ru",
    "yandex.ru",
    "qq.com",
    "163.com",
    "126.com",
    "orange.fr",
    "free.fr",
    "libero.it",
];

/// The one author of a message; none if there is not exactly one.
pub(crate) fn author(message: &Message<'_>) -> Option<Mailbox> {
    let mut fields = message.all("From");
    let (first, second) = (fields.next()?, fields.next());
    let list = address::parse(&text_of(first)).ok().filter(|_| second.is_none())?;
    match &list[..] {
        [Address::Mailbox(mailbox)] => Some(mailbox.clone()),
        _ => None,
    }
}

pub(super) fn once(_: &mut Known, arrived: &Arrived<'_>) -> Option<Found> {
    match arrived.message.all("From").count() {
        1 => Found::pass("From stands there once"),
        0 => Found::fail("there is no From"),
        n => Found::fail(format!("From stands there {n} times")),
    }
}

pub(super) fn one_mailbox(_: &mut Known, arrived: &Arrived<'_>) -> Option<Found> {
    let Some(text) = arrived.message.text("From") else { return Found::skip("there is no From") };
    let list = match address::parse(&text) {
        Ok(list) => list,
        Err(fault) => return Found::fail(format!("From: {text}: {fault}")),
    };
    if list.iter().any(|address| matches!(address, Address::Group { .. })) {
        return Found::fail(format!("From: {text}: a group is no author"));
    }
    let has_sender = arrived.message.all("Sender").next().is_some();
    match &list[..] {
        [Address::Mailbox(one)] if one.domain.contains('.') || one.domain.starts_with('[') => {
            Found::pass(format!("{}@{}", one.local_part, one.domain))
        }
        [Address::Mailbox(one)] => Found::fail(format!("{} is no whole domain", one.domain)),
        _ if has_sender => Found::warn(format!("{} authors and a Sender", list.len())),
        _ => Found::fail(format!("{} authors and no Sender", list.len())),
    }
}

pub(super) fn domain_form(_: &mut Known, arrived: &Arrived<'_>) -> Option<Found> {
    let Some(author) = author(&arrived.message) else {
        return Found::skip("there is no single author");
    };
    let domain = author.domain.as_str();
    let labels: Vec<&str> = domain.split('.').collect();
    let why = if domain.starts_with('[') {
        "an address literal is no domain"
    } else if labels.len() < 2 {
        "a domain has a dot"
    } else if labels.iter().any(|label| label.is_empty()) {
        "a label is empty"
    } else if domain.contains('_') {
        "a host's name has no underscore"
    } else if !domain.is_ascii() {
        return match (idna::domain_to_ascii(domain), arrived.is_utf8) {
            (Err(_), _) => Found::fail(format!("{domain} is no name that IDNA allows")),
            (Ok(ascii), true) => Found::pass(format!("{domain} ({ascii}), with SMTPUTF8")),
            (Ok(ascii), false) => {
                Found::warn(format!("{domain} without SMTPUTF8; in ASCII it is {ascii}"))
            }
        };
    } else if !labels.iter().all(|label| is_host_label(label)) {
        "a label has letters, digits and hyphens, none of them at an end"
    } else {
        return Found::pass(domain);
    };
    Found::fail(format!("{domain}: {why}"))
}

fn is_host_label(label: &str) -> bool {
    let plain = label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    plain && label.len() <= 63 && !label.starts_with('-') && !label.ends_with('-')
}

pub(super) fn display_name(_: &mut Known, arrived: &Arrived<'_>) -> Option<Found> {
    let Some(author) = author(&arrived.message) else {
        return Found::skip("there is no single author");
    };
    let name = words::decoded(&author.name).to_lowercase();
    if name.trim().is_empty() {
        return Found::pass("there is no name");
    }
    let own = author.domain.to_ascii_lowercase();
    let mut worst = Outcome::Pass;
    let mut seen = String::new();
    for (named, is_address) in domains_in(&name) {
        if is_same_organisation(&named, &own) {
            continue;
        }
        let is_freemail = FREEMAIL.contains(&&*named);
        let outcome = if is_freemail && is_address { Outcome::Fail } else { Outcome::Warn };
        if outcome > worst {
            (worst, seen) = (outcome, named);
        }
    }
    let evidence = match worst {
        Outcome::Pass => format!("\"{name}\""),
        _ => format!("the name \"{name}\" speaks of {seen}, the address is of {own}"),
    };
    Some(Found::new(worst, evidence))
}

/// The domains that a name speaks of, and whether as an address.
fn domains_in(name: &str) -> Vec<(String, bool)> {
    let pieces = name.split(|c: char| c.is_whitespace() || "\"'<>(),;|".contains(c));
    let found = pieces.filter_map(|piece| {
        let bare = piece.trim_end_matches('.');
        let bare = ["https://", "http://"]
            .iter()
            .find_map(|scheme| bare.strip_prefix(scheme))
            .unwrap_or(bare);
        let (domain, is_address) = match bare.rsplit_once('@') {
            Some((_, domain)) => (domain, true),
            None => (bare.split('/').next().unwrap_or(bare), false),
        };
        let name = Name::parse(domain).ok()?;
        let known = psl::suffix(domain.as_bytes()).is_some_and(|suffix| suffix.is_known());
        (domain.contains('.') && known && public_suffix_parent(&name).is_some())
            .then(|| (domain.to_owned(), is_address))
    });
    found.collect()
}

/// Whether two domains have the same owner, by the list of public suffixes.
pub(crate) fn is_same_organisation(a: &str, b: &str) -> bool {
    let parent = |domain: &str| {
        let name = Name::of_mail(domain).ok()?;
        Some(public_suffix_parent(&name).unwrap_or(name))
    };
    parent(a).is_some_and(|a| parent(b) == Some(a))
}
